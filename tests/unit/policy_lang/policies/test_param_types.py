"""Code relies on the declared types of parameters: what a manifest sets, and defaults of any kind, mean the same."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from policy_lang.engine import CompileOptions
from policy_lang.policies import PolicySet, load_policies
from policy_lang.source import Source

TEXT = """package t

param prefix: string := "a_"

param most: number := 3

param kinds: set[string] := {"x", "y"}

param words: array[string] := [w | some w in input.words]

param ranks: object[string, number] := {"x": 1, "y": 2.5}

param free: any := {1: "one"}

param either: string | array[string] := ["b_", "c_"]

policy all_of_them {
	id       T001
	title    "t"
	severity warn

	for model in input.models
	require startswith(model.name, params.prefix)
	message $"{model.name} {params.most} {params.ranks[model.kind]} {params.free[1]}"
}

policy kinds_and_words {
	id       T002
	title    "t"
	severity warn

	for model in input.models
	forbid {
		model.kind in params.kinds
		model.name in params.words
		count(model.name) > params.most
	}
	message $"{model.name} {count(params.either)} {params.words} {params.ranks}"
}

policy ranked {
	id       T003
	title    "t"
	severity warn

	for model in input.models
	for kind, rank in params.ranks
	forbid rank < params.most
	message $"{model.name} {kind} {rank} {params.either}"
}
"""
INPUT: dict[str, Any] = {
    "words": ["orders", 7],
    "models": [{"name": "orders", "kind": "x"}, {"name": "a_b", "kind": "y"}, {"name": 4, "kind": "z"}],
}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"prefix": "o", "most": 1, "kinds": ["x", "x"], "words": [], "ranks": {"x": Decimal("0.5")}, "free": None},
    {"either": "text", "free": {"1": 2}, "words": ["orders", "a_b"], "kinds": []},
]


def loaded(without: frozenset[str]) -> PolicySet:
    found = load_policies([Source("t.floe", TEXT)], CompileOptions(without=without))
    assert found.value is not None, found.diagnostics
    return found.value


@pytest.mark.parametrize("setting", SETTINGS, ids=["defaults", "set", "others"])
def test_typed_parameters_mean_what_untyped_ones_do(setting: dict[str, Any]) -> None:
    answers = [
        repr(loaded(without).run(INPUT, {"t": setting})) for without in (frozenset(), frozenset(["types", "hoist"]))
    ]
    assert answers[0] == answers[1]
    assert "T00" in answers[0] or "error" in answers[0]


def test_code_relies_on_the_declared_type() -> None:
    at = loaded(frozenset())
    source = at.program.joint([("t", "violation")], [], typed=True).module.source
    assert "b_startswith" in source  # the name is of any type
    assert re.search(r"for \w+, \w+ in h\d+\.items\(\)", source)  # but `ranks` is an object of numbers
    assert re.search(r"\(rank\w+ < h\d+\)", source)


def test_a_setting_of_another_type_is_refused_and_not_relied_on() -> None:
    ran = loaded(frozenset()).run(INPUT, {"t": {"ranks": {"x": "high"}}})
    assert [d.code for d in ran.diagnostics] == ["floe_param_type_error"]
