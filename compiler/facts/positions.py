"""Where the things of a dbt project stand in its files, found only when one of them is reported.

A node stands in its SQL file and in the YAML that describes it; each property is looked for where dbt lets it be
written. Files are read once each; one that cannot be read answers None, or the file as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from compiler.documents.shape import Keys
from compiler.documents.yaml_document import YamlDocument
from compiler.facts import entries
from compiler.facts.entries import Entry, items, mapping
from compiler.facts.sql import positions as sql_positions
from policy_lang.source import Span, whole_file

_NODES = ("models", "seeds", "snapshots")
_IN_SQL = {
    "joins": "join", "code_lines": "", "raw_code": "", "select_star": "*", "path": "", "directory": "",
    "unique_id": "", "language": "", "layer": "", "layer_rank": "",
}  # fmt: skip
"""Fields that the SQL file itself shows, and the word of it that they are about."""
_WRITTEN_AS = {
    "type": "data_type",
    "contract_enforced": "contract",
    "snapshot_strategy": "strategy",
    "classification": "meta",
    "pii_type": "meta",
    "sensitivity": "meta",
    "masked": "meta",
    "owner": "meta",
    "retention_days": "meta",
    "source_description": "description",
    "primary_key": "constraints",
    "given_formats": "given",
    "expect_format": "expect",
}
"""Fields of the IR by the property that says so, where the two differ."""


class ProjectPositions:
    """Answers for one project; ``name`` is the root project's, other packages stand under ``packages_folder``."""

    def __init__(self, project_dir: Path, name: str, packages_folder: str = "dbt_packages") -> None:
        self._root = project_dir
        self._prefix = str(project_dir / "_")[:-1]
        self._name = name
        self._packages = packages_folder
        self._yaml = lru_cache(maxsize=None)(self._load_yaml)
        self._named = lru_cache(maxsize=None)(self._load_named)
        self._parts = lru_cache(maxsize=1024)(self._load_parts)
        self._path = lru_cache(maxsize=None)(self._find_path)
        self._text = lru_cache(maxsize=64)(self._load_text)

    def locate(self, section: str, entry: dict[str, Any], rest: tuple[str | int, ...]) -> Span | None:
        """The place of ``rest``, a path in ``entry`` of the IR's list ``section``, or of the nearest thing with one."""
        if section in _NODES:
            return self._node(section, entry, rest)
        if section == "macros":
            return self._macro(entry, rest)
        if section == "tests":
            return self._test(entry, rest)
        if section == "project":
            return self._project(rest)
        if section == "contracts":
            return self._contract(entry, rest)
        return self._described(section, entry, str(entry.get("path") or ""), rest)[0]

    def file(self, entry: Mapping[str, Any], path: str) -> str:
        """A file of the entry's package, as the user gave the project's folder."""
        return self._path(entry.get("package") or str(entry.get("unique_id") or "..").split(".")[1], path)

    def _find_path(self, package: str, path: str) -> str:
        if package != self._name:
            inside = self._root / self._packages / package / path
            if inside.is_file():
                return str(inside)
        plain = path and path[0] not in "/." and "/." not in path and "//" not in path and path[-1] != "/"
        return self._prefix + path if plain and os.sep == "/" else str(self._root / path)

    def _load_yaml(self, file: str) -> YamlDocument | None:
        from compiler.documents.yaml_loader import load_file

        return load_file(file).value

    def _load_named(self, file: str) -> dict[tuple[str | None, ...], list[Keys]]:
        document = self._yaml(file)
        return {} if document is None else _by_name(document.value)

    def _load_parts(self, file: str, place: Keys) -> dict[tuple[str | int, str], Keys]:
        document = self._yaml(file)
        return {} if document is None else _parts(document.value, place)

    def _places(self, file: str, section: str, entry: Mapping[str, Any]) -> list[Keys]:
        """The paths of what has the entry's name in a YAML file."""
        source = (entry.get("source_name"),) if section == "sources" else ()
        return self._named(file).get((section, *source, entry.get("name")), [])

    def _load_text(self, file: str) -> str | None:
        if not os.path.isfile(file):
            return None  # a pipe would be waited for
        try:
            with open(file, encoding="utf-8-sig") as opened:
                return opened.read()
        except (OSError, UnicodeDecodeError):
            return None

    def _node(self, section: str, entry: Entry, rest: tuple[str | int, ...]) -> Span | None:
        first = str(rest[0]) if rest else ""
        code = self.file(entry, str(entry["path"]))
        found: Span | None = None
        if first in ("refs", "source_refs", "depends_on", "hard_coded_relations") and len(rest) > 1:
            found = self._reference(entry, code, first, rest[1])
        elif first == "hard_coded_relations":
            found = self._reference(entry, code, first, 0)  # nobody writes the list anywhere: the first of it
        elif first in _IN_SQL:
            words = rest[1] if first == "raw_code" and len(rest) > 1 else ""
            text = self._text(code) if _IN_SQL[first] or words else None
            if text is None:
                return whole_file(code)
            word = _IN_SQL[first]
            found = sql_positions.quoted(code, text, str(words)) if words else sql_positions.word(code, text, word)
            found = found or whole_file(code)
        if found is not None:
            return found
        patch = str(entry.get("patch_path") or "")
        described, exact = self._described(section, entry, patch, rest) if patch else (None, False)
        if rest and not exact and first != "description" and (text := self._text(code)) is not None:
            found = sql_positions.config(code, text, _WRITTEN_AS.get(first, first))
        return found or described or whole_file(code)

    def _reference(self, entry: Entry, code: str, kind: str, index: str | int) -> Span | None:
        given = entry.get(kind)
        text = self._text(code)
        if not isinstance(given, list) or not isinstance(index, int) or index >= len(given) or text is None:
            return None
        one = given[index]
        if kind == "hard_coded_relations":
            return sql_positions.relation(code, text, str(one))
        if kind == "depends_on":
            for name in ("refs", "source_refs"):
                for ref in entry.get(name, ()):
                    if ref["unique_id"] == one:
                        return sql_positions.reference(code, text, ref)
            name = entries.names_in(str(one))[-1]
            source, _, table = name.partition(".")
            ref = {"source": source, "table": table} if str(one).startswith("source.") else {"name": name}
            return sql_positions.reference(code, text, ref)
        return sql_positions.reference(code, text, one)

    def _macro(self, entry: Entry, rest: tuple[str | int, ...]) -> Span | None:
        file = self.file(entry, str(entry["path"]))
        text = self._text(file)
        if text is None:
            return None
        start = sql_positions.macro(file, text, str(entry["name"]))
        said = rest[1] if rest[:1] == ("raw_code",) and len(rest) > 1 else ""
        return (sql_positions.quoted(file, text, str(said), start) if said else None) or start

    def _project(self, rest: tuple[str | int, ...]) -> Span | None:
        """The packages in the file that lists them; all else of a project in its own file."""
        asked = str(rest[0]) if rest else ""
        for name in ("packages.yml", "dependencies.yml") if asked == "packages" else ():
            if (self._root / name).is_file():
                return whole_file(self.file({"package": self._name}, name))
        document = self._yaml(self.file({"package": self._name}, "dbt_project.yml"))
        if document is None:
            return None
        found = next((path for path in ((asked,), ("name",)) if path in document.key_spans), None)
        return whole_file(document.file) if found is None else document.key_span(found)

    def _contract(self, entry: Entry, rest: tuple[str | int, ...]) -> Span | None:
        """A column in any of the spellings of contracts; all else by its own key, else by the contract's name."""
        document = self._yaml(str(self._root / str(entry["path"])))
        if document is None:
            return None
        if rest[:1] == ("columns",) and len(rest) > 1 and isinstance(rest[1], int):
            found = _contract_column(document.value, str(entry["columns"][rest[1]]["name"]), ())
            if found is not None:
                return document.span(found)
        keys = ((str(rest[0]),) if rest else (), ("name",), ("id",))
        known = next((key for key in keys if key in document.key_spans), ())
        return document.key_span(known)

    def _test(self, entry: Entry, rest: tuple[str | int, ...]) -> Span | None:
        file = self.file(entry, str(entry["path"]))
        document = self._yaml(file) if entry["test"] is not None else None  # else it is a singular one
        if document is None:
            return whole_file(file)
        target = str(entry["attached_to"] or "")
        kind = f"{target.partition('.')[0]}s"
        for name in entries.names_in(target):
            source, _, table = name.partition(".")
            named = {"name": table, "source_name": source} if kind == "sources" else {"name": name}
            for place in self._places(file, kind, named):
                found = _test_place(document.value, place, entry["test"], entry["column"], entry["name"])
                if found is not None:
                    return document.span(found)
        return whole_file(file)

    def _described(
        self, section: str, entry: Entry, path: str, rest: tuple[str | int, ...]
    ) -> tuple[Span | None, bool]:
        """The place in the YAML of a named thing, of its column, or of a property of either; is it just that?"""
        document = self._yaml(self.file(entry, path)) if path else None
        if document is None:
            return None, False
        place = next(iter(self._places(document.file, section, entry)), None)
        if place is None:
            return whole_file(document.file), False
        inner, asked = self._inside(document, entry, place, rest)
        holders = _stated_at(section, inner, asked) if inner == place else (inner,)
        for key in _properties(asked):
            for at in (holder + key for holder in holders):
                if at in document.value_spans:
                    scalar = not isinstance(_at(document.value, at), dict | list)
                    return (document.span(at) if scalar else document.key_span(at)), True
        named = (*inner, "name")
        return document.span(named if named in document.value_spans else inner), inner != place

    def _inside(
        self, document: YamlDocument, entry: Entry, place: Keys, rest: tuple[str | int, ...]
    ) -> tuple[Keys, tuple[str | int, ...]]:
        """The place of the column or test that ``rest`` leads into, and what is left of it."""
        if len(rest) < 2 or not isinstance(rest[1], int):
            return place, rest
        listed = entry.get(str(rest[0]))
        one = listed[rest[1]] if isinstance(listed, list) and rest[1] < len(listed) else None
        if rest[0] == "tests" and isinstance(one, dict):
            name = str(one["unique_id"]).split(".", 2)[-1].rpartition(".")[0]
            found = _test_place(document.value, place, one["name"], one["column"], name)
            return (found, ()) if found is not None else (place, ())
        if isinstance(one, dict) and "name" in one:
            holder = self._parts(document.file, place).get((rest[0], one["name"]))
            return (holder, rest[2:]) if holder is not None else (place, ())
        return place, rest


def _stated_at(section: str, place: Keys, asked: tuple[str | int, ...]) -> tuple[Keys, ...]:
    """What may state the property that is asked for: a table of a source inherits all but its description."""
    if section != "sources" or asked[:1] == ("description",):
        return (place,)
    return (place[:-2],) if asked[:1] == ("source_description",) else (place, place[:-2])


def _by_name(value: Any) -> dict[tuple[str | None, ...], list[Keys]]:
    """The paths of what a YAML file names, by section and name; tables by the source's name too."""
    found: dict[tuple[str | None, ...], list[Keys]] = {}
    for section, listed in mapping(value).items():
        for index, given in enumerate(items(listed)):
            if not isinstance(given, dict):
                continue
            name = str(given.get("name"))
            if section != "sources":
                found.setdefault((section, name), []).append((section, index))
                continue
            for number, table in enumerate(items(given.get("tables"))):
                if isinstance(table, dict):
                    key = (section, name, str(table.get("name")))
                    found.setdefault(key, []).append((section, index, "tables", number))
    return found


def _parts(value: Any, place: Keys) -> dict[tuple[str | int, str], Keys]:
    """The first of the parts of a thing with each name, by the list that holds it."""
    found: dict[tuple[str | int, str], Keys] = {}
    for holder in _holders(value, place):
        found.setdefault((holder[-2], str(_at(value, holder).get("name"))), holder)
    return found


def _holders(value: Any, place: Keys) -> Iterator[Keys]:
    """A named thing, its versions, and the columns and other named parts of both."""
    pending = [place]
    while pending:
        here = pending.pop(0)
        yield here
        for key, listed in mapping(_at(value, here)).items():
            if isinstance(listed, list) and key not in ("data_tests", "tests", "tables"):
                pending.extend((*here, key, i) for i, part in enumerate(listed) if isinstance(part, dict))


def _test_place(value: Any, place: Keys, kind: Any, column: Any, name: str) -> Keys | None:
    """The item of ``data_tests`` that states a test, on the thing itself or on one of its columns.

    Of several tests of one kind, the one with the given name counts; dbt's own names say nothing of the place.
    """
    found: list[Keys] = []
    for holder in _holders(value, place):
        given = mapping(_at(value, holder))
        if holder[-2] == "columns" and column is not None and str(given.get("name")) != str(column):
            continue
        for key in ("data_tests", "tests"):
            for number, test in enumerate(items(given.get(key))):
                stated = [test] if isinstance(test, str) else []
                if isinstance(test, dict):
                    stated = [next(iter(test), ""), str(test.get("test_name"))]
                if kind in stated:
                    found.append((*holder, key, number))
                    arguments = test.get(kind, test) if isinstance(test, dict) else None
                    if mapping(arguments).get("name") == name:
                        return found[-1]
    on_column = [f for f in found if column is None or "columns" in f]
    return next(iter(on_column or found), None)


def _contract_column(value: Any, name: str, place: Keys) -> Keys | None:
    """The property of that name, wherever a contract lists its columns."""
    pairs = mapping(value).items() if isinstance(value, dict) else enumerate(items(value))
    for key, part in pairs:
        here = (*place, key)
        if key == "elements" and name in mapping(part):
            return (*here, name)
        if key in ("properties", "columns"):
            for number, column in enumerate(items(part)):
                if mapping(column).get("name") == name:
                    return (*here, number, "name")
        found = _contract_column(part, name, here) if isinstance(part, dict | list) else None
        if found is not None:
            return found
    return None


def _at(value: Any, path: Keys) -> Any:
    for key in path:
        value = value[key]
    return value


def _properties(asked: tuple[str | int, ...]) -> Iterator[Keys]:
    """Where a property may be written, the narrowest first: itself, also under ``config`` and under another name."""
    if not asked:
        return
    name = str(asked[0])
    for keys in dict.fromkeys(((name, *asked[1:]), (name,), (_WRITTEN_AS.get(name, name),))):
        yield ("config", *keys)
        yield keys
