"""The plan: what one program does, step by step, after names, order and bindings are decided.

A *block* is a flat tuple of steps; each step either goes on to the next, or fails, which ends this
attempt of the block. ``Scan`` goes on once for each member of a collection, so all that stands after it
is inside its loop. A block ends in ``Emit`` (a solution) or in ``Fork`` (several blocks in turn).

Operands are atoms (``Const``, ``Local``), so that every operation has a name and can be moved, typed or
replaced on its own. Each local is assigned in exactly one place of a function.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from policy_lang.plan.mocked import mocked_path
from policy_lang.source import Span
from policy_lang.types import ANY, AnyType, Type

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Const:
    """A scalar: None, bool, int, Decimal or str."""

    value: bool | int | Decimal | str | None

    def __eq__(self, other: object) -> bool:
        return type(other) is Const and type(other.value) is type(self.value) and other.value == self.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Local:
    """A variable of the function."""

    name: str


Atom = Const | Local

# --------------------------------------------------------------------------- operations


@dataclass(frozen=True, slots=True)
class Input:
    """The input of a context; undefined where there is none."""

    context: str


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a rule's document."""

    path: Path
    context: str


@dataclass(frozen=True, slots=True)
class Tree:
    """What is at ``keys`` below ``data`` where no rule is known to define it: base documents and rules."""

    keys: tuple[Atom, ...]
    context: str

    def prefix(self) -> Path:
        """The names that it begins with."""
        found = itertools.takewhile(lambda key: isinstance(key, Const) and type(key.value) is str, self.keys)
        return tuple(str(key.value) for key in found if isinstance(key, Const))


@dataclass(frozen=True, slots=True)
class Index:
    """``base[key]``; undefined where there is none."""

    base: Atom
    key: Atom


@dataclass(frozen=True, slots=True)
class Builtin:
    """A builtin's answer; undefined where it fails (an error where the context is strict)."""

    name: str
    args: tuple[Atom, ...]
    context: str


@dataclass(frozen=True, slots=True)
class CallRule:
    """A function of the program."""

    path: Path
    args: tuple[Atom, ...]
    context: str


@dataclass(frozen=True, slots=True)
class MakeArray:
    items: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class MakeSet:
    items: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class MakeObject:
    items: tuple[tuple[Atom, Atom], ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """All solutions of a block: ``kind`` is array, set (one head) or object (two heads)."""

    kind: str
    block: Block


@dataclass(frozen=True, slots=True)
class Count:
    """The number of solutions of a block."""

    block: Block


@dataclass(frozen=True, slots=True)
class Exists:
    """True where the block has a solution, else false; never undefined."""

    block: Block


@dataclass(frozen=True, slots=True)
class Logic:
    """``and`` / ``or`` of two booleans."""

    op: str
    left: Atom
    right: Atom


@dataclass(frozen=True, slots=True)
class Text:
    """A template; a block part gives its one head, or ``<undefined>``."""

    parts: tuple[str | Atom | Block, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One ``with``: ``kind`` is input, data or mock; a mock's value may be a rule's path or a builtin's name."""

    kind: str
    path: Path
    value: Atom | None
    rule: Path | None = None
    builtin: str = ""


@dataclass(frozen=True, slots=True)
class Derive:
    """A context in which some targets have other values."""

    context: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The members of the hash index ``index`` under ``key``: an array of ``[key, value]`` pairs."""

    index: Atom
    key: Atom


@dataclass(frozen=True, slots=True)
class BuildIndex:
    """A hash index of a collection by the value at ``path`` below each member."""

    collection: Atom
    path: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A collection prepared for many ``in``."""

    collection: Atom


@dataclass(frozen=True, slots=True)
class IsMember:
    """``value in`` prepared members."""

    value: Atom
    members: Atom


@dataclass(frozen=True, slots=True)
class Memory:
    """What is to remember the outcomes of the ``Recall`` of that name; ``given`` does not change meanwhile."""

    name: str
    given: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """The outcome of a block that depends on the text ``key`` and on ``given``: its one head; true or false
    where it has none."""

    memory: Local
    key: Local
    given: tuple[Atom, ...]
    block: Block


Op = (
    Const
    | Local
    | Input
    | Document
    | Tree
    | Index
    | Builtin
    | CallRule
    | MakeArray
    | MakeSet
    | MakeObject
    | Collect
    | Count
    | Exists
    | Logic
    | Text
    | Derive
    | Lookup
    | BuildIndex
    | Members
    | IsMember
    | Memory
    | Recall
)


def put_together(op: Op) -> bool:
    """Whether an operation only puts atoms together, which cannot fail."""
    match op:
        case MakeArray():
            return True
        case MakeObject():
            keys = [key for key, _ in op.items]
            return len(set(keys)) == len(keys) and all(isinstance(k, Const) and type(k.value) is str for k in keys)
        case Text():
            return not any(isinstance(part, tuple) for part in op.parts)
        case _:
            return False


# --------------------------------------------------------------------------- steps


def _span() -> Span:
    return field(compare=False, repr=False, kw_only=True)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Let:
    """``name := op``; fails where it is undefined."""

    name: str
    op: Op
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Attempt:
    """``name := op`` that goes on where it is undefined; the steps that use it test it (a hoisted ``Let``)."""

    name: str
    op: Op
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Defined:
    """Fails where an attempt was undefined."""

    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Test:
    """Fails where the operation is undefined or false."""

    op: Op
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class IsCollection:
    """Fails where the value is no ``kind`` (array, object, any collection); ``size`` is its length where known."""

    kind: str
    value: Atom
    size: int | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Scan:
    """Goes on for each member of a collection; nothing where it is none. Names may be empty. ``pairs`` says
    that the collection is what ``Lookup`` gives."""

    key: str
    value: str
    collection: Atom
    pairs: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    """Fails where the block has a solution."""

    block: Block
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Emit:
    """A solution: the heads go to the ``sink`` of that number; one that counts may count ``times``."""

    heads: tuple[Atom, ...]
    sink: int = 0
    times: Atom | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Fork:
    """Each block in turn."""

    blocks: tuple[Block, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Case:
    """What a ``Switch`` goes on with where its value is the text."""

    text: Const
    block: Block


@dataclass(frozen=True, slots=True)
class Switch:
    """The block of the case that has the value for its text; nothing where none has. Ends a block."""

    value: Local
    cases: tuple[Case, ...]
    span: Span = _span()


Step = Let | Attempt | Defined | Test | IsCollection | Scan | Not | Emit | Fork | Switch
Block = tuple[Step, ...]

# --------------------------------------------------------------------------- functions


@dataclass(frozen=True, slots=True)
class Clause:
    """A rule: its block, and those of its ``else`` branches, each tried where those before gave nothing."""

    branches: tuple[Block, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Function:
    """The rules of one document or function.

    ``kind`` is complete, function, set (``Emit`` has the member), object (``Emit`` has a constant that says
    whether the value is a member of a set at the keys, the keys, and the value), query, or together, whose
    ``sinks`` say for each number what becomes of the solutions: members, number (of different ones) or count.
    """

    path: Path
    kind: str
    params: tuple[str, ...]
    clauses: tuple[Clause, ...]
    default: Clause | None = None
    sinks: tuple[str, ...] = ()
    types: Mapping[str, Type] = field(default_factory=dict, compare=False, repr=False)
    span: Span = _span()


@dataclass(frozen=True)
class Plan:
    """A program. ``mocked`` names the builtins, functions (``data.…``) and documents that a ``with`` replaces."""

    functions: tuple[Function, ...]
    mocked: frozenset[str] = frozenset()
    input_type: Type = ANY
    extents: frozenset[Path] = frozenset()
    """Paths that are objects whatever rules have values: the packages, and what is above a function."""
    results: Mapping[Path, Type] = field(default_factory=dict, compare=False, repr=False)
    settings: Mapping[Path, Type] = field(default_factory=dict, compare=False, repr=False)
    """The types of base documents that whoever runs the program has checked: the parameters that are set."""

    @property
    def has_input(self) -> bool:
        """Whether every evaluation has an input."""
        return not isinstance(self.input_type, AnyType)

    def is_function(self, path: Path) -> bool:
        """Whether a path is that of a function (and not of a document)."""
        found = self.function(path)
        return found is not None and found.kind == "function"

    def always(self, path: Path) -> bool:
        """Whether a document has a value whatever happens."""
        found = self.function(path)
        if found is None or self.mocked:
            return False
        if found.kind != "complete":
            return found.kind in ("set", "object")
        ends = [clause.branches[-1] for clause in (*found.clauses, *((found.default,) if found.default else ()))]
        return any(all(isinstance(s, Let) and put_together(s.op) for s in block[:-1]) for block in ends)

    @functools.cached_property
    def by_path(self) -> dict[Path, Function]:
        return {f.path: f for f in self.functions}

    @functools.cached_property
    def replaced(self) -> tuple[frozenset[Path], frozenset[Path]]:
        """The paths below ``data`` that a ``with`` replaces, and all that is above or at one of them."""
        paths = frozenset(path for name in self.mocked if (path := mocked_path(name)) is not None)
        return paths, frozenset(path[:n] for path in paths for n in range(len(path) + 1))

    def touched(self, path: Path) -> bool:
        """Whether a ``with`` may replace a rule, a part of it or what it is in."""
        paths, above = self.replaced
        return path in above or any(path[:n] in paths for n in range(len(path)))

    def function(self, path: Path) -> Function | None:
        """The function of a path."""
        return self.by_path.get(path)
