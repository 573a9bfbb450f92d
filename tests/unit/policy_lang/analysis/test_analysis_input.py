"""The typed input of `.floe` files: a field that the schema lacks is an error at the word, wherever it is read."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.diagnostics import Diagnostic
from policy_lang.engine import CompileOptions, compile_program
from policy_lang.source import Source

COLUMN: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "description": {"type": "string"},
        "rank": {"type": ["integer", "null"]},
    },
}
MODEL: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "columns": {"type": "array", "items": COLUMN},
        "meta": {"type": "object", "additionalProperties": True},
        "owner": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/team"}]},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "models": {"type": "array", "items": MODEL},
        "by_name": {"type": "object", "additionalProperties": MODEL},
    },
    "$defs": {"team": {"type": "object", "additionalProperties": False, "properties": {"email": {"type": "string"}}}},
}


def found(text: str, file: str = "p.floe") -> list[Diagnostic]:
    made = compile_program([Source(file, f"package p\n{text}")], CompileOptions(input_schema=SCHEMA))
    return list(made.diagnostics)


def policy(clauses: str) -> str:
    return f'policy x {{\n\tid X1\n\ttitle "t"\n\tseverity block\n\t{clauses}\n\tmessage "m"\n}}'


@pytest.mark.parametrize(
    ("text", "word", "hint"),
    [
        (policy('for m in input.modles\n\trequire m.name == "x"'), "modles", "models"),
        (policy('for m in input.models\n\trequire m.nmae == "x"'), "nmae", "name"),
        (policy('for m in input.models\n\trequire m["nmae"] == "x"'), '"nmae"', "name"),
        (policy("for m in input.models\n\tfor c in m.columns\n\trequire c.descripton"), "descripton", "description"),
        (
            policy("for m in input.models\n\tlet xs := [c.nam | some c in m.columns]\n\trequire count(xs) > 0"),
            "nam",
            "name",
        ),
        (policy("for m in input.models\n\tforbid { some c in m.columns; c.nme }"), "nme", "name"),
        (policy("for m in input.models\n\trequire { every c in m.columns { c.nme } }"), "nme", "name"),
        (policy("for m in input.models\n\twhen m.owner.emial\n\trequire m.name"), "emial", "email"),
        ('good(m) if m.nmae != ""\np if good(input.models[0])', "nmae", "name"),
        ("found[m.name] := m if some m in input.models\np if found.x.colums", "colums", "columns"),
        ("p if { some m in input.models; m.nmae }", "nmae", "name"),
        ("p := [m.nmae | m := input.by_name[_]]", "nmae", "name"),
        ("p contains m if some m in input.models\nq if { some m in p; m.nmae }", "nmae", "name"),
        ('p := $"{input.models[0].nmae}"', "nmae", "name"),
        ("p if not input.modls", "modls", "models"),
    ],
)
def test_an_unknown_field_is_found(text: str, word: str, hint: str) -> None:
    wrong = found(text)
    assert [one.code for one in wrong] == ["floe_input_error"], wrong
    span = wrong[0].span
    assert span is not None
    line = f"package p\n{text}".splitlines()[span.line - 1]
    assert line[span.col - 1 : span.end_col - 1] == word
    assert wrong[0].hint == f"did you mean `{hint}`?"


@pytest.mark.parametrize(
    "text",
    [
        "p if input.models[_].meta.anything.below",
        "p if input.models[0].columns[0].name",
        'p if input.models[_][input.models[0].name] == "x"',
        'test_p if p with input as {"other": 1}\np if input.models',
        'p if input.other with input as {"other": 1}',
        "p if object.get(input.models[0], input.models[0].name, null)",
        "p if { walk(input, [path, value]); path; value }",
    ],
)
def test_what_may_be_there_is_let_through(text: str) -> None:
    assert found(text) == []


def test_rego_files_have_no_typed_input() -> None:
    assert found("p if input.review.kind", "p.rego") == []


def test_types_of_the_input_are_used_in_calls_and_comparisons() -> None:
    assert [one.code for one in found("p if input.models[0].name == 1")] == ["rego_type_error"]
    assert [one.code for one in found('p if startswith(input.models, "x")')] == ["rego_type_error"]


def test_a_schema_that_is_none_is_a_finding() -> None:
    options = CompileOptions(input_schema={"$ref": "#/nowhere"})
    made = compile_program([Source("p.floe", "package p\np := 1")], options)
    assert [one.code for one in made.diagnostics] == ["floe_schema_error"]
