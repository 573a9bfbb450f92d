"""Bodies that nest deeper than Python allows, and bodies of every form, become code that runs."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.engine import compile_program
from policy_lang.source import Source


def value(rules: str, *, input: Any = None) -> Any:
    program = compile_program([Source("p.rego", "package t\n" + rules)])
    assert program.value is not None, program.diagnostics
    found = program.value.eval_path(("t", "p"), input=input)
    assert found.ok, found.diagnostics
    return found.value


def test_fifty_loops_in_one_body() -> None:
    loops = "\n".join(f"some x{i} in input" for i in range(50))
    total = " + ".join(f"x{i}" for i in range(50))
    assert value(f"p := y if {{\n{loops}\ny := {total}\n}}", input=[1]) == 50


def test_loops_beyond_pythons_nesting_keep_their_solutions() -> None:
    loops = "\n".join(f"some x{i} in input" for i in range(16))
    assert value(f"p := count([x0 | {loops}])", input=[1, 2][:1]) == 1
    assert value("p := [x | some x in input; some y in input; not x == y]", input=[1, 2]) == [1, 2]


def test_a_hundred_definitions_in_one_body() -> None:
    lets = "\n".join(f"x{i} := [{f'x{i - 1}' if i else 'input'} | true][0]" for i in range(100))
    assert value(f"p := x99 if {{\n{lets}\n}}", input=7) == 7


def test_a_hundred_nested_negations_are_refused_or_answered() -> None:
    inner = "input == 1"
    for _ in range(20):
        inner = f"count([1 | {inner}]) == 1"
    assert value(f"p if {inner}", input=1) is True


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("p := [x | some x in input; not (x > 1)]", [1]),
        ("p := {x: y | some x in input; y := x * 2}", "non-string keys"),
        ("p contains x if { some x in input; x > 1 }\np contains 7", "set"),
        ("p if { some x in input; x == 2 }", True),
        ("f(x) := 1 if x > 1 else := 2 if x > 0 else := 3\np := [f(x) | some x in input]", [2, 1, 1]),
        ('f(1) := "a"\nf(2) := "b"\np := [f(x) | some x in input]', ["a", "b"]),
        ("f([x, y]) := x + y\np := f([input[0], input[1]])", 3),
        ("p := count(input)", 3),
        ('p := $"{input[0]} {input[9]} {input}"', "1 <undefined> [1, 2, 3]"),
    ],
)
def test_forms(rules: str, expected: Any) -> None:
    found = value(rules, input=[1, 2, 3])
    if expected == "set":
        assert sorted(found.values()) == [2, 3, 7]
    elif expected == "non-string keys":
        assert dict(found) == {1: 2, 2: 4, 3: 6}
    else:
        assert found == expected


def test_an_error_has_the_place_of_the_line_that_made_it() -> None:
    text = "package t\n\np := 1 if input.a\n\np := 2 if {\n\tinput.b\n}\n"
    program = compile_program([Source("p.rego", text)])
    assert program.value is not None
    found = program.value.eval_path(("t", "p"), input={"a": 1, "b": 1})
    (problem,) = found.diagnostics
    assert problem.code == "eval_conflict_error"
    assert problem.span is not None
    assert (problem.span.file, problem.span.line) == ("p.rego", 5)


def test_a_strict_builtin_error_has_its_place() -> None:
    text = "package t\n\np := 1 / input.zero\n"
    program = compile_program([Source("p.rego", text)])
    assert program.value is not None
    found = program.value.eval_path(("t", "p"), input={"zero": 0}, strict_builtin_errors=True)
    (problem,) = found.diagnostics
    assert problem.code == "eval_builtin_error"
    assert problem.span is not None
    assert problem.span.line == 3


def test_a_bug_of_ours_is_said_at_the_line_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    program = compile_program([Source("p.rego", "package t\n\nq := 1\n\np := count(input.x)\n")]).value
    assert program is not None
    variant = program.variant(frozenset())
    monkeypatch.setitem(variant.scope, "b_count", lambda context, value: value.missing)
    found = program.eval_path(("t", "p"), input={"x": 7})
    (problem,) = found.diagnostics
    assert problem.code == "eval_internal_error"
    assert "AttributeError" in problem.message
    assert problem.span is not None
    assert problem.span.line == 5


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("p := [trim_space(x) | some x in input]", ["a", "b"]),
        ("p := [y | some x in input; is_string(x); y := trim_space(x)]", ["a", "b"]),
        ("p := [lower(x) | some x in input]", [" a", "b "]),
        ("p := [x | some x in input; is_string(x); count(trim_space(x)) >= input[2]]", []),
        ("p := [x | some x in input; is_string(x); input[2] > count(trim_space(x))]", [" a", "b "]),
        ("p := [x | some x in input; is_string(x); count(trim_space(x)) >= input[3]]", [" a", "b "]),
        ("p := [x | some x in input; regex.match(input[0], x)]", [" a"]),
        ('p := [[q, x] | some x in input; some q in ["^b", "(", 7]; regex.match(q, x)]', [["^b", "b "]]),
        (
            "p := [[q, x] | some x in input; is_string(x); q := input[_]; regex.match(q, x)]",
            [[" a", " a"], ["b ", "b "]],
        ),
    ],
)
def test_builtins_on_texts_pass_over_what_is_none(rules: str, expected: Any) -> None:
    assert value(rules, input=[" a", "b ", 7, None]) == expected
