"""What the shape of the IR is put together from: JSON Schemas of small values, each with its default."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "default": ""}
BOOL: Schema = {"type": "boolean", "default": False}
ANY: Schema = {"default": None}
OPEN: Schema = {"type": "object", "default": {}}
MAYBE_TEXT: Schema = {"type": ["string", "null"], "default": None}
MAYBE_NUMBER: Schema = {"type": ["number", "null"], "default": None}
MAYBE_BOOL: Schema = {"type": ["boolean", "null"], "default": None}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items, "default": []}


def map_of(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values, "default": {}}


def record(**fields: Schema) -> Schema:
    """A closed object with exactly these fields; its default is the object of their defaults."""
    return {
        "type": "object",
        "properties": fields,
        "required": sorted(fields),
        "additionalProperties": False,
        "default": {name: _copied(field["default"]) for name, field in fields.items()},
    }


def _copied(value: Any) -> Any:
    """A copy of a default: of plain JSON, for which ``copy`` would be imported."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def maybe(schema: Schema) -> Schema:
    """``schema`` or null, null by default."""
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def word(default: str | None, *words: str) -> Schema:
    allowed: list[str | None] = list(words)
    if default is None:
        allowed.append(None)
    return {"enum": allowed, "default": default}


def number(default: int) -> Schema:
    return {"type": "number", "default": default}


def reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


TEXTS = list_of(TEXT)
MAYBE_TEXTS = maybe(TEXTS)
ENFORCEMENT = ("off", "warn", "strict")
