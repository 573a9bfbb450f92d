"""The policy layer as plain Rego: `policy` and `param` become rules of the same package.

A policy gives `violation contains {id, name, severity, message, hint, at, subject}` and
`subjects.<name> contains path`; a parameter gives `params.<name>`, which takes its value from
`data.floec.params["<package>"]` where that is set. `at` is a path into `input`, built from the keys
of the loops, so that it needs nothing but Rego and is the same under a stock OPA.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.source import Span
from policy_lang.syntax import ast

Path = tuple[ast.Term, ...]
Paths = dict[str, Path]

_LITERAL_TYPES = {
    "null": ast.Null,
    "boolean": ast.Boolean,
    "number": ast.Number,
    "string": ast.String | ast.Template,
    "array": ast.Array,
    "set": ast.SetTerm,
    "object": ast.Object,
}


def desugar(module: ast.Module) -> Outcome[ast.Module]:
    """The module without policies and params, their rules added; tests stay for the test runner."""
    found = tuple(_check(module))
    if blocking(found):
        return Outcome(None, found)
    rules = [_param_rule(module.package, param) for param in module.params]
    for policy in module.policies:
        rules += _policy_rules(policy)
    return Outcome(replace(module, rules=module.rules + tuple(rules), policies=(), params=()), found)


# --------------------------------------------------------------------------- checks


def _check(module: ast.Module) -> Iterable[Diagnostic]:
    yield from _repeated("policy", [(policy.name, policy.span) for policy in module.policies])
    yield from _repeated("policy id", [(policy.id, policy.span) for policy in module.policies])
    yield from _repeated("param", [(param.name, param.span) for param in module.params])
    for policy in module.policies:
        if policy.severity not in set(Severity):
            text = f"severity of policy {policy.name} is {policy.severity}: it is one of block, warn, notify"
            yield Diagnostic("floe_severity_error", text, policy.span)
    for param in module.params:
        if not _fits(param.default, param.type):
            text = f"the default of param {param.name} is not of its type {_type_text(param.type)}"
            yield Diagnostic("floe_param_type_error", text, param.default.span)


def _repeated(kind: str, names: list[tuple[str, Span]]) -> Iterable[Diagnostic]:
    seen: set[str] = set()
    for name, span in names:
        if name in seen:
            yield Diagnostic("floe_duplicate_error", f"{kind} {name} is declared twice", span)
        seen.add(name)


def _fits(term: ast.Term, expected: ast.TypeExpr) -> bool:
    """Whether a literal is of a type; what only evaluation can tell counts as fitting."""
    if expected.name == "any":
        return True
    if expected.name == "union":
        return any(_fits(term, option) for option in expected.args)
    if isinstance(term, ast.Var | ast.Ref | ast.Call | ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr):
        return True
    kind = _LITERAL_TYPES.get(expected.name)
    if kind is None or not isinstance(term, kind):
        return False
    if isinstance(term, ast.Array | ast.SetTerm) and expected.args:
        return all(_fits(item, expected.args[0]) for item in term.items)
    if isinstance(term, ast.Object) and len(expected.args) == 2:
        return all(_fits(key, expected.args[0]) and _fits(value, expected.args[1]) for key, value in term.items)
    return True


def _type_text(expr: ast.TypeExpr) -> str:
    inner = [_type_text(arg) for arg in expr.args]
    if expr.name == "union":
        return " | ".join(inner)
    return f"{expr.name}[{', '.join(inner)}]" if inner else expr.name


# --------------------------------------------------------------------------- params


def _param_rule(package: ast.Package, param: ast.Param) -> ast.Rule:
    span = param.span
    where = tuple(_text(part, span) for part in ("floec", "params", ".".join(package.path), param.name))
    given = ast.Ref(_var("data", span), where, span=span)
    ref = ast.Ref(_var("params", span), (_text(param.name, span),), span=span)
    head = ast.Head(ref, value=given, assign=":=", span=span)
    return ast.Rule(head, elses=(ast.Else(param.default, (), span=span),), span=span)


# --------------------------------------------------------------------------- policies


@dataclass(frozen=True, slots=True)
class _Scope:
    """The loops of a policy as literals, the path of each variable, and the loops' plain variables."""

    body: ast.Body
    paths: Paths
    loops: tuple[str, ...]
    here: Path


def _policy_rules(policy: ast.Policy) -> list[ast.Rule]:
    scope = _scope(policy)
    body = scope.body
    paths = scope.paths
    if policy.polarity == "require":
        body += (ast.NotBody(policy.body, span=policy.span),)
    else:
        literals, paths = _keyed(policy.body, paths)
        body += literals
    span = policy.span
    violation = ast.Head(ast.Ref(_var("violation", span), (), span=span), key=_record(policy, scope, paths), span=span)
    counted = ast.Ref(_var("subjects", span), (_text(policy.name, span),), span=span)
    subject = ast.Head(counted, key=ast.Array(scope.here, span=span), span=span)
    holds: ast.Body = (ast.Expr(ast.Boolean(True, span=span), span=span),)
    return [ast.Rule(violation, body, span=span), ast.Rule(subject, scope.body or holds, span=span)]


def _scope(policy: ast.Policy) -> _Scope:
    body: list[ast.Literal] = []
    paths: Paths = {"input": ()}
    loops: list[str] = []
    here: Path = ()
    for number, clause in enumerate(policy.scope):
        if isinstance(clause, ast.For):
            key = clause.key if clause.key and clause.key.name != "_" else _var(f"__key{number}", clause.span)
            base = _path_of(clause.collection, paths)
            if base is not None:
                here = (*base, key)
            if isinstance(clause.value, ast.Var) and base is not None:
                paths[clause.value.name] = here
            if isinstance(clause.value, ast.Var):
                loops.append(clause.value.name)
            body.append(ast.SomeIn(key, clause.value, clause.collection, span=clause.span))
        elif isinstance(clause, ast.When):
            body += clause.body
        else:
            base = _path_of(clause.value, paths)
            if base is not None:
                paths[clause.name.name] = base
            assign = ast.Call(_var("assign", clause.span), (clause.name, clause.value), infix=":=", span=clause.span)
            body.append(ast.Expr(assign, span=clause.span))
    return _Scope(tuple(body), paths, tuple(loops), here)


def _keyed(body: ast.Body, paths: Paths) -> tuple[ast.Body, Paths]:
    """Gives each `some x in xs` of a `forbid` a key, so that `at` can point to x."""
    found = dict(paths)
    literals: list[ast.Literal] = []
    for number, literal in enumerate(body):
        if isinstance(literal, ast.SomeIn) and isinstance(literal.value, ast.Var):
            base = _path_of(literal.collection, found)
            if base is not None and (literal.key is None or isinstance(literal.key, ast.Var)):
                named = isinstance(literal.key, ast.Var) and literal.key.name != "_"
                key = literal.key if named and literal.key else _var(f"__found{number}", literal.span)
                found[literal.value.name] = (*base, key)
                literal = replace(literal, key=key)
        literals.append(literal)
    return tuple(literals), found


def _path_of(term: ast.Term, paths: Paths) -> Path | None:
    if isinstance(term, ast.Var):
        return paths.get(term.name)
    if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name in paths:
        return (*paths[term.head.name], *term.path)
    return None


def _record(policy: ast.Policy, scope: _Scope, paths: Paths) -> ast.Object:
    span = policy.span
    at = _path_of(policy.at, paths) if policy.at is not None else None
    hint = _always(policy.hint, "") if policy.hint is not None else _text("", span)
    fields: list[tuple[str, ast.Term]] = [
        ("id", _text(policy.id, span)),
        ("name", _text(policy.name, span)),
        ("severity", _text(policy.severity, span)),
        ("message", _always(policy.message, policy.title)),
        ("hint", hint),
        ("at", ast.Array(scope.here if at is None else at, span=span)),
        ("subject", _subject(scope, span)),
    ]
    return ast.Object(tuple((_text(name, span), value) for name, value in fields), span=span)


def _always(term: ast.Term, fallback: str) -> ast.Term:
    """The term, or the fallback where it is undefined: a text must never make a violation vanish."""
    span = term.span
    if isinstance(term, ast.String | ast.Template):
        return term
    value = _var("__text", span)
    bind = ast.Call(_var("assign", span), (value, term), infix=":=", span=span)
    found = ast.ArrayCompr(value, (ast.Expr(bind, span=span),), span=span)
    both = _call("array.concat", (found, ast.Array((_text(fallback, span),), span=span)), span)
    return ast.Ref(both, (ast.Number("0", span=span),), span=span)


def _subject(scope: _Scope, span: Span) -> ast.Term:
    """`model orders column id`: each loop's variable and its `name` where it has one."""
    result: ast.Term = ast.Array((), span=span)
    for loop in scope.loops:
        name = _var("__name", span)
        source = ast.Ref(_var(loop, span), (_text("name", span),), span=span)
        bind = ast.Call(_var("assign", span), (name, source), infix=":=", span=span)
        check = _call("is_string", (name,), span)
        names = ast.ArrayCompr(name, (ast.Expr(bind, span=span), ast.Expr(check, span=span)), span=span)
        words = _call("array.concat", (ast.Array((_text(loop, span),), span=span), names), span)
        result = _call("array.concat", (result, words), span)
    return _call("concat", (_text(" ", span), result), span)


def _call(name: str, args: tuple[ast.Term, ...], span: Span) -> ast.Call:
    head, *rest = name.split(".")
    operator: ast.Var | ast.Ref = _var(head, span)
    if rest:
        operator = ast.Ref(_var(head, span), tuple(_text(part, span) for part in rest), span=span)
    return ast.Call(operator, args, span=span)


def _var(name: str, span: Span) -> ast.Var:
    return ast.Var(name, span=span)


def _text(value: str, span: Span) -> ast.String:
    return ast.String(value, span=span)
