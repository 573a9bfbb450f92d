"""Splitting a text from either end."""

from __future__ import annotations

from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin


@builtin("strings.split_n", "string", "string", "number")
def split_n(text: str, separator: str, count: Any) -> list[str]:
    """The first ``count`` parts, or the last where it is negative."""
    if count != int(count):
        message = "strings.split_n: operand 3 must be integer number but got floating-point number"
        raise BuiltinError("eval_type_error", message)
    parts = text.split(separator) if separator else list(text)
    return parts[: int(count)] if count >= 0 else parts[int(count) :]
