"""Rego's arithmetic: whole numbers of any size; else floats with a 64-bit mantissa, as OPA computes them."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

Number = int | Decimal
_MANTISSA_BITS = 64
_SHORTEST = [Context(prec=digits) for digits in range(15, 23)]


def plus(left: Number, right: Number) -> Number:
    """The sum."""
    if type(left) is int and type(right) is int:
        return left + right
    return from_fraction(_rounded(left) + _rounded(right))


def minus(left: Number, right: Number) -> Number:
    """The difference."""
    if type(left) is int and type(right) is int:
        return left - right
    return from_fraction(_rounded(left) - _rounded(right))


def times(left: Number, right: Number) -> Number:
    """The product."""
    if type(left) is int and type(right) is int:
        return left * right
    return from_fraction(_rounded(left) * _rounded(right))


def divide(left: Number, right: Number) -> Number:
    """The quotient; whole where it is exact.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    return from_fraction(_rounded(left) / _rounded(right))


def remainder(left: int, right: int) -> int:
    """The remainder of the division that truncates towards zero, with the sign of the dividend.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def from_fraction(value: Fraction) -> Number:
    """The number of 64-bit precision next to ``value``: an int where it is whole, else its shortest decimal."""
    nearest = _to_mantissa(value)
    if nearest.denominator == 1:
        return nearest.numerator
    numerator, denominator = Decimal(nearest.numerator), Decimal(nearest.denominator)
    text = Decimal(0)
    for context in _SHORTEST:
        text = context.divide(numerator, denominator)
        if _to_mantissa(Fraction(text)) == nearest:
            break
    return text.normalize(_SHORTEST[-1])


def _rounded(number: Number) -> Fraction:
    return _to_mantissa(Fraction(number))


def _to_mantissa(value: Fraction) -> Fraction:
    """``value`` rounded, half to even, to a mantissa of 64 bits."""
    if not value or (value.denominator == 1 and abs(value.numerator).bit_length() <= _MANTISSA_BITS):
        return value
    shift = _MANTISSA_BITS - (abs(value.numerator).bit_length() - value.denominator.bit_length())
    unit = Fraction(2) ** shift
    if abs(value) * unit >= 2**_MANTISSA_BITS:
        unit /= 2
    return round(value * unit) / unit


def to_integer(number: Number) -> int | None:
    """The number as an int where it is whole, else None."""
    if type(number) is int:
        return number
    return int(number) if number == int(number) else None


def round_half_away(number: Number) -> int:
    """The nearest whole number; halves go away from zero."""
    if type(number) is int:
        return number
    half = Fraction(1, 2)
    value = Fraction(number)
    return int(value + half) if value >= 0 else int(value - half)
