"""Names to what they mean: imports, rules of the package, locals with names unique in the program.

After this stage a Var is a local (``name$number``), ``input`` or ``data``; a call's operator is a Ref
into ``data`` for functions of the program and a Var with the dotted name for builtins.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from policy_lang.analysis.annotations import collect
from policy_lang.analysis.hoist import hoist_calls
from policy_lang.analysis.object_keys import in_order
from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.runtime.builtins.declarations import declaration
from policy_lang.source import Span, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.describe import describe, kind_of

Path = tuple[str, ...]
ROOTS = frozenset(("input", "data"))


@dataclass(frozen=True, slots=True)
class Branch:
    """One body with the value that it gives; an ``else`` is a further branch."""

    value: ast.Term
    body: ast.Body


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """``path`` is the constant part of the place below ``data``, ``keys`` what follows it."""

    path: Path
    keys: tuple[ast.Term, ...]
    kind: str
    args: tuple[ast.Term, ...]
    branches: tuple[Branch, ...]
    default: bool
    span: Span


@dataclass(slots=True)
class Local:
    """A name in a scope: its unique form, how it came there (seen, assigned, declared, arg), where, and whether
    anything uses it."""

    unique: str
    kind: str
    span: Span
    used: bool = False


_TWICE = {
    "seen": "var {} referenced above",
    "assigned": "var {} assigned above",
    "declared": "var {} declared above",
    "some": "var {} declared above",
    "arg": "arg {} redeclared",
}


@dataclass(slots=True)
class Resolver:
    """Resolves the rules of one module, or a query inside a package.

    ``open`` holds the names that no scope declares: each is one variable through the whole rule, closures
    included. ``found`` collects what is wrong; ``v2`` says that the module has the meaning of ``import rego.v2``;
    ``used`` collects the names of the module that something refers to; ``metadata`` gives
    what ``rego.metadata.rule`` and ``.chain`` stand for in the rule at hand.
    """

    package: Path
    names: dict[str, ast.Term]
    functions: frozenset[Path]
    counter: itertools.count[int]
    v2: bool = False
    strict: bool = False
    scopes: list[dict[str, Local]] = field(default_factory=lambda: [{}])
    open: dict[str, Local] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    metadata: Callable[[], Mapping[str, ast.Term]] = dict

    def fresh(self, name: str) -> str:
        return f"{name}${next(self.counter)}"

    def complain(self, message: str, span: Span, code: str = "rego_compile_error", hint: str = "") -> None:
        self.found.append(Diagnostic(code, message, span, hint=hint))

    def var(self, term: ast.Var) -> ast.Term:
        if term.name == "_":
            return replace(term, name=self.fresh("_"))
        local = self.local(term.name)
        if local is not None:
            if local.kind == "seen":
                self.scopes[-1].setdefault(term.name, local)
            local.used = True
            return replace(term, name=local.unique)
        if term.name in ROOTS:
            return term
        if term.name in self.names:
            self.used.add(term.name)
            return replace(self.names[term.name], span=term.span)
        made = Local(self.fresh(term.name), "seen", term.span, used=True)
        self.open[term.name] = self.scopes[-1][term.name] = made
        return replace(term, name=made.unique)

    def local(self, name: str) -> Local | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return self.open.get(name)

    # ----------------------------------------------------------------- scopes

    def close(self) -> None:
        """Leaves a scope and reports what it declared and never used."""
        for name, local in self.scopes.pop().items():
            if local.used or local.kind not in ("declared", "assigned") or name.startswith("__"):
                continue
            if local.kind == "declared":
                self.complain(f"declared var {name} unused", local.span, hint="remove it, or use it")
            elif self.strict:
                self.complain(f"assigned var {name} unused", local.span, hint="remove it, or write `_ :=`")

    def declare(self, pattern: ast.Term, kind: str) -> None:
        """Gives the names in a pattern a meaning of their own in the present scope."""
        match pattern:
            case ast.Var():
                if pattern.name != "_":
                    self._declare(pattern, kind)
            case ast.Array():
                for item in pattern.items:
                    self.declare(item, kind)
            case ast.Object():
                for _, value in pattern.items:
                    self.declare(value, kind)
            case _:
                if kind == "assigned":
                    self.complain(f"cannot assign to {kind_of(pattern)}", pattern.span)

    def _declare(self, var: ast.Var, kind: str) -> None:
        if var.name in ROOTS:
            if kind == "assigned":
                hint = "use a different variable name"
                self.complain(f"variables must not shadow {var.name} ({hint})", var.span)
            return
        before = self.scopes[-1].get(var.name)
        if before is not None and (kind != "arg" or before.kind != "arg"):
            self.complain(_TWICE[before.kind].format(var.name), var.span)
        elif before is None:
            self.scopes[-1][var.name] = Local(self.fresh(var.name), kind, var.span)

    def assigned(self, pattern: ast.Term) -> ast.Term:
        """The left side of ``:=``: its names are bound by it, which is no use of them."""
        match pattern:
            case ast.Var() if pattern.name in self.scopes[-1]:
                return replace(pattern, name=self.scopes[-1][pattern.name].unique)
            case ast.Array():
                return replace(pattern, items=tuple(self.assigned(item) for item in pattern.items))
            case ast.Object():
                items = tuple((self.term(key), self.assigned(value)) for key, value in pattern.items)
                return replace(pattern, items=items)
            case _:
                return self.term(pattern)

    # ----------------------------------------------------------------- terms

    def term(self, term: ast.Term) -> ast.Term:
        match term:
            case ast.Var():
                return self.var(term)
            case ast.Ref():
                head = self.term(term.head)
                path = self.terms(term.path)
                if isinstance(head, ast.Ref):
                    return replace(term, head=head.head, path=head.path + path)
                if path and head == _DATA and isinstance(path[0], ast.Number):
                    # `data` itself is an object, and its keys are texts.
                    path = (ast.String(path[0].text, span=path[0].span), *path[1:])
                return replace(term, head=head, path=path)
            case ast.Call():
                return self.call(term)
            case ast.Array() | ast.SetTerm():
                return replace(term, items=self.terms(term.items))
            case ast.Object():
                return replace(term, items=in_order([(self.term(k), self.term(v)) for k, v in term.items]))
            case ast.ArrayCompr() | ast.SetCompr():
                self.scopes.append({})
                body = self.body(term.body)
                made = replace(term, body=body, term=self.term(term.term))
                self.close()
                return made
            case ast.ObjectCompr():
                self.scopes.append({})
                body = self.body(term.body)
                compr = replace(term, body=body, key=self.term(term.key), value=self.term(term.value))
                self.close()
                return compr
            case ast.Template():
                return replace(term, parts=tuple(p if isinstance(p, str) else self.term(p) for p in term.parts))
            case ast.Logical():
                return replace(term, left=self.operand(term.left, term.op), right=self.operand(term.right, term.op))
            case _:
                return term

    def call(self, term: ast.Call) -> ast.Term:
        args = self.terms(term.args)
        operator = self.operator(term.operator)
        constant = None
        if isinstance(operator, ast.Var) and operator.name.startswith("rego.metadata."):
            constant = self.metadata().get(operator.name)
        if constant is None or len(args) > 1:
            return replace(term, operator=operator, args=args)
        return _unified(args[0], constant) if args else constant

    def terms(self, terms: Iterable[ast.Term]) -> tuple[ast.Term, ...]:
        return tuple(self.term(t) for t in terms)

    def operand(self, body: ast.Body, op: str) -> ast.Body:
        for literal in body:
            if isinstance(literal, ast.Expr) and _is_assignment(literal.term) and len(body) == 1:
                self.complain(f"cannot assign vars inside implicit {op} operand", literal.span)
        return self.closure(body)

    def operator(self, op: ast.Var | ast.Ref) -> ast.Var | ast.Ref:
        """A Ref below ``data`` for the program's functions, else a Var with the builtin's name."""
        head = op if isinstance(op, ast.Var) else op.head
        rest = () if isinstance(op, ast.Var) else op.path
        names = [p.value for p in rest if isinstance(p, ast.String)]
        if not isinstance(head, ast.Var) or len(names) < len(rest):
            raise error("rego_type_error", f"undefined function {describe(op)}", op.span)
        if head.name == "data":
            return op
        dotted = ".".join([head.name, *names])
        local = self.local(head.name)
        if local is not None and local.kind != "seen" and not rest and known_builtin(head.name, names):
            self.complain(f"called function {head.name} shadowed", op.span)
        known = self.names.get(head.name)
        if isinstance(known, ast.Ref) and local is None:
            self.used.add(head.name)
            return replace(known, path=known.path + rest, span=op.span)
        return ast.Var(dotted, span=op.span)

    def closure(self, body: ast.Body) -> ast.Body:
        self.scopes.append({})
        made = self.body(body)
        self.close()
        return made

    def body(self, body: ast.Body) -> ast.Body:
        """Resolves a body in the current scope; declarations vanish (their names are unique now)."""
        return tuple(made for literal in body for made in self.literal(literal))

    # ----------------------------------------------------------------- literals

    def withs(self, withs: tuple[ast.With, ...]) -> tuple[ast.With, ...]:
        return tuple(replace(w, target=self.target(w.target), value=self.with_value(w.value)) for w in withs)

    def target(self, target: ast.Var | ast.Ref) -> ast.Var | ast.Ref:
        head = target if isinstance(target, ast.Var) else target.head
        if isinstance(head, ast.Var) and head.name not in ROOTS:
            return self.operator(target)
        made = self.term(target)
        assert isinstance(made, (ast.Var, ast.Ref))
        return made

    def with_value(self, value: ast.Term) -> ast.Term:
        """A function's name as a mock becomes its operator; any other value is a term."""
        if isinstance(value, ast.Var | ast.Ref):
            head = value if isinstance(value, ast.Var) else value.head
            names = [p.value for p in value.path if isinstance(p, ast.String)] if isinstance(value, ast.Ref) else []
            free = isinstance(head, ast.Var) and head.name not in self.names and self.local(head.name) is None
            if isinstance(head, ast.Var) and free and known_builtin(head.name, names):
                return ast.Var(".".join([head.name, *names]), span=value.span)
        return self.term(value)

    def literal(self, literal: ast.Literal) -> list[ast.Literal]:
        match literal:
            case ast.SomeDecl():
                for name in literal.names:
                    self.declare(name, "declared")
                return []
            case ast.SomeIn():
                collection = self.term(literal.collection)
                withs = self.withs(literal.withs)
                for pattern in (literal.key, literal.value):
                    if pattern is not None:
                        self.some(pattern)
                key = None if literal.key is None else self.term(literal.key)
                value = self.term(literal.value)
                return [replace(literal, key=key, value=value, collection=collection, withs=withs)]
            case ast.Every():
                return [self.every(literal)]
            case ast.NotBody():
                withs = self.withs(literal.withs)
                return [replace(literal, body=self.closure(literal.body), withs=withs)]
            case ast.Expr():
                return self.expression(literal)

    def some(self, pattern: ast.Term) -> None:
        """Declares the names of ``some … in``; one name in it twice is one variable."""
        for var in pattern_names(pattern):
            before = self.scopes[-1].get(var.name)
            if before is None or before.kind != "some":
                self.declare(var, "some")

    def every(self, literal: ast.Every) -> ast.Literal:
        domain = self.term(literal.domain)
        withs = self.withs(literal.withs)
        self.scopes.append({})
        if literal.key is not None:
            self.declare(literal.key, "declared")
        self.declare(literal.value, "declared")
        key = None if literal.key is None else self.assigned(literal.key)
        value = self.assigned(literal.value)
        self.scopes.append({})
        body = self.body(literal.body)
        self.close()
        self.close()
        assert isinstance(value, ast.Var)
        assert key is None or isinstance(key, ast.Var)
        return replace(literal, key=key, value=value, domain=domain, body=body, withs=withs)

    def expression(self, literal: ast.Expr) -> list[ast.Literal]:
        term = literal.term
        if _is_assignment(term):
            return self.assignment(literal)
        withs = self.withs(literal.withs)
        if isinstance(term, ast.Call) and term.operator == _PRINT and "print" not in self.names:
            return [replace(literal, term=self.print(term), withs=withs)]
        if not literal.negated:
            return [replace(literal, term=one, withs=withs) for one in _split(self.term(term))]
        if self.v2:
            inner = ast.Expr(self.term(term), span=literal.span)
            return [ast.NotBody((inner,), withs, braced=False, span=literal.span)]
        negated, before = hoist_calls(self.term(term), self.fresh, withs)
        return [*before, replace(literal, term=negated, withs=withs)]

    def assignment(self, literal: ast.Expr) -> list[ast.Literal]:
        term = literal.term
        assert isinstance(term, ast.Call)
        if literal.negated:
            self.complain("cannot assign vars inside negated expression", literal.span)
        withs = self.withs(literal.withs)
        right = self.term(term.args[1])
        before = set(self.scopes[-1])
        self.declare(term.args[0], "assigned")
        left = self.assigned(term.args[0])
        repeated = [v for v in pattern_names(term.args[0]) if v.name not in before]
        for index, var in enumerate(repeated):
            if var.name in {v.name for v in repeated[:index]} and not self.found:
                self.complain(f"var {var.name} assigned above", var.span)
        made = replace(term, operator=ast.Var("eq", span=term.span), args=(left, right))
        return [replace(literal, term=made, withs=withs)]

    def print(self, term: ast.Call) -> ast.Call:
        """``print(a, …)`` as OPA has it: each operand in a set, empty where it is undefined."""
        sets = []
        for arg in term.args:
            value = ast.Var(self.fresh("__print"), span=arg.span)
            bind = _unified(value, self.term(arg))
            sets.append(ast.SetCompr(value, (ast.Expr(bind, span=arg.span),), span=arg.span))
        operands = ast.Array(tuple(sets), span=term.span)
        return ast.Call(ast.Var("internal.print", span=term.span), (operands,), span=term.span)


_PRINT = ast.Var("print", span=whole_file(""))
_EQ = ast.Var("eq", span=whole_file(""))
_DATA = ast.Var("data", span=whole_file(""))


def _unified(left: ast.Term, right: ast.Term) -> ast.Call:
    return ast.Call(ast.Var("eq", span=right.span), (left, right), span=right.span)


def _split(term: ast.Term) -> Iterator[ast.Term]:
    """``{"a": x, "b": 1} = {"a": 2, "b": y}`` member by member: what one binds another may need."""
    if isinstance(term, ast.Call) and term.operator == _EQ:
        left, right = term.args[:2]
        if isinstance(left, ast.Object) and isinstance(right, ast.Object):
            first, second = dict(left.items), dict(right.items)
            if all(map(_is_constant, (*first, *second))) and len(first) == len(left.items):
                if first.keys() != second.keys() or len(second) != len(right.items):
                    yield ast.Boolean(False, span=term.span)
                    return
                for key, value in first.items():
                    yield from _split(replace(term, args=(value, second[key])))
                return
    yield term


def _is_constant(term: ast.Term) -> bool:
    return isinstance(term, (ast.String, ast.Boolean, ast.Null))


def _is_assignment(term: ast.Term) -> bool:
    return isinstance(term, ast.Call) and term.infix == ":="


def pattern_names(pattern: ast.Term) -> Iterator[ast.Var]:
    """The names that a pattern of ``:=`` or ``some … in`` binds."""
    match pattern:
        case ast.Var():
            if pattern.name != "_" and pattern.name not in ROOTS:
                yield pattern
        case ast.Array():
            for item in pattern.items:
                yield from pattern_names(item)
        case ast.Object():
            for _, value in pattern.items:
                yield from pattern_names(value)
        case _:
            pass


def known_builtin(head: str, rest: Sequence[str]) -> bool:
    """True where the dotted name is a builtin's."""
    return declaration(".".join([head, *rest])) is not None


def error(code: str, message: str, span: Span) -> DiagnosticError:
    """A blocking diagnostic as an exception, for the stage's entry to catch."""
    return DiagnosticError(Diagnostic(code, message, span))


def rule_names(modules: Sequence[ast.Module]) -> tuple[dict[Path, set[str]], frozenset[Path]]:
    """The names of the rules in each package, and the paths of all functions."""
    names: dict[Path, set[str]] = {}
    functions: set[Path] = set()
    for module in modules:
        own = names.setdefault(module.package.path, set())
        for rule in module.rules:
            ref = rule.head.ref
            assert isinstance(ref.head, ast.Var)
            own.add(ref.head.name)
            if rule.head.args:
                rest = tuple(p.value for p in ref.path if isinstance(p, ast.String))
                functions.add((*module.package.path, ref.head.name, *rest))
    return names, frozenset(functions)


def data_ref(path: Path, span: Span) -> ast.Ref:
    """``data.a.b`` as a node."""
    return ast.Ref(ast.Var("data", span=span), tuple(ast.String(p, span=span) for p in path), span=span)


def scope_of(package: Path, imports: Iterable[ast.Import], own: Iterable[str], span: Span) -> dict[str, ast.Term]:
    """What the names of a module stand for: its imports, then its package's rules."""
    names: dict[str, ast.Term] = {name: data_ref((*package, name), span) for name in own}
    for imported in imports:
        head = imported.path.head
        if isinstance(head, ast.Var) and head.name in ROOTS:
            last = imported.path.path[-1] if imported.path.path else head
            name = imported.alias or (last.value if isinstance(last, ast.String) else head.name)
            names[name] = imported.path if imported.path.path else head
    return names


def negates_bodies(module: ast.Module) -> bool:
    """Whether a missing value inside ``not`` counts as not, instead of making it undefined."""
    wanted = (("rego", "v2"), ("future", "keywords"), ("future", "keywords", "not"))
    return module.floe or any(import_path(imported) in wanted for imported in module.imports)


def import_path(imported: ast.Import) -> tuple[str, ...]:
    head = imported.path.head
    names = tuple(part.value for part in imported.path.path if isinstance(part, ast.String))
    return (head.name if isinstance(head, ast.Var) else "", *names)


def resolve_rule(resolver: Resolver, rule: ast.Rule) -> ResolvedRule:
    """One rule; what is wrong with it is added to ``resolver.found``."""
    head = rule.head
    assert isinstance(head.ref.head, ast.Var)
    _check_names(resolver, rule)
    resolver.scopes, resolver.open = [{}], {}
    for arg in head.args or ():
        for var in _arg_names(arg):
            resolver.declare(var, "arg")
    root = resolver.scopes[0]
    given: list[ast.Literal] = []
    args = tuple(_pattern(resolver, resolver.assigned(arg), given) for arg in head.args or ())
    true = ast.Boolean(True, span=head.span)
    count = next((i for i, p in enumerate(head.ref.path) if not isinstance(p, ast.String)), len(head.ref.path))
    constant = tuple(p.value for p in head.ref.path[:count] if isinstance(p, ast.String))
    body = (*given, *resolver.body(rule.body))
    keys = resolver.terms(head.ref.path[count:])
    kind = "set" if head.key is not None else "function" if head.args else "complete"
    value = resolver.term(head.key if head.key is not None else head.value if head.value is not None else true)
    branches = [Branch(value, body)]
    arguments = {name: local for name, local in root.items() if local.kind == "arg"}
    resolver.close()
    for other in rule.elses:
        resolver.scopes, resolver.open = [dict(arguments)], {}
        body = (*given, *resolver.body(other.body))
        branches.append(Branch(resolver.term(other.value if other.value is not None else true), body))
        resolver.close()
    if resolver.strict and not rule.default:
        for name, local in arguments.items():
            if not local.used and not name.startswith("__"):
                hint = "use _ (wildcard variable) instead"
                resolver.complain(f"unused argument {name}. (hint: {hint})", local.span)
    path = (*resolver.package, head.ref.head.name, *constant)
    return ResolvedRule(path, keys, kind, args, tuple(branches), rule.default, rule.span)


def _pattern(resolver: Resolver, arg: ast.Term, given: list[ast.Literal]) -> ast.Term:
    """An argument as a pattern of constants and names; a reference, call or the like in it becomes a name that
    a literal of the body compares."""
    match arg:
        case ast.Array():
            return replace(arg, items=tuple(_pattern(resolver, item, given) for item in arg.items))
        case ast.Object():
            return replace(arg, items=tuple((key, _pattern(resolver, value, given)) for key, value in arg.items))
        case ast.Var() if arg.name not in ROOTS:
            return arg
        case ast.Null() | ast.Boolean() | ast.Number() | ast.String():
            return arg
        case _:
            value = ast.Var(resolver.fresh("__arg"), span=arg.span)
            given.append(ast.Expr(_unified(value, arg), span=arg.span))
            return value


def _arg_names(arg: ast.Term) -> Iterator[ast.Var]:
    yield from pattern_names(arg)
    if isinstance(arg, ast.Var) and arg.name in ROOTS:
        yield arg


def _check_names(resolver: Resolver, rule: ast.Rule) -> None:
    name = rule.head.ref.head
    assert isinstance(name, ast.Var)
    if name.name in ROOTS:
        hint = "use a different rule name"
        resolver.complain(f"rules must not shadow {name.name} ({hint})", name.span)
    for arg in rule.head.args or ():
        if isinstance(arg, ast.Var) and arg.name in ROOTS:
            hint = "use a different variable name"
            resolver.complain(f"args must not shadow {arg.name} ({hint})", arg.span)


@dataclass(frozen=True, slots=True)
class Resolved:
    """``rules`` beside the rules of the syntax tree that they come from, and each module's used names."""

    rules: tuple[tuple[ResolvedRule, ast.Rule, ast.Module], ...]
    used: tuple[frozenset[str], ...]
    found: tuple[Diagnostic, ...]


def resolve_all(modules: Sequence[ast.Module], counter: itertools.count[int], *, strict: bool = False) -> Resolved:
    """All rules of the modules, and what is wrong with their names (``rego_compile_error`` and the like)."""
    names, functions = rule_names(modules)
    annotations = collect(modules)
    rules: list[tuple[ResolvedRule, ast.Rule, ast.Module]] = []
    used: list[frozenset[str]] = []
    found: list[Diagnostic] = list(annotations.found)
    for module in modules:
        package = module.package.path
        scope = scope_of(package, module.imports, names[package], module.span)
        resolver = Resolver(package, scope, functions, counter, negates_bodies(module), strict)
        for rule in module.rules:
            resolver.metadata = functools.partial(annotations.constants, package, rule)
            try:
                rules.append((resolve_rule(resolver, rule), rule, module))
            except DiagnosticError as failure:
                found += failure.diagnostics
        found += resolver.found
        used.append(frozenset(resolver.used))
    return Resolved(tuple(rules), tuple(used), tuple(found))


def resolve(modules: Sequence[ast.Module], counter: itertools.count[int]) -> list[ResolvedRule]:
    """All rules of the modules.

    Raises:
        DiagnosticError: names that are used wrongly (``rego_compile_error`` and the like).
    """
    made = resolve_all(modules, counter)
    if made.found:
        raise DiagnosticError(*made.found)
    return [rule for rule, _, _ in made.rules]
