"""The pieces of an entry of docs/ir.md that both readers make in the same way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Entry = dict[str, Any]


def mapping(value: Any) -> dict[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """A list as it is, a single value as a list of one, nothing as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str | None:
    """A scalar as text; None for what is none."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def names_in(unique_id: str) -> list[str]:
    """The names that an id may be of, the likeliest first: names may hold dots, and a version may end the id."""
    name = unique_id.split(".", 2)[-1]
    return [name, name.rpartition(".")[0]] if re.search(r"\.v[^.]+\Z", name) else [name]


def severity(given: Any) -> str:
    """``warn`` or ``error``, which is dbt's default."""
    return "warn" if str(given).lower() == "warn" else "error"


def access(given: Any, kind: str | None) -> str | None:
    """The access of a model (``protected`` where none is given, None where dbt has no such access); None for others."""
    if kind != "model":
        return None
    return given if given in ("private", "protected", "public") else None if given else "protected"


def day(value: Any) -> str | None:
    """A date as text; a time at midnight, as dbt writes it, is the day alone."""
    found = text(value)
    return found[:10] if found is not None and "T00:00:00" in found else found


def tags(*given: Any) -> list[str]:
    """All tags of several places, sorted."""
    return sorted({str(t) for one in given for t in items(one) if isinstance(t, str | int | Decimal)})


def owner(meta: Mapping[str, Any], group_owner: str | None = None) -> str | None:
    """``meta.owner`` (a text, or the name, team or mail of an object), else ``meta.floe.owner``, else the group's."""
    for given in (meta.get("owner"), mapping(meta.get("floe")).get("owner")):
        if isinstance(given, dict):
            given = next((given[k] for k in ("name", "team", "email") if given.get(k)), None)
        if given not in (None, "", []):
            return ", ".join(str(g) for g in items(given))
    return group_owner


def retention_days(meta: Mapping[str, Any]) -> Any:
    """``meta.floe.retention_days`` or ``meta.retention_days`` where it is a number."""
    for given in (mapping(meta.get("floe")).get("retention_days"), meta.get("retention_days")):
        if isinstance(given, int | Decimal) and not isinstance(given, bool):
            return given
    return None


def freshness(given: Any) -> Entry | None:
    """dbt's freshness as hours; None where neither limit has a count."""
    hours = {f"{k}_hours": _hours(mapping(given).get(k)) for k in ("warn_after", "error_after")}
    return None if all(v is None for v in hours.values()) else hours


_PERIOD_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


def _hours(limit: Any) -> int | Decimal | None:
    count, period = mapping(limit).get("count"), str(mapping(limit).get("period"))
    if not isinstance(count, int | Decimal) or isinstance(count, bool) or period not in _PERIOD_MINUTES:
        return None
    minutes = count * _PERIOD_MINUTES[period]
    return int(minutes // 60) if minutes % 60 == 0 else Decimal(minutes) / 60


def column(given: Mapping[str, Any], description: str, declared: bool = True) -> Entry:
    """A column from its YAML or manifest object; what is declared about it in ``meta`` stands beside it."""
    found: Entry = {
        "name": str(given.get("name")),
        "description": description,
        "type": text(given.get("data_type")),
        "tags": [],
        "meta": {},
        "classification": None,
        "level": None,
        "pii_type": None,
        "sensitivity": None,
        "masked": False,
        "tests": [],
        "constraints": [],
        "declared": declared,
        "in_catalog": None,
        "catalog_type": None,
        "inherited": None,
    }
    if given.get("constraints"):
        found["constraints"] = sorted({str(mapping(c).get("type")) for c in items(given["constraints"])})
    if given.get("meta") or given.get("config") or given.get("tags"):
        config = mapping(given.get("config"))
        meta = {**mapping(given.get("meta")), **mapping(config.get("meta"))}
        floe = mapping(meta.get("floe"))
        found["tags"] = tags(given.get("tags"), config.get("tags"))
        found["meta"] = meta
        for key in ("classification", "pii_type", "sensitivity"):
            found[key] = text(floe.get(key, meta.get(key)))
        found["masked"] = masked(floe, meta)
    return found


def masked(floe: Mapping[str, Any], meta: Mapping[str, Any]) -> bool:
    """True where ``meta.floe.masked``, ``meta.masked``, ``meta.floe.masking`` or ``meta.masking`` says so."""
    for given in (floe.get("masked"), meta.get("masked"), floe.get("masking"), meta.get("masking")):
        if given is not None:
            return given not in (False, "", "none", "None", "false", "no")
    return False


def constraints(given: Any) -> list[Entry]:
    """Constraints of a whole relation."""
    return [
        {
            "type": str(c.get("type") or ""),
            "columns": [str(n) for n in items(c.get("columns"))],
            "expression": text(c.get("expression")),
            "name": text(c.get("name")),
        }
        for c in items(given)
        if isinstance(c, dict)
    ]


def grants(given: Any) -> dict[str, list[str]]:
    """Privilege → roles."""
    return {str(k): [str(r) for r in items(v)] for k, v in mapping(given).items()}


def unique_key(given: Any) -> Any:
    """A text or a list of texts; None where there is no key."""
    if isinstance(given, list):
        return [str(g) for g in given]
    return text(given)


HELD = frozenset(
    ("enabled", "materialized", "tags", "meta", "schema", "database", "alias", "group", "access", "contract", "grants",
     "unique_key", "incremental_strategy", "strategy", "docs", "packages", "severity", "where", "freshness", "loader",
     "loaded_at_field", "description")
)  # fmt: skip
"""Configurations that fields of their own hold."""
HOOKS = {"pre-hook": "pre_hook", "pre_hook": "pre_hook", "post-hook": "post_hook", "post_hook": "post_hook"}
"""Both spellings of hooks."""
_ELSEWHERE = HELD | HOOKS.keys()
_DEFAULTS: dict[str, Any] = {
    "on_schema_change": "ignore", "on_configuration_change": "apply", "lookback": 1, "delimiter": ",",
}  # fmt: skip


def other_config(config: Mapping[str, Any]) -> Entry:
    """The configurations that no other field holds, without those that have dbt's default value."""
    found = {k: v for k, v in config.items() if v is not None and k not in _ELSEWHERE and not _empty(v)}
    for key, name in HOOKS.items():
        given = config.get(key)
        if given is not None and given != []:
            statements = [h.get("sql") if isinstance(h, dict) else h for h in items(given)]
            found[name] = [*found.get(name, []), *(str(s) for s in statements)]
    return {k: v for k, v in found.items() if not (k in _DEFAULTS and _DEFAULTS[k] == v)}


def _empty(value: Any) -> bool:
    """Whether a value that is there says nothing."""
    return value == [] or (isinstance(value, dict) and all(v is None for v in value.values()))


def contact(given: Any) -> Entry:
    """The owner of a group or an exposure."""
    email = mapping(given).get("email")
    return {
        "name": text(mapping(given).get("name")),
        "email": ", ".join(str(e) for e in email) if isinstance(email, list) else text(email),
    }


def sorted_refs(refs: Iterable[Entry]) -> list[Entry]:
    """``refs`` or ``source_refs`` by their names."""
    return sorted(refs, key=lambda r: [str(v or "") for v in r.values()])
