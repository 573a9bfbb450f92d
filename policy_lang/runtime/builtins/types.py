"""What kind of value something is."""

from __future__ import annotations

from typing import Any

from policy_lang.runtime.builtins.registry import builtin
from policy_lang.runtime.values import type_name


@builtin("type_name", "any")
def name_of_type(value: Any) -> str:
    return type_name(value)


def _declare(kind: str) -> None:
    @builtin(f"is_{kind}", "any")
    def holds(value: Any) -> bool:
        return type_name(value) == kind


for _kind in ("array", "boolean", "null", "number", "object", "set", "string"):
    _declare(_kind)
