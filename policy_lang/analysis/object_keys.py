"""In which order the pairs of an object stand that is written out: of two with one key the last one counts.

OPA keeps the keys of an object in the order of its values, names and calls between the scalars and the collections,
so `{x: 1, "k": 2}` is `{"k": 1}` where x is "k". Keys of one kind keep the order in which they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from policy_lang.syntax import ast

Pair = tuple[ast.Term, ast.Term]
_RANKS: dict[type, int] = {
    ast.Null: 0,
    ast.Boolean: 1,
    ast.Number: 2,
    ast.String: 3,
    ast.Array: 5,
    ast.Object: 6,
    ast.SetTerm: 7,
    ast.ArrayCompr: 8,
    ast.ObjectCompr: 9,
    ast.SetCompr: 10,
}
_NAME = 4


def in_order(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The pairs, the one that counts last."""
    return tuple(sorted(pairs, key=lambda pair: _place(pair[0])))


def _place(key: ast.Term) -> tuple[Any, ...]:
    """What to sort a key by. Scalars of one kind are all the same here: where they differ, so do their keys."""
    rank = _RANKS.get(type(key), _NAME)
    match key:
        case ast.Array() | ast.SetTerm():
            return (rank, *map(_place, key.items))
        case ast.Object():
            return (rank, *(_place(part) for pair in key.items for part in pair))
        case _:
            return (rank,)
