"""Rings in a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def cycles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Each strongly connected component that holds a ring, its members sorted; Tarjan's algorithm without recursion."""
    edges = _tied(edges)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            target = next((t for t in targets if t in edges and (t not in index or t in on_stack)), None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_component(node, stack, on_stack))
            elif target in index:
                low[node] = min(low[node], index[target])
            else:
                index[target] = low[target] = len(index)
                stack.append(target)
                on_stack.add(target)
                work.append((target, iter(edges[target])))
    return sorted(c for c in found if len(c) > 1 or c[0] in edges[c[0]])


def _tied(edges: Mapping[str, Iterable[str]]) -> Mapping[str, Iterable[str]]:
    """The nodes from which a ring is reached: nearly always none."""
    waiting: dict[str, int] = {}
    users: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        inside = [target for target in targets if target in users]
        waiting[node] = len(inside)
        for target in inside:
            users[target].append(node)
    free = [node for node, count in waiting.items() if not count]
    for node in free:  # which grows meanwhile
        for user in users[node]:
            waiting[user] -= 1
            if not waiting[user]:
                free.append(user)
    return {node: edges[node] for node, count in waiting.items() if count}


def _component(node: str, stack: list[str], on_stack: set[str]) -> list[str]:
    members = []
    while True:
        members.append(stack.pop())
        on_stack.discard(members[-1])
        if members[-1] == node:
            return sorted(members)
