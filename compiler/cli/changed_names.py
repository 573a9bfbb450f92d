"""What changed files name, now or before: what they said of others is gone with them, or with a line of theirs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from compiler.facts.project.config import ProjectFile
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

Before = Callable[[Iterable[str]], Mapping[str, bytes]]
"""The content that files had (``compiler.cli.git_changes.Question.before``)."""

_BLOCK = Pattern(r"\{%-?\s*(macro|test|data_test|materialization|snapshot)\s+(\w+)")
_END = Pattern(r"\{%-?\s*end(?:macro|test|data_test|materialization|snapshot)\b")
_OF_MACROS = ("macro-paths", "test-paths")
_DOCS = Pattern(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs", re.DOTALL)
_CALLED_BY_DBT = ("generate_schema_name", "generate_alias_name", "generate_database_name", "ref", "source")
"""Macros that dbt itself calls for every node, where a project has its own."""
_YAML = (".yml", ".yaml")


class Named(NamedTuple):
    """Names by what they stand for; ``described`` has the section of a file of properties before each. Macros and
    generic tests that call what changed are among them."""

    described: frozenset[tuple[str, str]] = frozenset()
    macros: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()
    docs: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    snapshots: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    """Installed packages in which anything changed."""

    @property
    def of_all(self) -> bool:
        """Whether a macro changed that dbt calls for every node."""
        plain = {name.rpartition("__")[2] for name in self.macros}
        return not plain.isdisjoint(_CALLED_BY_DBT)


def named(changed: Collection[str], project: ProjectFile, before: Before) -> Named:
    """What the ``changed`` files (real paths) of a project and its packages name."""
    found: dict[str, set[Any]] = {name: set() for name in Named._fields}
    root = os.path.realpath(project.root)
    inside = {file: file[len(root) + 1 :] for file in changed if file.startswith(root + os.sep)}
    installed = f"{project.raw.get('packages-install-path') or 'dbt_packages'}/"
    of_packages = {path[len(installed) :].partition("/")[0] for path in inside.values() if path.startswith(installed)}
    found["packages"] = of_packages
    own = {file: path for file, path in inside.items() if path.endswith(".sql") or not path.startswith(installed)}
    wanted = {file: path for file, path in own.items() if path.endswith((".md", ".sql", *_YAML))}
    was = before(wanted)
    for file, path in wanted.items():
        old, new = was.get(file, b"").decode("utf-8", "replace"), _text(file)
        for kind, name in _of(path, old, new):
            found[kind].add(name)
    installed = f"{project.raw.get('packages-install-path') or 'dbt_packages'}/"
    found["packages"] = {
        path[len(installed) :].partition("/")[0] for path in inside.values() if path.startswith(installed)
    }
    if found["macros"]:
        _add_callers(found, [os.path.join(root, path) for key in _OF_MACROS for path in project.paths[key]])
    return Named(*(frozenset(names) for names in found.values()))


def _add_callers(found: dict[str, set[Any]], folders: Iterable[str]) -> None:
    """Add the macros and generic tests in ``folders`` that call one of those that changed, or another that does."""
    files = (file for folder in folders for file in _below(folder))
    blocks = [block for file in files for block in _blocks(_text(file)).items()]
    while True:
        called = "|".join(re.escape(name.removeprefix("default__")) for name in sorted(found["macros"]))
        calls = re.compile(rf"\b(?:{called})\b")
        more = [(kind, name) for (kind, name), text in blocks if name not in found[kind] and calls.search(text)]
        if not more:
            return
        for kind, name in more:
            found[kind].add(name)


def _blocks(text: str) -> dict[tuple[str, str], str]:
    """The text of each macro, generic test and snapshot, by kind and name."""
    found: dict[tuple[str, str], str] = {}
    for part in _END.split(text):
        for kind, name in _BLOCK.findall(part)[-1:]:
            is_test = "test" in kind or name.startswith("test_")
            of = "snapshots" if kind == "snapshot" else "tests" if is_test else "macros"
            found[of, name.removeprefix("test_") if is_test else name] = part[part.rindex(name) :]
    return found


def _below(folder: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        yield from (os.path.join(where, name) for name in names if name.endswith(".sql"))


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:  # it is gone
        return ""


def _of(path: str, old: str, new: str) -> Iterator[tuple[str, Any]]:
    if path.endswith(_YAML):
        yield from (("described", one) for one in _described(path, old))
        yield from (
            ("groups", name) for text in (old, new) for section, name in _described(path, text) if section == "groups"
        )
    else:
        read = _documented if path.endswith(".md") else _blocks
        then, now = read(old), read(new)
        yield from (key for key in then.keys() | now.keys() if then.get(key) != now.get(key))


def _documented(text: str) -> dict[tuple[str, str], str]:
    return {("docs", name): body for name, body in _DOCS.findall(text)}


def _described(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Section and name of what a file of properties describes; nothing where it cannot be read."""
    from compiler.facts.kept.values import kept_values

    value = kept_values(path, text.rstrip()).value if text else None
    for section, entries in value.items() if isinstance(value, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, dict):
                continue
            if section == "sources":
                tables = entry.get("tables")
                names = (t.get("name") for t in (tables if isinstance(tables, list) else ()) if isinstance(t, dict))
                yield from (("sources", f"{entry.get('name')}.{name}") for name in names)
            else:
                yield str(section), str(entry.get("name"))
