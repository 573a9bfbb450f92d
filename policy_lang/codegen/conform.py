"""Code that tells whether an input has what typed code relies on: the types of all that a program reads.

Typed code does not look twice at what a schema promises, so an input that nobody has validated is checked
once, before; where it does not conform, the untyped code of the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from policy_lang import types
from policy_lang.types import ArrayType, ObjectType, Type

Trie = dict[str, Any]
_SCALARS = {"string": "type({0}) is not str", "boolean": "type({0}) is not bool", "null": "{0} is not None"}
_SCALARS |= {"number": "type({0}) not in NUMBERS"}
_INSTANCES = {"string": "''", "boolean": "True", "null": "None", "number": "0"}


def conform_source(of: Type, reads: Iterable[tuple[str, ...]]) -> str:
    """The source of ``conforms(v)`` for values of a type of which only the paths of ``reads`` matter."""
    trie: Trie = {}
    for path in reads:
        at = trie
        for part in path:
            at = at.setdefault(part, {})
        at[""] = {}
    made = _Conform()
    made.lines.append("def conforms(v0):")
    made.value("v0", of, trie, 1)
    made.lines.append("    return True")
    return "\n".join(made.lines) + "\n"


def conform_code(of: Type, reads: Iterable[tuple[str, ...]]) -> CodeType:
    """The code object of ``conform_source``."""
    return compile(conform_source(of, reads), "<conform>", "exec", dont_inherit=True)


def simple(of: Type) -> Type:
    """The type with less said, where more could not be checked in one look: arrays have one type for all
    members, a union one array and one object at most."""
    match of:
        case ArrayType():
            return ArrayType((), simple(types.values(of) or types.ANY))
        case ObjectType():
            rest = None if of.rest is None else (of.rest[0], simple(of.rest[1]))
            return types.object_type((replace(f, type=simple(f.type)) for f in of.fields), rest)
        case types.UnionType():
            kinds = [type(option) for option in of.options if not isinstance(option, types.Scalar)]
            if len(kinds) > len(set(kinds)) or not set(kinds) <= {ArrayType, ObjectType}:
                return types.ANY
            return types.union(*map(simple, of.options))
        case types.Scalar():
            return of
        case _:
            return types.ANY


@dataclass(slots=True)
class _Conform:
    lines: list[str] = field(default_factory=list)
    number: int = 0

    def fresh(self) -> str:
        self.number += 1
        return f"v{self.number}"

    def put(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def value(self, name: str, of: Type, trie: Trie, depth: int) -> None:
        """Lines that return False where the value in ``name`` is not of the type."""
        if isinstance(of, types.Scalar):
            self.put(depth, f"if {_SCALARS[of.name].format(name)}: return False")
        elif isinstance(of, ArrayType):
            self.array(name, of, trie, depth)
        elif isinstance(of, ObjectType):
            self.object(name, of, trie, depth)
        elif isinstance(of, types.UnionType):
            self.union(name, of, trie, depth)

    def union(self, name: str, of: types.UnionType, trie: Trie, depth: int) -> None:
        """One test after the other; ``simple`` has left at most one collection of each kind."""
        for number, option in enumerate(of.options):
            test = {ArrayType: f"type({name}) is list", ObjectType: f"type({name}) is dict"}.get(type(option))
            if isinstance(option, types.Scalar):
                test = f"not ({_SCALARS[option.name].format(name)})"
            self.put(depth, f"{'elif' if number else 'if'} {test}:")
            self.nested(name, types.ANY if isinstance(option, types.Scalar) else option, trie, depth + 1)
        self.put(depth, "else: return False" if of.options else "return False")

    def nested(self, name: str, of: Type, trie: Trie, depth: int) -> None:
        """The lines for a value, at least one."""
        start = len(self.lines)
        self.value(name, of, trie, depth)
        if len(self.lines) == start:
            self.put(depth, "pass")

    def array(self, name: str, of: ArrayType, trie: Trie, depth: int) -> None:
        self.put(depth, f"if type({name}) is not list: return False")
        inner = _below(trie, "*") or _everything(trie)
        rest = types.values(of)
        if inner is None or rest is None:
            return
        item = self.fresh()
        self.put(depth, f"for {item} in {name}:")
        self.nested(item, rest, inner, depth + 1)

    def object(self, name: str, of: ObjectType, trie: Trie, depth: int) -> None:
        self.put(depth, f"if type({name}) is not dict: return False")
        every = _everything(trie)
        star = _below(trie, "*") or every
        for one in of.fields:
            inner = trie.get(str(one.key)) if every is None else every
            if star is not None:
                inner = star if inner is None else _merged(inner, star)
            if inner is None or not isinstance(one.key, str):
                continue
            if isinstance(one.type, types.Scalar):
                # A missing key raises KeyError, or looks like a value of the type where it may be missing.
                default = _INSTANCES[one.type.name]
                code = f"{name}[{one.key!r}]" if one.required else f"{name}.get({one.key!r}, {default})"
                self.value(code, one.type, inner, depth)
                continue
            item = self.fresh()
            if one.required:
                self.put(depth, f"{item} = {name}[{one.key!r}]")
                self.value(item, one.type, inner, depth)
                continue
            self.put(depth, f"{item} = {name}.get({one.key!r}, U)")
            self.put(depth, f"if {item} is not U:")
            self.nested(item, one.type, inner, depth + 1)
        if star is not None:
            self.further(name, of, star, depth)

    def further(self, name: str, of: ObjectType, star: Trie, depth: int) -> None:
        """What is at keys that the type does not name."""
        key, item = self.fresh(), self.fresh()
        known = "(" + "".join(f"{f.key!r}, " for f in of.fields) + ")"
        self.put(depth, f"for {key}, {item} in {name}.items():")
        if of.rest is None:
            self.put(depth + 1, f"if {key} not in {known}: return False")
            return
        if of.fields:
            self.put(depth + 1, f"if {key} in {known}: continue")
        self.nested(item, of.rest[1], star, depth + 1)


def _below(trie: Trie, key: str) -> Trie | None:
    found: Trie | None = trie.get(key)
    return found


def _everything(trie: Trie) -> Trie | None:
    """The trie of what is read whole: again itself at each key."""
    return {"": {}} if "" in trie else None


def _merged(left: Trie, right: Trie) -> Trie:
    made = dict(left)
    for key, inner in right.items():
        made[key] = _merged(made[key], inner) if key in made else inner
    return made
