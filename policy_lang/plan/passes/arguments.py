"""Gives the parameters of functions the types of what they are called with.

That needs all callers: it is done where policies run together, whose joint function nobody else calls. What a call
gives has a type that holds whatever the types of other parameters are, so each round's types may be relied on in
the next one, and there are as many rounds as calls through parameters are followed. Runs after ``types``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy_lang import types
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import Block, Const, Function, Path, Plan
from policy_lang.plan.passes.types import infer, type_of
from policy_lang.plan.together import references
from policy_lang.types import Type

_ROUNDS = 3


def arguments(plan: Plan) -> Plan:
    """The plan with ``types`` and ``results`` that rely on what functions are called with."""
    closed = any(function.kind == "together" for function in plan.functions) and not plan.mocked
    if not closed or not any(function.types for function in plan.functions):
        return plan
    known: Mapping[Path, tuple[Type, ...]] = {}
    for _ in range(_ROUNDS):
        given = _given(plan)
        if given == known:
            break
        plan, known = infer(plan, given), given
    return plan


def _given(plan: Plan) -> dict[Path, tuple[Type, ...]]:
    """The types of the arguments of all calls of each function, joined."""
    calls: dict[Path, list[tuple[Type, ...]]] = {}
    for function in _reached(plan):
        for clause in (*function.clauses, *((function.default,) if function.default else ())):
            for block in clause.branches:
                _calls(block, function, calls)
    return {path: tuple(types.joined(column) for column in zip(*rows, strict=True)) for path, rows in calls.items()}


def _reached(plan: Plan) -> Iterator[Function]:
    """The functions that something still calls: bodies that stand in their callers are there beside them, too."""
    pending = [function.path for function in plan.functions if function.kind == "together"]
    found = set(pending)
    while pending:
        function = plan.function(pending.pop())
        if function is None:
            continue
        yield function
        for near in references(function) - found:
            found.add(near)
            pending += [near, *(f.path for f in plan.functions if f.path[: len(near)] == near and f.path not in found)]


def _calls(block: Block, function: Function, found: dict[Path, list[tuple[Type, ...]]]) -> None:
    for step in block:
        op = getattr(step, "op", None)
        if isinstance(op, nodes.CallRule):
            row = tuple(type_of(a) if isinstance(a, Const) else function.types.get(a.name, types.ANY) for a in op.args)
            found.setdefault(op.path, []).append(row)
        for inner in walks.blocks_of(step):
            _calls(inner, function, found)
