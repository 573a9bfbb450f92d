"""What single files said counts no more where the code that read them is another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.facts.kept import file_cache
from compiler.facts.kept.file_cache import cache_folder

ROOT = Path(file_cache.__file__).parents[3]


def _imports(node: ast.AST) -> Iterator[str]:
    """All that a module imports when it runs, at its top or in a function, as names that modules may have."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.ImportFrom) and child.module is not None:
            yield from (child.module, *(f"{child.module}.{alias.name}" for alias in child.names))
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        yield from _imports(child)


def _file(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file() and f.stat().st_size), None)


def test_the_key_names_every_module_that_the_cached_answers_come_from() -> None:
    pending = [file for file in (ROOT / "compiler/facts").rglob("*.py") if "cache.put(" in file.read_text("utf-8")]
    assert {file.stem for file in pending} >= {"scan", "trace"}
    found: set[Path] = set()
    while pending:
        file = pending.pop()
        if file not in found:
            found.add(file)
            names = _imports(ast.parse(file.read_text("utf-8")))
            pending += [f for name in names if name.startswith(("compiler.", "policy_lang.")) and (f := _file(name))]
    assert list(file_cache._READERS) == sorted(str(f.relative_to(ROOT).with_suffix("")) for f in found)


@pytest.mark.parametrize("home", ["", "cache", "./cache"])
def test_a_cache_folder_is_never_put_into_the_folder_that_floec_runs_in(home: str) -> None:
    assert cache_folder({"XDG_CACHE_HOME": home}) == Path("~/.cache/floec").expanduser()
