"""Semantic versions, and the ranges that a reference to a parent may name.

Ranges: ``v1.2.*``, ``v1.*.*``, ``^1.2.3``, ``~1.2.3``, ``>=1.2.0, <2.0.0``, ``*``. A leading ``v`` counts neither in a
range nor in a tag. A version with a pre-release is in no range, as npm and Cargo have it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

_VERSION = Pattern(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z", re.ASCII
)
_WILDCARD = Pattern(r"v?(\*|\d+(?:\.\d+)?(?:\.\*){1,2})\Z", re.ASCII)
_CARET = Pattern(r"([\^~])v?(\d+)(?:\.(\d+))?(?:\.(\d+))?\Z", re.ASCII)
_BOUND = Pattern(r"(>=|<=|>|<|=)\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?\Z", re.ASCII)


class Version(NamedTuple):
    """SemVer 2.0; build metadata is left out, since it does not order."""

    major: int
    minor: int
    patch: int
    pre: tuple[str, ...] = ()

    def __lt__(self, other: tuple[object, ...]) -> bool:
        return isinstance(other, Version) and self._key() < other._key()

    def __le__(self, other: tuple[object, ...]) -> bool:
        return self < other or self == other

    def __gt__(self, other: tuple[object, ...]) -> bool:
        return not self <= other

    def __ge__(self, other: tuple[object, ...]) -> bool:
        return not self < other

    def _key(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        identifiers = tuple((not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in self.pre)
        return (self.major, self.minor, self.patch, not self.pre, identifiers)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{'.'.join(self.pre)}" if self.pre else "")


def parse_version(text: str) -> Version | None:
    """``1.2.3``, ``v1.2.3-rc.1``, ``1.2`` (as 1.2.0); None where it is no version."""
    found = _VERSION.match(text)
    if found is None:
        return None
    pre = tuple(found[4].split(".")) if found[4] else ()
    return Version(int(found[1]), int(found[2]), int(found[3] or 0), pre)


def is_range(text: str) -> bool:
    """Whether ``text`` is a range, not a tag."""
    return _bounds(text) is not None


def best_match(text: str, tags: Iterable[str]) -> str | None:
    """The tag with the highest version in the range ``text``; None where none is."""
    bounds = _bounds(text)
    if bounds is None:
        return None
    fitting = [(v, tag) for tag in tags if (v := parse_version(tag)) is not None and not v.pre and _within(v, bounds)]
    return max(fitting)[1] if fitting else None


_Bounds = list[tuple[str, Version]]


def _within(version: Version, bounds: _Bounds) -> bool:
    tests = {
        ">=": version.__ge__, ">": version.__gt__, "<=": version.__le__, "<": version.__lt__, "=": version.__eq__,
    }  # fmt: skip
    return all(tests[sign](limit) for sign, limit in bounds)


def _bounds(text: str) -> _Bounds | None:
    """The comparisons that a range stands for."""
    text = text.strip()
    if found := _WILDCARD.match(text):
        return _between([int(p) for p in found[1].split(".") if p != "*"])
    if found := _CARET.match(text):
        numbers = [int(g) for g in found.groups()[1:] if g is not None]
        low = _version(numbers)
        if found[1] == "~":
            return [(">=", low), *_between(numbers[:2])[1:]]
        # The first number that is not zero may not change; with fewer numbers, none that is given may.
        keep = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
        return [(">=", low), *_between(numbers[: keep + 1])[1:]]
    bounds: _Bounds = []
    for part in re.split(r"\s*,\s*|\s+(?=[<>=])", text):
        found = _BOUND.match(part)
        if found is None:
            return None
        bounds.append((found[1], _version([int(g or 0) for g in found.groups()[1:]])))
    return bounds


def _version(numbers: list[int]) -> Version:
    major, minor, patch = (*numbers, 0, 0)[:3]
    return Version(major, minor, patch)


def _between(numbers: list[int]) -> _Bounds:
    """From the version that begins with ``numbers`` to below the next."""
    if not numbers:
        return []
    high = [*numbers[:-1], numbers[-1] + 1]
    return [(">=", _version(numbers)), ("<", _version(high))]
