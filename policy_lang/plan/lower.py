"""Resolved rules to the plan: literals in an order in which they can run, terms as named operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from policy_lang.analysis.resolve import Branch, ResolvedRule, error
from policy_lang.analysis.safety import Names, order, outputs, outside, pattern_variables, required
from policy_lang.codegen.names import local_name
from policy_lang.plan import nodes
from policy_lang.plan.mocked import mocked_name
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Clause,
    Const,
    Function,
    Let,
    Local,
    Path,
    Plan,
    Step,
    Test,
)
from policy_lang.runtime.builtins.declarations import declaration
from policy_lang.source import Span
from policy_lang.syntax import ast

NOWHERE = Span("<query>", 1, 1, 1, 1)
TRUE = Const(True)
Signatures = dict[Path, "Signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What callers know of a document or function: its kind, its number of parameters."""

    kind: str
    arity: int


@dataclass(slots=True)
class Lowering:
    """The steps of one function while they are written."""

    signatures: Signatures
    number: int = 0
    steps: list[Step] = field(default_factory=list)
    context: str = "C"
    bound: set[str] = field(default_factory=set)
    outer: Names = frozenset()
    atoms: dict[str, Atom] = field(default_factory=dict)
    mocked: set[str] = field(default_factory=set)

    def fresh(self, prefix: str = "t") -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def let(self, op: nodes.Op, span: Span) -> Local:
        name = self.fresh()
        self.steps.append(Let(name, op, span=span))
        return Local(name)

    def fail(self, span: Span) -> None:
        self.steps.append(Test(Const(False), span=span))

    def block(self, write: Callable[[], None]) -> Block:
        """The steps that ``write`` adds; what it binds is forgotten after."""
        saved = self.steps, set(self.bound), self.outer, self.context
        self.steps = []
        write()
        made = tuple(self.steps)
        self.steps, self.bound, self.outer, self.context = saved
        return made

    def emit(self, heads: Iterable[Atom], span: Span) -> None:
        self.steps.append(nodes.Emit(tuple(heads), span=span))

    def body(self, body: ast.Body, emit: Callable[[], None], also: tuple[object, ...] = ()) -> Block:
        """The body's block with ``emit``'s steps where all of it holds."""

        def write() -> None:
            literals, _ = order(body, frozenset(self.bound), also)
            self.outer = outside(body, also) | self.bound
            for literal in literals:
                self.literal(literal)
            emit()

        return self.block(write)

    def holds(self, body: ast.Body, span: Span) -> Block:
        """The block of a body of which only matters whether it has a solution."""
        return self.body(body, lambda: self.emit((), span))

    # ----------------------------------------------------------------- literals

    def literal(self, literal: ast.Literal) -> None:
        context = self.context
        withs = getattr(literal, "withs", ())
        if withs:
            changes = tuple(self.change(w) for w in withs)
            name = self.fresh("C")
            self.steps.append(Let(name, nodes.Derive(context, changes), span=literal.span))
            self.context = name
        match literal:
            case ast.Expr(negated=True):
                inner = self.holds((ast.Expr(literal.term, span=literal.span),), literal.span)
                self.steps.append(nodes.Not(inner, span=literal.span))
            case ast.NotBody():
                self.steps.append(nodes.Not(self.holds(literal.body, literal.span), span=literal.span))
            case ast.Expr():
                self.statement(literal.term)
            case ast.SomeIn():
                self.scan(self.term(literal.collection), literal.key, literal.value, literal.span)
            case ast.Every():
                self.every(literal)
        self.context = context

    def scan(self, collection: Atom, key: ast.Term | None, value: ast.Term | None, span: Span) -> Local:
        """A loop over a collection with its key and its value matched; the value's name."""
        names = [self.scan_name(pattern) for pattern in (key, value)]
        value_name = names[1] or self.fresh()
        self.steps.append(nodes.Scan(names[0], value_name, collection, span=span))
        for pattern, name in ((key, names[0]), (value, value_name)):
            if pattern is not None:
                self.match(pattern, Local(name), span)
        return Local(value_name)

    def scan_name(self, pattern: ast.Term | None) -> str:
        if pattern is None:
            return ""
        if isinstance(pattern, ast.Var) and "$" in pattern.name and pattern.name not in self.bound:
            # One variable may be bound at several places (in the bodies of an `or`): a number keeps them apart.
            return f"{local_name(pattern.name)}_{self.fresh('')}"
        return self.fresh()

    def change(self, changed: ast.With) -> nodes.Change:
        target = changed.target
        head = target if isinstance(target, ast.Var) else target.head
        path = constant_path(target.path) if isinstance(target, ast.Ref) else ()
        root = head.name if isinstance(head, ast.Var) else ""
        if root == "input":
            self.mocked.add("input")
            return nodes.Change("input", path, self.term(changed.value))
        dotted = mocked_name(path) if root == "data" else root
        self.mocked.add(dotted)
        if root == "data" and not self.is_function(path):
            return nodes.Change("data", path, self.term(changed.value))
        value = changed.value
        if isinstance(value, ast.Var) and "$" not in value.name and value.name not in ("input", "data"):
            return nodes.Change("mock", (dotted,), None, builtin=value.name)
        if isinstance(value, ast.Ref) and self.is_function(p := constant_path(value.path)):
            return nodes.Change("mock", (dotted,), None, rule=p)
        return nodes.Change("mock", (dotted,), self.term(value))

    def is_function(self, path: Path) -> bool:
        found = self.signatures.get(path)
        return found is not None and found.kind == "function"

    def every(self, literal: ast.Every) -> None:
        domain = self.term(literal.domain)
        self.steps.append(nodes.IsCollection("any", domain, None, span=literal.span))

        def write() -> None:
            self.scan(domain, literal.key, literal.value, literal.span)
            self.steps.append(nodes.Not(self.holds(literal.body, literal.span), span=literal.span))
            self.emit((), literal.span)

        self.steps.append(nodes.Not(self.block(write), span=literal.span))

    def statement(self, term: ast.Term) -> None:
        if isinstance(term, ast.Call) and isinstance(term.operator, ast.Var) and term.operator.name == "eq":
            self.unify(term.args[0], term.args[1], term.span)
            return
        if isinstance(term, ast.Call) and term.infix is None and len(term.args) > 1 and self.with_output(term):
            inner = ast.Call(term.operator, term.args[:-1], span=term.span)
            self.match(term.args[-1], self.term(inner), term.span)
            return
        count = len(self.steps)
        value = self.term(term)
        last = self.steps[-1] if len(self.steps) > count else None
        if isinstance(value, Const):
            if value.value is False:
                self.fail(term.span)
        elif isinstance(last, Let) and last.name == value.name:
            self.steps[-1] = Test(last.op, span=last.span)
        else:
            self.steps.append(Test(value, span=term.span))

    def with_output(self, call: ast.Call) -> bool:
        if isinstance(call.operator, ast.Var):
            declared = declaration(call.operator.name)
            return declared is not None and declared.variadic is None and len(declared.args) == len(call.args) - 1
        found = self.signatures.get(constant_path(call.operator.path))
        return found is not None and found.kind == "function" and found.arity == len(call.args) - 1

    def unify(self, left: ast.Term, right: ast.Term, span: Span) -> None:
        if isinstance(left, ast.Array) and isinstance(right, ast.Array):
            if len(left.items) != len(right.items):
                self.fail(span)
                return
            pairs = list(zip(left.items, right.items, strict=True))
            while pairs:
                pair = next((p for p in pairs if self.ready(p[0]) or self.ready(p[1])), pairs[0])
                pairs.remove(pair)
                self.unify(*pair, span)
            return
        if self.ready(right):
            self.match(left, self.term(right), span)
        else:
            self.match(right, self.term(left), span)

    def ready(self, term: ast.Term) -> bool:
        return not required(term, self.outer) - self.bound - outputs(term)

    def match(self, pattern: ast.Term, value: Atom, span: Span) -> None:
        """Goes on only where the value has the pattern, and binds its variables."""
        free = pattern_variables(pattern) - self.bound
        if isinstance(pattern, ast.Var) and free:
            self.bound.add(pattern.name)
            self.atoms[pattern.name] = value
        elif isinstance(pattern, ast.Array) and free:
            self.steps.append(nodes.IsCollection("array", value, len(pattern.items), span=span))
            for index, item in enumerate(pattern.items):
                self.match(item, self.let(nodes.Index(value, Const(index)), span), span)
        elif isinstance(pattern, ast.Object) and free:
            self.steps.append(nodes.IsCollection("object", value, len(pattern.items), span=span))
            for key, item in pattern.items:
                self.match(item, self.let(nodes.Index(value, self.term(key)), span), span)
        else:
            wanted = self.term(pattern)
            if wanted != value:
                self.steps.append(Test(nodes.Builtin("equal", (wanted, value), ""), span=span))

    # ----------------------------------------------------------------- terms

    def term(self, term: ast.Term) -> Atom:
        """The steps that evaluate a term (loops over what its references leave open), and its value."""
        match term:
            case ast.Null():
                return Const(None)
            case ast.Boolean() | ast.String():
                return Const(term.value)
            case ast.Number():
                return Const(int(term.text) if re.fullmatch(r"-?\d+", term.text) else Decimal(term.text))
            case ast.Var():
                return self.local(term)
            case ast.Ref():
                return self.ref(term)
            case ast.Call():
                return self.call(term)
            case ast.Array():
                return self.let(nodes.MakeArray(self.terms(term.items)), term.span)
            case ast.SetTerm():
                return self.let(nodes.MakeSet(self.terms(term.items)), term.span)
            case ast.Object():
                pairs = tuple((self.term(k), self.term(v)) for k, v in term.items)
                return self.let(nodes.MakeObject(pairs), term.span)
            case ast.ArrayCompr() | ast.SetCompr() | ast.ObjectCompr():
                return self.comprehension(term)
            case ast.Template():
                return self.template(term)
            case ast.Logical():
                left = self.let(nodes.Exists(self.holds(term.left, term.span)), term.span)
                right = self.let(nodes.Exists(self.holds(term.right, term.span)), term.span)
                return self.let(nodes.Logic(term.op, left, right), term.span)

    def terms(self, terms: Sequence[ast.Term]) -> tuple[Atom, ...]:
        """Several terms, those first that need nothing which a reference in another one binds."""
        made: dict[int, Atom] = {}
        while len(made) < len(terms):
            waiting = [n for n in range(len(terms)) if n not in made]
            chosen = next((n for n in waiting if self.ready(terms[n])), waiting[0])
            made[chosen] = self.term(terms[chosen])
        return tuple(made[n] for n in range(len(terms)))

    def local(self, term: ast.Var) -> Atom:
        if term.name == "input":
            return self.let(nodes.Input(self.context), term.span)
        if term.name == "data":
            return self.document((), term.span)
        if term.name not in self.bound:
            raise error("rego_unsafe_var_error", f"var {term.name.split('$')[0]} is unsafe", term.span)
        return self.atoms[term.name]

    def comprehension(self, term: ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr) -> Atom:
        heads = (term.key, term.value) if isinstance(term, ast.ObjectCompr) else (term.term,)
        kind = {ast.ArrayCompr: "array", ast.SetCompr: "set", ast.ObjectCompr: "object"}[type(term)]
        block = self.body(term.body, lambda: self.emit(self.terms(heads), term.span), heads)
        return self.let(nodes.Collect(kind, block), term.span)

    def template(self, term: ast.Template) -> Atom:
        parts: list[str | Atom | Block] = []
        for part in term.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            block = self.block(lambda part=part: self.emit((self.term(part),), term.span))  # type: ignore[misc]
            only = block[0]
            parts.append(only.heads[0] if isinstance(only, nodes.Emit) else block)
        return self.let(nodes.Text(tuple(parts)), term.span)

    def call(self, term: ast.Call) -> Atom:
        if isinstance(term.operator, ast.Var):
            name = "equal" if term.operator.name == "eq" else term.operator.name
            if name == "set" and not term.args:
                return self.let(nodes.MakeSet(()), term.span)
            if declaration(name) is None:
                raise error("rego_type_error", f"undefined function {name}", term.span)
            args = self.terms(term.args)
            found = self.let(nodes.Builtin(name, args, self.context), term.span)
            if name == "walk" and len(args) == 1:
                pair = self.fresh()
                self.steps.append(nodes.Scan("", pair, found, span=term.span))
                return Local(pair)
            return found
        path = constant_path(term.operator.path)
        if not self.is_function(path):
            raise error("rego_type_error", f"undefined function data.{'.'.join(path)}", term.span)
        args = self.terms(term.args)
        return self.let(nodes.CallRule(path, args, self.context), term.span)

    def ref(self, ref: ast.Ref) -> Atom:
        path = list(ref.path)
        if isinstance(ref.head, ast.Var) and ref.head.name == "data":
            prefix: Path = ()
            while path and prefix not in self.signatures and isinstance(part := path[0], ast.String):
                prefix = (*prefix, part.value)
                path.pop(0)
            keys: list[Atom] = [Const(name) for name in prefix]
            while prefix not in self.signatures and path and not pattern_variables(path[0]) - self.bound:
                keys.append(self.term(path.pop(0)))
            value = self.document(prefix, ref.span, keys)
        else:
            value = self.term(ref.head)
        for part in path:
            if pattern_variables(part) - self.bound:
                value = self.scan(value, part, None, ref.span)
            else:
                value = self.let(nodes.Index(value, self.term(part)), ref.span)
        return value

    def document(self, path: Path, span: Span, keys: Sequence[Atom] = ()) -> Atom:
        if path not in self.signatures:
            return self.let(nodes.Tree(tuple(keys), self.context), span)
        if self.is_function(path):
            raise error("rego_type_error", f"function data.{'.'.join(path)} is not called", span)
        return self.let(nodes.Document(path, self.context), span)

    # ----------------------------------------------------------------- rules

    def clause(self, rule: ResolvedRule, path: Path, params: tuple[str, ...]) -> Clause:
        return Clause(tuple(self.branch(rule, branch, path, params) for branch in rule.branches), span=rule.span)

    def branch(self, rule: ResolvedRule, branch: Branch, path: Path, params: tuple[str, ...]) -> Block:
        keys = (*(ast.String(p, span=rule.span) for p in rule.path[len(path) :]), *rule.keys)
        member = (Const(rule.kind == "set"),) if self.signatures[path].kind == "object" else ()

        def emit() -> None:
            # A reference in the value may bind a key: `p[x] := input.a[x]`.
            self.emit([*member, *self.terms((*keys, branch.value))], rule.span)

        def write() -> None:
            for param, arg in zip(params, rule.args, strict=True):
                self.match(arg, Local(param), rule.span)
            self.steps.extend(self.body(branch.body, emit, (branch.value, *keys)))

        self.bound = set()
        return self.block(write)


def constant_path(path: tuple[ast.Term, ...]) -> Path:
    """The names in a path of constant strings."""
    return tuple(p.value for p in path if isinstance(p, ast.String))


def grouped(rules: Iterable[ResolvedRule]) -> dict[Path, list[ResolvedRule]]:
    """Rules by document: those with dynamic keys take in all rules below their path."""
    found = list(rules)
    roots = {r.path for r in found if r.keys or r.kind == "set"}
    groups: dict[Path, list[ResolvedRule]] = {}
    for rule in found:
        lengths = [n for n in range(1, len(rule.path)) if rule.path[:n] in roots]
        path = rule.path[: lengths[0]] if lengths else rule.path
        groups.setdefault(path, []).append(rule)
    return groups


def signatures(groups: dict[Path, list[ResolvedRule]]) -> Signatures:
    """What each group is for its callers."""
    return {path: Signature(_kind(path, rules), len(rules[0].args)) for path, rules in groups.items()}


def _kind(path: Path, rules: list[ResolvedRule]) -> str:
    if not any(r.keys or r.kind == "set" or r.path != path for r in rules):
        return rules[0].kind
    return "set" if all(not r.keys and r.path == path for r in rules) else "object"


def lower(groups: dict[Path, list[ResolvedRule]], packages: Iterable[Path] = ()) -> Plan:
    """The plan of a program; raises DiagnosticError (``rego_unsafe_var_error``, ``rego_type_error``)."""
    known = signatures(groups)
    made: list[Function] = []
    mocked: set[str] = set()
    extents = frozenset((*packages, *(path[:-1] for path in groups)))
    for path, rules in groups.items():
        at = Lowering(known, mocked=mocked)
        params = tuple(f"a{i}" for i in range(known[path].arity))
        usual = [rule for rule in rules if not rule.default]
        clauses = tuple(at.clause(rule, path, params) for rule in usual)
        default = next((at.clause(rule, path, params) for rule in rules if rule.default), None)
        made.append(Function(path, known[path].kind, params, clauses, default, span=rules[0].span))
    return Plan(tuple(made), frozenset(mocked), extents=extents)


def lower_query(known: Signatures, body: ast.Body) -> tuple[Function, tuple[str, ...], frozenset[str]]:
    """A query's function, the names of the bindings that it emits, and what its ``with`` replace."""
    at = Lowering(known)
    open_names = {v: v.split("$")[0] for v in sorted(outside(body, ())) if not v.startswith("_$")}
    shown: list[str] = []

    def emit() -> None:
        found = [(name, at.atoms[v]) for v, name in open_names.items() if v in at.bound]
        shown.extend(name for name, _ in found)
        at.emit((atom for _, atom in found), NOWHERE)

    block = at.body(body, emit)
    function = Function((), "query", (), (Clause((block,), span=NOWHERE),), span=NOWHERE)
    return function, tuple(shown), frozenset(at.mocked)
