"""The types of parameters: whether a literal or a value is of one, and which values are stricter."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from policy_lang.runtime.values import RegoSet, object_items, type_name
from policy_lang.syntax.type_expr import TypeExpr

if TYPE_CHECKING:
    from policy_lang.syntax import ast

_NAMES = ("null", "boolean", "number", "string", "array", "set", "object")
_ARITY = {"array": (0, 1), "set": (0, 1), "object": (0, 2)}


def type_text(expr: TypeExpr) -> str:
    """A type as it is written."""
    inner = [type_text(arg) for arg in expr.args]
    if expr.name == "union":
        return " | ".join(inner)
    return f"{expr.name}[{', '.join(inner)}]" if inner else expr.name


def type_problem(expr: TypeExpr) -> str:
    """What is wrong with a type itself; empty where nothing is."""
    if expr.name != "union":
        if expr.name not in (*_NAMES, "any"):
            return f"`{expr.name}` is no type: a type is any, {', '.join(_NAMES)}, or a union of them"
        if len(expr.args) not in _ARITY.get(expr.name, (0,)):
            return f"`{expr.name}` takes {max(_ARITY.get(expr.name, (0,)))} types in brackets, not {len(expr.args)}"
    return next((problem for arg in expr.args if (problem := type_problem(arg))), "")


@lru_cache(maxsize=1)
def _literals() -> dict[str, Any]:
    """The terms of each type, by its name."""
    from policy_lang.syntax import ast

    terms = (ast.Null, ast.Boolean, ast.Number, ast.String | ast.Template, ast.Array, ast.SetTerm, ast.Object)
    return dict(zip(_NAMES, terms, strict=True))


def literal_fits(term: ast.Term, expected: TypeExpr) -> bool:
    """Whether a literal is of a type; what only evaluation can tell counts as fitting."""
    from policy_lang.syntax import ast

    if expected.name == "any" or isinstance(
        term, ast.Var | ast.Ref | ast.Call | ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr | ast.Logical
    ):
        return True
    if expected.name == "union":
        return any(literal_fits(term, option) for option in expected.args)
    kind = _literals().get(expected.name)
    if kind is None or not isinstance(term, kind):
        return False
    if isinstance(term, ast.Array | ast.SetTerm) and expected.args:
        return all(literal_fits(item, expected.args[0]) for item in term.items)
    if isinstance(term, ast.Object) and len(expected.args) == 2:
        key, value = expected.args
        return all(literal_fits(k, key) and literal_fits(v, value) for k, v in term.items)
    return True


def setting_fits(value: Any, expected: TypeExpr) -> bool:
    """Whether a value from JSON or YAML may be set: these have no sets, so an array is one at the top."""
    if expected.name == "set" and type(value) is list:
        return value_fits(value, expected.named("array"))
    return value_fits(value, expected)


def value_fits(value: Any, expected: TypeExpr) -> bool:
    """Whether a value is of a type."""
    if expected.name == "any":
        return True
    if expected.name == "union":
        return any(value_fits(value, option) for option in expected.args)
    kind = type_name(value)
    if kind != expected.name:
        return False
    if kind in ("array", "set") and expected.args:
        items = value.values() if type(value) is RegoSet else value
        return all(value_fits(item, expected.args[0]) for item in items)
    if kind == "object" and len(expected.args) == 2:
        key, item_type = expected.args
        return all(value_fits(k, key) and value_fits(v, item_type) for k, v in object_items(value))
    return True
