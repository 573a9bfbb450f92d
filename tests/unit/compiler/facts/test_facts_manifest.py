from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.manifest import read_manifest

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"


def node(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"unique_id": f"{kind}.p.{name}", "name": name, "resource_type": kind, "package_name": "p", **more}


def write(folder: Path, *nodes: dict[str, Any], schema: str = SCHEMA) -> Path:
    path = folder / "manifest.json"
    value = {
        "metadata": {"dbt_schema_version": schema, "project_name": "p"},
        "nodes": {n["unique_id"]: n for n in nodes},
    }
    path.write_text(json.dumps(value))
    return path


def test_meta_comes_from_both_places_and_disabled_nodes_are_left_out(tmp_path: Path) -> None:
    orders = node("model", "orders", meta={"a": 1}, config={"meta": {"b": 2}}, columns={"id": {"name": "id"}})
    off = node("model", "off", config={"enabled": False})
    unique = node(
        "test",
        "u",
        test_metadata={"name": "combo", "namespace": "dbt_utils"},
        attached_node="model.p.orders",
        column_name="id",
    )
    facts = read_manifest(tmp_path, write(tmp_path, orders, off, unique)).value
    assert facts is not None
    assert [m["name"] for m in facts.models] == ["orders"]
    assert facts.models[0]["meta"] == {"a": 1, "b": 2}
    assert facts.models[0]["columns"][0]["tests"] == ["dbt_utils.combo"]
    assert facts.models[0]["tests"][0]["column"] == "id"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"metadata": {', "FLC111"),
        ('{"version": 4}', "FLC112"),
        ('{"metadata": {}, "nodes": {}}', "FLC112"),
        ('{"metadata": {"dbt_schema_version": "x/manifest/v4.json"}, "nodes": {}}', "FLC113"),
        ('{"metadata": {}, "nodes": 3}', "FLC114"),
        ("[1]", "FLC112"),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_code(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    outcome = read_manifest(tmp_path, path)
    assert outcome.value is None
    assert [d.code for d in outcome.diagnostics] == [code]


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    assert [d.code for d in read_manifest(tmp_path, tmp_path / "none.json").diagnostics] == ["FLC110"]


def test_a_source_and_its_test(tmp_path: Path) -> None:
    path = write(tmp_path, node("test", "t", test_metadata={"name": "unique"}, depends_on={"nodes": ["source.p.raw"]}))
    value = json.loads(path.read_text())
    value["sources"] = {"source.p.raw": node("source", "raw", source_name="shop")}
    path.write_text(json.dumps(value))
    facts = read_manifest(tmp_path, path).value
    assert facts is not None
    assert (facts.sources[0]["source_name"], facts.sources[0]["tests"][0]["name"]) == ("shop", "unique")
