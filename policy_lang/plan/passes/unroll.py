"""Does a loop over a few members that stand in the policy once for each of them, and decides what they decide.

``[x.name | some x in [model, {"name": null}]; is_string(x.name)]`` walks an array that is made for the walk. In
its place stand the steps for ``model`` and those for the object, and of these nothing is left: ``null`` is no
string. Only loops inside a rule's blocks are unrolled: those of the rule itself are what ``fuse`` shares.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Builtin,
    Const,
    Emit,
    Fork,
    Function,
    Let,
    Local,
    Op,
    Plan,
    Scan,
    Step,
    Test,
)
from policy_lang.runtime.values import equal

MOST_MEMBERS = 4
MOST_STEPS = 12
"""Members that a loop may have, and steps in it, to be unrolled."""
_KINDS = {"is_string": (str,), "is_boolean": (bool,), "is_null": (type(None),), "is_array": (), "is_object": ()}


def unroll(plan: Plan) -> Plan:
    """The plan with such loops replaced by their turns."""
    return replace(plan, functions=tuple(_function(plan, function) for function in plan.functions))


def _function(plan: Plan, function: Function) -> Function:
    at = _Unrolling(plan)
    made = walks.map_function(function, at.outermost)
    return walks.without_unread(made) if at.found else function


@dataclass(slots=True)
class _Unrolling:
    plan: Plan
    literals: dict[str, Op] = field(default_factory=dict)
    number: int = 0
    found: bool = False

    def outermost(self, block: Block) -> Block:
        return tuple(self.noted(walks.map_blocks(step, self.inner)) for step in block)

    def noted(self, step: Step) -> Step:
        """The step; what it makes is known from here on."""
        if isinstance(step, Let) and isinstance(step.op, nodes.MakeArray | nodes.MakeObject):
            self.literals[step.name] = step.op
        return step

    def inner(self, block: Block) -> Block:
        """A block inside a rule's; where it has no solution, a block that fails at once."""
        made = self.turn(block, {})
        return dead(block) if made is None else made

    def turn(self, block: Block, names: dict[str, Atom]) -> Block | None:
        """The block with names replaced and its loops unrolled; None where it has no solution."""
        steps: list[Step] = []
        for position, old in enumerate(block):
            step = walks.renamed(old, names) if names else old
            if isinstance(step, Scan) and (members := self.members(step, block[position + 1 :])) is not None:
                return self.unrolled(step, members, tuple(steps), block[position + 1 :], names)
            step = walks.map_blocks(step, self.inner)
            decided = self.decided(step)
            if decided is False:
                return None
            if decided is None:
                steps.append(self.noted(step))
            elif isinstance(decided, Const | Local) and isinstance(step, Let):
                names = {**names, step.name: decided}
        return tuple(steps)

    def members(self, scan: Scan, rest: Block) -> tuple[Atom, ...] | None:
        """The members of a loop that can be unrolled."""
        made = self.literals.get(scan.collection.name) if isinstance(scan.collection, Local) else None
        if not isinstance(made, nodes.MakeArray) or scan.pairs:
            return None
        return made.items if len(made.items) <= MOST_MEMBERS and size(rest) <= MOST_STEPS else None

    def unrolled(
        self, scan: Scan, members: tuple[Atom, ...], before: Block, rest: Block, names: dict[str, Atom]
    ) -> Block | None:
        self.found = True
        turns: list[Block] = []
        for index, member in enumerate(members):
            own: dict[str, Atom] = dict(names)
            if index:
                self.number += 1
                own |= {name: Local(f"{name}u{self.number}") for name in walks.all_assigned(rest)}
            own |= {name: atom for name, atom in ((scan.key, Const(index)), (scan.value, member)) if name}
            turn = self.turn(walks.renamed(rest, own), {})
            turns += [] if turn is None else [turn]
        if not turns:
            return None
        return (*before, *turns[0]) if len(turns) == 1 else (*before, Fork(tuple(turns), span=scan.span))

    def decided(self, step: Step) -> Atom | bool | None:
        """What is known of a step: the value of what it assigns, whether it holds, None for nothing."""
        if isinstance(step, Let) and isinstance(step.op, nodes.Index):
            return self.member(step.op)
        if isinstance(step, Test) and isinstance(step.op, Const):
            return step.op.value is not False
        if isinstance(step, Test) and isinstance(step.op, Builtin) and step.op.name not in self.plan.mocked:
            return decided(step.op)
        return None

    def member(self, op: nodes.Index) -> Atom | bool | None:
        """The value of a look-up in what the policy has just made; False where it has none."""
        if not isinstance(op.key, Const):
            return None
        if isinstance(op.base, Const):
            return False
        made = self.literals.get(op.base.name)
        if isinstance(made, nodes.MakeArray) and type(op.key.value) is int:
            return made.items[op.key.value] if 0 <= op.key.value < len(made.items) else False
        if isinstance(made, nodes.MakeObject) and all(
            isinstance(k, Const) and type(k.value) is str for k, _ in made.items
        ):
            found = [value for key, value in made.items if key == op.key]
            return found[-1] if len(found) == 1 else None if found else False
        return None


def decided(op: Builtin) -> bool | None:
    """The answer of a test of constants, where it is one."""
    if not all(isinstance(arg, Const) for arg in op.args):
        return None
    values = [arg.value for arg in op.args if isinstance(arg, Const)]
    if op.name in ("equal", "neq"):
        return equal(values[0], values[1]) == (op.name == "equal")
    kinds = _KINDS.get(op.name)
    return None if kinds is None else type(values[0]) in kinds


def size(block: Block) -> int:
    """How many steps a block has, those inside included."""
    return sum(1 + sum(map(size, walks.blocks_of(step))) for step in block)


def dead(block: Block) -> Block:
    """A block without solutions that gives as many heads."""
    heads = next(walks.emitted(block))
    return (Test(Const(False), span=block[-1].span), Emit(tuple(Const(None) for _ in heads), span=block[-1].span))
