"""One function for many documents: their rules side by side, so that passes can join what they share.

``documents`` are partial sets of which the members are wanted, ``counted`` those of which only their number
is. Where each solution of a counted rule gives another member, because its head is the keys of all its
loops, nothing is kept but a count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from policy_lang.codegen.loaded import TOGETHER
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Block,
    Clause,
    Emit,
    Function,
    Let,
    Local,
    Path,
    Plan,
    Scan,
)
from policy_lang.plan.slices import staying
from policy_lang.source import whole_file


def together(
    plan: Plan, documents: Sequence[Path], counted: Sequence[Path], without: Collection[str] = frozenset()
) -> Plan:
    """The plan of these documents alone: their joint function, and the functions that they use. The rules of the
    policies with the ids ``without`` are left out of ``documents``."""
    clauses: list[Clause] = []
    sinks: list[str] = []
    for path in (*documents, *counted):
        function = plan.function(path)
        one = path in set(counted)
        rules = () if function is None else function.clauses if one else staying(function, without)
        blocks = [block for clause in rules for block in clause.branches]
        direct = one and len(blocks) == 1 and distinct(blocks[0])
        for block in blocks:
            moved = _moved(block, f"y{len(clauses)}", len(sinks))
            clauses.append(Clause((_headless(moved) if direct else moved,), span=block[-1].span))
        sinks.append("count" if direct else "number" if one else "members")
    span = clauses[0].span if clauses else whole_file("<policies>")
    joint = Function(TOGETHER, "together", (), tuple(clauses), sinks=tuple(sinks), span=span)
    needed = _needed(plan, joint)
    return replace(plan, functions=(*(f for f in plan.functions if f.path in needed), joint))


def _moved(block: Block, suffix: str, sink: int) -> Block:
    """The block with names of its own and its solutions sent to ``sink``."""
    names: dict[str, nodes.Atom] = {name: Local(name + suffix) for name in walks.all_assigned(block)}
    *steps, last = walks.renamed(block, names)
    assert isinstance(last, Emit)
    return (*steps, replace(last, sink=sink))


def distinct(block: Block) -> bool:
    """Whether each solution's head differs from all others: an array with the keys of all loops."""
    last = block[-1]
    if not isinstance(last, Emit) or len(last.heads) != 1 or not isinstance(last.heads[0], Local):
        return False
    made = next((s.op for s in block if isinstance(s, Let) and s.name == last.heads[0].name), None)
    if not isinstance(made, nodes.MakeArray):
        return False
    names = {item.name for item in made.items if isinstance(item, Local)}
    return all(step.key in names for step in block if isinstance(step, Scan))


def _headless(block: Block) -> Block:
    """The block without its head, which nobody reads."""
    last = block[-1]
    assert isinstance(last, Emit)
    head = last.heads[0]
    steps = tuple(s for s in block[:-1] if not (isinstance(s, Let) and Local(s.name) == head))
    return (*steps, replace(last, heads=()))


def _needed(plan: Plan, start: Function) -> set[Path]:
    found: set[Path] = set()
    pending = [start]
    while pending:
        for path in references(pending.pop()):
            for function in plan.functions:
                near = function.path == path or (function.path[: len(path)] == path)
                if near and function.path not in found:
                    found.add(function.path)
                    pending.append(function)
    return found


def references(function: Function) -> set[Path]:
    """The paths of the rules, or of what is above them, that a function may use."""
    found: set[Path] = set()
    for clause in (*function.clauses, *((function.default,) if function.default else ())):
        for block in clause.branches:
            _references(block, found)
    return found


def _references(block: Block, found: set[Path]) -> None:
    for step in block:
        op = getattr(step, "op", None)
        if isinstance(op, nodes.Document | nodes.CallRule):
            found.add(op.path)
        if isinstance(op, nodes.Tree):
            found.add(op.prefix())
        if isinstance(op, nodes.Derive):
            found |= {change.rule for change in op.changes if change.rule is not None}
        for inner in walks.blocks_of(step):
            _references(inner, found)
