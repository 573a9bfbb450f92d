"""The types of parameters as they are written; alone, as settings are judged by them without the syntax tree."""

from __future__ import annotations

from policy_lang.source import Span


class TypeExpr:
    """A parameter's type: ``name[args]``: any, null, boolean, number, string, array[T], set[T],
    object[K, V]; ``T | U`` is ``TypeExpr("union", (T, U))``. Where it stands does not tell two apart.

    (A class without a builder: it is made at each start, where nothing else needs one.)
    """

    __slots__ = ("args", "name", "span")

    def __init__(self, name: str, args: tuple[TypeExpr, ...] = (), *, span: Span) -> None:
        self.name, self.args, self.span = name, args, span

    def named(self, name: str) -> TypeExpr:
        """The type of another name with the same arguments."""
        return TypeExpr(name, self.args, span=self.span)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeExpr) and (self.name, self.args) == (other.name, other.args)

    def __hash__(self) -> int:
        return hash((self.name, self.args))

    def __repr__(self) -> str:
        return f"TypeExpr({self.name!r}, {self.args!r})"
