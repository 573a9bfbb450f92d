"""“Did you mean”: the nearest of a set of known words."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to ``word``, or None where none is near enough.

    Case, ``-`` and ``_`` do not count; at most a third of the letters (and at least one) may differ.
    Of equally near words the alphabetically first is taken, so that messages are the same on each run.
    """
    wanted = _fold(word)
    best: str | None = None
    best_distance = max(1, len(wanted) // 3) + 1
    for candidate in sorted(set(known)):
        distance = _distance(wanted, _fold(candidate), best_distance)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as ``did you mean `owner`?``, or an empty string."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found is not None else ""


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def _distance(left: str, right: str, limit: int) -> int:
    """Edit distance with transpositions (optimal string alignment), cut off at ``limit``."""
    if abs(len(left) - len(right)) >= limit:
        return limit
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) >= limit:
            return limit
        before, previous = previous, current
    return previous[-1]
