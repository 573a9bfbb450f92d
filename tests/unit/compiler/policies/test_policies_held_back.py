"""A file that cannot be read costs what it says, and nothing else: findings that only say so are held back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
MODELS = {
    "models/a.sql": "select 1 as id, 2 as email",
    "models/b.sql": "select * from {{ ref('a') }}",
    "models/c.sql": "select id from {{ source('crm', 'people') }}",
    "models/A_wrong.sql": "select 1 as id",
}
PROPERTIES = """
models:
  - name: a
    description: what it is
    config: {meta: {owner: ann@acme.example}}
    columns:
      - {name: id, description: the key, data_tests: [unique, not_null]}
  - {name: c, description: what it is}
sources:
  - {name: crm, tables: [{name: people}]}
exposures:
  - {name: report, type: dashboard, owner: {name: ann}, depends_on: [ref('b')]}
"""


def product(folder: Path, files: dict[str, str], policies: str) -> Path:
    (folder / "manifest.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: acme, version: 1.0.0, owner: ann@acme.example}\n"
        f"scope: enterprise\npolicies:\n{policies}"
    )
    (folder / "floe.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\n"
        "metadata: {name: p, version: 1.0.0, owner: ann@acme.example, domain: d}\n"
        "platform: {ref: manifest.yaml}\ntransforms:\n  - {type: dbt, path: models}\n"
    )
    (folder / "dbt_project.yml").write_text("name: p\nprofile: p\n")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def check(folder: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    environ = {**os.environ, "FLOEC_CACHE_DIR": str(folder / ".cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "floec.py"), "check", "--format", "json", *options, str(folder)]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)["diagnostics"]


def codes(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    by: dict[str, list[str]] = {}
    for one in found:
        by.setdefault(one["code"], []).append(one.get("subject", ""))
    return {code: sorted(subjects) for code, subjects in by.items()}


DOCS = (
    "  - use: stdlib/documentation\n  - use: stdlib/metadata\n  - use: stdlib/naming\n"
    '  - {use: stdlib/layers, severity: {LAY012: "off"}}\n'
)


def test_findings_on_what_a_broken_file_may_describe_are_held_back(tmp_path: Path) -> None:
    product(tmp_path, {**MODELS, "models/schema.yml": PROPERTIES}, DOCS)
    whole = codes(check(tmp_path)[1])
    assert "model b" in whole["DOC001"]
    assert "LAY003" not in whole
    (tmp_path / "models/schema.yml").write_text(PROPERTIES + "  - [\n")
    for _ in range(2):
        status, found = check(tmp_path)
        assert status == 1
        broken = codes(found)
        assert broken.pop("FLC101") == [""]
        assert broken.pop("FLC131") == [""]
        assert broken == {
            "DOC001": ["model A_wrong"],
            "DOC016": ["model A_wrong"],
            "MET001": ["model A_wrong"],
            "MET012": [""],
            "NAM002": ["model A_wrong"],
        }
        said = next(one for one in found if one["code"] == "FLC131")
        assert "`a`, `b`, `c`" in said["message"]


def test_what_the_file_does_not_touch_is_still_found(tmp_path: Path) -> None:
    """The name and the SQL of a model are known, whatever properties say; so is a model that they do not name."""
    product(tmp_path, {**MODELS, "models/schema.yml": "models: [{name: A_wrong}]\n - x"}, DOCS)
    _, found = check(tmp_path)
    assert "model A_wrong" in codes(found)["NAM002"]
    assert codes(found)["DOC001"] == ["model a", "model b", "model c"]
    assert codes(found)["LAY003"] == ["model c"]


@pytest.mark.parametrize(
    "text", [b"- a", b"models: {name: a}", b"\xff\xfe a b c", b"models:\n  - name: a\n    name: b\n - x"]
)
def test_all_ways_not_to_be_read_count(tmp_path: Path, text: bytes) -> None:
    product(tmp_path, {"models/a.sql": "select 1 as id", "models/schema.yml": ""}, DOCS)
    assert "DOC001" in codes(check(tmp_path)[1])
    (tmp_path / "models/schema.yml").write_bytes(text)
    status, found = check(tmp_path)
    assert status == 1
    assert ("DOC001" in codes(found)) is (b"a" not in text)


def test_without_dbt_project_yml_the_files_are_judged_by_what_they_say(tmp_path: Path) -> None:
    files = {**MODELS, "models/schema.yml": PROPERTIES, "models/d.sql": "selec 1 frm x"}
    product(tmp_path, files, DOCS)
    whole = codes(check(tmp_path)[1])
    assert "MET001" in whole
    (tmp_path / "dbt_project.yml").write_text("name: p\n  x: [\n")
    status, found = check(tmp_path)
    assert status == 1
    broken = codes(found)
    assert broken["FLC101"] == [""]
    assert broken["FLC130"] == ["model d"]
    assert broken["DOC001"] == whole["DOC001"]
    assert broken["NAM002"] == whole["NAM002"]
    assert "MET001" not in broken
    assert "FLC131" in broken


def test_a_document_that_cannot_be_used_leaves_the_project_s_files_to_be_read(tmp_path: Path) -> None:
    files = {"models/a.sql": "selec 1 frm x", "models/schema.yml": "models: ["}
    for name in ("floe.yaml", "manifest.yaml"):
        product(tmp_path, files, DOCS)
        (tmp_path / name).write_text((tmp_path / name).read_text() + "  x: [\n")
        status, found = check(tmp_path)
        assert status == 1
        assert codes(found) == {"FLC101": ["", ""], "FLC130": ["model a"]}


def test_over_a_manifest_the_manifest_s_word_stands(tmp_path: Path) -> None:
    """A commit breaks the properties: of their nodes, dbt's manifest still says what it said."""
    environ = {**os.environ, "DBT_PROFILES_DIR": str(tmp_path)}
    product(
        tmp_path, {"models/a.sql": "select 1 as id", "models/schema.yml": PROPERTIES.split("  - {name: c")[0]}, DOCS
    )
    (tmp_path / "profiles.yml").write_text("p: {target: t, outputs: {t: {type: duckdb, path: ':memory:'}}}")
    dbt = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "parse"], cwd=tmp_path, env=environ, capture_output=True
    )
    assert dbt.returncode == 0, dbt.stdout
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)
    assert check(tmp_path, "--changed=HEAD")[1] == []
    (tmp_path / "models/schema.yml").write_text("models: [\n")
    status, found = check(tmp_path, "--changed=HEAD")
    assert status == 1
    assert codes(found) == {"FLC101": [""]}


def test_a_section_that_a_manifest_lacks_costs_no_findings_elsewhere(tmp_path: Path) -> None:
    """Sources that are no object are unknown, so that no reference to one is dangling; nor is one to a broken node."""
    product(tmp_path, {}, '  - {use: stdlib/layers, severity: {LAY012: "off"}}\n')

    def node(name: str, refs: list[str], sources: list[list[str]], **more: Any) -> dict[str, Any]:
        return {
            "unique_id": f"model.p.{name}", "name": name, "resource_type": "model", "package_name": "p",
            "language": "sql", "original_file_path": f"models/{name}.sql", "path": f"{name}.sql",
            "config": {"materialized": "view"},
            "refs": [{"name": ref} for ref in refs], "sources": sources, "columns": {}, "depends_on": {"nodes": []},
            **more,
        }  # fmt: skip

    written: dict[str, Any] = {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "p",
            "adapter_type": "duckdb",
        },
        "nodes": {
            "model.p.a": node("a", [], [["s", "t"]]),
            "model.p.b": node("b", ["a", "c"], []),
            "model.p.c": node("c", [], []),
        },
        "sources": [],
    }
    for name in "abc":
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / f"models/{name}.sql").write_text("select 1")
    (tmp_path / "target").mkdir()
    (tmp_path / "target/manifest.json").write_text(json.dumps(written))
    status, found = check(tmp_path)
    assert status == 1
    assert set(codes(found)) - {"FLC116"} == {"FLC114", "FLC131"}
    written["sources"] = {}
    (tmp_path / "target/manifest.json").write_text(json.dumps(written))
    assert codes(check(tmp_path)[1])["LAY003"] == ["model a"]
    written["nodes"]["model.p.c"]["name"] = ["c"]
    (tmp_path / "target/manifest.json").write_text(json.dumps(written))
    broken = codes(check(tmp_path)[1])
    assert broken["FLC114"] == ["model.p.c"]
    assert broken["LAY003"] == ["model a"]
    assert "LAY002" not in broken
