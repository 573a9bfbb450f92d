"""Column lineage of a project, and what classifications flow along it.

Codes: FLC128 (notify) the SQL of a model that no parser understands; the others go on.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.facts.entries import Entry
from compiler.facts.file_cache import FileCache
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.source import Span, whole_file

if TYPE_CHECKING:
    from compiler.facts.lineage_model import Breakers, Relation

DIALECTS = {
    "athena": "athena", "bigquery": "bigquery", "clickhouse": "clickhouse", "databricks": "databricks",
    "doris": "doris", "dremio": "dremio", "duckdb": "duckdb", "exasol": "exasol", "fabric": "fabric",
    "glue": "spark", "greenplum": "postgres", "hive": "hive", "impala": "hive", "materialize": "materialize",
    "mysql": "mysql", "oracle": "oracle", "postgres": "postgres", "presto": "presto", "redshift": "redshift",
    "risingwave": "risingwave", "singlestore": "singlestore", "snowflake": "snowflake", "spark": "spark",
    "sqlite": "sqlite", "sqlserver": "tsql", "starrocks": "starrocks", "synapse": "tsql",
    "teradata": "teradata", "trino": "trino", "vertica": "postgres",
}  # fmt: skip
"""dbt's adapter → sqlglot's dialect; SQL of an adapter that is not here is read as sqlglot's own dialect."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The columns of each model and snapshot, by ``unique_id``, in an order in which sources come first."""

    relations: dict[str, Relation] = field(default_factory=dict)


def column_lineage(
    facts: Facts,
    project_dir: Path,
    *,
    breakers: Breakers | None = None,
    folder: Path | None = None,
    everything: bool = False,
) -> Outcome[Lineage]:
    """Lineage of the models below classified columns (of all models with ``everything``).

    ``breakers`` names the functions that stop a classification; ``folder`` is the cache folder, None for no cache.
    """
    order = _order(facts)
    wanted = order if everything else _below(facts, order)
    if not wanted:
        return Outcome(Lineage())
    tracer = _Tracer(
        facts, project_dir, breakers, FileCache(folder, f"{project_dir.resolve()}\nlineage", _relation_type())
    )
    for node in wanted:
        tracer.trace(node)
    tracer.cache.save()
    return Outcome(Lineage(tracer.relations), tuple(tracer.found))


def propagate(facts: Facts, lineage: Lineage, ranks: Mapping[str, int]) -> None:
    """Fill in ``columns[].inherited``, in place, from each column's ``classification`` and ``level``.

    ``ranks`` orders the levels; of several classifications that flow in the highest counts. A column that no YAML
    declares is added (``declared`` false) where something flows into it. A masked column passes nothing on.
    """
    carried: dict[tuple[str, str], Entry] = {}
    for entry in [*facts.sources, *facts.seeds, *facts.models, *facts.snapshots]:
        for column in entry["columns"]:
            if column["classification"] and not column["masked"]:
                origin = {"node": entry["unique_id"], "column": column["name"], "transform": "declared"}
                carried[entry["unique_id"], column["name"].lower()] = {
                    "classification": column["classification"],
                    "level": column["level"],
                    "path": [origin],
                }
    nodes = {e["unique_id"]: e for e in [*facts.models, *facts.snapshots]}
    for key, relation in lineage.relations.items():
        _inherit(nodes[key], relation, carried, ranks)


def _inherit(node: Entry, relation: Relation, carried: dict[tuple[str, str], Entry], ranks: Mapping[str, int]) -> None:
    from compiler.facts.lineage_model import STOPPING

    columns = {c["name"].lower(): c for c in node["columns"]}
    added = []
    for name, edges in relation.columns.items():
        best: Entry | None = None
        for edge in edges:
            above = carried.get((edge.node, edge.column.lower()))
            if above is None or edge.transform in STOPPING:
                continue
            step = {"node": node["unique_id"], "column": name, "transform": edge.transform}
            if best is None or _rank(above, ranks) > _rank(best, ranks):
                best = {**above, "path": [*above["path"], step]}
        if best is None:
            continue
        column = columns.get(name.lower())
        if column is None:
            from compiler.facts import entries

            column = entries.column({"name": name}, "", declared=False)
            added.append(column)
        column["inherited"] = best
        if not column["masked"] and _rank(best, ranks) >= _rank(carried.get((node["unique_id"], name.lower())), ranks):
            carried[node["unique_id"], name.lower()] = best
    if added:
        node["columns"] = [*node["columns"], *added]


def _rank(carried: Entry | None, ranks: Mapping[str, int]) -> int:
    return -2 if carried is None else ranks.get(carried["level"] or "", -1)


def _order(facts: Facts) -> list[Entry]:
    """Models and snapshots after those that they depend on; members of a ring in the order of their names."""
    nodes = {e["unique_id"]: e for e in [*facts.models, *facts.snapshots]}
    done: set[str] = set()
    ordered: list[Entry] = []
    for start in nodes:
        stack: list[tuple[str, Iterator[str]]] = (
            [(start, iter(nodes[start]["depends_on"]))] if start not in done else []
        )
        done.add(start)
        while stack:
            key, targets = stack[-1]
            target = next((t for t in targets if t in nodes and t not in done), None)
            if target is None:
                ordered.append(nodes[key])
                stack.pop()
            else:
                done.add(target)
                stack.append((target, iter(nodes[target]["depends_on"])))
    return ordered


def _below(facts: Facts, order: Iterable[Entry]) -> list[Entry]:
    """Those nodes that something classified may flow into."""
    reached = {
        e["unique_id"]
        for e in [*facts.sources, *facts.seeds, *facts.models, *facts.snapshots]
        if any(c["classification"] for c in e["columns"])
    }
    found = []
    for node in order:
        if any(d in reached for d in node["depends_on"]):
            reached.add(node["unique_id"])
            found.append(node)
    return found


def _relation_type() -> type[Relation]:
    from compiler.facts.lineage_model import Relation

    return Relation


class _Tracer:
    """Traces models one after the other; what a star stands for is known from those before."""

    def __init__(self, facts: Facts, project_dir: Path, breakers: Breakers | None, cache: FileCache[Relation]) -> None:
        from compiler.facts.lineage_model import Breakers as Default

        self.facts = facts
        self.project_dir = project_dir
        self.breakers = breakers or Default()
        self.cache = cache
        self.dialect = DIALECTS.get(str(facts.project["dialect"]), "")
        self.relations: dict[str, Relation] = {}
        self.shown: dict[str, str] = {}
        self.found: list[Diagnostic] = []
        self.variables = self._variables()
        self.macros = {m["name"]: m["raw_code"] for m in facts.macros if m["raw_code"] and not self._breaks(m["name"])}
        given = repr([self.dialect, self.breakers, sorted(self.variables.items()), sorted(self.macros.items())])
        self.setting = hashlib.sha256(given.encode()).hexdigest()
        everything = [*facts.sources, *facts.seeds, *facts.models, *facts.snapshots]
        self.entries = {e["unique_id"]: e for e in everything}
        self.by_name: dict[str, list[Entry]] = {}
        for entry in everything:
            for name in {entry["name"], entry.get("alias"), entry.get("identifier")} - {None}:
                self.by_name.setdefault(str(name).lower(), []).append(entry)

    def _variables(self) -> dict[str, Any]:
        given = self.facts.project["vars"]
        own = given.get(self.facts.project["name"])
        return {**given, **(own if isinstance(own, dict) else {})}

    def _breaks(self, name: str) -> bool:
        """A macro whose name says that it hashes or masks is not looked into."""
        patterns = (*self.breakers.hashing, *self.breakers.masking)
        return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)

    def trace(self, node: Entry) -> None:
        sql = self.facts.sql.get(node["unique_id"])
        if sql is None:
            return
        content = f"{self.setting}\n{self._signature(node)}\n{sql}"
        key, known = self.cache.get(content.encode(), "lineage")
        if known is None:
            known = self._read(node, sql)
            if known is None:
                return
            self.cache.put(key, known)
        self.relations[node["unique_id"]] = known
        self.shown.pop(node["unique_id"], None)  # a member of a ring may have been asked for before

    def _signature(self, node: Entry) -> str:
        """All that the answer depends on beside the text: what the relations below give."""
        parts = [self._shown(d) for d in node["depends_on"] if d in self.entries]
        return f"{parts} {[(r['name'], r['version'], r['unique_id']) for r in node['refs']]}"

    def _shown(self, unique_id: str) -> str:
        """What of a relation an answer depends on; many read the same one."""
        known = self.shown.get(unique_id)
        if known is None:
            relation = self.relation(unique_id)
            known = self.shown[unique_id] = repr([unique_id, *relation.columns, relation.open])
        return known

    def relation(self, unique_id: str) -> Relation:
        """A node as others see it: each column is its own."""
        from compiler.facts.lineage_model import COPY, Edge, Relation

        entry, traced = self.entries[unique_id], self.relations.get(unique_id)
        names = [c["name"] for c in entry["columns"]]
        if traced is not None:
            known = {n.lower() for n in traced.columns}
            names = [*traced.columns, *(n for n in names if n.lower() not in known)]
        complete = entry.get("resource_type") == "seed" or (traced is not None and not traced.open)
        return Relation({n: [Edge(unique_id, n, COPY)] for n in names}, [] if complete else [unique_id])

    def _read(self, node: Entry, sql: str) -> Relation | None:
        import sqlglot
        from sqlglot.errors import SqlglotError

        from compiler.facts.lineage_sql import QueryReader, UnreadableError

        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
        reason = ""
        for text in self._texts(sql):
            try:
                trees = [t for t in sqlglot.parse(text, dialect=self.dialect) if t is not None]
                if not trees:
                    raise UnreadableError("no query")
                return QueryReader(lambda c, d, t: self._resolve(node, d, t), self.breakers).read(trees[-1])
            except SqlglotError as error:
                reason = reason or (str(error).splitlines() or [type(error).__name__])[0]
            except (UnreadableError, RecursionError) as error:
                reason = reason or (str(error) if isinstance(error, UnreadableError) else "it is nested too deeply")
        if reason:
            self._report(node, f"the columns of `{node['name']}` cannot be traced: {reason}")
        return None

    def _texts(self, sql: str) -> Iterator[str]:
        """What the SQL may be once its Jinja is gone, the best guess first."""
        if "{" not in sql:
            yield sql
            return
        from compiler.facts.lineage_render import render

        for macros, lone_calls in ((self.macros, True), (self.macros, False), ({}, True), ({}, False)):
            text = render(sql, self.variables, macros, lone_calls=lone_calls)
            if text is not None:
                yield text

    def _resolve(self, node: Entry, schema: str, name: str) -> Relation | None:
        from compiler.facts.lineage_render import REF, SOURCE, relation_parts

        if (parts := relation_parts(name, REF)) is not None:
            for ref in node["refs"]:
                if ref["name"] == parts[0] and (ref["version"] or "") == parts[2] and ref["unique_id"] in self.entries:
                    return self.relation(ref["unique_id"])
            return self._named(parts[0], "")
        if (parts := relation_parts(name, SOURCE)) is not None:
            for ref in node["source_refs"]:
                if [ref["source"], ref["table"]] == parts and ref["unique_id"] in self.entries:
                    return self.relation(ref["unique_id"])
            found = [s["unique_id"] for s in self.facts.sources if [s["source_name"], s["name"]] == parts]
            return self.relation(found[0]) if found else None
        return self._named(name, schema, node["depends_on"])

    def _named(self, name: str, schema: str, first: Iterable[str] = ()) -> Relation | None:
        """What a relation of the warehouse is called so, ``first`` before others."""
        found = self.by_name.get(name.lower(), [])
        own = [e for e in found if e["unique_id"] in first] or found
        exact = [e for e in own if schema and str(e["schema"]).lower() == schema.lower()] or own
        return self.relation(exact[0]["unique_id"]) if exact else None

    def _report(self, node: Entry, message: str) -> None:
        span: Span = whole_file(str(self.project_dir / node["path"]))
        hint = "what flows through it is not followed"
        subject = f"{node['resource_type']} {node['name']}"
        self.found.append(Diagnostic("FLC128", message, span, Severity.NOTIFY, hint=hint, subject=subject))
