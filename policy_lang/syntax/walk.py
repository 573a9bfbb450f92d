"""Walking the syntax tree without knowing its node types: for tools that look for a few of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from policy_lang.source import Span


@functools.cache
def _parts(kind: type[Any]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name not in ("span", "comments", "annotations"))


def children(node: Any) -> Iterator[Any]:
    """The nodes directly below a node, or in a tuple of nodes, in the order of the source."""
    if isinstance(node, tuple):
        if not isinstance(node, Span):
            for item in node:
                if is_dataclass(item):
                    yield item
                elif isinstance(item, tuple):
                    yield from children(item)
    elif is_dataclass(node) and not isinstance(node, type):
        for name in _parts(type(node)):
            value = getattr(node, name)
            if isinstance(value, tuple):
                yield from children(value)
            elif is_dataclass(value):
                yield value


def walk(node: Any) -> Iterator[Any]:
    """A node and all below it, parents first."""
    stack = [node]
    while stack:
        found = stack.pop()
        if not isinstance(found, tuple):
            yield found
        stack.extend(reversed(list(children(found))))


def map_children(node: Any, change: Callable[[Any], Any]) -> Any:
    """The node with ``change`` applied to each node directly below; what did not change is kept."""
    if isinstance(node, tuple):
        if isinstance(node, Span):
            return node
        items = tuple(
            map_children(item, change) if isinstance(item, tuple) else _changed(item, change) for item in node
        )
        return node if all(a is b for a, b in zip(items, node, strict=True)) else items
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {}
    for name in _parts(type(node)):
        value = getattr(node, name)
        new = map_children(value, change) if isinstance(value, tuple) else _changed(value, change)
        if new is not value:
            changed[name] = new
    return replace(node, **changed) if changed else node


def _changed(item: Any, change: Callable[[Any], Any]) -> Any:
    return change(item) if is_dataclass(item) and not isinstance(item, type) else item


def rewrite(node: Any, change: Callable[[Any], Any]) -> Any:
    """The tree with ``change`` applied to every node, children first; what did not change is kept."""
    made = map_children(node, lambda child: rewrite(child, change))
    return made if isinstance(node, tuple) or not is_dataclass(node) else change(made)
