"""The columns that a query gives, each with the columns that its value comes from, by sqlglot's syntax tree.

A value flows through names, aliases, CTEs, subqueries, joins, unions and stars. Conditions and comparisons carry none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from compiler.facts.lineage.model import (
    AGGREGATE,
    COPY,
    EXPRESSION,
    HASH,
    MASK,
    STOPPING,
    Breakers,
    Edge,
    Named,
    Relation,
)
from compiler.facts.lineage.scope import (
    ALIASES,
    Scope,
    column_edges,
    expand,
    gathered,
    row,
    stronger,
    union,
    union_by_name,
)
from compiler.facts.sql.syntax import PARSER_FAILS, too_deep


class UnreadableError(Exception):
    """A query of a kind that gives no columns that can be told."""


Resolve = Callable[[str, str, str], Named | None]
"""(catalog, schema, name) → the relation of that name, None for one that nobody knows."""


def read_sql(sql: str, dialect: str, resolve: Resolve, breakers: Breakers) -> Relation | str:
    """The columns of a text's last query, or why they cannot be told; ``dialect`` is sqlglot's name of it."""
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        if too_deep(sql):
            raise RecursionError
        trees = [tree for tree in sqlglot.parse(sql, dialect=dialect) if tree is not None]
        return QueryReader(resolve, breakers).read(trees[-1]) if trees else "no query"
    except SqlglotError as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    except RecursionError:
        return "it is nested too deeply"
    except UnreadableError as error:
        return str(error)
    except PARSER_FAILS:
        return "the parser fails on it"


class QueryReader:
    """Reads one model's query."""

    def __init__(self, resolve: Resolve, breakers: Breakers) -> None:
        self.resolve = resolve
        self.breakers = breakers

    def read(self, tree: Any) -> Relation:
        """The query's columns; raises UnreadableError."""
        return self._query(tree, {}, None)

    def _query(self, tree: Any, ctes: dict[str, Relation], outer: Scope | None) -> Relation:
        if isinstance(tree, exp.Subquery):
            known = self._with(tree, ctes, outer)
            return self._query(tree.this, known, outer)
        if isinstance(tree, exp.SetOperation):
            known = self._with(tree, ctes, outer)
            left, right = self._query(tree.this, known, outer), self._query(tree.expression, known, outer)
            return (union_by_name if tree.args.get("by_name") else union)(left, right)
        if isinstance(tree, exp.Select):
            return self._select(tree, self._with(tree, ctes, outer), outer)
        if isinstance(tree, exp.Table):
            return self._table(tree, ctes).relation
        if isinstance(tree, exp.Values):
            return Relation({})
        raise UnreadableError(f"a statement of the kind {type(tree).__name__}")

    def _with(self, tree: Any, ctes: dict[str, Relation], outer: Scope | None) -> dict[str, Relation]:
        clause = tree.args.get("with_") or tree.args.get("with")
        if clause is None:
            return ctes
        known = dict(ctes)
        for cte in clause.expressions:
            name = cte.alias.lower()
            if clause.args.get("recursive"):
                known[name] = self._recursive_start(cte.this, known, outer)
            known[name] = _renamed(self._query(cte.this, known, outer), cte.args.get("alias"))
        return known

    def _recursive_start(self, tree: Any, ctes: dict[str, Relation], outer: Scope | None) -> Relation:
        start = tree.this if isinstance(tree, exp.SetOperation) else None
        return Relation({}) if start is None else self._query(start, ctes, outer)

    def _select(self, select: Any, ctes: dict[str, Relation], outer: Scope | None) -> Relation:
        scope = Scope(outer=outer)
        start = select.args.get("from_") or select.args.get("from")
        for item in [start, *(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]:
            if item is not None:
                self._add(item if isinstance(item, exp.Lateral) else item.this, scope, ctes)
        columns: dict[str, list[Edge]] = {}
        opened: list[str] = []
        for projection in select.expressions:
            if _star(projection) is not None:
                self._expand(projection, scope, columns, opened)
            else:
                name = projection.alias_or_name
                edges = self._edges(projection, scope, ctes)
                if name:
                    columns[name] = edges
                    scope.name_column(name, edges)
                else:  # it counts by its position in a union, and as the value of a subquery
                    columns[projection.sql()] = edges
        return Relation(columns, opened)

    def _add(self, item: Any, scope: Scope, ctes: dict[str, Relation]) -> None:
        alias = item.alias_or_name.lower()
        if isinstance(item, exp.Table):
            named = self._table(item, ctes)
            relation = named.relation
            if not item.alias:
                scope.called.update({name: alias for name in named.names if name not in scope.called})
            for join in item.args.get("joins") or ():
                self._add(join.this, scope, ctes)
        elif isinstance(item, exp.Subquery | exp.SetOperation | exp.Select):
            if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table):
                self._add(item.this, scope, ctes)
                return
            relation = _renamed(self._query(item, ctes, scope), item.args.get("alias"))
        else:
            relation = self._generated(item, scope, ctes)
        for pivot in item.args.get("pivots") or ():
            relation = self._pivoted(pivot, relation, ctes)
            alias = pivot.alias.lower() or alias
        scope.relations[alias or f"#{len(scope.relations)}"] = relation

    def _generated(self, item: Any, scope: Scope, ctes: dict[str, Relation]) -> Relation:
        """``unnest``, ``flatten``, a lateral or table function: each of its columns may hold any value it takes."""
        edges = [
            Edge(e.node, e.column, EXPRESSION) for e in self._edges(item, scope, ctes) if e.transform not in STOPPING
        ]
        alias = item.args.get("alias")
        names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
        return Relation({n: edges for n in [*names, item.alias_or_name, "value", "unnest"] if n})

    def _pivoted(self, pivot: Any, relation: Relation, ctes: dict[str, Relation]) -> Relation:
        """With new columns in place of those that ``pivot`` and ``unpivot`` take: each may hold any value of these."""
        scope = Scope({ALIASES: relation})
        fields = [f for f in pivot.args.get("fields") or () if isinstance(f, exp.In)]
        taken = [c for field in fields for c in field.expressions] if pivot.args.get("unpivot") else pivot.expressions
        edges = [Edge(e.node, e.column, stronger(EXPRESSION, e.transform))
                 for item in taken for e in self._edges(item, scope, ctes)]  # fmt: skip
        gone = {c.name.lower() for item in [*taken, *fields] for c in item.find_all(exp.Column)}
        columns = {name: given for name, given in relation.columns.items() if name.lower() not in gone}
        if pivot.args.get("unpivot"):
            columns |= {field.this.name: [] for field in fields}
            names = [c.name for item in pivot.expressions for c in item.find_all(exp.Identifier)]
        else:
            names = [c.name for c in pivot.args.get("columns") or ()]
        return Relation(columns | {name: list(dict.fromkeys(edges)) for name in names}, relation.open)

    def _table(self, table: Any, ctes: dict[str, Relation]) -> Named:
        if not table.db and table.name.lower() in ctes:
            return Named(ctes[table.name.lower()])
        if isinstance(table.this, exp.Func):
            return Named(Relation({}))
        return self.resolve(table.catalog, table.db, table.name) or Named(Relation({}))

    def _expand(self, projection: Any, scope: Scope, columns: dict[str, list[Edge]], opened: list[str]) -> None:
        star = _star(projection)
        table = projection.table.lower() if isinstance(projection, exp.Column) else ""
        excluded = {c.name.lower() for c in _listed(star, "except_", "except", "exclude")}
        renamed = {c.this.name.lower(): c.alias for c in _listed(star, "rename")}
        replaced = {c.alias.lower(): self._edges(c, scope, {}) for c in _listed(star, "replace")}
        expand(scope, table, columns, opened, excluded, renamed, replaced)

    def _edges(self, expression: Any, scope: Scope, ctes: dict[str, Relation]) -> list[Edge]:
        name = expression.alias_or_name
        inner = expression.this if isinstance(expression, exp.Alias) else expression
        renamed = isinstance(inner, exp.Column) and name.lower() != inner.name.lower()
        return gathered(self._flow(inner, scope, ctes, COPY), renamed=renamed)

    def _flow(self, node: Any, scope: Scope, ctes: dict[str, Relation], transform: str) -> Iterator[Edge]:
        if isinstance(node, exp.Column):
            for edge in column_edges(scope, node.name, node.table, node.parts[0].name):
                yield Edge(edge.node, edge.column, stronger(transform, edge.transform))
            return
        if isinstance(node, exp.Subquery | exp.Select | exp.SetOperation):
            for edges in self._query(node, ctes, scope).columns.values():
                for edge in edges:
                    yield Edge(edge.node, edge.column, stronger(transform, edge.transform))
            return
        if isinstance(node, exp.Star):
            rows = [] if transform in STOPPING else [r for a, r in scope.relations.items() if a != ALIASES]
            for edge in row(rows, {c.name.lower() for c in _listed(node, "except_", "except", "exclude")}):
                yield Edge(edge.node, edge.column, stronger(transform, edge.transform))
            return
        if isinstance(node, exp.Predicate) and not isinstance(node, exp.Subquery):
            return
        if not _YES_OR_NO.isdisjoint(_function_names(node)):
            return
        inner = self._through(node, transform)
        for child in _values(node):
            yield from self._flow(child, scope, ctes, inner)

    def _through(self, node: Any, transform: str) -> str:
        """The transform of a value below ``node``."""
        if isinstance(node, exp.Paren | exp.Alias | exp.Window | exp.IgnoreNulls | exp.RespectNulls):
            return transform
        own = EXPRESSION
        names = _function_names(node)
        if names:
            if _matches(names, self.breakers.hashing):
                own = HASH
            elif _matches(names, self.breakers.masking):
                own = MASK
            elif isinstance(node, exp.AggFunc) and _matches(names, self.breakers.aggregating):
                own = AGGREGATE
        return stronger(transform, own)


_YES_OR_NO = frozenset((
    "contains", "contains_substr", "containssubstr", "icontains", "startswith", "starts_with", "endswith", "ends_with",
    "isnull", "isnotnull", "empty", "notempty", "arrayexists", "arrayall", "array_exists", "any_match", "all_match",
    "exists", "rlike", "ilike", "like_any", "hastoken", "is_null_value",
))  # fmt: skip
"""Functions that answer a question: they are conditions, though the parser does not say so."""


def _star(projection: Any) -> Any:
    """The star of ``*`` and ``t.*``; None for anything else."""
    if isinstance(projection, exp.Star):
        return projection
    if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
        return projection.this
    return None


def _listed(star: Any, *names: str) -> list[Any]:
    for name in names:
        found = star.args.get(name)
        if found:
            return list(found) if isinstance(found, list) else [found]
    return []


def _values(node: Any) -> Iterable[Any]:
    """Those children whose value becomes part of the node's: not conditions, orders, partitions or types."""
    if isinstance(node, exp.Case):
        branches = [i.args.get("true") for i in node.args.get("ifs") or ()]
        return [b for b in [*branches, node.args.get("default")] if b is not None]
    if isinstance(node, exp.If):
        return [b for b in (node.args.get("true"), node.args.get("false")) if b is not None]
    if isinstance(node, exp.Window | exp.WithinGroup | exp.Filter):
        return [node.this]
    if isinstance(node, exp.Nullif):
        return [node.this]
    children = [c.this if isinstance(c, exp.Order) else c for c in node.iter_expressions()]  # array_agg(x order by y)
    return [c for c in children if c is not None and not isinstance(c, exp.DataType | exp.TableAlias)]


def _function_names(node: Any) -> list[str]:
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return [node.name.lower()]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
        return [node.expression.name.lower()]
    if isinstance(node, exp.Func):
        return [n.lower() for n in type(node).sql_names()] + [type(node).__name__.lower()]
    return []


def _matches(names: list[str], patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _renamed(relation: Relation, alias: Any) -> Relation:
    """With the column names of ``as t (a, b)``."""
    names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if not names:
        return relation
    edges = list(relation.columns.values())
    return Relation({n: edges[i] if i < len(edges) else [] for i, n in enumerate(names)}, relation.open)
