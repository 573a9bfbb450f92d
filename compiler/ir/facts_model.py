"""The facts about a dbt project, as both readers (manifest, files) give them."""

from __future__ import annotations

from typing import Any

import msgspec

Entry = dict[str, Any]
LISTS = ("models", "seeds", "snapshots", "sources", "exposures", "metrics", "semantic_models", "saved_queries",
         "macros", "groups", "unit_tests", "tests")  # fmt: skip


class Origin:
    """What facts were made of; it is no part of what they say, so that any two are equal.

    ``base`` tells what was kept of an earlier run from all else ("": nothing was); ``touched`` holds the ``unique_id``
    of each entry that differs from it: exchanged, new or gone.
    """

    __slots__ = ("base", "touched")

    def __init__(self, base: str = "", touched: frozenset[str] = frozenset()) -> None:
        self.base = base
        self.touched = touched

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return hash(Origin)


class Facts(msgspec.Struct, frozen=True):
    """A project's facts: each list holds plain objects in the shape of docs/ir.md, ordered by ``unique_id``."""

    project: Entry
    models: list[Entry] = []
    seeds: list[Entry] = []
    snapshots: list[Entry] = []
    sources: list[Entry] = []
    exposures: list[Entry] = []
    metrics: list[Entry] = []
    semantic_models: list[Entry] = []
    saved_queries: list[Entry] = []
    macros: list[Entry] = []
    groups: list[Entry] = []
    unit_tests: list[Entry] = []
    tests: list[Entry] = []
    held: list[Any] = []
    """What entries were made of: it goes when they go, because to take it apart before takes a while."""
    sql: dict[str, str] = {}
    """SQL of nodes by ``unique_id``, compiled where dbt compiled it, else as written; for lineage, not for policies."""
    origin: Origin = Origin()
