"""Collects no more than an aggregate needs: ``count`` of an array is a count, ``min`` of a set one of an array."""

from __future__ import annotations

from dataclasses import replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Block,
    Builtin,
    Collect,
    Function,
    Let,
    Local,
    Plan,
    Step,
    Test,
)

ORDERLESS = frozenset(("min", "max"))
"""What has the same answer whether or not equal members are there twice."""


def aggregate(plan: Plan) -> Plan:
    """The plan with collections that only an aggregate reads made cheaper."""
    return replace(plan, functions=tuple(_function(plan, function) for function in plan.functions))


def _function(plan: Plan, function: Function) -> Function:
    counts = walks.use_counts(function)

    def block(old: Block) -> Block:
        steps = [walks.map_blocks(step, block) for step in old]
        for index, step in enumerate(steps):
            if not (isinstance(step, Let) and isinstance(step.op, Collect) and counts.get(step.name) == 1):
                continue
            reader = next((i for i in range(index + 1, len(steps)) if _reads(steps[i], step.name)), None)
            if reader is None:
                continue
            name = steps[reader].op.name
            if name in plan.mocked:
                continue
            if name == "count" and step.op.kind == "array":
                steps[index] = replace(step, op=nodes.Count(step.op.block))
                steps[reader] = replace(steps[reader], op=Local(step.name))
            elif name in ORDERLESS and step.op.kind == "set":
                steps[index] = replace(step, op=replace(step.op, kind="array"))
        return tuple(steps)

    return walks.map_function(function, block)


def _reads(step: Step, name: str) -> bool:
    """Whether a step is an aggregate of the local and of nothing else."""
    op = step.op if isinstance(step, Let | Test) else None
    return isinstance(op, Builtin) and op.name in ("count", *ORDERLESS) and op.args == (Local(name),)
