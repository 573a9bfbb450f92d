"""Amounts with units: ``10Ki``, ``1.5G``, ``200m``, ``3MiB``."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure

_PREFIXES = "kmgtpe"
_POWERS = {p: 1000 ** (i + 1) for i, p in enumerate(_PREFIXES)} | {
    f"{p}i": 1024 ** (i + 1) for i, p in enumerate(_PREFIXES)
}
_BYTES = _POWERS | {f"{unit}b": factor for unit, factor in _POWERS.items()} | {"": 1}
# An "e" belongs to the number only where a digit or a sign follows: ``5E`` is five exa, ``5E2`` five hundred.
_AMOUNT = re.compile(r"(?P<number>(?:[0-9.+-]|[eE][0-9+-])*)(?P<unit>.*)", re.DOTALL)
_LARGEST_EXPONENT = 4096  # more digits than any amount has; keeps the exact arithmetic small


def _split(name: str, what: str, text: str) -> tuple[Fraction, str]:
    text = text.replace('"', "")
    if " " in text:
        raise failure(name, "spaces not allowed in resource strings")
    found = _AMOUNT.fullmatch(text)
    if found is None or not found["number"]:
        raise failure(name, f"no {what} provided")
    try:
        number = Decimal(found["number"])
    except InvalidOperation:
        raise failure(name, f"could not parse {what} to a number") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise failure(name, f"could not parse {what} to a number")
    return Fraction(number), found["unit"]


@builtin("units.parse", "string")
def parse(text: str) -> Any:
    """The number an amount stands for, to ten decimals. Only ``m`` (milli) and ``M`` (mega) mind the case."""
    amount, unit = _split("units.parse", "amount", text)
    if unit == "m":
        amount /= 1000
    elif unit:
        factor = _POWERS.get(unit.lower())
        if factor is None:
            raise failure("units.parse", f"unit {unit} not recognized")
        amount *= factor
    if amount.denominator == 1:
        return amount.numerator
    digits = int(abs(amount) * 10**10 + Fraction(1, 2))
    return Decimal(f"{'-' if amount < 0 else ''}{digits}e-10")


@builtin("units.parse_bytes", "string")
def parse_bytes(text: str) -> int:
    """The whole number of bytes an amount stands for; the case of the unit means nothing."""
    amount, unit = _split("units.parse_bytes", "byte amount", text)
    factor = _BYTES.get(unit.lower())
    if factor is None:
        raise failure("units.parse_bytes", f"byte unit {unit} not recognized")
    return int(amount * factor)
