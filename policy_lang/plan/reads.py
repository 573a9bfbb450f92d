"""Which parts of ``input`` a program can read: an over-approximation, as paths with ``*`` for any key.

A value is followed through locals, documents, functions and collections; where it is compared, shown or
given to a builtin, all of it is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from policy_lang.plan import nodes, walks
from policy_lang.plan.mocked import mocked_name
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Const,
    Function,
    Local,
    Op,
    Plan,
)
from policy_lang.runtime.values import UNDEFINED

InputPath = tuple[str, ...]
ANY_KEY = "*"


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a value comes from: the paths that it may be, and where its members come from; they are its keys
    too where it may be a set."""

    alias: frozenset[InputPath] = frozenset()
    member: Flow | None = None
    is_set: bool = False

    def __or__(self, other: Flow) -> Flow:
        alias, is_set = self.alias | other.alias, self.is_set or other.is_set
        if self.member is None or other.member is None:
            return Flow(alias, self.member or other.member, is_set)
        return Flow(alias, self.member | other.member, is_set)

    def at(self, key: str) -> Flow:
        found = Flow(frozenset((*path, key) for path in self.alias))
        return found if self.member is None else found | self.member

    def wrapped(self, is_set: bool = False) -> Flow:
        """A collection that holds the value."""
        return Flow(frozenset(), self, is_set) if self.alias or self.member else self

    def keys(self) -> Flow:
        """What the keys may be; those of objects are read when the objects are made."""
        return self.member if self.is_set and self.member is not None else NOTHING

    def all(self) -> frozenset[InputPath]:
        """The paths of the value and of all that is in it."""
        return self.alias if self.member is None else self.alias | self.member.all()


NOTHING = Flow()


@dataclass(slots=True)
class _Reading:
    plan: Plan
    whole: set[InputPath] = field(default_factory=set)
    touched: set[InputPath] = field(default_factory=set)
    results: dict[nodes.Path, Flow] = field(default_factory=dict)
    params: dict[tuple[nodes.Path, str], Flow] = field(default_factory=dict)
    reached: set[nodes.Path] = field(default_factory=set)
    locals: dict[str, Flow] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    # ----------------------------------------------------------------- functions

    def function(self, function: Function) -> None:
        self.locals = {name: self.params.get((function.path, name), NOTHING) for name in function.params}
        self.foreign = set()
        for clause in (*function.clauses, *((function.default,) if function.default else ())):
            for block in clause.branches:
                self.block(block, function)

    def emitted(self, function: Function, heads: tuple[Atom, ...]) -> Flow:
        """What a solution adds to the result of rules."""
        if function.kind != "object" or not heads:
            return self.collected("" if function.kind in ("complete", "function") else function.kind, heads)
        in_set, *keys, value = heads
        flow = self.flow(value).wrapped(is_set=True) if in_set == Const(True) else self.flow(value)
        for key in keys:
            self.read(key)
            flow = flow.wrapped()
        return flow

    def collected(self, kind: str, heads: tuple[Atom, ...]) -> Flow:
        """What a solution adds to a collection of a kind (array, set or object; "" is the value itself)."""
        if not heads:
            return NOTHING
        self.read(*heads[:-1])
        flow = self.flow(heads[-1])
        return flow.wrapped(kind == "set") if kind else flow

    # ----------------------------------------------------------------- blocks

    def block(self, block: Block, function: Function | None, kind: str = "array") -> Flow:
        """Reads a block; the collection of a ``kind`` of its solutions where it is no function's (None)."""
        found = NOTHING
        for step in block:
            match step:
                case nodes.Let() | nodes.Attempt():
                    self.locals[step.name] = self.op(step.op, step.name)
                case nodes.Test():
                    self.whole |= self.op(step.op, "").alias
                case nodes.Scan():
                    member = self.flow(step.collection).at(ANY_KEY)
                    self.touched |= member.alias
                    self.locals[step.value] = member
                    self.locals[step.key] = self.flow(step.collection).keys()
                case nodes.Not():
                    self.block(step.block, None)
                case nodes.Fork():
                    for inner in step.blocks:
                        found |= self.block(inner, function, kind)
                case nodes.Emit():
                    if function is None:
                        found |= self.collected(kind, step.heads)
                    else:
                        added = self.emitted(function, step.heads)
                        self.results[function.path] = self.results.get(function.path, NOTHING) | added
                case _:
                    pass
        return found

    def flow(self, atom: Atom) -> Flow:
        return self.locals.get(atom.name, NOTHING) if isinstance(atom, Local) else NOTHING

    def read(self, *atoms: Atom) -> None:
        """All of these values is read."""
        for atom in atoms:
            flow = self.flow(atom)
            self.whole |= flow.all()

    # ----------------------------------------------------------------- operations

    def op(self, op: Op, name: str) -> Flow:
        found = self.value(op, name)
        self.touched |= found.alias
        return found

    def value(self, op: Op, name: str) -> Flow:
        match op:
            case Local():
                return self.flow(op)
            case nodes.Input():
                return NOTHING if op.context in self.foreign else Flow(frozenset(((),)))
            case nodes.Document():
                self.reached.add(op.path)
                return self.results.get(op.path, NOTHING)
            case nodes.Tree():
                self.read(*op.keys)
                return self.tree(op)
            case nodes.Index():
                self.read(op.key)
                return self.flow(op.base).at(_key(op.key))
            case nodes.CallRule():
                return self.call(op)
            case nodes.Builtin():
                return self.builtin(op)
            case nodes.BuildIndex():
                return self.flow(op.collection)
            case nodes.MakeArray() | nodes.MakeSet():
                return self.holding(op.items, isinstance(op, nodes.MakeSet))
            case nodes.MakeObject():
                self.read(*(key for key, _ in op.items))
                return self.holding(value for _, value in op.items)
            case nodes.Collect():
                return self.block(op.block, None, op.kind)
            case nodes.Exists() | nodes.Count():
                self.block(op.block, None)
            case nodes.Text():
                for part in op.parts:
                    if isinstance(part, tuple):
                        held = self.block(part, None)
                        self.whole |= held.all()
                    elif not isinstance(part, str):
                        self.read(part)
            case nodes.Derive():
                self.derive(op, name)
            case _:
                self.read(*(Local(used) for used in walks.uses(op)))
        return NOTHING

    def holding(self, items: Iterable[Atom], is_set: bool = False) -> Flow:
        found = NOTHING
        for item in items:
            found |= self.flow(item).wrapped(is_set)
        return found

    def tree(self, op: nodes.Tree) -> Flow:
        """What may be at the keys of any document below the names that they begin with."""
        path = op.prefix()
        found = NOTHING
        for function in self.plan.functions:
            if function.path[: len(path)] == path and function.kind != "function":
                self.reached.add(function.path)
                found |= self.results.get(function.path, NOTHING)
        return Flow(found.all(), found.wrapped()) if found.all() else NOTHING

    def call(self, op: nodes.CallRule) -> Flow:
        self.reached.add(op.path)
        function = self.plan.function(op.path)
        if function is None or mocked_name(op.path) in self.plan.mocked:
            self.read(*op.args)
            return self.results.get(op.path, NOTHING)
        for param, arg in zip(function.params, op.args, strict=True):
            key = (op.path, param)
            self.params[key] = self.params.get(key, NOTHING) | self.flow(arg)
        return self.results.get(op.path, NOTHING)

    def builtin(self, op: nodes.Builtin) -> Flow:
        if op.name == "object.get" and op.name not in self.plan.mocked:
            base, key, default = op.args
            if isinstance(key, Const):
                return self.flow(base).at(_key(key)) | self.flow(default)
        if op.name == "count" and op.name not in self.plan.mocked:
            self.touched |= self.flow(op.args[0]).at(ANY_KEY).alias
            return NOTHING
        self.read(*op.args)
        return NOTHING

    def derive(self, op: nodes.Derive, name: str) -> None:
        for change in op.changes:
            if change.value is not None:
                self.read(change.value)
            if change.rule is not None:
                self.reached.add(change.rule)
            if change.kind == "input" and not change.path:
                self.foreign.add(name)
        if op.context in self.foreign:
            self.foreign.add(name)


def _key(atom: Atom) -> str:
    return atom.value if isinstance(atom, Const) and type(atom.value) is str else ANY_KEY


def reads(plan: Plan, roots: Iterable[nodes.Path] | None = None) -> frozenset[InputPath]:
    """The paths into ``input`` that evaluating the documents ``roots`` (None: all) can read.

    A path stands for all that is below it; none of the paths is below another.
    """
    at = _Reading(plan)
    wanted = {f.path for f in plan.functions if f.kind != "function"} if roots is None else set(roots)
    at.reached |= wanted
    before: object = UNDEFINED
    while before != (before := (dict(at.results), dict(at.params), set(at.reached), len(at.whole))):
        for function in plan.functions:
            if function.path in at.reached:
                at.function(function)
    for path in wanted:
        flow = at.results.get(path, NOTHING)
        at.whole |= flow.all()
    inner = {path[:n] for path in at.touched for n in range(len(path))}
    found = at.whole | (at.touched - inner)
    return frozenset(p for p in found if not any(p[:n] in at.whole for n in range(len(p))))
