"""Both readers on one project: the manifest that dbt writes of it, and its files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.read import read_facts
from compiler.ir.facts_model import Facts
from compiler.ir.schema import complete

PROJECT = Path(__file__).parent / "projects" / "rich"
ONLY_DBT_KNOWS = {"database", "depends_on_macros"}


def by_id(facts: Facts, kind: str) -> dict[str, Any]:
    entries = json.loads(json.dumps(getattr(facts, kind), default=str))
    return {e.get("unique_id", e["name"]): e for e in entries}


@pytest.mark.dbt
def test_the_manifest_and_the_files_say_the_same(tmp_path: Path) -> None:
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed")
    folder = tmp_path / "rich"
    shutil.copytree(PROJECT, folder)
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", "--profiles-dir", "."]
    run = subprocess.run(dbt, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout
    manifest, files = read_facts(folder), read_facts(folder, files_only=True)
    assert (manifest.diagnostics, files.diagnostics) == ((), ())
    assert manifest.value is not None
    assert files.value is not None
    assert manifest.value.project["source"] == "manifest"
    for kind in Facts.__slots__:
        if kind in ("project", "sql"):
            continue
        for facts in (manifest.value, files.value):
            shaped = complete({kind: getattr(facts, kind)})
            assert [(d.path, d.message) for d in shaped.diagnostics] == []
        left, right = by_id(manifest.value, kind), by_id(files.value, kind)
        assert list(left) == list(right)
        for key, entry in left.items():
            other = right[key]
            skipped = set(ONLY_DBT_KNOWS)
            if kind == "macros":
                skipped.add("used_by")
            for field in entry.keys() - skipped:
                assert (key, field, other[field]) == (key, field, entry[field])
            assert entry.keys() == other.keys()
