"""The grammar's tables from the cache parse as those that were just made."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module
from policy_lang.syntax.tables import grammar

TEXTS = (
    Source("a.rego", "package a\np contains x if {\n\tsome x in [1, 2]\n\tnot x == 1\n}\n"),
    Source("a.floe", 'package a\nparam n: number := 1\nq := $"{input.x}"\n'),
    Source("a.rego", "package a\np := }\n"),
)


def test_kept_tables_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar.cache_clear()
    made = [parse_module(text) for text in TEXTS]
    assert len(list((tmp_path / "floec" / "programs").iterdir())) == 2
    grammar.cache_clear()
    assert [parse_module(text) for text in TEXTS] == made
    grammar.cache_clear()


def test_damaged_tables_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    grammar.cache_clear()
    parse_module(TEXTS[0])
    (kept,) = (tmp_path / "floec" / "programs").iterdir()
    kept.write_bytes(kept.read_bytes()[:-10])
    grammar.cache_clear()
    assert parse_module(TEXTS[0]).ok
    grammar.cache_clear()
