"""Walks over a plan: what nodes read and assign, and nodes made anew with parts of them changed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from policy_lang.plan.nodes import (
    Atom,
    Attempt,
    Block,
    BuildIndex,
    Builtin,
    CallRule,
    Clause,
    Collect,
    Const,
    Count,
    Defined,
    Derive,
    Document,
    Emit,
    Exists,
    Fork,
    Function,
    Input,
    Let,
    Local,
    Not,
    Plan,
    Recall,
    Scan,
    Step,
    Switch,
    Test,
    Text,
    Tree,
    put_together,
)

_ON_OP = frozenset((Let, Attempt, Test))
_ON_BLOCK = frozenset((Collect, Count, Exists, Not, Recall))


def blocks_of(node: Any) -> tuple[Block, ...]:
    """The blocks directly inside a step or an operation."""
    kind = type(node)
    if kind in _ON_OP:
        node = node.op
        kind = type(node)
    if kind in _ON_BLOCK:
        return (node.block,)
    if kind is Text:
        return tuple(p for p in node.parts if type(p) is tuple)
    if kind is Switch:
        return tuple(case.block for case in node.cases)
    return node.blocks if kind is Fork else ()


def uses(node: object) -> set[str]:
    """The locals and contexts that a node reads, blocks inside included; what it assigns may be among them."""
    found: set[str] = set()
    _uses(node, found)
    return found


def _uses(node: object, found: set[str]) -> None:
    kind = type(node)
    if kind is Local:
        found.add(node.name)  # type: ignore[attr-defined]
    elif kind is tuple:
        for item in node:  # type: ignore[attr-defined]
            _uses(item, found)
    elif kind not in _LEAVES:
        for name in _FIELDS[kind]:
            _uses(getattr(node, name), found)
        if kind is Defined:
            found.add(node.name)  # type: ignore[attr-defined]
        elif kind in _WITH_CONTEXT:
            found.add(node.context)  # type: ignore[attr-defined]


_SCALARS = frozenset((str, int, bool, type(None), Decimal))
_LEAVES = _SCALARS | {Const}
_NAMED = frozenset((Let, Attempt, Defined))
_WITH_CONTEXT = frozenset((Input, Document, Tree, Builtin, CallRule, Derive))


class _Fields(dict[type, tuple[str, ...]]):
    def __missing__(self, kind: type) -> tuple[str, ...]:
        found = tuple(f.name for f in fields(kind) if f.name not in ("span", "path", "rule") or kind is BuildIndex)
        self[kind] = found
        return found


_FIELDS = _Fields()


def assigned(step: Step) -> tuple[str, ...]:
    """The names that a step assigns, without those inside its blocks."""
    if isinstance(step, Let | Attempt):
        return (step.name,)
    if isinstance(step, Scan):
        return tuple(name for name in (step.key, step.value) if name)
    return ()


def all_assigned(block: Block) -> list[str]:
    """The names that a block assigns, those of blocks inside included."""
    found: list[str] = []
    for step in block:
        found += assigned(step)
        for inner in blocks_of(step):
            found += all_assigned(inner)
    return found


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node with ``change`` applied to each atom, context name and block inside, one level down."""
    kind = type(node)
    if kind is tuple:
        made = tuple([rebuilt(item, change) if type(item) is str else change(item) for item in node])
        return made if any(map(operator.is_not, made, node)) else node
    if kind in _LEAVES:
        return node
    changed = {}
    for name in _FIELDS[kind]:
        old = getattr(node, name)
        if type(old) not in _SCALARS:
            new = change(old)
            if new is not old:
                changed[name] = new
    return replace(node, **changed) if changed else node


def renamed(node: Any, names: dict[str, Atom]) -> Any:
    """A node in which locals stand for other atoms, and assigned names for other names."""

    def change(item: Any) -> Any:
        kind = type(item)
        if kind is Local:
            return names.get(item.name, item)
        if kind in _LEAVES:
            return item
        made = rebuilt(item, change)
        if kind in _NAMED and isinstance(new := names.get(made.name), Local):
            made = replace(made, name=new.name)
        elif kind is Scan:
            key, value = names.get(made.key), names.get(made.value)
            if isinstance(key, Local):
                made = replace(made, key=key.name)
            if isinstance(value, Local):
                made = replace(made, value=value.name)
        elif kind in _WITH_CONTEXT and isinstance(new := names.get(made.context), Local):
            made = replace(made, context=new.name)
        return made

    return change(node)


def map_blocks(node: Any, change: Callable[[Block], Block]) -> Any:
    """A step with ``change`` applied to each block directly inside."""
    kind = type(node)
    if kind in _ON_OP:
        op = map_blocks(node.op, change)
        return node if op is node.op else replace(node, op=op)
    if kind in _ON_BLOCK:
        block = change(node.block)
        return node if block is node.block else replace(node, block=block)
    if kind is Text:
        return replace(node, parts=tuple(change(p) if type(p) is tuple else p for p in node.parts))
    if kind is Fork:
        return replace(node, blocks=tuple(map(change, node.blocks)))
    if kind is Switch:
        return replace(node, cases=tuple(replace(case, block=change(case.block)) for case in node.cases))
    return node


def emitted(block: Block) -> Iterator[tuple[Atom, ...]]:
    """The heads of all places where a block has a solution."""
    last = block[-1]
    if isinstance(last, Emit):
        yield last.heads
    elif isinstance(last, Fork | Switch):
        for inner in blocks_of(last):
            yield from emitted(inner)


def use_counts(function: Function) -> dict[str, int]:
    """How often each local is read in a function."""
    found: dict[str, int] = {}
    for clause in (*function.clauses, *((function.default,) if function.default else ())):
        for block in clause.branches:
            _count(block, found)
    return found


def _count(node: object, found: dict[str, int], one: int = 1) -> None:
    kind = type(node)
    if kind is Local or kind is Defined:
        found[node.name] = found.get(node.name, 0) + one  # type: ignore[attr-defined]
    elif kind is tuple:
        for item in node:  # type: ignore[attr-defined]
            _count(item, found, one)
    elif kind not in _LEAVES:
        for name in _FIELDS[kind]:
            _count(getattr(node, name), found, one)


def map_function(function: Function, change: Callable[[Block], Block]) -> Function:
    """A function in which the outermost blocks are changed."""

    def clause(old: Clause) -> Clause:
        return replace(old, branches=tuple(map(change, old.branches)))

    default = clause(function.default) if function.default else None
    return replace(function, clauses=tuple(map(clause, function.clauses)), default=default)


def map_plan(plan: Plan, start: Callable[[], Callable[[Block], Block]]) -> Plan:
    """A plan in which the outermost blocks of each function are changed; ``start`` gives the change for one
    function (and can keep its names apart)."""
    return replace(plan, functions=tuple(map_function(f, start()) for f in plan.functions))


def without_unread(function: Function) -> Function:
    """A function that does not put together what it never reads."""
    counts = use_counts(function)
    return map_function(function, lambda block: _read(block, counts))


def _read(block: Block, counts: dict[str, int]) -> Block:
    """The steps that are read, from the last one on: what only a step reads that is left out is not read."""
    kept: list[Step] = []
    for step in reversed(block):
        if isinstance(step, Let | Attempt) and not counts.get(step.name) and put_together(step.op):
            _count(step, counts, -1)
        else:
            kept.append(map_blocks(step, lambda inner: _read(inner, counts)))
    return tuple(reversed(kept))
