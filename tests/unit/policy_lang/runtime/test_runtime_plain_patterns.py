"""Plain patterns find what RE2 finds, and everything else is left to RE2."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_lang.runtime.matching import Matches
from policy_lang.runtime.plain_patterns import plain

PLAIN = [
    "^stg_",
    "^(fct|dim)_",
    "^models/(intermediate|marts)",
    "^[a-z][a-z0-9_]*$",
    "^[a-z]+$",
    "^(a|bc)[x_]*$",
    "^a*$",
    "_id$",
    "^orders$",
    "tmp",
    r"^v\.",
    "^[A-Z_-]$",
    r"a\$",
    "[ab][cd]",
]
OTHERS = [
    "",
    "^",
    "$",
    "^$",
    "a.c",
    r"\d+",
    "^a|b",
    "(?i)a",
    "(?:a|b)",
    "^(a|)b",
    "[^a]",
    "^[a-z]{2}$",
    "^a?b$",
    "a*",
    "^a*b$",
    "[a-z]*$",
    "[[:alpha:]]",
    "[a-Z]",
    "[z-a]",
    "[]a]",
    "^[a-z][a-z0-9][a-z]",
    "(a|b)*",
    "^(ab)*$",
    "a$b",
    "a^",
    "a**",
    "[a",
    "(a",
    "a)",
    "a\\",
    "é",
    "[é]",
    "a\\n",
    "^(a\\|b)$",
    "[a\\]]",
    "[-a]",
]
TEXTS = [
    "",
    "a",
    "stg_orders",
    "fct_x",
    "dim",
    "models/marts/x.sql",
    "A",
    "a\n",
    "_id",
    "x_id\n",
    "orders",
    "ab1_",
    "9a",
    "tmp_1",
    "bé",
    "ı",
    "bcx_x",
    "aaaa",
    "v.",
    "a$",
    "ac",
    "bd\n",
    "-",
    "ax",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
]


@pytest.mark.parametrize("pattern", PLAIN)
def test_a_plain_pattern_finds_what_re2_finds(pattern: str) -> None:
    found, compiled = plain(pattern), re2.compile(pattern)
    assert found is not None
    for text in TEXTS:
        assert found(text) is (compiled.search(text) is not None), text


@pytest.mark.parametrize("pattern", OTHERS)
def test_what_is_not_plain_is_left_to_re2(pattern: str) -> None:
    assert plain(pattern) is None


@settings(max_examples=1500, deadline=None)
@given(st.text("^$()[]|*+?\\ab-z09_./A", max_size=12), st.lists(st.text("abz09_.-/A\n$é", max_size=6), max_size=8))
def test_no_pattern_is_plain_that_re2_reads_otherwise(pattern: str, texts: list[str]) -> None:
    found = plain(pattern)
    if found is None:
        return
    compiled = re2.compile(pattern)
    for text in [*texts, *TEXTS]:
        assert found(text) is (compiled.search(text) is not None), (pattern, text)


def test_matches_hold_what_both_find() -> None:
    for pattern in ("^stg_", r"^stg_\w+$"):
        known = Matches(pattern)
        assert known["stg_orders"] is True
        assert known["orders"] is False
        assert dict(known) == {"stg_orders": True, "orders": False}
