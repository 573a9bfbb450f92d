"""All policies of the tree are laid out by our formatter, and our linter and strict mode find nothing in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.ir.schema import ir_schema
from policy_lang.engine import CompileOptions
from policy_lang.lint.run import lint
from policy_lang.policies import load_policies
from policy_lang.source import Source
from policy_lang.syntax.formatter import format_source

TREE = Path(__file__).resolve().parents[3]
FILES = sorted(
    path
    for folder in ("stdlib_policies", "benchmarks", "examples")
    for path in (TREE / folder).rglob("*")
    if path.suffix in {".floe", ".rego"} and ".floe" not in path.parent.relative_to(TREE).parts
)


def _source(path: Path) -> Source:
    return Source(path.relative_to(TREE).as_posix(), path.read_text(encoding="utf-8"))


def test_there_are_files() -> None:
    assert len(FILES) > 400


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda path: path.name)
def test_the_formatter_changes_nothing(folder: Path) -> None:
    sources = [_source(path) for path in FILES if path.parent == folder]
    formatted = {source.file: format_source(source) for source in sources}
    assert not any(outcome.diagnostics for outcome in formatted.values())
    assert [source.file for source in sources if formatted[source.file].value != source.text] == []


def test_the_linter_finds_nothing_in_what_ships() -> None:
    found = lint([_source(path) for path in FILES if path.is_relative_to(TREE / "stdlib_policies")])
    assert [(d.code, str(d.span)) for d in found if not d.suppressed] == []


def test_strict_mode_refuses_nothing_that_ships() -> None:
    shipped = [path for path in FILES if path.is_relative_to(TREE / "stdlib_policies")]
    sources = [_source(path) for path in shipped if not path.stem.endswith("_test")]
    loaded = load_policies(sources, CompileOptions(ir_schema(), strict=True))
    assert (loaded.value is not None, loaded.diagnostics) == (True, ())
