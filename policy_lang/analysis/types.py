"""Type checking: what can never hold, because no values of the types at hand could make it hold.

Types come from constants, from the declarations of builtins, from the rules of the program, and, in
``.floe`` files, from the schema of the input. Everything else is ``any``. Bodies are followed in the order
in which they run, so that each variable's type is known where it is used.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from policy_lang import types
from policy_lang.analysis.inputs import InputFields
from policy_lang.analysis.plain_calls import PlainCall
from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.analysis.safety import NONE, arrange, outside, variables
from policy_lang.diagnostics import Diagnostic
from policy_lang.runtime.builtins.declarations import declaration
from policy_lang.runtime.values import freeze
from policy_lang.source import Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.syntax.describe import describe
from policy_lang.types import ANY, ArrayType, Field, FunctionType, ObjectType, SetType, Type, UnionType

Env = dict[str, Type]
_MOST_INSTANCES = 16
_MOST_PARTS = 5_000
_CHECKED = (ast.Ref, ast.Call, ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr, ast.Logical, ast.Template)


@dataclass(frozen=True, slots=True)
class TypedRule:
    """A rule, the packages of its module, and whether its ``input`` has the schema's type."""

    rule: ResolvedRule
    package: Path
    typed: bool


@dataclass(slots=True)
class Checker:
    """Checks rules; ``input`` is the type of the input where a module has a typed one, ``called`` are the rules
    without arguments that are called."""

    rules: Sequence[TypedRule]
    input: Type = ANY
    called: Sequence[PlainCall] = ()
    found: dict[tuple[str, Span | None, str], Diagnostic] = field(default_factory=dict)
    _groups: dict[Path, list[TypedRule]] = field(default_factory=dict)
    _below: dict[Path, set[str]] = field(default_factory=dict)
    _packages: set[Path] = field(default_factory=set)
    _documents: dict[Path, Type] = field(default_factory=dict)
    _functions: dict[Path, FunctionType] = field(default_factory=dict)
    _instances: dict[Path, dict[tuple[Type, ...], Type]] = field(default_factory=dict)
    _fields: InputFields = field(default_factory=InputFields)
    _inferred: dict[int, Type] = field(default_factory=dict)
    """The types of what the operands of the call at hand hold, by the terms' identities."""
    _now: Type = ANY
    _typed: bool = False
    """Whether the rule at hand is of a `.floe` file: more is said there than OPA says of Rego."""

    def __post_init__(self) -> None:
        self._fields = InputFields.of(self.input)
        for one in self.rules:
            path = one.rule.path
            self._groups.setdefault(path, []).append(one)
            for count in range(len(path)):
                self._below.setdefault(path[:count], set()).add(path[count])
            for count in range(len(one.package) + 1):
                self._packages.add(one.package[:count])

    def check(self) -> tuple[Diagnostic, ...]:
        """All findings: ``rego_type_error``, and ``floe_input_error`` for fields that the input has not."""
        for path, group in self._groups.items():
            if group[0].rule.kind == "function":
                self.function(path)
            else:
                self.document(path)
        for call in self.called:
            if self.document(call.path) != ANY:
                self.complain(
                    f"undefined function {describe(call.operator)}", call.span, "it is a rule: leave `()` out"
                )
        return tuple(self.found.values())

    # ----------------------------------------------------------------- rules

    def document(self, path: Path) -> Type:
        """The type of the document that the rules at and below a path make."""
        if path not in self._documents:
            self._documents[path] = ANY  # what a rule sees of itself, where recursion was let through
            self._documents[path] = self._document(path)
        return self._documents[path]

    def _document(self, path: Path) -> Type:
        found = [self.rule(one) for one in self._groups.get(path, ())]
        keyed = [one.rule for one in self._groups.get(path, ()) if one.rule.keys]
        below = sorted(self._below.get(path, ()))
        if not below:
            return types.union(*found) if found else ANY
        fields = [Field(name, self.document((*path, name))) for name in below if not self.is_function((*path, name))]
        rests = [one.rest for one in found if isinstance(one, ObjectType) and one.rest is not None]
        if not keyed:
            return types.object_type(fields, (ANY, ANY))
        rest = (types.union(*(key for key, _ in rests)), types.union(*(value for _, value in rests)))
        merged = [Field(one.key, types.union(one.type, rest[1])) for one in fields]
        return types.object_type(merged, (ANY if not rests else rest[0], ANY if not rests else rest[1]))

    def is_function(self, path: Path) -> bool:
        return path in self._groups and self._groups[path][0].rule.kind == "function"

    def rule(self, one: TypedRule) -> Type:
        """What one rule adds to its document."""
        rule = one.rule
        values: list[Type] = []
        keys: list[list[Type]] = [[] for _ in rule.keys]
        saved = self._now, self._typed
        self._now, self._typed = self.input if one.typed else ANY, one.typed
        for branch in rule.branches:
            env: Env = {}
            self.body(branch.body, env, (branch.value, *rule.keys))
            values.append(self.infer(branch.value, env))
            for index, key in enumerate(rule.keys):
                keys[index].append(self.infer(key, env))
        self._now, self._typed = saved
        made = SetType(types.union(*values)) if rule.kind == "set" else types.union(*values)
        for index in range(len(keys) - 1, -1, -1):
            constant = _scalar(rule.keys[index])
            if constant is not None:
                made = types.object_type([Field(constant[0], made)], (ANY, ANY))
            else:
                made = ObjectType((), (types.union(*keys[index]), made))
        return made

    def function(self, path: Path) -> FunctionType:
        """The type of a function: of its arguments what its bodies demand of them."""
        if path not in self._functions:
            rules = self._groups[path]
            count = len(rules[0].rule.args)
            self._functions[path] = FunctionType((ANY,) * count, ANY)
            args: list[tuple[Type, ...]] = []
            results: list[Type] = []
            for one in rules:
                for env, result in self._branches(one, None):
                    results.append(result)
                    args.append(tuple(self.infer(arg, env) for arg in one.rule.args))
            merged = tuple(types.union(*column) for column in zip(*args, strict=True)) if args else (ANY,) * count
            self._functions[path] = FunctionType(merged, types.union(*results))
        return self._functions[path]

    def _branches(self, one: TypedRule, given: Sequence[Type] | None) -> Iterable[tuple[Env, Type]]:
        saved = self._now, self._typed
        self._now, self._typed = self.input if one.typed else ANY, one.typed
        for branch in one.rule.branches:
            env: Env = {}
            if given is not None:
                for arg, of in zip(one.rule.args, given, strict=True):
                    self.match(arg, of, env)
            self.body(branch.body, env, (branch.value,), args=one.rule.args)
            yield env, self.infer(branch.value, env)
        self._now, self._typed = saved

    def instance(self, path: Path, args: tuple[Type, ...]) -> Type:
        """The result of a function for arguments that come from the typed input; checks its bodies with them."""
        known = self._instances.setdefault(path, {})
        if args in known:
            return known[args]
        if len(known) >= _MOST_INSTANCES:
            return ANY
        known[args] = ANY
        kept, outer = self.found, self._inferred
        self.found, self._inferred = {}, {}
        results = [result for one in self._groups[path] for _, result in self._branches(one, args)]
        new = {key: one for key, one in self.found.items() if one.code == "floe_input_error"}
        self.found, self._inferred = {**kept, **new}, outer
        known[args] = types.union(*results)
        return known[args]

    # ----------------------------------------------------------------- bodies

    def body(self, body: ast.Body, env: Env, results: tuple[object, ...], args: tuple[ast.Term, ...] = ()) -> None:
        """Follows a body; ``env`` takes in the types of its variables."""
        bound = frozenset(env) | NONE.union(*(variables(arg) for arg in args))
        done, _, _ = arrange(body, bound, outside(body, results) | bound)
        for literal in done:
            self.literal(literal, env)

    def literal(self, literal: ast.Literal, env: Env) -> None:
        saved = self._now
        for changed in getattr(literal, "withs", ()):
            self.infer(changed.value, env)
            head = changed.target if isinstance(changed.target, ast.Var) else changed.target.head
            if isinstance(head, ast.Var) and head.name == "input":
                self._now = ANY
        match literal:
            case ast.Expr(term=ast.Call() as call):
                self.call(call, env, statement=True)
            case ast.Expr():
                self.infer(literal.term, env)
            case ast.NotBody() if self._typed:
                self.body(literal.body, dict(env), ())
            case ast.SomeIn():
                self.some(literal, env)
            case ast.Every():
                domain = self.infer(literal.domain, env)
                if self._typed:
                    inner = dict(env)
                    if literal.key is not None:
                        inner[literal.key.name] = types.keys(domain) or ANY
                    inner[literal.value.name] = types.values(domain) or ANY
                    self.body(literal.body, inner, ())
            case _:
                pass
        self._now = saved

    def some(self, literal: ast.SomeIn, env: Env) -> None:
        collection = self.infer(literal.collection, env)
        keys, values = types.keys(collection) or ANY, types.values(collection)
        if values is None:
            if not isinstance(literal.collection, ast.String | ast.Number | ast.Boolean | ast.Null):
                text = f"undefined ref: {describe(literal.collection)}[_]"
                self.complain(text, literal.span, f"it is {types.show(collection)}")
            values = ANY
        if values == types.NOTHING:  # what a loop over an empty collection binds has any type
            keys = values = ANY
        if literal.key is not None and not self.match(literal.key, keys, env):
            self.mismatch(literal.span, self.infer(literal.key, env), keys)
        if not self.match(literal.value, values, env):
            self.mismatch(literal.span, self.infer(literal.value, env), values)

    # ----------------------------------------------------------------- unification

    def unify(self, left: ast.Term, right: ast.Term, env: Env, span: Span) -> None:
        if isinstance(left, ast.Array) and isinstance(right, ast.Array) and len(left.items) == len(right.items):
            for one, other in zip(left.items, right.items, strict=True):
                self.unify(one, other, env, span)
            return
        for pattern, value in ((left, right), (right, left)):
            if self.unknown(pattern, env) and not (self.unknown(value, env) and isinstance(value, ast.Var)):
                of = self.infer(value, env)
                if not self.match(pattern, of, env):
                    self.mismatch(span, self.infer(pattern, env), of)
                return
        first, second = self.infer(left, env), self.infer(right, env)
        if not types.meets(first, second):
            self.mismatch(span, first, second)

    def unknown(self, term: ast.Term, env: Env) -> bool:
        """Whether a pattern has variables without a type."""
        match term:
            case ast.Var():
                return "$" in term.name and term.name not in env
            case ast.Array():
                return any(self.unknown(item, env) for item in term.items)
            case ast.Object():
                return any(self.unknown(value, env) for _, value in term.items)
            case _:
                return False

    def match(self, pattern: ast.Term, of: Type, env: Env, *, one_of: bool = False) -> bool:
        """Gives the variables of a pattern their types; False where no value of the type has the pattern.

        Composites are taken apart, as in OPA: each member of a set must be of the members' type, where of two
        sets' types it is enough that some members are. ``one_of`` says that ``of`` is one of several types: what
        a variable is gets wider then.
        """
        match pattern:
            case ast.Var() if "$" in pattern.name:
                have = env.get(pattern.name)
                if have is not None and (not one_of or self._typed):
                    return types.meets(have, of)
                env[pattern.name] = of if have is None else types.union(have, of)
                return True
            case ast.Array() | ast.SetTerm() | ast.Object():
                if isinstance(of, UnionType):
                    # Each is tried, since each adds to the types of the variables.
                    fitting = [self._match_members(pattern, option, env, one_of=True) for option in of.options]
                    return any(fitting)
                return self._match_members(pattern, of, env, one_of=one_of or isinstance(of, types.AnyType))
            case _:
                return types.meets(self._leaf(pattern, env), of)

    def _match_members(self, pattern: ast.Term, of: Type, env: Env, *, one_of: bool) -> bool:
        if not self._has_shape(pattern, of):
            return False
        pairs: list[tuple[ast.Term, Type]] = []
        if isinstance(pattern, ast.Array):
            pairs = [(item, types.select(of, index) or ANY) for index, item in enumerate(pattern.items)]
        elif isinstance(pattern, ast.SetTerm):
            pairs = [(item, types.values(of) or ANY) for item in pattern.items]
        elif isinstance(pattern, ast.Object):
            pairs = [(item, self._member(of, _scalar(key))) for key, item in pattern.items]
        fitting = [self.match(item, member, env, one_of=one_of) for item, member in pairs]
        return all(fitting) or isinstance(of, types.AnyType)

    def _leaf(self, term: ast.Term, env: Env) -> Type:
        """The type of what is no composite. Comprehensions and calls that an operand holds are not checked again:
        nested ones would be checked twice as often on each level."""
        known = self._inferred.get(id(term))
        return self.infer(term, env) if known is None else known

    def _has_shape(self, pattern: ast.Term, of: Type) -> bool:
        if isinstance(of, types.AnyType):
            return True
        if isinstance(pattern, ast.SetTerm):
            return isinstance(of, SetType)
        if isinstance(pattern, ast.Array):
            count = len(pattern.items)
            return isinstance(of, ArrayType) and (
                len(of.items) == count or (len(of.items) < count and of.rest is not None)
            )
        if not isinstance(of, ObjectType) or not isinstance(pattern, ast.Object):
            return False
        known = [constant[0] for key, _ in pattern.items if (constant := _scalar(key)) is not None]
        return all(types.select(of, key) is not None for key in known)

    def _member(self, of: Type, constant: tuple[Hashable] | None) -> Type:
        found = types.select(of, constant[0]) if constant is not None else types.values(of)
        return ANY if found is None else found

    def mismatch(self, span: Span, left: Type, right: Type) -> None:
        hint = f"the left side is {types.show(left)}, the right side {types.show(right)}"
        self.complain("match error", span, hint)

    def complain(self, message: str, span: Span, hint: str = "", code: str = "rego_type_error") -> None:
        self.found.setdefault((code, span, message), Diagnostic(code, message, span, hint=hint))

    # ----------------------------------------------------------------- terms

    def infer(self, term: ast.Term, env: Env) -> Type:
        """The type of a term; checks what is in it."""
        of = self._infer(term, env)
        if isinstance(term, _CHECKED):
            self._inferred[id(term)] = of
        return of

    def _infer(self, term: ast.Term, env: Env) -> Type:
        constant = _scalar(term)
        if constant is not None:
            return types.of_value(constant[0])
        match term:
            case ast.Var():
                return self._now if term.name == "input" else env.get(term.name, ANY)
            case ast.Ref():
                return self.ref(term, env)
            case ast.Call():
                return self.call(term, env, statement=False)
            case ast.Array():
                return _bounded(ArrayType(tuple(self.infer(item, env) for item in term.items)), types.ANY_ARRAY)
            case ast.SetTerm():
                found = [self.infer(item, env) for item in term.items]
                return _bounded(SetType(types.union(*found) if found else ANY), types.ANY_SET)
            case ast.Object():
                return _bounded(self.object(term, env), types.ANY_OBJECT)
            case ast.Template():
                for part in term.parts:
                    if not isinstance(part, str):
                        self.infer(part, dict(env))
                return types.STRING
            case ast.Logical():
                self.body(term.left, dict(env), ())
                self.body(term.right, dict(env), ())
                return types.BOOLEAN
            case ast.ArrayCompr() | ast.SetCompr() | ast.ObjectCompr():
                return self.comprehension(term, dict(env))
            case _:
                return ANY

    def comprehension(self, term: ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr, env: Env) -> Type:
        if isinstance(term, ast.ObjectCompr):
            self.body(term.body, env, (term.key, term.value))
            return ObjectType((), (self.infer(term.key, env), self.infer(term.value, env)))
        self.body(term.body, env, (term.term,))
        of = self.infer(term.term, env)
        return ArrayType((), of) if isinstance(term, ast.ArrayCompr) else SetType(of)

    def object(self, term: ast.Object, env: Env) -> Type:
        fields: dict[Hashable, Field] = {}
        keys: list[Type] = []
        values: list[Type] = []
        for key, value in term.items:
            constant = _scalar(key)
            if constant is not None:
                fields[constant[0]] = Field(constant[0], self.infer(value, env), True)
            else:
                keys.append(self.infer(key, env))
                values.append(self.infer(value, env))
        return types.object_type(fields.values(), (types.union(*keys), types.union(*values)) if keys else None)

    # ----------------------------------------------------------------- references

    def ref(self, ref: ast.Ref, env: Env) -> Type:
        if isinstance(ref.head, ast.Var) and ref.head.name == "data":
            of, start = self._into_data(ref)
        else:
            of, start = self.infer(ref.head, env), 0
        for index in range(start, len(ref.path)):
            stepped = self.step(of, ref.path[index], env)
            if stepped is None:
                self.undefined(ref, index, of, env)
                # What follows is checked no more, but its variables must have a type.
                for part in ref.path[index:]:
                    self.match(part, ANY, env)
                return ANY
            of = stepped
        return of

    def _into_data(self, ref: ast.Ref) -> tuple[Type, int]:
        path: Path = ()
        for index, part in enumerate(ref.path):
            if path not in self._packages and (path in self._groups or path in self._below):
                return self.document(path), index
            if not isinstance(part, ast.String):
                return ANY, index
            path = (*path, part.value)
        inside = path not in self._packages and (path in self._groups or path in self._below)
        return (self.document(path) if inside else ANY), len(ref.path)

    def step(self, of: Type, part: ast.Term, env: Env) -> Type | None:
        constant = _scalar(part)
        if constant is not None:
            return types.select(of, constant[0])
        if self.unknown(part, env):
            keys = types.keys(of)
            return types.values(of) if keys is not None and self.match(part, keys, env) else None
        return types.select_by(of, self.infer(part, env))

    def undefined(self, ref: ast.Ref, index: int, of: Type, env: Env) -> None:
        part = ref.path[index]
        wrong = self._fields.missing(of, part)
        if wrong is not None:
            self.complain(wrong.message, part.span, wrong.hint, "floe_input_error")
            return
        shown = describe(ast.Ref(ref.head, ref.path[: index + 1], span=ref.span))
        if isinstance(part, ast.String) and isinstance(of, (ObjectType, UnionType)):
            known = [str(f.key) for one in types.options(of) if isinstance(one, ObjectType) for f in one.fields]
            hint = did_you_mean(part.value, known)
        else:
            hint = f"it is {types.show(of)}"
        self.complain(f"undefined ref: {shown}", part.span, hint)

    # ----------------------------------------------------------------- calls

    def call(self, call: ast.Call, env: Env, *, statement: bool) -> Type:
        if isinstance(call.operator, ast.Var) and call.operator.name in ("eq", "equal") and len(call.args) == 2:
            if not statement and not self._typed:
                for arg in call.args:
                    self.infer(arg, env)
                return types.BOOLEAN
            self.unify(call.args[0], call.args[1], env, call.span)
            return types.BOOLEAN
        if isinstance(call.operator, ast.Var):
            declared = declaration(call.operator.name)
            name = call.operator.name
        else:
            path = tuple(p.value for p in call.operator.path if isinstance(p, ast.String))
            declared = self.function(path) if self.is_function(path) else None
            name = describe(call.operator)
        if declared is None or declared.variadic is not None:
            for arg in call.args:
                self.infer(arg, env)
            return ANY if name != "set" else types.ANY_SET
        count = len(declared.args)
        operands = list(zip(call.args, declared.args, strict=False))
        given, fitting = self._operands(operands, env)
        if name in ("internal.member_2", "internal.member_3") and len(given) == count:
            self._membership(call.span, *given[-2:])
        if not fitting:
            self._invalid(name, given, declared, call)
        result = ANY if declared.result is None else declared.result
        if isinstance(call.operator, ast.Ref) and any(self._fields.within(of) for of in given):
            result = self.instance(path, given)
        if statement and len(call.args) == count + 1 and not self.match(call.args[count], result, env):
            self._invalid(name, (*given, self.infer(call.args[count], env)), declared, call)
        return result

    def _membership(self, span: Span, value: Type, collection: Type) -> None:
        members = types.values(collection)
        if members is not None and members != types.NOTHING and not types.meets(value, members):
            self.mismatch(span, value, members)

    def _operands(self, operands: Sequence[tuple[ast.Term, Type]], env: Env) -> tuple[tuple[Type, ...], bool]:
        """The operands' types, and whether they fit the wanted ones, which variables without a type take."""
        outer, self._inferred = self._inferred, {}
        # All nested calls come first: what they demand of a variable, it has where the outer call is given it.
        nested = {i: self.infer(arg, env) for i, (arg, _) in enumerate(operands) if not isinstance(arg, ast.Var)}
        before = [
            None if self.unknown(arg, env) else nested[i] if i in nested else self.infer(arg, env)
            for i, (arg, _) in enumerate(operands)
        ]
        fitting = all(
            (of is None or types.meets(of, want)) and self.match(arg, want, env)
            for of, (arg, want) in zip(before, operands, strict=True)
        )
        given = [nested[i] if i in nested else self.infer(arg, env) for i, (arg, _) in enumerate(operands)]
        self._inferred = outer
        return tuple(given), fitting

    def _invalid(self, name: str, given: Sequence[Type], declared: FunctionType, call: ast.Call) -> None:
        have = ", ".join(map(types.show, given))
        hint = f"it is given ({have}), and takes ({', '.join(map(types.show, declared.args))})"
        span = call.span if call.infix else call.operator.span
        self.complain(f"{name}: invalid argument(s)", span, hint)


def _bounded(made: Type, loose: Type) -> Type:
    """A type of a reasonable size."""
    return loose if types.is_larger(made, _MOST_PARTS) else made


def _scalar(term: ast.Term) -> tuple[Hashable] | None:
    """The frozen value of a constant scalar."""
    match term:
        case ast.String():
            return (term.value,)
        case ast.Number():
            number = Decimal(term.text)
            return (int(number) if number == number.to_integral_value() else number,)
        case ast.Boolean():
            return (freeze(term.value),)
        case ast.Null():
            return (None,)
        case _:
            return None
