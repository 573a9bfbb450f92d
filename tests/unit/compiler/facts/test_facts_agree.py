"""Both readers on one project: the manifest that dbt writes of it, and its files; and files laid over the manifest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.manifest.fields import COLUMN_FIELDS, NODE_FIELDS, SOURCE_FIELDS, TEST_FIELDS
from compiler.facts.read import read_facts
from compiler.ir.facts_model import LISTS, Facts
from compiler.ir.schema import complete

pytestmark = pytest.mark.dbt
PROJECT = Path(__file__).parent / "projects" / "rich"
ONLY_DBT_KNOWS = {"database", "depends_on_macros"}
NO_CACHE = {"FLOEC_CACHE_DIR": ""}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("dbt.adapters.duckdb", reason="dbt-duckdb is not installed")
    folder = tmp_path_factory.mktemp("dbt") / "rich"
    shutil.copytree(PROJECT, folder)
    dbt = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", "--profiles-dir", "."]
    run = subprocess.run(dbt, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout
    return folder


@pytest.fixture
def project(parsed: Path, tmp_path: Path) -> Path:
    """A copy of its own, with the manifest newer than all files."""
    folder = tmp_path / "rich"
    shutil.copytree(parsed, folder)
    now = time.time()
    for path in folder.rglob("*"):
        os.utime(path, (now - 100, now - 100))
    os.utime(folder / "target" / "manifest.json", (now - 50, now - 50))
    return folder


def by_id(facts: Facts, kind: str) -> dict[str, Any]:
    entries = json.loads(json.dumps(getattr(facts, kind), default=str))
    return {e.get("unique_id", e["name"]): e for e in entries}


def assert_same(left: Facts, right: Facts) -> None:
    for kind in LISTS:
        assert complete({kind: getattr(left, kind)}).diagnostics == ()
        assert complete({kind: getattr(right, kind)}).diagnostics == ()
        one, two = by_id(left, kind), by_id(right, kind)
        assert list(one) == list(two)
        skipped = ONLY_DBT_KNOWS | ({"used_by"} if kind == "macros" else set())
        for key, entry in one.items():
            assert entry.keys() == two[key].keys()
            for field in entry.keys() - skipped:
                assert (key, field, two[key][field]) == (key, field, entry[field])


def test_the_manifest_and_the_files_say_the_same(project: Path) -> None:
    manifest, files = read_facts(project), read_facts(project, files_only=True, environ=NO_CACHE)
    assert (manifest.diagnostics, files.diagnostics) == ((), ())
    assert manifest.value is not None
    assert files.value is not None
    assert (manifest.value.project["source"], files.value.project["source"]) == ("manifest", "files")
    assert_same(manifest.value, files.value)


def test_a_field_read_alone_has_the_value_that_it_has_among_all(project: Path) -> None:
    whole = read_facts(project).value
    assert whole is not None
    tables = dict.fromkeys(("models", "seeds", "snapshots"), NODE_FIELDS)
    for kind, table in {**tables, "sources": SOURCE_FIELDS, "tests": TEST_FIELDS}.items():
        for name in [*table, *(COLUMN_FIELDS if kind != "tests" else ())]:
            outer, _, inner = name.partition(".")
            needs = frozenset([(kind, "*", outer, "*", inner) if inner else (kind, "*", outer)])
            alone = read_facts(project, needs=needs).value
            assert alone is not None
            for one, full in zip(getattr(alone, kind), getattr(whole, kind), strict=True):
                left = [c[inner] for c in one["columns"]] if inner else one[outer]
                right = [c[inner] for c in full["columns"]] if inner else full[outer]
                assert (kind, name, left) == (kind, name, right)
    for kind in (
        "exposures",
        "metrics",
        "semantic_models",
        "saved_queries",
        "groups",
        "unit_tests",
        "macros",
        "project",
    ):
        alone = read_facts(project, needs=frozenset([(kind,)])).value
        assert getattr(alone, kind) == getattr(whole, kind)


def change(project: Path) -> list[Path]:
    """Edits of each kind: SQL, properties, a new model, one that is gone, a source."""
    mart = project / "models/marts/mart.sql"
    mart.write_text(
        mart.read_text().replace("delete+insert", "append").replace("{{ ref('cust') }}", "{{ ref('new') }}")
    )
    new = project / "models/staging/new.sql"
    new.write_text("select 1 as id from {{ source('shop', 'fresh') }}")
    gone = project / "models/marts/py.py"
    gone.unlink()
    yaml = project / "models/staging/_stg.yml"
    text = (
        yaml.read_text()
        .replace("name: nofresh", "name: fresh")
        .replace("- {name: id, data_tests: [unique, not_null]}", "- {name: id}")
    )
    yaml.write_text(text.replace("tags: daily", "tags: hourly"))
    return [mart, new, gone, yaml]


@pytest.mark.parametrize("named", [True, False])
def test_changed_files_are_laid_over_the_manifest(project: Path, named: bool) -> None:
    files = change(project)
    mixed = read_facts(project, changed=files if named else None, fresh=not named, environ=NO_CACHE)
    whole = read_facts(project, files_only=True, environ=NO_CACHE)
    assert (mixed.diagnostics, whole.diagnostics) == ((), ())
    assert mixed.value is not None
    assert whole.value is not None
    assert mixed.value.project["source"] == "mixed"
    assert_same(mixed.value, whole.value)


def test_a_stale_manifest_is_noticed(project: Path) -> None:
    (project / "models/marts/mart.sql").touch()
    assert read_facts(project).diagnostics == ()
    change(project)
    [found] = read_facts(project).diagnostics
    assert (found.code, found.severity.value) == ("FLC116", "warn")
    assert "`models/marts/mart.sql`, `models/marts/py.py`, `models/staging/_stg.yml` and 1 more" in found.message


@pytest.mark.parametrize(
    "field",
    [("owner",), ("columns", "*", "tests"), ("primary_key",), ("used_by",), ("coverage",), ("refs",), ("tags",)],
)
def test_files_laid_over_a_part_of_the_manifest_say_the_same(project: Path, field: tuple[str, ...]) -> None:
    files = change(project)
    needs = frozenset([("models", "*", *field)])
    part = read_facts(project, changed=files, needs=needs, environ=NO_CACHE).value
    whole = read_facts(project, changed=files, environ=NO_CACHE).value
    assert part is not None
    assert whole is not None
    assert [m["unique_id"] for m in part.models] == [m["unique_id"] for m in whole.models]
    for one, other in zip(part.models, whole.models, strict=True):
        if field[0] == "columns":
            assert [c["tests"] for c in one["columns"]] == [c["tests"] for c in other["columns"]]
        else:
            assert one[field[0]] == other[field[0]]


def test_other_files_than_the_changed_ones_make_a_manifest_stale(project: Path) -> None:
    mart, new, gone, yaml = change(project)
    [found] = read_facts(project, changed=[mart, new], environ=NO_CACHE).diagnostics
    assert found.code == "FLC116"
    assert "`models/marts/py.py` and" not in found.message
    assert {gone.name, yaml.name} == {name.split("/")[-1] for name in found.message.split("`")[3::2]}
    assert read_facts(project, changed=[mart, new, gone, yaml], environ=NO_CACHE).diagnostics == ()


def test_a_ring_that_a_change_makes_is_found(project: Path) -> None:
    files = change(project)
    files[1].write_text("select 1 as id from {{ ref('mart') }}")
    mixed = read_facts(project, changed=files, needs=frozenset([("project", "cycles")]), environ=NO_CACHE).value
    whole = read_facts(project, files_only=True, environ=NO_CACHE).value
    assert mixed is not None
    assert whole is not None
    assert mixed.project["cycles"] == whole.project["cycles"] != []


def test_a_macro_is_not_laid_over_the_manifest_and_that_is_said(project: Path) -> None:
    macro = next((project / "macros").rglob("*.sql"))
    macro.write_text(macro.read_text() + "\n{# changed #}\n")
    [found] = read_facts(project, changed=[macro], environ=NO_CACHE).diagnostics
    assert found.code == "FLC116"
    assert macro.name in found.message
