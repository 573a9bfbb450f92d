"""JSON Schemas of the documents, for editors."""

from __future__ import annotations

from typing import Any

from compiler.documents.models import model_of


def document_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``Manifest``, ``DataProduct`` or ``DataContract``; keys with ``x-`` are allowed."""
    schema: dict[str, Any] = model_of(kind).model_json_schema()
    for node in (schema, *schema.get("$defs", {}).values()):
        if node.get("type") == "object":
            node["patternProperties"] = {"^x-": {}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
