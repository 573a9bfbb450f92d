"""What a command imports decides how long it takes to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"dbt", "kubernetes", "sigstore", "oras"}
PARSERS = {"pydantic", "lark", "jinja2", "jsonschema", "sqlglot", "cryptography", "yaml"}


def imported(*arguments: str, accept: tuple[int, ...] = (0,)) -> set[str]:
    """Top-level names of all modules that the command imports, as ``-X importtime`` reports them."""
    argv = [sys.executable, "-X", "importtime", "-c", "import sys, floec; sys.exit(floec.main())", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode in accept, done.stderr[-2000:]
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().partition(".")[0] for line in lines}


def test_the_version_imports_nothing_heavy() -> None:
    names = imported("--version")
    assert "floec" in names, "the measurement sees the imports"
    assert not names & (HEAVY | PARSERS)


def test_an_unknown_command_imports_nothing_heavy() -> None:
    assert not imported("chekc", accept=(2,)) & (HEAVY | PARSERS)


@pytest.mark.slow
def test_check_imports_neither_dbt_nor_kubernetes_nor_sigstore_nor_oras() -> None:
    names = imported("check", "examples/acme/domains/sales/products/orders", accept=(0, 1))
    assert "compiler" in names
    assert not names & HEAVY
