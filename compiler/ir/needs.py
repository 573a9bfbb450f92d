"""Which parts of the IR are used, so that the rest is neither decoded nor built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

Needs = frozenset[tuple[str, ...]]
"""Paths into the IR that are used, ``*`` for any index or key; a path used whole stands as that prefix."""

ALWAYS = ("unique_id", "name", "source_name", "resource_type", "package", "path", "tests")
"""Fields that every entry has: reports and exemptions name the entry by them."""

DERIVED: Mapping[str, tuple[str, ...]] = {
    "owner": ("meta", "group"),
    "layer": ("meta",),
    "layer_rank": ("layer", "meta"),
    "primary_key": ("columns", "columns.constraints", "constraints", "meta", "tests"),
    "coverage": ("columns", "columns.tests", "tests"),
    "retention_days": ("meta",),
    "used_by": ("depends_on",),
    "refs": ("version", "latest_version", "depends_on"),
    "source_refs": ("depends_on",),
    "columns.classification": ("columns.meta", "columns.tags"),
    "columns.level": ("columns.classification", "columns.meta", "columns.tags"),
    "columns.pii_type": ("columns.meta",),
    "columns.sensitivity": ("columns.meta",),
    "columns.masked": ("columns.meta",),
    "columns.inherited": (
        "columns.classification", "columns.level", "columns.masked", "columns.meta", "columns.tags",
        "refs", "source_refs", "depends_on", "schema", "database", "alias", "identifier", "materialized", "language",
    ),
    "columns.type": ("columns.catalog_type",),
}  # fmt: skip
"""A field and what it is computed from, here or in a later stage."""


LINEAGE = frozenset((*DERIVED["columns.inherited"], "columns.name", "columns.inherited", "columns", "version",
                     "latest_version"))  # fmt: skip
"""What tracing columns takes of every node and source."""


def covered(needs: Needs | None, path: tuple[str, ...]) -> bool:
    """True where something at ``path``, above it or below it is used."""
    if not needs:
        return needs is None
    reached = [_tree(needs)]
    for part in path:
        found: list[_Tree] = []
        for tree in reached:
            if _USED in tree:
                return True
            found += tree.values() if part == "*" else (tree[p] for p in (part, "*") if p in tree)
        reached = found
    return bool(reached)


_Tree = dict[str, Any]
_USED = ""


@lru_cache(maxsize=4)
def _tree(needs: Needs) -> _Tree:
    """The paths as a tree by their parts; where one ends, there is an entry under ``_USED``."""
    root: _Tree = {}
    for path in needs:
        tree = root
        for part in path:
            tree = tree.setdefault(part, {})
        tree[_USED] = {}
    return root


def fields(needs: Needs | None, kind: str, known: Iterable[str]) -> frozenset[str]:
    """Those of the ``known`` fields of the entries in the list ``kind`` that are used, and what they derive from."""
    names = list(known)
    found = {n for n in names if covered(needs, (kind, "*", *_spread(n)))}
    found.update(n for n in names if n in ALWAYS)
    derived = {n for n in DERIVED if covered(needs, (kind, "*", *_spread(n)))}
    pending = list(found | derived)
    while pending:
        for source in DERIVED.get(pending.pop(), ()):
            if source not in found:
                found.add(source)
                pending.append(source)
    return frozenset(found)


def _spread(name: str) -> tuple[str, ...]:
    """``columns.name`` stands for the path ``columns`` → any index → ``name``."""
    first, _, rest = name.partition(".")
    return (first, "*", rest) if rest else (first,)


def code_used(needs: Needs | None) -> bool:
    """True where the texts of models are used."""
    return any(covered(needs, ("models", "*", *field)) for field in (("raw_code",), ("columns", "*", "inherited")))
