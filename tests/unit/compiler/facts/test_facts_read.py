from __future__ import annotations

from pathlib import Path

from compiler.facts.read import read_facts

TEXT = '{"metadata": {"dbt_schema_version": "x/manifest/v12.json", "project_name": "p"}, "nodes": {}}'


def test_the_manifest_under_target_is_read_unless_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "manifest.json").write_text(TEXT)
    other = tmp_path / "other.json"
    other.write_text(TEXT.replace('"p"', '"q"'))
    default, named = read_facts(tmp_path).value, read_facts(tmp_path, other).value
    assert default is not None
    assert named is not None
    assert (default.project["name"], named.project["name"]) == ("p", "q")


def test_without_a_manifest_it_says_which_file_is_missing(tmp_path: Path) -> None:
    [found] = read_facts(tmp_path).diagnostics
    assert found.code == "FLC110"
    assert "manifest.json" in found.message
