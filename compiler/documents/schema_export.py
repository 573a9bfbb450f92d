"""JSON Schemas of the documents, for editors: ``# yaml-language-server: $schema=…``.

Made from the shapes that also check the documents, so the two cannot differ. They are as tolerant as the reader:
other spellings of a key, camelCase and lone values are allowed; what a pattern cannot say (a cron expression that
is never due) only ``floec check`` finds.
"""

from __future__ import annotations

import re
from typing import Any

from compiler.documents.manifest import PLUGIN
from compiler.documents.models import KIND_SPELLINGS, MOVED_KEYS, shape_of
from compiler.documents.shape import (
    Choice,
    Either,
    Field,
    Flag,
    Keyed,
    Keys,
    KnownWord,
    Later,
    ListOf,
    MapOf,
    Number,
    Record,
    Shape,
    Switchable,
    Text,
)
from compiler.documents.values import DURATION_PATTERN, Duration

SCHEMA_VERSION = "v1"
_BASE = "https://floec.dev/schemas"
_TITLES = {
    "Manifest": "floe manifest (manifest.yaml)",
    "DataProduct": "floe data product (floe.yaml)",
    "DataContract": "Data contract (datacontract.yaml)",
}


def schema_id(kind: str) -> str:
    """The schema's ``$id``: versioned, so that an editor's copy never changes under it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
    return f"{_BASE}/{name}.{SCHEMA_VERSION}.schema.json"


def document_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``Manifest``, ``DataProduct`` or ``DataContract``; keys with ``x-`` are allowed."""
    export = _Export()
    root = export.record_body(shape_of(kind))
    if kind == "Manifest":
        _add_plugins(root, export)
    for old, new in MOVED_KEYS.get(kind, ()):
        export.allow(root, tuple(map(str, old)), _shape_at(shape_of(kind), new))
    root["properties"]["kind"] = {"enum": [kind, *(w for w, k in KIND_SPELLINGS.items() if k == kind)]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(kind),
        "title": _TITLES[kind],
        **root,
        "$defs": dict(sorted(export.definitions.items())),
    }


def shape_schema(shape: Record, name: str) -> dict[str, Any]:
    """The JSON Schema of one record by itself, such as a plugin's configuration."""
    export = _Export()
    body = export.record_body(shape)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{_BASE}/{name}.{SCHEMA_VERSION}.schema.json",
        **body,
        **({"$defs": dict(sorted(export.definitions.items()))} if export.definitions else {}),
    }


def _add_plugins(root: dict[str, Any], export: _Export) -> None:
    """For each known plugin: where ``type`` names it, ``config`` is what it takes. Other types are not judged here."""
    from compiler.documents.plugins.known import categories, known, names, words

    plugin = export.schema(PLUGIN)
    found: dict[str, Any] = {}
    for category in categories():
        rules = []
        for name in names(category):
            own = known(category, name)
            assert own is not None
            config = _nullable(export.schema(own.config))
            chosen = {"properties": {"type": {"enum": words(category, name)}}, "required": ["type"]}
            rules.append({"if": chosen, "then": {"properties": {"config": config}}})
        found[category] = {**_nullable(plugin), "allOf": rules}
    described = root["properties"]["plugins"]
    open_mapping = {"type": "object", "properties": found, "additionalProperties": _nullable(plugin)}
    root["properties"]["plugins"] = {**_nullable(open_mapping), "description": described["description"]}


class _Export:
    """One export: records become definitions under their own names."""

    def __init__(self) -> None:
        self.definitions: dict[str, dict[str, Any]] = {}

    def schema(self, shape: Shape) -> dict[str, Any]:
        """The schema of any shape."""
        if isinstance(shape, Record):
            return self._record(shape)
        if isinstance(shape, Later):
            return self.schema(shape.get())
        if isinstance(shape, Either):
            return {"anyOf": [self.schema(s) for s in shape.shapes]}
        if isinstance(shape, ListOf):
            item = self.schema(shape.item)
            return self._or_lone({"type": "array", "items": item}, item if shape.lone else None)
        if isinstance(shape, MapOf):
            return {"type": "object", "additionalProperties": _nullable(self.schema(shape.item))}
        if isinstance(shape, Keyed):
            return self._keyed(shape)
        if isinstance(shape, Switchable):
            return {"anyOf": [{"type": "boolean"}, {"enum": list(shape.words)}, self.schema(shape.record)]}
        return _leaf(shape)

    def record_body(self, record: Record, home: str = "#") -> dict[str, Any]:
        """The schema of a record itself; ``home`` is the pointer to where it will stand."""
        body: dict[str, Any] = {"type": "object", "properties": {}, "patternProperties": {"^x-": {}}}
        body["additionalProperties"] = False if record.rest is None else _nullable(self.schema(record.rest))
        for name, field in record.fields.items():
            self._field(body["properties"], name, field, home)
        spelled = [n for n, f in record.fields.items() if f.required]
        # A field that has another spelling cannot be demanded by one name alone.
        plain = [n for n in spelled if len(_spellings(n, record.fields[n])) == 1]
        if plain:
            body["required"] = plain
        others = [n for n in spelled if n not in plain]
        if others:
            body["allOf"] = [{"anyOf": [{"required": [s]} for s in _spellings(n, record.fields[n])]} for n in others]
        return body

    def allow(self, root: dict[str, Any], path: tuple[str, ...], shape: Shape) -> None:
        """Allow a key of another dialect, of which the canonical form holds the value elsewhere, as ``shape``."""
        at = root
        for key in path[:-1]:
            at["properties"].setdefault(key, _closed(f"Another dialect's {key}."))
            at = self._definition(at["properties"][key])
        described = {**_nullable(self.schema(shape)), "description": "Another dialect's spelling."}
        if path[-1] == "*":
            at["additionalProperties"] = described
            return
        for spelling in _spellings(path[-1], Field(shape)):
            at["properties"].setdefault(spelling, described)

    def _definition(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The record behind a reference and “or null”."""
        if "$ref" in schema:
            return self.definitions[str(schema["$ref"]).rsplit("/", 1)[1]]
        if "properties" in schema:
            return schema
        return next((d for s in schema.get("anyOf", ()) if (d := self._definition(s))), {})

    def _field(self, properties: dict[str, Any], name: str, field: Field, home: str) -> None:
        schema = self.schema(field.shape)
        if not field.required:
            schema = _nullable(schema)
        described = {**schema, **({"description": field.doc} if field.doc else {})}
        if field.default is not None:
            described["default"] = field.default
        properties[name] = described
        for other in _spellings(name, field)[1:]:
            spelled = {"$ref": f"{home}/properties/{name}"}
            properties[other] = {**spelled, "description": f"Another spelling of {name}."}

    def _record(self, record: Record) -> dict[str, Any]:
        reference = self._define(record.name, record)
        return self._or_lone(reference, self._short(record) or None)

    def _define(self, name: str, record: Record) -> dict[str, Any]:
        reference = f"#/$defs/{name}"
        if name not in self.definitions:
            self.definitions[name] = {}  # a record that holds itself finds its own name
            self.definitions[name].update(self.record_body(record, reference))
        return {"$ref": reference}

    def _keyed(self, shape: Keyed) -> dict[str, Any]:
        fields = {k: Field(f.shape, f.doc, also=f.also, default=f.default) for k, f in shape.record.fields.items()}
        body = self._define(f"{shape.record.name}Entry", Record("", fields, rest=shape.record.rest))
        value = self.schema(shape.record.fields[shape.value].shape) if shape.value else self._short(shape.record)
        entry = {"anyOf": [body, *([value] if value else [])]}
        mapping = {"type": "object", "additionalProperties": _nullable(entry)}
        name = self.schema(shape.record.fields[shape.key].shape)
        return {"anyOf": [{"type": "array", "items": {"anyOf": [self.schema(shape.record), name]}}, mapping]}

    def _short(self, record: Record) -> dict[str, Any]:
        """What may stand alone for a record; nothing where none may."""
        return self.schema(record.fields[record.short].shape) if record.short else {}

    def _or_lone(self, schema: dict[str, Any], lone: dict[str, Any] | None) -> dict[str, Any]:
        return schema if lone is None else {"anyOf": [schema, lone]}


def _closed(description: str) -> dict[str, Any]:
    """A mapping to which keys are added one by one."""
    return {
        "type": ["object", "null"],
        "properties": {},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "description": description,
    }


def _shape_at(shape: Shape, path: Keys) -> Shape:
    """The shape of a canonical path, with ``*`` for any entry."""
    for key in path:
        if isinstance(shape, Switchable | Keyed):
            shape = shape.record
        if isinstance(shape, MapOf):
            shape = shape.item
        elif isinstance(shape, Record):
            shape = shape.fields[str(key)].shape
    return shape


def _leaf(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Duration):
        return {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]}
    if isinstance(shape, Text):
        limits = {
            "pattern": shape.pattern,
            "format": shape.form,
            "minLength": shape.shortest,
            "maxLength": shape.longest,
        }
        return {"type": "string", **{k: v for k, v in limits.items() if v}}
    if isinstance(shape, KnownWord):
        words = {"enum": [*shape.values, *shape.spellings]}
        return {
            "anyOf": [
                words,
                {"type": "string", **({"pattern": f"^{shape.other}$"} if shape.other else {"minLength": 1})},
            ]
        }
    if isinstance(shape, Choice):
        return {"enum": [*shape.values, *shape.spellings]}
    if isinstance(shape, Flag):
        return {"type": "boolean"}
    if isinstance(shape, Number):
        bounds = {k: v for k, v in (("minimum", shape.low), ("maximum", shape.high)) if v is not None}
        number = {"type": "integer" if shape.whole else "number", **bounds}
        return {"anyOf": [number, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}]} if shape.percent else number
    return {}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """An optional key may be left empty."""
    return {"anyOf": [schema, {"type": "null"}]} if schema else schema


def _spellings(name: str, field: Field) -> list[str]:
    camel = re.sub(r"_([a-z])", lambda m: m[1].upper(), name)
    return list(dict.fromkeys([name, camel, *field.also]))
