"""The table of builtins: each family registers its functions under OPA's names.

A builtin takes plain values (never UNDEFINED) and returns one, or UNDEFINED. A wrong operand raises
``BuiltinError("eval_type_error", …)``, any other failure ``BuiltinError("eval_builtin_error", …)``; the
engine makes them undefined, or stops where it is strict.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from policy_lang.runtime.numbers import to_integer
from policy_lang.runtime.values import RegoObject, RegoSet, type_name

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

TABLE: dict[str, Function] = {}


class BuiltinError(Exception):
    """``code`` is OPA's: eval_type_error or eval_builtin_error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


_PYTHON: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "number": (int, Decimal),
    "string": (str,),
    "array": (list,),
    "object": (dict, RegoObject),
    "set": (RegoSet,),
}
_EVERY = frozenset(kind for kinds in _PYTHON.values() for kind in kinds)


def builtin(name: str, *operands: str) -> Callable[[F], F]:
    """Register a function under ``name``. ``operands`` are the types of its arguments in order:
    ``any``, or the names of types with ``|`` between them."""
    kinds = [_kinds(types) for types in operands]
    home: str = sys._getframe(1).f_globals["__name__"]

    def refused(args: Sequence[Any]) -> BuiltinError:
        for position, (wanted, arg) in enumerate(zip(kinds, args, strict=True), 1):
            if type(arg) not in wanted:
                return operand_error(name, position, operands[position - 1].split("|"), arg)
        raise AssertionError(name)

    def register(function: F) -> F:
        TABLE[name] = functools.wraps(function)(_checked(function, kinds, refused))
        ARITY[name] = len(operands)
        HOME[name] = home
        BARE[name] = (function, tuple(kinds))
        return function

    return register


def _kinds(types: str) -> frozenset[type]:
    if types == "any":
        return _EVERY
    return frozenset(kind for one in types.split("|") for kind in _PYTHON[one])


def _checked(
    function: Function, kinds: Sequence[frozenset[type]], refused: Callable[[Sequence[Any]], BuiltinError]
) -> Function:
    """The function behind a check of its operands' types, without loops for one and two of them."""
    if all(wanted == _EVERY for wanted in kinds):
        return functools.wraps(function)(lambda *args: function(*args))
    if len(kinds) == 1:
        (only,) = kinds

        def one(value: Any) -> Any:
            if type(value) not in only:
                raise refused((value,))
            return function(value)

        return one
    if len(kinds) == 2:
        first, second = kinds

        def two(left: Any, right: Any) -> Any:
            if type(left) not in first or type(right) not in second:
                raise refused((left, right))
            return function(left, right)

        return two

    def many(*args: Any) -> Any:
        for wanted, arg in zip(kinds, args, strict=True):
            if type(arg) not in wanted:
                raise refused(args)
        return function(*args)

    return many


ARITY: dict[str, int] = {}
HOME: dict[str, str] = {}
"""The module that registers each builtin."""
BARE: dict[str, tuple[Function, tuple[frozenset[type], ...]]] = {}
"""The function itself and the types that its operands have to be of."""


def integer(name: str, position: int, number: int | Decimal) -> int:
    """An operand that has to be whole, and of 64 bits.

    Raises:
        BuiltinError: it has a fraction, or more digits.
    """
    # What is written with a power of ten is a float to OPA.
    power = number.as_tuple().exponent if isinstance(number, Decimal) else 0
    found = to_integer(number) if isinstance(power, int) and power <= 0 else None
    if found is None or not -(2**63) <= found < 2**63:
        text = f"{name}: operand {position} must be integer number but got floating-point number"
        raise BuiltinError("eval_type_error", text)
    return found


def operand_error(name: str, position: int, types: Iterable[str], value: Any) -> BuiltinError:
    """The error for an operand of a wrong type, in OPA's words."""
    names = sorted(types) if isinstance(types, frozenset) else list(types)
    shown = names[0] if len(names) == 1 else f"one of {{{', '.join(names)}}}"
    message = f"{name}: operand {position} must be {shown} but got {type_name(value)}"
    return BuiltinError("eval_type_error", message)


def failure(name: str, message: str) -> BuiltinError:
    """The error for operands of right types that have no answer."""
    return BuiltinError("eval_builtin_error", f"{name}: {message}")
