"""What names mean inside a query, and what flows where: shared by the readers of SQL, whatever parses it for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from compiler.facts.lineage.model import AGGREGATE, COPY, EXPRESSION, HASH, MASK, RENAME, Edge, Relation
from compiler.structs import Struct, field

ALIASES = ""
"""The select's own columns, which later ones of it may use by name."""
STRENGTH = {name: i for i, name in enumerate((COPY, RENAME, EXPRESSION, AGGREGATE, MASK, HASH))}


class Scope(Struct):
    """What names mean inside one select: relations by alias, and the select around it."""

    relations: dict[str, Relation] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    """By the names of a relation that has no alias, the one that it is found by."""
    outer: Scope | None = None

    def name_column(self, name: str, edges: list[Edge]) -> None:
        """Let later columns of the select use this one."""
        self.relations.setdefault(ALIASES, Relation({})).columns.setdefault(name, edges)


def stronger(one: str, other: str) -> str:
    """The transform of the two that says more."""
    return max(one, other, key=STRENGTH.__getitem__)


def column_edges(scope: Scope | None, name: str, table: str = "", first: str = "") -> list[Edge]:
    """What ``name``, or ``table.name``, comes from; ``first`` is the first part of a name with dots."""
    lowered, table = name.lower(), table.lower()
    if table and not _known(table, scope):
        return [Edge(e.node, e.column, EXPRESSION) for e in column_edges(scope, first)]
    while scope is not None:
        own = _alias(table, scope)
        relations = [r for a, r in scope.relations.items() if a == own] if table else list(scope.relations.values())
        for relation in relations:
            for given, edges in relation.columns.items():
                if given.lower() == lowered:
                    return edges
        whole = list(row([scope.relations[lowered]])) if not table and lowered in scope.relations else []
        opened = [o for r in relations for o in r.open]
        if opened or whole:
            return [*whole, *(Edge(o, name, COPY) for o in opened)]
        if relations and table:
            return []
        scope = scope.outer
    return []


def gathered(flowing: Iterable[Edge], *, renamed: bool) -> list[Edge]:
    """Each column once, by the weakest of its transforms; what is copied under another name is ``renamed``."""
    found: dict[tuple[str, str], Edge] = {}
    for edge in flowing:
        transform = RENAME if renamed and edge.transform == COPY else edge.transform
        key = (edge.node, edge.column)
        kept = found.get(key)
        if kept is None or STRENGTH[transform] < STRENGTH[kept.transform]:
            found[key] = Edge(edge.node, edge.column, transform)
    return list(found.values())


def expand(
    scope: Scope,
    table: str,
    columns: dict[str, list[Edge]],
    opened: list[str],
    excluded: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
    replaced: Mapping[str, list[Edge]] | None = None,
) -> None:
    """Add what ``*`` or ``table.*`` stands for to ``columns`` and ``opened``; names are in lower case."""
    names, given = renamed or {}, replaced or {}
    table = _alias(table, scope)
    if table and table not in scope.relations:  # the fields of a value, which may be a row with these names
        for edge in column_edges(scope, table):
            if edge.column.lower() not in (table, *excluded):
                inner = Edge(edge.node, edge.column, stronger(EXPRESSION, edge.transform))
                columns.setdefault(names.get(edge.column.lower(), edge.column), []).append(inner)
    for alias, relation in scope.relations.items():
        if alias == ALIASES or (table and alias != table):
            continue
        opened.extend(o for o in relation.open if o not in opened)
        for name, edges in relation.columns.items():
            lowered = name.lower()
            if lowered not in excluded:
                columns.setdefault(names.get(lowered, name), given.get(lowered, edges))


def row(relations: Iterable[Relation], excluded: Collection[str] = ()) -> Iterator[Edge]:
    """A whole row as one value (``to_json(t)``, ``object_construct(*)``): what flows into any of its columns."""
    for relation in relations:
        for name, edges in relation.columns.items():
            for edge in edges if name.lower() not in excluded else ():
                yield Edge(edge.node, edge.column, stronger(EXPRESSION, edge.transform))


def union(left: Relation, right: Relation) -> Relation:
    """Columns by position, named as on the left."""
    rights = list(right.columns.values())
    columns = {}
    for index, (name, edges) in enumerate(left.columns.items()):
        others = rights[index] if index < len(rights) else []
        columns[name] = [*edges, *(e for e in others if e not in edges)]
    if not left.columns and left.open == [] and right.columns:
        columns = dict(right.columns)
    return Relation(columns, [*left.open, *(o for o in right.open if o not in left.open)])


def union_by_name(left: Relation, right: Relation) -> Relation:
    """Columns by name; those of the right alone come after."""
    columns = dict(left.columns)
    names = {name.lower(): name for name in columns}
    for name, edges in right.columns.items():
        own = names.get(name.lower(), name)
        known = columns.get(own, [])
        columns[own] = [*known, *(e for e in edges if e not in known)]
    return Relation(columns, [*left.open, *(o for o in right.open if o not in left.open)])


def _alias(table: str, scope: Scope) -> str:
    """The name by which a relation is in the scope."""
    return table if table in scope.relations else scope.called.get(table, table)


def _known(table: str, scope: Scope | None) -> bool:
    """False where a name before a dot is no relation: then it is a column with fields."""
    while scope is not None:
        if _alias(table, scope) in scope.relations:
            return True
        scope = scope.outer
    return False
