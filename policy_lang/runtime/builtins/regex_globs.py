"""``regex.globs_match``: whether two glob-like patterns have a text in common.

A pattern is made of characters, ``.``, sets ``[a-z]``, each perhaps with ``+`` or ``*`` after it, and
``\\`` before a character that stands for itself. Both are small automata; a common text exists where their
product reaches an end.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from policy_lang.runtime.builtins.registry import BuiltinError, builtin

_ANY = None
Characters = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Step:
    """``characters`` None is any; ``least`` 0 or 1; ``many`` says that it may repeat."""

    characters: Characters
    least: int
    many: bool


@builtin("regex.globs_match", "string", "string")
def globs_match(left: str, right: str) -> bool:
    one, other = _steps(left), _steps(right)
    # The third part says that a character was read: an empty text in common does not count.
    pending = [(0, 0, False)]
    seen = set(pending)
    while pending:
        i, j, read = pending.pop()
        if i == len(one) and j == len(other) and read:
            return True
        for following in _moves(one, other, i, j, read):
            if following not in seen:
                seen.add(following)
                pending.append(following)
    return False


def _moves(one: tuple[_Step, ...], other: tuple[_Step, ...], i: int, j: int, read: bool) -> list[tuple[int, int, bool]]:
    found = []
    if i < len(one) and one[i].least == 0:
        found.append((i + 1, j, read))
    if j < len(other) and other[j].least == 0:
        found.append((i, j + 1, read))
    if i < len(one) and j < len(other) and _meet(one[i].characters, other[j].characters):
        found.append((i + 1, j + 1, True))
        if one[i].many:
            found.append((i, j + 1, True))
        if other[j].many:
            found.append((i + 1, j, True))
    return found


def _meet(one: Characters, other: Characters) -> bool:
    return one is _ANY or other is _ANY or not one.isdisjoint(other)


@functools.lru_cache(maxsize=256)
def _steps(text: str) -> tuple[_Step, ...]:
    found: list[_Step] = []
    at = 0
    while at < len(text):
        start = at
        characters, at = _characters(text, at)
        flag = text[at : at + 1]
        if flag == "+":
            found.append(_Step(characters, 1, False))
            found.append(_Step(characters, 0, True))
        elif flag == "*":
            found.append(_Step(characters, 0, True))
        else:
            found.append(_Step(characters, 1, False))
            continue
        at = max(at + 1, start + 1)
    return tuple(found)


def _characters(text: str, at: int) -> tuple[Characters, int]:
    char = text[at]
    if char == "\\":
        if at + 1 == len(text):
            raise _invalid(text, at, "escape character at the end")
        return frozenset(text[at + 1]), at + 2
    if char == ".":
        return _ANY, at + 1
    if char == "[":
        return _set(text, at)
    if char == "]":
        raise _invalid(text, at + 1, "set-close ']' with no preceding '['")
    if char in "+*":
        raise _invalid(text, at + 1, "flag must be preceded by a non-flag")
    return frozenset(char), at + 1


def _set(text: str, start: int) -> tuple[Characters, int]:
    members: set[str] = set()
    at = start + 1
    while at < len(text) and text[at] != "]":
        if text[at] == "\\":
            at += 1
        if at + 2 < len(text) and text[at + 1] == "-" and text[at + 2] != "]":
            last = at + 3 if text[at + 2] == "\\" else at + 2
            if last >= len(text) or text[last] < text[at]:
                raise _invalid(text, at + 1, "range is out of order")
            members.update(map(chr, range(ord(text[at]), ord(text[last]) + 1)))
            at = last + 1
        elif at < len(text):
            members.add(text[at])
            at += 1
    if at >= len(text):
        raise _invalid(text, start + 1, "set-open '[' with no following ']'")
    return frozenset(members), at + 1


def _invalid(text: str, position: int, what: str) -> BuiltinError:
    message = f"input:{text}, pos:{position}, {what}: the input provided is invalid"
    return BuiltinError("eval_builtin_error", f"regex.globs_match: {message}")
