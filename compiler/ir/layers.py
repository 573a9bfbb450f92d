"""Which layer of the platform's data architecture a node belongs to."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

Entry = dict[str, Any]


class Layers:
    """The layers of a platform and the tiers of a product's transforms, made ready to place many nodes.

    ``project`` is the dbt project's folder as seen from the product's, whose paths the transforms give.
    """

    def __init__(self, layers: Sequence[Entry], transforms: Sequence[Entry] = (), project: str = ".") -> None:
        self.ranks: dict[str, int] = {layer["name"]: layer["rank"] for layer in layers}
        self._tiers = [
            (f"{posixpath.relpath(t['path'], project)}/", t["tier"])
            for t in transforms
            if t.get("path") and t.get("tier") in self.ranks
        ]
        self._prefixes = [(tuple(layer["prefixes"]), layer["name"]) for layer in layers if layer["prefixes"]]
        # Tiers are of the ranks; where the platform names no layer there is nothing to look for in a thousand paths.
        self._known = bool(layers)
        self._patterns = [(_compiled(layer["pattern"]), layer["name"]) for layer in layers if layer.get("pattern")]

    def of(self, node: Entry) -> str | None:
        """The layer's name: ``meta.floe.layer``, else a transform's tier, a prefix, a pattern, else the folder."""
        meta = node["meta"]
        if meta:
            floe = meta.get("floe")
            if isinstance(floe, dict) and isinstance(floe.get("layer"), str):
                return str(floe["layer"])
        if not self._known:
            return None
        path, name = node["path"], node["name"]
        for folder, tier in self._tiers:
            if folder == "./" or path.startswith(folder):
                return str(tier)
        for prefixes, layer in self._prefixes:
            if name.startswith(prefixes):
                return str(layer)
        for pattern, layer in self._patterns:
            if pattern is not None and pattern.search(name):
                return str(layer)
        return next((part for part in path.split("/")[:-1] if part in self.ranks), None)


def _compiled(pattern: str) -> Any:
    """RE2, as in policies, because a manifest's pattern may come from others; None where it is not one."""
    import re2

    try:
        return re2.compile(pattern)
    except re2.error:
        return None
