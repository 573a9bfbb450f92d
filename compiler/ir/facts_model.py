"""The facts about a dbt project, as both readers (manifest, files) give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
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
    sql: dict[str, str] = field(default_factory=dict, repr=False)
    """SQL of nodes by ``unique_id``, compiled where dbt compiled it, else as written; for lineage, not for policies."""
