"""The command's frame: overview, version, unknown commands, exit codes of usage errors."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

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


def test_a_check_as_a_process_says_all_and_ends_with_its_code(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "floec", "check", str(tmp_path / "gone"), "--format", "json"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["diagnostics"][0]["code"] == "FLC100"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "floec", "check", str(tmp_path / "gone"), "--format", "json"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_options_without_a_parser_are_those_that_it_makes(name: str) -> None:
    module = importlib.import_module(f"compiler.cli.{name.replace('-', '_')}_command")
    if hasattr(module, "plain"):
        parser = argparse.ArgumentParser()
        module.arguments(parser)
        assert vars(module.plain(["a", "b"])) == vars(parser.parse_args(["a", "b"]))


@pytest.mark.parametrize(
    "given",
    [
        "a --changed", "--no-cache a b", "--changed=main... a", "a --changed main", "--changed main a", "a --no-cache",
        "a --changed --no-cache", "a b --changed=x --no-cache", "--changed --no-cache a", "a --changed=x --changed",
    ],
)  # fmt: skip
def test_options_of_hooks_are_read_as_a_parser_reads_them(given: str) -> None:
    module = importlib.import_module("compiler.cli.check_command")
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    assert vars(module.plain(given.split())) == vars(parser.parse_args(given.split()))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "--changed a",
        "--changed",
        "a --fix",
        "a --chang",
        "a --changed b c",
        "a --no-cache b",
        "a --changed=",
        "-a",
        "--",
        "a -v",
    ],
)
def test_what_is_left_to_the_parser_of_options(given: str) -> None:
    module = importlib.import_module("compiler.cli.check_command")
    assert module.plain(given.split()) is None


def test_a_short_check_imports_no_parser_of_options() -> None:
    code = (
        "import sys; from compiler.cli.main import run; run(['check', 'nowhere']); sys.exit('argparse' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_an_error_of_floec_itself_is_no_violation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from compiler.cli import explain_command, main

    def fails(options: object) -> int:
        raise KeyError("a field")

    monkeypatch.setattr(explain_command, "execute", fails)
    assert main.run(["explain", "FLC100"]) == main.EXIT_ENVIRONMENT
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "KeyError: 'a field'" in shown
    assert "please report" in shown
