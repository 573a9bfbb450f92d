"""A plain evaluator of resolved rules that tells a recorder of each literal it meets.

It is for explanations and coverage, not for speed: it walks the tree, one literal after the other, each
giving the environments in which it holds. Values, builtins and the merging of rules are those of the
generated code; tests hold its answers to the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter
from typing import Any, TypeGuard

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.analysis.safety import order, outside, pattern_variables, required
from policy_lang.plan.mocked import mocked_name
from policy_lang.runtime import support
from policy_lang.runtime.support import Context
from policy_lang.runtime.values import UNDEFINED, RegoObject, equal, freeze
from policy_lang.syntax import ast
from policy_lang.trace.record import Recorder

Env = dict[str, Any]
_OBJECTS = (dict, RegoObject)
_SCALARS = (str, int, bool, Decimal, type(None))


@dataclass(slots=True)
class Evaluator:
    """Evaluates queries on ``groups``, the rules by the path of their document."""

    groups: dict[Path, list[ResolvedRule]]
    recorder: Recorder
    orders: dict[tuple[int, frozenset[str]], ast.Body] = field(default_factory=dict)
    kept: list[object] = field(default_factory=list)
    negated: dict[int, ast.Body] = field(default_factory=dict)
    moved: dict[str, ast.Term] = field(default_factory=dict)
    """What stands for the names that the compiler made, to show instead of them."""

    # ------------------------------------------------------------- bodies

    def body(self, body: ast.Body, env: Env, context: Context, also: tuple[object, ...] = ()) -> Iterator[Env]:
        """The environments in which all literals hold."""
        bound = frozenset(env)
        key = (id(body), bound)
        if key not in self.orders:
            self.orders[key], _ = order(body, bound, also)
            self.kept.append(body)  # an id is a name only as long as its object lives
        yield from self._from(self.orders[key], 0, env, context)

    def _from(self, body: ast.Body, index: int, env: Env, context: Context) -> Iterator[Env]:
        if index == len(body):
            yield env
            return
        for found in self.literal(body[index], env, context):
            yield from self._from(body, index + 1, found, context)

    def holds(self, body: ast.Body, env: Env, context: Context) -> bool:
        return any(True for _ in self.body(body, env, context))

    def literal(self, literal: ast.Literal, env: Env, context: Context) -> Iterator[Env]:
        """The environments in which one literal holds."""
        note = self.recorder.enter(literal)
        found = self._literal(literal, env, context)
        held = False
        while True:
            started = perf_counter()
            bound = next(found, None)
            note.seconds += perf_counter() - started
            if bound is None:
                break
            note.solutions += 1
            if not held:
                held = True
                note.held += 1
            yield bound
        if not held:
            self.recorder.failed(note, self, env, context)

    def _literal(self, literal: ast.Literal, env: Env, context: Context) -> Iterator[Env]:
        withs = getattr(literal, "withs", ())
        if not withs:
            yield from self._plain(literal, env, context)
            return
        for changes in self.changes(withs, env, context):
            yield from self._plain(literal, env, context.derive(changes))

    def changes(self, withs: Sequence[ast.With], env: Env, context: Context) -> Iterator[list[Any]]:
        if not withs:
            yield []
            return
        for change in self._change(withs[0], env, context):
            for rest in self.changes(withs[1:], env, context):
                yield [change, *rest]

    def _change(self, changed: ast.With, env: Env, context: Context) -> Iterator[tuple[str, Any, Any]]:
        target = changed.target
        head = target if isinstance(target, ast.Var) else target.head
        path = constant(target.path) if isinstance(target, ast.Ref) else ()
        root = head.name if isinstance(head, ast.Var) else ""
        if root == "input" or (root == "data" and not self.is_function(path)):
            for value, _ in self.term(changed.value, env, context):
                yield (root, path, value)
            return
        mocked = mocked_name(path) if root == "data" else root
        value = changed.value
        if isinstance(value, ast.Var) and value.name not in env and value.name != "input":
            name = value.name
            yield ("mock", mocked, lambda inner, *args: support.call(inner, name, args))
        elif isinstance(value, ast.Ref) and self.is_function(function := constant(value.path)):
            yield ("mock", mocked, lambda inner, *args: self.apply(function, list(args), inner))
        else:
            for found, _ in self.term(value, env, context):
                yield ("mock", mocked, found)

    def _plain(self, literal: ast.Literal, env: Env, context: Context) -> Iterator[Env]:
        match literal:
            case ast.Expr(negated=True):
                if not self.holds(self.inner(literal), env, context):
                    yield env
            case ast.NotBody():
                if not self.holds(literal.body, env, context):
                    yield env
            case ast.Expr():
                yield from self.statement(literal.term, env, context)
            case ast.SomeIn():
                for collection, bound in self.term(literal.collection, env, context):
                    for key, value in support.ordered(collection):
                        for keyed in [bound] if literal.key is None else self.match(literal.key, key, bound, context):
                            yield from self.match(literal.value, value, keyed, context)
            case ast.Every():
                yield from self._every(literal, env, context)
            case _:
                yield env

    def inner(self, literal: ast.Expr) -> ast.Body:
        """What a `not` negates, always the same object so that it has one history."""
        if id(literal) not in self.negated:
            self.negated[id(literal)] = (ast.Expr(literal.term, span=literal.span),)
            self.kept.append(literal)
        return self.negated[id(literal)]

    def _every(self, literal: ast.Every, env: Env, context: Context) -> Iterator[Env]:
        for domain, bound in self.term(literal.domain, env, context):
            if type(domain) not in _SCALARS and next(self.exceptions(literal, domain, bound, context), None) is None:
                yield bound

    def exceptions(self, literal: ast.Every, domain: Any, env: Env, context: Context) -> Iterator[Env]:
        """The elements, as environments, for which the body of an `every` does not hold."""
        for key, value in support.ordered(domain):
            made = {**env, literal.value.name: value}
            if literal.key is not None:
                made[literal.key.name] = key
            if not self.holds(literal.body, made, context):
                yield made

    def statement(self, term: ast.Term, env: Env, context: Context) -> Iterator[Env]:
        if isinstance(term, ast.Call) and isinstance(term.operator, ast.Var) and term.operator.name == "eq":
            if is_moved(term.args[0]):
                self.moved[term.args[0].name] = term.args[1]
            yield from self.unify(term.args[0], term.args[1], env, context)
            return
        if isinstance(term, ast.Call) and term.infix is None and len(term.args) > 1 and self.with_output(term):
            inner = ast.Call(term.operator, term.args[:-1], span=term.span)
            for value, bound in self.term(inner, env, context):
                yield from self.match(term.args[-1], value, bound, context)
            return
        for value, bound in self.term(term, env, context):
            if value is not False:
                yield bound

    def with_output(self, call: ast.Call) -> bool:
        if isinstance(call.operator, ast.Var):
            return support.arity(call.operator.name) == len(call.args) - 1
        path = constant(call.operator.path)
        return self.is_function(path) and len(self.groups[path][0].args) == len(call.args) - 1

    # ------------------------------------------------------------- unification

    def unify(self, left: ast.Term, right: ast.Term, env: Env, context: Context) -> Iterator[Env]:
        if isinstance(left, ast.Array) and isinstance(right, ast.Array):
            if len(left.items) == len(right.items):
                yield from self._pairs(list(zip(left.items, right.items, strict=True)), env, context)
            return
        if self._ready(right, env):
            left, right = right, left
        for value, bound in self.term(left, env, context):
            yield from self.match(right, value, bound, context)

    def _pairs(self, pairs: list[tuple[ast.Term, ast.Term]], env: Env, context: Context) -> Iterator[Env]:
        if not pairs:
            yield env
            return
        chosen = next((p for p in pairs if self._ready(p[0], env) or self._ready(p[1], env)), pairs[0])
        rest = [pair for pair in pairs if pair is not chosen]
        for bound in self.unify(*chosen, env, context):
            yield from self._pairs(rest, bound, context)

    def _ready(self, term: ast.Term, env: Env) -> bool:
        return not required(term, frozenset(env)) - frozenset(env)

    def match(self, pattern: ast.Term, value: Any, env: Env, context: Context) -> Iterator[Env]:
        """The environments in which a value has a pattern."""
        free = pattern_variables(pattern) - frozenset(env)
        if isinstance(pattern, ast.Var) and free:
            yield {**env, pattern.name: value}
        elif isinstance(pattern, ast.Array) and free:
            if type(value) is list and len(value) == len(pattern.items):
                yield from self._items(list(zip(pattern.items, value, strict=True)), env, context)
        elif isinstance(pattern, ast.Object) and free:
            if type(value) in _OBJECTS and len(value) == len(pattern.items):
                yield from self._fields(pattern.items, value, env, context)
        else:
            for found, bound in self.term(pattern, env, context):
                if equal(found, value):
                    yield bound

    def _items(self, items: list[tuple[ast.Term, Any]], env: Env, context: Context) -> Iterator[Env]:
        if not items:
            yield env
            return
        for bound in self.match(*items[0], env, context):
            yield from self._items(items[1:], bound, context)

    def _fields(
        self, fields: Sequence[tuple[ast.Term, ast.Term]], value: Any, env: Env, context: Context
    ) -> Iterator[Env]:
        if not fields:
            yield env
            return
        for key, bound in self.term(fields[0][0], env, context):
            item = support.get(value, key)
            if item is not UNDEFINED:
                for matched in self.match(fields[0][1], item, bound, context):
                    yield from self._fields(fields[1:], value, matched, context)

    # ------------------------------------------------------------- terms

    def term(self, term: ast.Term, env: Env, context: Context) -> Iterator[tuple[Any, Env]]:
        """The values of a term, each with what its references bound."""
        match term:
            case ast.Null():
                yield None, env
            case ast.Boolean() | ast.String():
                yield term.value, env
            case ast.Number():
                yield number(term.text), env
            case ast.Var():
                yield from self._var(term, env, context)
            case ast.Ref():
                yield from self._ref(term, env, context)
            case ast.Call():
                yield from self._call(term, env, context)
            case ast.Array():
                for values, bound in self.terms(term.items, env, context):
                    yield values, bound
            case ast.SetTerm():
                for values, bound in self.terms(term.items, env, context):
                    yield support.make_set(values), bound
            case ast.Object():
                flat = tuple(part for pair in term.items for part in pair)
                for values, bound in self.terms(flat, env, context):
                    yield support.written_object(list(zip(values[::2], values[1::2], strict=True))), bound
            case ast.ArrayCompr() | ast.SetCompr() | ast.ObjectCompr():
                yield self._comprehension(term, env, context), env
            case ast.Template():
                yield "".join(p if isinstance(p, str) else self._hole(p, env, context) for p in term.parts), env
            case ast.Logical():
                sides = (self.holds(side, env, context) for side in (term.left, term.right))
                yield (all(sides) if term.op == "and" else any(sides)), env

    def terms(self, terms: Sequence[ast.Term], env: Env, context: Context) -> Iterator[tuple[list[Any], Env]]:
        """Every combination of the values of terms, those first that need nothing which another one binds."""
        if not terms:
            yield [], env
            return
        chosen = next((n for n, term in enumerate(terms) if self._ready(term, env)), 0)
        for value, bound in self.term(terms[chosen], env, context):
            for rest, last in self.terms((*terms[:chosen], *terms[chosen + 1 :]), bound, context):
                yield [*rest[:chosen], value, *rest[chosen:]], last

    def _var(self, term: ast.Var, env: Env, context: Context) -> Iterator[tuple[Any, Env]]:
        if term.name in env:
            yield env[term.name], env
        elif term.name == "input":
            if context.input is not UNDEFINED:
                yield context.input, env
        elif term.name == "data" and (value := self.document((), context)) is not UNDEFINED:
            yield value, env

    def _ref(self, ref: ast.Ref, env: Env, context: Context) -> Iterator[tuple[Any, Env]]:
        path = list(ref.path)
        if isinstance(ref.head, ast.Var) and ref.head.name == "data":
            prefix: Path = ()
            while path and prefix not in self.groups and isinstance(path[0], ast.String):
                prefix = (*prefix, path[0].value)
                path.pop(0)
            value = self.document(prefix, context)
            if value is not UNDEFINED:
                yield from self._steps(value, path, env, context)
            return
        for head, bound in self.term(ref.head, env, context):
            yield from self._steps(head, path, bound, context)

    def _steps(self, value: Any, path: Sequence[ast.Term], env: Env, context: Context) -> Iterator[tuple[Any, Env]]:
        if not path:
            yield value, env
            return
        part = path[0]
        if pattern_variables(part) - frozenset(env):
            for key, item in support.ordered(value):
                for bound in self.match(part, key, env, context):
                    yield from self._steps(item, path[1:], bound, context)
            return
        for key, bound in self.term(part, env, context):
            item = support.get(value, key)
            if item is not UNDEFINED:
                yield from self._steps(item, path[1:], bound, context)

    def _call(self, call: ast.Call, env: Env, context: Context) -> Iterator[tuple[Any, Env]]:
        for args, bound in self.terms(call.args, env, context):
            if isinstance(call.operator, ast.Var):
                name = "equal" if call.operator.name == "eq" else call.operator.name
                if name == "set" and not args:
                    yield support.make_set([]), bound
                    continue
                value = self.builtin(name, args, call, context)
                if name == "walk" and value is not UNDEFINED:
                    yield from ((pair, bound) for pair in value)
                    continue
            else:
                value = self.apply(constant(call.operator.path), args, context)
            if value is not UNDEFINED:
                yield value, bound

    def builtin(self, name: str, args: list[Any], call: ast.Call, context: Context) -> Any:
        """The value of a builtin; its error is noted, and ends the evaluation where the context is strict."""
        if name in context.mocks:
            return support.mocked(context, name, args)
        try:
            return support.call(context.in_strictness(), name, args)
        except support.EvalError as error:
            self.recorder.error(error, call.span)
            if context.strict:
                raise
            return UNDEFINED

    def _comprehension(self, term: ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr, env: Env, context: Context) -> Any:
        if isinstance(term, ast.ObjectCompr):
            heads = (term.key, term.value)
            found = self.body(term.body, env, context, heads)
            return support.make_object([(k, v) for e in found for (k, v), _ in self.terms(heads, e, context)])
        found = self.body(term.body, env, context, (term.term,))
        values = [value for e in found for value, _ in self.term(term.term, e, context)]
        return values if isinstance(term, ast.ArrayCompr) else support.make_set(values)

    def _hole(self, term: ast.Term, env: Env, context: Context) -> str:
        return support.text(next((value for value, _ in self.term(term, env, context)), UNDEFINED))

    # ------------------------------------------------------------- rules

    def is_function(self, path: Path) -> bool:
        return path in self.groups and self.groups[path][0].kind == "function"

    def document(self, path: Path, context: Context) -> Any:
        """The value of ``data.path``: a rule's, the base document's, or both merged."""
        if path in self.groups:
            return UNDEFINED if self.is_function(path) else self._rule(path, context)
        below = sorted({p[len(path)] for p in self.groups if p[: len(path)] == path and not self.is_function(p)})
        base = support.base(context, path)
        if not below:
            return base
        return support.merge(base, {name: self.document((*path, name), context) for name in below})

    def names_in(self, package: Path, context: Context) -> dict[str, None]:
        """The names below ``data.package`` where rules are below it, else nothing; no rule is evaluated."""
        length = len(package)
        names = {
            p[length] for p in self.groups if len(p) > length and p[:length] == package and not self.is_function(p)
        }
        base = support.base(context, package)
        return dict.fromkeys(sorted(names | base.keys() if isinstance(base, dict) else names)) if names else {}

    def _rule(self, path: Path, context: Context) -> Any:
        key: Any = path
        if key in context.cache:
            return context.cache[key]
        if context.replaced:
            return context.replacement(path, lambda inner: self._evaluated(path, (), inner), key)
        context.cache[key] = self._evaluated(path, (), context)
        return context.cache[key]

    def apply(self, path: Path, args: Sequence[Any], context: Context) -> Any:
        """The value of a function."""
        mocked = mocked_name(path)
        if mocked in context.mocks:
            return support.mocked(context, mocked, args)
        key = (path, freeze(list(args)))
        if key not in context.cache:
            context.cache[key] = self._evaluated(path, args, context)
        return context.cache[key]

    def _evaluated(self, path: Path, args: Sequence[Any], context: Context) -> Any:
        rules = self.groups[path]
        partial = any(r.keys or r.kind == "set" or r.path != path for r in rules)
        found: list[Any] = []
        for rule in rules:
            if not rule.default:
                found += self._entries(rule, path, args, context)
        if partial:
            whole = all(not r.keys and r.path == path for r in rules)
            return support.make_set([value for _, _, value in found]) if whole else support.document(found)
        what = "functions" if rules[0].kind == "function" else "complete rules"
        value: Any = UNDEFINED
        for _, _, given in found:
            value = support.same(value, given, what)
        defaults = [rule for rule in rules if rule.default] if value is UNDEFINED else []
        for rule in defaults:
            value = next((v for v, _ in self.term(rule.branches[0].value, {}, context)), UNDEFINED)
        return value

    def _entries(self, rule: ResolvedRule, path: Path, args: Sequence[Any], context: Context) -> list[Any]:
        """What a rule adds, as (is a member, keys, value); of several branches the first that holds counts."""
        keys = (*(ast.String(p, span=rule.span) for p in rule.path[len(path) :]), *rule.keys)
        for index, branch in enumerate(rule.branches):
            note = self.recorder.enter_branch(rule, index)
            made = []
            for env in self._items(list(zip(rule.args, args, strict=False)), {}, context):
                for bound in self.body(branch.body, env, context, (branch.value, keys)):
                    for values, _ in self.terms((*keys, branch.value), bound, context):
                        made.append((rule.kind == "set", tuple(values[:-1]), values[-1]))
            if made:
                note.held += 1
                return made
        return []


def is_moved(term: ast.Term) -> TypeGuard[ast.Var]:
    """Whether a term is a name that the compiler made for what it moved out of a `not`."""
    return isinstance(term, ast.Var) and term.name.startswith("__local$")


def constant(path: Sequence[ast.Term]) -> Path:
    """The strings of a path."""
    return tuple(p.value for p in path if isinstance(p, ast.String))


def number(text: str) -> int | Decimal:
    """The value of a literal."""
    return Decimal(text) if any(c in text for c in ".eE") else int(text)


def open_names(body: ast.Body) -> dict[str, str]:
    """The variables of a query that its answers show: unique name → name as written."""
    return {v: v.split("$")[0] for v in sorted(outside(body, ())) if not v.startswith("_$")}
