"""What policies make of one subject is what a run of them finds there."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang.policies import load_policies
from policy_lang.source import Source
from policy_lang.trace.subjects import Judged, judged

POLICIES = """package p

param least: number := 2

shouts(name) if upper(name) == name

policy columns {
	id       P001
	title    "Names of columns are long enough"
	severity block

	for model in input.models
	when model.layer == "gold"
	for i, column in model.columns
	let length := count(column.name)
	require length >= params.least

	message $"column {i} of {model.name} has a name of {length} letters"
}

policy quiet {
	id       P002
	title    "No model shouts"
	severity warn

	for model in input.models
	forbid shouts(model.name)

	message $"{model.name} shouts"
}

policy every_column {
	id       P003
	title    "A column has a type"
	severity warn

	for column in input.models[_].columns
	let type := column.type
	require type != ""

	message $"{column.name} has no type"
}

policy others {
	id       P004
	title    "Another list"
	severity warn

	for source in input.sources
	require source.name != ""

	message "m"
}

policy whole {
	id       P005
	title    "The whole"
	severity warn
	require count(input.models) > 0
	message "m"
}

policy parts {
	id       P006
	title    "No tag is listed twice beside"
	severity warn

	for model in input.models
	for tag in params_of(model)
	forbid tag == "bad"

	message $"{model.name} is {tag}"
}

params_of(model) := model.tags
"""
SOURCES = [Source("p.floe", POLICIES)]
INPUT: dict[str, Any] = {
    "sources": [{"name": "s"}],
    "models": [
        {"name": "orders", "layer": "gold", "columns": [{"name": "id", "type": "int"}, {"name": "x"}], "tags": ["bad"]},
        {"name": "LOUD", "layer": "silver", "columns": [{"name": "y", "type": ""}], "tags": []},
        {"name": "quiet", "layer": "gold", "columns": [], "tags": ["good", "bad"]},
    ],
}
IDS = {f"P00{number}" for number in range(1, 7)}


def ask(*place: str | int, params: dict[str, Any] | None = None, ids: set[str] = IDS) -> dict[str, Judged]:
    outcome = judged(SOURCES, ids, INPUT, params or {}, place)
    assert outcome.value is not None, outcome.diagnostics
    return {one.id: one for one in outcome.value}


@pytest.mark.parametrize("params", [{}, {"p": {"least": 1}}])
def test_all_subjects_together_have_the_violations_of_a_run(params: dict[str, Any]) -> None:
    loaded = load_policies(SOURCES)
    assert loaded.value is not None
    run = loaded.value.run(INPUT, params)
    assert run.value is not None
    ran = {(v.policy.id, v.message) for v in run.value.violations}
    models = [ask("models", number, params=params) for number in range(3)]
    columns = [ask("models", 0, "columns", n, params=params) for n in range(2)] + [ask("models", 1, "columns", 0)]
    found = {(one.id, text) for answers in [*models, *columns] for one in answers.values() for text in one.messages}
    assert found == ran
    assert len(ran) == (5 if not params else 4) + 1


def test_policies_about_other_things_are_left_out() -> None:
    assert set(ask("models", 0)) == {"P001", "P002", "P006"}
    assert set(ask("models", 0, "columns", 1)) == {"P001", "P003"}
    assert set(ask("sources", 0)) == {"P004"}
    assert ask("sources", 0)["P004"].verdict == "passed"
    assert set(ask("models", 0, ids={"P002"})) == {"P002"}


def test_the_literal_that_kept_a_policy_away_is_named_with_its_values() -> None:
    away = ask("models", 1)["P001"]
    assert away.verdict == "does not apply"
    assert away.decisive == ('13: model.layer == "gold": failed', '    where model.layer = "silver"')


def test_a_violation_says_which_literal_failed_with_which_values() -> None:
    found = ask("models", 0)["P001"]
    assert (found.verdict, found.subjects) == ("violated", 2)
    assert found.messages == ("column 1 of orders has a name of 1 letters",)
    assert any("where length = 1" in line for line in found.literals), found.literals


def test_a_definition_without_a_value_is_a_violation() -> None:
    assert ask("models", 0, "columns", 1)["P003"].messages == ("A column has a type: `type` has no value",)


def test_what_fails_or_takes_too_long_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [Source("p.floe", POLICIES.replace("upper(name) == name", "to_number(name) == 1"))]
    outcome = judged(broken, {"P002"}, INPUT, {}, ("models", 0))
    assert outcome.value is not None
    (one,) = outcome.value
    assert one.verdict == "undecided"
    assert "to_number" in one.problem
    monkeypatch.setattr("policy_lang.trace.subjects._BUDGET", 3)
    assert ask("models", 0)["P001"].problem == "it looks at too much to be traced"
