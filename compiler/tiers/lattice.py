"""One lattice for all that is inherited: how a child's leaf joins with its parent's.

| order | the child may |
| --- | --- |
| ``override`` | replace |
| ``stricter_up``, ``stricter_down`` | raise, lower |
| ``extend`` | add to a list |
| ``intersect`` | take from a list |
| ``fixed`` | only repeat |

The joined value is never weaker than the parent's, whatever the child says; whether it was allowed to say so is
answered beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Rank = Callable[[Any], Any]


def join(order: str, parent: Any, child: Any, rank: Rank = lambda value: value) -> tuple[Any, bool]:
    """The joined value of two leaves that are both given, and whether the child was allowed to say what it said."""
    if order == "fixed":
        return parent, parent == child
    if order == "extend":
        if not (isinstance(parent, list) and isinstance(child, list)):
            return parent, parent == child
        return [*parent, *(v for v in child if v not in parent)], True
    if order == "intersect":
        if not (isinstance(parent, list) and isinstance(child, list)):
            return parent, parent == child
        return [v for v in parent if v in child], all(v in parent for v in child)
    if order in ("stricter_up", "stricter_down"):
        above, below = rank(parent), rank(child)
        stronger = below >= above if order == "stricter_up" else below <= above
        return (child, True) if stronger else (parent, False)
    return child, True
