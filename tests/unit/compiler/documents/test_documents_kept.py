"""Documents that were read before are the same without a parser, and nothing wrong is ever kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from compiler.documents import kept
from compiler.documents.models import validate_document
from compiler.documents.yaml_loader import load_file
from compiler.facts.kept.values import kept_values
from compiler.facts.project.yaml_values import load_values
from policy_lang.source import Source

ROOT = Path(__file__).parents[4]
DOCUMENTS = sorted({*ROOT.glob("examples/**/floe.yaml"), *ROOT.glob("examples/**/manifest.yaml")})


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: "/".join(p.parts[-3:]))
def test_a_kept_document_is_what_was_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_file(path)
    checked = validate_document(loaded.value) if loaded.value is not None else loaded
    found = (*loaded.diagnostics, *(checked.diagnostics if loaded.value is not None else ()))
    first = kept.read_document(path)
    assert first == (checked.value, found)
    if not found:
        monkeypatch.setitem(sys.modules, "compiler.documents.yaml_loader", None)  # without a parser
    assert kept.read_document(path) == first


@pytest.mark.parametrize("text", ["kind: DataProduct\nnonsense: 1\n", "a: [1", "", "kind: Manifest\n"])
def test_what_is_wrong_is_found_each_time(text: str) -> None:
    found = [kept.document_of(Source("t.yaml", text)).diagnostics for _ in range(2)]
    assert found[0]
    assert found[0] == found[1]


def test_places_name_the_file_that_was_asked_for() -> None:
    text = next(p for p in DOCUMENTS if "orders" in p.parts).read_text("utf-8")
    spans = [kept.document_of(Source(name, text)).value for name in ("a.yaml", "b.yaml")]
    assert [one and one.span(("metadata", "name")).file for one in spans] == ["a.yaml", "b.yaml"]


def test_a_plugin_that_is_only_installed_is_looked_for_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from compiler.documents.plugins import check

    text = (
        "apiVersion: floe.dev/v1\nkind: Manifest\n"
        "metadata: {name: m, version: 1.0.0, owner: a@b.example}\napproved_plugins: {compute: [own]}\n"
    )
    monkeypatch.setattr(check, "installed", lambda category: {"own": None})
    assert kept.document_of(Source("m.yaml", text)).diagnostics == ()
    monkeypatch.setattr(check, "installed", lambda category: {})
    assert [d.code for d in kept.document_of(Source("m.yaml", text)).diagnostics] == ["FLC220"]


@pytest.mark.parametrize("text", ["name: shop\nvars: {a: 1, b: yes, c: 1.5}\n", "name: shop\nvars: {a: [x, 2]}\n", ""])
def test_kept_values_are_those_of_the_loader(text: str) -> None:
    assert [kept_values("f.yml", text).value for _ in range(2)] == [load_values("f.yml", text).value] * 2


def test_broken_values_are_found_each_time() -> None:
    assert [[d.code for d in kept_values("f.yml", "a: [").diagnostics] for _ in range(2)] == [["FLC101"]] * 2
