"""The engine on whole small programs."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.values import RegoSet
from policy_lang.source import Source


def evaluate(rules: str, query: str, input: Any = None) -> Any:
    program = compile_program([Source("p.rego", "package t\n" + rules)])
    assert program.value is not None, program.diagnostics
    found = program.value.eval_query(query, input=input)
    assert found.value is not None, found.diagnostics
    return list(found.value)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("p := input.a", [{"x": [1, 2]}]),
        ("p := [v | some v in input.a; v > 1]", [{"x": [2]}]),
        ("p := v if { some i; v := input.a[i]; i == 1 }", [{"x": 2}]),
        ("p := y if { y = z; [z, _] = input.a }", [{"x": 1}]),
        ("p[k] := v if some k, v in input.o", [{"x": {"k": "v"}}]),
        ("default p := 3\np := 4 if input.nope", [{"x": 3}]),
        ("p := 1 if { input.nope } else := 2", [{"x": 2}]),
        ("f(x) := [x, x]\np := f(1)", [{"x": [1, 1]}]),
        ("p if not input.nope", [{"x": True}]),
        ("g() := input.b\np := g()", [{"x": 5}]),
        ("p := [input.a[i] | i > 0]", [{"x": [2]}]),
        ("p := input.a[i] if i > 0", [{"x": 2}]),
        ("p[input.a[i]] := 7 if i > 0", [{"x": {2: 7}}]),
        ("p := {k: input.o[k] | g(input.o, k)}\ng(o, k) if o[k]", [{"x": {"k": "v"}}]),
        ("p contains input.a[i] if { i > 0; not i == 0 }", [{"x": RegoSet.of([2])}]),
        ("p := [[input.a[i] | i > j] | j := 0]", [{"x": [[2]]}]),
        ("p[k] := input.o[k] if some k", [{"x": {"k": "v"}}]),
        ("p[k].q := g(input.o[k])\ng(x) := [x]", [{"x": {"k": {"q": ["v"]}}}]),
        ("p := {k: input.o[k] | true}", [{"x": {"k": "v"}}]),
        ('p := {"k": 1, "k": 2}', [{"x": {"k": 2}}]),
        ('p := {x: 2, "k": 1} if x := "k"', [{"x": {"k": 2}}]),
        ('p := count({[x]: 2, ["k"]: 1, {"k": 1}: 2}) if x := "k"', [{"x": 2}]),
        ('p := [v | some v in {[x]: 2, ["k"]: 1}] if x := "k"', [{"x": [2]}]),
        ("p := [{3} | {4}, {5} & {5}]", [{"x": [RegoSet.of([3, 4]), RegoSet.of([5])]}]),
        ("p := {1: {3} | {4}, 2: 0}[1]", [{"x": RegoSet.of([3, 4])}]),
        ("g := {3}\np := count({g | {4}, {5}})", [{"x": 2}]),
        ("f (x) := x + 1 if { x > 1 } else := 0\np [x] := f(x) if some x in [1, 2]", [{"x": {1: 0, 2: 3}}]),
        ("g := input.b\np := [x, y] if { g(x); y := g() + 1 }", [{"x": [5, 6]}]),
        ("g := input.b\np if g() with input.b as false", []),
        ("p if every v in input.a { v > 0 }", [{"x": True}]),
        ("q := input.b\np := v if v := q with input.b as 7", [{"x": 7}]),
        ("p := input.nope", []),
    ],
)
def test_a_rule_has_the_value_that_rego_gives_it(rules: str, expected: Any) -> None:
    assert evaluate(rules, "x = data.t.p", {"a": [1, 2], "b": 5, "o": {"k": "v"}}) == expected


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("p if x > 1", "rego_unsafe_var_error"),
        ("p if q\nq if p", "rego_recursion_error"),
        ("p := nope(1)", "rego_type_error"),
    ],
)
def test_a_wrong_program_is_refused_with_the_code_of_opa(rules: str, code: str) -> None:
    found = compile_program([Source("p.rego", "package t\n" + rules)]).diagnostics
    assert {d.code for d in found} == {code}


def test_two_values_of_a_complete_rule_conflict() -> None:
    program = compile_program([Source("p.rego", "package t\np := 1\np := 2 if true")]).value
    assert program is not None
    assert [d.code for d in program.eval_query("x = data.t.p").diagnostics] == ["eval_conflict_error"]
