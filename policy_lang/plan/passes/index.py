"""Looks up which rules can hold, where rules that begin alike then ask for different texts.

``kind == "Pod"``, ``kind == "Job"`` … are asked one after the other for each member of a loop, and in each call of a
function that has a rule for each text. In their place stands one look-up, and behind it the rules for that text
only. Runs last: what is shared, moved and typed is so by then.
"""

from __future__ import annotations

from dataclasses import replace

from policy_lang.plan import walks
from policy_lang.plan.nodes import (
    Block,
    Builtin,
    Case,
    Clause,
    Const,
    Fork,
    Function,
    Local,
    Plan,
    Step,
    Switch,
    Test,
)

LEAST_CASES = 4
"""Different texts from which on a look-up is cheaper than to compare."""


def index(plan: Plan) -> Plan:
    """The plan with such forks made look-ups."""
    if "equal" in plan.mocked:
        return plan
    return replace(plan, functions=tuple(map(_function, plan.functions)))


def _function(function: Function) -> Function:
    made = walks.map_function(function, _indexed)
    if function.kind == "query":
        return made
    single = [clause.branches[0] for clause in made.clauses if len(clause.branches) == 1]
    if len(single) < LEAST_CASES:
        return made
    block = _dispatched(Fork(tuple(single), span=function.span))
    if not any(isinstance(one[0], Switch) for one in (block, *walks.blocks_of(block[0]))):
        return made
    others = [clause for clause in made.clauses if len(clause.branches) > 1]
    return replace(made, clauses=(Clause((block,), span=function.span), *others))


def _indexed(block: Block) -> Block:
    steps: list[Step] = [walks.map_blocks(step, _indexed) for step in block]
    if isinstance(steps[-1], Fork):
        steps[-1:] = _dispatched(steps[-1])
    return tuple(steps)


def _dispatched(fork: Fork) -> Block:
    """The fork with the blocks that ask for a text of one value behind a look-up of it."""
    asked: dict[Local, dict[Const, list[Block]]] = {}
    for block in fork.blocks:
        if (found := wanted(block[0])) is not None:
            asked.setdefault(found[0], {}).setdefault(found[1], []).append(block[1:])
    tables = {value: cases for value, cases in asked.items() if len(cases) >= LEAST_CASES}
    blocks: list[Block] = []
    for block in fork.blocks:
        found = wanted(block[0])
        if found is None or found[0] not in tables:
            blocks.append(block)
        elif (cases := asked.pop(found[0], None)) is not None:
            made = tuple(Case(text, _one(bodies, fork)) for text, bodies in cases.items())
            blocks.append((Switch(found[0], made, span=block[0].span),))
    return blocks[0] if len(blocks) == 1 else (replace(fork, blocks=tuple(blocks)),)


def _one(bodies: list[Block], fork: Fork) -> Block:
    return bodies[0] if len(bodies) == 1 else (Fork(tuple(bodies), span=fork.span),)


def wanted(step: Step) -> tuple[Local, Const] | None:
    """The name and the text that a step compares."""
    if not isinstance(step, Test) or not isinstance(step.op, Builtin) or step.op.name != "equal":
        return None
    for one, other in (step.op.args, step.op.args[::-1]):
        if isinstance(one, Local) and isinstance(other, Const) and type(other.value) is str:
            return one, other
    return None
