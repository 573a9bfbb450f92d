"""Forms found in public policies that are easy to refuse by mistake; OPA accepts each."""

from __future__ import annotations

import pytest

from policy_lang.source import Source
from policy_lang.syntax import ast
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


def _body(text: str) -> ast.Body:
    module = parse_module(Source("a.rego", f"package a\n\nimport rego.v2\n\n{text}")).value
    assert module is not None
    return module.rules[0].body or module.rules[0].elses[0].body


def test_after_if_a_brace_opens_a_term_where_it_can() -> None:
    (literal,) = _body("p if {x | input.a[x]}")
    assert isinstance(literal, ast.Expr)
    assert isinstance(literal.term, ast.SetCompr)


@pytest.mark.parametrize("text", ["p := 1 if {\n\tx == a | b\n}", "p := 1 if { (a | b) }"])
def test_a_union_that_cannot_be_a_comprehension_stays_one(text: str) -> None:
    (literal,) = _body(text)
    assert isinstance(literal, ast.Expr)
    assert isinstance(literal.term, ast.Call)


def test_after_else_a_brace_opens_a_body() -> None:
    module = parse_module(Source("a.rego", "package a\n\np := 1 if input.x else := 2 if {\n\ta | b\n\tc\n}")).value
    assert module is not None
    assert len(module.rules[0].elses[0].body) == 2


def test_a_negation_below_a_negation_is_kept() -> None:
    (literal,) = _body("p if not (not input.a) and input.b")
    assert isinstance(literal, ast.Expr)
    assert isinstance(literal.term, ast.Logical)
    (left,) = literal.term.left
    assert isinstance(left, ast.NotBody)
    assert isinstance(left.body[0], ast.Expr)
    assert left.body[0].negated


def test_and_and_or_are_names_where_a_term_begins() -> None:
    (literal,) = _body("p if or({1}, {2}) == and({1, 2}, {1, 2})")
    assert isinstance(literal, ast.Expr)
    assert isinstance(literal.term, ast.Call)
