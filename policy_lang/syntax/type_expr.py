"""The types of parameters as they are written; alone, as settings are judged by them without the syntax tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from policy_lang.source import Span


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """A parameter's type: ``name[args]``: any, null, boolean, number, string, array[T], set[T],
    object[K, V]; ``T | U`` is ``TypeExpr("union", (T, U))``."""

    name: str
    args: tuple[TypeExpr, ...] = ()
    span: Span = field(compare=False, repr=False, kw_only=True)
