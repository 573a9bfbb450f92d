"""A run in several processes finds what a run in one finds, on generated projects; where it cannot, one is enough."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.schema import complete, ir_schema
from policy_lang import parallel
from policy_lang.engine import CompileOptions
from policy_lang.policies import PolicySet, load_policies
from policy_lang.runtime.values import from_json, from_python, to_json
from policy_lang.source import Source

ROOT = Path(__file__).parents[4]
sys.path.append(str(ROOT / "tests" / "differential"))
OPTIONS = CompileOptions(ir_schema(), completed=True)
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def loaded(*sources: Source) -> PolicySet:
    found = load_policies(list(sources), OPTIONS)
    assert found.value is not None, found.diagnostics
    return found.value


@pytest.fixture(scope="module")
def shipped() -> PolicySet:
    files = sorted((ROOT / "stdlib_policies").rglob("*.floe"))
    return loaded(*(Source(f.name, f.read_text("utf-8")) for f in files if not f.stem.endswith("_test")))


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "LEAST_SUBJECTS", 1)


def generated(seed: int) -> Any:
    from random_projects import project

    return from_json(to_json(from_python(complete(project(seed)).value)))


def in_processes(policies: PolicySet, ir: Any, jobs: int, **severities: Any) -> Any:
    return parallel.run_parallel(policies, ir, {}, severities, None, conforming=False, jobs=jobs)


@pytest.mark.parametrize(("seed", "jobs"), [(0, 2), (2, 3), (3, 2), (5, 5), (9, 2), (11, 4)])
def test_all_policies_find_the_same_in_several_processes(shipped: PolicySet, seed: int, jobs: int) -> None:
    ir = generated(seed)
    plain = shipped.run(ir)
    assert plain.value is not None
    assert plain.value.violations
    found = in_processes(shipped, ir, jobs)
    assert found is not None
    assert found.violations == plain.value.violations
    assert found.subjects == plain.value.subjects
    assert shipped.run(ir, jobs=jobs) == plain


POLICY = """package t

policy named {
	id       T001
	title    "t"
	severity warn

	for model in input.models
	require regex.match(model.description, model.name)
	message model.name
	fix     set model.description "x"
}

policy alone {
	id       T002
	title    "t"
	severity block

	for model in input.models
	for other in input.models
	forbid { model.name == other.name; model.path < other.path }
	message model.name
}
"""


def models(*descriptions: str) -> Any:
    given = {"models": [{"name": f"m{i}", "path": "p", "description": text} for i, text in enumerate(descriptions)]}
    return complete(given).value


def test_places_edits_and_severities_are_those_of_the_whole() -> None:
    policies = loaded(Source("t.floe", POLICY))
    ir = models(*["x"] * 9)
    plain = policies.run(ir).value
    found = in_processes(policies, ir, 2)
    assert found == plain
    assert [v.at[1] for v in found.violations] == [v.fix.path[1] for v in found.violations] == list(range(9))
    assert {str(v.severity) for v in in_processes(policies, ir, 2, T001="block").violations} == {"block"}


def test_an_error_in_a_part_is_the_error_of_the_plain_run() -> None:
    policies = loaded(Source("t.floe", POLICY))
    ir = models("m", "m", "m", "m", "(", "m")
    assert in_processes(policies, ir, 3) is None
    plain = policies.run(ir)
    assert [d.code for d in plain.diagnostics] == ["eval_builtin_error"]
    assert policies.run(ir, jobs=3) == plain


def test_a_process_that_dies_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = loaded(Source("t.floe", POLICY))
    ir = models(*["x"] * 9)
    parent, taken = os.getpid(), parallel._taken

    def dying(*given: Any) -> Any:
        return taken(*given) if os.getpid() == parent else os._exit(7)

    monkeypatch.setattr(parallel, "_taken", dying)
    assert in_processes(policies, ir, 2) is None
    assert policies.run(ir, jobs=2) == policies.run(ir)


@pytest.mark.parametrize("room", [0, 1])
def test_where_no_process_can_be_started_those_that_there_are_do(
    shipped: PolicySet, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ir, fork, asked = generated(2), os.fork, []

    def scarce() -> int:
        asked.append(1)
        if len(asked) > room:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return fork()

    plain = shipped.run(ir).value
    assert plain is not None
    monkeypatch.setattr(os, "fork", scarce)
    found = in_processes(shipped, ir, 4)
    assert found is not None
    assert found.violations == plain.violations
    assert len(asked) == room + 1


def test_few_subjects_are_judged_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "LEAST_SUBJECTS", 10)
    policies = loaded(Source("t.floe", POLICY))
    assert in_processes(policies, models(*["x"] * 9), 2) is None
    assert in_processes(policies, models(*["x"] * 10), 2) is not None
    assert in_processes(policies, models(*["x"] * 10), 1) is None
