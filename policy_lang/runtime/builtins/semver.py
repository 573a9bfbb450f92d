"""Semantic versions (semver.org, 2.0.0), with or without OPA's optional ``v`` before them."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    rf"(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


def _rank(identifier: str | None) -> tuple[int, int, str]:
    """Numbers come before words; a missing identifier before both. Numbers by their digits, however many."""
    if identifier is None:
        return (0, 0, "")
    return (1, len(identifier), identifier) if identifier.isdigit() else (2, 0, identifier)


def _compare(left: re.Match[str], right: re.Match[str]) -> int:
    for one, other in zip(left.groups()[:3], right.groups()[:3], strict=True):
        if one != other:
            return 1 if _rank(one) > _rank(other) else -1
    if left[4] is None or right[4] is None:
        return (left[4] is None) - (right[4] is None)
    for one, other in zip_longest(left[4].split("."), right[4].split(".")):
        if one != other:
            return 1 if _rank(one) > _rank(other) else -1
    return 0


@builtin("semver.compare", "string", "string")
def compare(left: str, right: str) -> int:
    """-1, 0 or 1. Build metadata counts for nothing; a pre-release comes before its release."""
    found = []
    for position, text in enumerate((left, right), 1):
        version = _VERSION.fullmatch(text)
        if version is None:
            raise failure("semver.compare", f"operand {position}: string {text!r} is not a valid SemVer")
        found.append(version)
    return _compare(found[0], found[1])


@builtin("semver.is_valid", "any")
def is_valid(text: Any) -> bool:
    return type(text) is str and _VERSION.fullmatch(text) is not None
