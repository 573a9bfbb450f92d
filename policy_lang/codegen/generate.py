"""Resolved rules to Python source: bodies are nested loops on plain values.

Each body stands in ``for _ in ONCE:`` so that a literal that fails is a ``continue``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from policy_lang.analysis.resolve import Branch, Path, ResolvedRule, error
from policy_lang.analysis.safety import Names, order, outputs, outside, pattern_variables, required
from policy_lang.runtime.support import arity, builtin
from policy_lang.source import Span
from policy_lang.syntax import ast

Emit = Callable[[], None]
NESTING = 12


@dataclass(slots=True)
class Generator:
    """Writes the functions of one program; ``groups`` are the rules by the path of their document."""

    groups: dict[Path, list[ResolvedRule]]
    lines: list[str] = field(default_factory=list)
    depth: int = 0
    loops: int = 0
    number: int = 0
    context: str = "C"
    bound: set[str] = field(default_factory=set)
    outer: Names = frozenset()

    def put(self, line: str) -> None:
        self.lines.append(" " * self.depth + line)

    def name(self) -> str:
        self.number += 1
        return f"t{self.number}"

    def let(self, value: str) -> str:
        name = self.name()
        self.put(f"{name} = {value}")
        return name

    def defined(self, value: str) -> str:
        name = self.let(value)
        self.put(f"if {name} is U: continue")
        return name

    def nest(self, header: str, inner: Emit) -> None:
        """A block; past Python's limit of nested blocks it becomes a function of its own."""
        saved = self.depth, self.loops
        if self.loops >= NESTING:
            split = self.name()
            self.put(f"def {split}():")
            self.depth += 1
            self.loops = 0
            self.put(header)
            self.depth += 1
            inner()
            self.depth, self.loops = saved
            self.put(f"{split}()")
            return
        self.put(header)
        self.depth, self.loops = self.depth + 1, self.loops + 1
        inner()
        self.depth, self.loops = saved

    def open(self, header: str) -> None:
        """A loop around all that follows in the present body."""
        if self.loops >= NESTING:
            raise error("rego_compile_error", "the body nests too many loops", _NOWHERE)
        self.put(header)
        self.depth += 1
        self.loops += 1

    def variable(self, name: str) -> str:
        return "v" + re.sub(r"\W", "_", name.split("$")[-1])

    def body(self, body: ast.Body, emit: Emit, also: tuple[object, ...] = ()) -> None:
        """The body's loops with ``emit``'s code where all of it holds."""
        saved = set(self.bound), self.outer
        literals, _ = order(body, frozenset(self.bound), also)
        self.outer = outside(body, also) | self.bound

        def inner() -> None:
            for literal in literals:
                self.literal(literal)
            emit()

        self.nest("for _ in ONCE:", inner)
        self.bound, self.outer = saved

    def literal(self, literal: ast.Literal) -> None:
        context = self.context
        withs = getattr(literal, "withs", ())
        if withs:
            changes = ", ".join(self.change(w) for w in withs)
            self.context = self.let(f"{context}.derive([{changes}])")
        match literal:
            case ast.Expr(negated=True):
                self.negation((ast.Expr(literal.term, span=literal.span),))
            case ast.NotBody():
                self.negation(literal.body)
            case ast.Expr():
                self.statement(literal.term)
            case ast.SomeIn():
                collection = self.term(literal.collection)
                key, value = self.name(), self.name()
                self.open(f"for {key}, {value} in items({collection}):")
                if literal.key is not None:
                    self.match(literal.key, key)
                self.match(literal.value, value)
            case ast.Every():
                self.every(literal)
        self.context = context

    def change(self, changed: ast.With) -> str:
        target = changed.target
        head = target if isinstance(target, ast.Var) else target.head
        path = tuple(p.value for p in target.path if isinstance(p, ast.String)) if isinstance(target, ast.Ref) else ()
        root = head.name if isinstance(head, ast.Var) else ""
        if root == "input":
            return f"('input', {path!r}, {self.term(changed.value)})"
        if root == "data" and not self.is_function(path):
            return f"('data', {path!r}, {self.term(changed.value)})"
        mocked = "data." + ".".join(path) if root == "data" else root
        value = changed.value
        if isinstance(value, ast.Var) and "$" not in value.name and value.name != "input":
            return f"('mock', {mocked!r}, lambda c, *a: call(c, {value.name!r}, a))"
        if isinstance(value, ast.Ref) and self.is_function(p := _constant(value.path)):
            return f"('mock', {mocked!r}, {self.function(p)})"
        return f"('mock', {mocked!r}, {self.term(value)})"

    def is_function(self, path: Path) -> bool:
        return path in self.groups and self.groups[path][0].kind == "function"

    def negation(self, body: ast.Body) -> None:
        found = self.let("[]")
        self.body(body, lambda: self.put(f"{found}.append(1)"))
        self.put(f"if {found}: continue")

    def every(self, literal: ast.Every) -> None:
        domain, failed = self.term(literal.domain), self.let("[]")
        key, value = self.name(), self.name()

        def inner() -> None:
            saved = set(self.bound)
            if literal.key is not None:
                self.match(literal.key, key)
            self.match(literal.value, value)
            found = self.let("[]")
            self.body(literal.body, lambda: self.put(f"{found}.append(1)"))
            self.put(f"if not {found}: {failed}.append(1)")
            self.bound = saved

        self.put(f"if type({domain}) in SCALARS: continue")
        self.nest(f"for {key}, {value} in items({domain}):", inner)
        self.put(f"if {failed}: continue")

    def statement(self, term: ast.Term) -> None:
        if isinstance(term, ast.Call) and isinstance(term.operator, ast.Var) and term.operator.name == "eq":
            self.unify(term.args[0], term.args[1])
            return
        if isinstance(term, ast.Call) and term.infix is None and len(term.args) > 1 and self.with_output(term):
            inner = ast.Call(term.operator, term.args[:-1], span=term.span)
            self.match(term.args[-1], self.term(inner))
            return
        value = self.term(term)
        if isinstance(term, ast.Boolean):
            self.put("pass" if term.value else "continue")
        elif not isinstance(term, ast.Null | ast.Number | ast.String):
            self.put(f"if {value if value.isidentifier() else self.let(value)} is False: continue")

    def with_output(self, call: ast.Call) -> bool:
        if isinstance(call.operator, ast.Var):
            return arity(call.operator.name) == len(call.args) - 1
        path = _constant(call.operator.path)
        return self.is_function(path) and len(self.groups[path][0].args) == len(call.args) - 1

    def unify(self, left: ast.Term, right: ast.Term) -> None:
        if isinstance(left, ast.Array) and isinstance(right, ast.Array):
            if len(left.items) != len(right.items):
                self.put("continue")
                return
            pairs = list(zip(left.items, right.items, strict=True))
            while pairs:
                pair = next((p for p in pairs if self.ready(p[0]) or self.ready(p[1])), pairs[0])
                pairs.remove(pair)
                self.unify(*pair)
            return
        if self.ready(right):
            self.match(left, self.term(right))
        else:
            self.match(right, self.term(left))

    def ready(self, term: ast.Term) -> bool:
        return not required(term, self.outer) - self.bound - outputs(term)

    def match(self, pattern: ast.Term, value: str) -> None:
        """Code that goes on only where the value has the pattern, and binds its variables."""
        free = pattern_variables(pattern) - self.bound
        if isinstance(pattern, ast.Var) and free:
            self.bound.add(pattern.name)
            self.put(f"{self.variable(pattern.name)} = {value}")
        elif isinstance(pattern, ast.Array) and free:
            self.put(f"if type({value}) is not list or len({value}) != {len(pattern.items)}: continue")
            for index, item in enumerate(pattern.items):
                self.match(item, self.let(f"{value}[{index}]"))
        elif isinstance(pattern, ast.Object) and free:
            self.put(f"if type({value}) not in OBJECTS or len({value}) != {len(pattern.items)}: continue")
            for key, item in pattern.items:
                self.match(item, self.defined(f"get({value}, {self.term(key)})"))
        else:
            self.put(f"if not equal({self.term(pattern)}, {value}): continue")

    def term(self, term: ast.Term) -> str:
        """Code that evaluates a term (loops over what its references leave open) and the value's name."""
        match term:
            case ast.Null():
                return "None"
            case ast.Boolean():
                return repr(term.value)
            case ast.Number():
                return repr(int(term.text)) if re.fullmatch(r"-?\d+", term.text) else f"Decimal({term.text!r})"
            case ast.String():
                return repr(term.value)
            case ast.Var():
                return self.local(term)
            case ast.Ref():
                return self.ref(term)
            case ast.Call():
                return self.call(term)
            case ast.Array():
                return self.let("[" + ", ".join([self.term(item) for item in term.items]) + "]")
            case ast.SetTerm():
                return self.let("make_set([" + ", ".join([self.term(item) for item in term.items]) + "])")
            case ast.Object():
                pairs = [f"({self.term(k)}, {self.term(v)})" for k, v in term.items]
                return self.let("make_object([" + ", ".join(pairs) + "])")
            case ast.ArrayCompr() | ast.SetCompr() | ast.ObjectCompr():
                return self.comprehension(term)
            case ast.Template():
                return self.template(term)
            case ast.Logical():
                return self.logical(term)

    def local(self, term: ast.Var) -> str:
        if term.name == "input":
            return self.defined(f"{self.context}.input")
        if term.name == "data":
            return self.document(())
        if term.name not in self.bound:
            raise error("rego_unsafe_var_error", f"var {term.name.split('$')[0]} is unsafe", term.span)
        return self.variable(term.name)

    def comprehension(self, term: ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr) -> str:
        found = self.let("[]")
        if isinstance(term, ast.ObjectCompr):
            key, value = term.key, term.value
            self.body(
                term.body, lambda: self.put(f"{found}.append(({self.term(key)}, {self.term(value)}))"), (key, value)
            )
            return self.let(f"make_object({found})")
        item = term.term
        self.body(term.body, lambda: self.put(f"{found}.append({self.term(item)})"), (item,))
        return found if isinstance(term, ast.ArrayCompr) else self.let(f"make_set({found})")

    def template(self, term: ast.Template) -> str:
        parts = []
        for part in term.parts:
            if isinstance(part, str):
                parts.append(repr(part))
                continue
            hole = self.let("[]")
            hold: ast.Term = part
            self.body((), lambda hole=hole, hold=hold: self.put(f"{hole}.append({self.term(hold)})"))  # type: ignore[misc]
            parts.append(f"text({hole}[0] if {hole} else U)")
        return self.let("''.join([" + ", ".join(parts) + "])")

    def logical(self, term: ast.Logical) -> str:
        found = self.let("[]")
        first, second = self.let("[]"), self.let("[]")
        self.body(term.left, lambda: self.put(f"{first}.append(1)"))
        self.body(term.right, lambda: self.put(f"{second}.append(1)"))
        self.put(f"{found} = bool({first}) {'and' if term.op == 'and' else 'or'} bool({second})")
        return found

    def call(self, term: ast.Call) -> str:
        if isinstance(term.operator, ast.Var):
            name = "equal" if term.operator.name == "eq" else term.operator.name
            if name == "set" and not term.args:
                return "make_set([])"
            if name == "walk" and len(term.args) == 1:
                pairs, pair = self.defined(f"call({self.context}, 'walk', [{self.term(term.args[0])}])"), self.name()
                self.open(f"for {pair} in {pairs}:")
                return pair
            if builtin(name) is None:
                raise error("rego_type_error", f"undefined function {name}", term.span)
            args = ", ".join([self.term(a) for a in term.args])
            return self.defined(f"call({self.context}, {name!r}, [{args}])")
        path = _constant(term.operator.path)
        if not self.is_function(path):
            raise error("rego_type_error", f"undefined function data.{'.'.join(path)}", term.span)
        args = "".join([", " + self.term(a) for a in term.args])
        return self.defined(f"{self.function(path)}({self.context}{args})")

    def function(self, path: Path) -> str:
        return f"r{list(self.groups).index(path)}"

    def ref(self, ref: ast.Ref) -> str:
        path = list(ref.path)
        if isinstance(ref.head, ast.Var) and ref.head.name == "data":
            prefix: Path = ()
            while path and prefix not in self.groups and isinstance(path[0], ast.String):
                prefix = (*prefix, path[0].value)
                path.pop(0)
            value = self.document(prefix)
        else:
            value = self.term(ref.head)
        for part in path:
            value = self.step(value, part)
        return value

    def document(self, path: Path) -> str:
        """The value of ``data.path``: a rule's, the base document's, or both merged."""
        if path in self.groups:
            if self.is_function(path):
                raise error("rego_type_error", f"function data.{'.'.join(path)} is not called", _NOWHERE)
            return self.defined(f"{self.function(path)}({self.context})")
        return self.defined(self.tree(path))

    def tree(self, path: Path) -> str:
        below = sorted({p[len(path)] for p in self.groups if p[: len(path)] == path and not self.is_function(p)})
        base = f"base({self.context}, {path!r})"
        if not below:
            return base
        parts = []
        for name in below:
            child = (*path, name)
            value = f"{self.function(child)}({self.context})" if child in self.groups else self.tree(child)
            parts.append(f"{name!r}: {value}")
        return f"merge({base}, {{{', '.join(parts)}}})"

    def step(self, value: str, part: ast.Term) -> str:
        if pattern_variables(part) - self.bound:
            key, item = self.name(), self.name()
            self.open(f"for {key}, {item} in items({value}):")
            self.match(part, key)
            return item
        return self.defined(f"get({value}, {self.term(part)})")

    def rule(self, path: Path, rules: list[ResolvedRule]) -> None:
        """The function of one document or function."""
        self.context, self.bound, self.depth, self.loops = "C", set(), 1, 0
        count = len(rules[0].args)
        args = [f"a{i}" for i in range(count)]
        name, key = self.function(path), repr(path)
        self.lines.append(f"def {name}(C{''.join(', ' + a for a in args)}):")
        if rules[0].kind == "function":
            mocked = "data." + ".".join(path)
            self.put(f"if C.mocks and {mocked!r} in C.mocks: return mocked(C, {mocked!r}, [{', '.join(args)}])")
            self.put(f"k = ({key}, freeze([{', '.join(args)}]))")
        else:
            self.put(f"k = {key}")
            self.put("if C.replaced and (x := C.replacement(k)) is not MISSING: return x")
        self.put("x = C.cache.get(k, MISSING)")
        self.put("if x is not MISSING: return x")
        self.put("out = []")
        partial = any(r.keys or r.kind == "set" or r.path != path for r in rules)
        for rule in rules:
            if not rule.default:
                self.branches(rule, path, partial)
        self.result(path, rules, partial)
        self.put("C.cache[k] = x")
        self.put("return x")

    def result(self, path: Path, rules: list[ResolvedRule], partial: bool) -> None:
        if partial:
            whole_set = all(not r.keys and r.path == path for r in rules)
            self.put("x = make_set(out)" if whole_set else "x = document(out)")
            return
        what = "functions" if rules[0].kind == "function" else "complete rules"
        self.put(f"x = single(out, {what!r})")
        for rule in rules:
            if rule.default:
                self.put("for _ in ONCE if x is U else ():")
                self.depth += 1
                value = self.term(rule.branches[0].value)
                self.put(f"x = {value}")
                self.depth -= 1

    def branches(self, rule: ResolvedRule, path: Path, partial: bool) -> None:
        found = self.let("[]") if len(rule.branches) > 1 else ""
        for index, branch in enumerate(rule.branches):
            saved = self.depth
            if index:
                self.put(f"if not {found}:")
                self.depth += 1
            self.branch(rule, branch, path, partial, found)
            self.depth = saved

    def branch(self, rule: ResolvedRule, branch: Branch, path: Path, partial: bool, found: str) -> None:
        value_term, body = branch.value, branch.body
        keys = (*(ast.String(p, span=rule.span) for p in rule.path[len(path) :]), *rule.keys)

        def emit() -> None:
            names = "".join([self.term(k) + ", " for k in keys])
            value = self.term(value_term)
            if partial and (keys or rule.kind != "set"):
                self.put(f"out.append(({rule.kind == 'set'}, ({names}), {value}))")
            else:
                self.put(f"out.append({value})")
            if found:
                self.put(f"{found}.append(1)")

        def inner() -> None:
            for index, arg in enumerate(rule.args):
                self.match(arg, f"a{index}")
            self.body(body, emit, (value_term, *keys))

        self.bound = set()
        self.nest("for _ in ONCE:", inner)
        self.bound = set()


_NOWHERE = Span("<query>", 1, 1, 1, 1)


def _constant(path: tuple[ast.Term, ...]) -> Path:
    return tuple(p.value for p in path if isinstance(p, ast.String))


def grouped(rules: list[ResolvedRule]) -> dict[Path, list[ResolvedRule]]:
    """Rules by document: those with dynamic keys take in all rules below their path."""
    roots = {r.path for r in rules if r.keys or r.kind == "set"}
    groups: dict[Path, list[ResolvedRule]] = {}
    for rule in rules:
        lengths = [n for n in range(1, len(rule.path)) if rule.path[:n] in roots]
        path = rule.path[: lengths[0]] if lengths else rule.path
        groups.setdefault(path, []).append(rule)
    return groups


def generate(rules: list[ResolvedRule]) -> Generator:
    """The generator with all rules' functions written."""
    made = Generator(grouped(rules))
    for path, group in made.groups.items():
        made.rule(path, group)
    return made


def query(program: Generator, body: ast.Body) -> tuple[str, dict[str, str]]:
    """The source of ``query(C)``, which gives the list of bindings, and the bindings' names."""
    made = Generator(program.groups, number=program.number)
    made.put("def query(C):")
    made.depth = 1
    made.put("out = []")
    names = {v: v.split("$")[0] for v in sorted(_open(body)) if not v.startswith("_$")}

    def emit() -> None:
        pairs = [f"{shown!r}: {made.variable(v)}" for v, shown in names.items() if v in made.bound]
        made.put(f"out.append({{{', '.join(pairs)}}})")

    made.body(body, emit)
    made.put("return out")
    return "\n".join(made.lines), names


def _open(body: ast.Body) -> Names:
    return outside(body, ())
