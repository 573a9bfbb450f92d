"""The columns that a plain query gives (``plain_sql``), each with the columns that its value comes from.

As ``lineage_sql`` reads them off sqlglot's tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compiler.facts.lineage.model import COPY, Edge, Named, Relation
from compiler.facts.lineage.scope import Scope, column_edges, expand, gathered, stronger, union
from compiler.facts.sql.plain import Column, Query, Select, Source, Value

Resolve = Callable[[str, str, str], Named | None]
"""(catalog, schema, name) → the relation of that name, None for one that nobody knows."""


def read_columns(query: Query, resolve: Resolve) -> Relation:
    """The query's columns."""
    return _query(query, {}, None, resolve)


def _query(query: Query, ctes: dict[str, Relation], outer: Scope | None, resolve: Resolve) -> Relation:
    known = dict(ctes)
    for name, inner in query.ctes:
        known[name.lower()] = _query(inner, known, outer, resolve)
    first, *others = query.selects
    found = _select(first, known, outer, resolve)
    for select in others:
        found = union(found, _select(select, known, outer, resolve))
    return found


def _select(select: Select, ctes: dict[str, Relation], outer: Scope | None, resolve: Resolve) -> Relation:
    scope = Scope(outer=outer)
    for source in select.sources:
        _add(source, scope, ctes, resolve)
    columns: dict[str, list[Edge]] = {}
    opened: list[str] = []
    for value, name in select.items:
        if value is None:
            expand(scope, name.lower(), columns, opened)
        else:
            renamed = isinstance(value, Column) and name.lower() != value.name.lower()
            columns[name] = edges = gathered(_flow(value, scope, COPY), renamed=renamed)
            scope.name_column(name, edges)
    return Relation(columns, opened)


def _add(source: Source, scope: Scope, ctes: dict[str, Relation], resolve: Resolve) -> None:
    if isinstance(source.given, Query):
        scope.relations[source.alias.lower()] = _query(source.given, ctes, scope, resolve)
        return
    *above, name = source.given
    alias = (source.alias or name).lower()
    if not above and name.lower() in ctes:
        named = Named(ctes[name.lower()])
    else:
        catalog, schema = ["", "", *above][-2:]
        named = resolve(catalog, schema, name) or Named(Relation({}))
    if not source.alias:
        scope.called.update({name: alias for name in named.names if name not in scope.called})
    scope.relations[alias] = named.relation


def _flow(value: Column | Value, scope: Scope, transform: str) -> Iterator[Edge]:
    if isinstance(value, Column):
        for edge in column_edges(scope, value.name, value.table, value.table or value.name):
            yield Edge(edge.node, edge.column, stronger(transform, edge.transform))
        return
    inner = stronger(transform, value.transform) if value.transform else transform
    for part in value.parts:
        yield from _flow(part, scope, inner)
