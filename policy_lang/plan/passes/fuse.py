"""Lets the rules of one document share the steps that they begin with, so that a collection is walked once.

The rules of a partial set or object add to it in any order, and those of a function or complete rule that hold have
to give one value, so those whose blocks begin with the same step become one block that forks after it.
"""

from __future__ import annotations

from dataclasses import replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Clause,
    Emit,
    Fork,
    Function,
    Let,
    Local,
    Plan,
    Scan,
    Step,
)

MOST_SCANS = 6
MOST_STEPS = 30
"""How deep a shared beginning may get; Python limits how deep code nests."""


def fuse(plan: Plan) -> Plan:
    """The plan with common beginnings of rules shared."""
    return replace(plan, functions=tuple(map(_fused, plan.functions)))


def _fused(function: Function) -> Function:
    if function.kind == "query":
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
    return _merged([(block, {}) for block in blocks], scans, steps)


Names = dict[str, Atom]
Pending = tuple[Block, Names]
"""A block, and what its names stand for: it is renamed once, where it is known which steps it shares."""


def _merged(pending: list[Pending], scans: int, steps: int) -> list[Block]:
    groups: dict[object, list[Pending]] = {}
    for number, (block, names) in enumerate(pending):
        head = walks.renamed(block[0], names) if names else block[0]
        alone = isinstance(head, Emit | Fork) or not steps or (isinstance(head, Scan) and not scans)
        groups.setdefault(number if alone else canonical(head), []).append(((head, *block[1:]), names))
    found: list[Block] = []
    for group in groups.values():
        (head, *rest), names = group[0]
        if len(group) == 1:
            found.append((head, *walks.renamed(tuple(rest), names)) if names else (head, *rest))
            continue
        tails: list[Pending] = [(tuple(rest), names)]
        for (first, *tail), known in group[1:]:
            head, new = joined(head, first)
            tails.append((tuple(tail), _after(known, new)))
        inner = _merged(tails, scans - isinstance(head, Scan), steps - 1)
        found.append((head, *inner[0]) if len(inner) == 1 else (head, Fork(tuple(inner), span=head.span)))
    return found


def _after(known: Names, new: Names) -> Names:
    """The names after ``known``, then ``new``."""
    if not new:
        return known
    return {**new, **{n: new.get(a.name, a) if isinstance(a, Local) else a for n, a in known.items()}}


def joined(head: Step, first: Step) -> tuple[Step, Names]:
    """The first step for two blocks, and what the second block's names for it stand for."""
    if isinstance(head, Let | nodes.Attempt) and isinstance(first, Let | nodes.Attempt):
        return head, {first.name: Local(head.name)} if first.name != head.name else {}
    if isinstance(head, Scan) and isinstance(first, Scan):
        names: Names = {first.value: Local(head.value)} if first.value != head.value else {}
        if first.key and head.key and first.key != head.key:
            names[first.key] = Local(head.key)
        elif first.key and not head.key:
            head = replace(head, key=first.key)
        return head, names
    return head, {}


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
    for inner in walks.blocks_of(node):
        _number(inner, names)
    return walks.renamed(node, names) if names else node


def _number(block: Block, names: dict[str, nodes.Atom]) -> None:
    for step in block:
        for name in walks.assigned(step):
            names[name] = Local(f"#{len(names)}")
        for inner in walks.blocks_of(step):
            _number(inner, names)
