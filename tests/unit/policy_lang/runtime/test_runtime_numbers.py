"""Arithmetic as OPA 1.22.2 has it: whole numbers exact, else floats with 64 bits and their shortest decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from policy_lang.runtime import numbers
from policy_lang.runtime.builtins import collections, go_base64, strings  # noqa: F401 - registers what is called below
from policy_lang.runtime.builtins.registry import TABLE


@pytest.mark.parametrize(
    ("operation", "left", "right", "wanted"),
    [
        ("plus", "0.1", "0.2", "0.3"),
        ("minus", "1.0", "0.30000000000000004", "0.69999999999999996004"),
        ("times", "0.30000000000000004", "-2.5", "-0.75000000000000009996"),
        ("plus", "1.5", "123456789012345678901234567890", "123456789012345678900000000000"),
        ("plus", "1e21", "1", "1000000000000000000001"),
        ("times", "9007199254740993", "1257894000.5", "11330101903846766277000000"),
        ("divide", "123456789012345678901234567890", "2", "61728394506172839450000000000"),
        ("divide", "18446744073709551616", "0.5", "36893488147419103230"),
        ("divide", "1", "3", "0.33333333333333333334"),
        ("divide", "10", "4", "2.5"),
    ],
)
def test_operations(operation: str, left: str, right: str, wanted: str) -> None:
    one, other = (int(text) if text.lstrip("-").isdigit() else Decimal(text) for text in (left, right))
    assert str(getattr(numbers, operation)(one, other)) == wanted


@pytest.mark.parametrize(
    ("function", "given", "wanted"),
    [
        ("ceiling", "-0.5", 1),
        ("ceiling", "-1.5", -1),
        ("ceiling", "1.2", 2),
        ("floor", "-0.5", 0),
        ("floor", "-1.5", -2),
        ("floor", "1.9", 1),
        ("rounded", "2.5", 3),
        ("rounded", "-2.5", -3),
        ("rounded", "-9223372036854775809.0", -9223372036854775810),
        ("absolute", "1e3", 1000),
        ("ceiling", "123456789012345678901234567890", 123456789012345678899921813504),
    ],
)
def test_roundings(function: str, given: str, wanted: int) -> None:
    assert getattr(numbers, function)(Decimal(given)) == wanted


def test_sums_of_whole_numbers_are_exact_and_others_are_added_one_by_one() -> None:
    assert numbers.total([Decimal("1e400"), 1]) == 10**400 + 1
    assert numbers.total([1, Decimal("0.5"), Decimal("0.25")]) == Decimal("1.75")
    assert numbers.product([]) == 1


@pytest.mark.parametrize(
    ("text", "at"), [("1.5GB", 1), ("?", 0), ("YQ=", 3), ("YQ==x", 4), ("YQ", 0), ("YQ=\nx", 3), ("Y Q==", 1)]
)
def test_base64_names_the_byte_that_is_wrong(text: str, at: int) -> None:
    with pytest.raises(ValueError, match=f"at input byte {at}$"):
        go_base64.decode(text)


def test_base64_takes_line_breaks_anywhere() -> None:
    assert go_base64.decode("Y\nQ=\r\n=\n") == b"a"
    assert go_base64.decode_url("_-8") == b"\xff\xef"


def test_object_union_n_joins_from_left_to_right() -> None:
    parts = [{"x": {"p": 1}}, {"x": {}}, {"x": 5}, {"x": {"q": 2}}, {"x": {"r": {"s": 1}}}, {"x": {"r": {"t": 2}}}]
    assert TABLE["object.union_n"](parts) == {"x": {"q": 2, "r": {"s": 1, "t": 2}}}
    assert parts[4] == {"x": {"r": {"s": 1}}}


def test_trim_space_takes_what_go_takes_for_space() -> None:
    assert TABLE["trim_space"]("\u00a0\u3000a\x1c ") == "a\x1c"
