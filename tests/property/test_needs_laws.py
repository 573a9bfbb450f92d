"""What is used of the IR: the look-up in a tree answers as comparing with each path does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compiler.ir.needs import covered

PATHS = st.lists(st.sampled_from(("models", "name", "columns", "*")), max_size=4).map(tuple)


def compared(needs: frozenset[tuple[str, ...]], path: tuple[str, ...]) -> bool:
    return any(all(a == b or "*" in (a, b) for a, b in zip(need, path, strict=False)) for need in needs)


@given(st.frozensets(PATHS, max_size=5), PATHS)
def test_a_path_is_covered_where_one_of_the_paths_meets_it(
    needs: frozenset[tuple[str, ...]], path: tuple[str, ...]
) -> None:
    assert covered(needs, path) is compared(needs, path)
    assert covered(None, path)
