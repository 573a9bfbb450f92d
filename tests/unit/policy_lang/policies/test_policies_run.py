"""Policies loaded from text and run on an input."""

from __future__ import annotations

from policy_lang.diagnostics import Severity
from policy_lang.policies import PolicySet, load_policies
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


def test_params_and_severities_are_set_from_outside() -> None:
    run = loaded().run(INPUT, {"floe.naming": {"prefix": "x"}}, {"NAM001": Severity.WARN}).value
    assert run is not None
    assert [(v.message, v.severity) for v in run.violations] == [("model b_y lacks x", Severity.WARN)]


def test_an_id_stands_for_one_policy_over_all_files() -> None:
    outcome = load_policies([Source("a.floe", TEXT), Source("b.floe", TEXT.replace("floe.naming", "floe.other"))])
    assert [found.code for found in outcome.diagnostics] == ["floe_duplicate_error"]
