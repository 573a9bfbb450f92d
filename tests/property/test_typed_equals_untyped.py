"""Code that relies on a schema gives what code that relies on nothing gives, on any input."""

from __future__ import annotations

import copy
import functools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_lang.engine import CompileOptions
from policy_lang.policies import PolicySet, load_policies
from policy_lang.runtime import matching
from policy_lang.source import Source

HOME = Path(__file__).parents[2] / "benchmarks" / "policies"
SCHEMA = json.loads((HOME / "checks.schema.json").read_text("utf-8"))
ODD: list[Any] = [None, True, False, 0, 1, 7, "", "x", "gold", [], ["x"], [1], {}, {"a": 1}]


@functools.cache
def policies(typed: bool, text: str = "") -> PolicySet:
    text = text or (HOME / "checks.floe").read_text("utf-8")
    loaded = load_policies([Source("checks.floe", text)], CompileOptions(input_schema=SCHEMA if typed else None))
    assert loaded.value is not None, loaded.diagnostics
    return loaded.value


def answer(typed: bool, document: Any, text: str = "") -> Any:
    return said(policies(typed, text), document)


def said(loaded: PolicySet, document: Any) -> Any:
    ran = loaded.run(document)
    if ran.value is None:
        return {(d.code, d.message) for d in ran.diagnostics}
    found = ran.value
    return found.subjects, {(v.policy.id, v.message, v.at, v.subject, v.hint) for v in found.violations}


def document(seed: int, models: int) -> dict[str, Any]:
    rnd = random.Random(seed)
    layers = ["bronze", "silver", "gold"]
    config = {
        "naming": {"bronze": "^brz_", "silver": "^slv_[a-z]+$", "gold": "("},
        "coverage": {layer: rnd.choice([0, 50, 100]) for layer in layers},
        "rank": {"bronze": 0, "silver": 1, "gold": 2},
        "materialized": {"bronze": ["view"], "silver": ["table", "view"], "gold": []},
        "forbidden_types": ["blob"],
        "teams": ["a", "b"],
        "domains": ["sales"],
        "retention": {"public": 10, "pii": 3},
        "required_pk_tests": ["unique", "not_null"],
        "masked": ["pii"],
    }
    config["naming"]["gold"] = "^dim_"

    def column() -> dict[str, Any]:
        made = {
            "name": rnd.choice(["id", "Email", "email", "x_1"]),
            "type": rnd.choice(["blob(3)", "blob", "int", ""]),
            "classification": rnd.choice(["public", "pii", "secret"]),
            "tests": rnd.choice([[], ["unique"], ["not_null", "unique"]]),
            "meta": rnd.choice([{}, {"masking": "sha"}]),
        }
        return made | rnd.choice([{}, {"description": ""}, {"description": "what it is"}])

    def model(number: int) -> dict[str, Any]:
        made = {
            "name": rnd.choice([f"brz_{number}", f"slv_{number}", "dim_x", "slv_a"]),
            "layer": rnd.choice([*layers, "odd"]),
            "schema": rnd.choice(layers),
            "columns": [column() for _ in range(rnd.randint(0, 3))],
            "tests": [],
            "tags": rnd.choice([[], ["sales"], ["x", "sales"]]),
            "meta": rnd.choice([{}, {"primary_key": "id"}, {"retention_days": rnd.choice([1, 20])}]),
            "materialized": rnd.choice(["view", "table"]),
            "depends_on": rnd.choice([[], ["dim_x"], ["nothing", "slv_a"]]),
        }
        return made | rnd.choice([{}, {"owner": "a"}, {"owner": "z", "description": "a long description"}])

    return {"config": config, "models": [model(n) for n in range(models)]}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


@given(st.integers(0, 10_000), st.integers(0, 5), st.data())
@settings(max_examples=60, deadline=None)
def test_any_input_gives_the_same_violations(seed: int, models: int, data: st.DataObject) -> None:
    changed = document(seed, models)
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.sampled_from(places(changed)[1:]))
        at: Any = changed
        for key in place[:-1]:
            at = at[key]
        if data.draw(st.booleans()) and isinstance(at, dict):
            del at[place[-1]]
        else:
            at[place[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    assert answer(True, changed) == answer(False, changed)


CALLS = """package typed

ranks(model) := [rank | some column in model.columns; rank := input.config.retention[column.classification]] if {
	model.layer != "bronze"
}

ranks(model) := [0] if model.layer == "bronze"

known(text, given) := upper(text) if {
	some one in given
	one == text
} else := lower(text) if count(given) > 1

deeper(model, column) := known(column.name, model.tags) if column.description != "" else := known(model.owner, [])

policy ranked {
	id       T001
	title    "Of models with classified columns the names are known"
	severity block

	for model in input.models
	when max(ranks(model)) > 3
	for column in model.columns
	require deeper(model, column) == known(column.type, input.config.teams)

	message $"{known(model.name, model.columns)} and {column.name} with {known(model.layer, model.tags)}"
	at      column.name
}
"""
"""Functions that are given what the schema describes, values of several types, and what a function was given."""


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_functions_are_told_what_they_are_called_with_on_broken_inputs_too(data: st.DataObject) -> None:
    changed = document(data.draw(st.integers(0, 200)), 5)
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.sampled_from(places(changed)[1:]))
        at: Any = changed
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    assert answer(True, changed, CALLS) == answer(False, changed, CALLS)


def test_a_conforming_input_runs_typed_code_and_another_does_not() -> None:
    right, wrong = document(1, 4), document(1, 4)
    wrong["models"][0]["columns"] = None
    program = policies(True).program
    policies(True).run(right)
    (variant,) = (found for key, found in program.variants.items() if key[0] == "joint" and key[3])
    assert variant.conforms(right)
    assert not variant.conforms(wrong)
    assert "['layer']" in variant.module.source


@pytest.mark.parametrize("broken", [None, 7, [], {}, {"models": []}])
def test_inputs_of_another_shape(broken: Any) -> None:
    assert answer(True, broken) == answer(False, broken)


@pytest.mark.parametrize("left_out", ["unroll", "hoist", "fold", "memoise", "tally", "fuse", "aggregate", "arguments"])
def test_a_pass_may_be_left_out_of_typed_code(left_out: str) -> None:
    text = (HOME / "checks.floe").read_text("utf-8")
    options = CompileOptions(input_schema=SCHEMA, without=frozenset([left_out]))
    loaded = load_policies([Source("checks.floe", text)], options).value
    assert loaded is not None
    for seed in range(40):
        given = document(seed, 6)
        assert said(loaded, given) == answer(True, given)


def test_what_is_remembered_of_a_text_is_forgotten_in_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_TEXTS", 2)
    differ = 0
    for seed in range(60):
        given = document(seed, 4)
        other = copy.deepcopy(given)
        other["config"]["forbidden_types"] = ["int"]
        first, second = answer(True, given), answer(True, other)
        assert [first, second] == [answer(False, given), answer(False, other)]
        differ += first != second
    assert differ > 5
