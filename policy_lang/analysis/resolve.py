"""Names to what they mean: imports, rules of the package, locals with names unique in the program.

After this stage a Var is a local (``name$number``), ``input`` or ``data``; a call's operator is a Ref
into ``data`` for functions of the program and a Var with the dotted name for builtins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.runtime.support import builtin
from policy_lang.source import Span
from policy_lang.syntax import ast

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
class Resolver:
    """Resolves the rules of one module, or a query inside a package."""

    package: Path
    names: dict[str, ast.Term]
    functions: frozenset[Path]
    counter: itertools.count[int]
    scopes: list[dict[str, str]] = field(default_factory=lambda: [{}])

    def fresh(self, name: str) -> str:
        return f"{name}${next(self.counter)}"

    def var(self, term: ast.Var) -> ast.Term:
        if term.name == "_":
            return replace(term, name=self.fresh("_"))
        for scope in reversed(self.scopes):
            if term.name in scope:
                return replace(term, name=scope[term.name])
        if term.name in ROOTS:
            return term
        if term.name in self.names:
            return self.names[term.name]
        self.scopes[0][term.name] = self.fresh(term.name)
        return replace(term, name=self.scopes[0][term.name])

    def term(self, term: ast.Term) -> ast.Term:
        match term:
            case ast.Var():
                return self.var(term)
            case ast.Ref():
                head = self.term(term.head)
                path = self.terms(term.path)
                if isinstance(head, ast.Ref):
                    return replace(term, head=head.head, path=head.path + path)
                return replace(term, head=head, path=path)
            case ast.Call():
                return replace(term, operator=self.operator(term.operator), args=self.terms(term.args))
            case ast.Array() | ast.SetTerm():
                return replace(term, items=self.terms(term.items))
            case ast.Object():
                return replace(term, items=tuple((self.term(k), self.term(v)) for k, v in term.items))
            case ast.ArrayCompr() | ast.SetCompr():
                self.scopes.append({})
                body = self.body(term.body)
                made = replace(term, body=body, term=self.term(term.term))
                self.scopes.pop()
                return made
            case ast.ObjectCompr():
                self.scopes.append({})
                body = self.body(term.body)
                compr = replace(term, body=body, key=self.term(term.key), value=self.term(term.value))
                self.scopes.pop()
                return compr
            case ast.Template():
                return replace(term, parts=tuple(p if isinstance(p, str) else self.term(p) for p in term.parts))
            case ast.Logical():
                return replace(term, left=self.closure(term.left), right=self.closure(term.right))
            case _:
                return term

    def terms(self, terms: Iterable[ast.Term]) -> tuple[ast.Term, ...]:
        return tuple(self.term(t) for t in terms)

    def operator(self, op: ast.Var | ast.Ref) -> ast.Var | ast.Ref:
        """A Ref below ``data`` for the program's functions, else a Var with the builtin's name."""
        head = op if isinstance(op, ast.Var) else op.head
        rest = () if isinstance(op, ast.Var) else op.path
        names = [p.value for p in rest if isinstance(p, ast.String)]
        if isinstance(head, ast.Var):
            if head.name == "data":
                return op
            known = self.names.get(head.name)
            if isinstance(known, ast.Ref):
                path = tuple(p.value for p in known.path if isinstance(p, ast.String)) + tuple(names)
                if path in self.functions or not known_builtin(head.name, names):
                    return replace(known, path=known.path + rest)
            return ast.Var(".".join([head.name, *names]), span=op.span)
        raise error("rego_type_error", "only a name can be called", op.span)

    def closure(self, body: ast.Body) -> ast.Body:
        self.scopes.append({})
        made = self.body(body)
        self.scopes.pop()
        return made

    def body(self, body: ast.Body) -> ast.Body:
        """Resolves a body in the current scope; declarations vanish (their names are unique now)."""
        return tuple(made for literal in body for made in self.literal(literal))

    def withs(self, withs: tuple[ast.With, ...]) -> tuple[ast.With, ...]:
        return tuple(replace(w, target=self.target(w.target), value=self.with_value(w.value)) for w in withs)

    def target(self, target: ast.Var | ast.Ref) -> ast.Var | ast.Ref:
        head = target if isinstance(target, ast.Var) else target.head
        if isinstance(head, ast.Var) and head.name not in ROOTS:
            return self.operator(target)
        return target

    def with_value(self, value: ast.Term) -> ast.Term:
        """A function's name as a mock becomes its operator; any other value is a term."""
        if isinstance(value, ast.Var | ast.Ref):
            head = value if isinstance(value, ast.Var) else value.head
            names = [p.value for p in value.path if isinstance(p, ast.String)] if isinstance(value, ast.Ref) else []
            if isinstance(head, ast.Var) and head.name not in self.names and known_builtin(head.name, names):
                return ast.Var(".".join([head.name, *names]), span=value.span)
        return self.term(value)

    def declare(self, pattern: ast.Term) -> None:
        match pattern:
            case ast.Var():
                if pattern.name != "_":
                    if pattern.name in self.scopes[-1] and len(self.scopes) > 1:
                        raise error("rego_compile_error", f"var {pattern.name} assigned above", pattern.span)
                    self.scopes[-1][pattern.name] = self.fresh(pattern.name)
            case ast.Array():
                for item in pattern.items:
                    self.declare(item)
            case ast.Object():
                for _, value in pattern.items:
                    self.declare(value)
            case _:
                pass

    def literal(self, literal: ast.Literal) -> list[ast.Literal]:
        match literal:
            case ast.SomeDecl():
                for name in literal.names:
                    self.declare(name)
                return []
            case ast.SomeIn():
                collection = self.term(literal.collection)
                withs = self.withs(literal.withs)
                for pattern in (literal.key, literal.value):
                    if pattern is not None:
                        self.declare(pattern)
                key = None if literal.key is None else self.term(literal.key)
                value = self.term(literal.value)
                return [replace(literal, key=key, value=value, collection=collection, withs=withs)]
            case ast.Every():
                domain = self.term(literal.domain)
                withs = self.withs(literal.withs)
                self.scopes.append({})
                if literal.key is not None:
                    self.declare(literal.key)
                self.declare(literal.value)
                every_key = None if literal.key is None else self.var(literal.key)
                every_value = self.var(literal.value)
                self.scopes.append({})
                body = self.body(literal.body)
                del self.scopes[-2:]
                assert isinstance(every_value, ast.Var)
                assert every_key is None or isinstance(every_key, ast.Var)
                return [replace(literal, key=every_key, value=every_value, domain=domain, body=body, withs=withs)]
            case ast.NotBody():
                withs = self.withs(literal.withs)
                return [replace(literal, body=self.closure(literal.body), withs=withs)]
            case ast.Expr():
                term = literal.term
                withs = self.withs(literal.withs)
                if isinstance(term, ast.Call) and term.infix == ":=":
                    right = self.term(term.args[1])
                    self.declare(term.args[0])
                    left = self.term(term.args[0])
                    op = ast.Var("eq", span=term.span)
                    return [replace(literal, term=replace(term, operator=op, args=(left, right)), withs=withs)]
                return [replace(literal, term=self.term(term), withs=withs)]


def known_builtin(head: str, rest: Sequence[str]) -> bool:
    """True where the dotted name is a builtin's."""
    return builtin(".".join([head, *rest])) is not None


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
            if rule.head.args is not None:
                rest = tuple(p.value for p in ref.path if isinstance(p, ast.String))
                functions.add((*module.package.path, ref.head.name, *rest))
    return names, frozenset(functions)


def data_ref(path: Path, span: Span) -> ast.Ref:
    """``data.a.b`` as a node."""
    return ast.Ref(ast.Var("data", span=span), tuple(ast.String(p, span=span) for p in path), span=span)


def scope_of(package: Path, imports: Iterable[ast.Import], own: Iterable[str], span: Span) -> dict[str, ast.Term]:
    """What the names of a module stand for: its imports, then its package's rules."""
    names: dict[str, ast.Term] = {}
    for imported in imports:
        head = imported.path.head
        if isinstance(head, ast.Var) and head.name in ROOTS:
            last = imported.path.path[-1] if imported.path.path else head
            name = imported.alias or (last.value if isinstance(last, ast.String) else head.name)
            names[name] = imported.path
    for name in own:
        names[name] = data_ref((*package, name), span)
    return names


def _resolve_rule(resolver: Resolver, rule: ast.Rule) -> ResolvedRule:
    head = rule.head
    resolver.scopes = [{}]
    assert isinstance(head.ref.head, ast.Var)
    for arg in head.args or ():
        resolver.declare(arg)
    args = resolver.terms(head.args or ())
    root = resolver.scopes[0]
    true = ast.Boolean(True, span=head.span)
    resolver.scopes = [dict(root), {}]
    body = resolver.body(rule.body)
    count = next((i for i, p in enumerate(head.ref.path) if not isinstance(p, ast.String)), len(head.ref.path))
    constant = tuple(p.value for p in head.ref.path[:count] if isinstance(p, ast.String))
    keys = resolver.terms(head.ref.path[count:])
    kind = "set" if head.key is not None else "function" if head.args is not None else "complete"
    value = resolver.term(head.key if head.key is not None else head.value if head.value is not None else true)
    branches = [Branch(value, body)]
    for other in rule.elses:
        resolver.scopes = [dict(root), {}]
        body = resolver.body(other.body)
        branches.append(Branch(resolver.term(other.value if other.value is not None else true), body))
    path = (*resolver.package, head.ref.head.name, *constant)
    return ResolvedRule(path, keys, kind, args, tuple(branches), rule.default, rule.span)


def resolve(modules: Sequence[ast.Module], counter: itertools.count[int]) -> list[ResolvedRule]:
    """All rules of the modules; raises DiagnosticError with ``rego_compile_error`` and the like."""
    names, functions = rule_names(modules)
    found: list[ResolvedRule] = []
    for module in modules:
        package = module.package.path
        scope = scope_of(package, module.imports, names[package], module.span)
        resolver = Resolver(package, scope, functions, counter)
        found += [_resolve_rule(resolver, rule) for rule in module.rules]
    return found
