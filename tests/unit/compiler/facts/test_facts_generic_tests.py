"""Generic tests get the same name and id however they are written."""

from __future__ import annotations

import pytest

from compiler.facts.project.generic_tests import Target, generic_test

TARGETS = [
    Target("m", "ref('m')"),
    Target("m_v2", "ref('m', version='2')"),
    Target("s_t", "source('s', 't')", "source_"),
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@pytest.mark.parametrize("column", ["id", "a b", '"Q"', "it's", "é", "a\\b"])
@pytest.mark.parametrize("kind", ["unique", "_own", "pack.kind", "é"])
def test_the_short_spelling_is_the_long_one(kind: str, column: str, target: Target) -> None:
    short = generic_test(kind, target, column)
    assert short == generic_test({kind: None}, target, column) == generic_test({"test_name": kind}, target, column)
    assert (short is None) == (kind == "é")


def test_the_id_is_dbts() -> None:
    """The id that dbt 1.11.16 writes."""
    test = generic_test("unique", Target("bronze_order_0", "ref('bronze_order_0')"), "id")
    assert test is not None
    assert f"{test.name}.{test.digest}" == "unique_bronze_order_0_id.e999c9349b"
