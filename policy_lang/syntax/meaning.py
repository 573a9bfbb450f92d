"""When two syntax trees mean the same although they differ: the liberties that a layout may take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policy_lang.syntax import ast
from policy_lang.syntax.formatter_module import arranged_imports
from policy_lang.syntax.formatter_terms import by_value, infix_symbol
from policy_lang.syntax.walk import rewrite


def same_meaning(left: ast.Module, right: ast.Module) -> bool:
    """True where both have the same statements in the same order, up to spelling.

    Spelling is: the order of imports, members of a set said twice, ``:= true`` before a body, a body
    that is just ``true``, constants in the holes of template strings, ``-x`` for ``0 - x``, the call
    form of operators.
    """
    return normal(left) == normal(right)


def normal(module: ast.Module) -> ast.Module:
    """The module in the one spelling that stands for all of the same meaning."""
    imports = sorted(arranged_imports(module), key=lambda i: (repr(i.path), i.alias or ""))
    joined = rewrite(replace(module, imports=tuple(imports)), _with_constants_joined)
    plain: ast.Module = rewrite(joined, _spelled)
    return plain


def _with_constants_joined(node: Any) -> Any:
    return replace(node, parts=_joined(node.parts)) if isinstance(node, ast.Template) else node


def _spelled(node: Any) -> Any:
    match node:
        case ast.Rule(head=head, body=body, default=default):
            if head.key is None and head.value is None:
                head = replace(head, value=ast.Boolean(True, span=head.span))
            return replace(node, head=head, body=body if default else _said(body))
        case ast.Else(value=None, body=body):
            return replace(node, value=ast.Boolean(True, span=node.span), body=_said(body))
        case ast.Else(body=body):
            return replace(node, body=_said(body))
        case ast.Number():
            return by_value(node)
        case ast.SetTerm(items=items):
            kept: list[ast.Term] = []
            for item in items:
                if item not in kept:
                    kept.append(item)
            return replace(node, items=tuple(kept))
        case ast.Expr(term=ast.Call(args=(a, b, result), operator=operator) as call) if infix_symbol(call):
            value = ast.Call(operator, (a, b), span=call.span)
            return replace(node, term=ast.Call(ast.Var("eq", span=call.span), (result, value), span=call.span))
    return node


def _said(body: ast.Body) -> ast.Body:
    """No body for one that is just ``true``."""
    plain = len(body) == 1 and isinstance(body[0], ast.Expr) and not body[0].negated and not body[0].withs
    return () if plain and isinstance(body[0], ast.Expr) and _is_true(body[0].term) else body


def _is_true(term: ast.Term) -> bool:
    return isinstance(term, ast.Boolean) and term.value


def _joined(parts: tuple[str | ast.Term, ...]) -> tuple[str | ast.Term, ...]:
    """A template's parts with its constants as text."""
    out: list[str | ast.Term] = []
    for part in parts:
        match part:
            case ast.String(value=text) | ast.Number(text=text):
                shown: str | ast.Term = text
            case ast.Boolean(value=value):
                shown = "true" if value else "false"
            case ast.Null():
                shown = "null"
            case _:
                shown = part
        if isinstance(shown, str) and out and isinstance(out[-1], str):
            out[-1] += shown
        elif shown != "":
            out.append(shown)
    return tuple(out)
