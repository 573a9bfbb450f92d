"""The IR's JSON Schema, and filling a partial IR up with the defaults of its fields.

Codes: FLC290 a field that the IR does not have, FLC291 a value of another type than the field's.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from compiler.ir import shape
from compiler.ir.shape_parts import Schema
from policy_lang.diagnostics import Diagnostic, Outcome

SCHEMA_ID = "https://floec.dev/schemas/floec.ir.v1.json"


@cache
def ir_schema() -> Schema:
    """The JSON Schema (2020-12) of the IR. It is made once and shared: do not change it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "The checked IR of floec",
        **shape.ir(),
        "$defs": shape.definitions(),
    }


def complete(value: Any) -> Outcome[Any]:
    """``value`` (a part of an IR) with every missing field at its default; ``value`` itself is not changed.

    Unknown fields (FLC290) and values of a wrong type (FLC291) are diagnostics without a span, whose ``path``
    leads to the place in ``value``; both are kept in the result as they were given.
    """
    found: list[Diagnostic] = []
    return Outcome(_completed(value, ir_schema(), (), found), tuple(found))


def _completed(value: Any, schema: Schema, path: tuple[str | int, ...], found: list[Diagnostic]) -> Any:
    schema = _meant(schema, value)
    if not _fits(value, schema):
        found.append(_wrong(value, schema, path))
        return value
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_completed(item, items, (*path, i), found) for i, item in enumerate(value)]
    if isinstance(value, dict) and "properties" in schema:
        return _completed_object(value, schema, path, found)
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        return {k: _completed(v, schema["additionalProperties"], (*path, k), found) for k, v in value.items()}
    return value


def _completed_object(
    value: dict[str, Any], schema: Schema, path: tuple[str | int, ...], found: list[Diagnostic]
) -> dict[str, Any]:
    fields = schema["properties"]
    from copy import deepcopy

    full = {
        name: _completed(value[name], field, (*path, name), found) if name in value else deepcopy(field["default"])
        for name, field in fields.items()
    }
    for name in value:
        if name in fields:
            continue
        full[name] = value[name]
        if schema["additionalProperties"] is False:
            found.append(_unknown(name, fields, path))
    return full


def _unknown(name: str, fields: dict[str, Schema], path: tuple[str | int, ...]) -> Diagnostic:
    from policy_lang.spell import did_you_mean

    where = ".".join(map(str, path)) or "input"
    hint = did_you_mean(name, fields) or "its fields are: " + ", ".join(sorted(fields))
    return Diagnostic("FLC290", f"`{where}` has no field `{name}`", hint=hint, path=(*path, name))


def _meant(schema: Schema, value: Any) -> Schema:
    """The schema itself behind references and “or null”."""
    if "$ref" in schema:
        target: Schema = ir_schema()["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        return target
    if "anyOf" in schema:
        inner, null = schema["anyOf"]
        return null if value is None else _meant(inner, value)
    return schema


def _fits(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    types = schema.get("type")
    if types is None:
        return True
    return _type_of(value) in ([types] if isinstance(types, str) else types)


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


def _wrong(value: Any, schema: Schema, path: tuple[str | int, ...]) -> Diagnostic:
    where = ".".join(map(str, path)) or "input"
    if "enum" in schema:
        words = ", ".join("null" if word is None else f"`{word}`" for word in schema["enum"])
        shown = f"`{value}`" if isinstance(value, str) else f"a {_type_of(value)}"
        return Diagnostic("FLC291", f"`{where}` is {shown}, not one of {words}", path=path)
    types = schema["type"]
    wanted = types if isinstance(types, str) else " or ".join(types)
    return Diagnostic("FLC291", f"`{where}` is a {_type_of(value)}, not a {wanted}", path=path)
