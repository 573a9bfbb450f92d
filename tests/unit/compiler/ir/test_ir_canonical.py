from __future__ import annotations

from decimal import Decimal

import pytest

from compiler.ir.canonical import canonical, digest


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (Decimal("1.10"), "1.1"), (Decimal("3.0"), "3"), (-0.0, "0"), (1e21, "1e+21"), (1e20, "1" + "0" * 20),
        (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (0.000001, "0.000001"), (-12.5, "-12.5"),
        (333333333.33333329, "333333333.3333333"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_ecmascript_does(number: float, text: str) -> None:
    assert canonical(number).decode() == text


def test_keys_are_sorted_by_utf16_and_text_is_utf8() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2, "a": [None, True, "é"]}).decode() == (
        '{"a":[null,true,"é"],"\U0001f600":2,"\ufb33":1}'
    )


def test_the_digest_ignores_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        canonical({1, 2})
    with pytest.raises(ValueError, match="no such number"):
        canonical(float("nan"))
