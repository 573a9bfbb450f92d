"""Which layer a node gets: meta before tier, tier before prefix, prefix before pattern, pattern before folder."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.ir.layers import Layers

LAYERS = [
    {"name": "bronze", "rank": 0, "prefixes": ["bronze_", "brz_"], "pattern": None},
    {"name": "gold", "rank": 1, "prefixes": [], "pattern": "^(dim|fct)_"},
]
TRANSFORMS = [{"path": "./dbt/models/marts/", "tier": "gold"}, {"path": "dbt/models/", "tier": None}]


@pytest.mark.parametrize(
    ("name", "path", "meta", "layer"),
    [
        ("bronze_a", "models/gold/bronze_a.sql", {}, "bronze"),
        ("brz_a", "models/brz_a.sql", {}, "bronze"),
        ("dim_a", "models/dim_a.sql", {}, "gold"),
        ("a", "models/gold/a.sql", {}, "gold"),
        ("bronze_a", "models/a.sql", {"floe": {"layer": "gold"}}, "gold"),
        ("bronze_a", "models/marts/deep/bronze_a.sql", {}, "gold"),
        ("a", "models/a.sql", {"floe": {"layer": 3}}, None),
        ("gold", "gold.sql", {}, None),
    ],
)
def test_the_order_of_what_decides(name: str, path: str, meta: dict[str, Any], layer: str | None) -> None:
    assert Layers(LAYERS, TRANSFORMS, "dbt").of({"name": name, "path": path, "meta": meta}) == layer


def test_a_pattern_that_is_none_places_nothing() -> None:
    layers = [{"name": "gold", "rank": 0, "prefixes": [], "pattern": "("}]
    assert Layers(layers).of({"name": "dim_a", "path": "models/dim_a.sql", "meta": {}}) is None
