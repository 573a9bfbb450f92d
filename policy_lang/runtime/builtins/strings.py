"""Text: search, change, format, regular expressions (RE2), encodings, JSON."""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.matching import lower, matches, pattern_of
from policy_lang.runtime.values import RegoSet, from_json, object_items, sort_key, sorted_values, to_json


def rego_text(value: Any) -> str:
    """A value as a Rego term: strings in quotes, sets in braces."""
    kind = type(value)
    if kind is list:
        return "[" + ", ".join(map(rego_text, value)) + "]"
    if kind is RegoSet:
        return "{" + ", ".join(map(rego_text, sorted_values(value.values()))) + "}" if value else "set()"
    if isinstance(value, dict):
        pairs = sorted(object_items(value), key=lambda pair: sort_key(pair[0]))
        return "{" + ", ".join(f"{rego_text(k)}: {rego_text(v)}" for k, v in pairs) + "}"
    return to_json(value)


@builtin("concat", "string", "array|set")
def concat(separator: str, parts: Any) -> str:
    found = parts if type(parts) is list else sorted_values(parts.values())
    if not all(type(p) is str for p in found):
        raise BuiltinError("eval_type_error", "concat: operand 2 must be array of strings or set of strings")
    return separator.join(found)


@builtin("contains", "string", "string")
def contains(text: str, part: str) -> bool:
    return part in text


@builtin("startswith", "string", "string")
def starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


@builtin("endswith", "string", "string")
def ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


builtin("lower", "string")(lower)


@builtin("upper", "string")
def upper(text: str) -> str:
    """Letter by letter, as Go does: ``ß`` stays."""
    if text.isascii():
        return text.upper()
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


@builtin("split", "string", "string")
def split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


@builtin("replace", "string", "string", "string")
def replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new)


@builtin("strings.replace_n", "object", "string")
def replace_many(patterns: dict[Any, Any], text: str) -> str:
    """All replacements in one pass, in the order of the keys; an earlier key wins."""
    if not all(type(k) is str and type(v) is str for k, v in patterns.items()):
        raise BuiltinError("eval_type_error", "strings.replace_n: operand 1 must be object of strings")
    if not patterns:
        return text
    pattern = "|".join(re.escape(key) for key in sorted(patterns))
    return re.sub(pattern, lambda m: str(patterns[m.group()]), text)


@builtin("strings.reverse", "string")
def reverse(text: str) -> str:
    return text[::-1]


@builtin("strings.count", "string", "string")
def occurrences(text: str, part: str) -> int:
    return text.count(part) if part else len(text) + 1


@builtin("strings.any_prefix_match", "string|array|set", "string|array|set")
def any_prefix(texts: Any, prefixes: Any) -> bool:
    starts = tuple(_texts("strings.any_prefix_match", 2, prefixes))
    return any(t.startswith(starts) for t in _texts("strings.any_prefix_match", 1, texts))


@builtin("strings.any_suffix_match", "string|array|set", "string|array|set")
def any_suffix(texts: Any, suffixes: Any) -> bool:
    ends = tuple(_texts("strings.any_suffix_match", 2, suffixes))
    return any(t.endswith(ends) for t in _texts("strings.any_suffix_match", 1, texts))


def _texts(name: str, position: int, value: Any) -> list[str]:
    found = [value] if type(value) is str else list(value if type(value) is list else value.values())
    if not all(type(item) is str for item in found):
        raise BuiltinError("eval_type_error", f"{name}: operand {position} must be a string or strings")
    return found


@builtin("trim", "string", "string")
def trim(text: str, cut: str) -> str:
    return text.strip(cut) if cut else text


@builtin("trim_left", "string", "string")
def trim_left(text: str, cut: str) -> str:
    return text.lstrip(cut) if cut else text


@builtin("trim_right", "string", "string")
def trim_right(text: str, cut: str) -> str:
    return text.rstrip(cut) if cut else text


@builtin("trim_prefix", "string", "string")
def trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


@builtin("trim_suffix", "string", "string")
def trim_suffix(text: str, suffix: str) -> str:
    return text.removesuffix(suffix)


@builtin("trim_space", "string")
def trim_space(text: str) -> str:
    return text.strip()


@builtin("substring", "string", "number", "number")
def substring(text: str, offset: Any, length: Any) -> str:
    if offset < 0:
        raise failure("substring", "negative offset")
    start = int(offset)
    return text[start:] if length < 0 else text[start : start + int(length)]


@builtin("indexof", "string", "string")
def index_of(text: str, part: str) -> int:
    if not part:
        raise failure("indexof", "empty search character")
    return text.find(part)


@builtin("indexof_n", "string", "string")
def index_of_all(text: str, part: str) -> list[int]:
    if not part:
        raise failure("indexof_n", "empty search character")
    return [i for i in range(len(text)) if text.startswith(part, i)]


@builtin("format_int", "number", "number")
def format_int(number: Any, base: Any) -> str:
    """The integral part in base 2, 8, 10 or 16."""
    form = {2: "b", 8: "o", 10: "d", 16: "x"}.get(int(base) if base == int(base) else 0)
    if form is None:
        raise BuiltinError("eval_type_error", "format_int: operand 2 must be one of {2, 8, 10, 16}")
    return format(int(number), form)


_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d+)?(?:\.(?P<precision>\d*))?(?P<verb>.)", re.DOTALL)


@builtin("sprintf", "string", "array")
def sprintf(form: str, args: list[Any]) -> str:
    """Go's fmt.Sprintf for strings, numbers, booleans and everything else as Rego text."""
    rest = iter(args)

    def one(match: re.Match[str]) -> str:
        verb = match["verb"]
        if verb == "%":
            return "%"
        try:
            value = next(rest)
        except StopIteration:
            return f"%!{verb}(MISSING)"
        return _formatted(match, verb, value)

    text = _VERB.sub(one, form)
    extra = list(rest)
    if extra:
        text += "%!(EXTRA " + ", ".join(f"{_go_type(v)}={_plain(v)}" for v in extra) + ")"
    return text


def _formatted(match: re.Match[str], verb: str, value: Any) -> str:
    flags, width, precision = match["flags"], match["width"] or "", match["precision"]
    integral = type(value) is int
    number = integral or type(value) is Decimal
    if (verb == "d" and integral) or (verb in "xXob" and integral):
        return _padded(format(value, verb if verb != "d" else "d"), flags, width)
    if verb in "feEgG" and number:
        digits = 6 if precision is None else int(precision or 0)
        wanted = f".{digits}{verb}" if verb in "feE" or precision is not None else verb
        return _padded(format(float(value), wanted), flags, width)
    if verb in "xX" and type(value) is str:
        return _padded(format(value.encode().hex()), flags, width)
    if verb == "q" and type(value) is str:
        return _padded(to_json(value), flags, width)
    if verb == "s" and not number and type(value) is not bool and value is not None:
        text = _plain(value)
        return _padded(text if precision is None else text[: int(precision or 0)], flags, width)
    if verb == "v" or (verb == "t" and type(value) is bool):
        return _padded(_plain(value), flags, width)
    if verb == "T":
        return _go_type(value)
    return f"%!{verb}({_go_type(value)}={_plain(value)})"


def _padded(text: str, flags: str, width: str) -> str:
    if "+" in flags and text[:1].isdigit():
        text = "+" + text
    if not width:
        return text
    if "-" in flags:
        return text.ljust(int(width))
    if "0" in flags:
        return text.zfill(int(width))
    return text.rjust(int(width))


def _plain(value: Any) -> str:
    return value if type(value) is str else rego_text(value)


def _go_type(value: Any) -> str:
    return {int: "int", Decimal: "float64", str: "string", bool: "bool"}.get(type(value), "string")


# --------------------------------------------------------------------- regular expressions


@builtin("regex.match", "string", "string")
def regex_match(pattern: str, text: str) -> bool:
    return matches(pattern)[text]


@builtin("regex.is_valid", "any")
def regex_is_valid(pattern: Any) -> bool:
    if type(pattern) is not str:
        return False
    try:
        pattern_of("regex.is_valid", pattern)
    except BuiltinError:
        return False
    return True


@builtin("regex.split", "string", "string")
def regex_split(pattern: str, text: str) -> list[str]:
    parts, last = [], 0
    for match in pattern_of("regex.split", pattern).finditer(text):
        if match.end() == 0 or (match.start() == match.end() == len(text)):
            continue
        parts.append(text[last : match.start()])
        last = match.end()
    return [*parts, text[last:]]


@builtin("regex.find_n", "string", "string", "number")
def regex_find(pattern: str, text: str, limit: Any) -> list[str]:
    found = [m.group() for m in pattern_of("regex.find_n", pattern).finditer(text)]
    return found if limit < 0 else found[: int(limit)]


@builtin("regex.find_all_string_submatch_n", "string", "string", "number")
def regex_submatches(pattern: str, text: str, limit: Any) -> list[list[str]]:
    matches = pattern_of("regex.find_all_string_submatch_n", pattern).finditer(text)
    found = [[m.group(), *("" if g is None else g for g in m.groups())] for m in matches]
    return found if limit < 0 else found[: int(limit)]


@builtin("regex.replace", "string", "string", "string")
def regex_replace(text: str, pattern: str, replacement: str) -> str:
    compiled = pattern_of("regex.replace", pattern)

    def expanded(match: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference["name"] or reference["braced"]
            if name is None:
                return "$"
            try:
                return match.group(int(name) if name.isdigit() else name) or ""
            except IndexError:
                return ""

        return re.sub(r"\$(?:\$|(?P<name>\w+)|\{(?P<braced>\w+)\})", group, replacement)

    return str(compiled.sub(expanded, text))


# --------------------------------------------------------------------- encodings


@builtin("json.marshal", "any")
def json_marshal(value: Any) -> str:
    """JSON as Go writes it: ``<``, ``>`` and ``&`` escaped."""
    text = to_json(value)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@builtin("json.unmarshal", "string")
def json_unmarshal(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise failure("json.unmarshal", str(error)) from None


@builtin("json.is_valid", "any")
def json_is_valid(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        from_json(text)
    except ValueError:
        return False
    return True


@builtin("base64.encode", "string")
def base64_encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@builtin("base64.decode", "string")
def base64_decode(text: str) -> str:
    return _decoded("base64.decode", base64.b64decode, text)


@builtin("base64.is_valid", "any")
def base64_is_valid(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


@builtin("base64url.encode", "string")
def base64url_encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@builtin("base64url.encode_no_pad", "string")
def base64url_encode_no_pad(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@builtin("base64url.decode", "string")
def base64url_decode(text: str) -> str:
    return _decoded("base64url.decode", base64.urlsafe_b64decode, text + "=" * (-len(text) % 4))


@builtin("hex.encode", "string")
def hex_encode(text: str) -> str:
    return text.encode().hex()


@builtin("hex.decode", "string")
def hex_decode(text: str) -> str:
    return _decoded("hex.decode", binascii.unhexlify, text)


def _decoded(name: str, decode: Any, text: str) -> str:
    try:
        found: bytes = decode(text)
    except (binascii.Error, ValueError) as error:
        raise failure(name, str(error)) from None
    return found.decode(errors="replace")
