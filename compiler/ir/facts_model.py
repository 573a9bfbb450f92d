"""The facts about a dbt project, as both readers (manifest, files) give them."""

from __future__ import annotations

from typing import Any

import msgspec

Entry = dict[str, Any]


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
    sql: dict[str, str] = {}
    """SQL of nodes by ``unique_id``, compiled where dbt compiled it, else as written; for lineage, not for policies."""
