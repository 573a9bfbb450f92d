"""The facts about a dbt project, as both readers (manifest, files) give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.structs import Struct, field

Entry = dict[str, Any]
LISTS = ("models", "seeds", "snapshots", "sources", "exposures", "metrics", "semantic_models", "saved_queries",
         "macros", "groups", "unit_tests", "tests")  # fmt: skip


class Origin:
    """What facts were made of; it is no part of what they say, so that any two are equal.

    ``base`` tells what was kept of an earlier run from all else ("": nothing was); ``touched`` holds the ``unique_id``
    of each entry that differs from it: exchanged, new or gone. ``contents`` are digests of the files that were read
    (``compiler.file_states``), by path from the project, where somebody asked for them.
    """

    __slots__ = ("base", "contents", "touched")

    def __init__(
        self, base: str = "", touched: frozenset[str] = frozenset(), contents: Mapping[str, bytes] | None = None
    ) -> None:
        self.base = base
        self.touched = touched
        self.contents = contents or {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return hash(Origin)


class Facts(Struct, frozen=True):
    """A project's facts: each list holds plain objects in the shape of docs/ir.md, ordered by ``unique_id``."""

    project: Entry
    models: list[Entry] = field(default_factory=list)
    seeds: list[Entry] = field(default_factory=list)
    snapshots: list[Entry] = field(default_factory=list)
    sources: list[Entry] = field(default_factory=list)
    exposures: list[Entry] = field(default_factory=list)
    metrics: list[Entry] = field(default_factory=list)
    semantic_models: list[Entry] = field(default_factory=list)
    saved_queries: list[Entry] = field(default_factory=list)
    macros: list[Entry] = field(default_factory=list)
    groups: list[Entry] = field(default_factory=list)
    unit_tests: list[Entry] = field(default_factory=list)
    tests: list[Entry] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    """What entries were made of: it goes when they go, because to take it apart before takes a while."""
    sql: dict[str, str] = field(default_factory=dict)
    """SQL of nodes by ``unique_id``, compiled where dbt compiled it, else as written; for lineage, not for policies."""
    origin: Origin = Origin()
