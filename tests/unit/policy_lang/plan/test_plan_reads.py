"""What a program reads of its input."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.policies import load_policies
from policy_lang.source import Source


def reads(rules: str) -> list[str]:
    program = compile_program([Source("p.rego", "package t\n" + rules)]).value
    assert program is not None
    return sorted("/".join(path) for path in program.reads([("t", "p")]))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("p := input.a.b", ["a/b"]),
        ("p if input.a.b == 1", ["a/b"]),
        ("p := input", [""]),
        ('p contains m.name if { some m in input.models; m.layer == "gold" }', ["models/*/layer", "models/*/name"]),
        ("p := count(input.models)", ["models/*"]),
        ("p := count(input.ms) + count([m.a | some m in input.ms])", ["ms/*/a"]),
        ("p if { some m in input.models }", ["models/*"]),
        ('p if { some i; input.models[i].columns[_].name == "x" }', ["models/*/columns/*/name"]),
        # through documents, functions and collections
        ("cfg := input.config\np := cfg.a", ["config/a"]),
        ("f(m) if m.x == 1\np if { some m in input.models; f(m) }", ["models/*/x"]),
        ("f(m) := m.inner\np if f(input.m).x == 1", ["m/inner/x"]),
        ("gold contains m if { some m in input.ms; m.l == 1 }\np contains m.n if some m in gold", ["ms/*/l", "ms/*/n"]),
        ("p contains x if { xs := [m | some m in input.ms]; x := xs[_].a }", ["ms/*/a"]),
        ('p := object.get(input.m, "owner", "")', ["m/owner"]),
        ("p := input.a[input.k]", ["a/*", "k"]),
        ('p := $"{input.a} is {input.b}"', ["a", "b"]),
        ("p if not input.a.b", ["a/b"]),
        ('p := [x | x := input.a["*"].b]', ["a/*/b"]),
        (
            "t := {m.id: m | some m in input.ms}\np contains m.n if { some id in input.ids; m := t[id] }",
            ["ids/*", "ms/*/id", "ms/*/n"],
        ),
        ("t[m.id] contains m if some m in input.ms\np contains m.n if some m in t.x", ["ms/*/id", "ms/*/n"]),
        ("t[m.a][m.b] := m if some m in input.ms\np := t.x.y.n", ["ms/*/a", "ms/*/b", "ms/*/n"]),
        ("t := {m: 1 | some m in input.ms}\np contains m.n if { some m, _ in t; input.ms[_].a }", ["ms/*"]),
        ("p contains k.n if { s := {m | some m in input.ms; m.a}; some k, _ in s }", ["ms/*/a", "ms/*/n"]),
        # what is not reached, and what another input hides
        ("q := input.secret\np := input.a", ["a"]),
        ('p if { x := input.y with input as {"y": 1}; x == 1 }', []),
        ("p := 1", []),
    ],
)
def test_paths(rules: str, expected: list[str]) -> None:
    assert reads(rules) == expected


def test_policies_read_what_their_violations_and_subjects_are_made_of() -> None:
    text = """package t
policy named {
	id T1
	title "Models have owners"
	severity block
	for model in input.models
	when model.layer == "gold"
	require model.owner
	message $"{model.title} has no owner"
}
unused := input.secret
"""
    policies = load_policies([Source("p.floe", text)]).value
    assert policies is not None
    assert sorted("/".join(path) for path in policies.reads()) == [
        "models/*/layer",
        "models/*/name",
        "models/*/owner",
        "models/*/title",
    ]
