"""Policies and params become rules: their paths, their fallbacks, and the errors in declarations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policy_lang.analysis.desugar import desugar
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.parser import parse_query, parse_term

AT = whole_file("naming.floe")


def term(text: str) -> ast.Term:
    value = parse_term(Source("<term>", text)).value
    assert value is not None
    return value


def body(text: str) -> ast.Body:
    value = parse_query(Source("<body>", text)).value
    assert value is not None
    return value


def loop(name: str, collection: str, key: str | None = None) -> ast.For:
    return ast.For(ast.Var(key, span=AT) if key else None, ast.Var(name, span=AT), term(collection), span=AT)


POLICY = ast.Policy(
    name="prefix",
    id="NAM001",
    title="A title",
    severity="block",
    scope=(loop("model", "input.models"), ast.When(body("model.layer"), span=AT)),
    polarity="require",
    body=body('startswith(model.name, "x_")'),
    message=ast.String("bad", span=AT),
    span=AT,
)
STRING = ast.TypeExpr("string", span=AT)
PARAM = ast.Param("greeting", STRING, term('"hello"'), span=AT)


def module(*policies: ast.Policy, params: tuple[ast.Param, ...] = ()) -> ast.Module:
    return ast.Module(ast.Package(("floe", "naming"), span=AT), policies=policies, params=params, floe=True, span=AT)


def rules(*policies: ast.Policy, params: tuple[ast.Param, ...] = ()) -> tuple[ast.Rule, ...]:
    outcome = desugar(module(*policies, params=params))
    assert outcome.value is not None, outcome.diagnostics
    assert not outcome.value.policies
    assert not outcome.value.params
    return outcome.value.rules


def field(rule: ast.Rule, name: str) -> ast.Term:
    assert isinstance(rule.head.key, ast.Object)
    return next(value for key, value in rule.head.key.items if key == ast.String(name, span=AT))


def test_a_require_becomes_a_violation_where_the_body_has_no_solution() -> None:
    violation, subjects = rules(POLICY)
    assert violation.head.ref.head == ast.Var("violation", span=AT)
    assert isinstance(violation.body[-1], ast.NotBody)
    assert violation.body[-1].body == POLICY.body
    assert field(violation, "at") == term('["models", __key0]')
    assert subjects.head.key == term("[__key0]")
    assert subjects.body == violation.body[:-1]


def test_at_follows_nested_loops_and_lets() -> None:
    columns = ast.Let(ast.Var("cs", span=AT), term("model.columns"), span=AT)
    scope = (loop("model", "input.models", "i"), columns, loop("column", "cs", "j"))
    violation, subjects = rules(replace(POLICY, scope=scope, at=term("column.name")))
    assert subjects.head.key == term("[i, j]")
    assert field(violation, "at") == term('["models", i, "columns", j, "name"]')


def test_at_of_another_term_falls_back_to_the_innermost_loop() -> None:
    violation, _ = rules(replace(POLICY, at=term('"elsewhere"')))
    assert field(violation, "at") == term('["models", __key0]')


def test_a_forbid_gives_its_own_variables_a_place() -> None:
    forbid = replace(POLICY, polarity="forbid", body=body("some ref in model.refs"), at=term("ref.name"))
    violation, _ = rules(forbid)
    assert field(violation, "at") == term('["models", __key0, "refs", __found0, "name"]')
    assert isinstance(violation.body[-1], ast.SomeIn)


def test_a_message_that_is_undefined_falls_back_to_the_title() -> None:
    violation, _ = rules(replace(POLICY, message=term("model.text")))
    assert field(violation, "message") == term('$"{array.concat([__value | __value := model.text], ["A title"])[0]}"')


def test_wildcards_in_a_loop_are_named_so_that_at_can_be_built() -> None:
    violation, subjects = rules(replace(POLICY, scope=(loop("column", "input.models[_].columns"),)))
    assert field(violation, "at") == term('["models", __any0_0, "columns", __key0]')
    assert subjects.head.key == term("[__any0_0, __key0]")


def test_an_at_that_may_be_undefined_falls_back_to_the_subject() -> None:
    violation, _ = rules(replace(POLICY, at=term("model[model.field]")))
    place = '["models", __key0, model.field]'
    assert field(violation, "at") == term(f'array.concat([__value | __value := {place}], [["models", __key0]])[0]')


def test_a_definition_of_a_require_that_has_no_value_is_a_violation() -> None:
    let = ast.Let(ast.Var("owner", span=AT), term("model.owner"), span=AT)
    _, undefined, subjects = rules(replace(POLICY, scope=(*POLICY.scope, let)))
    assert field(undefined, "message") == ast.String("A title: `owner` has no value", span=AT)
    assert undefined.body[-1] == ast.NotBody(body("_ = model.owner"), span=AT)
    assert subjects.body == undefined.body[:-1]


@pytest.mark.parametrize("text", ["[x | some x in model.xs]", "{x | some x in model.xs}"])
def test_a_comprehension_always_has_a_value(text: str) -> None:
    let = ast.Let(ast.Var("found", span=AT), term(text), span=AT)
    assert len(rules(replace(POLICY, scope=(*POLICY.scope, let)))) == 2


def test_a_fix_is_part_of_the_record_and_vanishes_alone() -> None:
    fix = ast.FixClause("set", term("model.owner"), term("model.team"), span=AT)
    violation, _ = rules(replace(POLICY, fix=fix))
    edit = '{"action": "set", "path": ["models", __key0, "owner"], "value": model.team}'
    assert field(violation, "fix") == term(f"[__edit | __edit := {edit}]")


def test_a_policy_without_loops_has_the_whole_input_as_subject() -> None:
    violation, subjects = rules(replace(POLICY, scope=()))
    assert field(violation, "at") == ast.Array((), span=AT)
    assert subjects.body == body("true")


def test_a_param_is_overridden_by_data() -> None:
    (rule,) = rules(params=(PARAM,))
    assert rule.head.ref == term("params.greeting")
    assert rule.head.value == term("given")
    assert rule.body == body('given := data.floec.params["floe.naming"].greeting')
    assert rule.elses[0].value == PARAM.default


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (module(POLICY, POLICY), "floe_duplicate_error"),
        (module(POLICY, replace(POLICY, name="other")), "floe_duplicate_error"),
        (module(params=(PARAM, PARAM)), "floe_duplicate_error"),
        (module(replace(POLICY, severity="fatal")), "floe_severity_error"),
        (module(params=(replace(PARAM, default=term("[1]")),)), "floe_param_type_error"),
        (module(params=(replace(PARAM, type=ast.TypeExpr("text", span=AT)),)), "floe_param_type_error"),
        (
            module(replace(POLICY, fix=ast.FixClause("remove", term("data.x"), None, span=AT))),
            "floe_fix_error",
        ),
    ],
)
def test_errors_in_declarations(bad: ast.Module, code: str) -> None:
    outcome = desugar(bad)
    assert outcome.value is None
    assert {found.code for found in outcome.diagnostics} == {code}


@pytest.mark.parametrize(
    ("default", "fits"),
    [('{"a": ["b"]}', True), ('{"a": [1]}', False), ('{"a": "b"}', False), ("{x: y | some x, y in z}", True)],
)
def test_nested_types_of_params(default: str, fits: bool) -> None:
    kind = ast.TypeExpr("object", (STRING, ast.TypeExpr("array", (STRING,), span=AT)), span=AT)
    options = ast.TypeExpr("union", (ast.TypeExpr("null", span=AT), kind), span=AT)
    assert desugar(module(params=(replace(PARAM, type=options, default=term(default)),))).ok is fits
