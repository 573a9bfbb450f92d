"""Rego's arithmetic: whole numbers of any size; else floats with a 64-bit mantissa, as OPA computes them.

A float here is a pair (mantissa, exponent) of ints that stands for ``mantissa * 2 ** exponent``, the mantissa of 64
bits at most; its number is the shortest decimal that no other float is nearer to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from decimal import Context, Decimal

Number = int | Decimal
Float = tuple[int, int]
_BITS = 64
_SURE_DIGITS = 18
"""No two decimals of so few digits have the same float."""
_EXACT = Context(prec=60, Emax=9_999_999, Emin=-9_999_999, traps=[])
_WHOLE = Context(prec=9_999_999, Emax=9_999_999, Emin=-9_999_999)
_SMALL = 2**31
_EXACT_BELOW = 2**63
"""A quotient of whole numbers below this that leaves no rest is a float without loss."""


def plus(left: Number, right: Number) -> Number:
    """The sum."""
    if (whole := _both_whole(left, right)) is not None:
        return whole[0] + whole[1]
    return _near(_add(to_float(left), to_float(right)), lambda: _EXACT.add(left, right))


def minus(left: Number, right: Number) -> Number:
    """The difference."""
    if (whole := _both_whole(left, right)) is not None:
        return whole[0] - whole[1]
    mantissa, exponent = to_float(right)
    return _near(_add(to_float(left), (-mantissa, exponent)), lambda: _EXACT.subtract(left, right))


def times(left: Number, right: Number) -> Number:
    """The product."""
    if (whole := _both_whole(left, right)) is not None:
        return whole[0] * whole[1]
    return _near(_multiply(to_float(left), to_float(right)), lambda: _EXACT.multiply(left, right))


def divide(left: Number, right: Number) -> Number:
    """The quotient: whole where it is exact in 64 bits.

    Raises:
        ZeroDivisionError: the divisor is zero.
    """
    if type(left) is int and type(right) is int and left % right == 0 and -_EXACT_BELOW <= left < _EXACT_BELOW:
        return left // right
    (above, up), (below, down) = to_float(left), to_float(right)
    mantissa, exponent = _quotient(above, below)
    return _near((mantissa, exponent + up - down), lambda: _EXACT.divide(left, right))


def total(numbers: Iterable[Number]) -> Number:
    """The sum of numbers: exact where all are whole, else added as floats one by one."""
    return _fold(list(numbers), 0, int.__add__, _add)


def product(numbers: Iterable[Number]) -> Number:
    """The product of numbers, likewise."""
    return _fold(list(numbers), 1, int.__mul__, _multiply)


def _fold(
    numbers: list[Number], start: int, exact: Callable[[int, int], int], rounded: Callable[[Float, Float], Float]
) -> Number:
    wholes = [one if type(one) is int else to_integer(one) for one in numbers]
    if None not in wholes:
        return functools.reduce(exact, (one for one in wholes if one is not None), start)
    return from_float(functools.reduce(rounded, map(to_float, numbers), (start, 0)))


def absolute(number: Number) -> Number:
    """Without its sign; what is not a small int goes through a float."""
    if type(number) is int and _is_small(number):
        return abs(number)
    mantissa, exponent = to_float(number)
    return from_float((abs(mantissa), exponent))


def ceiling(number: Number) -> int:
    """The next whole number above, as OPA has it: 1 for what lies between -1 and 0."""
    whole, rest, negative = _parts(to_float(number))
    return whole if not rest or (negative and whole) else whole + 1


def floor(number: Number) -> int:
    """The next whole number below, as OPA has it: 0 for what lies between -1 and 0."""
    whole, rest, negative = _parts(to_float(number))
    return whole - 1 if rest and negative and whole else whole


def rounded(number: Number) -> Number:
    """The nearest whole number; halves go away from zero."""
    if type(number) is int and _is_small(number):
        return number
    mantissa, exponent = to_float(number)
    return _parts(_add((mantissa, exponent), (-1 if mantissa < 0 else 1, -1)))[0]


def _parts(number: Float) -> tuple[int, bool, bool]:
    """What is whole in a float (towards zero), whether there is more, and whether it is below zero."""
    mantissa, exponent = number
    if exponent >= 0:
        return mantissa << exponent, False, mantissa < 0
    size = abs(mantissa)
    whole = size >> -exponent
    return (-whole if mantissa < 0 else whole), size != whole << -exponent, mantissa < 0


def _is_small(number: int) -> bool:
    return -_SMALL <= number < _SMALL


def _both_whole(left: Number, right: Number) -> tuple[int, int] | None:
    if type(left) is int and type(right) is int:
        return left, right
    one, other = to_integer(left), to_integer(right)
    return None if one is None or other is None else (one, other)


# --------------------------------------------------------------------------- floats


def _to_mantissa(mantissa: int, exponent: int) -> Float:
    """Rounded, half to even, to 64 bits; without zeros at its end, so that equal floats are equal pairs."""
    size = abs(mantissa)
    excess = size.bit_length() - _BITS
    if excess > 0:
        half, rest = 1 << (excess - 1), size & ((1 << excess) - 1)
        size >>= excess
        size += rest > half or (rest == half and size & 1)
        exponent += excess
    if not size:
        return 0, 0
    zeros = (size & -size).bit_length() - 1
    return (-(size >> zeros) if mantissa < 0 else size >> zeros), exponent + zeros


def _add(left: Float, right: Float) -> Float:
    (one, up), (other, down) = left, right
    low = min(up, down)
    return _to_mantissa((one << (up - low)) + (other << (down - low)), low)


def _multiply(left: Float, right: Float) -> Float:
    return _to_mantissa(left[0] * right[0], left[1] + right[1])


def _quotient(above: int, below: int) -> Float:
    shift = max(0, 2 * _BITS + below.bit_length() - above.bit_length())
    found, rest = divmod(abs(above) << shift, abs(below))
    # A bit below all others stands for the rest: what is not exactly half way must not look so.
    mantissa = found << 1 | (rest != 0)
    return _to_mantissa(-mantissa if (above < 0) != (below < 0) else mantissa, -shift - 1)


@functools.lru_cache(maxsize=4096)
def to_float(number: Number) -> Float:
    """The float next to a number; its digits are rounded before its power of ten counts, as OPA reads it."""
    if isinstance(number, int):
        return _to_mantissa(number, 0)
    sign, digits, power = number.as_tuple()
    return _scaled(*_to_mantissa(int("".join(map(str, digits))), 0), power, negative=bool(sign))


def _scaled(mantissa: int, exponent: int, power: object, *, negative: bool) -> Float:
    assert isinstance(power, int), "finite"
    if power >= 0:
        mantissa *= 10**power
    else:
        mantissa, lower = _quotient(mantissa, 10**-power)
        exponent += lower
    return _to_mantissa(-mantissa if negative else mantissa, exponent)


def from_float(number: Float) -> Number:
    """The shortest decimal that rounds to this float, found as Go finds it; an int where it is whole."""
    mantissa, exponent = number
    if exponent >= 0 and mantissa.bit_length() + exponent < _BITS:
        return mantissa << exponent
    size = abs(mantissa)
    wide = _BITS + 1 - size.bit_length()
    size, exponent = size << wide, exponent - wide
    # Half a unit of the last of 64 bits is 1 now: what lies within rounds to it, on the border if it is even.
    even = not size >> 1 & 1
    own, power = _decimal(size, exponent)
    lower, _ = _decimal(size - 1, exponent)
    upper, _ = _decimal(size + 1, exponent)
    digits, low, high = str(own), str(lower), str(upper)
    longest = max(len(digits), len(low), len(high))
    digits, low, high = digits.rjust(longest, "0"), low.rjust(longest, "0"), high.rjust(longest, "0")
    last_low, last_high = len(low.rstrip("0")), len(high.rstrip("0"))
    found, above = own, False
    for at, (one, down, up) in enumerate(zip(digits, low, high, strict=True), 1):
        # Once the digits differ, the number cut here lies within; so does the next one up.
        may_down = one != down or (even and at == last_low)
        may_up = one != up and (even or chr(ord(one) + 1) < up or at < last_high)
        if may_down or may_up:
            unit = 10 ** (longest - at)
            cut, rest = divmod(own, unit)
            above = may_up and (not may_down or rest * 2 > unit or (rest * 2 == unit and bool(cut & 1)))
            found = (cut + above) * unit
            break
    return _normal(Decimal(-found if mantissa < 0 else found).scaleb(power, _WHOLE))


def _decimal(mantissa: int, exponent: int) -> tuple[int, int]:
    """A float as digits and a power of ten, exactly."""
    return (mantissa << exponent, 0) if exponent >= 0 else (mantissa * 5**-exponent, exponent)


def _near(number: Float, exact: Callable[[], Decimal]) -> Number:
    """``from_float`` for the float of an operation whose decimal result may be short."""
    found = exact()
    if found.is_finite() and len(found.as_tuple().digits) <= _SURE_DIGITS and to_float(found) == number:
        return _normal(found)
    return from_float(number)


def _normal(number: Decimal) -> Number:
    whole = to_integer(number)
    return number.normalize(_WHOLE) if whole is None else whole


def to_integer(number: Number) -> int | None:
    """The number as an int where it is whole, else None."""
    if isinstance(number, int):
        return number
    return int(number) if number == number.to_integral_value() else None
