"""Operations of the plan as Python expressions, and steps as conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from policy_lang import types
from policy_lang.codegen import inline
from policy_lang.plan import nodes, walks
from policy_lang.plan.nodes import (
    Atom,
    Block,
    Const,
    Function,
    Local,
    Op,
    Path,
    Plan,
    Step,
)
from policy_lang.runtime import builtins
from policy_lang.types import Type

Known = tuple[frozenset[str], frozenset[str]]
Made = tuple[str, bool]
"""Code, and whether its value may be undefined."""

_MOST_KEY_PARTS = 64


@dataclass(slots=True)
class Expressions:
    """Expressions of one function; ``needed`` are the builtins, ``constants`` the globals that all code uses."""

    plan: Plan
    names: Mapping[Path, str]
    needed: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Decimal] = field(default_factory=dict)
    patterns: dict[str, int] = field(default_factory=dict)
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    """The globals by which switches look up their cases."""
    shaped: bool = False
    types: Mapping[str, Type] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    mappings: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    getters: dict[str, str] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    used: dict[int, set[str]] = field(default_factory=dict)
    recalls: list[tuple[nodes.Recall, Known]] = field(default_factory=list)
    """The remembering steps whose functions are still to be written, and what was known where they stood."""
    documents: dict[str, str] | None = None
    """The names in which the function at hand keeps documents (by their function); None where it keeps none."""

    def begin(self, function: Function) -> None:
        self.types = dict(function.types)
        self.counts = walks.use_counts(function)
        self.pending = {}
        self.mappings = self.unsure = frozenset()
        self.getters = {}
        self.parts = {}
        self.used = {}

    def enter(self) -> Known:
        """What is known now; ``leave`` goes back to it at the end of a block."""
        return self.mappings, self.unsure

    def leave(self, known: Known) -> None:
        self.mappings, self.unsure = known

    # ----------------------------------------------------------------- atoms

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Local):
            return self.pending.pop(atom.name, atom.name)
        if type(atom.value) is Decimal:
            text = str(atom.value)
            name = next((n for n, v in self.constants.items() if str(v) == text), f"K{len(self.constants)}")
            self.constants[name] = atom.value
            return name
        return repr(atom.value)

    def unique(self, atom: Atom) -> str | None:
        """A key that is equal for equal values, made of the parts of a value that is put together right here
        of strings and numbers; None where there is no such key."""
        parts = self.parts.get(atom.name) if isinstance(atom, Local) and atom.name in self.pending else None
        return None if parts is None else f"({''.join(p + ', ' for p in parts)})"

    def type_of(self, atom: Atom) -> Type:
        if isinstance(atom, Const):
            return types.of_value(atom.value) if type(atom.value) is not bool else types.BOOLEAN
        return self.types.get(atom.name, types.ANY)

    def is_string(self, atom: Atom) -> bool:
        return self.type_of(atom) == types.STRING

    def mapping(self, atom: Atom) -> bool:
        """Whether the value is known to be a dict (an object or a set)."""
        if isinstance(atom, Local) and (atom.name in self.mappings or atom.name in self.unsure):
            return atom.name not in self.unsure
        return isinstance(self.type_of(atom), types.ObjectType | types.SetType)

    # ----------------------------------------------------------------- operations

    def operation(self, op: Op) -> Made:
        match op:
            case Const() | Local():
                return self.atom(op), False
            case nodes.Input():
                return f"{op.context}.input", not self.plan.has_input
            case nodes.Document():
                return self.document(op), not self.plan.always(op.path)
            case nodes.Tree():
                self.shaped = True
                return f"descend({op.context}, ({''.join([self.atom(k) + ', ' for k in op.keys])}), SHAPE)", True
            case nodes.Index():
                return self.index(op)
            case nodes.Builtin():
                return self.builtin(op)
            case nodes.CallRule():
                args = "".join([", " + self.atom(a) for a in op.args])
                return f"{self.names[op.path]}({op.context}{args})", True
            case nodes.MakeArray():
                return "[" + ", ".join([self.atom(a) for a in op.items]) + "]", False
            case nodes.MakeSet():
                return "make_set((" + "".join([self.atom(a) + ", " for a in op.items]) + "))", False
            case nodes.MakeObject():
                return self.object(op), False
            case nodes.Logic():
                return f"({self.atom(op.left)} {op.op} {self.atom(op.right)})", False
            case nodes.Derive():
                changes = "".join([self.change(c) + ", " for c in op.changes])
                return f"{op.context}.derive(({changes}))", False
            case nodes.BuildIndex():
                path = "".join([self.atom(a) + ", " for a in op.path])
                return f"build_index({self.atom(op.collection)}, ({path}))", False
            case nodes.Lookup():
                return f"look_up({self.atom(op.index)}, {self.atom(op.key)})", False
            case nodes.Members():
                return f"members({self.atom(op.collection)})", False
            case nodes.Memory():
                given = "".join([self.atom(a) + ", " for a in op.given])
                return f"Memo(f{op.name}, C, ({given}))", False
            case nodes.Recall():
                self.recalls.append((op, self.enter()))
                return f"{self.atom(op.memory)}[{self.atom(op.key)}]", bool(op.block[-1].heads)  # type: ignore[union-attr]
            case nodes.IsMember():
                return inline.is_member(self.atom(op.value), self.atom(op.members), self.type_of(op.value)), False
            case _:
                raise AssertionError(f"{type(op).__name__} is no expression")

    def document(self, op: nodes.Document) -> str:
        """A document's value: asked for once in a function with loops, where it is first needed."""
        name = self.names[op.path]
        if self.documents is None or op.context != "C":
            return f"{name}({op.context})"
        kept = self.documents.setdefault(name, f"d{name[1:]}")
        return f"({kept} if {kept} is not MISSING else ({kept} := {name}(C)))"

    def change(self, change: nodes.Change) -> str:
        if change.rule is not None:
            value = self.names[change.rule]
        elif change.builtin:
            value = f"mock_builtin({change.builtin!r})"
        else:
            assert change.value is not None
            value = self.atom(change.value)
        path: str | Path = change.path[0] if change.kind == "mock" else change.path
        return f"({change.kind!r}, {path!r}, {value})"

    def object(self, op: nodes.MakeObject) -> str:
        keys = [key.value for key, _ in op.items if isinstance(key, Const) and type(key.value) is str]
        if len(set(keys)) == len(op.items):
            return "{" + ", ".join([f"{k!r}: {self.atom(v)}" for k, (_, v) in zip(keys, op.items, strict=True)]) + "}"
        return "written_object((" + "".join([f"({self.atom(k)}, {self.atom(v)}), " for k, v in op.items]) + "))"

    def index(self, op: nodes.Index) -> Made:
        getter = self.getters.get(op.base.name) if isinstance(op.base, Local) else None
        if getter is not None and self.is_string(op.key):
            return f"{getter}({self.atom(op.key)}, U)", True
        base, of = self.atom(op.base), self.type_of(op.base)
        key_type = self.type_of(op.key)
        if base not in self.unsure and isinstance(of, types.ObjectType) and isinstance(op.key, Const):
            found = of.field(op.key.value) if type(op.key.value) is str else None
            if found is not None and found.required:
                return f"{base}[{self.atom(op.key)}]", False
        key = self.atom(op.key)
        if isinstance(of, types.ArrayType) and base not in self.unsure and isinstance(op.key, Const):
            number = op.key.value
            if type(number) is int and number >= 0 and base.isidentifier():
                return f"({base}[{number}] if len({base}) > {number} else U)", True
        if self.mapping(op.base):
            if types.is_plain(key_type):
                return f"{base}.get({key}, U)", True
            if isinstance(op.key, Local) and op.key.name not in self.pending:
                return f"({base}.get({key}, U) if type({key}) is str else get({base}, {key}))", True
        if base.isidentifier() and isinstance(op.key, Local) and key == op.key.name:
            return (
                f"({base}.get({key}, U) if type({key}) is str and type({base}) is dict else get({base}, {key}))",
                True,
            )
        return f"get({base}, {key})", True

    def builtin(self, op: nodes.Builtin) -> Made:
        if op.name in self.plan.mocked:
            args = "".join([self.atom(a) + ", " for a in op.args])
            return f"call({op.context}, {op.name!r}, ({args}))", True
        known = [self.type_of(a) for a in op.args]
        made = inline.inlined(op.name, op.args, known, self.atom)
        if made is not None:
            return made
        codes = [self.atom(a) for a in op.args]
        if op.name not in builtins.ARITY:  # a capabilities file declares it: only what replaces it has answers
            return f"call({op.context}, {op.name!r}, ({''.join([c + ', ' for c in codes])}))", True
        name = self.needed.setdefault(op.name, "b_" + op.name.replace(".", "_"))
        slow = f"{name}({', '.join([op.context, *codes])})"
        if op.name == "regex.match" and (found := self.matcher(op, codes, known)) is not None:
            return (
                (found, False)
                if known[1] == types.STRING
                else (f"({found} if type({codes[1]}) is str else {slow})", True)
            )
        if op.name == "regex.match" and codes[0].isidentifier():
            return self.matched(codes, known, slow), True
        return inline.fast(op.name, op.args, codes, known, slow), True

    def matcher(self, op: nodes.Builtin, codes: list[str], known: list[Type]) -> str | None:
        """A match of a constant pattern: a look-up in what a global remembers of it."""
        pattern = op.args[0]
        if not isinstance(pattern, Const) or type(pattern.value) is not str or not inline.is_pattern(pattern.value):
            return None
        if known[1] != types.STRING and not codes[1].isidentifier():
            return None
        number = self.patterns.setdefault(pattern.value, len(self.patterns))
        return f"P{number}[{codes[1]}]"

    def matched(self, codes: list[str], known: list[Type], slow: str) -> str:
        """A match of a pattern that is a value: a look-up where it was matched before, as it is valid then."""
        if known[1] != types.STRING and not codes[1].isidentifier():
            return slow
        tests = [f"type({code}) is str" for code, type_ in zip(codes, known, strict=True) if type_ != types.STRING]
        return f"(MATCHED[{codes[0]}][{codes[1]}] if {' and '.join((*tests, f'{codes[0]} in MATCHED'))} else {slow})"

    def text(self, op: nodes.Text, holes: Mapping[int, str] | None = None) -> str:
        parts = []
        for index, part in enumerate(op.parts):
            if isinstance(part, str):
                parts.append(repr(part))
            elif isinstance(part, tuple):
                code = (holes or {}).get(index) or self.hole(part)
                parts.append(f"(tx if type(tx := {code}) is str else text(tx))")
            else:
                parts.append(self.shown(part))
        return f"''.join(({''.join(p + ', ' for p in parts)}))"

    def shown(self, atom: Atom) -> str:
        """An atom in a template."""
        code = self.atom(atom)
        if self.is_string(atom):
            return code
        if code.isidentifier():
            return f"({code} if type({code}) is str else text({code}))"
        return f"(tx if type(tx := {code}) is str else text(tx))"

    def hole(self, block: Block) -> str | None:
        """A template's hole as an expression, where it can be one."""
        last = block[-1]
        if not isinstance(last, nodes.Emit) or (tests := self.conjunction(block[:-1])) is None:
            return None
        return f"({self.atom(last.heads[0])} if {tests} else U)"

    # ----------------------------------------------------------------- conditions

    def condition(self, step: Step, block: Block, position: int) -> list[str] | None:
        """The conditions that a step stands for; None where it needs statements."""
        match step:
            case nodes.Let():
                if self.defer(step, block, position):
                    return []
                guard = self.guard(step.op)
                made = self.simple(step.op)
                return None if made is None else [*guard, f"({step.name} := {made[0]}) is not U"]
            case nodes.Defined():
                known = step.name not in self.unsure
                self.unsure -= {step.name}
                return [] if known else [f"{step.name} is not U"]
            case nodes.Test():
                if isinstance(step.op, nodes.Exists):
                    found = self.exists(step.op.block)
                    return None if found is None else [found]
                guard = self.guard(step.op)
                made = self.simple(step.op)
                return None if made is None else [*guard, *self.truth(step.op, made[0])]
            case nodes.IsCollection():
                return [self.is_collection(step)]
            case nodes.Not():
                inner = self.exists(step.block)
                return None if inner is None else [f"not {inner}"]
            case _:
                return None

    def simple(self, op: Op) -> Made | None:
        """The operation's code where it needs no statements."""
        match op:
            case nodes.Collect() | nodes.Count():
                return None
            case nodes.Exists():
                found = self.exists(op.block)
                return None if found is None else (found, False)
            case nodes.Text():
                if all(self.is_simple(p) for p in op.parts if isinstance(p, tuple)):
                    return self.text(op), False
                return None
            case _:
                return self.operation(op)

    def guard(self, op: Op) -> list[str]:
        """A test that the base of a look-up is a dict; all that follows in the block may rely on it."""
        if not isinstance(op, nodes.Index) or not isinstance(op.base, Local):
            return []
        name = op.base.name
        if not self.is_string(op.key) or self.mapping(op.base) or name in self.pending or name in self.getters:
            return []
        self.mappings |= {op.base.name}
        return [f"isinstance({op.base.name}, dict)"]

    def defer(self, step: nodes.Let, block: Block, position: int) -> bool:
        """Puts a total operation that is used once, before the next loop, into its use."""
        if self.counts.get(step.name, 0) != 1 or not self.total(step.op):
            return False
        for later in block[position + 1 :]:
            if step.name in self.uses(later):
                if any(step.name in walks.uses(inner) for inner in walks.blocks_of(later)):
                    return False
                op = getattr(later, "op", None)
                if isinstance(later, nodes.Defined) or (isinstance(op, nodes.Index) and not self.mapping(op.base)):
                    return False
                if isinstance(op, nodes.Builtin) and op.name in inline.NAMED:
                    return False
                parts = self.unique_parts(step.op)
                if parts is not None:
                    self.parts[step.name] = parts
                self.pending[step.name] = "(" + self.operation(step.op)[0] + ")"
                return True
            if isinstance(later, nodes.Scan):
                return False
        return False

    def uses(self, step: Step) -> set[str]:
        """``walks.uses``, once a step."""
        found = self.used.get(id(step))
        if found is None:
            found = self.used[id(step)] = walks.uses(step)
        return found

    def unique_parts(self, op: Op) -> tuple[str, ...] | None:
        """The names that an array or object with constant keys is made of, where all are strings or numbers."""
        if isinstance(op, nodes.MakeArray):
            items = op.items
        elif isinstance(op, nodes.MakeObject) and all(isinstance(key, Const) for key, _ in op.items):
            items = tuple(value for _, value in op.items)
        else:
            return None
        found: list[str] = []
        for item in items:
            if isinstance(item, Const):
                found.append(repr(item.value))
            elif item.name in self.parts:
                found += self.parts[item.name]
            elif self.type_of(item) in (types.STRING, types.NUMBER):
                # The value is evaluated before the key that names its parts.
                if item.name in self.pending:
                    self.pending[item.name] = f"({item.name} := {self.pending[item.name]})"
                found.append(item.name)
            else:
                return None
            if len(found) > _MOST_KEY_PARTS:  # parts of parts of parts: each level may double them
                return None
        return tuple(found)

    def note_parts(self, step: nodes.Let | nodes.Attempt) -> None:
        """Notes what an array that is made before its use consists of."""
        if isinstance(step.op, nodes.MakeArray) and (parts := self.unique_parts(step.op)) is not None:
            self.parts[step.name] = parts

    def total(self, op: Op) -> bool:
        """Whether an operation is defined, pure, and cheap enough to stand where it is used."""
        match op:
            case nodes.MakeArray() | nodes.MakeObject() | nodes.MakeSet() | nodes.Logic():
                return True
            case nodes.Index():
                of = self.type_of(op.base)
                if isinstance(of, types.ObjectType) and isinstance(op.key, Const) and type(op.key.value) is str:
                    found = of.field(op.key.value)
                    return found is not None and found.required and self.mapping(op.base)
                return False
            case nodes.Builtin():
                if op.name in self.plan.mocked:
                    return False
                made = inline.inlined(op.name, op.args, [self.type_of(a) for a in op.args], _placeholder)
                return made is not None and not made[1]
            case _:
                return False

    def truth(self, op: Op, code: str) -> list[str]:
        """Conditions under which a tested value is neither undefined nor false."""
        if isinstance(op, nodes.Exists | nodes.IsMember | nodes.Logic | nodes.Recall):
            return [code]
        if isinstance(op, Const):
            return [] if op.value is not False else ["False"]
        if isinstance(op, nodes.Builtin) and op.name in inline.BOOLEAN and op.name not in self.plan.mocked:
            return [code]
        if isinstance(op, Local) and code == op.name:
            return [code if self.type_of(op) == types.BOOLEAN else f"{code} is not False"]
        if self.type_of_op(op) == types.BOOLEAN:
            return [code]
        return [f"true({code})"]

    def type_of_op(self, op: Op) -> Type:
        if isinstance(op, nodes.Index):
            of = self.type_of(op.base)
            if isinstance(op.key, Const) and isinstance(op.key.value, str):
                return types.select(of, op.key.value) or types.ANY
        return types.ANY

    def is_collection(self, step: nodes.IsCollection) -> str:
        value = self.atom(step.value)
        if step.kind == "mapping":
            if isinstance(step.value, Local):
                self.mappings |= {step.value.name}
            return f"isinstance({value}, dict)"
        kinds = {"array": "is list", "object": "in OBJECTS", "any": "not in SCALARS"}
        size = "" if step.size is None else f" and len({value}) == {step.size}"
        return f"(type({value}) {kinds[step.kind]}{size})"

    # ----------------------------------------------------------------- blocks as expressions

    def exists(self, block: Block) -> str | None:
        """Whether a block without loops has a solution, as an expression; None where it is none."""
        if not self.is_simple(block):
            return None
        known = self.enter()
        found = self.conjunction(block[:-1])
        self.leave(known)
        return found

    def is_simple(self, block: Block) -> bool:
        """Whether a block can be one expression."""
        for step in block:
            op = getattr(step, "op", None)
            if isinstance(step, nodes.Scan | nodes.Fork | nodes.Switch | nodes.Attempt) or isinstance(
                op, nodes.Collect | nodes.Count
            ):
                return False
            if not all(self.is_simple(inner) for inner in walks.blocks_of(step)):
                return False
        return isinstance(block[-1], nodes.Emit)

    def conjunction(self, steps: Block) -> str | None:
        conditions: list[str] = []
        for position, step in enumerate(steps):
            found = self.condition(step, steps, position)
            if found is None:
                return None
            conditions += found
        return "(" + " and ".join(conditions or ["True"]) + ")"

    # ----------------------------------------------------------------- loops

    def loop(self, step: nodes.Scan, ordered: bool) -> str:
        """The ``for`` of a scan; ``ordered`` says that the order of the members shows in the result."""
        of, code = self.type_of(step.collection), self.atom(step.collection)
        value = step.value if self.counts.get(step.value) else ""
        key = step.key if self.counts.get(step.key) else ""
        if step.pairs:
            return f"for {key or '_'}, {value or '_'} in {code}:"
        if isinstance(of, types.ArrayType):
            return f"for {key}, {value or '_'} in enumerate({code}):" if key else f"for {value or '_'} in {code}:"
        if ordered:
            if key:
                return f"for {key}, {value or '_'} in ordered({code}):"
            return f"for {value or '_'} in ordered_values({code}):"
        if isinstance(of, types.ObjectType) and _string_keys(of):
            if key and value:
                return f"for {key}, {value} in {code}.items():"
            return f"for {key} in {code}:" if key else f"for {value or '_'} in {code}.values():"
        if isinstance(of, types.SetType) and not (key and value):
            return f"for {key or value or '_'} in {code}.values():"
        if key:
            return f"for {key}, {value or '_'} in items({code}):"
        return f"for {value or '_'} in values({code}):"


def _string_keys(of: types.ObjectType) -> bool:
    return all(isinstance(f.key, str) for f in of.fields) and (of.rest is None or of.rest[0] == types.STRING)


def _placeholder(_atom: Atom) -> str:
    """Some code for an operand, where only whether the whole can be undefined is asked."""
    return "x"
