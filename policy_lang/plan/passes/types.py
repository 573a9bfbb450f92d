"""Gives each name the type that its value has, from the input's schema through all operations.

Only what holds for every input of the schema is noted, so that code may rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from policy_lang import types
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Const,
    Emit,
    Function,
    Local,
    Op,
    Path,
    Plan,
)
from policy_lang.types import ANY, ArrayType, ObjectType, SetType, Type

_MAKERS = (nodes.MakeArray, nodes.MakeSet, nodes.MakeObject, nodes.Collect)
_MOST_PARTS = 5_000
"""What is made of parts that are made of parts can have a type that nobody can compare in a lifetime."""


def infer(plan: Plan, params: Mapping[Path, tuple[Type, ...]] | None = None) -> Plan:
    """The plan with ``types`` in each function and ``results`` of each document and function; ``params`` are the
    types of functions' parameters, of any type else."""
    at = _Inference(plan, params or {})
    functions = tuple(at.function(function) for function in plan.functions)
    return replace(plan, functions=functions, results=dict(at.results))


@dataclass(slots=True)
class _Inference:
    plan: Plan
    params: Mapping[Path, tuple[Type, ...]]
    results: dict[Path, Type] = field(default_factory=dict)
    made: dict[Path, Function] = field(default_factory=dict)

    def function(self, function: Function) -> Function:
        found = self.made.get(function.path)
        if found is None:
            self.made[function.path] = function
            at = _Names(self, dict(zip(function.params, self.params.get(function.path, ()), strict=False)))
            heads: list[tuple[Type, ...]] = []
            for clause in (*function.clauses, *((function.default,) if function.default else ())):
                for block in clause.branches:
                    heads += at.block(block)
            self.results[function.path] = _result(function, heads)
            found = self.made[function.path] = replace(function, types=at.types)
        return found

    def result(self, path: Path) -> Type:
        function = self.plan.function(path)
        if function is None or self.plan.touched(path):
            return ANY
        self.function(function)
        return self.results.get(path, ANY)


def type_of(atom: Const) -> Type:
    """The type of a value that stands in a policy."""
    return types.BOOLEAN if type(atom.value) is bool else types.of_value(atom.value)


def _result(function: Function, heads: list[tuple[Type, ...]]) -> Type:
    if not heads or function.kind in ("query", "together"):
        return ANY
    values = types.joined(head[-1] for head in heads)
    if function.kind == "set":
        return SetType(values)
    if function.kind != "object":
        return values
    if any(len(head) != 3 for head in heads):
        return types.ANY_OBJECT
    sets = {isinstance(block_heads[0], Const) and block_heads[0].value for block_heads in _heads(function)}
    if len(sets) != 1:
        return types.ANY_OBJECT
    return ObjectType((), (types.union(*(head[1] for head in heads)), SetType(values) if sets == {True} else values))


def _heads(function: Function) -> Iterator[tuple[Atom, ...]]:
    for clause in function.clauses:
        for block in clause.branches:
            yield from walks.emitted(block)


@dataclass(slots=True)
class _Names:
    """The types of one function's names."""

    program: _Inference
    types: dict[str, Type] = field(default_factory=dict)

    def block(self, block: Block) -> list[tuple[Type, ...]]:
        """Types what a block assigns; the types of its solutions' heads."""
        found: list[tuple[Type, ...]] = []
        for step in block:
            if isinstance(step, nodes.Let | nodes.Attempt):
                of = self.op(step.op)
                grown = isinstance(step.op, _MAKERS) and types.is_larger(of, _MOST_PARTS)
                self.types[step.name] = ANY if grown else of
            elif isinstance(step, nodes.Scan):
                of = self.atom(step.collection)
                self.types[step.value] = types.values(of) or ANY
                self.types[step.key] = types.keys(of) or ANY
            elif isinstance(step, Emit):
                found.append(tuple(map(self.atom, step.heads)))
            elif isinstance(step, nodes.Fork):
                for inner in step.blocks:
                    found += self.block(inner)
            else:
                for inner in walks.blocks_of(step):
                    self.block(inner)
        return found

    def atom(self, atom: Atom) -> Type:
        if isinstance(atom, Const):
            return type_of(atom)
        return self.types.get(atom.name, ANY)

    def op(self, op: Op) -> Type:
        match op:
            case Const() | Local():
                return self.atom(op)
            case nodes.Input():
                return self.program.plan.input_type if op.context == "C" else ANY
            case nodes.Document() | nodes.CallRule():
                return self.program.result(op.path)
            case nodes.Tree():
                return self.setting(op)
            case nodes.Index():
                return self.index(op)
            case nodes.Builtin():
                return self.builtin(op)
            case nodes.MakeArray():
                return ArrayType(tuple(map(self.atom, op.items)))
            case nodes.MakeSet():
                return SetType(types.union(*map(self.atom, op.items)))
            case nodes.MakeObject():
                return self.object(op)
            case nodes.Collect():
                return self.collect(op)
            case nodes.Exists() | nodes.Count():
                self.block(op.block)
                return types.BOOLEAN if isinstance(op, nodes.Exists) else types.NUMBER
            case nodes.BuildIndex():
                return self.atom(op.collection)  # of the members that it gives
            case nodes.Lookup():
                return self.atom(op.index)
            case nodes.Logic() | nodes.IsMember():
                return types.BOOLEAN
            case nodes.Text():
                for part in op.parts:
                    if isinstance(part, tuple):
                        self.block(part)
                return types.STRING
            case _:
                return ANY

    def setting(self, op: nodes.Tree) -> Type:
        """The type of a base document that is known, where no ``with`` can have replaced it."""
        path = op.prefix()
        known = op.context == "C" and len(path) == len(op.keys) and not self.program.plan.touched(path)
        return self.program.plan.settings.get(path, ANY) if known else ANY

    def index(self, op: nodes.Index) -> Type:
        of = self.atom(op.base)
        if isinstance(op.key, Const) and type(op.key.value) in (str, int):
            return types.select(of, op.key.value) or ANY
        return types.select_by(of, self.atom(op.key)) or ANY

    def object(self, op: nodes.MakeObject) -> Type:
        fields = {key.value: self.atom(value) for key, value in op.items if isinstance(key, Const)}
        if len(fields) == len(op.items) and all(type(key) is str for key in fields):
            return types.object_type(types.Field(key, of, True) for key, of in fields.items())
        keys, values = [self.atom(key) for key, _ in op.items], [self.atom(value) for _, value in op.items]
        return ObjectType((), (types.union(*keys), types.union(*values)))

    def collect(self, op: nodes.Collect) -> Type:
        heads = self.block(op.block)
        if op.kind == "object":
            return ObjectType((), (types.union(*(h[0] for h in heads)), types.union(*(h[1] for h in heads))))
        of = types.union(*(h[0] for h in heads))
        return ArrayType((), of) if op.kind == "array" else SetType(of)

    def builtin(self, op: nodes.Builtin) -> Type:
        if op.name in self.program.plan.mocked:
            return ANY
        args = [self.atom(arg) for arg in op.args]
        match op.name:
            case "min" | "max" if isinstance(args[0], ArrayType | SetType):
                return types.values(args[0]) or ANY
            case "minus" if args[0] == args[1] == types.NUMBER:
                return types.NUMBER
            case "object.get":
                key = op.args[1]
                known = isinstance(key, Const) and type(key.value) is str
                found = types.select(args[0], key.value) if known and isinstance(key, Const) else ANY
                return types.union(found or ANY, args[2])
            case "array.concat" if all(isinstance(of, ArrayType) for of in args):
                return ArrayType((), types.union(*(types.values(of) or ANY for of in args)))
            case "sort" | "array.reverse" if isinstance(args[0], ArrayType | SetType):
                return ArrayType((), types.values(args[0]) or ANY)
            case "object.keys" if isinstance(args[0], ObjectType):
                return SetType(types.keys(args[0]) or ANY)
            case "and" if isinstance(args[0], SetType):
                return args[0]
            case "or" if all(isinstance(of, SetType) for of in args):
                return SetType(types.union(*(types.values(of) or ANY for of in args)))
        from policy_lang.runtime.builtins.declarations import declaration

        declared = declaration(op.name)
        return ANY if declared is None or declared.result is None else declared.result
