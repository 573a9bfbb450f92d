"""Rego v1's meaning of ``not``: what stands inside it is evaluated before it.

``not startswith(input.x, "a")`` is undefined where ``input.x`` is missing, because v1 moves calls and
references out of a negated expression into literals before it. Calls move before safety is checked,
references after, as in OPA; so the two steps are two functions. Modules with the meaning of
``import rego.v2`` are not touched: their negations are NotBody nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policy_lang.syntax import ast

Fresh = Callable[[str], str]
Withs = tuple[ast.With, ...]
_HEADS = (ast.Call, ast.Array, ast.Object, ast.SetTerm, ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr)


class _Moved:
    """The literals that go before the negated one."""

    def __init__(self, fresh: Fresh, withs: Withs) -> None:
        self._fresh = fresh
        self._withs = withs
        self.literals: list[ast.Literal] = []

    def out(self, term: ast.Term) -> ast.Var:
        local = ast.Var(self._fresh("__local"), span=term.span)
        bind = ast.Call(ast.Var("eq", span=term.span), (local, term), span=term.span)
        self.literals.append(ast.Expr(bind, withs=self._withs, span=term.span))
        return local


def hoist_calls(term: ast.Term, fresh: Fresh, withs: Withs) -> tuple[ast.Term, list[ast.Literal]]:
    """A negated term without calls in its operands, and the literals that now go before it."""
    moved = _Moved(fresh, withs)

    def walk(inner: ast.Term) -> ast.Term:
        match inner:
            case ast.Call():
                return moved.out(replace(inner, args=tuple(map(walk, inner.args))))
            case ast.Ref():
                head = walk(inner.head)
                path = tuple(map(walk, inner.path))
                if isinstance(head, _HEADS):
                    head = moved.out(head)
                return replace(inner, head=head, path=path)
            case ast.Array() | ast.SetTerm():
                return replace(inner, items=tuple(map(walk, inner.items)))
            case ast.Object():
                return replace(inner, items=tuple((walk(key), walk(value)) for key, value in inner.items))
            case _:
                return inner

    if isinstance(term, ast.Call):
        return replace(term, args=tuple(map(walk, term.args))), moved.literals
    return walk(term), moved.literals


def hoist_references(body: ast.Body, fresh: Fresh) -> ast.Body:
    """A body whose negated literals (those in its closures too) have no references in their operands."""
    made: list[ast.Literal] = []
    for literal in body:
        made += _literal(literal, fresh)
    return tuple(made)


def _literal(literal: ast.Literal, fresh: Fresh) -> list[ast.Literal]:
    match literal:
        case ast.Expr():
            term = closures(literal.term, fresh)
            if not literal.negated:
                return [replace(literal, term=_compared(term))]
            moved = _Moved(fresh, literal.withs)
            term = _negated(term, moved)
            return [*moved.literals, replace(literal, term=term)]
        case ast.NotBody():
            return [replace(literal, body=hoist_references(literal.body, fresh))]
        case ast.Every():
            body = hoist_references(literal.body, fresh)
            return [replace(literal, domain=closures(literal.domain, fresh), body=body)]
        case ast.SomeIn():
            return [replace(literal, collection=closures(literal.collection, fresh))]
        case _:
            return [literal]


def _compared(term: ast.Term) -> ast.Term:
    """``x == xs[x]`` binds x: OPA makes such an ``==`` a unification."""
    if isinstance(term, ast.Call) and term.infix == "==":
        for one, other in (term.args, term.args[::-1]):
            if isinstance(one, ast.Var) and isinstance(other, ast.Ref) and one in other.path:
                return replace(term, operator=ast.Var("eq", span=term.operator.span))
    return term


def _negated(term: ast.Term, moved: _Moved) -> ast.Term:
    def out(inner: ast.Term) -> ast.Term:
        match inner:
            case ast.Ref():
                return moved.out(inside(inner))
            case ast.Var(name="input" | "data"):
                return moved.out(inner)
            case ast.Array() | ast.SetTerm():
                return replace(inner, items=tuple(map(out, inner.items)))
            case ast.Object():
                return replace(inner, items=tuple((out(key), out(value)) for key, value in inner.items))
            case _:
                return inner

    def inside(inner: ast.Term) -> ast.Term:
        """A reference stays; references in its path go out."""
        if isinstance(inner, ast.Ref):
            return replace(inner, path=tuple(map(out, inner.path)))
        return out(inner) if not isinstance(inner, ast.Var) else inner

    if isinstance(term, ast.Call):
        compares = isinstance(term.operator, ast.Var) and term.operator.name in ("eq", "equal")
        return replace(term, args=tuple(map(inside if compares else out, term.args)))
    return inside(term)


def closures(term: ast.Term, fresh: Fresh) -> ast.Term:
    """A term with the bodies of its closures done."""
    match term:
        case ast.ArrayCompr() | ast.SetCompr():
            return replace(term, term=closures(term.term, fresh), body=hoist_references(term.body, fresh))
        case ast.ObjectCompr():
            key, value = closures(term.key, fresh), closures(term.value, fresh)
            return replace(term, key=key, value=value, body=hoist_references(term.body, fresh))
        case ast.Logical():
            left, right = hoist_references(term.left, fresh), hoist_references(term.right, fresh)
            return replace(term, left=left, right=right)
        case ast.Call():
            return replace(term, args=tuple(closures(arg, fresh) for arg in term.args))
        case ast.Ref():
            path = tuple(closures(part, fresh) for part in term.path)
            return replace(term, head=closures(term.head, fresh), path=path)
        case ast.Array() | ast.SetTerm():
            return replace(term, items=tuple(closures(item, fresh) for item in term.items))
        case ast.Object():
            return replace(term, items=tuple((closures(k, fresh), closures(v, fresh)) for k, v in term.items))
        case ast.Template():
            return replace(term, parts=tuple(p if isinstance(p, str) else closures(p, fresh) for p in term.parts))
        case _:
            return term
