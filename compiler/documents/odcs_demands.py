"""What the Open Data Contract Standard demands of a contract, and floec can do without: warnings, where it is missing.

Source: Bitol, JSON Schemas of ODCS v3.0.2 and v3.1.0. Only what both demand is asked of a contract of 3.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.documents.odcs import BOUNDS
from compiler.documents.shape import Keys, Problem, dotted
from policy_lang.spell import did_you_mean

Data = dict[str, Any]

_ADDRESS = ("host", "port", "database")
_SERVERS: dict[str, tuple[str, ...]] = {
    "api": ("location",), "athena": ("stagingDir", "schema"), "azure": ("location", "format"),
    "bigquery": ("project", "dataset"), "clickhouse": _ADDRESS, "cloudsql": (*_ADDRESS, "schema"), "custom": (),
    "databricks": ("catalog", "schema"), "db2": _ADDRESS, "denodo": ("host", "port"), "dremio": ("host", "port"),
    "duckdb": ("database",), "glue": ("account", "database"), "hive": ("host", "database"),
    "impala": ("host", "database"), "informix": ("host", "database"), "kafka": ("host",), "kinesis": (),
    "local": ("path", "format"), "mysql": _ADDRESS, "oracle": ("host", "port", "serviceName"),
    "postgres": (*_ADDRESS, "schema"), "postgresql": (*_ADDRESS, "schema"), "presto": ("host",),
    "pubsub": ("project",), "redshift": ("database", "schema"), "s3": ("location",), "sftp": ("location",),
    "snowflake": ("account", "database", "schema"), "sqlserver": ("host", "database", "schema"),
    "synapse": _ADDRESS, "trino": ("host", "port", "catalog", "schema"), "vertica": (*_ADDRESS, "schema"),
    "zen": ("host", "database"),
}  # fmt: skip
"""The standard's types of servers, and what tells where each is."""
_METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
_RULES: dict[str, tuple[str, ...]] = {
    "library": ("metric",), "sql": ("query",), "custom": ("engine", "implementation"),
}  # fmt: skip
_OF_ENTRIES = {"authoritativeDefinitions": "type"}
_SINCE_3_1 = {**_OF_ENTRIES, "customProperties": "value"}
"""What each entry of these lists, wherever they stand, must have."""


def demands(data: Data) -> Iterator[Problem]:
    """What a contract in the standard's own spelling lacks; FLC203 and FLC202, of which only some block."""
    recent = data["apiVersion"] != "floe.dev/v1" and not data["apiVersion"].startswith("v3.0.")
    if isinstance(data.get("schema"), list) and data["apiVersion"] != "floe.dev/v1":
        yield from _names(data, recent)
        for i, table in enumerate(data["schema"]):
            yield from _element(table, ("schema", i), recent, whole=True)
    for i, server in enumerate(data.get("servers", ())):
        yield from _server(server, ("servers", i))
    promises = data.get("slaProperties")
    for i, promise in enumerate(promises if isinstance(promises, list) else ()):
        if "value" not in promise:
            yield _missing(("slaProperties", i, "value"), "nothing is promised without it")
        for key in ("value", "valueExt"):
            if isinstance(promise.get(key), list | dict):
                yield _wrong(("slaProperties", i, key), "must be a single value")
    yield from _entries(data, (), _SINCE_3_1 if recent else _OF_ENTRIES)


def _names(data: Data, recent: bool) -> Iterator[Problem]:
    if "id" not in data and "name" in data:
        yield Problem("FLC203", ("id",), "`id` is missing: the standard demands one beside the name", "add `id`")
    if "status" not in data:
        text = "`status` is missing: the standard demands one"
        yield Problem("FLC203", ("status",), text, "write `status: active`, `draft` …", block=recent)


def _element(holder: Data, path: Keys, recent: bool, *, whole: bool = False) -> Iterator[Problem]:
    """A table (``whole``) or a column, and what is in it."""
    for i, rule in enumerate(holder.get("quality", ())):
        yield from _rule(rule, (*path, "quality", i), recent)
    for i, key in enumerate(holder.get("relationships", ())):
        for end in ("from", "to") if whole else ("to",):
            if end not in key:
                yield _missing((*path, "relationships", i, end), "a foreign key cannot be told without it")
    for i, column in enumerate(holder.get("properties", ())):
        yield from _element(column, (*path, "properties", i), recent)
    if isinstance(holder.get("items"), dict):
        yield from _element(holder["items"], (*path, "items"), recent)


def _rule(rule: Data, path: Keys, recent: bool) -> Iterator[Problem]:
    kind = rule.get("type", "library")
    for key in _RULES.get(kind, ()):
        if key not in rule:
            yield _missing((*path, key), f"a rule of type `{kind}` cannot run without it")
    metric = rule.get("metric")
    if recent and kind == "library" and metric is not None and metric not in _METRICS:
        text = f"`{dotted((*path, 'metric'))}`: the standard has no metric `{metric}`"
        hint = did_you_mean(metric, _METRICS) or f"it has {', '.join(_METRICS)}"
        yield Problem("FLC202", (*path, "metric"), text, hint, block=False)
    bounds = [bound for bound in BOUNDS if bound in rule]
    if recent and len(bounds) != 1 and (metric is not None or kind == "sql"):
        text = f"`{dotted(path)}` has {' and '.join(bounds) or 'no bound'}: the standard demands exactly one"
        yield Problem("FLC202", path, text, "split the rule" if bounds else "add `mustBe: 0`", block=False)


def _server(server: Data, path: Keys) -> Iterator[Problem]:
    if "server" not in server:
        yield _missing((*path, "server"), "the standard demands a name of each server")
    kind = server["type"]
    if kind not in _SERVERS:
        text = f"`{dotted((*path, 'type'))}`: the standard knows no server `{kind}`"
        hint = did_you_mean(kind, _SERVERS) or "write `custom` for what it does not know"
        yield Problem("FLC202", (*path, "type"), text, hint, block=False)
    for key in _SERVERS.get(kind, ()):
        if key not in server:
            yield _missing((*path, key), f"a server of type `{kind}` cannot be found without it")
        elif key == "port" and (isinstance(server[key], bool) or not isinstance(server[key], int)):
            yield _wrong((*path, key), "must be a whole number")
        elif key != "port" and not isinstance(server[key], str):
            yield _wrong((*path, key), "must be a string")


def _entries(value: Any, path: Keys, needs: Mapping[str, str]) -> Iterator[Problem]:
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        needed = needs.get(str(key))
        if needed is not None and isinstance(one, list):
            for i, entry in enumerate(one):
                if isinstance(entry, dict) and needed not in entry:
                    yield _missing((*path, key, i, needed), "the standard demands it")
        yield from _entries(one, (*path, key), needs)


def _wrong(path: Keys, why: str) -> Problem:
    return Problem("FLC202", path, f"`{dotted(path)}`: {why}", block=False)


def _missing(path: Keys, why: str) -> Problem:
    return Problem("FLC203", path, f"`{dotted(path)}` is missing: {why}", block=False)
