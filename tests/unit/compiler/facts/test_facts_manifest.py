from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.manifest.read import read_manifest

SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"


def changed(path: Path, **metadata: Any) -> Path:
    """The manifest with other metadata."""
    value = json.loads(path.read_text())
    value["metadata"].update(metadata)
    path.write_text(json.dumps(value))
    return path


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
        ('{"metadata": {}, "nodes": 3}', "FLC112"),
        ('{"metadata": {"dbt_schema_version": "x/manifest/v12.json"}, "nodes": 3}', "FLC114"),
        ('{"metadata": 3, "nodes": {}}', "FLC112"),
        ("", "FLC111"),
        ("\ufeff", "FLC111"),
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
    assert [d.code for d in outcome.diagnostics] == ["FLC117"]
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


def test_a_test_that_is_switched_off_is_told_of_and_counts_for_nothing(tmp_path: Path) -> None:
    orders = node("model", "orders", columns={"id": {"name": "id"}})
    on = {"test_metadata": {"name": "unique"}, "column_name": "id", "config": {"enabled": False}}
    off = [node("test", name, attached_node=f"model.p.{of}", **on) for name, of in (("u", "orders"), ("v", "gone"))]
    path = write(tmp_path, orders)
    value = json.loads(path.read_text())
    value["disabled"] = {test["unique_id"]: [test] for test in off} | {"model.p.gone": [node("model", "gone")]}
    path.write_text(json.dumps(value))
    facts = read_manifest(tmp_path, path).value
    assert facts is not None
    assert [(t["name"], t["enabled"]) for t in facts.tests] == [("u", False)]
    assert (facts.models[0]["tests"], facts.models[0]["coverage"]) == ([], 0)
    assert facts.models[0]["columns"][0]["tests"] == []


@pytest.mark.parametrize("needs", [None, frozenset([("macros", "*", "used_by")])])
def test_tests_hooks_and_analyses_call_macros_too(tmp_path: Path, needs: Any) -> None:
    callers = [
        node(kind, kind, depends_on={"macros": [f"macro.p.{kind}"]})
        for kind in ("model", "test", "operation", "analysis")
    ]
    path = write(tmp_path, *callers)
    value = json.loads(path.read_text())
    names = ["model", "test", "operation", "analysis", "idle"]
    value["macros"] = {
        f"macro.p.{name}": {"unique_id": f"macro.p.{name}", "name": name, "package_name": "p"} for name in names
    }
    path.write_text(json.dumps(value))
    facts = read_manifest(tmp_path, path, needs).value
    assert facts is not None
    assert {m["unique_id"].split(".")[2]: m["used_by"] for m in facts.macros} == {
        "idle": [], **{name: [f"{name}.p.{name}"] for name in names[:-1]},
    }  # fmt: skip


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


@pytest.mark.parametrize(("version", "codes"), [(7, []), (12, []), (20, []), (13, ["FLC117"]), (99, ["FLC117"])])
def test_a_schema_newer_than_is_known_is_read_and_reported(tmp_path: Path, version: int, codes: list[str]) -> None:
    path = write(tmp_path, node("model", "a"), schema=f"https://schemas.getdbt.com/dbt/manifest/v{version}.json")
    found = read_manifest(tmp_path, path)
    assert [(d.code, d.severity.value) for d in found.diagnostics] == [(code, "warn") for code in codes]
    assert found.value is not None
    assert [m["name"] for m in found.value.models] == ["a"]


def _inheriting(bare: dict[str, Any]) -> dict[str, Any]:
    """A model as dbt 2 writes it; ``bare`` is what it says of a column that declares nothing."""
    pii = {"meta": {"classification": "pii"}}
    own = {"meta": {"pii_type": "name"}, "tags": ["c"]}
    columns = {
        "id": {"name": "id", **bare, "config": {}},
        "own": {"name": "own", **own, "config": own},
        "same": {"name": "same", **pii, "tags": bare["tags"], "config": pii},
    }
    filled_in = {"quoting": {"schema": True}, "static_analysis": "baseline"}
    config = {"meta": {"classification": "pii"}, "tags": ["b", "a"], **filled_in, "lookback": 3}
    more = {"meta": {"classification": "pii"}, "tags": ["b", "a"], "unrendered_config": {"lookback": 3}}
    return node("model", "a", columns=columns, config=config, **more)


def test_what_dbt_2_fills_in_does_not_count(tmp_path: Path) -> None:
    model = _inheriting({"meta": {"classification": "pii"}, "tags": ["b", "a"]})
    path = changed(write(tmp_path, model, node("seed", "s", config={})), dbt_version="2.0.0-preview.196")
    facts = read_manifest(tmp_path, path).value
    assert facts is not None
    (found,) = facts.models
    assert [(c["meta"], c["tags"], c["classification"]) for c in found["columns"]] == [
        ({}, [], None),
        ({"pii_type": "name"}, ["c"], None),
        ({"classification": "pii"}, [], "pii"),
    ]
    assert found["config"] == {"lookback": 3}
    assert facts.seeds[0]["materialized"] == "seed"
    needs = frozenset([("models", "*", "columns", "*", "classification")])
    alone = read_manifest(tmp_path, path, needs).value
    assert alone is not None
    assert [c["classification"] for c in alone.models[0]["columns"]] == [None, None, "pii"]


@pytest.mark.parametrize("version", ["1.11.0", "2.1.0"])
def test_a_column_that_says_what_its_node_says_keeps_it_where_columns_do_not_inherit(
    tmp_path: Path, version: str
) -> None:
    model = _inheriting({"meta": {}, "tags": []})
    model["columns"]["top"] = {"name": "top", "meta": {"classification": "pii"}, "tags": ["a", "b"]}
    model["config"].update(quoting={}, static_analysis=None)
    facts = read_manifest(tmp_path, changed(write(tmp_path, model), dbt_version=version)).value
    assert facts is not None
    columns = {c["name"]: (c["classification"], c["tags"]) for c in facts.models[0]["columns"]}
    assert columns == {"id": (None, []), "own": (None, ["c"]), "same": ("pii", []), "top": ("pii", ["a", "b"])}
    assert facts.models[0]["config"] == {"lookback": 3}


def test_a_table_has_what_its_source_says_too(tmp_path: Path) -> None:
    """Before dbt 1.8 the two stood apart."""
    table = node("source", "t", source_name="s", source_meta={"owner": "ann", "a": 1}, meta={"a": 2})
    path = write(tmp_path, schema="https://schemas.getdbt.com/dbt/manifest/v11.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "sources": {table["unique_id"]: table}}))
    facts = read_manifest(tmp_path, path).value
    assert facts is not None
    assert (facts.sources[0]["meta"], facts.sources[0]["owner"]) == ({"owner": "ann", "a": 2}, "ann")


@pytest.mark.parametrize("quoted", ["`id`", '"id"', "[id]", "id"])
def test_a_test_on_a_quoted_column_stands_on_the_column(tmp_path: Path, quoted: str) -> None:
    tests = [
        node("test", name, test_metadata={"name": kind, "kwargs": given}, column_name=column, attached_node="model.p.m")
        for name, kind, column, given in (
            ("t1", "unique", quoted, {"column_name": quoted}),
            ("t2", "not_null", None, {"column_name": quoted}),
            ("t3", "f", '"a" || "b"', {}),
        )
    ]
    model = node("model", "m", columns={"id": {"name": "id"}})
    facts = read_manifest(tmp_path, write(tmp_path, model, *tests)).value
    assert facts is not None
    assert facts.models[0]["primary_key"] == ["id"]
    assert facts.models[0]["columns"][0]["tests"] == ["not_null", "unique"]
    assert [t["column"] for t in facts.tests] == ["id", "id", '"a" || "b"']
