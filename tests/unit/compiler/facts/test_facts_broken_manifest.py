"""A manifest that is wrong in a part: the place in the file, and the rest is read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.manifest.json_places import JsonPlaces
from compiler.facts.manifest.read import read_manifest
from compiler.facts.read import read_facts
from policy_lang.diagnostics import Diagnostic

VERSION = "https://schemas.getdbt.com/dbt/manifest/v12.json"


def node(name: str, /, **more: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.p.{name}", "name": name, "resource_type": "model", "package_name": "p",
        "original_file_path": f"models/{name}.sql", "path": f"{name}.sql", "language": "sql", "raw_code": "select 1",
        "config": {"enabled": True, "materialized": "view"}, "depends_on": {"nodes": [], "macros": []}, "columns": {},
        "description": "", "fqn": ["p", name], "alias": name, "schema": "s", "database": "d", **more,
    }  # fmt: skip


def manifest(**more: Any) -> dict[str, Any]:
    return {
        "metadata": {"dbt_schema_version": VERSION, "project_name": "p", "adapter_type": "duckdb"},
        "nodes": {f"model.p.{name}": node(name) for name in ("a", "b")},
        "sources": {
            "source.p.s.t": {"unique_id": "source.p.s.t", "name": "t", "source_name": "s", "package_name": "p",
                             "original_file_path": "models/s.yml", "schema": "s", "identifier": "t", "config": {},
                             "columns": {}, "description": "", "source_description": "", "meta": {}, "tags": []},
        },
        "macros": {},
        **more,
    }  # fmt: skip


def said(found: tuple[Diagnostic, ...], file: Path) -> list[tuple[str, str]]:
    """Codes, and the text of the file at their places."""
    lines = file.read_text("utf-8-sig", errors="replace").split("\n")
    spans = [(d.code, d.span) for d in found if d.span is not None]
    return [(code, lines[s.line - 1][s.col - 1 : s.end_col - 1]) for code, s in spans]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["sources", "macros", "exposures", "groups"])
def test_a_section_of_a_wrong_type_costs_that_section(tmp_path: Path, name: str, indent: int | None) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest(**{name: ["x"]}), indent=indent))
    read = read_manifest(tmp_path, file)
    assert read.value is not None
    assert [m["name"] for m in read.value.models] == ["a", "b"]
    assert len(read.value.sources) == (0 if name == "sources" else 1)
    assert said(read.diagnostics, file) == [("FLC114", "[")]
    assert [d.path for d in read.diagnostics] == [(name,)]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_wrong_field_is_shown_where_it_stands(tmp_path: Path, indent: int | None) -> None:
    given = manifest()
    given["nodes"]["model.p.a"] = node("a", description="é" * 40, name=["x"])
    given["nodes"]["model.p.c"] = node("c", config={"enabled": True, "materialized": 3})
    given["nodes"]["model.p.d"] = node("d", columns={"x": {"name": 7}})
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(given, indent=indent, ensure_ascii=False), encoding="utf-8")
    read = read_manifest(tmp_path, file)
    assert read.value is not None
    assert [m["name"] for m in read.value.models] == ["b"]
    assert [d.subject for d in read.diagnostics] == ["model.p.a", "model.p.c", "model.p.d"]
    assert [text for _, text in said(read.diagnostics, file)] == ["[", "3", "{"]
    assert "`config.materialized`" in read.diagnostics[1].message
    assert read.diagnostics[1].path == ("nodes", "model.p.c", "config", "materialized")


@pytest.mark.parametrize("cut", [20, 200, 1000])
def test_a_manifest_that_is_cut_off_is_shown_at_its_end(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "manifest.json"
    text = json.dumps(manifest(), indent=1)[:cut]
    file.write_text(text)
    found = read_manifest(tmp_path, file).diagnostics
    assert [d.code for d in found] == ["FLC111"]
    assert found[0].span is not None
    last = text.rstrip()
    assert (found[0].span.line, found[0].span.col) == (last.count("\n") + 1, len(last.split("\n")[-1]))


def test_broken_json_is_shown_where_it_breaks(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"metadata": {},\n "é": 1, ]}')
    span = read_manifest(tmp_path, file).diagnostics[0].span
    assert span is not None
    assert (span.line, span.col) == (2, 10)
    file.write_bytes(b'{"nodes": {}, "metadata":\n {"a": "\xff"}}')
    span = read_manifest(tmp_path, file).diagnostics[0].span
    assert span is not None
    assert (span.line, span.col) == (2, 9)


def test_what_is_nested_without_end_beside_a_wrong_type_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    text = json.dumps(manifest(sources=[]))
    file.write_text(text.replace('"macros": {}', '"docs": ' + "[" * 5000 + "]" * 5000))
    found = read_manifest(tmp_path, file).diagnostics
    assert [d.code for d in found] == ["FLC111"]
    assert "too deeply" in found[0].message


def test_a_mark_before_utf8_is_no_error_and_utf16_is_named(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    text = json.dumps(manifest())
    file.write_text(text, encoding="utf-8-sig")
    assert read_manifest(tmp_path, file).diagnostics == ()
    given = manifest(macros=[])
    file.write_text(json.dumps(given), encoding="utf-8-sig")
    assert said(read_manifest(tmp_path, file).diagnostics, file) == [("FLC114", "[")]
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        file.write_text(text, encoding=encoding)
        found = read_manifest(tmp_path, file).diagnostics
        assert [d.code for d in found] == ["FLC111"]
        assert "UTF-16" in found[0].message


def test_without_a_manifest_that_can_be_used_the_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1 as a")
    (tmp_path / "target").mkdir()
    for text, code in (("{", "FLC111"), ('{"a": 1}', "FLC112"), (json.dumps(manifest(nodes=[])), "FLC114")):
        (tmp_path / "target" / "manifest.json").write_text(text)
        read = read_facts(tmp_path, environ={"FLOEC_CACHE_DIR": ""})
        assert [d.code for d in read.diagnostics] == [code]
        assert read.value is not None
        assert [m["name"] for m in read.value.models] == ["a"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "none"):
        assert [d.code for d in read_manifest(tmp_path, tmp_path / name).diagnostics] == ["FLC110"]


def test_places_of_texts_that_no_reader_would_write(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('\n { "a\\"b" : [ 1 , {"c": "x"} ], "d": 2, "d": 3 }')
    places = JsonPlaces(file)
    span = places.of_path(('a"b', 1, "c"))
    assert (span.line, span.col, span.end_col) == (2, 25, 28)
    assert places.of_path(("d",)).line in (1, 2)
    assert places.of_path(("none", "x")) == places.of_path(())
    assert JsonPlaces(tmp_path / "gone").of_path(("a",)).line == 1
