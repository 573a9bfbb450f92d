"""Computes once what a block would compute twice: a later equal operation is the earlier one's value."""

from __future__ import annotations

from dataclasses import replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Let,
    Local,
    Op,
    Plan,
    Step,
)

Known = dict[Op, Atom]


def share(plan: Plan) -> Plan:
    """The plan with repeated operations of a block, and of those inside it, done once."""
    return walks.map_plan(plan, lambda: lambda block: _shared(block, {}, {}))


def _shared(block: Block, known: Known, names: dict[str, Atom]) -> Block:
    known, names = dict(known), dict(names)
    steps: list[Step] = []
    for step in block:
        step = walks.renamed(step, names) if names else step
        step = walks.map_blocks(step, lambda inner: _shared(inner, known, {}))
        if isinstance(step, Let) and isinstance(step.op, nodes.Text):
            step = replace(step, op=replace(step.op, parts=tuple(map(_part, step.op.parts))))
        if isinstance(step, Let) and isinstance(step.op, Local | nodes.Const):
            names[step.name] = step.op
            continue
        if isinstance(step, Let) and shareable(step.op):
            earlier = known.get(step.op)
            if earlier is not None:
                names[step.name] = earlier
                continue
            known[step.op] = Local(step.name)
        steps.append(step)
    return tuple(steps)


def _part(part: str | Atom | Block) -> str | Atom | Block:
    """A template's part: the value itself where its block does nothing more."""
    only = part[0] if isinstance(part, tuple) else None
    return only.heads[0] if isinstance(only, nodes.Emit) else part


def shareable(op: Op) -> bool:
    """Whether an operation of the same operands always has the same value in one evaluation."""
    if isinstance(op, nodes.Builtin):
        return op.name not in ("print", "trace")
    return isinstance(op, nodes.Input | nodes.Index | nodes.Document | nodes.CallRule | nodes.Tree)
