"""Patterns that need no RE2: a prefix, a suffix, a few words to choose from, letters of one class to the end.

Most patterns that policies are given are of this kind, and texts have methods for them. To import RE2 takes as long as
to judge a project of fifty models.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

_LITERALS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/ :;,=@#%&~'\"<>!")
_ESCAPED = frozenset(".+*?()[]{}|^$-/")
_RANGES = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")
_MOST_WORDS = 128


def plain(pattern: str) -> Callable[[str], bool] | None:
    """What says of a text whether RE2 finds ``pattern`` in it; None where the pattern is not of this kind."""
    anchored = pattern.startswith("^")
    parts: list[tuple[str, ...]] = []
    at, end, ended = int(anchored), len(pattern), False
    words = 1
    while at < end:
        if pattern[at] == "$" and at == end - 1:
            ended, at = True, end
            break
        read = _atom(pattern, at)
        if read is None:
            return None
        atom, at = read
        if pattern[at : at + 1] in ("*", "+"):
            one_class = anchored and pattern[at + 1 :] == "$" and all(len(one) == 1 for one in atom)
            return _then(_words(parts), "".join(atom), pattern[at] == "+") if one_class else None
        words *= len(atom)
        if words > _MOST_WORDS:
            return None
        parts.append(atom)
    if not parts:
        return None
    return _found(_words(parts), anchored, ended)


def _atom(pattern: str, at: int) -> tuple[tuple[str, ...], int] | None:
    """The words that a letter, a class or a group of words stands for, and where the next atom begins."""
    first = pattern[at]
    if first in _LITERALS:
        return (first,), at + 1
    if first == "\\":
        escaped = pattern[at + 1 : at + 2]
        return ((escaped,), at + 2) if escaped in _ESCAPED else None
    close = pattern.find({"(": ")", "[": "]"}.get(first, ""), at) if first in "([" else -1
    if close < 0:
        return None
    inner = pattern[at + 1 : close]
    if first == "[":
        chars = _class(inner)
        return (chars, close + 1) if chars else None
    words = inner.split("|")
    return (tuple(words), close + 1) if all(word and _LITERALS.issuperset(word) for word in words) else None


def _class(inner: str) -> tuple[str, ...]:
    """The letters of a class of letters and ranges; none where it is not that."""
    found: dict[str, None] = {}
    at = 0
    while at < len(inner):
        first, last = inner[at], inner[at + 2 : at + 3]
        if inner[at + 1 : at + 2] == "-" and last:
            letters = next((r[r.index(first) : r.index(last) + 1] for r in _RANGES if first in r and last in r), "")
            if not letters:
                return ()
            at += 3
        elif first.isalnum() or first == "_" or (first in "-./" and at == len(inner) - 1 and at):
            letters, at = first, at + 1
        else:
            return ()
        found.update(dict.fromkeys(letters))
    return tuple(found) if inner.isascii() else ()


def _words(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(map("".join, product(*parts)))


def _found(words: tuple[str, ...], anchored: bool, ended: bool) -> Callable[[str], bool]:
    if anchored and ended:
        return frozenset(words).__contains__
    if anchored:
        return lambda text: text.startswith(words)
    if ended:
        return lambda text: text.endswith(words)
    return lambda text: any(word in text for word in words)


def _then(words: tuple[str, ...], letters: str, one: bool) -> Callable[[str], bool]:
    """One of ``words``, then nothing but ``letters``, ``one`` of them at least."""
    starts = [(n, tuple(word for word in words if len(word) == n)) for n in sorted({len(word) for word in words})]

    def found(text: str) -> bool:
        return any(
            text.startswith(begun) and not text[n:].strip(letters) and (not one or len(text) > n) for n, begun in starts
        )

    return found
