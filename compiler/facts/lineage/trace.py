"""Traces the queries of models one after the other, each kind of query once.

Models that differ only in what they refer to (staging models, say) are one query with numbered relations: it is read
once, and its answer kept under its text and what is known of each relation. A query that names its relations in
another way (from a macro, or by hand) is read for each model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from compiler.facts.entries import Entry
from compiler.facts.kept.file_cache import FileCache
from compiler.facts.lineage.model import COPY, Answer, Asked, Breakers, Edge, Named, Query, Relation, Traced
from compiler.facts.lineage.names import (
    REF,
    SOURCE,
    THIS,
    Reference,
    number_of,
    numbered,
    relation_parts,
    without_jinja,
)
from compiler.facts.lineage.plain import read_columns
from compiler.facts.sql.plain import parse_plain
from compiler.facts.sql.syntax import DIALECTS
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.digests import digest_of
from policy_lang.records import NamedTuple
from policy_lang.source import Span, whole_file

_View = tuple[int, tuple[str, ...]] | None
"""What an answer depends on of a relation: the number of its list of columns, and those of its names in the query."""


class _Read(NamedTuple):
    """An answer, and the query of it where it could be read."""

    answer: Answer
    query: Query | None


class Tracer:
    """Traces models in the order of the graph; what a star stands for is known from those before."""

    def __init__(self, facts: Facts, project_dir: Path, breakers: Breakers | None, folder: Path | None) -> None:
        self.facts = facts
        self.project_dir = project_dir
        self.breakers = breakers or Breakers()
        self.cache = FileCache(folder, f"{project_dir.resolve()}\nlineage", Answer)
        self.dialect = DIALECTS.get(str(facts.project["dialect"]), "")
        self.traced: dict[str, Traced] = {}
        self.found: list[Diagnostic] = []
        self.variables = self._variables()
        self.macros = {m["name"]: m["raw_code"] for m in facts.macros if m["raw_code"] and not self._breaks(m["name"])}
        macros, variables = sorted(self.macros.items()), sorted(self.variables.items())
        given = repr([self.dialect, self.breakers, variables, macros])
        self.setting = digest_of(given.encode("utf-8", "surrogatepass")).hexdigest()
        everything = [*facts.sources, *facts.seeds, *facts.models, *facts.snapshots]
        self.entries = {e["unique_id"]: e for e in everything}
        self.sources = {(s["source_name"], s["name"]): s["unique_id"] for s in reversed(facts.sources)}
        self._reads: dict[tuple[str, tuple[_View, ...]], _Read] = {}
        self._lists: dict[tuple[bool, tuple[str, ...]], int] = {}
        self._list_of: dict[str, int] = {}
        self._list_of_all: dict[tuple[int, bool, tuple[str, ...]], int] = {}
        self._called_in: dict[tuple[str, str], tuple[str, ...]] = {}

    def _variables(self) -> dict[str, Any]:
        given = self.facts.project["vars"]
        own = given.get(self.facts.project["name"])
        return {**given, **(own if isinstance(own, dict) else {})}

    @cached_property
    def by_name(self) -> dict[str, list[Entry]]:
        """The nodes by what SQL may call them, for queries that name a relation by hand."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries.values():
            for name in _names(entry):
                found.setdefault(name, []).append(entry)
        return found

    def _breaks(self, name: str) -> bool:
        """A macro whose name says that it hashes or masks is not looked into."""
        patterns = (*self.breakers.hashing, *self.breakers.masking)
        return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)

    def trace(self, node: Entry) -> None:
        """Read a model's query; why one cannot be read is in ``found``."""
        key = node["unique_id"]
        sql = self.facts.sql.get(key)
        if sql is None:
            return
        numbers: dict[str, int] = {}
        text = numbered(sql, lambda reference: numbers.setdefault(self._find(node, reference) or "", len(numbers)))
        read = self._read_once(node, text, tuple(numbers))
        if read.query is not None:
            nodes = {str(number): id_ for id_, number in numbers.items()} | {a.id: a.id for a in read.answer.asked}
            self.traced[key] = Traced(read.query, nodes)
            self._list_of.pop(key, None)  # a member of a ring may have been asked for before
        elif read.answer.reason:
            self._report(node, f"the columns of `{node['name']}` cannot be traced: {read.answer.reason}")

    def _read_once(self, node: Entry, text: str, ids: tuple[str, ...]) -> _Read:
        """What is known of a query, else what it says when it is read; ``ids`` are those of its numbered relations."""
        views = tuple([self._view(text, id_) for id_ in ids])
        read = self._reads.get((text, views))
        if read is None or not self._holds(node, read.answer):
            seen = [[self._columns(id_), view[1]] if view else None for id_, view in zip(ids, views, strict=True)]
            key, answer = self.cache.get(f"{self.setting}\n{seen}\n{text}".encode(), "lineage")
            if answer is None or not self._holds(node, answer):
                answer = self._read(node, text, ids)
                self.cache.put(key, answer)
            read = self._reads[text, views] = _Read(answer, None if answer.relation is None else Query(answer.relation))
        return read

    def _view(self, text: str, id_: str) -> _View:
        if not id_:
            return None
        number = self._list_of.get(id_)
        if number is None:
            number = self._list_of[id_] = self._number(id_)
        called = self._called_in.get((text, id_))
        if called is None:
            lowered = text.lower()
            called = tuple(name for name in _names(self.entries[id_]) if name in lowered)
            self._called_in[text, id_] = called
        return number, called

    def _number(self, id_: str) -> int:
        """The number of a relation's list of columns, found by what makes it: many have the same query and columns."""
        entry, traced = self.entries[id_], self.traced.get(id_)
        query = 0 if traced is None else id(traced.query)
        made_of = (query, entry.get("resource_type") == "seed", tuple([c["name"] for c in entry["columns"]]))
        number = self._list_of_all.get(made_of)
        if number is None:
            complete, names = self._columns(id_)
            number = self._lists.setdefault((complete, tuple(names)), len(self._lists))
            self._list_of_all[made_of] = number
        return number

    def _holds(self, node: Entry, answer: Answer) -> bool:
        """Whether the relations that a query names itself are still what they were."""
        for asked in answer.asked:
            found = self._named_by_hand(node, asked.schema, asked.name)
            if (found or "") != asked.id or self._shown(asked.id) != asked.shown:
                return False
        return True

    def _shown(self, id_: str) -> str:
        """What of a relation an answer depends on."""
        return "" if not id_ else repr([*self._columns(id_), *_names(self.entries[id_])])

    def _columns(self, id_: str) -> tuple[bool, list[str]]:
        """The names of a relation's columns, first whether it has no others."""
        entry, traced = self.entries[id_], self.traced.get(id_)
        names = [c["name"] for c in entry["columns"]]
        if traced is None:
            return entry.get("resource_type") == "seed", names
        given = traced.query.relation
        known = {n.lower() for n in given.columns}
        return not given.open or entry.get("resource_type") == "seed", [
            *given.columns,
            *(n for n in names if n.lower() not in known),
        ]

    def _read(self, node: Entry, text: str, ids: tuple[str, ...]) -> Answer:
        reason = ""
        for sql in self._texts(text):
            asked: dict[tuple[str, str], Asked] = {}
            found = self._columns_of(sql, lambda _, schema, name: self._resolve(node, ids, asked, schema, name))  # noqa: B023
            if isinstance(found, Relation):
                return Answer(found, "", list(asked.values()))
            reason = reason or found
        return Answer(None, reason)

    def _columns_of(self, sql: str, resolve: Callable[[str, str, str], Named | None]) -> Relation | str:
        """What the SQL gives, or why that cannot be told. A parser of all SQL is loaded only where it takes one."""
        plain = parse_plain(sql, self.dialect) if self.breakers == Breakers() else None
        if plain is not None:
            return read_columns(plain, resolve)
        from compiler.facts.lineage.sql import read_sql

        return read_sql(sql, self.dialect, resolve, self.breakers)

    def _texts(self, sql: str) -> Iterator[str]:
        """What the SQL may be once its Jinja is gone, the best guess first."""
        plain = without_jinja(sql)
        if plain is not None:
            yield plain
            return
        from compiler.facts.lineage.render import render

        for macros, lone_calls in ((self.macros, True), (self.macros, False), ({}, True), ({}, False)):
            text = render(sql, self.variables, macros, lone_calls=lone_calls)
            if text is not None:
                yield text

    def _resolve(
        self, node: Entry, ids: tuple[str, ...], asked: dict[tuple[str, str], Asked], schema: str, name: str
    ) -> Named | None:
        number = number_of(name)
        if number is not None:
            id_ = ids[int(number)] if number.isdecimal() and int(number) < len(ids) else ""
            return self._named(id_, number)
        if name == THIS:
            return None
        found = self._named_by_hand(node, schema, name) or ""
        asked[schema, name] = Asked(schema, name, found, self._shown(found))
        return self._named(found, str(ids.index(found)) if found in ids else found)

    def _named(self, id_: str, key: str) -> Named | None:
        """A node as others see it: each column is its own."""
        if not id_:
            return None
        complete, names = self._columns(id_)
        relation = Relation({n: [Edge(key, n, COPY)] for n in names}, [] if complete else [key])
        return Named(relation, _names(self.entries[id_]))

    def _named_by_hand(self, node: Entry, schema: str, name: str) -> str | None:
        """The node that a name in SQL is of: a reference that a macro makes, or a relation of the warehouse."""
        if (parts := relation_parts(name, REF)) is not None:
            return self._find(node, Reference("ref", *parts))
        if (parts := relation_parts(name, SOURCE)) is not None:
            return self._find(node, Reference("source", *parts))
        return self._find(node, Reference("name", schema, name))

    def _find(self, node: Entry, reference: Reference) -> str | None:
        """The ``unique_id`` of what a node refers to."""
        first, second = reference.first, reference.second
        if reference.kind == "ref":
            for ref in node["refs"]:
                same = ref["name"] == first and (ref["version"] or "") == reference.version
                if same and ref["unique_id"] in self.entries:
                    return str(ref["unique_id"])
            return self._warehouse(node, "", first, ())
        if reference.kind == "source":
            for ref in node["source_refs"]:
                if ref["source"] == first and ref["table"] == second and ref["unique_id"] in self.entries:
                    return str(ref["unique_id"])
            return self.sources.get((first, second))
        return self._warehouse(node, first, second, node["depends_on"])

    def _warehouse(self, node: Entry, schema: str, name: str, preferred: Iterable[str]) -> str | None:
        """What a relation of the warehouse is called so, ``preferred`` before others, never the node itself."""
        found = [e for e in self.by_name.get(name.lower(), ()) if e is not node]
        own = [e for e in found if e["unique_id"] in preferred] or found
        exact = [e for e in own if schema and str(e["schema"]).lower() == schema.lower()] or own
        return str(exact[0]["unique_id"]) if exact else None

    def _report(self, node: Entry, message: str) -> None:
        span: Span = whole_file(str(self.project_dir / node["path"]))
        hint = "what flows through it is not followed"
        subject = f"{node['resource_type']} {node['name']}"
        self.found.append(Diagnostic("FLC128", message, span, Severity.NOTIFY, hint=hint, subject=subject))


def _names(entry: Entry) -> tuple[str, ...]:
    """What a node may be called in SQL, in lower case."""
    found = [str(entry["name"]).lower()]
    for given in (entry.get("alias"), entry.get("identifier")):
        if given is not None and (name := str(given).lower()) not in found:
            found.append(name)
    return tuple(found)
