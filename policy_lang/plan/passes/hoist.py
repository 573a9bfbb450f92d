"""Moves what does not change in a loop to before it, and prepares collections for many ``in``.

Each name has the number of loops that are around it. An operation whose operands are all of fewer loops is
done right before the loop that it does not depend on. There it must not end the attempt where it is undefined
(its place may never be reached): it becomes an ``Attempt``, and ``Defined`` stands in its old place.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Attempt,
    Block,
    Builtin,
    Let,
    Local,
    Op,
    Plan,
    Scan,
    Step,
    Test,
)

PURE = frozenset(("equal", "neq", "lt", "lte", "gt", "gte", "internal.member_2"))


def hoist(plan: Plan) -> Plan:
    """The plan with operations before the loops that they do not depend on."""
    return walks.map_plan(plan, lambda: _Hoisting(plan).outermost)


@dataclass(slots=True)
class _Loop:
    """What is to be done before one loop: operations and their names."""

    before: dict[Op, Attempt] = field(default_factory=dict)


@dataclass(slots=True)
class _Hoisting:
    plan: Plan
    levels: dict[str, int] = field(default_factory=dict)
    loops: list[_Loop] = field(default_factory=list)
    number: int = 0
    unsure: set[str] = field(default_factory=set)

    def outermost(self, block: Block) -> Block:
        return self.block(block, {})

    def block(self, block: Block, names: dict[str, Atom]) -> Block:
        """The block with its own loops' operations before them; those of outer loops are noted there."""
        names = dict(names)
        steps: list[Step | _Loop] = []
        depth = len(self.loops)
        for step in block:
            step = walks.renamed(step, names) if names else step
            if isinstance(step, Let | Test):
                step = replace(step, op=self.prepared(step.op, step))
            if isinstance(step, Let) and (moved := self.moved(step.op, step)) is not None:
                names[step.name] = Local(moved.name)
                if not self.total(step.op):
                    steps.append(nodes.Defined(moved.name, span=step.span))
                continue
            if isinstance(step, Scan):
                loop = _Loop()
                self.loops.append(loop)
                steps.append(loop)
            for name in walks.assigned(step):
                self.levels[name] = len(self.loops)
            steps.append(walks.map_blocks(step, lambda inner: self.block(inner, {})))
        del self.loops[depth:]
        made: list[Step] = []
        for one in steps:
            made += one.before.values() if isinstance(one, _Loop) else [one]
        return tuple(made)

    def level(self, op: Op) -> int:
        """How many loops are around what an operation depends on."""
        inside = {name for block in walks.blocks_of(op) for name in walks.all_assigned(block)}
        return max((self.levels.get(name, 0) for name in walks.uses(op) - inside), default=0)

    def moved(self, op: Op, step: Step) -> Attempt | None:
        """The attempt before a loop that an operation becomes, where it can."""
        level = self.level(op)
        if level >= len(self.loops) or not self.movable(op) or (not tolerant(op) and self.unguarded(op)):
            return None
        before = self.loops[level].before
        if op not in before:
            self.number += 1
            name = f"h{self.number}"
            self.levels[name] = level
            if not self.total(op):
                self.unsure.add(name)
            before[op] = Attempt(name, op, span=step.span)
        return before[op]

    def movable(self, op: Op) -> bool:
        return self.settled(op) if isinstance(op, nodes.Document) else movable(op)

    def total(self, op: Op) -> bool:
        return self.plan.always(op.path) if isinstance(op, nodes.Document) else total(op)

    def settled(self, op: nodes.Document) -> bool:
        """Whether a document only names a base document or what it is where there is none: a parameter."""
        found = self.plan.function(op.path)
        if found is None or found.kind != "complete" or len(found.clauses) != 1 or self.plan.touched(op.path):
            return False
        return all(map(self.named, itertools.chain.from_iterable(found.clauses[0].branches)))

    def named(self, step: Step) -> bool:
        if not isinstance(step, Let):
            return isinstance(step, nodes.Emit)
        if isinstance(step.op, nodes.Tree):
            path = step.op.prefix()
            rules = any(f.path[: len(path)] == path or path[: len(f.path)] == f.path for f in self.plan.functions)
            return len(path) == len(step.op.keys) and not rules
        return nodes.put_together(step.op)

    def unguarded(self, op: Op) -> bool:
        """Whether an operation reads an attempt that may be undefined, and does not test it."""
        unsure = walks.uses(op) & self.unsure if self.unsure else set()
        if not unsure:
            return False
        return bool(unsure - {s.name for block in walks.blocks_of(op) for s in block if isinstance(s, nodes.Defined)})

    def prepared(self, op: Op, step: Step) -> Op:
        """``in`` on a collection that is the same in each turn of the loop: on prepared members."""
        if not isinstance(op, Builtin) or op.name != "internal.member_2" or op.name in self.plan.mocked:
            return op
        value, collection = op.args
        if not isinstance(collection, Local) or not isinstance(value, Local):
            return op
        if self.levels.get(value.name, 0) <= self.levels.get(collection.name, 0):
            return op
        if self.levels.get(collection.name, 0):
            return op  # a member's own collection is small, and looked into once or twice
        members = self.moved(nodes.Members(collection), step)
        return op if members is None else nodes.IsMember(value, Local(members.name))


def total(op: Op) -> bool:
    """Whether an operation has a value whatever its operands are."""
    return not isinstance(op, nodes.Index | nodes.Input)


def tolerant(op: Op) -> bool:
    """Whether an operation on what is undefined is undefined, or empty."""
    return isinstance(op, nodes.Index | nodes.Members | nodes.BuildIndex)


def movable(op: Op) -> bool:
    """Whether an operation may be done where the program would not have come to it."""
    match op:
        case nodes.Input() | nodes.Index() | nodes.Members() | nodes.BuildIndex() | nodes.MakeSet():
            return True
        case nodes.MakeArray() | nodes.MakeObject():
            return True
        case nodes.Count():
            return all(map(harmless, op.block))
        case nodes.Collect():
            return op.kind != "object" and all(map(harmless, op.block))
        case _:
            return False


def harmless(step: Step) -> bool:
    """Whether a step, with all inside it, can be no error."""
    op = getattr(step, "op", None)
    if isinstance(op, Builtin) and op.name not in PURE:
        return False
    if isinstance(op, nodes.CallRule | nodes.Document | nodes.Tree | nodes.Derive):
        return False
    if isinstance(op, nodes.MakeObject) or (isinstance(op, nodes.Collect) and op.kind == "object"):
        return False  # two values for a key are an error
    return all(harmless(inner) for block in walks.blocks_of(step) for inner in block)
