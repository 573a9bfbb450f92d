"""The command's frame: overview, version, unknown commands, exit codes of usage errors."""

from __future__ import annotations

import importlib

import pytest

import floec
from compiler.cli import main
from compiler.cli.output import exit_code
from policy_lang.diagnostics import Diagnostic, Severity


def test_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in main.COMMANDS)


def test_no_command_is_wrong_usage() -> None:
    assert main.run([]) == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"floec {floec.__version__}\n"


def test_unknown_command_says_which_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["chekc"]) == 2
    assert "did you mean `check`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_command_has_its_module_and_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(importlib.import_module(f"compiler.cli.{name.replace('-', '_')}_command").execute)
    assert main.run([name, "--help"]) == 0
    assert f"usage: floec {name}" in capsys.readouterr().out
    assert main.run([name, "--no-such-option"]) == 2


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((), 0),
        ((Diagnostic("NAM001", "m", severity=Severity.WARN),), 0),
        ((Diagnostic("NAM001", "m"),), 1),
        ((Diagnostic("NAM001", "m", suppressed="known"),), 0),
        ((Diagnostic("FLC890", "m"),), 3),
        ((Diagnostic("FLC890", "m"), Diagnostic("NAM001", "m")), 1),
    ],
)
def test_exit_codes(found: tuple[Diagnostic, ...], code: int) -> None:
    assert exit_code(found) == code
