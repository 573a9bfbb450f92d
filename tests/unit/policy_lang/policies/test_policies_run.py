"""Policies loaded from text and run on an input."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.diagnostics import Severity
from policy_lang.engine import CompileOptions
from policy_lang.policies import Edit, PolicySet, by_place, load_policies
from policy_lang.source import Source

TEXT = """package floe.naming

param prefix: string := "b_"

policy prefix {
	id       NAM001
	title    "A name has a prefix"
	severity block

	for model in input.models
	when model.layer == "bronze"
	require startswith(model.name, params.prefix)

	message $"model {model.name} lacks {params.prefix}"
	at      model.name
}
"""
INPUT = {"models": [{"name": "x", "layer": "bronze"}, {"name": "b_y", "layer": "bronze"}, {"name": "z", "layer": "g"}]}


def loaded() -> PolicySet:
    outcome = load_policies([Source("naming.floe", TEXT)])
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def test_a_violation_says_where_and_subjects_are_counted() -> None:
    run = loaded().run(INPUT).value
    assert run is not None
    (found,) = run.violations
    assert (found.message, found.at, found.subject) == ("model x lacks b_", ("models", 0, "name"), "model x")
    assert run.subjects == (("floe.naming.prefix", 2),)


def test_violations_are_in_the_order_of_their_places_indexes_before_names() -> None:
    run = loaded().run(INPUT).value
    assert run is not None
    (found,) = run.violations
    places: list[tuple[str | int, ...]] = [("models", "z"), ("models", 10), ("models", 2, "name"), ("models",), ()]
    made = [found._replace(at=at) for at in places]
    assert [one.at for one in by_place(made)] == [
        (),
        ("models",),
        ("models", 2, "name"),
        ("models", 10),
        ("models", "z"),
    ]
    plain = [one for one in made if one.at != ("models", "z")]
    assert by_place(plain) == by_place(made)[:-1]


def test_params_and_severities_are_set_from_outside() -> None:
    run = loaded().run(INPUT, {"floe.naming": {"prefix": "x"}}, {"NAM001": Severity.WARN}).value
    assert run is not None
    assert [(v.message, v.severity) for v in run.violations] == [("model b_y lacks x", Severity.WARN)]


def test_an_id_stands_for_one_policy_over_all_files() -> None:
    outcome = load_policies([Source("a.floe", TEXT), Source("b.floe", TEXT.replace("floe.naming", "floe.other"))])
    assert [found.code for found in outcome.diagnostics] == ["floe_duplicate_error"]


def codes(*texts: tuple[str, str]) -> list[str]:
    outcome = load_policies([Source(file, text) for file, text in texts])
    assert (outcome.value is None) is bool(outcome.diagnostics)
    return [found.code for found in outcome.diagnostics]


OTHER = TEXT.replace("NAM001", "NAM002").replace("param prefix: string", "param suffix: string")


@pytest.mark.parametrize(
    "rego",
    [
        "package floe.naming\n\nviolation contains 1\n",
        "package floe.naming\n\nsubjects.prefix contains 1\n",
        "package floe.naming\n\nparams.other := 1\n",
        "package floe\n\nnaming.violation contains 1\n",
        'package floe\n\nnaming[x] := 1 if some x in ["a"]\n',
    ],
)
def test_no_rule_may_define_what_policies_give(rego: str) -> None:
    assert codes(("naming.floe", TEXT), ("more.rego", rego)) == ["floe_duplicate_error"]


def test_names_are_unique_in_a_package_and_params_are_shared_by_its_files() -> None:
    assert codes(("a.floe", TEXT), ("b.floe", OTHER)) == ["floe_duplicate_error"]
    renamed = OTHER.replace("policy prefix", "policy other")
    assert codes(("a.floe", TEXT), ("b.floe", renamed)) == []
    assert codes(("a.floe", TEXT), ("b.floe", renamed.replace("suffix", "prefix"))) == ["floe_duplicate_error"]
    set_ = load_policies([Source("a.floe", TEXT), Source("b.floe", renamed)]).value
    assert set_ is not None
    assert all([param.name for param in policy.params] == ["prefix", "suffix"] for policy in set_.policies)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"floe.naming": {"prefix": 1}}, "floe_param_type_error"),
        ({"floe.naming": {"prefx": "x"}}, "floe_param_error"),
        ({"floe.nam": {"prefix": "x"}}, "floe_param_error"),
    ],
)
def test_a_param_that_fits_nothing_ends_the_run(params: dict[str, dict[str, object]], code: str) -> None:
    outcome = loaded().run(INPUT, params)
    assert outcome.value is None
    assert [found.code for found in outcome.diagnostics] == [code]


def policy(clauses: str) -> PolicySet:
    head = 'package p\n\nparam odd: any := 0\n\npolicy q {\n\tid A1\n\ttitle "t"\n\tseverity warn\n'
    outcome = load_policies([Source("q.floe", head + "".join(f"\t{line}\n" for line in clauses.split("; ")) + "}\n")])
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


@pytest.mark.parametrize(
    ("clauses", "given", "violations", "subjects"),
    [
        # A builtin's error anywhere fails the run; undefined in `require` is a violation.
        ('for x in input.xs; require to_number(x) > 0; message "m"', {"xs": ["1", "z"]}, None, None),
        ('for x in input.xs; when to_number(x) > 0; require true; message "m"', {"xs": ["z"]}, None, None),
        ('for x in input.xs; forbid to_number(x) > 0; message "m"', {"xs": ["z"]}, None, None),
        ('for x in input.xs; require x.a.b > 0; message "m"', {"xs": [{}, {"a": 1}]}, ["m", "m"], 2),
        ('for x in input.xs; require x; message "m"', {"xs": [False, None, 0]}, ["m"], 3),
        # No part of a violation may make it vanish.
        ("for x in input.xs; forbid true; message x.none; hint x.none; at x[x.none]", {"xs": [{}]}, ["t"], 1),
        ('for x in input.xs; forbid true; message $"{x.none} {x}"', {"xs": [1]}, ["<undefined> 1"], 1),
        ("for x in input.xs; forbid true; message x", {"xs": [[1], 2, "s", None]}, ["2", "[1]", "null", "s"], 4),
        ('for x in input.xs; forbid true; message "m"; fix set x.a x.none', {"xs": [{}]}, ["m"], 1),
        # Subjects: nested loops, loops over objects and sets, destructured ones, no loops at all.
        ('for x in input.xs; for y in x; require y > 1; message $"{y}"', {"xs": [[1, 2], [], [1]]}, ["1", "1"], 3),
        ("for k, v in input.xs; require v > 1; message k", {"xs": {"a": 1, "b": 2}}, ["a"], 2),
        ('for x in {1, 2, input.n}; require x > 1; message $"{x}"', {"n": 1}, ["1"], 2),
        ('for {"a": x} in input.xs; require x > 1; message $"{x}"', {"xs": [{"a": 1}, {"b": 1}, {"a": 2}]}, ["1"], 2),
        ('require input.n > 1; message "m"', {"n": 1}, ["m"], 1),
        ('when input.on; require input.n > 1; message "m"', {"n": 1, "on": False}, [], 0),
        ('for x in input.none; require false; message "m"', {}, [], 0),
        # A definition that fails: a violation before `require`, no subject before `when`.
        ('for x in input.xs; let y := x.y; require y > 0; message "m"', {"xs": [{}]}, ["t: `y` has no value"], 1),
        ('for x in input.xs; let y := x.y; when y; require false; message "m"', {"xs": [{}]}, [], 0),
        ('for x in input.xs; let y := x.y; forbid y; message "m"', {"xs": [{}]}, [], 1),
        # `not` in a policy means `not`, whatever is undefined.
        ('for x in input.xs; forbid not startswith(x.name, "a"); message "m"', {"xs": [{}, {"name": "a"}]}, ["m"], 2),
    ],
)
def test_policies_fail_closed(clauses: str, given: Any, violations: list[str] | None, subjects: int | None) -> None:
    outcome = policy(clauses).run(given)
    if violations is None:
        assert outcome.value is None
        (found,) = outcome.diagnostics
        assert found.code == "eval_builtin_error"
        assert found.span is not None
        assert found.span.file == "q.floe"
        return
    assert outcome.value is not None, outcome.diagnostics
    assert sorted(v.message for v in outcome.value.violations) == violations
    assert outcome.value.subjects == (("p.q", subjects),)


def test_a_fix_is_an_edit_of_the_input() -> None:
    run = policy('for x in input.xs; forbid true; message "m"; fix set x.meta.owner $"{x.team} team"').run(
        {"xs": [{"team": "a"}]}
    )
    assert run.value is not None
    assert run.value.violations[0].fix == Edit("set", ("xs", 0, "meta", "owner"), "a team")


def test_strict_mode_finds_unused_what_the_policy_leaves_unused() -> None:
    text = """package p

policy named {
	id       P001
	title    "t"
	severity block

	for model in input.models
	let name := model.name
	when model.layer != "x"
	let length := count(name)
	let unused := model.layer
	require length > 3

	message $"{name} is of length {length}"
}
"""
    strict = load_policies([Source("p.floe", text)], CompileOptions(strict=True))
    assert [(d.message, d.span and d.span.line) for d in strict.diagnostics] == [("assigned var unused unused", 12)]
    kept = load_policies(
        [Source("p.floe", text.replace("\tlet unused := model.layer\n", ""))], CompileOptions(strict=True)
    )
    assert kept.value is not None
    assert not kept.diagnostics
