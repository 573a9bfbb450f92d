from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.read import read_facts
from compiler.ir.facts_model import Facts
from compiler.ir.schema import complete

MANIFEST = {
    "metadata": {"dbt_schema_version": "https://x/manifest/v12.json", "project_name": "p"},
    "nodes": {
        "model.p.m": {
            "unique_id": "model.p.m",
            "name": "m",
            "resource_type": "model",
            "package_name": "p",
            "columns": {"id": {"name": "id", "data_type": "int"}, "gone": {"name": "gone"}},
        },
        "test.p.t": {
            "unique_id": "test.p.t",
            "name": "t",
            "resource_type": "test",
            "test_metadata": {"name": "unique"},
            "attached_node": "model.p.m",
        },
    },
    "sources": {"source.p.s.t": {"unique_id": "source.p.s.t", "name": "t", "source_name": "s", "package_name": "p"}},
}
CATALOG = {
    "nodes": {
        "model.p.m": {
            "metadata": {"type": "BASE TABLE"},
            "columns": {
                "EXTRA": {"name": "EXTRA", "type": "TEXT", "index": 2, "comment": None},
                "ID": {"name": "ID", "type": "BIGINT", "index": 1},
            },
            "stats": {"has_stats": {"value": True}, "num_rows": {"value": 12.0}, "num_bytes": {"value": 300}},
        }
    },
    "sources": {},
}
RUN = {
    "results": [
        {
            "unique_id": "model.p.m",
            "status": "success",
            "execution_time": 1.5,
            "adapter_response": {"rows_affected": 9, "bytes_billed": 1000},
        },
        {"unique_id": "test.p.t", "status": "fail", "execution_time": 2, "failures": 3, "adapter_response": {}},
    ]
}
FRESHNESS = {
    "results": [
        {
            "unique_id": "source.p.s.t",
            "status": "warn",
            "max_loaded_at": "2026-01-01T00:00:00Z",
            "max_loaded_at_time_ago_in_s": 7300.5,
        }
    ]
}


def read(folder: Path, **artifacts: Any) -> tuple[Facts, list[str]]:
    (folder / "target").mkdir()
    for name, value in {"manifest": MANIFEST, **artifacts}.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / "target" / f"{name}.json").write_text(text)
    outcome = read_facts(folder)
    assert outcome.value is not None
    for kind in ("models", "tests", "sources"):
        assert complete({kind: getattr(outcome.value, kind)}).diagnostics == ()
    return outcome.value, [d.code for d in outcome.diagnostics]


def test_catalog_run_and_freshness_are_laid_on_the_facts(tmp_path: Path) -> None:
    facts, codes = read(tmp_path, catalog=CATALOG, run_results=RUN, sources=FRESHNESS)
    assert codes == []
    [model] = facts.models
    assert [(c["name"], c["type"], c["declared"], c["in_catalog"], c["catalog_type"]) for c in model["columns"]] == [
        ("id", "int", True, True, "BIGINT"),
        ("gone", None, True, False, None),
        ("EXTRA", "TEXT", False, True, "TEXT"),
    ]
    assert model["size"] == {"rows": 12, "bytes": 300}
    assert {k: str(v) for k, v in model["last_run"].items()} == {
        "status": "success",
        "seconds": "1.5",
        "rows": "9",
        "bytes": "1000",
    }
    assert facts.tests[0]["last_run"] == {"status": "fail", "failures": 3, "seconds": 2}
    assert facts.sources[0]["last_freshness"] == {
        "status": "warn",
        "max_loaded_at": "2026-01-01T00:00:00Z",
        "age_hours": 2,
    }


def test_one_odd_count_of_failures_leaves_the_other_results_as_they_are(tmp_path: Path) -> None:
    odd = {"unique_id": "test.p.other", "status": "fail", "failures": "many"}
    facts, codes = read(tmp_path, run_results={"results": [odd, *RUN["results"]]})
    assert codes == []
    assert [t["last_run"]["failures"] for t in facts.tests] == [3]


def test_without_them_nothing_is_claimed(tmp_path: Path) -> None:
    facts, codes = read(tmp_path)
    assert codes == []
    assert (facts.models[0]["size"], facts.models[0]["last_run"], facts.sources[0]["last_freshness"]) == (None,) * 3
    assert facts.models[0]["columns"][0]["in_catalog"] is None


@pytest.mark.parametrize("text", ["{", "[]", '{"results": 3}', '{"nodes": {"a": 1}}', "\xff"])
def test_a_broken_artifact_is_left_out_with_a_warning(tmp_path: Path, text: str) -> None:
    facts, codes = read(tmp_path, catalog=text, run_results=text)
    assert codes == ["FLC115", "FLC115"]
    assert facts.models[0]["last_run"] is None
