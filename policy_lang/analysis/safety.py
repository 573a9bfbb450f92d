"""Which literal can run when: orders a body so that each variable is bound before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from policy_lang.analysis.resolve import ROOTS, ResolvedRule
from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.source import Span
from policy_lang.syntax import ast

Names = frozenset[str]
NONE: Names = frozenset()


LEAVES = frozenset((str, int, bool, type(None), ast.Null, ast.Boolean, ast.Number, ast.String))


class _Fields(dict[type, tuple[str, ...]]):
    def __missing__(self, kind: type) -> tuple[str, ...]:
        every = getattr(kind, "__dataclass_fields__", {})
        found = () if kind in LEAVES else tuple(n for n in every if n not in ("span", "operator", "target"))
        self[kind] = found
        return found


_FIELDS = _Fields()


def children(node: object) -> Iterable[object]:
    """The nodes directly below one."""
    if type(node) is tuple:
        return node
    return [getattr(node, name) for name in _FIELDS[type(node)]]


CLOSURES = (ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr, ast.Logical)
_TERMS = frozenset((ast.Array, ast.SetTerm, ast.Object, ast.Ref, ast.Call))

_Known = dict[int, tuple[object, Names]]
_known: ContextVar[_Known | None] = ContextVar("variables of nodes", default=None)
_outputs: ContextVar[_Known | None] = ContextVar("outputs of nodes", default=None)
_open: ContextVar[_Known | None] = ContextVar("variables of nodes outside closures", default=None)


@contextmanager
def remembered() -> Iterator[None]:
    """Looks for the variables of each node once meanwhile: all that is asked of a body is asked of its parts
    again and again, and most parts of a large one have none."""
    tokens = [(table, table.set({})) for table in (_known, _outputs, _open)]
    try:
        yield
    finally:
        for table, token in tokens:
            table.reset(token)


def _once(table: ContextVar[_Known | None], find: Callable[[Any], Names], node: object) -> Names:
    """What ``find`` answers for a node, asked once while it is ``remembered``."""
    known = table.get()
    if known is None:
        return find(node)
    found = known.get(id(node))
    if found is None:  # the node is kept: no other one gets its id
        found = known[id(node)] = (node, find(node))
    return found[1]


def variables(node: object) -> Names:
    """All local variables that occur in a node, closures included."""
    kind = type(node)
    if kind in LEAVES:
        return NONE
    if isinstance(node, ast.Var):
        return NONE if node.name in ROOTS or "$" not in node.name else frozenset((node.name,))
    return _once(_known, _variables, node)


def _variables(node: object) -> Names:
    return NONE.union(*[variables(child) for child in children(node)])


def outputs(node: object) -> Names:
    """The variables that evaluating a node can bind: those in the paths of references."""
    if isinstance(node, CLOSURES) or not variables(node):
        return NONE
    return _once(_outputs, _find_outputs, node)


def _find_outputs(node: object) -> Names:
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
    if not variables(node):
        return NONE
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
    for changed in getattr(literal, "withs", ()):
        if required(changed.value, outer) - bound - outputs(changed.value):
            return None
        if isinstance(changed.target, ast.Ref) and variables(changed.target.path) - bound:
            return None
    match literal:
        case ast.SomeIn():
            if required(literal.collection, outer) - bound - outputs(literal.collection):
                return None
            binds = pattern_variables(literal.key) | pattern_variables(literal.value) | outputs(literal.collection)
            need = required(literal.value, outer) | required(literal.key, outer)
            return None if need - binds - bound else binds
        case ast.Every():
            binds = outputs(literal.domain)
            need = required(literal.domain, outer) | (variables(literal.body) & outer)
            need = need - variables(literal.key) - variables(literal.value)
            return None if need - bound - binds else binds
        case ast.NotBody():
            return None if (variables(literal.body) & outer) - bound else NONE
        case ast.Expr():
            if literal.negated:
                return None if variables(literal.term) & outer - bound else NONE
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
        return None if need or not _calls_run(term, bound, outer) else out
    out = outputs(term)
    return None if required(term, outer) - bound - out else out


def _calls_run(term: ast.Term, bound: Names, outer: Names) -> bool:
    """Whether the calls inside a term can run before it: what only the term's own references bind comes too late
    for them, as in `input.xs[i] > f(i)`."""
    waiting = list(_calls_inside(term)) if variables(term) else []
    while waiting:
        for call in waiting:
            if not any(inner in waiting for inner in _calls_inside(call)):
                own = outputs(_without_calls(call.args))
                if not required(_without_calls(call.args), outer) - bound - own:
                    bound |= own
                    waiting.remove(call)
                    break
        else:
            return False
    return True


def _calls_inside(node: object) -> Iterable[ast.Call]:
    """The calls below a node, without those in closures."""
    for child in () if isinstance(node, CLOSURES) else children(node):
        if isinstance(child, ast.Call):
            yield child
        if not isinstance(child, (*CLOSURES, str)):
            yield from _calls_inside(child)


def _without_calls(args: tuple[ast.Term, ...]) -> tuple[object, ...]:
    """Terms with nothing in the place of the calls in them."""

    def strip(node: object) -> object:
        if isinstance(node, ast.Call):
            return ()
        if isinstance(node, tuple):
            return tuple(strip(item) for item in node)
        if isinstance(node, ast.Ref) and any(True for _ in _calls_inside(node)):
            return (strip(node.head), strip(node.path))
        if isinstance(node, ast.Array | ast.SetTerm | ast.Object):
            return strip(node.items)
        return node

    return tuple(strip(arg) for arg in args)


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
        if not required(value, outer) - bound - outputs(value) and _calls_run(value, bound, outer):
            binds = pattern_variables(pattern) | out
            if not required(pattern, outer) - bound - binds:
                return binds
    return None


def outside(body: ast.Body, also: Iterable[object]) -> Names:
    """The variables that a body has outside its closures: what closures in it share with it."""

    return NONE.union(*(_once(_open, _open_variables, x) for x in [*body, *also]))


def _open_variables(node: object) -> Names:
    if isinstance(node, CLOSURES) or (type(node) in _TERMS and not variables(node)):
        return NONE
    if isinstance(node, ast.NotBody) and node.braced:
        return NONE
    if isinstance(node, ast.Every):
        return _open_variables(node.domain)
    if isinstance(node, ast.Var):
        return variables(node)
    if isinstance(node, ast.With) and isinstance(node.target, ast.Ref):
        return _open_variables(node.value) | _open_variables(node.target.path)
    return NONE.union(*(_open_variables(child) for child in children(node)))


def arrange(body: ast.Body, bound: Names, outer: Names) -> tuple[list[ast.Literal], list[ast.Literal], Names]:
    """The literals that can run, in such an order; those that cannot; and what is bound after the first."""
    waiting = list(body)
    done: list[ast.Literal] = []
    progress = True
    while waiting and progress:
        progress = False
        for index, literal in enumerate(waiting):
            binds = runnable(literal, bound, outer)
            if binds is not None:
                del waiting[index]
                done.append(literal)
                bound |= binds
                progress = True
                break
    return done, waiting, bound


def order(body: ast.Body, bound: Names, also: Iterable[object] = ()) -> tuple[tuple[ast.Literal, ...], Names]:
    """The literals in an order in which they can run, and what is bound after them.

    Raises DiagnosticError with ``rego_unsafe_var_error`` where there is no such order.
    """
    outer = outside(body, also) | bound
    done, waiting, bound = arrange(body, bound, outer)
    if waiting:
        raise DiagnosticError(*map(_unsafe, _causes(waiting, bound, outer)))
    return tuple(done), bound


# --------------------------------------------------------------------------- checks


def check_safety(rules: Iterable[ResolvedRule]) -> tuple[Diagnostic, ...]:
    """Every variable that nothing binds (``rego_unsafe_var_error``), in heads, bodies and closures; in
    ``print`` and in templates such a variable counts as undeclared (``rego_compile_error``)."""
    found: dict[tuple[Span | None, str], Diagnostic] = {}
    for rule in rules:
        args = NONE.union(*(variables(arg) for arg in rule.args))
        for branch in rule.branches:
            for one in _check_body(branch.body, args, (branch.value, *rule.keys)):
                found.setdefault((one.span, one.message), one)
    return _first_stage(found.values())


def check_body(body: ast.Body) -> tuple[Diagnostic, ...]:
    """The same for a query."""
    return _first_stage(_check_body(body, NONE, ()))


def _first_stage(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """OPA looks for undeclared variables before it looks for unsafe ones."""
    every = tuple(found)
    return tuple(one for one in every if one.code == "rego_compile_error") or every


def _check_body(body: ast.Body, bound: Names, results: tuple[object, ...]) -> Iterable[Diagnostic]:
    outer = outside(body, results) | bound
    done, waiting, bound_after = arrange(body, bound, outer)
    yield from map(_unsafe, _causes(waiting, bound_after, outer))
    for literal in waiting:
        yield from _check_closures(literal, bound_after, outer)
    before = bound
    for literal in done:
        yield from _check_closures(literal, before, outer)
        before |= runnable(literal, before, outer) or NONE
    if waiting:
        return
    out = NONE.union(*(outputs(result) for result in results))
    for result in results:
        missing = required(result, outer) - bound_after - out
        yield from (_unsafe(var) for var in _vars(result) if var.name in missing)
        yield from _check_closures(result, bound_after | out, outer)


def _check_closures(node: object, bound: Names, outer: Names) -> Iterable[Diagnostic]:
    match node:
        case ast.ArrayCompr() | ast.SetCompr():
            yield from _check_body(node.body, bound, (node.term,))
        case ast.ObjectCompr():
            yield from _check_body(node.body, bound, (node.key, node.value))
        case ast.Logical():
            yield from _check_body(node.left, bound, ())
            yield from _check_body(node.right, bound, ())
        case ast.NotBody():
            yield from _check_body(node.body, bound, ())
        case ast.Every():
            yield from _check_closures(node.domain, bound, outer)
            inner = bound | outputs(node.domain) | variables(node.key) | variables(node.value)
            yield from _check_body(node.body, inner, ())
        case ast.Expr() if not node.negated:
            bound |= runnable(node, bound, outer) or NONE
            yield from _check_closures(node.term, bound, outer)
        case ast.Call(operator=ast.Var(name="internal.print")):
            yield from (_undeclared(var) for var in _vars(node) if _is_open(var, node) and var.name not in bound)
        case ast.Template():
            for part in node.parts:
                if not isinstance(part, ast.Var):
                    yield from (_undeclared(v) for v in _open_vars(part) if v.name not in bound)
                yield from _check_closures(part, bound, outer)
        case _:
            for child in children(node):
                yield from _check_closures(child, bound, outer)


def _is_open(var: ast.Var, node: ast.Call) -> bool:
    """True where a variable is not one that ``print`` made for its operand."""
    return not var.name.startswith("__print$") and var in set(_open_vars(node, inside=1))


def _open_vars(node: object, inside: int = 0) -> Iterable[ast.Var]:
    """The variables outside of closures; ``inside`` levels of set comprehensions are looked into."""
    if isinstance(node, ast.SetCompr) and inside:
        for literal in node.body:
            yield from _open_vars(literal, inside - 1)
    elif isinstance(node, CLOSURES):
        return
    elif isinstance(node, ast.Var):
        if variables(node):
            yield node
    else:
        for child in children(node):
            yield from _open_vars(child, inside)


def _vars(node: object) -> Iterable[ast.Var]:
    if isinstance(node, ast.Var):
        if variables(node):
            yield node
    else:
        for child in children(node):
            yield from _vars(child)


def _causes(waiting: list[ast.Literal], bound: Names, outer: Names) -> list[ast.Var]:
    """The variables to blame: not those that a literal would bind if it could run."""
    free = {literal: _free(literal, bound, outer) for literal in waiting}
    found = [var for many in free.values() for var in many]

    def bindable(name: str) -> bool:
        others = bound.union(*(frozenset(v.name for v in many) for many in free.values())) - {name}
        return any(name in (runnable(literal, others, outer) or NONE) for literal in waiting)

    return [var for var in found if not bindable(var.name)] or found


def _free(literal: ast.Literal, bound: Names, outer: Names) -> list[ast.Var]:
    """The first place of each variable that keeps a literal from running."""
    found: dict[str, ast.Var] = {}
    targets = [w.target.path for w in getattr(literal, "withs", ()) if isinstance(w.target, ast.Ref)]
    for var in (*_vars(literal), *_vars(tuple(targets))):
        if var.name in outer and var.name not in bound:
            found.setdefault(var.name, var)
    return list(found.values()) or list(_vars(literal))[:1]


def _unsafe(var: ast.Var) -> Diagnostic:
    name = var.name.split("$")[0]
    hint = "" if name == "_" else f"give `{name}` a value in a positive literal of the same body"
    return Diagnostic("rego_unsafe_var_error", f"var {name} is unsafe", var.span, hint=hint)


def _undeclared(var: ast.Var) -> Diagnostic:
    return Diagnostic("rego_compile_error", f"var {var.name.split('$')[0]} is undeclared", var.span)
