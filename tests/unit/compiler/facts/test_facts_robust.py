"""Whatever stands in a project's files or in a manifest, the answer is facts of the IR's shape or a diagnostic."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.facts.lineage.project import column_lineage, propagate
from compiler.facts.manifest.artifacts import apply_artifacts
from compiler.facts.positions import ProjectPositions
from compiler.facts.read import read_facts
from compiler.facts.relate import everything
from compiler.ir.facts_model import LISTS, Facts
from compiler.ir.schema import complete

PROJECT = Path(__file__).parent / "projects" / "rich"
ODD: list[Any] = [
    None, True, 3, 2.5, "", "x", "{{ x", "{{ f() }}", [], [None], [3], [[]], {}, {"name": None}, {"a": {}}, {"name": 3},
    [{"name": "id"}], "ref('mart')", "source('a')", "\x00", {"+enabled": "{{ x }}"},
]  # fmt: skip


def mutate(value: Any, rng: random.Random, rate: float) -> Any:
    """The value with some of its parts replaced by odd ones."""
    if rng.random() < rate:
        return rng.choice(ODD)
    if isinstance(value, dict):
        return {k: mutate(v, rng, rate) for k, v in value.items() if rng.random() > rate / 2}
    if isinstance(value, list):
        return [mutate(v, rng, rate) for v in value]
    return value


def look_at_all(facts: Facts, folder: Path) -> None:
    """Ask for the place of everything, trace all columns, and hold the facts to the IR's schema."""
    positions = ProjectPositions(folder, str(facts.project["name"]))
    for kind in LISTS:
        entries = getattr(facts, kind)
        assert complete({kind: entries}).diagnostics == ()
        for entry in entries:
            for field, value in entry.items():
                positions.locate(kind, entry, (field,))
                for index in range(len(value) if isinstance(value, list) else 0):
                    positions.locate(kind, entry, (field, index, "description"))
    traced = column_lineage(facts, folder, everything=True)
    assert traced.value is not None
    propagate(facts, traced.value, {})
    apply_artifacts(facts, folder, everything)


@pytest.mark.parametrize("seed", range(3))
def test_odd_values_in_the_files(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder = tmp_path / "p"
    shutil.copytree(PROJECT, folder)
    for path in sorted(folder.rglob("*.yml")):
        value = yaml.safe_load(path.read_text())
        odd = mutate(value, rng, 0.04)
        if path.name == "dbt_project.yml":
            odd = {**(odd if isinstance(odd, dict) else {}), "name": "rich"}
        path.write_text(yaml.safe_dump(odd, allow_unicode=True))
    outcome = read_facts(folder, files_only=True, environ={"FLOEC_CACHE_DIR": ""})
    assert outcome.value is not None
    assert all(d.code.startswith("FLC1") and d.span is not None for d in outcome.diagnostics)
    look_at_all(outcome.value, folder)


@pytest.mark.parametrize("seed", range(3))
def test_broken_text_in_the_files(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    folder = tmp_path / "p"
    shutil.copytree(PROJECT, folder)
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "dbt_project.yml"):
        data = bytearray(path.read_bytes())
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.choice(b"{}[]%'\"\n\t:,-\x00\xff(")
        path.write_bytes(bytes(data))
    outcome = read_facts(folder, files_only=True, environ={"FLOEC_CACHE_DIR": ""})
    assert outcome.value is not None
    look_at_all(outcome.value, folder)


def manifest() -> dict[str, Any]:
    model = {
        "unique_id": "model.p.m", "name": "m", "resource_type": "model", "package_name": "p", "raw_code": "select 1",
        "original_file_path": "models/m.sql", "patch_path": "p://models/m.yml", "description": "d", "language": "sql",
        "columns": {"a": {"name": "a", "meta": {"classification": "pii"}, "config": {"tags": ["x"]}}},
        "config": {"materialized": "table", "meta": {"owner": "me"}, "grants": {"select": ["x"]}, "unique_key": ["a"],
                   "contract": {"enforced": True}, "tags": "t", "post-hook": [{"sql": "x"}]},
        "depends_on": {"nodes": ["source.p.s.t"], "macros": ["macro.p.x"]}, "refs": [{"name": "m", "version": 1}],
        "sources": [["s", "t"]], "constraints": [{"type": "primary_key", "columns": ["a"]}], "version": 2,
    }  # fmt: skip
    test = {
        "unique_id": "test.p.t", "name": "t", "resource_type": "test", "attached_node": "model.p.m", "column_name": "a",
        "test_metadata": {"name": "unique", "kwargs": {"column_name": "a", "model": "{{ ref('m') }}"}},
        "config": {"severity": "ERROR", "where": "x"}, "depends_on": {"nodes": ["model.p.m"]},
    }  # fmt: skip
    source = {
        "unique_id": "source.p.s.t", "name": "t", "source_name": "s", "columns": {"a": {"name": "a"}},
        "freshness": {"warn_after": {"count": 3, "period": "day"}}, "meta": {"owner": {"team": "x"}},
    }  # fmt: skip
    others = {
        "exposures": {"owner": {"email": ["a"]}, "depends_on": {"nodes": ["model.p.m"]}, "type": "dashboard"},
        "metrics": {"type": "simple", "depends_on": {"nodes": []}, "config": {"group": "g"}},
        "semantic_models": {"entities": [{"name": "a", "type": "primary"}], "depends_on": {"nodes": ["model.p.m"]}},
        "saved_queries": {"query_params": {"metrics": ["x"]}},
        "groups": {"owner": {"name": "x"}},
        "unit_tests": {
            "model": "m",
            "given": [{"format": "csv"}],
            "expect": {},
            "depends_on": {"nodes": ["model.p.m"]},
        },
        "macros": {"macro_sql": "{% macro x(a) %}{% endmacro %}", "arguments": [{"name": "a"}], "package_name": "p"},
    }
    return {
        "metadata": {"dbt_schema_version": "x/manifest/v12.json", "project_name": "p", "adapter_type": "duckdb"},
        "nodes": {"model.p.m": model, "test.p.t": test},
        "sources": {"source.p.s.t": source},
        **{k: {f"{k[:-1]}.p.x": {"unique_id": f"{k[:-1]}.p.x", "name": "x", **v}} for k, v in others.items()},
    }


@pytest.mark.parametrize("seed", range(12))
def test_odd_values_in_a_manifest(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    value = manifest()
    odd = {k: v if k == "metadata" else mutate(v, rng, 0.03) for k, v in value.items()}
    (tmp_path / "manifest.json").write_text(json.dumps(odd))
    outcome = read_facts(tmp_path, tmp_path / "manifest.json")
    if outcome.value is None:
        assert {d.code for d in outcome.diagnostics} <= {"FLC112", "FLC114"}
    else:
        assert {d.code for d in outcome.diagnostics} <= {"FLC114"}
        look_at_all(outcome.value, tmp_path)


def in_time(call: Any) -> Any:
    """What the call gives; an error where it waits for something that never comes."""

    def stop(*_: Any) -> None:
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    try:
        return call()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_pipes_devices_and_dead_links_are_named_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    (tmp_path / "models" / "good.sql").write_text("select 1 as id")
    for path in ("models/pipe.sql", "models/pipe.yml", "profiles.yml"):
        os.mkfifo(tmp_path / path)
    (tmp_path / "models" / "dead.sql").symlink_to("nowhere")
    (tmp_path / "models" / "zero.py").symlink_to("/dev/zero")
    (tmp_path / "models" / "folder.sql").mkdir()
    outcome = in_time(lambda: read_facts(tmp_path, files_only=True, environ={"FLOEC_CACHE_DIR": str(tmp_path / "c")}))
    assert [m["name"] for m in outcome.value.models] == ["good"]
    assert [(d.code, Path(d.span.file).name) for d in outcome.diagnostics] == [
        ("FLC124", name) for name in ("dead.sql", "pipe.sql", "pipe.yml", "zero.py")
    ]


def test_a_pipe_where_the_manifest_knows_a_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    value = manifest()
    value["nodes"]["model.p.m"].update(checksum={"name": "sha256", "checksum": "x"})
    (tmp_path / "target" / "manifest.json").write_text(json.dumps(value))
    os.utime(tmp_path / "target" / "manifest.json", (1, 1))
    os.mkfifo(tmp_path / "models" / "m.sql")
    outcome = in_time(lambda: read_facts(tmp_path))
    assert [d.code for d in outcome.diagnostics] == ["FLC116"]
    positions = ProjectPositions(tmp_path, "p")
    in_time(lambda: positions.locate("models", outcome.value.models[0], ("refs", 0)))


def test_a_second_document_in_a_file_of_properties_is_refused_as_dbt_does(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    (tmp_path / "models" / "m.yml").write_text("models: []\n---\nmodels: [{name: m}]\n")
    outcome = read_facts(tmp_path, files_only=True, environ={"FLOEC_CACHE_DIR": ""})
    assert [(d.code, d.span.line) for d in outcome.diagnostics if d.span] == [("FLC101", 2)]


@pytest.mark.parametrize("path", ["", "a\0b.sql", "x" * 300 + ".sql"])
def test_paths_in_a_manifest_that_no_file_system_holds(tmp_path: Path, path: str) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    value = manifest()
    value["nodes"]["model.p.m"].update(original_file_path=path, patch_path=None)
    (tmp_path / "manifest.json").write_text(json.dumps(value))
    outcome = read_facts(tmp_path, tmp_path / "manifest.json")
    assert outcome.value is not None
    assert [d.code for d in outcome.diagnostics] == (["FLC116"] if path else [])


def test_broken_text_in_macros_and_a_version_of_a_thousand_digits(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    text = json.dumps(manifest())
    other = '"macro.q.y": {"depends_on": {"BAD": []}}'
    broken = text.replace('"macros": {', f'"macros": {{{other}, ')
    file.write_bytes(broken.encode().replace(b"BAD", b"\xef\xff"))
    outcome = read_facts(tmp_path, file)
    assert outcome.value is not None
    assert [(d.code, d.subject) for d in outcome.diagnostics] == [("FLC114", "macro.q.y")]
    file.write_text(text.replace("manifest/v12", "manifest/v" + "9" * 5000))
    assert [d.code for d in read_facts(tmp_path, file).diagnostics] == ["FLC112"]


def test_jinja_nested_without_end_in_yaml_is_unknown(tmp_path: Path) -> None:
    deep = "{{ " + "(" * 60_000 + " }}"
    (tmp_path / "dbt_project.yml").write_text(f"name: p\nmodels: {{p: {{+schema: '{deep}'}}}}\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1 as a")
    (tmp_path / "models" / "a.yml").write_text(f"models: [{{name: a, description: '{deep}'}}]")
    read = read_facts(tmp_path, environ={"FLOEC_CACHE_DIR": ""})
    assert read.value is not None
    assert [m["name"] for m in read.value.models] == ["a"]


@pytest.mark.parametrize(
    ("text", "line"),
    [(b"old\n!\n", 2), (b"a\\\n", 1), (b"# \n[z-a]\n", 2), (b"\xff\n", 1)],
)
def test_a_dbtignore_that_is_none_is_reported_and_the_rest_of_it_holds(tmp_path: Path, text: bytes, line: int) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\n")
    (tmp_path / "models" / "old").mkdir(parents=True)
    (tmp_path / "models" / "a.sql").write_text("select 1 as a")
    (tmp_path / "models" / "old" / "b.sql").write_text("select 1 as a")
    (tmp_path / ".dbtignore").write_bytes(text)
    for _ in range(2):
        read = read_facts(tmp_path, environ={"FLOEC_CACHE_DIR": str(tmp_path / "cache")})
        assert read.value is not None
        assert [m["name"] for m in read.value.models] == (["a"] if text.startswith(b"old") else ["a", "b"])
        assert [(d.code, d.span.line if d.span else 0) for d in read.diagnostics] == [("FLC132", line)]


@pytest.mark.parametrize("name", [".dbtignore", "profiles.yml", "models/a.yml", "target/manifest.json"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\nprofile: p\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1 as a")
    os.mkfifo(tmp_path / name)
    signal.alarm(20)
    try:
        read = read_facts(tmp_path, environ={"FLOEC_CACHE_DIR": ""})
    finally:
        signal.alarm(0)
    assert read.value is not None
    assert [m["name"] for m in read.value.models] == ["a"]
