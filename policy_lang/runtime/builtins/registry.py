"""The table of builtins: each family registers its functions under OPA's names.

A builtin takes plain values (never UNDEFINED) and returns one, or UNDEFINED. A wrong operand raises
``BuiltinError("eval_type_error", …)``, any other failure ``BuiltinError("eval_builtin_error", …)``; the
engine makes them undefined, or stops where it is strict.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from policy_lang.runtime.values import type_name

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

TABLE: dict[str, Function] = {}


class BuiltinError(Exception):
    """``code`` is OPA's: eval_type_error or eval_builtin_error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def builtin(name: str, *operands: str) -> Callable[[F], F]:
    """Register a function under ``name``. ``operands`` are the types of its arguments in order:
    ``any``, or the names of types with ``|`` between them."""
    wanted = [None if types == "any" else frozenset(types.split("|")) for types in operands]

    def register(function: F) -> F:
        @functools.wraps(function)
        def checked(*args: Any) -> Any:
            for position, (types, arg) in enumerate(zip(wanted, args, strict=True), 1):
                if types is not None and type_name(arg) not in types:
                    raise operand_error(name, position, types, arg)
            return function(*args)

        TABLE[name] = checked
        ARITY[name] = len(operands)
        return function

    return register


ARITY: dict[str, int] = {}


def operand_error(name: str, position: int, types: frozenset[str], value: Any) -> BuiltinError:
    """The error for an operand of a wrong type, in OPA's words."""
    names = sorted(types)
    shown = names[0] if len(names) == 1 else f"one of {{{', '.join(names)}}}"
    message = f"{name}: operand {position} must be {shown} but got {type_name(value)}"
    return BuiltinError("eval_type_error", message)


def failure(name: str, message: str) -> BuiltinError:
    """The error for operands of right types that have no answer."""
    return BuiltinError("eval_builtin_error", f"{name}: {message}")
