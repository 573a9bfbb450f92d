"""Whether a policy can tell two states of an IR, or of a part of it, apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Whether two values are one to a policy: unlike Python, it tells ``true`` from 1."""
    if one != other:
        return False
    if isinstance(one, dict):
        return all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def seen_alike(one: Any, other: Any, path: tuple[str, ...]) -> bool:
    """Whether a policy that reads ``path`` below them sees no difference between two values."""
    return same(list(_seen(one, path)), list(_seen(other, path)))


def _seen(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What a policy that reads ``path`` below a value sees of it, with the shape of what it goes through."""
    if not path:
        yield value
    elif isinstance(value, list):
        yield len(value)
        for item in value:
            yield from _seen(item, path[1:])
    elif isinstance(value, dict):
        if path[0] == "*":
            yield sorted(value)
            for key in sorted(value):
                yield from _seen(value[key], path[1:])
        else:
            yield from _seen(value[path[0]], path[1:]) if path[0] in value else (None,)
    else:
        yield value
