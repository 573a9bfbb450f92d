"""Types of columns: what a change from one to another means.

A type is a family and its sizes: ``varchar(10)``, ``decimal(10, 2)``, ``bigint``. Within a family a type is wider
than another where every value of the other fits in it.
"""

from __future__ import annotations

import re
from typing import Literal

Change = Literal["same", "wider", "narrower", "other"]

_INTEGERS = {
    "tinyint": 1, "byteint": 1, "int8": 1, "byte": 1, "smallint": 2, "int16": 2, "short": 2, "int": 3, "integer": 3,
    "int32": 3, "int4": 3, "mediumint": 3, "bigint": 4, "long": 4, "int64": 4, "hugeint": 5, "int128": 5,
}  # fmt: skip
_FLOATS = {
    "float": 1,
    "real": 1,
    "float4": 1,
    "float32": 1,
    "double": 2,
    "double precision": 2,
    "float8": 2,
    "float64": 2,
}
_FAMILIES = {
    "text": (
        "string",
        "text",
        "varchar",
        "character varying",
        "nvarchar",
        "char",
        "character",
        "bpchar",
        "nchar",
        "clob",
    ),
    "decimal": ("decimal", "numeric", "bignumeric", "dec"),
    "number": ("number",),
    "boolean": ("boolean", "bool", "bit"),
    "date": ("date",),
    "time": ("time",),
    "timestamp": ("timestamp", "datetime", "timestamp_ntz", "timestamp without time zone", "timestampntz"),
    "timestamp_tz": ("timestamp_tz", "timestamptz", "timestamp with time zone", "timestamp_ltz"),
    "bytes": ("bytes", "binary", "varbinary", "blob", "bytea"),
    "array": ("array", "list", "repeated"),
    "object": ("object", "struct", "record", "row", "map"),
    "json": ("json", "jsonb", "variant", "super"),
    "uuid": ("uuid", "uniqueidentifier"),
}
_FAMILY = {word: family for family, words in _FAMILIES.items() for word in words}
_TYPE = re.compile(r"([a-z_ 0-9]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?\Z")
_NUMBERS = {"number", "decimal", "float"}
_DIGITS = {1: 3, 2: 5, 3: 10, 4: 19, 5: 39}
"""Digits that an integer of each size may have."""


def type_change(old: str | None, new: str | None) -> Change:
    """What becomes of a reader of ``old`` when it meets ``new``. A type that was not given before narrows nothing."""
    before, after = _normal(old), _normal(new)
    if before == after:
        return "same"
    if old is None:
        return "narrower"
    if new is None:
        return "other"
    for family in (_whole, _floating, _decimal, _text):
        change = family(before, after)
        if change is not None:
            return change
    one, other = _parts(before), _parts(after)
    if one is not None and other is not None and one[0] == other[0] and one[0] not in ("array", "object"):
        return "same"
    return "other"


def family(text: str | None) -> str | None:
    """What kind of value a type holds: text, integer, decimal, timestamp, …; None where the type is not known."""
    parts = _parts(_normal(text))
    known = {*_FAMILIES, "integer", "float"}
    return parts[0] if parts is not None and parts[0] in known else None


def same_family(one: str | None, other: str | None) -> bool:
    """Whether two types hold the same kind of value; unknown types are compared as written."""
    return one is None or other is None or type_change(one, other) != "other" or type_change(other, one) != "other"


def same_kind(one: str, other: str) -> bool:
    """Whether a logical and a physical type, in either order, are of one kind: ``integer`` and ``bigint``."""
    kinds = {family(one), family(other)}
    return len(kinds) == 1 or kinds <= _NUMBERS or kinds <= {"object", "json"} or kinds <= {"text", "uuid", "bytes"}


def _normal(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").strip().lower()).replace(" (", "(")


def _parts(text: str) -> tuple[str, int | None, int | None] | None:
    """Family, first size, second size."""
    found = _TYPE.match(text)
    if found is None:
        return None
    name = found[1].strip()
    sizes = tuple(int(g) if g else None for g in (found[2], found[3]))
    if name in _INTEGERS:
        return "integer", _INTEGERS[name], None
    if name in _FLOATS:
        return "float", _FLOATS[name], None
    return _FAMILY.get(name, name), sizes[0], sizes[1]


def _whole(before: str, after: str) -> Change | None:
    one, other = _parts(before), _parts(after)
    if one is None or other is None or one[0] != "integer":
        return None
    size = one[1] or 0
    if other[0] == "integer":
        return _compare(size, other[1] or 0)
    if other[0] == "decimal":
        whole = (other[1] or 38) - (other[2] or 0)
        return "wider" if whole >= _DIGITS[size] else "other"
    return "wider" if other[0] == "number" else None


def _floating(before: str, after: str) -> Change | None:
    one, other = _parts(before), _parts(after)
    if one is None or other is None or one[0] != "float" or other[0] != "float":
        return None
    return _compare(one[1] or 0, other[1] or 0)


def _decimal(before: str, after: str) -> Change | None:
    one, other = _parts(before), _parts(after)
    if one is None or other is None or one[0] != "decimal" or other[0] not in ("decimal", "number"):
        return None
    if other[0] == "number" or other[1] is None:
        return "same" if one[1] is None and other[0] == "decimal" else "wider"
    if one[1] is None:
        return "narrower"
    whole = _compare(one[1] - (one[2] or 0), other[1] - (other[2] or 0))
    scale = _compare(one[2] or 0, other[2] or 0)
    changes = {whole, scale} - {"same"}
    return "same" if not changes else changes.pop() if len(changes) == 1 else "other"


def _text(before: str, after: str) -> Change | None:
    one, other = _parts(before), _parts(after)
    if one is None or other is None or one[0] != "text" or other[0] != "text":
        return None
    if one[1] == other[1]:
        return "same"
    if other[1] is None:
        return "wider"
    return "narrower" if one[1] is None else _compare(one[1], other[1])


def _compare(old: int, new: int) -> Change:
    return "same" if old == new else "wider" if new > old else "narrower"
