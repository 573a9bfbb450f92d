from __future__ import annotations

import json
import marshal
from pathlib import Path
from typing import Any

from compiler.facts.manifest.incremental import changed_since, grouped_hashes
from compiler.facts.manifest.read import OpenedManifest, manifest_facts, open_manifest


def opened(folder: Path, nodes: dict[str, dict[str, Any]]) -> OpenedManifest:
    value = {"metadata": {"dbt_schema_version": "x/manifest/v12.json", "project_name": "p"}, "nodes": {}}
    for key, more in nodes.items():
        kind, _, name = key.split(".")
        node = {"unique_id": key, "name": name, "resource_type": kind, "package_name": "p", "created_at": 1795611803.99}
        value["nodes"][key] = {**node, **more}  # type: ignore[index]
    path = folder / "manifest.json"
    path.write_text(json.dumps(value))
    found = open_manifest(path).value
    assert found is not None
    return found


def changed(folder: Path, before: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> frozenset[str] | None:
    hashes = [(whole, marshal.dumps(nodes)) for whole, nodes in grouped_hashes(opened(folder, before))]
    return changed_since(hashes, opened(folder, now))


def test_the_time_of_parsing_is_no_change_but_all_else_is(tmp_path: Path) -> None:
    before: dict[str, dict[str, Any]] = {"model.p.a": {}, "model.p.b": {}}
    later = {"model.p.a": {"created_at": 1895611803.5}, "model.p.b": {"alias": "x"}}
    assert changed(tmp_path, before, later) == {"model.p.b"}
    meta = {"meta": {"created_at": 1795611803.99}}
    other = {"meta": {"created_at": 1895611803.99}}
    assert changed(tmp_path, {"model.p.a": meta}, {"model.p.a": other}) == {"model.p.a"}
    text = {"description": 'see "created_at": 1795611803.99'}
    assert changed(tmp_path, {"model.p.a": text}, {"model.p.a": {"description": "see"}}) == {"model.p.a"}


def test_another_order_is_no_change_and_a_node_that_is_new_or_gone_is_told_apart(tmp_path: Path) -> None:
    nodes: dict[str, dict[str, Any]] = {f"model.p.m{i}": {} for i in range(200)}
    assert changed(tmp_path, nodes, dict(reversed(nodes.items()))) == frozenset()
    fewer = {key: node for key, node in nodes.items() if key != "model.p.m7"}
    assert changed(tmp_path, nodes, fewer) is None
    assert changed(tmp_path, fewer, nodes) is None


def test_nodes_are_decoded_alone_with_their_tests(tmp_path: Path) -> None:
    nodes = {
        "model.p.a": {},
        "model.p.b": {"depends_on": {"nodes": ["model.p.a"]}, "description": "new"},
        "test.p.t": {
            "depends_on": {"nodes": ["model.p.b"]},
            "attached_node": "model.p.b",
            "test_metadata": {"name": "unique"},
        },
    }
    now = opened(tmp_path, nodes)
    facts = manifest_facts(now, tmp_path, only=frozenset({"model.p.b", "test.p.t"})).value
    assert facts is not None
    assert [(m["name"], m["description"], len(m["tests"])) for m in facts.models] == [("b", "new", 1)]
