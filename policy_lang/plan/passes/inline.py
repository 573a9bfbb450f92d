"""Puts the steps of small functions, and of documents that only name a part of the input, where they are used.

A function of one rule without loops has at most one value, so its steps can stand in its caller: where they
fail, the call was undefined, and the caller's body failed. One with loops can too, where it only matters
whether it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Emit,
    Function,
    Let,
    Local,
    Path,
    Plan,
    Step,
    Test,
)

MOST_STEPS = 24
MOST_GROWTH = 20_000
"""Steps of one body that is put elsewhere, and steps that a program may grow by."""


def inline(plan: Plan) -> Plan:
    """The plan with such calls and documents replaced by their steps."""
    at = _Inliner(plan)
    return replace(plan, functions=tuple(at.done(function) for function in plan.functions))


@dataclass(slots=True)
class _Inliner:
    plan: Plan
    made: dict[Path, Function] = field(default_factory=dict)
    number: int = 0
    growth: int = 0

    def done(self, function: Function) -> Function:
        """The function after inlining, callees first."""
        found = self.made.get(function.path)
        if found is None:
            self.made[function.path] = function
            clauses = tuple(self.clause(clause) for clause in function.clauses)
            default = self.clause(function.default) if function.default else None
            found = self.made[function.path] = replace(function, clauses=clauses, default=default)
        return found

    def clause(self, clause: nodes.Clause) -> nodes.Clause:
        return replace(clause, branches=tuple(self.block(block) for block in clause.branches))

    def block(self, block: Block, *, once: bool = False) -> Block:
        """The block after inlining; ``once`` says that it only matters whether it has a solution."""
        steps: list[Step] = []
        names: dict[str, Atom] = {}
        for step in block:
            step = walks.renamed(step, names) if names else step
            inside = isinstance(step, nodes.Not) or isinstance(getattr(step, "op", None), nodes.Exists)
            step = walks.map_blocks(step, lambda inner, inside=inside: self.block(inner, once=inside))  # type: ignore[misc]
            op = step.op if isinstance(step, Let | Test) else None
            body = (
                self.body(op, loops=once and isinstance(step, Test))
                if isinstance(op, nodes.CallRule | nodes.Document)
                else None
            )
            if body is None or not isinstance(op, nodes.CallRule | nodes.Document):
                steps.append(step)
                continue
            inner, value = self.copied(body, op)
            steps += inner
            if isinstance(step, Let):
                names[step.name] = value
            else:
                steps.append(replace(step, op=value))
        return tuple(steps)

    def body(self, op: nodes.CallRule | nodes.Document, *, loops: bool) -> tuple[Function, Block] | None:
        """The block to put in place of an operation, where there is one. With ``loops`` it may have several
        solutions, where all have the same value."""
        function = self.plan.function(op.path)
        if function is None or self.plan.touched(op.path) or self.growth > MOST_GROWTH:
            return None
        function = self.done(function)
        if function.default or len(function.clauses) != 1 or len(function.clauses[0].branches) != 1:
            return None
        block = function.clauses[0].branches[0]
        if not isinstance(block[-1], Emit) or len(block) > MOST_STEPS:
            return None
        constant = isinstance(block[-1].heads[-1], nodes.Const) if block[-1].heads else False
        if any(isinstance(step, nodes.Scan) for step in block) and not (loops and constant):
            return None
        if isinstance(op, nodes.Document) and not (function.kind == "complete" and is_alias(block)):
            return None
        return function, block

    def copied(self, body: tuple[Function, Block], op: nodes.CallRule | nodes.Document) -> tuple[Block, Atom]:
        """The steps with fresh names and the call's operands, and the value."""
        function, block = body
        self.number += 1
        names: dict[str, Atom] = {name: Local(f"{name}x{self.number}") for name in walks.all_assigned(block)}
        names["C"] = Local(op.context)
        if isinstance(op, nodes.CallRule):
            names |= dict(zip(function.params, op.args, strict=True))
        *steps, last = walks.renamed(block, names)
        self.growth += len(steps)
        return tuple(steps), last.heads[-1]


def is_alias(block: Block) -> bool:
    """Whether a block only looks up a place in the input, or is a constant."""
    return all(
        isinstance(step, Emit) or (isinstance(step, Let) and isinstance(step.op, nodes.Input | nodes.Index))
        for step in block
    )
