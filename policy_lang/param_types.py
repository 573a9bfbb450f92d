"""The types of parameters as the engine's typed code knows them; apart, because settings are judged without these."""

from __future__ import annotations

from policy_lang import types
from policy_lang.syntax.type_expr import TypeExpr
from policy_lang.types import Type

_SCALARS = {"null": types.NULL, "boolean": types.BOOLEAN, "number": types.NUMBER, "string": types.STRING}


def declared_type(expr: TypeExpr) -> Type:
    """The type of all values that ``setting_fits`` takes."""
    if expr.name == "set":
        return declared_type(expr.named("array"))
    if expr.name == "union":
        return types.union(*map(declared_type, expr.args)) if all(a.name != "set" for a in expr.args) else types.ANY
    if expr.name == "array":
        return types.ArrayType((), _inner(expr.args[0]) if expr.args else types.ANY)
    if expr.name == "object":
        key, value = map(_inner, expr.args) if len(expr.args) == 2 else (types.ANY, types.ANY)
        return types.ObjectType((), (key, value))
    return _SCALARS.get(expr.name, types.ANY)


def _inner(expr: TypeExpr) -> Type:
    """The type of a member; only at the top an array counts as a set."""
    return types.ANY if expr.name == "set" else declared_type(expr)
