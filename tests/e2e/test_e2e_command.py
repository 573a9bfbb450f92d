"""The command's frame, through the console script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compiler.cli.main import COMMANDS

FLOEC = Path(sys.executable).parent / "floec"


def floec(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FLOEC, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_help_names_every_command_and_the_exit_codes() -> None:
    done = floec("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert "0 clean, 1 blocked, 2 usage, 3 environment" in done.stdout


def test_without_a_command_it_is_wrong_usage() -> None:
    assert floec().returncode == 2


def test_a_misspelt_command_is_answered_with_the_right_one() -> None:
    done = floec("chekc")
    assert done.returncode == 2
    assert "`check`" in done.stderr
    assert "Traceback" not in done.stderr


def test_floe_is_the_same_command() -> None:
    alias = subprocess.run([FLOEC.with_name("floe"), "--version"], capture_output=True, text=True, check=True)
    assert alias.stdout == floec("--version").stdout


@pytest.mark.parametrize("name", ["check", "eval"])
def test_a_missing_operand_is_wrong_usage(name: str) -> None:
    done = floec(name)
    assert done.returncode == 2
    assert "usage:" in done.stderr
