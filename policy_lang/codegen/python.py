"""The plan to Python source: blocks are nested ``if`` and ``for``; a step that fails skips what is inside.

Generated code reads nothing but its arguments and the globals that ``codegen.scope`` gives it. Each line
knows the place in the policy that it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from policy_lang.codegen.expressions import Expressions, Known
from policy_lang.plan import nodes, walks
from policy_lang.plan.mocked import mocked_name
from policy_lang.plan.nodes import (
    Block,
    Clause,
    Function,
    Local,
    Path,
    Plan,
)
from policy_lang.source import Span

LOOPS = 14
DEPTH = 60
"""Python refuses more than 20 nested loops and 100 levels of indentation."""

Put = Callable[[tuple[str, ...]], None]
Emitted = Callable[[nodes.Emit], None]


@dataclass(frozen=True, slots=True)
class Sink:
    """What to do with a solution: ``put`` writes the code for its heads; ``stop`` is the condition under
    which no more solutions are wanted (empty: all are); ``leaves`` says that ``put`` returns; ``ordered`` that
    the order of the solutions shows in the result. ``emitted`` takes the whole step in place of ``put``."""

    put: Put
    stop: str = ""
    leaves: bool = False
    emitted: Emitted | None = None
    ordered: bool = False


@dataclass(slots=True)
class Writer:
    """The source of one program, line by line, with the place in the policy of each line."""

    plan: Plan
    names: dict[Path, str]
    expressions: Expressions
    lines: list[str] = field(default_factory=list)
    spans: list[Span | None] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    depth: int = 0
    loops: int = 0
    number: int = 0
    stepped: bool = False

    # ----------------------------------------------------------------- lines

    def put(self, line: str, span: Span | None = None) -> None:
        self.lines.append("    " * self.depth + line)
        self.spans.append(span)

    def fresh(self) -> str:
        self.number += 1
        return f"q{self.number}"

    @contextmanager
    def inside(self, header: str, span: Span | None = None) -> Iterator[None]:
        """What is written inside stands under ``header``."""
        self.put(header, span)
        self.depth += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.put("pass")
        self.depth -= 1

    # ----------------------------------------------------------------- functions

    def function(self, function: Function) -> None:
        """Writes a rule's function (with its memo, where it is a document)."""
        name = self.names.get(function.path, "query")
        params = "".join(f", {p}" for p in function.params)
        if function.kind in ("function", "query"):
            with self.inside(f"def {name}(C{params}):", function.span):
                if (mocked := mocked_name(function.path)) in self.plan.mocked:
                    args = ", ".join(function.params)
                    self.put(f"if C.mocks and {mocked!r} in C.mocks: return mocked(C, {mocked!r}, [{args}])")
                self.rules(function)
        else:
            number = int(name[1:])
            with self.inside(f"def {name}(C):", function.span):
                self.put(f"x = C.cache.get({number}, MISSING)")
                self.put("if x is not MISSING: return x")
                if self.plan.touched(function.path):
                    self.put(f"x = C.replacement({function.path!r}, whole_{name}, {number})")
                else:
                    self.put(f"x = C.cache[{number}] = whole_{name}(C)")
                self.put("return x")
            with self.inside(f"def whole_{name}(C):", function.span):
                self.rules(function)
        while self.waiting or self.expressions.recalls:
            if self.waiting:
                self.waiting.pop(0)()
            else:
                self.recalled(*self.expressions.recalls.pop(0))

    def recalled(self, op: nodes.Recall, known: Known) -> None:
        """The function of a text that ``Memo`` calls where it does not know the text."""
        self.expressions.leave(known)
        self.expressions.getters, self.expressions.documents = {}, None
        given = "".join([", " + self.expressions.atom(atom) for atom in op.given])
        last = op.block[-1]
        with self.inside(f"def f{op.memory.name}(C, {op.key.name}{given}):", last.span):
            self.block(op.block, Sink(lambda h: self.put(f"return {h[0] if h else True}"), leaves=True))
            self.put(f"return {'U' if isinstance(last, nodes.Emit) and last.heads else False}", last.span)

    def rules(self, function: Function) -> None:
        """The body of a function. Python's names are those of the whole function, so what keeps documents between
        turns of loops is made empty first, once it is known which there are."""
        self.expressions.begin(function)
        blocks = [block for clause in function.clauses for block in clause.branches]
        self.expressions.documents = {} if any(map(scans, blocks)) else None
        start = len(self.lines)
        self.body(function)
        if self.expressions.documents:
            kept = " = ".join(self.expressions.documents.values())
            self.lines.insert(start, "    " * self.depth + f"{kept} = MISSING")
            self.spans.insert(start, function.span)

    def body(self, function: Function) -> None:
        if self.stepped:
            self.put("C.step()", function.span)
        match function.kind:
            case "set":
                self.put("out = RegoSet()")
                self.clauses(function.clauses, self.set_sink("out"))
                self.put("return out")
            case "object":
                self.object_rules(function)
            case "together":
                self.together(function)
            case "query":
                self.put("out = []")
                self.clauses(
                    function.clauses,
                    Sink(lambda h: self.put(f"out.append(({''.join(x + ', ' for x in h)}))"), ordered=True),
                )
                self.put("return out")
            case _:
                self.value_rules(function)

    def value_rules(self, function: Function) -> None:
        """A complete rule or a function: returns its one value, or the default's."""
        if first_is_enough(function):
            self.clauses(function.clauses, Sink(lambda h: self.put(f"return {h[0]}"), leaves=True))
        else:
            what = "functions" if function.kind == "function" else "complete rules"
            self.put("x = U")
            self.clauses(function.clauses, Sink(lambda h: self.put(f"x = same(x, {h[0]}, {what!r})")))
            if function.clauses:
                with self.inside("if x is not U:"):
                    self.put("return x")
        if function.default is not None:
            self.clauses((function.default,), Sink(lambda h: self.put(f"return {h[0]}"), leaves=True))
        self.put("return U")

    def object_rules(self, function: Function) -> None:
        """An object of sets or of values by one key is built directly, a deeper one from its entries."""
        heads = {(block_heads[0], len(block_heads)) for block_heads in _heads(function)}
        shape = next(iter(heads)) if len(heads) == 1 else None
        if shape is not None and shape[1] == 3:
            member = isinstance(shape[0], nodes.Const) and shape[0].value
            self.put("out = {}")
            added = Sink(lambda _: None, emitted=self.added)
            self.clauses(
                function.clauses, added if member else Sink(lambda h: self.put(f"put_key(out, {h[1]}, {h[2]})"))
            )
            self.put("return closed(out)")
            return
        self.put("out = []")
        self.clauses(
            function.clauses,
            Sink(lambda h: self.put(f"out.append(({h[0]}, ({''.join(x + ', ' for x in h[1:-1])}), {h[-1]}))")),
        )
        self.put("return document(out)")

    def added(self, step: nodes.Emit) -> None:
        """A solution of an object of sets: a member, and the key of its set."""
        plain = all(map(self.expressions.is_string, step.heads[1:]))
        key, member = map(self.expressions.atom, step.heads[1:])
        if plain:
            key, member = self.named(key, "k"), self.named(member, "v")
            self.put(f"(out[{key}] if {key} in out else room(out, {key}))[{member}] = {member}")
        else:
            self.put(f"add_at(out, {key}, {member})")

    def together(self, function: Function) -> None:
        """Many documents: each sink has a dict (of what makes a member unique to the member) or a count."""
        for number, kind in enumerate(function.sinks):
            self.put(f"s{number} = 0" if kind == "count" else f"s{number} = {{}}")

        def emitted(step: nodes.Emit) -> None:
            name = f"s{step.sink}"
            if not step.heads:
                self.put(f"{name} += {1 if step.times is None else self.expressions.atom(step.times)}")
                return
            key = self.expressions.unique(step.heads[0])
            code = self.expressions.atom(step.heads[0])
            if key is None and code.isidentifier():
                key = f"freeze({code})"
            if key is None:
                self.put(f"y = {code}")
                key, code = "freeze(y)", "y"
            self.put(f"{name}[{key}] = {code if function.sinks[step.sink] == 'members' else 1}")

        self.clauses(function.clauses, Sink(lambda _: None, emitted=emitted))
        made = [
            f"s{n}" if k == "count" else f"len(s{n})" if k == "number" else f"list(s{n}.values())"
            for n, k in enumerate(function.sinks)
        ]
        self.put(f"return [{', '.join(made)}]")

    def clauses(self, clauses: tuple[Clause, ...], sink: Sink) -> None:
        for clause in clauses:
            if len(clause.branches) == 1 or sink.leaves:
                for block in clause.branches:
                    self.block(block, sink)
                continue
            found = self.fresh()
            self.put(f"{found} = False")

            def put(heads: tuple[str, ...], found: str = found) -> None:
                sink.put(heads)
                self.put(f"{found} = True")

            saved = self.depth
            for index, block in enumerate(clause.branches):
                if index:
                    self.put(f"if not {found}:")
                    self.depth += 1
                    self.put("pass")
                self.block(block, Sink(put, sink.stop, ordered=sink.ordered))
            self.depth = saved

    def set_sink(self, name: str) -> Sink:
        """Solutions go into a set; a string is its own key."""

        def emitted(step: nodes.Emit) -> None:
            of = self.expressions.is_string(step.heads[0])
            code = self.expressions.atom(step.heads[0])
            if of:
                code = self.named(code, "v")
                self.put(f"{name}[{code}] = {code}")
            else:
                self.put(f"add({name}, {code})")

        return Sink(lambda _: None, emitted=emitted)

    def named(self, code: str, name: str) -> str:
        """What an expression can be called more than once: itself where it is a name, else ``name``."""
        if code.isidentifier():
            return code
        self.put(f"{name} = {code}")
        return name

    # ----------------------------------------------------------------- blocks

    def block(self, block: Block, sink: Sink) -> None:
        """The code of a block where the present function goes on after it, whether or not it has solutions."""
        saved = self.depth, self.loops
        kinds = self.expressions.enter()
        self.steps(block, 0, sink)
        self.expressions.leave(kinds)
        self.depth, self.loops = saved

    def steps(self, block: Block, start: int, sink: Sink) -> None:
        conditions: list[tuple[str, Span]] = []
        looped: list[int] = []
        for position in range(start, len(block)):
            step = block[position]
            if isinstance(step, nodes.Let) and not conditions:
                if self.expressions.defer(step, block, position):
                    continue
                conditions += [(code, step.span) for code in self.expressions.guard(step.op)]
            if conditions or not isinstance(step, nodes.Let):
                found = self.expressions.condition(step, block, position)
                if found is not None:
                    conditions += [(code, step.span) for code in found]
                    continue
            self.open(conditions)
            if self.depth > DEPTH or (isinstance(step, nodes.Scan) and self.loops >= LOOPS):
                self.outlined(block, position, sink)
                break
            match step:
                case nodes.Emit():
                    self.emit(step, sink, bool(looped))
                case nodes.Fork():
                    self.fork(step, sink, bool(looped))
                case nodes.Switch():
                    self.switch(step, sink)
                    if sink.stop and looped:
                        self.put(f"if {sink.stop}: break")
                case nodes.Scan():
                    self.put(self.expressions.loop(step, sink.ordered), step.span)
                    looped.append(self.depth)
                    self.depth, self.loops = self.depth + 1, self.loops + 1
                    if self.stepped:
                        self.put("C.step()", step.span)
                    self.getter(step, block[position + 1 :])
                case _:
                    conditions += [(code, step.span) for code in self.statement(step, block, position)]
        if sink.stop:
            for depth in looped[:0:-1]:
                self.depth = depth
                self.put(f"if {sink.stop}: break")

    def fork(self, step: nodes.Fork, sink: Sink, looped: bool) -> None:
        """Each block in turn, as long as more solutions are wanted."""
        saved = self.depth
        for number, block in enumerate(step.blocks):
            if number and sink.stop:
                self.put(f"if not ({sink.stop}):", step.span)
                self.depth += 1
                self.put("pass")
            self.block(block, sink)
        self.depth = saved
        if sink.stop and looped:
            self.put(f"if {sink.stop}: break")

    def switch(self, step: nodes.Switch, sink: Sink) -> None:
        """A look-up of the case, and a decision between cases by halves."""
        value = self.expressions.atom(step.value)
        table = f"SWITCH{len(self.expressions.tables)}"
        self.expressions.tables[table] = {str(case.text.value): n for n, case in enumerate(step.cases)}
        found = self.fresh()
        test = "" if self.expressions.is_string(step.value) else f" if type({value}) is str else None"
        self.put(f"{found} = {table}.get({value}){test}", step.span)
        with self.inside(f"if {found} is not None:", step.span):
            self.cases(found, 0, step.cases, sink)

    def cases(self, found: str, start: int, cases: tuple[nodes.Case, ...], sink: Sink) -> None:
        if len(cases) == 1:
            self.block(cases[0].block, sink)
            return
        half = len(cases) // 2
        for header, first, some in (
            (f"if {found} < {start + half}:", start, cases[:half]),
            ("else:", start + half, cases[half:]),
        ):
            with self.inside(header):
                self.cases(found, first, some, sink)

    def getter(self, step: nodes.Scan, rest: Block) -> None:
        """The member's ``get``, bound once where it is used often: one test instead of one for each look-up."""
        name = step.value
        if self.expressions.mapping(Local(name)) or lookups(rest, name) < 3:
            return
        getter = f"g{self.fresh()}"
        self.put(f"{getter} = {name}.get if isinstance({name}, dict) else NO_GET", step.span)
        self.expressions.getters[name] = getter

    def open(self, conditions: list[tuple[str, Span]]) -> None:
        """One ``if`` for all conditions gathered so far; what follows stands inside."""
        if not conditions:
            return
        if len(conditions) == 1:
            self.put(f"if {conditions[0][0]}:", conditions[0][1])
        else:
            self.put("if (", conditions[0][1])
            for index, (code, span) in enumerate(conditions):
                self.put(f"    {'and ' if index else ''}{code}", span)
            self.put("):")
        conditions.clear()
        self.depth += 1

    def emit(self, step: nodes.Emit, sink: Sink, looped: bool) -> None:
        if sink.emitted is not None:
            emitted = sink.emitted
            self.put_spanned(lambda: emitted(step), step.span)
        else:
            self.put_spanned(lambda: sink.put(tuple(self.expressions.atom(h) for h in step.heads)), step.span)
        if sink.stop and looped:
            self.put("break")

    def put_spanned(self, write: Callable[[], None], span: Span) -> None:
        """Gives all lines that ``write`` adds one place."""
        start = len(self.lines)
        write()
        for index in range(start, len(self.lines)):
            if self.spans[index] is None:
                self.spans[index] = span

    def outlined(self, block: Block, position: int, sink: Sink) -> None:
        """The rest of a block as a function of its own, where it nests too deep for Python."""
        rest = block[position:]
        last = rest[-1]
        if not isinstance(last, nodes.Emit):
            raise AssertionError("a fork nests too deep")
        inner = set(walks.all_assigned(rest))
        needs = sorted(walks.uses(rest) - inner - {"C", ""})
        getters, self.expressions.getters = self.expressions.getters, {}
        for need in needs:
            if need in self.expressions.pending:
                self.put(f"{need} = {self.expressions.pending.pop(need)}")
        name = f"part_{self.fresh()}"
        found = self.fresh()
        kinds = self.expressions.enter()

        def write() -> None:
            saved = self.expressions.enter()
            self.expressions.leave(kinds)
            self.expressions.getters = {}
            self.expressions.documents = None
            with self.inside(f"def {name}({', '.join(['C', *needs])}):", last.span):
                self.put("out = []")
                put = Sink(lambda h: self.put(f"out.append(({''.join(x + ', ' for x in h)}))"), ordered=sink.ordered)
                self.steps(rest, 0, put)
                self.depth, self.loops = 1, 0
                self.put("return out")
            self.expressions.leave(saved)

        self.waiting.append(write)
        self.expressions.getters = getters
        heads = [self.fresh() for _ in last.heads]
        target = "".join(h + ", " for h in heads) if heads else "_"
        self.put(f"for {found} in {name}({', '.join(['C', *needs])}):", last.span)
        self.depth, self.loops = self.depth + 1, self.loops + 1
        if heads:
            self.put(f"{target}= {found}")
        if sink.emitted is not None:
            emitted = sink.emitted
            self.put_spanned(lambda: emitted(replace(last, heads=tuple(map(Local, heads)))), last.span)
        else:
            self.put_spanned(lambda: sink.put(tuple(heads)), last.span)
        if sink.stop:
            self.put("break")

    # ----------------------------------------------------------------- steps that are no conditions

    def statement(self, step: nodes.Step, block: Block, position: int) -> list[str]:
        """Writes what a step needs before it can be tested; the conditions under which it goes on."""
        match step:
            case nodes.Not():
                found = self.exists(step.block, step.span)
                return [f"not {found}"]
            case nodes.Let() | nodes.Attempt():
                code, maybe = self.value(step.op, step.span)
                if code != step.name:
                    self.put(f"{step.name} = {code}", step.span)
                self.expressions.note_parts(step)
                if isinstance(step, nodes.Attempt):
                    self.expressions.unsure |= {step.name} if maybe else frozenset()
                    return []
                return [f"{step.name} is not U"] if maybe else []
            case nodes.Test():
                code, _ = self.value(step.op, step.span)
                return self.expressions.truth(step.op, code)
            case _:
                raise AssertionError(type(step).__name__)

    def value(self, op: nodes.Op, span: Span) -> tuple[str, bool]:
        """Code for an operation after the statements that it needs, and whether it may be undefined."""
        match op:
            case nodes.Collect():
                return self.collect(op, span), False
            case nodes.Count():
                found = self.fresh()
                self.put(f"{found} = 0", span)
                self.block(op.block, Sink(lambda _: self.put(f"{found} += 1")))
                return found, False
            case nodes.Exists():
                if (code := self.expressions.exists(op.block)) is not None:
                    return code, False
                return self.exists(op.block, span), False
            case nodes.Text():
                holes = {i: self.hole(p, span) for i, p in enumerate(op.parts) if isinstance(p, tuple)}
                return self.expressions.text(op, holes), False
            case _:
                return self.expressions.operation(op)

    def exists(self, block: Block, span: Span) -> str:
        """A name that is True after the statements written where the block has a solution."""
        found = self.fresh()
        self.put(f"{found} = False", span)
        self.block(block, Sink(lambda _: self.put(f"{found} = True"), stop=found))
        return found

    def hole(self, block: Block, span: Span) -> str:
        found = self.fresh()
        self.put(f"{found} = U", span)
        self.block(block, Sink(lambda h: self.put(f"{found} = {h[0]}"), stop=f"{found} is not U", ordered=True))
        return found

    def collect(self, op: nodes.Collect, span: Span) -> str:
        found = self.fresh()
        if op.kind == "array":
            self.put(f"{found} = []", span)
            self.block(op.block, Sink(lambda h: self.put(f"{found}.append({h[0]})"), ordered=True))
        elif op.kind == "set":
            self.put(f"{found} = RegoSet()", span)
            self.block(op.block, self.set_sink(found))
        else:
            self.put(f"{found} = {{}}", span)
            self.block(op.block, Sink(lambda h: self.put(f"put_key({found}, {h[0]}, {h[1]})")))
            self.put(f"{found} = closed({found})")
        return found


def _heads(function: Function) -> Iterator[tuple[nodes.Atom, ...]]:
    for clause in function.clauses:
        for block in clause.branches:
            yield from walks.emitted(block)


def lookups(block: Block, name: str) -> int:
    """How often a constant is looked up in a local."""
    found = 0
    for step in block:
        op = getattr(step, "op", None)
        found += isinstance(op, nodes.Index) and op.base == Local(name) and isinstance(op.key, nodes.Const)
        found += sum(lookups(inner, name) for inner in walks.blocks_of(step))
    return found


def scans(block: Block) -> bool:
    """Whether a block may have more than one solution."""
    return any(isinstance(step, nodes.Scan | nodes.Fork | nodes.Switch) for step in block)


def first_is_enough(function: Function) -> bool:
    """Whether all solutions of a function have one value, so that the first decides."""
    blocks = [block for clause in function.clauses for block in clause.branches]
    heads = {heads[-1] for block in blocks for heads in walks.emitted(block)}
    if len(heads) == 1 and isinstance(next(iter(heads)), nodes.Const):
        return True
    return len(function.clauses) == 1 and not any(map(scans, blocks))
