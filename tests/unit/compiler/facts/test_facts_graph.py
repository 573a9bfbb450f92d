"""Rings in graphs, against a search from every node."""

from __future__ import annotations

import random

import pytest

from compiler.facts.graph import cycles


def rings(edges: dict[str, list[str]]) -> list[list[str]]:
    """Those that reach each other, by following all edges from each."""
    reached: dict[str, set[str]] = {}
    for start in edges:
        found: set[str] = set()
        pending = [start]
        while pending:
            for target in edges.get(pending.pop(), ()):
                if target in edges and target not in found:
                    found.add(target)
                    pending.append(target)
        reached[start] = found
    same = {frozenset(b for b in edges if b in reached[a] and a in reached[b]) for a in edges}
    return sorted(sorted(ring) for ring in same if ring)


@pytest.mark.parametrize("seed", range(60))
def test_rings_are_those_that_reach_each_other(seed: int) -> None:
    rnd = random.Random(seed)
    names = [f"n{i}" for i in range(rnd.randint(1, 12))]
    edges = {name: rnd.choices([*names, "elsewhere"], k=rnd.randint(0, 2)) for name in names}
    assert cycles(edges) == rings(edges)


def test_what_only_leads_to_a_ring_is_in_none() -> None:
    assert cycles({"a": ["b"], "b": ["c", "c"], "c": ["b"], "d": [], "e": ["d"], "f": ["f"]}) == [["b", "c"], ["f"]]
