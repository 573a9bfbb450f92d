"""Keeps what inner loops find out about texts: columns of many models have few different names and types.

Steps that depend on nothing but one text and on what all loops leave alone have the same outcome for the same text.
Where they take more than a look-up, and stand in a loop in a loop, they become a function of the text
with a memory (``Recall``), which is made before the outermost loop (``Memory``). Runs after ``types``: only a
name that is known to be a string is looked up without a further test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from policy_lang import types
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Attempt,
    Block,
    Builtin,
    Emit,
    Function,
    Let,
    Local,
    Not,
    Plan,
    Scan,
    Step,
    Test,
)
from policy_lang.types import Type

LEAST_COST = 3
LEAST_LOOPS = 2
"""What steps have to cost (a look-up costs 1), and how many loops the text has to be in, to be worth a memory."""
_CHEAP = frozenset(("equal", "neq", "lt", "lte", "gt", "gte", "count", "internal.member_2"))
_DEAR = 2
_CALL = 4


def memoise(plan: Plan) -> Plan:
    """The plan with such steps remembered."""
    if any(builtin.name in ("print", "trace") for f in plan.functions for builtin in _builtins(f)):
        return plan  # what is remembered is not printed again
    made: list[Function] = []
    number = 0
    for function in plan.functions:
        at = _Memoising(plan, dict(function.types), number)
        changed = walks.map_function(function, at.outermost)
        made.append(replace(changed, types=at.types) if at.number > number else function)
        number = at.number
    return replace(plan, functions=tuple(made))


def _builtins(function: Function) -> Iterator[Builtin]:
    pending: list[Block] = [b for c in function.clauses for b in c.branches]
    while pending:
        for step in pending.pop():
            pending += walks.blocks_of(step)
            op = getattr(step, "op", None)
            if isinstance(op, Builtin):
                yield op


@dataclass(slots=True)
class _Memoising:
    plan: Plan
    types: dict[str, Type]
    number: int
    outer: frozenset[str] = frozenset()
    """What all loops leave alone."""
    levels: dict[str, int] = field(default_factory=dict)
    memories: list[Step] = field(default_factory=list)

    def outermost(self, block: Block, around: frozenset[str] = frozenset(("C", ""))) -> Block:
        """A block that stands in no loop, where the names in ``around`` are assigned outside of it."""
        start = next((at for at, step in enumerate(block) if isinstance(step, Scan)), len(block))
        steps: list[Step] = []
        for step in block[:start]:
            steps.append(walks.map_blocks(step, lambda inner, around=around: self.outermost(inner, around)))  # type: ignore[misc]
            around = around.union(walks.assigned(step))
        self.outer, self.memories = around, []
        rest = self.block(block[start:], 0)
        return (*steps, *self.memories, *rest)

    def block(self, block: Block, loops: int) -> Block:
        steps: list[Step] = []
        at = 0
        while at < len(block):
            end = self.end(block, at) if loops >= LEAST_LOOPS else at
            if end > at:
                steps.append(self.remembered(block[at:end], block[end:]))
                at = end
                continue
            step = block[at]
            loops += isinstance(step, Scan)
            self.levels |= dict.fromkeys(walks.assigned(step), loops)
            steps.append(walks.map_blocks(step, lambda inner, loops=loops: self.block(inner, loops)))  # type: ignore[misc]
            at += 1
        return tuple(steps)

    def end(self, block: Block, start: int) -> int:
        """Where steps from ``start`` on end that can be remembered together; ``start`` where there are none."""
        found, spent = start, 0
        free: set[str] = set()
        own: set[str] = set()
        for at in range(start, len(block)):
            step = block[at]
            within = {name for one in walks.blocks_of(step) for name in walks.all_assigned(one)}
            free |= walks.uses(step) - within - own - self.outer - set(walks.assigned(step))
            own |= set(walks.assigned(step))
            if not self.repeatable(step) or len(free) > 1 or not all(map(self.is_text, free)):
                break
            spent += cost(step)
            decides = not isinstance(step, Let) or cost(step) >= _CALL
            if decides and free and spent >= LEAST_COST and self.closed(block, start, at + 1):
                found = at + 1
        return found

    def is_text(self, name: str) -> bool:
        return self.types.get(name) == types.STRING and self.levels.get(name, 0) >= LEAST_LOOPS

    def repeatable(self, step: Step) -> bool:
        """Whether doing a step again gives the same, and nothing else notices."""
        op = getattr(step, "op", None)
        if isinstance(step, Scan | Attempt | Emit | nodes.Fork) or isinstance(op, nodes.Derive):
            return False
        if isinstance(op, nodes.Builtin | nodes.CallRule | nodes.Document | nodes.Tree) and op.context not in ("C", ""):
            return False
        return all(map(self.repeats, walks.blocks_of(step)))

    def repeats(self, block: Block) -> bool:
        inside = (step for step in block if not isinstance(step, Scan | Emit | nodes.Fork))
        return all(map(self.repeatable, inside)) and all(
            self.repeats(inner) for step in block if isinstance(step, nodes.Fork) for inner in step.blocks
        )

    def closed(self, block: Block, start: int, end: int) -> bool:
        """Whether nothing after the steps reads what they assign, but for the value of the last one."""
        own = {name for step in block[start : end - 1] for name in walks.assigned(step)}
        return not any(own & walks.uses(step) for step in block[end:])

    def remembered(self, run: Block, rest: Block) -> Step:
        last = run[-1]
        inside = {name for step in run for name in walks.all_assigned((step,))}
        free = sorted(walks.uses(run) - inside - {"C", ""})
        key = next(name for name in free if name not in self.outer)
        given: tuple[Atom, ...] = tuple(Local(name) for name in free if name != key)
        self.number += 1
        memory = f"m{self.number}"
        self.memories.append(Attempt(memory, nodes.Memory(memory, given), span=last.span))
        valued = isinstance(last, Let) and any(last.name in walks.uses(step) for step in rest)
        if not valued or not isinstance(last, Let):
            block = (*run, Emit((), span=last.span))
            return Test(nodes.Recall(Local(memory), Local(key), given, block), span=last.span)
        inner = f"{last.name}{memory}"
        self.types[inner] = self.types.get(last.name, types.ANY)
        block = (*run[:-1], replace(last, name=inner), Emit((Local(inner),), span=last.span))
        return Let(last.name, nodes.Recall(Local(memory), Local(key), given, block), span=last.span)


def cost(step: Step) -> int:
    """About how many look-ups a step costs."""
    inside = sum(cost(one) for block in walks.blocks_of(step) for one in block)
    match step:
        case Scan():
            return _CALL
        case Not():
            return inside
        case Let(op=nodes.CallRule()) | Test(op=nodes.CallRule()):
            return _CALL
        case Let(op=Builtin(name=name)) | Test(op=Builtin(name=name)):
            if name == "regex.match":
                return 1  # which remembers its texts itself
            return 1 if name in _CHEAP else _DEAR if name in _METHODS else _CALL
        case Let() | Test():
            return inside + 1
        case _:
            return 0


_METHODS = frozenset(("lower", "split", "startswith", "endswith", "contains", "trim_space"))
"""What is a call of a method of Python's."""
