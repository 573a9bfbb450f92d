"""The runner of policy tests: what passes, what fails, and what cannot be decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.cli.main import run
from policy_lang.source import Source
from policy_lang.testing.runner import Status, TestResult, run_tests

POLICY = """package p

param least: number := 2

policy long_name {
	id       T001
	title    "A name is long"
	severity block

	for model in input.models
	when model.on
	require count(model.name) >= params.least

	message $"{model.name} is short"
	at      model.name
}
"""
BAD = '{"models": [{"name": "a", "on": true}]}'
GOOD = '{"models": [{"name": "abc", "on": true}]}'


def results(case: str) -> tuple[TestResult, ...]:
    test = f"package p\n\ntest long_name {{\n\t{case}\n}}\n"
    outcome = run_tests([Source("p.floe", POLICY), Source("p_test.floe", test)])
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value.results


@pytest.mark.parametrize(
    ("case", "status"),
    [
        (f'pass "t" with {GOOD}', "pass"),
        (f'pass "t" with {BAD}', "fail"),
        ('pass "nothing checked" with {"models": []}', "fail"),
        (f'fail "t" with {BAD}', "pass"),
        (f'fail "t" with {GOOD}', "fail"),
        (f'fail "t" with {BAD}\n\t\tat "a" message "is short"', "pass"),
        (f'fail "t" with {BAD}\n\t\tat ["models", 0, "name"]', "pass"),
        (f'fail "t" with {BAD}\n\t\tat "b"', "fail"),
        (f'fail "t" with {BAD}\n\t\tmessage "is long"', "fail"),
        (f'fail "two are not one" with {BAD}\n\t\tat "a"\n\t\tat "a"', "fail"),
        (f'fail "t" with {GOOD}\n\t\tgiven params.least := 4', "pass"),
        ('skip "t" with {"models": [{"name": "a", "on": false}]}', "pass"),
        (f'skip "t" with {GOOD}', "fail"),
        ('pass "t" with {"models": input.none}', "error"),
    ],
)
def test_case_outcomes(case: str, status: str) -> None:
    (result,) = results(case)
    assert result.status == status, result
    assert bool(result.detail) is (status != "pass")


def test_rego_test_rules_run_and_none_of_one_name_hides_another() -> None:
    text = """package r

test_yes if 1 + 1 == 2
test_no if 1 == 2
test_twice if true
test_twice if false
test_mock if input.x == 1 with input as {"x": 1}
todo_test_later if false
test_number := 5
test_keyed.a if true
test_error if to_number("x") == 1
test_function(x) if x
"""
    outcome = run_tests([Source("r_test.rego", text)])
    assert outcome.value is not None, outcome.diagnostics
    found = {result.name: result.status for result in outcome.value.results}
    assert found == {
        "r.test_yes": Status.PASS,
        "r.test_no": Status.FAIL,
        "r.test_twice": Status.PASS,
        "r.test_twice#01": Status.FAIL,
        "r.test_mock": Status.PASS,
        "r.todo_test_later": Status.SKIP,
        "r.test_number": Status.FAIL,
        "r.test_keyed": Status.ERROR,
        "r.test_error": Status.FAIL,
    }
    assert not outcome.value.ok


@pytest.mark.parametrize(
    "test",
    ['test long_nam {\n\tpass "t" with {}\n}', 'test long_name {\n\tpass "t" with {} given params.most := 1\n}'],
)
def test_unknown_names_are_errors(test: str) -> None:
    outcome = run_tests([Source("p.floe", POLICY), Source("t.floe", f"package p\n\n{test}\n")])
    assert outcome.value is None
    assert [d.code for d in outcome.diagnostics] == ["floe_test_error"]


def test_command_prints_and_exits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.floe").write_text(POLICY)
    (tmp_path / "p_test.floe").write_text(
        f'package p\n\ntest long_name {{\n\tpass "good" with {GOOD}\n\tpass "bad" with {BAD}\n}}\n'
    )
    assert run(["test", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "PASS  p.long_name: good" in out
    assert "FAIL  p.long_name: bad" in out
    assert "2 tests: 1 pass, 1 fail" in out
    assert run(["test", str(tmp_path), "--run", "good"]) == 0
    assert run(["test", str(tmp_path), "--run", "no such test"]) == 1
    assert run(["test", str(tmp_path / "none")]) == 1
