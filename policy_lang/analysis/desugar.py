"""The policy layer as plain Rego: `policy` and `param` become rules of the same package.

A policy gives `violation contains {id, name, severity, message, hint, at, subject}` (and `fix` where it
has one) and `subjects.<name> contains [key, …]` with the keys of its loops; a parameter gives
`params.<name>`, which takes its value from `data.floec.params["<package>"]` where that is set. `at` is a
path into `input`, built from the keys of the loops, so that it needs nothing but Rego and is the same
under a stock OPA.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity, blocking
from policy_lang.params import literal_fits, type_problem, type_text
from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.walk import walk

Path = tuple[ast.Term, ...]
Paths = dict[str, Path]


def desugar(module: ast.Module, *, strict: bool = False) -> Outcome[ast.Module]:
    """The module without policies and params, their rules added; tests stay for the test runner.

    ``strict``: such that strict mode finds unused only what the policy itself leaves unused. Where it is not asked
    for, the rules of a policy begin with the same literals, so that they can share them.
    """
    found = tuple(_check(module))
    if blocking(found):
        return Outcome(None, found)
    rules = [_param_rule(module.package, param) for param in module.params]
    for policy in module.policies:
        found_by, *beside = policy_rules(policy)
        rules += [found_by, *(map(_without_unused, beside) if strict else beside)]
    made = replace(module, rules=module.rules + tuple(rules), policies=(), params=(), declared=module.params)
    return Outcome(made, found)


# --------------------------------------------------------------------------- checks


def _check(module: ast.Module) -> Iterable[Diagnostic]:
    yield from _repeated("policy", [(policy.name, policy.span) for policy in module.policies])
    yield from _repeated("policy id", [(policy.id, policy.span) for policy in module.policies])
    yield from _repeated("param", [(param.name, param.span) for param in module.params])
    for policy in module.policies:
        if policy.severity not in set(Severity):
            text = f"severity of policy {policy.name} is {policy.severity}: it is one of block, warn, notify"
            yield Diagnostic("floe_severity_error", text, policy.span)
        yield from _check_fix(policy)
    for param in module.params:
        if problem := type_problem(param.type):
            yield Diagnostic("floe_param_type_error", problem, param.type.span)
        elif not literal_fits(param.default, param.type):
            text = f"the default of param {param.name} is not of its type {type_text(param.type)}"
            yield Diagnostic("floe_param_type_error", text, param.default.span)


_MADE = ("violation", "subjects", "params")


def check_together(modules: Sequence[ast.Module]) -> Iterable[Diagnostic]:
    """What is wrong with modules beside each other: one policy or param twice, rules where policies put theirs."""
    yield from _repeated("policy id", [(p.id, p.span) for module in modules for p in module.policies], across=True)
    packages: dict[tuple[str, ...], list[ast.Module]] = {}
    for module in modules:
        packages.setdefault(module.package.path, []).append(module)
    for package, own in packages.items():
        policies = [(f"{'.'.join(package)}.{p.name}", p.span) for module in own for p in module.policies]
        params = [(f"{'.'.join(package)}.{p.name}", p.span) for module in own for p in module.params]
        yield from _repeated("policy", policies, across=True)
        yield from _repeated("param", params, across=True)
        taken = [(*package, name) for name in (_MADE[:2] if policies else ()) + (_MADE[2:] if params else ())]
        yield from (problem for module in modules for problem in _intruders(module, taken))


def _intruders(module: ast.Module, taken: Sequence[tuple[str, ...]]) -> Iterable[Diagnostic]:
    """The rules of a module, as written, that define a document of the policy layer, or a part of one."""
    for rule in module.rules:
        ref = rule.head.ref
        head = ref.head.name if isinstance(ref.head, ast.Var) else ""
        constant = itertools.takewhile(lambda part: isinstance(part, ast.String), ref.path)
        path = (*module.package.path, head, *(part.value for part in constant if isinstance(part, ast.String)))
        for place in taken:
            if path[: len(place)] == place[: len(path)]:
                text = f"`{'.'.join(place)}` is what the policies and params of its package give: no rule may define it"
                yield Diagnostic("floe_duplicate_error", text, rule.head.span)
                break


def _check_fix(policy: ast.Policy) -> Iterable[Diagnostic]:
    if policy.fix is None:
        return
    paths = _scope(policy).paths
    if policy.polarity == "forbid":
        _, paths = _keyed(policy.body, paths)
    if not path_of(policy.fix.path, paths):
        text = "`fix` edits a place in the input: a loop's variable, or what is below it"
        yield Diagnostic("floe_fix_error", text, policy.fix.path.span)


def _repeated(kind: str, names: Sequence[tuple[str, Span]], *, across: bool = False) -> Iterable[Diagnostic]:
    """Names that are declared twice; ``across`` files only, because ``desugar`` has looked at each file."""
    seen: dict[str, Span] = {}
    for name, span in names:
        if name in seen and not (across and seen[name].file == span.file):
            related = (Label(seen[name], "first declared here"),)
            yield Diagnostic("floe_duplicate_error", f"{kind} {name} is declared twice", span, related=related)
        seen.setdefault(name, span)


# --------------------------------------------------------------------------- params


def _param_rule(package: ast.Package, param: ast.Param) -> ast.Rule:
    """``params.x := given if { given := data.floec… } else := default``."""
    span = param.span
    where = tuple(_text(part, span) for part in ("floec", "params", ".".join(package.path), param.name))
    given = _var("given", span)
    body: ast.Body = (_assign(given, ast.Ref(_var("data", span), where, span=span)),)
    value: ast.Term = given
    if param.type.name == "set":
        # JSON has no sets: what the manifest sets is an array.
        item = _var("item", span)
        value = ast.SetCompr(item, (ast.SomeIn(None, item, given, span=span),), span=span)
    ref = ast.Ref(_var("params", span), (_text(param.name, span),), span=span)
    head = ast.Head(ref, value=value, assign=":=", span=span)
    return ast.Rule(head, body, (ast.Else(param.default, (), span=span),), span=span)


# --------------------------------------------------------------------------- policies


@dataclass(frozen=True, slots=True)
class _Scope:
    """The loops of a policy as literals.

    ``lets`` are the definitions after the last ``for`` and ``when``; ``paths`` holds the path of each
    variable, ``loops`` the loops' plain variables, ``keys`` what tells one subject from another.
    """

    body: ast.Body
    lets: tuple[ast.Let, ...]
    paths: Paths
    loops: tuple[str, ...]
    keys: Path
    here: Path


_COLLECTED = (ast.ArrayCompr, ast.SetCompr)
"""What has a value whatever its body comes to: nobody has to look whether it has one."""


def policy_rules(policy: ast.Policy) -> list[ast.Rule]:
    """The rule of its violations, those of its definitions without a value, and last the one of its subjects."""
    scope = _scope(policy)
    span = policy.span
    bound = tuple(_assign(let.name, let.value) for let in scope.lets)
    paths = scope.paths
    if policy.polarity == "require":
        # A definition that fails must not let the subject pass: it is a violation of its own.
        unsure = [number for number, let in enumerate(scope.lets) if not isinstance(let.value, _COLLECTED)]
        undefined = [_undefined(policy, scope, number) for number in unsure]
        body = (*scope.body, *bound, ast.NotBody(policy.body, span=policy.body[0].span.to(policy.body[-1].span)))
    else:
        undefined = []
        literals, paths = _keyed(policy.body, paths)
        body = (*scope.body, *bound, *literals)
    record = _record(policy, scope, _texts(policy), _place(policy, scope, paths), _fix(policy, paths))
    place = ast.Ref(_var("subjects", span), (_text(policy.name, span),), span=span)
    subject = ast.Head(place, key=ast.Array(scope.keys, span=span), span=span)
    holds: ast.Body = (ast.Expr(ast.Boolean(True, span=span), span=span),)
    return [_violation(record, body, span), *undefined, ast.Rule(subject, scope.body or holds, span=span)]


def _without_unused(rule: ast.Rule) -> ast.Rule:
    """The rule with `_ = value` for each `let` that only the violation needs: it must have a value still."""
    body: list[ast.Literal] = []
    later: set[str] = {node.name for node in walk(rule.head) if isinstance(node, ast.Var)}
    for literal in reversed(rule.body):
        call = literal.term if isinstance(literal, ast.Expr) else None
        name = call.args[0] if isinstance(call, ast.Call) and call.infix == ":=" else None
        if isinstance(call, ast.Call) and isinstance(name, ast.Var) and name.name not in later:
            literal = _has_value(call.args[1], literal.span)
        later |= {node.name for node in walk(literal) if isinstance(node, ast.Var)}
        body.insert(0, literal)
    return replace(rule, body=tuple(body))


def _has_value(value: ast.Term, span: Span) -> ast.Expr:
    return ast.Expr(ast.Call(_var("eq", span), (_var("_", span), value), infix="=", span=span), span=span)


def _violation(record: ast.Object, body: ast.Body, span: Span) -> ast.Rule:
    return ast.Rule(ast.Head(ast.Ref(_var("violation", span), (), span=span), key=record, span=span), body, span=span)


def _undefined(policy: ast.Policy, scope: _Scope, number: int) -> ast.Rule:
    """The violation of a `require` whose definition ``number`` has no value."""
    span = policy.span
    before = tuple(_assign(let.name, let.value) for let in scope.lets[:number])
    let = scope.lets[number]
    failing = ast.NotBody((_has_value(let.value, let.span),), span=let.span)
    text = f"{policy.title}: `{let.name.name}` has no value"
    place = ast.Array(scope.here, span=span)
    none = ast.Array((), span=span)
    record = _record(policy, scope, (_text(text, span), _text("", span)), place, none)
    return _violation(record, (*scope.body, *before, failing), let.span)


def _scope(policy: ast.Policy) -> _Scope:
    body: list[ast.Literal] = []
    paths: Paths = {"input": ()}
    loops: list[str] = []
    keys: list[ast.Term] = []
    here: Path = ()
    last = max((n for n, clause in enumerate(policy.scope) if not isinstance(clause, ast.Let)), default=-1)
    for number, clause in enumerate(policy.scope):
        if isinstance(clause, ast.For):
            key = clause.key if clause.key and clause.key.name != "_" else _var(f"__key{number}", clause.span)
            collection, wildcards = _named_wildcards(clause.collection, f"__any{number}_")
            keys += [*wildcards, key]
            base = path_of(collection, paths)
            if base is not None:
                here = (*base, key)
            if isinstance(clause.value, ast.Var) and base is not None:
                paths[clause.value.name] = here
            if isinstance(clause.value, ast.Var):
                loops.append(clause.value.name)
            body.append(ast.SomeIn(key, clause.value, collection, span=clause.span))
        elif isinstance(clause, ast.When):
            body += clause.body
        else:
            base = path_of(clause.value, paths)
            if base is not None:
                paths[clause.name.name] = base
            if number < last:
                body.append(_assign(clause.name, clause.value))
    lets = tuple(clause for clause in policy.scope[last + 1 :] if isinstance(clause, ast.Let))
    return _Scope(tuple(body), lets, paths, tuple(loops), tuple(keys), here)


def _named_wildcards(term: ast.Term, prefix: str) -> tuple[ast.Term, list[ast.Term]]:
    """``xs[_].ys`` with a name for each ``_``, so that a path can be made of them."""
    if not isinstance(term, ast.Ref):
        return term, []
    names: list[ast.Term] = []
    path: list[ast.Term] = []
    for part in term.path:
        if isinstance(part, ast.Var) and part.name == "_":
            part = _var(f"{prefix}{len(names)}", part.span)
            names.append(part)
        path.append(part)
    return replace(term, path=tuple(path)), names


def _keyed(body: ast.Body, paths: Paths) -> tuple[ast.Body, Paths]:
    """Gives each `some x in xs` of a `forbid` a key, so that `at` can point to x."""
    found = dict(paths)
    literals: list[ast.Literal] = []
    for number, literal in enumerate(body):
        if isinstance(literal, ast.SomeIn) and isinstance(literal.value, ast.Var):
            collection, _ = _named_wildcards(literal.collection, f"__some{number}_")
            base = path_of(collection, found)
            if base is not None and (literal.key is None or isinstance(literal.key, ast.Var)):
                named = isinstance(literal.key, ast.Var) and literal.key.name != "_"
                key = literal.key if named and literal.key else _var(f"__found{number}", literal.span)
                found[literal.value.name] = (*base, key)
                literal = replace(literal, key=key, collection=collection)
        literals.append(literal)
    return tuple(literals), found


def path_of(term: ast.Term, paths: Paths) -> Path | None:
    """The path into the input that a term names, where ``paths`` holds those of variables; None where it names none."""
    if isinstance(term, ast.Var):
        return paths.get(term.name)
    if isinstance(term, ast.Ref) and isinstance(term.head, ast.Var) and term.head.name in paths:
        return (*paths[term.head.name], *term.path)
    return None


# --------------------------------------------------------------------------- the record of a violation


def _record(
    policy: ast.Policy, scope: _Scope, texts: tuple[ast.Term, ast.Term], at: ast.Term, fix: ast.Term
) -> ast.Object:
    span = policy.span
    fields: list[tuple[str, ast.Term]] = [
        ("id", _text(policy.id, span)),
        ("name", _text(policy.name, span)),
        ("severity", _text(policy.severity, span)),
        ("message", texts[0]),
        ("hint", texts[1]),
        ("at", at),
        ("subject", _subject(scope, span)),
    ]
    if policy.fix is not None:
        fields.append(("fix", fix))
    return ast.Object(tuple((_text(name, span), value) for name, value in fields), span=span)


def _texts(policy: ast.Policy) -> tuple[ast.Term, ast.Term]:
    hint = _text("", policy.span) if policy.hint is None else _words(policy.hint, "")
    return _words(policy.message, policy.title), hint


def _words(term: ast.Term, fallback: str) -> ast.Term:
    """A text of a term: of any other value as a template shows it, of an undefined one the fallback."""
    if isinstance(term, ast.String | ast.Template):
        return term
    return ast.Template((_always(term, _text(fallback, term.span)),), span=term.span)


def _place(policy: ast.Policy, scope: _Scope, paths: Paths) -> ast.Term:
    span = policy.span
    here = ast.Array(scope.here, span=span)
    path = path_of(policy.at, paths) if policy.at is not None else None
    if path is None:
        return here
    at = ast.Array(path, span=span)
    return at if all(isinstance(part, ast.String | ast.Number | ast.Var) for part in path) else _always(at, here)


def _fix(policy: ast.Policy, paths: Paths) -> ast.Term:
    """`[{action, path, value}]`, empty where a part of the edit is undefined: the violation stays."""
    fix = policy.fix
    span = policy.span if fix is None else fix.span
    if fix is None:
        return ast.Array((), span=span)
    path = path_of(fix.path, paths)
    assert path is not None, "checked before"
    edit, value = _var("__edit", span), fix.value or ast.Null(span=span)
    fields = (("action", _text(fix.action, span)), ("path", ast.Array(path, span=span)), ("value", value))
    made = ast.Object(tuple((_text(name, span), field) for name, field in fields), span=span)
    return ast.ArrayCompr(edit, (_assign(edit, made),), span=span)


def _always(term: ast.Term, fallback: ast.Term) -> ast.Term:
    """The term, or the fallback where it is undefined: no part may make a violation vanish."""
    span = term.span
    value = _var("__value", span)
    found = ast.ArrayCompr(value, (_assign(value, term),), span=span)
    both = _call("array.concat", (found, ast.Array((fallback,), span=span)), span)
    return ast.Ref(both, (ast.Number("0", span=span),), span=span)


def _subject(scope: _Scope, span: Span) -> ast.Term:
    """`model orders column id`: each loop's variable and its `name` where it has one."""
    result: ast.Term = ast.Array((), span=span)
    # Beside the subject stands an object with a name, so that no type check refuses `.name` of a string.
    named = ast.Object(((_text("name", span), ast.Null(span=span)),), span=span)
    for loop in scope.loops:
        name, either = _var("__name", span), _var("__of", span)
        one = ast.SomeIn(None, either, ast.Array((_var(loop, span), named), span=span), span=span)
        found = _assign(name, ast.Ref(either, (_text("name", span),), span=span))
        check = ast.Expr(_call("is_string", (name,), span), span=span)
        names = ast.ArrayCompr(name, (one, found, check), span=span)
        words = _call("array.concat", (ast.Array((_text(loop, span),), span=span), names), span)
        result = _call("array.concat", (result, words), span)
    return _call("concat", (_text(" ", span), result), span)


def _assign(name: ast.Var, value: ast.Term) -> ast.Expr:
    span = value.span
    return ast.Expr(ast.Call(_var("assign", span), (name, value), infix=":=", span=span), span=span)


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
