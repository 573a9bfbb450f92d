"""Each policy that ships has a test of its own and a page, and all its tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.ir.schema import complete
from policy_lang.policies import load_policies
from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module
from policy_lang.testing.runner import TestOptions, run_tests

ROOT = Path(__file__).resolve().parents[3] / "stdlib_policies"
FILES = sorted(ROOT.rglob("*.floe"))
LIBRARY = [path for path in FILES if path.parent.name == "lib"]
POLICIES = [path for path in FILES if not path.stem.endswith("_test") and path not in LIBRARY]
FAMILIES = {
    "classification": "CLS",
    "contracts": "CON",
    "documentation": "DOC",
    "layers": "LAY",
    "metadata": "MET",
    "naming": "NAM",
    "platform": "PLT",
    "retention": "RET",
    "semantics": "SEM",
    "sources": "SRC",
    "sql": "SQL",
    "testing": "TST",
}


def _source(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_policy_has_cases_of_each_outcome_and_a_page(path: Path) -> None:
    module = parse_module(_source(path)).value
    tests = parse_module(_source(path.with_name(f"{path.stem}_test.floe"))).value
    assert module is not None
    assert tests is not None
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert [policy.name for policy in module.policies] == [path.stem], "a file declares the one policy of its name"
    assert ".".join(module.package.path) == f"floe.{path.parent.name}"
    assert re.fullmatch(FAMILIES[path.parent.name] + r"\d{3}", module.policies[0].id)
    for policy in module.policies:
        outcomes = {case.outcome for test in tests.tests if test.policy == policy.name for case in test.cases}
        assert outcomes == {"pass", "fail", "skip"}, policy.name
        assert page.startswith(f"# {policy.id}: {policy.title}\n")
        assert f"\n\nSeverity: {policy.severity}. Checks " in page
        assert f"\n\n{policy.why}\n" in page
        assert re.search(r"\nTo mend it, .*\n\nGood:\n\n```\w+\n.*?```\n\nBad:\n\n```\w+\n.*?```\n$", page, re.DOTALL)
    for param in module.params:
        assert f"| `{param.name}` | " in page


def test_all_policies_load_together() -> None:
    loaded = load_policies([_source(path) for path in (*LIBRARY, *POLICIES)])
    assert loaded.value is not None, loaded.diagnostics
    assert len(loaded.value.policies) == len(POLICIES) >= 75
    assert {path.parent.name for path in POLICIES} == set(FAMILIES)


def test_all_policy_tests_pass() -> None:
    outcome = run_tests([_source(path) for path in FILES], TestOptions(complete=complete))
    assert outcome.value is not None, outcome.diagnostics
    assert outcome.value.ok, [result for result in outcome.value.results if result.detail]
    assert len(outcome.value.results) >= 3 * len(POLICIES)


def test_look_up_tables_leave_the_reads_precise() -> None:
    policies = load_policies([_source(path) for path in (*LIBRARY, *POLICIES)]).value
    assert policies is not None
    reads = policies.reads()
    lists = {"models", "seeds", "snapshots", "sources", "tests", "exposures", "metrics", "macros"}
    assert [path for path in reads if path[0] in lists and (len(path) < 3 or path[2] == "*")] == []
    assert ("models", "*", "columns", "*", "name") in reads
