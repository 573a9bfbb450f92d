"""Lets the rules of one document share the steps that they begin with, so that a collection is walked once.

The rules of a partial set or object add to it in any order, so those whose blocks begin with the same step
become one block that forks after it.
"""

from __future__ import annotations

from dataclasses import replace

from policy_lang.plan import nodes
from policy_lang.plan.nodes import Block, Clause, Emit, Fork, Function, Let, Local, Plan, Scan, Step

MOST_SCANS = 6
MOST_STEPS = 30
"""How deep a shared beginning may get; Python limits how deep code nests."""


def fuse(plan: Plan) -> Plan:
    """The plan with common beginnings of rules shared."""
    return replace(plan, functions=tuple(map(_fused, plan.functions)))


def _fused(function: Function) -> Function:
    if function.kind not in ("set", "object", "together"):
        return function
    single = [clause for clause in function.clauses if len(clause.branches) == 1]
    if len(single) < 2:
        return function
    others = [clause for clause in function.clauses if len(clause.branches) > 1]
    blocks = merged([clause.branches[0] for clause in single], MOST_SCANS, MOST_STEPS)
    made = [Clause((block,), span=function.span) for block in blocks]
    return replace(function, clauses=(*made, *others))


def merged(blocks: list[Block], scans: int, steps: int) -> list[Block]:
    """Blocks with the same solutions in all, in which no two begin with the same step."""
    found: list[Block] = []
    pending = list(blocks)
    while pending:
        first = pending.pop(0)
        head = first[0]
        if isinstance(head, Emit | Fork) or not steps or (isinstance(head, Scan) and not scans):
            found.append(first)
            continue
        tails, rest = [first[1:]], []
        shape = canonical(head)
        for other in pending:
            if canonical(other[0]) != shape:
                rest.append(other)
                continue
            head, tail = joined(head, other)
            tails.append(tail)
        pending = rest
        if len(tails) == 1:
            found.append(first)
            continue
        inner = merged(tails, scans - isinstance(head, Scan), steps - 1)
        found.append((head, *inner[0]) if len(inner) == 1 else (head, Fork(tuple(inner), span=head.span)))
    return found


def joined(head: Step, other: Block) -> tuple[Step, Block]:
    """The first step for both blocks, and the rest of the other one in its names."""
    first, tail = other[0], other[1:]
    if isinstance(head, Let | nodes.Attempt) and isinstance(first, Let | nodes.Attempt):
        return head, nodes.renamed(tail, {first.name: Local(head.name)}) if first.name != head.name else tail
    if isinstance(head, Scan) and isinstance(first, Scan):
        names = {first.value: Local(head.value)} if first.value != head.value else {}
        if first.key and head.key and first.key != head.key:
            names[first.key] = Local(head.key)
        elif first.key and not head.key:
            head = replace(head, key=first.key)
        return head, nodes.renamed(tail, dict(names)) if names else tail
    return head, tail


def canonical(step: Step) -> object:
    """A form that is equal for steps that do the same, whatever names they assign."""
    match step:
        case Let():
            return (Let, _closed(step.op))
        case nodes.Attempt():
            return (nodes.Attempt, _closed(step.op))
        case Scan():
            return (Scan, step.collection, step.pairs)
        case _:
            return _closed(step)


def _closed(node: nodes.Op | Step) -> object:
    """The node with the names that it assigns inside numbered in order."""
    names: dict[str, nodes.Atom] = {}
    for inner in nodes.blocks_of(node):
        _number(inner, names)
    return nodes.renamed(node, names) if names else node


def _number(block: Block, names: dict[str, nodes.Atom]) -> None:
    for step in block:
        for name in nodes.assigned(step):
            names[name] = Local(f"#{len(names)}")
        for inner in nodes.blocks_of(step):
            _number(inner, names)
