"""Version ranges: what they take, and the order of versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.tiers.versions import best_match, is_range, parse_version

TAGS = ["v1.0.0", "1.2.0", "v1.2.9", "1.2.10", "1.3.0-rc.1", "2.0.0", "0.3.1", "0.3.4", "latest", "0.4.0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1.2.*", "1.2.10"),
        ("1.*.*", "1.2.10"),
        ("1.*", "1.2.10"),
        ("*", "2.0.0"),
        ("^1.0.0", "1.2.10"),
        ("^0.3.1", "0.3.4"),
        ("~1.2.0", "1.2.10"),
        ("~0.3", "0.3.4"),
        (">=1.2.0, <2.0.0", "1.2.10"),
        (">=1.2.0 <1.2.10", "v1.2.9"),
        ("<1.0.0", "0.4.0"),
        ("^3.0.0", None),
        (">2.0.0", None),
        ("1.3.*", None),
    ],
)
def test_the_highest_version_in_a_range(text: str, expected: str | None) -> None:
    assert is_range(text)
    assert best_match(text, TAGS) == expected


@pytest.mark.parametrize("text", ["1.2.3", "v1.2.3", "latest-prod", "1.2.3-rc.1", "", ">=", "^", "1.*.2"])
def test_what_is_no_range(text: str) -> None:
    assert not is_range(text)


def test_versions_are_ordered_as_semver_says() -> None:
    written = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
               "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]  # fmt: skip
    versions = [v for v in map(parse_version, written) if v is not None]
    assert len(versions) == len(written)
    assert sorted(versions, reverse=True)[::-1] == versions


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_a_caret_never_takes_another_major(low: tuple[int, int, int], tag: tuple[int, int, int]) -> None:
    name = ".".join(map(str, tag))
    found = best_match("^" + ".".join(map(str, low)), [name])
    same = tag[0] == low[0] and (low[0] > 0 or (tag[1] == low[1] and (low[1] > 0 or tag[2] == low[2])))
    assert (found == name) == (tag >= low and same)
