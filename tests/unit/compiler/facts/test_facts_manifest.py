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


def test_an_old_schema_is_read_as_well(tmp_path: Path) -> None:
    """v7: references are lists of names, a test does not say what it stands on, paths may be of Windows."""
    nodes = [
        node(
            "model", "a", original_file_path="models\\a.sql", refs=[["b"], ["q", "c"]], sources=[["s", "t"]], tags="x"
        ),
        node("model", "b"),
        node(
            "test",
            "t",
            test_metadata={"name": "relationships", "kwargs": {"model": "{{ where(ref('a')) }}", "column_name": "id"}},
            depends_on={"nodes": ["model.p.a", "model.p.b"]},
            config={"severity": "WARN"},
        ),
    ]
    schema = "https://schemas.getdbt.com/dbt/manifest/v7.json"
    facts = read_manifest(tmp_path, write(tmp_path, *nodes, schema=schema)).value
    assert facts is not None
    model = facts.models[0]
    assert (model["path"], model["tags"]) == ("models/a.sql", ["x"])
    assert [(r["name"], r["package"], r["unique_id"]) for r in model["refs"]] == [
        ("b", None, "model.p.b"),
        ("c", "q", None),
    ]
    assert (facts.tests[0]["attached_to"], facts.tests[0]["column"], facts.tests[0]["severity"]) == (
        "model.p.a",
        "id",
        "warn",
    )


def test_a_newer_writer_may_leave_out_and_add_what_it_likes(tmp_path: Path) -> None:
    new = node(
        "model", "a", columns=[{"name": "id", "data_type": "int"}], refs=[{"name": "b", "location": {}}], new=[1]
    )
    new.update(dict.fromkeys(["config", "meta", "tags", "depends_on", "constraints", "description"]))
    path = write(tmp_path, new, schema="https://schemas.getdbt.com/dbt/manifest/v21.json")
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "sources": None, "exposures": None, "functions": {}}))
    outcome = read_manifest(tmp_path, path)
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    assert [c["type"] for c in outcome.value.models[0]["columns"]] == ["int"]
    assert outcome.value.project["manifest_version"] == 21


def test_a_node_of_wrong_types_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    path = write(tmp_path, node("model", "bad", columns=3), node("model", "good"))
    outcome = read_manifest(tmp_path, path)
    assert outcome.value is not None
    assert [m["name"] for m in outcome.value.models] == ["good"]
    [found] = outcome.diagnostics
    assert (found.code, found.subject) == ("FLC114", "model.p.bad")


def test_only_what_is_needed_is_built(tmp_path: Path) -> None:
    columns = {"id": {"name": "id", "description": "d", "meta": {"classification": "pii"}}}
    path = write(tmp_path, node("model", "a", columns=columns, raw_code="select *", config={"materialized": "table"}))
    needs = frozenset([("models", "*", "materialized"), ("models", "*", "columns", "*", "description")])
    facts = read_manifest(tmp_path, path, needs).value
    assert facts is not None
    [model] = facts.models
    assert model["materialized"] == "table"
    assert model["columns"] == [{"name": "id", "description": "d"}]
    assert "raw_code" not in model
    assert "select_star" not in model
    whole = read_manifest(tmp_path, path).value
    assert whole is not None
    assert {k: whole.models[0][k] for k in model if k != "columns"} == {k: model[k] for k in model if k != "columns"}


def test_a_large_manifest_gives_its_memory_back_on_the_way(tmp_path: Path) -> None:
    """More than a few pages of 8 MiB: what is read must not depend on what was given back."""
    nodes = [node("model", f"m{i:05}", raw_code="-- " + "x" * 4000, description=f"d{i}") for i in range(6000)]
    facts = read_manifest(tmp_path, write(tmp_path, *nodes)).value
    assert facts is not None
    assert [m["description"] for m in facts.models] == [f"d{i}" for i in range(6000)]
    assert {len(m["raw_code"]) for m in facts.models} == {4003}


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
