from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from compiler.ir.canonical import canonical, unfit


@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), Decimal("1e400"), "\ud800", {"\udcff": 1}],
    ids=["large", "small", "decimal", "text", "key"],
)
def test_what_no_reader_of_json_gets_alike_has_a_path(value: Any) -> None:
    with pytest.raises(ValueError, match=r"such number|this number|surrogates"):
        canonical({"a": [1, {"b": value}]})
    assert unfit({"a": [1, {"b": value}], "c": 2}) == ("a", 1, "b")
    assert unfit({"a": [1, {"b": 10**300}], "c": "é"}) is None
