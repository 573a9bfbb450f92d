"""Arithmetic: of whole numbers exact, else of floats with 64 bits of mantissa."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from policy_lang.runtime import numbers as exact
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure, operand_error
from policy_lang.runtime.values import is_too_big

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def arithmetic(name: str, left: Any, right: Any) -> Any:
    """The result of plus, minus or mul on two numbers.

    Raises:
        BuiltinError: one of them is no number.
    """
    for position, value in enumerate((left, right), 1):
        if type(value) is not int and type(value) is not Decimal:
            raise operand_error(name, position, frozenset(("number",)), value)
    if name == "plus":
        return exact.plus(left, right)
    return exact.minus(left, right) if name == "minus" else exact.times(left, right)


@builtin("plus", "number", "number")
def plus(left: Any, right: Any) -> Any:
    return arithmetic("plus", left, right)


@builtin("mul", "number", "number")
def multiply(left: Any, right: Any) -> Any:
    return arithmetic("mul", left, right)


@builtin("div", "number", "number")
def divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise BuiltinError("eval_builtin_error", "div: divide by zero")
    return exact.divide(left, right)


@builtin("rem", "number", "number")
def remainder(left: Any, right: Any) -> Any:
    """The rest of a division that truncates toward zero; integers only."""
    if left != int(left) or right != int(right):
        raise BuiltinError("eval_builtin_error", "rem: modulo on floating-point number")
    if right == 0:
        raise BuiltinError("eval_builtin_error", "rem: modulo by zero")
    rest = abs(int(left)) % abs(int(right))
    return -rest if left < 0 else rest


builtin("round", "number")(exact.rounded)
builtin("ceil", "number")(exact.ceiling)
builtin("floor", "number")(exact.floor)
builtin("abs", "number")(exact.absolute)


def _integers(name: str, *numbers: Any) -> list[int]:
    for position, number in enumerate(numbers, 1):
        if number != int(number):
            message = f"{name}: operand {position} must be integer number but got floating-point number"
            raise BuiltinError("eval_type_error", message)
    return [int(n) for n in numbers]


@builtin("numbers.range", "number", "number")
def number_range(start: Any, end: Any) -> list[int]:
    """Integers from ``start`` to ``end``, both included, upwards or downwards."""
    first, last = _integers("numbers.range", start, end)
    return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))


@builtin("numbers.range_step", "number", "number", "number")
def number_range_step(start: Any, end: Any, step: Any) -> list[int]:
    first, last, width = _integers("numbers.range_step", start, end, step)
    if width <= 0:
        raise failure("numbers.range_step", "step must be a positive integer")
    return list(range(first, last + 1, width)) if first <= last else list(range(first, last - 1, -width))


@builtin("bits.or", "number", "number")
def bits_or(left: Any, right: Any) -> int:
    one, other = _integers("bits.or", left, right)
    return one | other


@builtin("bits.and", "number", "number")
def bits_and(left: Any, right: Any) -> int:
    one, other = _integers("bits.and", left, right)
    return one & other


@builtin("bits.xor", "number", "number")
def bits_xor(left: Any, right: Any) -> int:
    one, other = _integers("bits.xor", left, right)
    return one ^ other


@builtin("bits.negate", "number")
def bits_negate(number: Any) -> int:
    (one,) = _integers("bits.negate", number)
    return ~one


def _shift(name: str, number: Any, places: Any) -> tuple[int, int]:
    value, by = _integers(name, number, places)
    if by < 0:
        message = f"{name}: operand 2 must be an unsigned integer number but got a negative integer"
        raise BuiltinError("eval_type_error", message)
    by &= 2**64 - 1  # OPA looks at no more
    if by > 1_000_000 and name == "bits.lsh":
        raise failure(name, "a shift by more than 1,000,000 bits is refused")
    return value, by


@builtin("bits.lsh", "number", "number")
def bits_left(number: Any, places: Any) -> int:
    value, by = _shift("bits.lsh", number, places)
    return value << by


@builtin("bits.rsh", "number", "number")
def bits_right(number: Any, places: Any) -> int:
    value, by = _shift("bits.rsh", number, places)
    return value >> min(by, value.bit_length())


@builtin("to_number", "any")
def to_number(value: Any) -> Any:
    """Numbers stay, booleans are 1 and 0, null is 0, strings are read as JSON numbers."""
    if value is None or type(value) is bool:
        return int(bool(value))
    if type(value) is int or type(value) is Decimal:
        return value
    if type(value) is not str:
        raise operand_error("to_number", 1, frozenset(("null", "boolean", "number", "string")), value)
    if not _NUMBER.fullmatch(value):
        # Go's parser takes these words for numbers, JSON and Rego do not: OPA calls that a wrong type.
        code = "eval_type_error" if value.lower().lstrip("+-") in ("inf", "infinity", "nan") else "eval_builtin_error"
        raise BuiltinError(code, "to_number: invalid syntax")
    number = Decimal(value)
    if math.isinf(float(value)) or is_too_big(number):  # OPA reads a float to see whether it is one
        raise BuiltinError("eval_builtin_error", "to_number: number too big")
    return int(value) if value.lstrip("+-").isdigit() else number
