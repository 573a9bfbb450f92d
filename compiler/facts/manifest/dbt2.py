"""What the manifest of dbt 2 (Fusion, and dbt-core written anew) says otherwise than that of dbt 1, made the same.

It has the same schema v12 (v20 in early previews), leaves out optional keys, and fills in what nobody gave:

- a column without ``meta`` or ``tags`` of its own bears those of its node, which dbt calls a defect of its own
  (dbt-core issue 16097); what is the column's own stands under the column's ``config`` too;
- ``config`` of a node holds ``quoting`` and ``static_analysis`` as they are in force, given or not; what was given
  stands in ``unrendered_config``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET

from compiler.facts import entries
from compiler.facts.entries import Entry

_FILLED_IN = ("quoting", "static_analysis")


def written_by_dbt2(metadata: Mapping[str, Any]) -> bool:
    """True where the writer is dbt 2 or newer."""
    major = str(metadata.get("dbt_version") or "").partition(".")[0]
    return major.isdecimal() and int(major) >= 2


def given_config(config: Mapping[str, Any], unrendered: Any) -> Entry:
    """The node's other configurations, without those that dbt filled in."""
    given = entries.mapping(unrendered)
    return entries.other_config({k: v for k, v in config.items() if k not in _FILLED_IN or k in given})


def own_columns(columns: Iterable[Any], meta: dict[str, Any], tags: list[str]) -> list[Any]:
    """The node's columns, without what they have of the node's ``meta`` and ``tags`` only.

    A version of dbt without the defect is told by a column that has nothing where its node has something.
    """
    found = list(columns)
    for field, given in (("meta", meta), ("tags", tags)):
        bare = [c for c in found if c.config is None or getattr(c.config, field) is UNSET]
        if given and all(_plain(getattr(c, field)) == given for c in bare):
            for column in bare:
                setattr(column, field, None)
    return found


def _plain(value: Any) -> Any:
    return entries.tags(value) if isinstance(value, list) else value
