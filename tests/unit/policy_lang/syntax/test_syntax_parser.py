"""The parser on what Rego makes hard, and on text that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_lang.diagnostics import Diagnostic
from policy_lang.source import Source
from policy_lang.syntax import ast
from policy_lang.syntax.parser import parse_module, parse_query, parse_term


def module(text: str) -> ast.Module:
    parsed = parse_module(Source("t.rego", f"package t\n{text}"))
    assert parsed.value is not None, parsed.diagnostics
    return parsed.value


def body(text: str) -> ast.Body:
    parsed = parse_query(Source("<query>", text))
    assert parsed.value is not None, parsed.diagnostics
    return parsed.value


def term(text: str) -> ast.Term:
    parsed = parse_term(Source("<term>", text))
    assert parsed.value is not None, parsed.diagnostics
    return parsed.value


def same(left: str, right: str) -> bool:
    return body(left) == body(right)


def error(text: str) -> Diagnostic:
    parsed = parse_module(Source("t.rego", text))
    assert parsed.value is None
    assert parsed.diagnostics[0].code == "rego_parse_error"
    return parsed.diagnostics[0]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("x\n+ 1", "x + 1"),
        ("y := x\n-1 == -1", "y := (x-1) == -1"),
        ("1 in [1] == true", "1 in ([1] == true)"),
        ("{1} | {2} == {1, 2}", "({1} | {2}) == {1, 2}"),
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("a & b | c", "(a & b) | c"),
        ("1 < 2 < 3", "(1 < 2) < 3"),
        ('x.y["z"]', "x.y.z"),
        ("[1,\n2,\n]", "[1, 2]"),
        ("x := 0, 1 in c", "x := (0, 1 in c)"),
    ],
)
def test_precedence_and_line_ends(left: str, right: str) -> None:
    assert same(left, right)


def test_a_line_end_before_a_bracket_begins_a_new_literal() -> None:
    assert len(body("x\n[1]")) == 2
    assert len(body("x[1]")) == 1


def test_rules_need_no_line_end_between_them() -> None:
    assert [r.head.ref.head for r in module("p := 1 q := 2").rules] == [
        ast.Var("p", span=r.span) for r in module("p := 1 q := 2").rules[:1]
    ] + [ast.Var("q", span=module("p := 1 q := 2").rules[1].span)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{}", ast.Object),
        ("{1}", ast.SetTerm),
        ('{"a": 1}', ast.Object),
        ("{x | some x in y}", ast.SetCompr),
        ("{x: 1 | some x in y}", ast.ObjectCompr),
        ("[x | x := 1\nx > 0]", ast.ArrayCompr),
        ("[{1}|{2}]", ast.ArrayCompr),
        ("{({1}|{2})}", ast.SetTerm),
        ("-1", ast.Number),
        ("-x", ast.Call),
        ("`a\\d`", ast.String),
        ('$"a {b} c"', ast.Template),
        ("f(1).x", ast.Ref),
        ("null", ast.Null),
    ],
)
def test_terms(text: str, kind: type) -> None:
    assert isinstance(term(text), kind)


def test_braces_after_if_are_a_body_unless_they_can_only_be_a_term() -> None:
    rules = module('a if {"a": 1}\nb if {x | x := 1}\nc if {}\nd if {1}\ne if { x := 1\n x > 0 }').rules
    first = [r.body[0] for r in rules]
    kinds = [type(e.term) for e in first if isinstance(e, ast.Expr)]
    assert kinds == [ast.Object, ast.SetCompr, ast.Object, ast.Number, ast.Call]
    assert len(rules[4].body) == 2


def test_chained_bodies_are_rules_of_one_head() -> None:
    rules = module("p if { 1 } { 2 }").rules
    assert len(rules) == 2
    assert rules[0].head == rules[1].head


def test_else_chain() -> None:
    rule = module("p := 1 if { x } else := 2 if { y }\nelse := 3").rules[0]
    assert [len(e.body) for e in rule.elses] == [1, 0]


@pytest.mark.parametrize("word", ["as", "if", "not", "some", "in", "false", "null", "contains", "package"])
def test_keywords_are_names_in_references(word: str) -> None:
    rule = module(f"{word}.foo := 1\nx := foo.{word}").rules[0]
    assert isinstance(rule.head.ref.head, ast.Var)
    assert rule.head.ref.head.name == word


def test_some_every_with_and_not() -> None:
    literals = body("some x; some k, v in o; every a, b in c { a } with input as 1; not f(x) with data.y as 2")
    assert [type(x) for x in literals] == [ast.SomeDecl, ast.SomeIn, ast.Every, ast.Expr]
    last = literals[3]
    assert isinstance(last, ast.Expr)
    assert last.negated
    assert len(last.withs) == 1


def test_logical_keywords_only_with_their_import() -> None:
    rule = module("import rego.v2\np if not a and { b; c } or d").rules[0]
    first = rule.body[0]
    assert isinstance(first, ast.Expr)
    assert isinstance(first.term, ast.Logical)
    assert first.term.op == "or"
    assert error("package t\np if { a and b }").message == "unexpected `and`"


def test_template_parts() -> None:
    found = term('$"a \\{1} {b[0]} {$"x{1}"}"')
    assert isinstance(found, ast.Template)
    assert found.parts[0] == "a {1} "
    assert [type(p) for p in found.parts[1:]] == [ast.Ref, str, ast.Template]


def test_spans_count_from_one() -> None:
    rule = module("  p := foo.bar").rules[0]
    assert (rule.span.line, rule.span.col) == (2, 3)
    assert rule.head.value is not None
    assert (rule.head.value.span.col, rule.head.value.span.end_col) == (8, 15)


@pytest.mark.parametrize(
    ("text", "line", "col"),
    [
        ("package t\np := ", 2, 5),
        ("package t\np if {", 2, 6),
        ("package t\np := 01", 2, 6),
        ("package t\np := 1.", 2, 6),
        ("package t\np := 0x1", 2, 6),
        ('package t\np := "a\n"', 2, 6),
        ('package t\np := "\\x"', 2, 6),
        ("package t\np := 1; q := 2", 2, 7),
        ("package t\np { 1 }", 2, 3),
        ("package t\np := ]", 2, 6),
        ("package t\np", 2, 1),
        ("package t\np if { some 1 }", 2, 13),
        ("package t\np if { - -1 }", 2, 8),
        ("package t\np := {1, 2: 3}", 2, 11),
        ('package t\np := $"{}"', 2, 6),
        ('package t\np := $"{a', 2, 10),
        ("package t\np if every x in y {}", 2, 19),
        ("package t.x()\n", 1, 9),
        ("p := 1", 1, 1),
        ("", 1, 1),
        ("package t\np := é", 2, 6),
    ],
)
def test_errors_stand_at_their_place(text: str, line: int, col: int) -> None:
    found = error(text)
    assert found.span is not None
    assert (found.span.line, found.span.col) == (line, col)


@pytest.mark.parametrize("text", ["[" * 5000, "{" * 5000 + "}" * 5000, "(" * 900 + "1" + ")" * 900])
def test_deep_nesting_is_an_error(text: str) -> None:
    error(f"package t\np := {text}")


def test_a_very_long_chain_of_operators_is_an_answer_or_an_error() -> None:
    parsed = parse_module(Source("t.rego", "package t\np := 1" + " + 1" * 20_000))
    assert parsed.value is not None or parsed.diagnostics


@given(st.text(alphabet='pq:=[]{}()|,."`$\n 1ifnotsomeinx#;-&', max_size=40))
def test_any_text_gives_an_answer_or_a_diagnostic(text: str) -> None:
    for parse in (parse_module, parse_query, parse_term):
        parsed = parse(Source("t.rego", text))
        assert (parsed.value is None) == bool(parsed.diagnostics)
