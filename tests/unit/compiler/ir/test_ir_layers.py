from __future__ import annotations

from typing import Any

import pytest

from compiler.ir.layers import coverage, layer_of

LAYERS = [{"name": "bronze", "prefixes": ["bronze_"]}, {"name": "gold", "prefixes": [], "pattern": "^(dim|fct)_"}]


@pytest.mark.parametrize(
    ("name", "path", "meta", "layer"),
    [
        ("bronze_a", "models/gold/bronze_a.sql", {}, "bronze"),
        ("dim_a", "models/dim_a.sql", {}, "gold"),
        ("a", "models/gold/a.sql", {}, "gold"),
        ("bronze_a", "models/a.sql", {"floe": {"layer": "gold"}}, "gold"),
        ("a", "models/a.sql", {}, None),
    ],
)
def test_meta_goes_before_name_and_name_before_folder(
    name: str, path: str, meta: dict[str, Any], layer: str | None
) -> None:
    assert layer_of({"name": name, "path": path, "meta": meta}, LAYERS) == layer


def test_coverage_counts_columns_with_a_test() -> None:
    assert coverage([{"tests": ["unique"]}, {"tests": []}]) == 50
    assert coverage([]) is None
