"""A manifest that is decoded in one go says what it says node by node, whatever stands in it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from test_facts_robust import manifest, mutate

from compiler.facts.manifest.plan import Plan, Written
from compiler.facts.manifest.read import manifest_facts, open_manifest, read_manifest
from compiler.ir.facts_model import LISTS, Facts
from compiler.ir.needs import Needs
from policy_lang.diagnostics import Outcome

NEEDS: Needs = frozenset(
    [
        *(("models", "*", name) for name in ("description", "materialized", "meta", "depends_on", "used_by", "access")),
        *(("models", "*", "columns", "*", name) for name in ("name", "description", "type", "tags", "classification")),
        ("models", "*", "tests", "*", "name"),
        ("sources", "*", "tests", "*", "severity"),
        ("sources", "*", "freshness"),
        ("snapshots", "*", "snapshot_strategy"),
        ("exposures", "*", "owner"),
    ]
)


def said(outcome: Outcome[Facts]) -> Any:
    if outcome.value is None:
        return outcome.diagnostics
    return outcome.value.project, {kind: getattr(outcome.value, kind) for kind in LISTS}, outcome.diagnostics


def one_by_one(path: Path, folder: Path, needs: Needs) -> Outcome[Facts]:
    opened = open_manifest(path)
    if opened.value is None:
        return Outcome(None, opened.diagnostics)
    return manifest_facts(opened.value, folder, needs)


def larger(seed: int, odd: float = 0.02) -> dict[str, Any]:
    """A manifest of all kinds of nodes, some of them odd, some disabled, in any order."""
    rng = random.Random(seed)
    whole = manifest()
    nodes: dict[str, Any] = {}
    for number in range(8):
        for key, node in whole["nodes"].items():
            kind = rng.choice(("model", "seed", "snapshot", "analysis", "operation")) if "model" in key else "test"
            id_ = f"{kind}.{rng.choice('pq')}.n{number}"
            made = {**node, "unique_id": id_, "resource_type": kind, "name": f"n{number}"}
            made["attached_node"] = rng.choice((None, *nodes)) if nodes else None
            made["config"] = {**node["config"], "enabled": rng.choice((True, True, True, False, None, "false"))}
            nodes[id_] = mutate(made, rng, rng.choice((0, 0, 0, odd)))
    items = list(nodes.items())
    rng.shuffle(items)
    return {**whole, "nodes": dict(items)}


@pytest.mark.parametrize("seed", range(60))
def test_all_at_once_is_one_by_one(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(larger(seed)), encoding="utf-8")
    assert Plan(NEEDS).at_once()
    assert said(read_manifest(tmp_path, path, NEEDS)) == said(one_by_one(path, tmp_path, NEEDS))


@pytest.mark.parametrize("seed", range(20))
def test_what_nodes_list_of_their_tests_is_what_tests_say(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(larger(seed, odd=0)), encoding="utf-8")
    listed, whole = (read_manifest(tmp_path, path, needs).value for needs in (NEEDS, NEEDS | {("tests",)}))
    assert (listed is None) == (whole is None)
    if listed is None or whole is None:
        return
    assert {t["unique_id"] for t in listed.tests} == {t["unique_id"] for t in whole.tests}
    for kind in ("models", "seeds", "snapshots", "sources"):
        for few, all_ in zip(getattr(listed, kind), getattr(whole, kind), strict=True):
            kept = [{key: test[key] for key in ("name", "severity", "unique_id")} for test in all_["tests"]]
            assert few == {**all_, "tests": kept}


def test_decoding_at_once_is_what_runs_where_all_is_well(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest()), encoding="utf-8")
    facts = read_manifest(tmp_path, path, NEEDS).value
    assert facts is not None
    assert facts.held
    by_dbt2 = manifest()
    by_dbt2["metadata"]["dbt_version"] = "2.0.1"
    path.write_text(json.dumps(by_dbt2), encoding="utf-8")
    facts = read_manifest(tmp_path, path, NEEDS).value
    assert facts is not None
    assert not facts.held


@pytest.mark.parametrize("needs", [NEEDS, NEEDS | {("tests",)}], ids=["listed", "all"])
def test_what_the_manifest_says_of_files_is_the_same(tmp_path: Path, needs: Needs) -> None:
    path = tmp_path / "manifest.json"
    whole = manifest()
    whole["nodes"]["model.p.m"]["checksum"] = {"name": "sha256", "checksum": "abc"}
    whole["nodes"]["test.p.t"]["original_file_path"] = "tests/t.sql"
    whole["nodes"]["test.q.t"] = {**whole["nodes"]["test.p.t"], "unique_id": "test.q.t", "original_file_path": "q.sql"}
    path.write_text(json.dumps(whole), encoding="utf-8")
    written = Written("p")
    facts = read_manifest(tmp_path, path, needs, written).value
    assert facts is not None
    assert written.hashes == {"models/m.sql": "abc"}
    assert written.paths | {t["path"] for t in facts.tests if "path" in t and ".p." in t["unique_id"]} == {
        "tests/t.sql"
    }
