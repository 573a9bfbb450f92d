"""Splitting a text from either end."""

from __future__ import annotations

from typing import Any

from policy_lang.runtime.builtins.registry import builtin, integer


@builtin("strings.split_n", "string", "string", "number")
def split_n(text: str, separator: str, count: Any) -> list[str]:
    """The first ``count`` parts, or the last where it is negative."""
    most = integer("strings.split_n", 3, count)
    parts = text.split(separator) if separator else list(text)
    return parts[:most] if most >= 0 else parts[most:]
