"""Which literal can run when: orders a body so that each variable is bound before it is used."""

from __future__ import annotations

from collections.abc import Iterable

from policy_lang.analysis.resolve import ROOTS, error
from policy_lang.syntax import ast

Names = frozenset[str]
NONE: Names = frozenset()


def children(node: object) -> Iterable[object]:
    """The nodes directly below one."""
    if isinstance(node, tuple):
        yield from node
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            if name not in ("span", "operator", "target"):
                yield getattr(node, name)


CLOSURES = (ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr, ast.Logical)


def variables(node: object) -> Names:
    """All local variables that occur in a node, closures included."""
    if isinstance(node, ast.Var):
        return NONE if node.name in ROOTS or "$" not in node.name else frozenset((node.name,))
    return NONE.union(*(variables(child) for child in children(node)))


def outputs(node: object) -> Names:
    """The variables that evaluating a node can bind: those in the paths of references."""
    if isinstance(node, (*CLOSURES, str)):
        return NONE
    if isinstance(node, ast.Ref):
        own = NONE.union(*(pattern_variables(p) for p in node.path))
        return own | outputs(node.head) | NONE.union(*(outputs(p) for p in node.path))
    return NONE.union(*(outputs(child) for child in children(node)))


def pattern_variables(node: object) -> Names:
    """The variables that matching a value against a pattern binds."""
    match node:
        case ast.Var():
            return variables(node)
        case ast.Array():
            return NONE.union(*(pattern_variables(item) for item in node.items))
        case ast.Object():
            return NONE.union(*(pattern_variables(value) for _, value in node.items))
        case _:
            return NONE


def required(node: object, outer: Names) -> Names:
    """What must be bound before a term can be evaluated; ``outer`` is what closures share with their body."""
    if isinstance(node, CLOSURES):
        return variables(node) & outer
    if isinstance(node, ast.Var):
        return variables(node)
    if isinstance(node, ast.Ref):
        rest = NONE.union(*(required(p, outer) - pattern_variables(p) for p in node.path))
        return required(node.head, outer) | (rest - outputs(node))
    return NONE.union(*(required(child, outer) for child in children(node)))


def runnable(literal: ast.Literal, bound: Names, outer: Names) -> Names | None:
    """What a literal binds where it can run with ``bound``, else None."""
    if any(required(w.value, outer) - bound - outputs(w.value) for w in getattr(literal, "withs", ())):
        return None
    match literal:
        case ast.SomeIn():
            if required(literal.collection, outer) - bound - outputs(literal.collection):
                return None
            binds = pattern_variables(literal.key) | pattern_variables(literal.value) | outputs(literal.collection)
            need = required(literal.value, outer) | required(literal.key, outer)
            return None if need - binds - bound else binds
        case ast.Every():
            need = (variables(literal.domain) | variables(literal.body)) & outer
            need = need - variables(literal.key) - variables(literal.value)
            return None if need - bound else NONE
        case ast.NotBody():
            return None if (variables(literal.body) & outer) - bound else NONE
        case ast.Expr():
            if literal.negated:
                need = frozenset(v for v in variables(literal.term) - bound if not v.startswith("_$"))
                inner = required(literal.term, outer) - outputs(literal.term)
                local = variables(literal.term) - outer
                return None if (need - local) or (inner - bound - local) else NONE
            return _runnable_term(literal.term, bound, outer)
        case _:
            return NONE


def _runnable_term(term: ast.Term, bound: Names, outer: Names) -> Names | None:
    if isinstance(term, ast.Call):
        name = term.operator.name if isinstance(term.operator, ast.Var) else ""
        if name == "eq":
            return _runnable_unification(term.args[0], term.args[1], bound, outer)
        out = outputs(term)
        need = required(term, outer) - bound - out
        if need and term.infix is None and len(term.args) > 1:
            last = pattern_variables(term.args[-1])
            first = NONE.union(*(required(a, outer) for a in term.args[:-1])) - bound - out
            return None if first or need - last else out | last
        return None if need else out
    out = outputs(term)
    return None if required(term, outer) - bound - out else out


def _runnable_unification(left: ast.Term, right: ast.Term, bound: Names, outer: Names) -> Names | None:
    if isinstance(left, ast.Array) and isinstance(right, ast.Array) and len(left.items) == len(right.items):
        pairs = list(zip(left.items, right.items, strict=True))
        binds = NONE
        while pairs:
            done = [(p, b) for p in pairs if (b := _runnable_unification(*p, bound | binds, outer)) is not None]
            if not done:
                return None
            for pair, found in done:
                pairs.remove(pair)
                binds |= found
        return binds
    for value, pattern in ((right, left), (left, right)):
        out = outputs(value) | outputs(pattern)
        if not required(value, outer) - bound - outputs(value):
            binds = pattern_variables(pattern) | out
            if not required(pattern, outer) - bound - binds:
                return binds
    return None


def outside(body: ast.Body, also: Iterable[object]) -> Names:
    """The variables that a body has outside its closures: what closures in it share with it."""

    def open_variables(node: object) -> Names:
        if isinstance(node, CLOSURES):
            return NONE
        if isinstance(node, ast.NotBody):
            return NONE
        if isinstance(node, ast.Every):
            return open_variables(node.domain)
        if isinstance(node, ast.Var):
            return variables(node)
        return NONE.union(*(open_variables(child) for child in children(node)))

    positive = [x for x in body if not (isinstance(x, ast.Expr) and x.negated)]
    return NONE.union(*(open_variables(x) for x in [*positive, *also]))


def order(body: ast.Body, bound: Names, also: Iterable[object] = ()) -> tuple[tuple[ast.Literal, ...], Names]:
    """The literals in an order in which they can run, and what is bound after them.

    Raises DiagnosticError with ``rego_unsafe_var_error`` where there is no such order.
    """
    outer = outside(body, also) | bound
    waiting = list(body)
    done: list[ast.Literal] = []
    while waiting:
        for literal in waiting:
            binds = runnable(literal, bound, outer)
            if binds is not None:
                waiting.remove(literal)
                done.append(literal)
                bound |= binds
                break
        else:
            free = sorted((variables(waiting[0]) - bound) or variables(waiting[0]))
            names = ", ".join(name.split("$")[0] for name in free)
            raise error("rego_unsafe_var_error", f"var {names} is unsafe", waiting[0].span)
    return tuple(done), bound
