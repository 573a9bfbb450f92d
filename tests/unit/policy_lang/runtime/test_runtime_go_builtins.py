"""Builtins whose answers are those of Go's libraries: formats, URIs, globs, templates, schemas, tokens, printing."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.engine import CompileOptions, compile_program
from policy_lang.runtime import session
from policy_lang.source import Source


def answer(expression: str, **options: Any) -> Any:
    made = compile_program([Source("t.rego", f"package t\np := {expression}\n")], CompileOptions(**options))
    assert made.value is not None, made.diagnostics
    found = made.value.eval_path(("t", "p"))
    assert found.ok, found.diagnostics
    return found.value


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('sprintf("%d|%5d|%-5d|%05d|%+d", [7, 7, 7, 7, 7])', "7|    7|7    |00007|+7"),
        ('sprintf("%s %v %q", ["a", [1, "b"], "c\\n"])', 'a [1, "b"] "c\\n"'),
        ('sprintf("%.2f %e %g %v", [1.005, 12.5, 1e7, 1234567.5])', "1.00 1.250000e+01 1e+07 1.2345675e+06"),
        ('sprintf("%d", [1.5])', "%!d(float64=1.5)"),
        ('sprintf("%s", [1])', "%!s(int64=1)"),
        ('sprintf("%d %d", [1])', "1 %!d(MISSING)"),
        ('sprintf("%d", [1, 2])', "1%!(EXTRA int64=2)"),
        ('sprintf("%[2]d %[1]d %*d", [1, 2, 3])', "2 1  3"),
        ('sprintf("%x %X %o %b %c %U", [255, 255, 8, 5, 65, 65])', "ff FF 10 101 A U+0041"),
        ('uri.parse("https://u@h.org:8/a%2Fb?q#f").raw_path', "/a%2Fb"),
        ('uri.is_valid("http://[::1")', False),
        ('regex.globs_match("a.[0-9]+z", "ab*7z")', True),
        ('regex.globs_match("[a-b]+", "[c-d]+")', False),
        ('strings.render_template(`{{range .xs}}<{{.}}>{{end}} {{.no}}`, {"xs": [1, 2]})', "<1><2> <undefined>"),
        ('json.match_schema({"a": "x"}, {"properties": {"a": {"type": "integer"}}})[1][0].error',
         "a: Invalid type. Expected: integer, given: string"),
        ('json.verify_schema({"type": "integer"})', [True, None]),
        ('io.jwt.decode_verify(io.jwt.encode_sign({"alg": "HS256"}, {"a": 1}, {"kty": "oct", "k": "c2VjcmV0"}), '
         '{"secret": "secret"})', [True, {"alg": "HS256"}, {"a": 1}]),
        ('count(graph.reachable_paths({"a": ["b", "c"], "b": ["a"], "c": []}, ["a"]))', 2),
        ('graphql.is_valid("{ a }", "type Query { a: Int }")', True),
        ('graphql.is_valid("{ b }", "type Query { a: Int }")', False),
        ('rego.parse_module("m.rego", "package a.b")["package"].path[2].value', "b"),
        ("[rand.intn(\"k\", 9) == rand.intn(\"k\", 9), uuid.rfc4122(\"k\") == uuid.rfc4122(\"k\")]", [True, True]),
    ],
)  # fmt: skip
def test_answers(expression: str, wanted: Any) -> None:
    assert answer(expression) == wanted


def test_the_clock_stands_still_and_can_be_set() -> None:
    program = compile_program([Source("t.rego", "package t\np := [time.now_ns(), time.now_ns()]\n")]).value
    assert program is not None
    first, second = program.eval_path(("t", "p")).value
    assert first == second
    assert program.eval_path(("t", "p"), now_ns=7).value == [7, 7]


def test_print_goes_to_the_sessions_printer() -> None:
    text = 'package t\np if {\n\tsome x in [1, 2]\n\tprint("a", input.none, x)\n\tx > 1\n}\n'
    program = compile_program([Source("t.rego", text)]).value
    assert program is not None
    lines: list[str] = []
    with session.opened(prints=lines.append):
        assert program.eval_path(("t", "p")).value is True
    assert lines == ["a <undefined> 1", "a <undefined> 2"]


@pytest.mark.parametrize(
    "call", ['http.send({"method": "get", "url": "x"})', "opa.runtime()", 'net.lookup_ip_addr("x")']
)
def test_what_looks_beyond_the_input_is_refused(call: str) -> None:
    made = compile_program([Source("t.rego", f"package t\np := {call}\n")])
    assert [one.code for one in made.diagnostics] == ["floe_capability_error"]


def test_a_capabilities_file_says_what_there_is() -> None:
    allowed = {"builtins": [{"name": "opa.runtime"}]}
    assert answer("opa.runtime()", capabilities=allowed) == {}
    made = compile_program([Source("t.rego", "package t\np := count([])\n")], CompileOptions(capabilities=allowed))
    assert [one.message for one in made.diagnostics] == ["undefined function count"]
    made = compile_program([Source("t.rego", "package t\np := 1\n")], CompileOptions(capabilities={"builtins": 1}))
    assert [one.code for one in made.diagnostics] == ["floe_capability_error"]
