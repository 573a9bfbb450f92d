"""The policy that README.md shows does what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.cli.main import run

README = Path(__file__).parents[4] / "README.md"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    policy, test = re.findall(r"^```rego\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    naming = tmp_path / "policies" / "naming"
    naming.mkdir(parents=True)
    (naming / "key_suffix.floe").write_text(policy, encoding="utf-8")
    (naming / "key_suffix_test.floe").write_text(test, encoding="utf-8")
    return str(tmp_path / "policies")


def test_it_passes_its_tests(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", folder]) == 0
    assert capsys.readouterr().out.strip() == "3 tests: 3 pass"


def test_it_is_laid_out_as_fmt_does(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--check", folder]) == 0
    assert capsys.readouterr().out == ""


def test_lint_finds_nothing(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["lint", "--fail-on", "notify", folder]) == 0
    assert "LNT" not in "".join(capsys.readouterr())
