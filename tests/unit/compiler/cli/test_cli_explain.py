"""Every code and every policy can be explained; every schema can be printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from compiler.cli.explain_command import policy_pages
from compiler.cli.main import run
from compiler.report.codes import explanations
from policy_lang.lint.registry import rules

ROOT = Path(__file__).parents[4]
CODE = re.compile(r'"(FLC\d{3}|(?:rego|floe|eval)_[a-z_]+_error)"')


def codes_in_source() -> set[str]:
    files = [file for room in ("compiler", "emitters", "policy_lang") for file in (ROOT / room).rglob("*.py")]
    return {code for file in files for code in CODE.findall(file.read_text(encoding="utf-8"))}


def test_every_code_has_a_text_and_no_text_is_of_a_code_that_is_gone() -> None:
    used, told = codes_in_source(), set(explanations())
    assert len(used) > 80
    assert used - told == set(), "say in compiler/report/codes.md what they mean"
    assert told - used == set(), "nothing reports these any more"


def test_every_text_says_something_below_its_title() -> None:
    assert [code for code, text in explanations().items() if len(text.partition("\n")[2].strip()) < 20] == []


def test_every_policy_has_a_page() -> None:
    policies = (ROOT / "stdlib_policies").rglob("*.floe")
    ids = {
        id_ for file in policies for id_ in re.findall(r"^\tid\s+([A-Z]+\d+)$", file.read_text(), flags=re.MULTILINE)
    }
    assert ids == set(policy_pages())


@pytest.mark.parametrize("code", ["FLC301", "flc301", "NAM001", "LNT043", "rego_parse_error"])
def test_explain(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    assert capsys.readouterr().out.lower().startswith(f"# {code.lower()}: ")


def test_every_lint_rule_says_more_than_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    for code, rule in rules().items():
        assert run(["explain", code]) == 0
        about = capsys.readouterr().out.splitlines()[2]
        assert about.startswith(f"Severity: {rule.severity}. ")
        assert len(about) > 40
        assert "None" not in about


def test_every_code_of_the_linter_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    lint = {c for file in (ROOT / "policy_lang").rglob("*.py") for c in re.findall(r'"(LNT\d+)"', file.read_text())}
    assert "LNT000" in lint
    for code in lint:
        assert run(["explain", code]) == 0
    assert "floec:ignore-file" in capsys.readouterr().out


def test_explain_lists_all_and_says_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == len(explanations()) + len(policy_pages()) + len(rules()) + 1  # LNT000
    assert run(["explain", "FLC3O1"]) == 2
    assert "did you mean `FLC301`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ir", "report", "manifest", "product", "contract"])
def test_schemas_are_schemas(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("https://floec.dev/schemas/")
