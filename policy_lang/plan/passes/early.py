"""Stops at the first member where a policy only asks whether there is any: ``count([… | …]) > 0``, ``== 0``.

The comprehension becomes a block that holds or does not. Only where nothing in it can be an error: all of it would
have been evaluated, and an error in a later member has to be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from policy_lang.plan import walks
from policy_lang.plan.nodes import (
    Block,
    Builtin,
    Collect,
    Const,
    Count,
    Emit,
    Exists,
    Function,
    Let,
    Local,
    Not,
    Op,
    Plan,
    Step,
    Test,
)
from policy_lang.plan.passes.hoist import harmless

_FLIPPED = {"gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte", "equal": "equal", "neq": "neq"}
_SOME = frozenset((("gt", 0), ("gte", 1), ("neq", 0)))
_NONE = frozenset((("equal", 0), ("lt", 1), ("lte", 0)))


def early(plan: Plan) -> Plan:
    """The plan with such counts made tests; runs after ``aggregate``."""
    if plan.mocked & {"count", *_FLIPPED}:
        return plan
    return replace(plan, functions=tuple(map(_function, plan.functions)))


@dataclass(frozen=True, slots=True)
class _Question:
    """A block of which a test asks whether it has ``some`` solution or none; ``gone`` are the steps that count them."""

    block: Block
    gone: tuple[int, ...]
    test: int
    some: bool


def _function(function: Function) -> Function:
    counts = walks.use_counts(function)

    def block(old: Block) -> Block:
        steps: list[Step] = [walks.map_blocks(step, block) for step in old]
        for at in range(len(steps) - 1, -1, -1):
            found = _question(steps, at, counts)
            if found is not None:
                steps[found.test] = _asked(found, steps[found.test])
                for gone in reversed(found.gone):
                    del steps[gone]
        return tuple(steps)

    return walks.map_function(function, block)


def _question(steps: list[Step], at: int, counts: Mapping[str, int]) -> _Question | None:
    """What the steps from a collection to a test of its size ask, where nobody else reads it or its size."""
    first = steps[at]
    if not isinstance(first, Let) or not isinstance(first.op, Collect | Count):
        return None
    counted = isinstance(first.op, Count)
    if (isinstance(first.op, Collect) and first.op.kind == "object") or not all(map(harmless, first.op.block)):
        return None
    gone, name = [at], first.name
    while counts.get(name) == 1:
        later = next((i for i in range(gone[-1] + 1, len(steps)) if name in walks.uses(steps[i])), None)
        step = None if later is None else steps[later]
        if later is None or not isinstance(step, Let | Test):
            return None
        if isinstance(step, Test):
            some = _some(step.op, Local(name)) if counted else None
            return None if some is None else _Question(first.op.block, tuple(gone), later, some)
        if isinstance(step.op, Builtin) and step.op.name == "count" and not counted:
            counted = True
        elif step.op != Local(name):
            return None
        gone.append(later)
        name = step.name
    return None


def _some(op: Op, size: Local) -> bool | None:
    """Whether a comparison of a size asks for some member (True) or for none (False)."""
    if not isinstance(op, Builtin) or op.name not in _FLIPPED:
        return None
    left, right = op.args
    name, number = (op.name, right) if left == size else (_FLIPPED[op.name], left)
    if not isinstance(number, Const) or type(number.value) is not int:
        return None
    return True if (name, number.value) in _SOME else False if (name, number.value) in _NONE else None


def _asked(found: _Question, test: Step) -> Step:
    block = _headless(found.block)
    return Test(Exists(block), span=test.span) if found.some else Not(block, span=test.span)


def _headless(block: Block) -> Block:
    """The block with solutions that say nothing."""
    last = block[-1]
    if isinstance(last, Emit):
        return (*block[:-1], replace(last, heads=()))
    return (*block[:-1], walks.map_blocks(last, _headless))
