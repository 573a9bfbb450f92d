"""Puts together where types allow it what a policy puts together in steps: arrays of arrays, texts of words.

``concat(" ", array.concat(["model"], [model.name]))`` is a text of two parts, where ``model.name`` is known to be a
string. So is a collection whose only turn cannot fail an array of its one member. What nothing reads any more is
not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from policy_lang import types
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Attempt,
    Block,
    Builtin,
    Const,
    Defined,
    Function,
    Let,
    Local,
    Op,
    Plan,
    Step,
    Test,
)
from policy_lang.types import Type

_MOST_JOINED = 256
"""An array of more members is joined when it is evaluated: forty doublings would be a program of a billion."""

_KINDS: Mapping[str, Type] = {"is_string": types.STRING, "is_boolean": types.BOOLEAN, "is_number": types.NUMBER}


def fold(plan: Plan) -> Plan:
    """The plan with arrays and texts put together at once; runs after ``types``."""
    return replace(plan, functions=tuple(_function(plan, function) for function in plan.functions))


def _function(plan: Plan, function: Function) -> Function:
    at = _Folding(plan, dict(function.types))
    changed = walks.map_function(function, at.block)
    if not at.changed:
        return function
    return replace(walks.without_unread(changed), types=at.types)


@dataclass(slots=True)
class _Folding:
    plan: Plan
    types: dict[str, Type]
    unsure: set[str] = field(default_factory=set)
    """Attempts that may be undefined where they are read."""
    arrays: dict[str, tuple[Atom, ...]] = field(default_factory=dict)
    changed: bool = False

    def block(self, block: Block) -> Block:
        steps: list[Step] = []
        for old in block:
            step = walks.map_blocks(old, self.block)
            if isinstance(step, Test) and self.holds(step.op):
                self.changed = True
                continue
            if isinstance(step, Defined) and step.name not in self.unsure:
                self.changed = True
                continue
            if isinstance(step, Attempt) and not self.is_sure(step.op):
                self.unsure.add(step.name)
            if isinstance(step, Let) and isinstance(step.op, nodes.Collect):
                step = self.collected(step, steps)
            if isinstance(step, Let) and isinstance(step.op, nodes.Text):
                step = replace(step, op=nodes.Text(tuple(self.part(part, steps) for part in step.op.parts)))
            if isinstance(step, Let) and isinstance(step.op, Builtin) and step.op.name not in self.plan.mocked:
                step = self.built(step)
            if isinstance(step, Let | Attempt) and isinstance(step.op, nodes.MakeArray):
                self.arrays[step.name] = step.op.items
            steps.append(step)
        return tuple(steps)

    def type_of(self, atom: Atom) -> Type:
        if isinstance(atom, Const):
            return types.BOOLEAN if type(atom.value) is bool else types.of_value(atom.value)
        return types.ANY if atom.name in self.unsure else self.types.get(atom.name, types.ANY)

    def holds(self, op: Op) -> bool:
        """Whether a test of a kind is true of all values of the type."""
        if not isinstance(op, Builtin) or op.name in self.plan.mocked or op.name not in _KINDS:
            return False
        return self.type_of(op.args[0]) == _KINDS[op.name]

    def collected(self, step: Let, before: list[Step]) -> Let:
        """A collection that has one solution whatever happens: what that takes, and an array of its head."""
        op = step.op
        if not isinstance(op, nodes.Collect) or op.kind != "array":
            return step
        if any(map(self.always_fails, op.block)):
            self.changed = True
            return replace(step, op=nodes.MakeArray(()))
        if not all(map(self.never_fails, op.block[:-1])):
            return step
        last = op.block[-1]
        if not isinstance(last, nodes.Emit):
            return step
        self.changed = True
        before += op.block[:-1]
        return replace(step, op=nodes.MakeArray(last.heads))

    def part(self, part: str | Atom | Block, before: list[Step]) -> str | Atom | Block:
        """A text's part: the value itself, where what gives it cannot fail."""
        last = part[-1] if isinstance(part, tuple) else None
        if not isinstance(part, tuple) or not isinstance(last, nodes.Emit) or not all(map(self.never_fails, part[:-1])):
            return part
        self.changed = True
        before += part[:-1]
        return last.heads[0]

    def always_fails(self, step: Step) -> bool:
        """Whether a step looks something up in a scalar."""
        return (
            isinstance(step, Let)
            and isinstance(step.op, nodes.Index)
            and isinstance(self.type_of(step.op.base), types.Scalar)
        )

    def never_fails(self, step: Step) -> bool:
        return isinstance(step, Let) and self.is_sure(step.op)

    def is_sure(self, op: Op) -> bool:
        """Whether an operation has a value, without an error, whatever the input is."""
        match op:
            case nodes.Input():
                return self.plan.has_input
            case nodes.Index(base, Const(str() as key)):
                of = self.type_of(base)
                found = of.field(key) if isinstance(of, types.ObjectType) else None
                return found is not None and found.required
            case _:
                sure = nodes.MakeSet | nodes.Members | nodes.BuildIndex | nodes.Count | nodes.Exists
                return isinstance(op, sure) or nodes.put_together(op)

    def built(self, step: Let) -> Let:
        """Arrays that are joined, as one array; words that are joined, as a text."""
        op = step.op
        assert isinstance(op, Builtin)
        known = [self.arrays.get(arg.name) if isinstance(arg, Local) else None for arg in op.args]
        if sum(map(len, filter(None, known))) > _MOST_JOINED:
            return step
        if op.name == "array.concat" and known[0] is not None and known[1] is not None:
            made: Op = nodes.MakeArray((*known[0], *known[1]))
            self.types[step.name] = types.ArrayType(tuple(map(self.type_of, (*known[0], *known[1]))))
        elif op.name == "concat" and isinstance(op.args[0], Const) and known[1] is not None:
            if not all(self.type_of(atom) == types.STRING for atom in known[1]):
                return step
            made = nodes.Text(_parts(str(op.args[0].value), known[1]))
        else:
            return step
        self.changed = True
        return replace(step, op=made)


def _parts(separator: str, words: tuple[Atom, ...]) -> tuple[str | Atom, ...]:
    found: list[str | Atom] = []
    for number, word in enumerate(words):
        for part in ((separator,) if number else ()) + ((str(word.value) if isinstance(word, Const) else word),):
            if isinstance(part, str) and found and isinstance(found[-1], str):
                found[-1] += part
            else:
                found.append(part)
    return tuple(found)
