"""The runner of policy tests: what passes, what fails, and what cannot be decided."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from compiler.cli.main import run
from compiler.cli.test_command import watch
from compiler.ir.schema import complete
from policy_lang.source import Source
from policy_lang.testing.runner import Status, TestOptions, TestResult, run_tests
from policy_lang.trace.evaluate import Evaluator

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


RULES = """package r

cases := {"a": 1, "b": 2, "c": 3}

test_yes if 1 + 1 == 2
test_no if 1 == 2
test_twice if true
test_twice if false
test_mock if input.x == 1 with input as {"x": 1}
todo_test_later if false
test_number := 5
test_constant.a if true
test_constant_no.a if false
test_error if to_number("x") == 1
test_function(x) if x
test_cases[name] if {
	some name, value in cases
	value < 3
}
test_two_keys[name][value] if {
	some name, value in cases
	value != 2
}
test_none[name] if some name in []
test_after[name] if {
	false
	some name in ["a"]
}
test_term[[1, x.n]] if {
	some x in [{"n": 1}, {"n": 2}]
	x.n < 2
}
test_value[n] := n if some n in [1, true]
test_set contains 1
test_else if { false } else := false if { true }
"""
OPA = Path.home() / ".cache/floec/tools/opa"


def flat(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What each test came to, sub-results included."""

    def word(record: dict[str, Any]) -> str:
        return "skip" if record.get("skip") else "fail" if record.get("fail") or record.get("error") else "pass"

    def subs(record: dict[str, Any]) -> Any:
        return {name: (word(sub), subs(sub)) for name, sub in (record.get("sub_results") or {}).items()}

    return {record["name"]: (word(record), subs(record)) for record in records}


def test_rego_test_rules_run_and_none_of_one_name_hides_another() -> None:
    outcome = run_tests([Source("r_test.rego", RULES)])
    assert outcome.value is not None, outcome.diagnostics
    found = {result.title: result.status for result in outcome.value.results}
    assert found["test_twice"] is Status.PASS
    assert found["test_twice#01"] is Status.FAIL
    assert found["todo_test_later"] is Status.SKIP
    assert found["test_function"] is Status.FAIL
    cases = {result.title: result.cases for result in outcome.value.results}
    assert [(case.keys, case.passed) for case in cases["test_cases"]] == [
        (("a",), True),
        (("b",), True),
        (("c",), False),
    ]
    assert not outcome.value.ok


@pytest.mark.opa
@pytest.mark.skipif(not OPA.is_file(), reason="no OPA binary: scripts/external_tools.sh opa builds it")
def test_rules_come_to_what_opa_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "r_test.rego"
    file.write_text(RULES)
    theirs = subprocess.run([OPA, "test", file, "-f", "json"], capture_output=True, text=True, timeout=60, check=False)
    assert run(["test", str(file), "--format", "json"]) == 1
    ours = json.loads(capsys.readouterr().out)
    assert flat(ours) == flat(json.loads(theirs.stdout))


def test_a_failing_rule_shows_the_literal_and_its_values() -> None:
    outcome = run_tests([Source("r_test.rego", RULES)], TestOptions(run=r"^data\.r\.test_(cases|error)$"))
    assert outcome.value is not None
    error, cases = outcome.value.results
    assert error.why == (
        'to_number("x") == 1'.join(("14: ", ": failed")),
        '    where to_number("x") = undefined (to_number: invalid syntax)',
    )
    assert "18: value < 3: held 2 of 3" in cases.why
    assert "    where value = 3" in cases.why


def test_a_long_way_to_a_failure_is_not_walked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_lang.testing.run.EXPLAINED_LITERALS", 50)
    text = "package p\n\ntest_a if {\n\tsome i in numbers.range(1, 99)\n\ti < 0\n}\n"
    outcome = run_tests([Source("p_test.rego", text)])
    assert outcome.value is not None
    (result,) = outcome.value.results
    assert result.status is Status.FAIL
    assert any("i < 0" in line for line in result.why)


def test_names_with_dots_are_replaced_and_shown_as_they_are() -> None:
    module = Source("q.rego", 'package a["b.c"].d\np contains 1\nf(x) := x\n')
    text = """package t["x.y"]
import data.a["b.c"].d
test_p if {
	d.p == {2} with data.a["b.c"].d.p as {2}
	d.p == {3} with data.a["b.c"] as {"d": {"p": {3}}}
	d.f(1) == 7 with data.a["b.c"].d.f as 7
	d.p == {1} with data.a.b.c.d as 3
}
"""
    options = TestOptions(run=r'^data\.t\["x\.y"\]\.test_p$')
    (result,) = run_tests([module, Source("t.rego", text)], options).value.results  # type: ignore[union-attr]
    assert result.status is Status.PASS, result.why
    assert result.package == 't["x.y"]'


def test_the_rules_of_a_package_are_not_evaluated_to_say_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated: list[tuple[str, ...]] = []
    plain = Evaluator._rule

    def noted(self: Evaluator, path: tuple[str, ...], context: Any) -> Any:
        evaluated.append(path)
        return plain(self, path, context)

    monkeypatch.setattr(Evaluator, "_rule", noted)
    module = Source("q.rego", "package lib.q\nanswer := 1\nf(x) := x\n")
    test = Source("p_test.rego", "package p\ntest_it if data.lib.q.answers == 1\ntest_base if data.lib.q.halb == 1\n")
    outcome = run_tests([module, test], TestOptions(data={"lib": {"q": {"half": 1}}}))
    assert outcome.value is not None
    shown = [line for result in outcome.value.results for line in result.why]
    assert any("(data.lib.q has no `answers`: did you mean `answer`?)" in line for line in shown), shown
    assert any("(data.lib.q has no `halb`: did you mean `half`?)" in line for line in shown), shown
    assert {path[0] for path in evaluated} == {"p"}


def test_a_failing_case_shows_the_difference_and_why() -> None:
    (result,) = results(f'pass "t" with {BAD}')
    assert result.detail == ("expected no violation", '+ found    at ["models",0,"name"] message "a is short"')
    assert "    12: count(model.name) >= params.least: failed" in result.why
    assert any('model.name = "a"' in line and "count(model.name) = 1" in line for line in result.why)
    two = '{"models": [{"name": "a", "on": true}, {"name": "b", "on": true}]}'
    (result,) = results(f'fail "t" with {two}\n\t\tat "b"\n\t\tat "c" message "is short"')
    assert result.detail == (
        '  met      at ["models",1,"name"] message "b is short"',
        '- expected at "c" message "is short"',
        '+ found    at ["models",0,"name"] message "a is short"',
    )


def test_an_input_is_completed_and_a_field_that_is_none_is_an_error() -> None:
    test = """package p

test long_name {
	skip "no field is missing" with {"models": [{"name": "a"}]}
	pass "misspelt" with {
		"models": [
			{"nam": "abc"},
		],
	}
}
"""
    policy = POLICY.replace("model.on", "model.contract_enforced")
    outcome = run_tests([Source("p.floe", policy), Source("p_test.floe", test)], TestOptions(complete=complete))
    assert outcome.value is not None, outcome.diagnostics
    skip, wrong = outcome.value.results
    assert skip.status is Status.PASS
    assert wrong.status is Status.ERROR
    assert wrong.detail == ("line 7: `models.0` has no field `nam` (did you mean `name`?)",)


def test_coverage_of_lines_and_policies_is_the_same_in_several_processes() -> None:
    test = f'package p\n\ntest long_name {{\n\tpass "g" with {GOOD}\n\tpass "h" with {GOOD}\n}}\n'
    helper = "package q\n\nused if {\n\ttrue\n\tfalse\n\ttrue\n}\n\nunused if false\n\ntest_q if not used\n"
    sources = [Source("p.floe", POLICY), Source("p_test.floe", test), Source("q.rego", helper)]
    reports = [run_tests(sources, TestOptions(coverage=True, jobs=jobs)).value for jobs in (1, 2)]
    for report in reports:
        assert report is not None
        assert [(p.name, p.violated, p.passed) for p in report.policies] == [("p.long_name", False, True)]
        lines = {file.file: (file.covered, file.missed) for file in report.lines}
        assert lines["q.rego"] == ((4, 5), (3, 6, 9))
    assert reports[0] is not None
    assert reports[1] is not None
    assert reports[0].lines == reports[1].lines
    assert [r.status for r in reports[0].results] == [r.status for r in reports[1].results]


@pytest.mark.parametrize(
    "test",
    ['test long_nam {\n\tpass "t" with {}\n}', 'test long_name {\n\tpass "t" with {} given params.most := 1\n}'],
)
def test_unknown_names_are_errors(test: str) -> None:
    outcome = run_tests([Source("p.floe", POLICY), Source("t.floe", f"package p\n\n{test}\n")])
    assert outcome.value is None
    assert [d.code for d in outcome.diagnostics] == ["floe_test_error"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.floe").write_text(POLICY)
    (tmp_path / "p_test.floe").write_text(
        f'package p\n\ntest long_name {{\n\tpass "good" with {GOOD}\n\tpass "bad & <bad>" with {BAD}\n}}\n'
    )
    return tmp_path


def test_command_prints_and_exits(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    any_input = ["test", str(folder), "--schema", "none"]
    assert run(any_input) == 1
    out = capsys.readouterr().out
    assert "PASS" not in out
    assert "FAIL  p.long_name: bad & <bad> " in out
    assert "2 tests: 1 pass, 1 fail" in out
    assert run([*any_input, "--run", r"\.long_name: go+d$", "-v"]) == 0
    assert "PASS  p.long_name: good (" in capsys.readouterr().out
    assert run([*any_input, "--run", "no such test"]) == 1
    assert run([*any_input, "--run", "no such test", "--no-fail-on-empty"]) == 0
    assert run([*any_input, "--run", "("]) == 2
    assert run([*any_input, "-p", "0"]) == 2
    assert run(["test", str(folder / "none")]) == 1
    assert run(["test", str(folder)]) == 1
    assert "has no field `on`" in capsys.readouterr().err


def test_formats_and_the_threshold_of_coverage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    any_input = ["test", str(folder), "--schema", "none", "--run", "good"]
    assert run([*any_input, "--threshold", "99"]) == 0
    out = capsys.readouterr().out
    assert "coverage: 100 % of lines, 0 of 1 policies both ways" in out
    assert "p.long_name: no test makes it find a violation" in out
    (folder / "more.rego").write_text("package p\n\nmore if {\n\tfalse\n}\n")
    assert run([*any_input, "--threshold", "99"]) == 1
    assert "more.rego: 0 %, not covered: 3-4" in capsys.readouterr().out
    assert run([*any_input[:-2], "--format", "junit", "-p", "2"]) == 1
    suites = ElementTree.fromstring(capsys.readouterr().out)
    assert (suites.get("tests"), suites.get("failures"), suites.get("errors")) == ("2", "1", "0")
    assert [case.get("name") for case in suites.iter("testcase")] == ["long_name: good", "long_name: bad & <bad>"]
    assert "a is short" in str(next(suites.iter("failure")).text)
    assert run([*any_input, "--format", "json", "--coverage"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["coverage"]["policies"] == {"p.long_name": {"violated": False, "passed": True}}
    assert report["results"][0]["package"] == "data.p"


def test_data_files_are_the_base_document(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "limits.json").write_text('{"limit": 3}')
    (tmp_path / "r_test.rego").write_text("package r\n\ntest_limit if data.d.limit == 3\n")
    assert run(["test", str(tmp_path)]) == 0


def test_watch_runs_again_after_each_change(tmp_path: Path) -> None:
    file = tmp_path / "r_test.rego"
    file.write_text("package r\n\ntest_a if false\n")
    codes: list[int] = []
    naps = iter(range(10))

    def once() -> int:
        codes.append(run(["test", str(tmp_path)]))
        return codes[-1]

    def sleep(seconds: float) -> None:
        nap = next(naps)
        if nap == 1:
            file.write_text("package r\n\ntest_a if true\n")
            os.utime(file, ns=(1, 1))
        elif nap > 2:
            raise KeyboardInterrupt

    assert watch([str(tmp_path)], once, sleep) == 0
    assert codes == [1, 0]
