"""Which policies can be judged subject by subject: their verdict on one member of a list depends on that member alone.

A policy is *sliced* over the list that its outermost ``for`` ranges over. Its rules are read once more without that
loop's collection: what is still read of the input is what it looks at beyond its subject. A list among that, or an
index that is used for more than to say where a finding is, and the policy is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Block,
    Clause,
    Const,
    Function,
    Let,
    Local,
    Path,
    Plan,
    Scan,
)
from policy_lang.plan.reads import ANY_KEY, InputPath, reads
from policy_lang.plan.sliced import Slice
from policy_lang.source import Span

_ALONE: Path = ("floec slice",)


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The outermost loop of a rule: the list, and the names of its index and its member."""

    over: str
    key: str
    at: int


def slices(plan: Plan, lists: Collection[str]) -> tuple[Slice, ...]:
    """The policies of a plan by id; ``lists`` are the keys of ``input`` that hold the lists of subjects."""
    violations: dict[str, list[Block]] = {}
    counted: dict[str, list[Block]] = {}
    spans: dict[str, Span] = {}
    packages: dict[str, Path] = {}
    by_hand: set[Path] = set()
    for function in plan.functions:
        if function.kind != "set" or function.path[-1:] != ("violation",):
            continue
        for clause in function.clauses:
            named = list(_named(clause))
            if not named:
                by_hand.add(function.path)
            for policy, name in named:
                packages[policy] = function.path
                violations.setdefault(policy, []).extend(clause.branches)
                spans.setdefault(policy, clause.span)
                subjects = plan.function((*function.path[:-1], "subjects", name))
                counted[policy] = [b for c in (subjects.clauses if subjects else ()) for b in c.branches]
    return tuple(
        Slice(id_, "", "its package has rules of `violation` written by hand", frozenset(((),)), spans[id_])
        if packages[id_] in by_hand
        else _slice(plan, id_, violations[id_], counted[id_], lists, spans[id_])
        for id_ in sorted(violations)
    )


def lists_of(schema: Mapping[str, Any] | None) -> frozenset[str]:
    """The keys of the input that a JSON Schema says to hold arrays."""
    given = (schema or {}).get("properties", {})
    return frozenset(name for name, of in given.items() if isinstance(of, dict) and of.get("type") == "array")


def _slice(
    plan: Plan, policy: str, blocks: list[Block], counted: list[Block], lists: Collection[str], span: Span
) -> Slice:
    whole = _reads(plan, [*blocks, *counted])
    found: set[str] = set()
    alone: list[Block] = []
    indexed = False
    for block in (*blocks, *counted):
        subjects = _subjects(block)
        if subjects is None:
            return Slice(policy, "", "its outermost `for` is not over a list of `input`", whole, span)
        found.add(subjects.over)
        alone.append(_without_collection(block, subjects))
        indexed = indexed or _index_is_read(block, subjects)
    if len(found) != 1:
        return Slice(policy, "", "its rules range over different lists", whole, span)
    beyond = sorted(path for path in _reads(plan, alone) if not path or path[0] in {*lists, *found, ANY_KEY})
    if beyond:
        shown = ", ".join(f"`{'.'.join(('input', *path))}`" for path in beyond[:3])
        return Slice(policy, "", f"it reads {shown} beyond its subject", whole, span)
    if indexed:
        text = "it uses the index of its subject for more than the place of a finding"
        return Slice(policy, "", text, whole, span)
    return Slice(policy, next(iter(found)), "", whole, span)


def _named(clause: Clause) -> Iterator[tuple[str, str]]:
    """The id and the name of the policy that a rule of ``violation`` was made of."""
    for block in clause.branches:
        for made in _objects(block):
            fields = {k.value: v for k, v in made.items if isinstance(k, Const)}
            id_, name = fields.get("id"), fields.get("name")
            whole = {"id", "name", "severity", "message", "at"} <= fields.keys()
            if whole and isinstance(id_, Const) and isinstance(name, Const):
                yield str(id_.value), str(name.value)
                return


def staying(function: Function, without: Collection[str]) -> tuple[Clause, ...]:
    """The rules of a package's ``violation`` without those of the policies with these ids. What is written by hand
    stays while any of the package's policies does."""
    ids = [{id_ for id_, _ in _named(clause)} for clause in function.clauses]
    any_stays = not set().union(*ids) <= set(without)
    named = zip(function.clauses, ids, strict=True)
    return tuple(clause for clause, own in named if (not own <= set(without) if own else any_stays))


def _operations(block: Block) -> Iterator[nodes.Op]:
    for step in block:
        if isinstance(step, Let | nodes.Attempt | nodes.Test):
            yield step.op
        for inner in walks.blocks_of(step):
            yield from _operations(inner)


def _objects(block: Block) -> Iterator[nodes.MakeObject]:
    return (op for op in _operations(block) if isinstance(op, nodes.MakeObject))


def _subjects(block: Block) -> _Subjects | None:
    """The first loop, where it is over ``input.<list>`` itself."""
    made: dict[str, nodes.Op] = {}
    for at, step in enumerate(block):
        if isinstance(step, Let):
            made[step.name] = step.op
        elif isinstance(step, Scan):
            of = made.get(step.collection.name) if isinstance(step.collection, Local) else None
            if not isinstance(of, nodes.Index) or not isinstance(of.key, Const) or type(of.key.value) is not str:
                return None
            base = made.get(of.base.name) if isinstance(of.base, Local) else None
            return _Subjects(of.key.value, step.key, at) if isinstance(base, nodes.Input) and step.key else None
        elif walks.blocks_of(step):
            return None
    return None


def _index_is_read(block: Block, subjects: _Subjects) -> bool:
    """Whether the index serves for more than for paths that begin with the list and it."""
    places, choices = _places(block, subjects)
    heads = {head.name for found in walks.emitted(block) for head in found if isinstance(head, Local)}
    if not _placed(block, places) and not _only_counts(block, heads):
        return True
    for step in _steps(block):
        if isinstance(step, nodes.Emit | nodes.Fork):
            continue
        known = isinstance(step, Let) and step.name in {*places, *choices}
        if known or (isinstance(step, Let) and step.name in heads and _only_counts(block, heads)):
            continue
        names = {Local(subjects.key), *map(Local, places), *map(Local, choices)}
        direct = {Local(name) for name in walks.uses(_shallow(step))}
        if isinstance(step, Let) and isinstance(step.op, nodes.MakeObject):
            direct -= set(map(Local, places))
        given = {head for inner in walks.blocks_of(step) for found in walks.emitted(inner) for head in found}
        if names & direct or (names & given and not isinstance(step, nodes.Fork | Scan)):
            return True
    return False


def _places(block: Block, subjects: _Subjects) -> tuple[set[str], set[str]]:
    """The names of paths that begin with the list and its index, and of arrays of such paths: ``at`` is the first of
    one where a policy says two places, the second for want of the first."""
    places: set[str] = set()
    choices: set[str] = set()
    lets = [step for step in _steps(block) if isinstance(step, Let)]
    known = -1
    while known < len(places) + len(choices):  # what stands in a comprehension comes after it
        known = len(places) + len(choices)
        for step in lets:
            if _is_place(step.op, subjects, choices):
                places.add(step.name)
            elif _is_choice(step.op, places, choices):
                choices.add(step.name)
    return places, choices


def _is_place(op: nodes.Op, subjects: _Subjects, choices: Collection[str]) -> bool:
    if isinstance(op, nodes.MakeArray):
        key = Local(subjects.key)
        return op.items[:2] == (Const(subjects.over), key) and key not in op.items[2:]
    if isinstance(op, nodes.Index):
        return isinstance(op.base, Local) and op.base.name in choices and isinstance(op.key, Const)
    return False


def _is_choice(op: nodes.Op, places: Collection[str], choices: Collection[str]) -> bool:
    if isinstance(op, nodes.MakeArray):
        return bool(op.items) and all(isinstance(item, Local) and item.name in places for item in op.items)
    if isinstance(op, nodes.Collect):
        heads = [head for found in walks.emitted(op.block) for head in found]
        return op.kind == "array" and all(isinstance(head, Local) and head.name in places for head in heads)
    if isinstance(op, nodes.Builtin):
        return op.name == "array.concat" and all(isinstance(arg, Local) and arg.name in choices for arg in op.args)
    return False


def _placed(block: Block, places: Collection[str]) -> bool:
    """Whether each finding's ``at`` is a place in its subject."""
    found = [dict(made.items) for made in _objects(block) if Const("at") in dict(made.items)]
    return bool(found) and all(isinstance(of := one[Const("at")], Local) and of.name in places for one in found)


def _only_counts(block: Block, heads: Collection[str]) -> bool:
    """Whether the block is one of subjects: it gives the keys of its loops, and makes no finding."""
    made = [s.op for s in _steps(block) if isinstance(s, Let) and s.name in heads]
    return bool(made) and all(isinstance(op, nodes.MakeArray) for op in made)


def _steps(block: Block) -> Iterator[nodes.Step]:
    for step in block:
        yield step
        for inner in walks.blocks_of(step):
            yield from _steps(inner)


def _shallow(step: nodes.Step) -> nodes.Step:
    """The step without the blocks inside, which are looked at on their own."""
    return walks.map_blocks(step, lambda _: ())  # type: ignore[no-any-return]


def _without_collection(block: Block, subjects: _Subjects) -> Block:
    """The block as if its subjects came from nowhere; what only led to them is left out."""
    scan = block[subjects.at]
    assert isinstance(scan, Scan)
    steps: list[nodes.Step] = [*block[: subjects.at], replace(scan, collection=Const(None)), *block[subjects.at + 1 :]]
    for at in range(subjects.at - 1, -1, -1):
        step = steps[at]
        led = isinstance(step, Let) and isinstance(step.op, nodes.Input | nodes.Index)
        if led and isinstance(step, Let) and step.name not in walks.uses(tuple(steps[at + 1 :])):
            del steps[at]
    return tuple(steps)


def _reads(plan: Plan, blocks: list[Block]) -> frozenset[InputPath]:
    span = plan.functions[0].span
    clauses = tuple(Clause((block,), span=span) for block in blocks)
    function = Function(_ALONE, "set", (), clauses, span=span)
    return reads(replace(plan, functions=(*plan.functions, function)), [_ALONE])


def shown(found: tuple[Slice, ...]) -> str:
    """A line a policy, for ``floec dump``."""
    lines = [
        f"{one.policy} sliced over input.{one.over}"
        if one.over
        else f"{one.policy} refused: {one.why} ({one.span.file}:{one.span.line})"
        for one in found
    ]
    return "".join(f"{line}\n" for line in lines)
