"""``sprintf`` with the verbs of Go's fmt package, as policies for OPA use them.

OPA hands Go an int, a big integer, a float or a text: whole numbers are ints, other numbers floats, and
everything that is no number or string is its Rego text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins.registry import builtin
from policy_lang.runtime.builtins.strings import rego_text
from policy_lang.runtime.values import number_text

_DIRECTIVE = re.compile(
    r"%(?P<flags>[-+# 0]*)(?:\[(?P<index>\d+)\])?(?P<width>\*|\d+)?"
    r"(?:(?P<dot>\.)(?:\[(?P<index2>\d+)\])?(?P<precision>\*|\d*))?(?:\[(?P<index3>\d+)\])?(?P<verb>.?)",
    re.DOTALL,
)
_LARGEST_WIDTH = 1_000_000
_SMALL = range(-(2**63), 2**63)


class _Big(int):
    """An integer beyond 64 bits, which Go formats by rules of its own."""


@builtin("sprintf", "string", "array")
def sprintf(form: str, args: list[Any]) -> str:
    """``form`` with its directives filled from ``args``; what does not fit is shown as Go shows it."""
    return _Printer([_given(arg) for arg in args]).run(form)


def _given(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return value if value in _SMALL else _Big(value)
    if kind is Decimal:
        number = float(value)
        return number_text(value) if number in (float("inf"), float("-inf")) else number
    return value if kind is str else rego_text(value)


class _Printer:
    def __init__(self, args: list[Any]) -> None:
        self.args = args
        self.next = 0
        self.reordered = False

    def run(self, form: str) -> str:
        text = _DIRECTIVE.sub(self._directive, form)
        rest = self.args[self.next :]
        if rest and not self.reordered:
            text += "%!(EXTRA " + ", ".join(f"{_type(one)}={_plain(one)}" for one in rest) + ")"
        return text

    def _directive(self, match: re.Match[str]) -> str:
        flags = set(match["flags"])
        self._jump(match["index"])
        width = self._number(match["width"])
        self._jump(match["index2"])
        precision = self._number(match["precision"] or "0") if match["dot"] else None
        self._jump(match["index3"])
        if isinstance(width, str) or isinstance(precision, str):
            return str(width if isinstance(width, str) else precision)
        if width is not None and width < 0:
            flags, width = flags | {"-"}, -width
        verb = match["verb"]
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not 0 <= self.next < len(self.args):
            return f"%!{verb}(BADINDEX)" if self.reordered else f"%!{verb}(MISSING)"
        value = self.args[self.next]
        self.next += 1
        return _Directive(frozenset(flags), width, precision, verb).show(value)

    def _jump(self, index: str | None) -> None:
        if index is not None:
            self.reordered = True
            self.next = int(index) - 1

    def _number(self, text: str | None) -> int | str | None:
        if text != "*":
            found = int(text) if text else None
            return "%!(BADWIDTH)" if found is not None and found > _LARGEST_WIDTH else found
        if self.next >= len(self.args) or type(self.args[self.next]) is not int:
            self.next += 1
            return "%!(BADWIDTH)"
        self.next += 1
        given: int = self.args[self.next - 1]
        return given if abs(given) <= _LARGEST_WIDTH else "%!(BADWIDTH)"


class _Directive:
    """One directive: its flags, width, precision and verb."""

    def __init__(self, flags: frozenset[str], width: int | None, precision: int | None, verb: str) -> None:
        self.flags = flags
        self.width = width
        self.precision = precision
        self.verb = verb

    def show(self, value: Any) -> str:
        if self.verb == "T":
            return self._padded("*big.Int" if isinstance(value, _Big) else _type(value))
        shown = self._text(value) if isinstance(value, str) else self._numeric(value)
        if shown is not None:
            return shown
        plain = _Directive(self.flags, self.width, self.precision, "v").show(value)
        return f"%!{self.verb}({_type(value)}={plain})"

    def _numeric(self, value: Any) -> str | None:
        return self._float(value) if isinstance(value, float) else self._integer(value)

    # ----------------------------------------------------------------- texts

    def _text(self, value: str) -> str | None:
        if self.verb in "sv":
            return self._padded(value if self.precision is None else value[: self.precision])
        if self.verb == "q":
            cut = value if self.precision is None else value[: self.precision]
            plain = "#" in self.flags and "`" not in cut and cut.isprintable()
            return self._padded(f"`{cut}`" if plain else _quoted(cut, "+" in self.flags))
        if self.verb in "xX":
            raw = value.encode() if self.precision is None else value.encode()[: self.precision]
            return self._padded(self._hexadecimal(raw))
        return None

    def _hexadecimal(self, raw: bytes) -> str:
        prefix = "0x" if "#" in self.flags else ""
        if " " in self.flags:
            text = " ".join(prefix + f"{byte:02x}" for byte in raw)
        else:
            text = prefix + raw.hex() if raw else ""
        return text.upper() if self.verb == "X" else text

    # ----------------------------------------------------------------- whole numbers

    def _integer(self, value: int) -> str | None:
        big = isinstance(value, _Big)
        if self.verb in "dv" or (big and self.verb == "s"):
            return self._signed(value, str(abs(value)))
        if self.verb in "boOxX":
            digits = format(abs(value), {"O": "o"}.get(self.verb, self.verb))
            prefix = (
                {"b": "0b", "o": "0", "x": "0x", "X": "0X"}.get(self.verb, "")
                if "#" in self.flags and (value or self.verb != "o")
                else ""
            )
            return self._signed(value, digits, "0o" if self.verb == "O" else prefix)
        if big:
            return None
        if self.verb in "cqU":
            code = value if 0 <= value <= 0x10FFFF else 0xFFFD
            if self.verb == "U":
                shown = f" {chr(code)!r}" if "#" in self.flags else ""
                return self._padded(f"U+{code:04X}{shown}")
            return self._padded(chr(code) if self.verb == "c" else "'" + _quoted(chr(code), False)[1:-1] + "'")
        return None

    def _signed(self, value: int, digits: str, prefix: str = "") -> str:
        if self.precision is not None:
            digits = digits.zfill(self.precision) if value or self.precision else ""
        sign = "-" if value < 0 else "+" if "+" in self.flags else " " if " " in self.flags else ""
        if self.precision is None and "0" in self.flags and "-" not in self.flags and self.width:
            digits = digits.zfill(self.width - len(sign) - len(prefix))
        return self._padded(sign + prefix + digits, zeros=False)

    # ----------------------------------------------------------------- floats

    def _float(self, value: float) -> str | None:
        if self.verb in "vg":
            text = _general(abs(value), self.precision, "#" in self.flags)
        elif self.verb == "G":
            text = _general(abs(value), self.precision, "#" in self.flags).upper()
        elif self.verb in "fFeE":
            kind = self.verb.lower() if self.verb != "E" else "E"
            text = format(abs(value), f".{6 if self.precision is None else self.precision}{kind}")
        elif self.verb in "xX" and self.precision is None:
            mantissa, _, power = abs(value).hex().partition("p")
            head, _, tail = mantissa.partition(".")
            text = f"{head}{'.' + tail.rstrip('0') if tail.rstrip('0') else ''}p{power[0]}{power[1:].zfill(2)}"
            text = text.upper() if self.verb == "X" else text
        else:
            return None
        sign = "-" if value < 0 else "+" if "+" in self.flags else " " if " " in self.flags else ""
        if "0" in self.flags and "-" not in self.flags and self.width:
            text = text.zfill(self.width - len(sign))
        return self._padded(sign + text, zeros=False)

    def _padded(self, text: str, *, zeros: bool = True) -> str:
        if not self.width:
            return text
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if zeros and "0" in self.flags else " ")


def _general(value: float, precision: int | None, keep: bool) -> str:
    """``%g``: the shortest digits, or so many; an exponent below -4 or from 6 (the precision) on."""
    if precision is None:
        mantissa, _, exponent = f"{Decimal(repr(value)):e}".partition("e")
        digits = mantissa.replace(".", "").rstrip("0") or "0"
        power = int(exponent)
        if power < -4 or power >= 6:
            point = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
            return f"{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return format(value, f"{'#' if keep else ''}.{precision or 1}g")


def _quoted(text: str, ascii_only: bool) -> str:
    """The text in quotes with Go's escapes."""
    out = []
    for char in text:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif char in "\a\b\f\n\r\t\v":
            out.append("\\" + "abfnrtv"["\a\b\f\n\r\t\v".index(char)])
        elif code < 0x20 or code == 0x7F:
            out.append(f"\\x{code:02x}")
        elif (ascii_only and code > 0x7E) or not char.isprintable():
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _type(value: Any) -> str:
    if isinstance(value, _Big):
        return "big.Int"
    return {int: "int64", float: "float64"}.get(type(value), "string")


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return ("-" if value < 0 else "") + _general(abs(value), None, False)
    return str(value)
