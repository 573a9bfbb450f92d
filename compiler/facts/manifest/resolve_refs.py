"""Which node each ``ref`` and ``source`` of a manifest's node means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from compiler.facts.entries import Entry
from compiler.ir.facts_model import Facts


def resolve_refs(facts: Facts) -> frozenset[str]:
    """Fill in ``unique_id`` of ``refs`` and ``source_refs`` in place, None where nothing has that name.

    Answers the nodes of which one became another.
    """
    changed: set[str] = set()
    named: dict[str, list[str]] = defaultdict(list)
    latest: dict[str, Entry] = {}
    for kind in ("models", "seeds", "snapshots"):
        for node in getattr(facts, kind):
            named[node["name"]].append(node["unique_id"])
            latest[node["unique_id"]] = node
    tables: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in facts.sources:
        tables[source["source_name"], source["name"]].append(source["unique_id"])
    for kind in ("models", "seeds", "snapshots"):
        for node in getattr(facts, kind):
            used = node.get("depends_on", ())
            for ref in node.get("refs", ()):
                target = _node(ref, named.get(ref["name"], []), used, latest, node["package"])
                if ref["unique_id"] != target:
                    ref["unique_id"] = target
                    changed.add(node["unique_id"])
            for ref in node.get("source_refs", ()):
                found = tables.get((ref["source"], ref["table"]), [])
                target = next((f for f in found if f in used), found[0] if found else None)
                if ref["unique_id"] != target:
                    ref["unique_id"] = target
                    changed.add(node["unique_id"])
    return frozenset(changed)


def _node(ref: Entry, ids: list[str], used: Collection[str], nodes: dict[str, Entry], package: str) -> str | None:
    """Among those of the name: of the package and version asked for, and first what dbt says the node depends on."""
    if len(ids) == 1:  # as nearly all names are one node's
        only = nodes[ids[0]]
        fits = ref["package"] in (None, only["package"]) and ref["version"] in (None, only.get("version"))
        return ids[0] if fits else None
    found = [i for i in ids if ref["package"] in (None, nodes[i]["package"])]
    if ref["version"] is not None:
        found = [i for i in found if nodes[i].get("version") == ref["version"]]
    else:
        found = [i for i in found if nodes[i].get("version") == nodes[i].get("latest_version")] or found
    own = [i for i in found if nodes[i]["package"] == package]
    return next((i for i in found if i in used), next(iter(own or found), None))
