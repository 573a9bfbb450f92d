"""Facts that are kept between runs: given again only while nothing that they came from has changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.facts.kept import file_cache
from compiler.facts.manifest import read as manifest_module
from compiler.facts.project import read as project_files
from compiler.facts.project.read import read_project_files
from compiler.facts.read import read_facts
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Outcome

PROJECTS = Path(__file__).parent / "projects"
OLD = 1_600_000_000


def test_of_what_cannot_be_written_whole_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    file_cache.write_private(tmp_path / "facts" / "a.pack", b"some")
    assert list((tmp_path / "facts").iterdir()) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "rich"
    shutil.copytree(PROJECTS / "rich", folder)
    (folder / "target").mkdir()
    path = files_of(folder, ".sql")
    node = {
        "unique_id": "model.rich.first", "name": "first", "resource_type": "model", "package_name": "rich",
        "original_file_path": path, "path": path, "fqn": ["rich", "first"], "config": {}, "columns": {}, "tags": [],
        "depends_on": {"nodes": [], "macros": []}, "description": "", "raw_code": "select 1", "schema": "main",
        "alias": "first", "checksum": {"name": "sha256", "checksum": "0"},
    }  # fmt: skip
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.11.0", "project_name": "rich", "adapter_type": "duckdb",
    }  # fmt: skip
    parts = {"metadata": metadata, "nodes": {"model.rich.first": node}, "sources": {}, "macros": {}}
    (folder / "target/manifest.json").write_text(json.dumps(parts))
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD))
    return folder


def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    calls: list[object] = []
    files, manifest = project_files._whole, manifest_module.read_manifest
    monkeypatch.setattr(project_files, "_whole", lambda *a: calls.append(a) or files(*a))
    monkeypatch.setattr(manifest_module, "read_manifest", lambda *a: calls.append(a) or manifest(*a))
    return calls


def read(project: Path, source: str, **options: object) -> Outcome[Facts]:
    environ = {"FLOEC_CACHE_DIR": str(project.parent / "cache")}
    if source == "files":
        return read_facts(project, files_only=True, environ=environ, **options)  # type: ignore[arg-type]
    return read_facts(project, changed=[], environ=environ, **options)  # type: ignore[arg-type]


def _append(path: str, text: str = "\n") -> Callable[[Path], None]:
    def change(project: Path) -> None:
        with (project / path).open("a") as file:
            file.write(text)

    return change


def _in_manifest(project: Path) -> None:
    path = project / "target/manifest.json"
    data = json.loads(path.read_text())
    node = next(n for n in data["nodes"].values() if n["resource_type"] == "model")
    node["description"] = "another"
    path.write_text(json.dumps(data))


def _catalog(project: Path) -> None:
    (project / "target/catalog.json").write_text('{"nodes": {}, "sources": {}, "metadata": {}}')


def files_of(project: Path, suffix: str) -> str:
    found = sorted((project / "models").rglob(f"*{suffix}"))
    return found[0].relative_to(project).as_posix()


def test_nothing_is_read_again_while_nothing_changes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in ("files", "manifest"):
        first = read(project, source)
        calls = whole_reads(monkeypatch)
        assert read(project, source) == first
        assert calls == []
        monkeypatch.undo()


def _open_to_all(file: Path) -> None:
    file.chmod(0o666)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _other_bytes(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9] + b"x" * 9)


@pytest.mark.parametrize("source", ["files", "manifest"])
@pytest.mark.parametrize("damage", [_empty, _other_bytes, _open_to_all, _pipe])
def test_what_is_damaged_is_made_anew(
    source: str, damage: Callable[[Path], object], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(project, source)
    suffix = {"files": "kept", "manifest": "manifest"}[source]
    [kept] = (project.parent / "cache/facts").glob(f"*.{suffix}")
    damage(kept)
    calls = whole_reads(monkeypatch)
    assert read(project, source) == first
    assert len(calls) == 1


@pytest.mark.parametrize(
    "change",
    [_in_manifest, _catalog, _append("dbt_project.yml"), lambda p: os.truncate(p / "target/manifest.json", 0)],
)
def test_a_manifest_is_read_again(change: Callable[[Path], None], project: Path) -> None:
    read(project, "manifest")
    change(project)
    now, anew = read(project, "manifest"), read(project, "manifest", reuse=False)
    assert (now.value, now.diagnostics) == (anew.value, anew.diagnostics)


def test_a_manifest_that_was_only_touched_is_not(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(project, "manifest")
    os.utime(project / "target/manifest.json", (OLD + 9, OLD + 9))
    calls = whole_reads(monkeypatch)
    read(project, "manifest")
    assert calls == []


def test_a_change_within_the_grain_of_times_is_seen(project: Path) -> None:
    path = project / files_of(project, ".sql")
    os.utime(path)  # as new as what is kept of it
    read(project, "files")
    before = path.stat()
    text = path.read_text()
    path.write_text(text[:-2] + "9\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read(project, "files").value == read(project, "files", reuse=False).value


def test_without_a_cache_nothing_is_kept(project: Path) -> None:
    facts = read_project_files(project, environ={"FLOEC_CACHE_DIR": ""}).value
    assert facts is not None
    assert facts.origin.base == ""


@pytest.mark.parametrize("count", [1, 12])
def test_a_manifest_without_some_of_the_models_is_stale(count: int, project: Path) -> None:
    """However new it is: it was made of another state of the project, and they would be judged by nothing."""
    path = project / "target/manifest.json"
    data = json.loads(path.read_text())
    sql = sorted(f for f in (project / "models").rglob("*") if f.suffix in (".sql", ".py"))
    for i, file in enumerate(sql):
        node = data["nodes"]["model.rich.first"]
        where = file.relative_to(project).as_posix()
        data.setdefault("disabled", {})[f"model.rich.d{i}"] = [{**node, "original_file_path": where}]
    for file in (*project.glob("seeds/*.csv"), *project.glob("snapshots/*.sql")):
        data["disabled"][file.stem] = [{"original_file_path": file.relative_to(project).as_posix()}]
    path.write_text(json.dumps(data))
    assert "FLC116" not in {d.code for d in read_facts(project).diagnostics}
    for i in range(count):
        new = project / f"models/new_{i}.sql"
        new.write_text("select 1 as id\n")
        os.utime(new, (OLD, OLD))
    [stale] = [d for d in read_facts(project).diagnostics if d.code == "FLC116"]
    assert "knows nothing of some of the project's files: `models/new_0.sql`" in stale.message
    (project / ".dbtignore").write_text("new_*.sql\n")
    assert "FLC116" not in {d.code for d in read_facts(project).diagnostics}


def test_what_dbt_ignores_is_not_read(project: Path) -> None:
    environ = {"FLOEC_CACHE_DIR": str(project.parent / "cache")}
    first = read_project_files(project, environ=environ).value
    assert first is not None
    gone = files_of(project, ".sql")
    (project / ".dbtignore").write_text(f"{Path(gone).name}\n")
    facts = read_project_files(project, environ=environ).value
    assert facts is not None
    assert {m["path"] for m in first.models} - {m["path"] for m in facts.models} == {gone}


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ("['../shared', models]", ["`../shared`"]),
        ("['', models]", ["names ``"]),
        ("[/models]", ["`/models`", "names none"]),
        ("[model]", ["no folder with models: `model-paths` names `model`"]),
        ("[models, more]", []),
    ],
)
def test_paths_at_which_nothing_is_read_are_named(paths: str, said: list[str], project: Path) -> None:
    with (project / "dbt_project.yml").open("a") as file:
        file.write(f"\nmodel-paths: {paths}\n")
    text = (project / "dbt_project.yml").read_text()
    (project / "dbt_project.yml").write_text(text.replace('model-paths: ["models"]\n', ""))
    outcome = read_project_files(project, environ={"FLOEC_CACHE_DIR": ""})
    found = [d.message for d in outcome.diagnostics if d.code == "FLC129"]
    assert len(found) == len(said)
    assert all(word in message for word, message in zip(said, found, strict=True))


def test_what_was_unknown_of_references_is_known_once_the_code_is_gone(project: Path) -> None:
    model = project / "models/staging/reader.sql"
    model.write_text("select * from {{ ref(env_var('TABLE')) }}")
    first = read(project, "files").value
    model.write_text("select 1 as one")
    second = read(project, "files").value
    assert first is not None
    assert second is not None
    assert "depends_on" in first.project["unknown"]
    assert "depends_on" not in second.project["unknown"]
