"""``floec lint`` as a command: exit codes, options, formats."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from compiler.cli.main import run


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "warns.rego").write_text("package a\n\np = 1\n\nq if input.y = 2 # floec:ignore LNT030 known\n")
    return folder


def test_warnings_do_not_fail_unless_asked(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", str(policies)]) == 0
    shown = capsys.readouterr()
    assert "note[LNT031]" in shown.err
    assert "LNT030" not in shown.err
    assert shown.out == "1 file: 1 note, 1 exempted\n"
    assert run(["lint", "--fail-on", "notify", str(policies)]) == 1
    assert run(["lint", "--fail-on", "notify", "--disable", "LNT031", str(policies)]) == 0


def test_what_blocks_fails(policies: Path) -> None:
    (policies / "bad.rego").write_text('package a\n\nr := sprintf("%d", [])\n')
    assert run(["lint", str(policies)]) == 1


def test_formats(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", "--format", "sarif", str(policies)]) == 0
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(r["ruleId"], "suppressions" in r) for r in results] == [("LNT031", False), ("LNT030", True)]
    assert run(["lint", "--format", "json", str(policies)]) == 0
    assert [d["code"] for d in json.loads(capsys.readouterr().out)["diagnostics"]] == ["LNT031", "LNT030"]
    assert run(["lint", "--format", "junit", str(policies)]) == 0
    assert ElementTree.fromstring(capsys.readouterr().out).find("testsuite") is not None
    assert run(["lint", "--format", "github", str(policies)]) == 0
    assert capsys.readouterr().out.startswith("::notice file=")


@pytest.mark.parametrize("argv", [["lint"], ["lint", "--disable", "LNT999", "."], ["lint", "--fail-on", "all", "."]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2


def test_a_missing_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", str(tmp_path / "none")]) == 1
    assert "FLC100" in capsys.readouterr().err


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", "--rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 40
    assert lines[0].split()[:3] == ["LNT001", "warn", "unused-variable"]
