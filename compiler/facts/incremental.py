"""What changed between two manifests of one project, told from the text of their nodes without decoding it.

The hash of a node leaves out ``created_at``: dbt writes a new one with each full parse. A caller that keeps the hashes
and the edges of its last run decodes and judges again only the nodes in ``affected`` (``manifest_facts(only=…)``): what
another node says reaches an entry over one edge (its tests, what it uses, its users), but for column lineage.
"""

from __future__ import annotations

import hashlib
import itertools
import marshal
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Raw

from compiler.facts.manifest import LISTED, OpenedManifest, section
from compiler.ir.facts_model import Facts

_CREATED = b'"created_at":'
_GROUP = 64
_TIME = re.compile(rb"\s*[0-9]{10}\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of nodes by what happened to them."""

    changed: frozenset[str]
    added: frozenset[str]
    removed: frozenset[str]


def node_hashes(opened: OpenedManifest) -> dict[str, bytes]:
    """``unique_id`` → hash of all nodes, sources, macros and other resources."""
    found: dict[str, bytes] = {}
    for name in ("nodes", "sources", *LISTED, "macros"):
        found.update((key, _hash(bytes(raw))) for key, raw in section(opened.split, name).items())
    return found


def grouped_hashes(opened: OpenedManifest) -> list[tuple[bytes, dict[str, bytes]]]:
    """``node_hashes`` in groups, each with the hash of its nodes as they stand."""
    return [(_whole(group), {k: _hash(bytes(raw)) for k, raw in group.items()}) for group in _groups(opened)]


def changed_since(before: Sequence[tuple[bytes, bytes]], opened: OpenedManifest) -> frozenset[str] | None:
    """The nodes whose hashes differ from ``grouped_hashes`` of before (the second part marshalled: it is looked at
    only where a group is another); None where a node is new or gone. dbt may write the same nodes in another order."""
    groups = list(_groups(opened))
    differ = [i for i, group in enumerate(groups) if i >= len(before) or _whole(group) != before[i][0]]
    then: dict[str, bytes] = {}
    for i in {*differ, *range(len(groups), len(before))} & set(range(len(before))):
        then.update(marshal.loads(before[i][1]))
    now = {key: raw for i in differ for key, raw in groups[i].items()}
    if then.keys() != now.keys():
        return None
    return frozenset(key for key, raw in now.items() if _hash(bytes(raw)) != then[key])


def _groups(opened: OpenedManifest) -> Iterator[dict[str, Raw]]:
    for name in ("nodes", "sources", *LISTED, "macros"):
        nodes = iter(section(opened.split, name).items())
        while group := dict(itertools.islice(nodes, _GROUP)):
            yield group


def _whole(group: Mapping[str, Raw]) -> bytes:
    digest = hashlib.sha1("\n".join(group).encode(), usedforsecurity=False)
    for raw in group.values():
        digest.update(b"\0")
        digest.update(raw)
    return digest.digest()


def _hash(text: bytes) -> bytes:
    """SHA-1 is enough here: who can write the manifest can write the cache of it."""
    digest = hashlib.sha1(usedforsecurity=False)
    start = text.find(_CREATED)
    time = _TIME.match(text, start + len(_CREATED)) if start >= 0 else None
    if time is not None and text.find(_CREATED, time.end()) < 0:
        digest.update(text[:start])
        digest.update(text[time.end() :])
    else:
        digest.update(text)
    return digest.digest()


def difference(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> Changes:
    """What happened between two answers of ``node_hashes``."""
    return Changes(
        frozenset(k for k, v in now.items() if k in before and before[k] != v),
        frozenset(now.keys() - before.keys()),
        frozenset(before.keys() - now.keys()),
    )


def edges(facts: Facts) -> dict[str, list[str]]:
    """``unique_id`` → what it depends on and stands on; kept with the hashes of the run."""
    found: dict[str, list[str]] = {}
    for kind in ("models", "seeds", "snapshots", "exposures", "metrics", "semantic_models", "tests"):
        for entry in getattr(facts, kind):
            targets = {*entry.get("depends_on", ()), entry.get("attached_to"), entry.get("model")} - {None}
            found[entry["unique_id"]] = sorted(targets)
    return found


def affected(changes: Changes, *graphs: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The changed nodes with all one edge away from them, by the edges of the last run and of the new nodes."""
    moved = changes.changed | changes.added | changes.removed
    found = set(moved)
    for graph in graphs:
        for source, targets in graph.items():
            if source in moved:
                found.update(targets)
            elif not moved.isdisjoint(targets):
                found.add(source)
    return frozenset(found - changes.removed)
