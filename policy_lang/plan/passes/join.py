"""Looks members up by a hash in place of walking a collection in each turn of another loop.

``some x in xs; some y in ys; x.k == y.k`` walks ``ys`` once for each ``x``. Where ``ys`` is the same in each
turn, its members are put into an index by their ``k`` (which ``hoist`` moves out of the loop), and only those
that have the wanted ``k`` are visited. The index is by frozen values, so it has Rego's equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Builtin,
    Const,
    Index,
    Let,
    Local,
    Plan,
    Scan,
    Step,
    Test,
)


def join(plan: Plan) -> Plan:
    """The plan with loops over collections that do not change made look-ups, where an equality allows it."""
    return walks.map_plan(plan, lambda: _Joining(plan).outermost)


@dataclass(slots=True)
class _Joining:
    plan: Plan
    levels: dict[str, int] = field(default_factory=dict)
    number: int = 0

    def outermost(self, block: Block) -> Block:
        return self.block(block, 0)

    def block(self, block: Block, loops: int) -> Block:
        """The block, inside so many loops, with its joins."""
        steps: list[Step] = []
        rest = list(block)
        while rest:
            step = rest.pop(0)
            if isinstance(step, Scan):
                found = self.found(step, rest, loops)
                if found is not None:
                    before, step, rest = found
                    for moved in before:
                        self.levels[moved.name] = loops
                    steps += before
                loops += 1
            for name in walks.assigned(step):
                self.levels[name] = loops
            if isinstance(step, Let) and isinstance(step.op, nodes.Input | Index):
                # It is moved out of the loops that it does not depend on.
                self.levels[step.name] = max((self.levels.get(name, 0) for name in walks.uses(step.op)), default=0)
            steps.append(walks.map_blocks(step, lambda inner, depth=loops: self.block(inner, depth)))  # type: ignore[misc]
        return tuple(steps)

    def found(self, scan: Scan, rest: list[Step], loops: int) -> tuple[list[Let], Scan, list[Step]] | None:
        """What to do before a loop, the loop over what an index has, and what is left to do in it."""
        if not isinstance(scan.collection, Local) or scan.pairs:
            return None
        if self.levels.get(scan.collection.name, 0) >= loops:
            return None
        defined = {step.name: step for step in rest if isinstance(step, Let) and isinstance(step.op, Index)}
        for test in rest:
            if not isinstance(test, Test) or not isinstance(test.op, Builtin) or test.op.name != "equal":
                continue
            if "equal" in self.plan.mocked:
                return None
            for one, other in (test.op.args, test.op.args[::-1]):
                path = self.path(one, scan.value, defined)
                moved = self.movable(other, {scan.key, scan.value}, rest, defined) if path else None
                if path and moved is not None:
                    return self.joined(scan, [s for s in rest if s is not test and s not in moved], path, other, moved)
        return None

    def path(self, atom: Atom, member: str, defined: dict[str, Let]) -> tuple[Atom, ...] | None:
        """The constant keys that lead from the loop's member to a value."""
        found: list[Atom] = []
        while isinstance(atom, Local) and atom.name in defined:
            op = defined[atom.name].op
            if not isinstance(op, Index) or not isinstance(op.key, Const):
                return None
            found.insert(0, op.key)
            atom = op.base
        return tuple(found) if found and atom == Local(member) else None

    def movable(self, atom: Atom, inside: set[str], rest: list[Step], defined: dict[str, Let]) -> list[Let] | None:
        """The look-ups that give a value that does not depend on the loop; None where it does."""
        found: list[Let] = []
        pending = [atom]
        while pending:
            one = pending.pop()
            if isinstance(one, Const):
                continue
            if one.name in defined:
                step = defined[one.name]
                found.insert(0, step)
                assert isinstance(step.op, Index)
                pending += [step.op.base, step.op.key]
            elif one.name in inside or any(one.name in walks.assigned(step) for step in rest):
                return None
        return found

    def joined(
        self, scan: Scan, rest: list[Step], path: tuple[Atom, ...], wanted: Atom, moved: list[Let]
    ) -> tuple[list[Let], Scan, list[Step]]:
        self.number += 1
        index, members = f"j{self.number}", f"k{self.number}"
        before = [
            *dict.fromkeys(moved),
            Let(index, nodes.BuildIndex(scan.collection, path), span=scan.span),
            Let(members, nodes.Lookup(Local(index), wanted), span=scan.span),
        ]
        return before, replace(scan, collection=Local(members), pairs=True), rest
