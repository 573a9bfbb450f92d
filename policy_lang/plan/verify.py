"""Whether a plan is one: what each pass has to leave true. Tests run it after every pass."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Block,
    Function,
    Plan,
)


def problems(plan: Plan) -> list[str]:
    """What is wrong: names read before they are assigned or assigned twice, blocks that do not end, calls of
    what is not there."""
    return [f"data.{'.'.join(f.path)}: {text}" for f in plan.functions for text in _function(plan, f)]


def _function(plan: Plan, function: Function) -> Iterator[str]:
    assigned: set[str] = set()
    for clause in (*function.clauses, *((function.default,) if function.default else ())):
        for block in clause.branches:
            yield from _block(plan, block, {"C", "", *function.params}, assigned)


def _block(plan: Plan, block: Block, known: set[str], assigned: set[str]) -> Iterator[str]:
    known = set(known)
    ends = nodes.Emit | nodes.Fork | nodes.Switch
    if not block or not isinstance(block[-1], ends):
        yield "a block has no end"
    if any(isinstance(step, ends) for step in block[:-1]):
        yield "a block goes on after its end"
    for step in block:
        inner = walks.blocks_of(step)
        within = {name for one in inner for name in walks.all_assigned(one)}
        missing = walks.uses(step) - known - within
        if missing:
            yield f"{', '.join(sorted(missing))} read before assigned"
        op = getattr(step, "op", None)
        if isinstance(op, nodes.CallRule | nodes.Document) and plan.function(op.path) is None:
            yield f"no rule data.{'.'.join(op.path)}"
        for one in inner:
            yield from _block(plan, one, known, assigned)
        for name in walks.assigned(step):
            if name in assigned:
                yield f"{name} assigned twice"
            assigned.add(name)
            known.add(name)
