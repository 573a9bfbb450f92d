"""Counts the subjects of a loop by the length of its collection, where nothing lies between the loop and the count.

Policies that are fused share their loops, and each counts what it has checked: ``model`` by ``model``, ten of them
in each turn. Where the type says that the collection has a length, the counts are taken before the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from policy_lang import types
from policy_lang.plan import walks
from policy_lang.plan.nodes import (
    Block,
    Builtin,
    Emit,
    Fork,
    Function,
    Let,
    Local,
    Plan,
    Scan,
    Step,
)
from policy_lang.types import Type


def tally(plan: Plan) -> Plan:
    """The plan with such counts before their loops; runs after ``types``."""
    if "count" in plan.mocked:
        return plan
    return replace(plan, functions=tuple(_function(f) if f.kind == "together" else f for f in plan.functions))


def _function(function: Function) -> Function:
    at = _Tallying(function, dict(function.types))
    return replace(walks.map_function(function, at.block), types=at.types)


@dataclass(slots=True)
class _Tallying:
    function: Function
    types: dict[str, Type]
    number: int = 0

    def block(self, block: Block) -> Block:
        steps: list[Step] = [walks.map_blocks(step, self.block) for step in block]
        for at in range(len(steps) - 2, -1, -1):
            scan, end = steps[at], steps[at + 1]
            if not isinstance(scan, Scan) or not isinstance(end, Emit | Fork) or not self.has_length(scan):
                continue
            blocks = end.blocks if isinstance(end, Fork) else ((end,),)
            counts = [emit for block in blocks if (emit := self.count(block)) is not None]
            others = [block for block in blocks if self.count(block) is None]
            if counts:
                steps[at:] = self.before(scan, counts, others)
        return tuple(steps)

    def count(self, block: Block) -> Emit | None:
        """The block's only step, where that is to count one."""
        only = block[0]
        counted = isinstance(only, Emit) and self.function.sinks[only.sink] == "count" and only.times is None
        return only if counted and isinstance(only, Emit) else None

    def has_length(self, scan: Scan) -> bool:
        of = self.types.get(scan.collection.name) if isinstance(scan.collection, Local) else None
        return isinstance(of, types.ArrayType | types.ObjectType | types.SetType) and not scan.pairs

    def before(self, scan: Scan, counts: list[Emit], others: list[Block]) -> list[Step]:
        """The counts by a length, then the loop with what is left in it."""
        self.number += 1
        length = f"n{self.number}"
        self.types[length] = types.NUMBER
        taken: list[Block] = [(replace(emit, times=Local(length)),) for emit in counts]
        first: Step = Let(length, Builtin("count", (scan.collection,), ""), span=scan.span)
        if others:
            rest = others[0] if len(others) == 1 else (Fork(tuple(others), span=scan.span),)
            taken.append((scan, *rest))
        return [first, taken[0][0]] if len(taken) == 1 else [first, Fork(tuple(taken), span=scan.span)]
