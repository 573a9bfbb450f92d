from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compiler.facts.incremental import Changes, affected, difference, edges, node_hashes
from compiler.facts.manifest import OpenedManifest, manifest_facts, open_manifest


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


def on(*nodes: str) -> dict[str, Any]:
    return {"depends_on": {"nodes": list(nodes)}}


def test_the_time_of_parsing_is_no_change_but_all_else_is(tmp_path: Path) -> None:
    base = node_hashes(opened(tmp_path, {"model.p.a": {}, "model.p.b": {}}))
    later = node_hashes(opened(tmp_path, {"model.p.a": {"created_at": 1895611803.5}, "model.p.b": {"alias": "x"}}))
    assert difference(base, later) == Changes(frozenset({"model.p.b"}), frozenset(), frozenset())
    meta = {"meta": {"created_at": 1795611803.99}}
    other = {"meta": {"created_at": 1895611803.99}}
    one, two = (node_hashes(opened(tmp_path, {"model.p.a": m})) for m in (meta, other))
    assert difference(one, two).changed == {"model.p.a"}
    text = {"description": 'see "created_at": 1795611803.99'}
    one, two = (node_hashes(opened(tmp_path, {"model.p.a": m})) for m in (text, {"description": "see"}))
    assert difference(one, two).changed == {"model.p.a"}


def test_only_what_is_one_edge_away_is_decoded_again(tmp_path: Path) -> None:
    nodes = {
        "model.p.a": {},
        "model.p.b": on("model.p.a"),
        "model.p.c": on("model.p.b"),
        "test.p.t": {**on("model.p.b"), "attached_node": "model.p.b", "test_metadata": {"name": "unique"}},
        "model.p.far": on("model.p.c"),
    }
    whole = manifest_facts(opened(tmp_path, nodes), tmp_path).value
    assert whole is not None
    before = node_hashes(opened(tmp_path, nodes))
    del nodes["model.p.far"]
    nodes["model.p.b"]["description"] = "new"
    now = opened(tmp_path, nodes)
    changes = difference(before, node_hashes(now))
    assert (changes.changed, changes.removed) == ({"model.p.b"}, {"model.p.far"})
    again = affected(changes, edges(whole))
    assert again == {"model.p.a", "model.p.b", "model.p.c", "test.p.t"}
    facts = manifest_facts(now, tmp_path, only=frozenset({"model.p.b", "test.p.t"})).value
    assert facts is not None
    assert [(m["name"], m["description"], len(m["tests"])) for m in facts.models] == [("b", "new", 1)]
