"""Types: made of schemas and declarations, looked into, compared, shown."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from policy_lang import types
from policy_lang.runtime.builtins import declarations

SHARED = Path(os.environ.get("FLOEC_CONFORMANCE", Path(__file__).parents[4] / "shared" / "conformance"))
CAPABILITIES = SHARED / "rego" / "capabilities.json"

NODE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "rank": {"type": ["integer", "null"], "default": None},
        "columns": {"type": "array", "items": {"$ref": "#/$defs/column"}},
        "meta": {"type": "object", "additionalProperties": {"type": "string"}},
        "free": {},
    },
    "$defs": {
        "column": {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}},
    },
}


def at(of: types.Type, *path: str) -> types.Type | None:
    found: types.Type | None = of
    for step in path:
        if found is None:
            return None
        found = types.values(found) if step == "*" else types.select(found, step)
    return found


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("name",), "string"),
        (("rank",), "any<null, number>"),
        (("columns", "*", "name"), "string"),
        (("columns", "*", "nam"), "???"),
        (("meta", "anything"), "string"),
        (("free", "a", "b"), "any"),
        (("nmae",), "???"),
    ],
)
def test_a_schema_tells_what_stands_where(path: tuple[str, ...], shown: str) -> None:
    assert types.show(at(types.from_schema(NODE), *path)) == shown


@pytest.mark.parametrize(("completed", "required"), [(False, ["name"]), (True, ["name", "rank"])])
def test_required_fields_are_those_always_there(completed: bool, required: list[str]) -> None:
    made = types.from_schema(NODE, completed=completed)
    assert isinstance(made, types.ObjectType)
    assert [field.key for field in made.fields if field.required] == required


def test_a_schema_that_holds_itself_ends_in_any() -> None:
    tree = {"type": "object", "properties": {"below": {"type": "array", "items": {"$ref": "#"}}}}
    assert types.show(at(types.from_schema(tree), "below", "*", "below", "*", "below", "*")) == "any"


@pytest.mark.parametrize("reference", ["#/$defs/none", "https://example.org/other.json"])
def test_a_reference_that_leads_nowhere_is_an_error(reference: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        types.from_schema({"$ref": reference})


def test_schemas_are_put_together() -> None:
    both = {
        "allOf": [
            {"type": "object", "properties": {"name": {"type": "string"}}},
            {"properties": {"more": {"enum": ["a", 1]}}},
        ]
    }
    assert types.show(at(types.from_schema(both), "more")) == "any<number, string>"
    assert types.show(at(types.from_schema(both), "name")) == "string"
    either = {"anyOf": [{"type": "string"}, {"const": {"a": True}}]}
    assert types.show(types.from_schema(either)) == "any<object<a: boolean>, string>"


@pytest.mark.parametrize(
    ("left", "right", "met"),
    [
        (types.STRING, types.NUMBER, False),
        (types.STRING, types.union(types.NUMBER, types.STRING), True),
        (types.ANY, types.ANY_SET, True),
        (types.ANY_ARRAY, types.ANY_SET, False),
        (types.ArrayType((types.STRING,)), types.ArrayType((types.STRING, types.STRING)), False),
        (types.ArrayType((types.STRING,)), types.ArrayType((), types.STRING), True),
        (types.SetType(types.STRING), types.SetType(types.NUMBER), False),
        (types.ANY, types.FunctionType((), None), False),
    ],
)
def test_types_meet_where_values_may_be_equal(left: types.Type, right: types.Type, met: bool) -> None:
    assert types.meets(left, right) is met
    assert types.meets(right, left) is met


def test_unions_are_flat_and_without_repeats() -> None:
    inner = types.union(types.STRING, types.NULL)
    assert types.union(inner, types.STRING, types.NULL) == inner
    assert types.union(inner, types.ANY) is types.ANY
    assert types.union(types.STRING, types.STRING) is types.STRING
    assert types.options(types.NOTHING) == ()


@pytest.mark.conformance
@pytest.mark.skipif(not CAPABILITIES.is_file(), reason="no capabilities.json in FLOEC_CONFORMANCE or ../shared")
def test_builtins_are_declared_as_in_opa() -> None:
    wanted = {one["name"]: one for one in json.loads(CAPABILITIES.read_text(encoding="utf-8"))["builtins"]}
    assert declarations.names() == wanted.keys()
    for name, one in wanted.items():
        made = declarations.declaration(name)
        assert types.show(made) == types.show(types.from_declaration(one["decl"])), name
        assert made == types.from_declaration(one["decl"]), name
    for flag, known in (("deprecated", declarations.DEPRECATED), ("relation", declarations.RELATIONS)):
        assert {name for name, one in wanted.items() if one.get(flag)} == known


@pytest.mark.parametrize(
    ("one", "of", "fits"),
    [
        (types.STRING, types.ANY, True),
        (types.ANY, types.STRING, False),
        (types.ArrayType((types.STRING, types.STRING)), types.ArrayType((), types.STRING), True),
        (types.ArrayType((types.STRING, types.NUMBER)), types.ArrayType((), types.STRING), False),
        (types.ArrayType((), types.STRING), types.ArrayType((types.STRING,)), False),
        (types.SetType(types.STRING), types.SetType(types.union(types.NUMBER, types.STRING)), True),
        (types.object_type([types.Field("a", types.NUMBER)]), types.ObjectType((), (types.STRING, types.NUMBER)), True),
        (types.object_type([types.Field(1, types.NUMBER)]), types.ObjectType((), (types.STRING, types.NUMBER)), False),
        (types.ANY_OBJECT, types.ObjectType((), (types.STRING, types.ANY)), False),
        (types.union(types.STRING, types.NULL), types.union(types.NULL, types.STRING, types.NUMBER), True),
        (types.union(types.STRING, types.NULL), types.STRING, False),
    ],
)  # fmt: skip
def test_whether_all_values_of_a_type_are_of_another(one: types.Type, of: types.Type, fits: bool) -> None:
    assert types.within(one, of) is fits
