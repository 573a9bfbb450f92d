"""What the runner of tests keeps from one run to the next, and the code that it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policy_lang import compiling
from policy_lang.engine import RUN_ONCE, CompileOptions
from policy_lang.plan.passes import PASSES
from policy_lang.runtime.builtins import schemas
from policy_lang.source import Source
from policy_lang.syntax import parser
from policy_lang.testing.runner import Status, TestOptions, TestReport, run_tests

POLICY = Source("p.rego", "package p\n\nallow if input.user in data.admins\n\ndouble(x) := x * 2\n")
TESTS = Source(
    "p_test.rego",
    """package p_test

import data.p

test_admin if p.allow with input.user as "ann" with data.admins as ["ann"]

test_mocked if p.double(3) == 7 with data.p.double as 7

test_no_admin if {
	user := "bob"
	p.allow with input.user as user with data.admins as ["ann"]
}

test_keys[name] if {
	some name, x in {"two": 2, "three": 3}
	p.double(x) == 4
}
""",
)
KEPT = TestOptions(compile=CompileOptions(without=RUN_ONCE, cache=True))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def report(sources: Sequence[Source], options: TestOptions | None = KEPT) -> TestReport:
    found = run_tests(sources, options)
    assert found.value is not None
    return replace(found.value, results=tuple(replace(one, seconds=0.0) for one in found.value.results))


def refuse(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    def refused(*given: Any, **named: Any) -> Any:
        raise AssertionError(f"{name} ran again")

    monkeypatch.setattr(module, name, refused)


def test_a_second_run_says_the_same_without_parsing_checking_or_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = report([POLICY, TESTS], None)
    assert [one.status for one in plain.results] == [Status.PASS, Status.PASS, Status.FAIL, Status.FAIL]
    assert any("bob" in line for line in plain.results[2].why)
    assert {case.keys: case.passed for case in plain.results[3].cases} == {("two",): True, ("three",): False}
    assert report([POLICY, TESTS]) == plain
    refuse(monkeypatch, parser, "parse_module")
    refuse(monkeypatch, compiling, "front")
    refuse(monkeypatch, compiling, "variant")
    assert report([POLICY, TESTS]) == plain


def test_the_coverage_of_a_kept_program_is_that_of_a_fresh_one() -> None:
    fresh = report([POLICY, TESTS], replace(KEPT, coverage=True))
    assert fresh.lines
    assert report([POLICY, TESTS], replace(KEPT, coverage=True)) == fresh


def test_after_an_edit_only_the_edited_file_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    report([POLICY, TESTS])
    parsed: list[str] = []
    parse = parser.parse_module

    def seen(source: Source) -> Any:
        parsed.append(source.file)
        return parse(source)

    monkeypatch.setattr(parser, "parse_module", seen)
    edited = Source(POLICY.file, POLICY.text.replace("* 2", "* 1"))
    assert {case.keys: case.passed for case in report([edited, TESTS]).results[3].cases} == {
        ("two",): False,
        ("three",): False,
    }
    assert parsed == ["p.rego"]


def test_a_file_with_a_mistake_is_said_to_have_it_each_time() -> None:
    wrong = Source("p.rego", "package p\n\nallow if {\n")
    first, second = (run_tests([wrong, TESTS], KEPT) for _ in range(2))
    assert first.value is None
    assert first.diagnostics
    assert second == first


def test_a_kept_file_that_was_tampered_with_is_parsed_again(tmp_path: Path) -> None:
    plain = report([POLICY, TESTS])
    for file in (tmp_path / "floec" / "programs").iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert report([POLICY, TESTS]) == plain


def test_what_is_left_out_of_code_that_runs_once_is_there_to_be_left_out() -> None:
    assert set(PASSES) > RUN_ONCE


def test_a_schema_is_held_to_its_own_once() -> None:
    assert schemas._schema({"multipleOf": 4}) is schemas._schema('{"multipleOf":4}')
    assert schemas._schema({"multipleOf": 4}) is not schemas._schema({"multipleOf": 5})
