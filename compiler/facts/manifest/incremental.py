"""What changed between two manifests of one project, told from the text of their nodes without decoding it.

The hash of a node leaves out ``created_at``: dbt writes a new one with each full parse.
"""

from __future__ import annotations

import hashlib
import itertools
import marshal
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw

from compiler.facts.manifest.read import LISTED, OpenedManifest, section

_CREATED = b'"created_at":'
_GROUP = 64
_TIME = re.compile(rb"\s*[0-9]{10}\.[0-9]+")


def grouped_hashes(opened: OpenedManifest) -> list[tuple[bytes, dict[str, bytes]]]:
    """All nodes, sources, macros and other resources in groups: the hash of all that a group holds, and ``unique_id`` →
    hash of each."""
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
