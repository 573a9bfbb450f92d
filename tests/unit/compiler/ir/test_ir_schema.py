"""The IR's declared shape: a valid JSON Schema, whole defaults, and the same fields as docs/ir.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compiler.ir.schema import complete, ir_schema

DOCS = Path(__file__).parents[4] / "docs" / "ir.md"


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every closed object below ``schema``; defaults are values, not schemas."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
            for field in schema["properties"].values():
                yield from objects(field)
        for key, part in schema.items():
            if key not in ("properties", "default"):
                yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


def test_it_is_a_json_schema_of_closed_objects_with_defaults() -> None:
    schema = ir_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(objects(schema))
    assert len(found) > 40
    for one in found:
        assert one["additionalProperties"] is False or "standard" in one["properties"]
        assert all("default" in field or "$ref" in field for field in one["properties"].values())


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"product": {}, "project": {}},
        {"models": [{"columns": [{"inherited": {}}], "refs": [{}], "tests": [{}]}], "sources": [{"freshness": {}}]},
        {"platform": {"domain": {}, "data_architecture": {"layers": [{}]}, "plugins": {"compute": {}}}},
        {"jobs": [{"schedule": {}}], "params": {"floe.naming": {"limit": 3}}, "tests": [{}], "policies": [{}]},
    ],
)
def test_a_completed_part_is_a_whole_ir(part: dict[str, Any]) -> None:
    completed = complete(part)
    assert completed.diagnostics == ()
    jsonschema.Draft202012Validator(ir_schema()).validate(completed.value)
    assert complete(completed.value).value == completed.value


def test_what_was_given_stays_and_is_not_changed() -> None:
    given = {"models": [{"name": "orders", "meta": {"any": {"thing": 1}}}]}
    completed = complete(given).value
    assert completed["models"][0]["name"] == "orders"
    assert completed["models"][0]["meta"] == {"any": {"thing": 1}}
    assert completed["models"][0]["columns"] == []
    assert given == {"models": [{"name": "orders", "meta": {"any": {"thing": 1}}}]}
    completed["models"][0]["tags"].append("changed")
    assert complete(given).value["models"][0]["tags"] == []


@pytest.mark.parametrize(
    ("part", "code", "path", "says"),
    [
        ({"modles": []}, "FLC290", ("modles",), "did you mean `models`?"),
        ({"models": [{"colums": []}]}, "FLC290", ("models", 0, "colums"), "did you mean `columns`?"),
        ({"platform": {"zzz": 1}}, "FLC290", ("platform", "zzz"), "its fields are: approved_plugins"),
        ({"models": {}}, "FLC291", ("models",), "`models` is a object, not a array"),
        ({"models": [{"name": None}]}, "FLC291", ("models", 0, "name"), "is a null, not a string"),
        ({"models": [{"access": "publik"}]}, "FLC291", ("models", 0, "access"), "not one of `private`"),
    ],
)
def test_what_does_not_belong_is_named(part: dict[str, Any], code: str, path: tuple[Any, ...], says: str) -> None:
    (found,) = complete(part).diagnostics
    assert (found.code, found.path) == (code, path)
    assert says in found.message + found.hint


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def keys_of_shapes(span: str) -> set[str]:
    """The keys of shapes such as ``{a, b: {c}, d: x|y}``; after a colon stands a value, in parentheses prose."""
    keys: set[str] = set()
    depth, at_key = 0, False
    for token in re.findall(r"[A-Za-z_]+|[{}:,]|.", re.sub(r"\([^)]*\)", "", span)):
        if token in "{}":
            depth += 1 if token == "{" else -1
            at_key = token == "{"
        elif token == ",":
            at_key = depth > 0
        elif token == ":":
            at_key = False
        elif at_key and re.fullmatch(r"[A-Za-z_]+", token):
            keys.add(token)
            at_key = False
    return keys


def test_the_page_names_every_field_and_no_other() -> None:
    text = DOCS.read_text(encoding="utf-8")
    fields = {name for one in objects(ir_schema()) for name in one["properties"]}
    documented = {word for span in code_spans(text) for word in re.findall(r"[A-Za-z_]+", span)}
    assert fields - documented == set()
    shapes = {key for span in code_spans(text.replace("\n", " ")) for key in keys_of_shapes(span)}
    assert shapes - fields == set()
    columns = {row.split("|")[1] for row in text.splitlines() if row.startswith("| `")}
    assert {name for cell in columns for name in code_spans(cell) if "." not in name} - fields == set()
