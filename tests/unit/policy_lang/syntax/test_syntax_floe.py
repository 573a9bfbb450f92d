"""The declarations of `.floe` files: their nodes, their contextual words, their errors."""

from __future__ import annotations

from policy_lang.source import Source
from policy_lang.syntax import ast
from policy_lang.syntax.parser import parse_module

POLICY = """package floe.naming

param prefixes: object[string, array[string]] := {"bronze": ["bronze_"]}
param minimum: number | null := 80 stricter when higher

policy layer_prefix {
	id       NAM001
	title    "A name starts with a prefix"
	severity block
	why      "Readers find it"

	for key, model in input.models
	when model.layer in object.keys(params.prefixes)
	let at := model.name
	require {
		some prefix in params.prefixes[model.layer]
		startswith(at, prefix)
	}

	message $"model {model.name} is wrong: {concat(", ", params.prefixes[model.layer])}"
	hint    "rename it"
	fix     set model.name "x"
	at      model.name
}

test layer_prefix {
	pass "good" with {"models": [{"name": "bronze_x"}]} given params.prefixes := {}
	fail "bad"  with {"models": []}
		at "orders" message "its name"
	skip "none" with {}
}

message := 1 if input.policy.test == 2
"""


def test_declarations_become_nodes() -> None:
    outcome = parse_module(Source("a.floe", POLICY))
    assert outcome.diagnostics == ()
    module = outcome.value
    assert module is not None
    assert module.floe
    (policy,) = module.policies
    assert (policy.id, policy.severity, policy.polarity, len(policy.body)) == ("NAM001", "block", "require", 2)
    assert [type(s) for s in policy.scope] == [ast.For, ast.When, ast.Let]
    assert policy.fix is not None
    assert policy.fix.action == "set"
    assert [p.stricter for p in module.params] == [None, "higher"]
    assert module.params[1].type.name == "union"
    assert [c.outcome for c in module.tests[0].cases] == ["pass", "fail", "skip"]
    assert len(module.tests[0].cases[1].expects) == 1
    assert len(module.rules) == 1


def test_a_wrong_order_of_clauses_is_told_at_the_clause() -> None:
    text = POLICY.replace("\tseverity block\n", "").replace(
        '\twhy      "Readers find it"\n', "\tseverity block\n\tid X\n"
    )
    (found,) = parse_module(Source("a.floe", text)).diagnostics
    assert (found.code, found.message) == ("floe_parse_error", "unexpected `id`")


def test_a_severity_is_one_of_three() -> None:
    (found,) = parse_module(Source("a.floe", POLICY.replace("severity block", "severity fatal"))).diagnostics
    assert found.code == "floe_parse_error"
    assert "warn" in found.hint


def test_rego_files_know_no_declarations() -> None:
    (found,) = parse_module(Source("a.rego", POLICY)).diagnostics
    assert found.code == "rego_parse_error"
