"""Which layer of the platform's data architecture a node belongs to."""

from __future__ import annotations

import re
from typing import Any


def layer_of(node: dict[str, Any], layers: list[dict[str, Any]]) -> str | None:
    """The layer's name: from ``meta.floe.layer``, else a prefix or pattern of a layer, else the node's folder."""
    floe = node["meta"].get("floe")
    if isinstance(floe, dict) and isinstance(floe.get("layer"), str):
        return str(floe["layer"])
    name = str(node["name"])
    for layer in layers:
        pattern = layer.get("pattern")
        if name.startswith(tuple(layer.get("prefixes") or ())) or (pattern and re.search(pattern, name)):
            return str(layer["name"])
    folders = str(node["path"]).split("/")[:-1]
    return next((str(layer["name"]) for layer in layers if layer["name"] in folders), None)


def coverage(columns: list[dict[str, Any]]) -> float | None:
    """Per cent of the columns that have at least one test; None where there are no columns."""
    if not columns:
        return None
    return 100 * sum(1 for column in columns if column["tests"]) / len(columns)
