"""Public policies under floec and a real OPA: what parses, how it is laid out, what its tests come to.

``FLOEC_CORPORA`` names a folder of checkouts, one a folder; nothing of them is kept here. Each is tried as a whole
first. Where OPA does not load it so (data that conflict, libraries that are elsewhere) its policies are tried without
data, and then its folders one by one. Policies of Rego v0 parse in neither engine; `opa fmt --v0-v1 --write` brings a
copy of them to v1.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opa_server import BINARY, MISSING

from policy_lang.source import Source
from policy_lang.syntax.formatter import format_source
from policy_lang.syntax.parser import parse_module

CORPORA = Path(os.environ["FLOEC_CORPORA"]) if os.environ.get("FLOEC_CORPORA") else None
CHECKOUTS = sorted(path for path in CORPORA.iterdir() if path.is_dir()) if CORPORA is not None else []
FORMATTED_APART = 0.01
"""The part of a corpus that may be laid out otherwise than by `opa fmt`: decision 0050 says where and why."""

pytestmark = [
    pytest.mark.opa,
    pytest.mark.slow,
    pytest.mark.skipif(not BINARY.exists(), reason=MISSING),
    pytest.mark.skipif(not CHECKOUTS, reason="FLOEC_CORPORA names no folder with checkouts of public policies"),
]
each = pytest.mark.parametrize("checkout", CHECKOUTS, ids=lambda path: path.name)


def policies(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.rego") if path.is_file() and "/.git/" not in str(path))


def opa(*argv: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, *map(str, argv)], capture_output=True, text=True, check=False, timeout=600)


@each
def test_it_parses_and_is_laid_out_as_under_opa(checkout: Path) -> None:
    parsed, apart, wrong = 0, [], []
    for path in policies(checkout):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        theirs, ours = opa("parse", path).returncode == 0, parse_module(Source(str(path), text)).ok
        if theirs != ours:
            wrong.append((str(path), "OPA reads it" if theirs else "OPA does not read it"))
        if not (theirs and ours):
            continue
        parsed += 1
        formatted, wanted = format_source(Source(str(path), text)).value, opa("fmt", path)
        assert formatted is not None, path
        assert format_source(Source(str(path), formatted)).value == formatted, path
        if wanted.returncode == 0 and wanted.stdout != formatted:
            apart.append(str(path))
    assert wrong == []
    assert len(apart) <= max(1, FORMATTED_APART * parsed), apart


@each
def test_its_tests_come_to_the_same(checkout: Path, tmp_path: Path) -> None:
    different = []
    for paths, builtins in units(checkout, tmp_path):
        allowed = ("--capabilities", capabilities(builtins, tmp_path))
        theirs = outcomes(opa("test", "--format", "json", "--timeout", "120s", *allowed, *paths).stdout)
        flags = ("--schema", "none", "--format", "json", "--no-fail-on-empty", *allowed)
        argv = [sys.executable, "-m", "floec", "test", *map(str, (*flags, *paths))]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=1800)
        ours = outcomes(done.stdout)
        for test in sorted(theirs.keys() | ours.keys()):
            one, other = theirs.get(test, "none"), ours.get(test, "none")
            # OPA wants the implementation of a builtin even where a value stands in for it; we do not.
            if one != other and one != "unsupported":
                different.append((*test, one, other, done.stderr[-300:]))
    assert different == []


Test = tuple[str, str, str]


def outcomes(text: str) -> dict[Test, str]:
    """The outcome of each test by its package, name and place; tests of one name are told apart by the place."""
    found = {}
    for one in json.loads(text) if text.strip() else []:
        place = f"{one['location']['file']}:{one['location']['row']}"
        found[one["package"], one["name"].partition("#")[0], place] = _outcome(one)
    return found


def _outcome(one: dict[str, Any]) -> str:
    error = one.get("error")
    if isinstance(error, dict) and "unsupported built-in" in error.get("message", ""):
        return "unsupported"
    return next((word for word in ("skip", "error", "fail") if one.get(word)), "pass")


def units(folder: Path, scratch: Path) -> Iterator[tuple[list[Path], dict[str, int]]]:
    """What can be tested together: paths, and the builtins of a host that they call (name → arguments)."""
    own = policies(folder)
    if not any(re.search(r"^(todo_)?test_", path.read_text(errors="replace"), re.M) for path in own):
        return
    for paths in ([folder], own):
        builtins = loadable(paths, own, scratch)
        if builtins is not None:
            yield paths, builtins
            return
    for below in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        yield from units(below, scratch)


def loadable(paths: list[Path], own: list[Path], scratch: Path) -> dict[str, int] | None:
    """The builtins of a host that make OPA load the paths; None where it does not."""
    builtins: dict[str, int] = {}
    while True:
        flags = ("--run", "^no test$", "--max-errors", "0", "--capabilities", capabilities(builtins, scratch))
        done = opa("test", *flags, *paths)
        if done.returncode == 0:
            return builtins
        missing = set(re.findall(r"undefined function ([\w.]+)", done.stdout + done.stderr)) - builtins.keys()
        if not missing or any(name.startswith("data.") for name in missing):
            return None
        builtins |= {name: _arity(name, own) for name in missing}


def capabilities(builtins: dict[str, int], scratch: Path) -> Path:
    """A file with all that OPA has and ``builtins``, of whose types nothing is known."""
    made = json.loads(opa("capabilities", "--current").stdout)
    for name, count in sorted(builtins.items()):
        takes = {"type": "function", "args": [{"type": "any"}] * count, "result": {"type": "any"}}
        made["builtins"].append({"name": name, "decl": takes})
    file = scratch / "capabilities.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    return file


def _arity(name: str, own: list[Path]) -> int:
    for path in own:
        if found := re.search(re.escape(name) + r"\(([^()]*)\)", path.read_text(errors="replace")):
            return len([arg for arg in found[1].split(",") if arg.strip()])
    return 1
