"""Types of Rego values: what checking and optimising know of a value before it exists.

A type is immutable and hashable. ``from_schema`` makes one of a JSON Schema, ``from_declaration`` one of
OPA's JSON form of builtins' declarations, ``parse`` one of the notation that ``show`` writes.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class AnyType:
    """Any value."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """``name`` is null, boolean, number or string."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayType:
    """``items`` are the types of the first elements, ``rest`` that of all further ones; None: there are none."""

    items: tuple[Type, ...] = ()
    rest: Type | None = None


@dataclass(frozen=True, slots=True)
class SetType:
    of: Type


@dataclass(frozen=True, slots=True)
class Field:
    """A known key of an object. ``key`` is the frozen form of the key's value (``values.freeze``);
    ``required`` says that every object of the type has it."""

    key: Hashable
    type: Type
    required: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType:
    """``fields`` are sorted by their keys' text; ``rest`` is the type of further keys and of their
    values; None: there are none."""

    fields: tuple[Field, ...] = ()
    rest: tuple[Type, Type] | None = None

    def field(self, key: Hashable) -> Field | None:
        known = _by_key.get(id(self.fields))
        if known is None or known[0] is not self.fields:
            if len(_by_key) >= _MOST_OBJECTS:
                _by_key.clear()
            # By identity: to hash the fields of a large object takes longer than to look through them.
            known = _by_key[id(self.fields)] = (self.fields, {field.key: field for field in self.fields})
        return known[1].get(key)


@dataclass(frozen=True, slots=True)
class UnionType:
    """One of ``options``, which hold no AnyType and no UnionType; no options: no value at all."""

    options: tuple[Type, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionType:
    """``result`` is None where a call gives no value (``print``); ``variadic`` is the type of further arguments."""

    args: tuple[Type, ...]
    result: Type | None
    variadic: Type | None = None


Type = AnyType | Scalar | ArrayType | SetType | ObjectType | UnionType | FunctionType

ANY: Final = AnyType()
NOTHING: Final = UnionType()
NULL: Final = Scalar("null")
BOOLEAN: Final = Scalar("boolean")
NUMBER: Final = Scalar("number")
STRING: Final = Scalar("string")
ANY_ARRAY: Final = ArrayType((), ANY)
ANY_SET: Final = SetType(ANY)
ANY_OBJECT: Final = ObjectType((), (ANY, ANY))

_SCALARS = {scalar.name: scalar for scalar in (NULL, BOOLEAN, NUMBER, STRING)}
_MOST_OPTIONS = 64


_MOST_OBJECTS = 4096
_by_key: dict[int, tuple[tuple[Field, ...], dict[Hashable, Field]]] = {}


def object_type(fields: Iterable[Field], rest: tuple[Type, Type] | None = None) -> ObjectType:
    """An object type with its fields in order."""
    return ObjectType(tuple(sorted(fields, key=lambda field: str(field.key))), rest)


def union(*types: Type) -> Type:
    """The type of what is of one of ``types``."""
    found: dict[Type, None] = {}
    if len(types) > 1 and all(one is types[0] for one in types):
        types = types[:1]
    for one in types:
        if one is ANY or isinstance(one, AnyType):
            return ANY
        found |= dict.fromkeys(one.options) if isinstance(one, UnionType) else {one: None}
    if len(found) == 1:
        return next(iter(found))
    return UnionType(tuple(found)) if len(found) <= _MOST_OPTIONS else ANY


def joined(given: Iterable[Type]) -> Type:
    """The union without what others say already: the default of a parameter is of its declared type."""
    kept: list[Type] = []
    for one in {id(one): one for one in given}.values():
        if not any(within(one, other) for other in kept):
            kept = [*(other for other in kept if not within(other, one)), one]
    return union(*kept)


def options(of: Type) -> tuple[Type, ...]:
    """The types that a union stands for; any other type alone."""
    return of.options if isinstance(of, UnionType) else (of,)


def is_text(of: Type) -> bool:
    """Whether every value is a string or null, which are equal to nothing else in Python either."""
    return of == STRING or (of != NULL and all(option in (STRING, NULL) for option in options(of)))


def is_plain(of: Type) -> bool:
    """Whether every value is a string, a number or null: what is its own frozen form."""
    return all(option in (STRING, NULL, NUMBER) for option in options(of))


def within(one: Type, of: Type) -> bool:
    """Whether every value of ``one`` is of type ``of``; False also where that is not easily seen."""
    match one, of:
        case (_, AnyType()):
            return True
        case UnionType(), _:
            return all(within(option, of) for option in one.options)
        case _, UnionType():
            return any(within(one, option) for option in of.options)
        case ArrayType(), ArrayType((), rest) if rest is not None:
            members = one.items if one.rest is None else (*one.items, one.rest)
            return all(within(member, rest) for member in members)
        case SetType(), SetType():
            return within(one.of, of.of)
        case ObjectType(), ObjectType((), rest) if rest is not None:
            pairs: list[tuple[Type, Type]] = [(STRING if isinstance(f.key, str) else ANY, f.type) for f in one.fields]
            pairs += [] if one.rest is None else [one.rest]
            return all(within(key, rest[0]) and within(value, rest[1]) for key, value in pairs)
        case _:
            return one == of


def is_larger(of: Type, most: int) -> bool:
    """Whether a type written out has more than ``most`` parts. One of a few shared parts may have billions, and
    comparing or hashing it would visit them all."""
    left, pending = most, [of]
    while pending and left >= 0:
        one = pending.pop()
        left -= 1
        match one:
            case ArrayType():
                pending += one.items
                pending += (one.rest,) if one.rest is not None else ()
            case SetType():
                pending.append(one.of)
            case ObjectType():
                pending += (field.type for field in one.fields)
                pending += one.rest or ()
            case UnionType():
                pending += one.options
    return left < 0


# --------------------------------------------------------------------------- looking into types


def select(of: Type, key: Hashable) -> Type | None:
    """The type at a constant key (frozen form); None where no value of the type has that key."""
    match of:
        case AnyType():
            return ANY
        case UnionType():
            found = [one for option in of.options if (one := select(option, key)) is not None]
            return union(*found) if found else None
        case ArrayType():
            if type(key) is not int or key < 0:
                return None
            return of.items[key] if key < len(of.items) else of.rest
        case SetType():
            return of.of if meets(of_value(key), of.of) else None
        case ObjectType():
            field = of.field(key)
            if field is not None:
                return field.type
            return of.rest[1] if of.rest is not None and meets(of.rest[0], of_value(key)) else None
        case _:
            return None


def select_by(of: Type, key: Type) -> Type | None:
    """The type at a key of which the type is known only; None where no value has such a key."""
    if isinstance(of, UnionType):
        found = [one for option in of.options if (one := select_by(option, key)) is not None]
        return union(*found) if found else None
    known = keys(of)
    return values(of) if known is not None and meets(known, key) else None


def keys(of: Type) -> Type | None:
    """The type of a collection's keys (a set's elements are its keys); None for what is no collection."""
    match of:
        case AnyType():
            return ANY
        case ArrayType():
            return NUMBER
        case SetType():
            return of.of
        case ObjectType():
            rest = (of.rest[0],) if of.rest is not None else ()
            return union(*(of_value(field.key) for field in of.fields), *rest)
        case UnionType():
            found = [one for option in of.options if (one := keys(option)) is not None]
            return union(*found) if found else None
        case _:
            return None


def values(of: Type) -> Type | None:
    """The type of a collection's values; None for what is no collection."""
    match of:
        case AnyType():
            return ANY
        case ArrayType():
            return union(*of.items, *((of.rest,) if of.rest is not None else ()))
        case SetType():
            return of.of
        case ObjectType():
            rest = (of.rest[1],) if of.rest is not None else ()
            return union(*(field.type for field in of.fields), *rest)
        case UnionType():
            found = [one for option in of.options if (one := values(option)) is not None]
            return union(*found) if found else None
        case _:
            return None


def of_value(frozen: Hashable) -> Type:
    """The type of a scalar in its frozen form; of any other key, ANY."""
    if frozen is None:
        return NULL
    if isinstance(frozen, str):
        return STRING
    if isinstance(frozen, (int, Decimal)):
        return NUMBER
    return ANY if isinstance(frozen, tuple) else BOOLEAN


def meets(left: Type | None, right: Type | None) -> bool:
    """Whether two values of these types may be equal, judged as OPA judges it."""
    if left is None or right is None:
        return False
    if isinstance(left, AnyType) or isinstance(right, AnyType):
        return not (isinstance(left, FunctionType) or isinstance(right, FunctionType))
    if isinstance(left, UnionType):
        return any(meets(option, right) for option in left.options)
    if isinstance(right, UnionType):
        return any(meets(left, option) for option in right.options)
    if isinstance(left, ArrayType) and isinstance(right, ArrayType):
        count = max(len(left.items), len(right.items))
        return all(meets(select(left, i), select(right, i)) for i in range(count)) and _rests(left.rest, right.rest)
    if isinstance(left, SetType) and isinstance(right, SetType):
        return meets(left.of, right.of)
    if isinstance(left, ObjectType) and isinstance(right, ObjectType):
        shared = {field.key for field in (*left.fields, *right.fields)}
        rests = (None if one.rest is None else one.rest[1] for one in (left, right))
        return all(_members_meet(left, right, key) for key in shared) and _rests(*rests)
    return left == right


def _members_meet(left: ObjectType, right: ObjectType, key: Hashable) -> bool:
    """A key that one side must have and the other cannot have keeps the two apart."""
    one, other = select(left, key), select(right, key)
    if one is None or other is None:
        field = (left if other is None else right).field(key)
        return field is not None and not field.required
    return meets(one, other)


def _rests(left: Type | None, right: Type | None) -> bool:
    return left is None or right is None or meets(left, right)


# --------------------------------------------------------------------------- from schemas and declarations


def from_schema(schema: Any, *, completed: bool = False) -> Type:
    """The type of the documents that a JSON Schema takes, as far as types can say.

    ``$ref`` into the schema itself, ``allOf``, ``anyOf``, ``oneOf``, ``enum`` and ``const`` are followed; a
    schema that refers to itself is ANY where it does. ``completed`` says that the documents have every field
    that has a ``default``.

    Raises:
        ValueError: a ``$ref`` that leads nowhere, or out of the schema.
    """
    return _Schema(schema, completed).type(schema, frozenset())


class _Schema:
    def __init__(self, root: Any, completed: bool) -> None:
        self._root = root
        self._completed = completed
        self._known: dict[str, Type] = {}

    def type(self, schema: Any, seen: frozenset[str]) -> Type:
        if not isinstance(schema, Mapping):
            return ANY
        if isinstance(reference := schema.get("$ref"), str):
            return self._followed(reference, seen)
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return union(*(self.type({**_without(schema, word), **_mapping(one)}, seen) for one in schema[word]))
        if "allOf" in schema:
            parts = [self._resolved(one, seen) for one in schema["allOf"]]
            return self.type(functools.reduce(_both, parts, _without(schema, "allOf")), seen)
        if "const" in schema:
            return _of_json(schema["const"])
        if "enum" in schema and "type" not in schema:
            return union(*map(_of_json, schema["enum"]))
        named = schema.get("type")
        names = named if isinstance(named, list) else [named] if named else [_implied(schema)]
        return union(*(self._named(name, schema, seen) for name in names))

    def _followed(self, reference: str, seen: frozenset[str]) -> Type:
        if reference in seen:
            return ANY
        if reference not in self._known:
            self._known[reference] = self.type(self._target(reference), seen | {reference})
        return self._known[reference]

    def _resolved(self, schema: Any, seen: frozenset[str]) -> Mapping[str, Any]:
        reference = _mapping(schema).get("$ref")
        if isinstance(reference, str) and reference not in seen:
            return self._resolved(self._target(reference), seen | {reference})
        return _mapping(schema)

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise ValueError(f"the reference {reference} leads out of the schema")
        found = self._root
        for step in filter(None, reference[1:].split("/")):
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(step)] if isinstance(found, list) else found[step]
            except (KeyError, IndexError, ValueError, TypeError):
                raise ValueError(f"the reference {reference} leads nowhere") from None
        return found

    def _named(self, name: str, schema: Mapping[str, Any], seen: frozenset[str]) -> Type:
        if name in ("integer", "number"):
            return NUMBER
        if name == "array":
            first = tuple(self.type(item, seen) for item in schema.get("prefixItems", ()))
            items = schema.get("items", True)
            return ArrayType(first, None if items is False else self.type(items, seen))
        if name == "object":
            return self._object(schema, seen)
        return _SCALARS.get(name, ANY)

    def _object(self, schema: Mapping[str, Any], seen: frozenset[str]) -> Type:
        required = set(schema.get("required", ()))
        fields = []
        for key, one in schema.get("properties", {}).items():
            always = key in required or (self._completed and "default" in _mapping(one))
            fields.append(Field(key, self.type(one, seen), always))
        more = schema.get("additionalProperties", True)
        patterns = [self.type(one, seen) for one in schema.get("patternProperties", {}).values()]
        if more is False and not patterns:
            return object_type(fields)
        further = [] if more is False else [self.type(more, seen)]
        return object_type(fields, (STRING, union(*further, *patterns)))


def _mapping(schema: Any) -> Mapping[str, Any]:
    return schema if isinstance(schema, Mapping) else {}


def _without(schema: Mapping[str, Any], word: str) -> dict[str, Any]:
    return {key: item for key, item in schema.items() if key != word}


def _both(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Two schemas that both hold, their properties and required names put together."""
    made = {**left, **right}
    for word in ("properties", "patternProperties"):
        if word in left and word in right:
            made[word] = {**left[word], **right[word]}
    if "required" in left and "required" in right:
        made["required"] = [*left["required"], *right["required"]]
    return made


def _implied(schema: Mapping[str, Any]) -> str:
    if "properties" in schema or "additionalProperties" in schema or "patternProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "any"


def _of_json(value: Any) -> Type:
    if isinstance(value, Mapping):
        return object_type(Field(key, _of_json(item), True) for key, item in value.items())
    if isinstance(value, list):
        return ArrayType(tuple(map(_of_json, value)))
    if isinstance(value, bool):
        return BOOLEAN
    return NUMBER if isinstance(value, float) else of_value(value)


def from_declaration(declared: Mapping[str, Any]) -> Type:
    """A type in the JSON form of OPA's capabilities files.

    Raises:
        ValueError: no such type.
    """
    kind = declared.get("type")
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == "any":
        return union(*map(from_declaration, declared["of"])) if declared.get("of") else ANY
    if kind == "set":
        return SetType(from_declaration(declared["of"]) if "of" in declared else ANY)
    dynamic = declared.get("dynamic")
    if kind == "array":
        items = tuple(map(from_declaration, declared.get("static", ())))
        return ArrayType(items, None if dynamic is None else from_declaration(dynamic))
    if kind == "object":
        fields = (Field(one["key"], from_declaration(one["value"])) for one in declared.get("static", ()))
        rest = None if dynamic is None else (from_declaration(dynamic["key"]), from_declaration(dynamic["value"]))
        return object_type(fields, rest)
    if kind == "function":
        result, variadic = declared.get("result"), declared.get("variadic")
        return FunctionType(
            tuple(map(from_declaration, declared.get("args", ()))),
            None if result is None else from_declaration(result),
            None if variadic is None else from_declaration(variadic),
        )
    raise ValueError(f"unknown type {kind!r}")


# --------------------------------------------------------------------------- as text


def show(of: Type | None) -> str:
    """The type in OPA's notation: ``object<a: string>[string: any]``, ``any<null, array[number]>``."""
    match of:
        case None:
            return "???"
        case AnyType():
            return "any"
        case Scalar():
            return of.name
        case SetType():
            return f"set[{show(of.of)}]"
        case ArrayType():
            known = f"<{', '.join(map(show, of.items))}>" if of.items or of.rest is None else ""
            return f"array{known}" + ("" if of.rest is None else f"[{show(of.rest)}]")
        case ObjectType():
            shown = ", ".join(f"{_key_text(field.key)}: {show(field.type)}" for field in of.fields)
            known = f"<{shown}>" if of.fields or of.rest is None else ""
            return f"object{known}" + ("" if of.rest is None else f"[{show(of.rest[0])}: {show(of.rest[1])}]")
        case UnionType():
            return f"any<{', '.join(sorted(map(show, of.options)))}>"
        case FunctionType():
            args = [*map(show, of.args), *([] if of.variadic is None else [f"{show(of.variadic)}..."])]
            return f"({', '.join(args)})" + ("" if of.result is None else f" => {show(of.result)}")


def _key_text(key: Hashable) -> str:
    value: Any = getattr(key, "value", key)  # a frozen boolean holds its value
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
