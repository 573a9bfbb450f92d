"""Forms found in public policies that are easy to refuse by mistake; OPA accepts each."""

from __future__ import annotations

import pytest

from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module

HEAD = "package a\n\nimport future.keywords.or\n\n"


@pytest.mark.parametrize(
    "text",
    [
        "default names := set()",
        'f("a")\n\nf("b")',
        "p if {1, 2} == input.x",
        'p if {"a": 1}.a',
        "p if input.x in {1, 2} or input.y",
        'p if input.type in {"a", "b"} or input.type == "c"',
        'p if default["x"] == 1',
        'p := $"{input.x with input.x as 1}"',
    ],
)
def test_accepted(text: str) -> None:
    assert parse_module(Source("a.rego", HEAD + text)).diagnostics == ()


@pytest.mark.parametrize("schema", ['schema["cloud"]', "schema.cloud", 'schema["a"].b', "schema"])
def test_schema_references(schema: str) -> None:
    text = f"# METADATA\n# schemas:\n#   - input: {schema}\npackage a\n"
    assert parse_module(Source("a.rego", text)).diagnostics == ()


@pytest.mark.parametrize("schema", ["shema.cloud", "schema cloud", 'schema["a'])
def test_other_references_are_no_schema(schema: str) -> None:
    text = f"# METADATA\n# schemas:\n#   - input: {schema}\npackage a\n"
    (found,) = parse_module(Source("a.rego", text)).diagnostics
    assert found.code == "rego_parse_error"
