"""Exposures, metrics, semantic models, saved queries, groups, unit tests and macros from a manifest.

There are few of them, so each is decoded whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compiler.facts import entries
from compiler.facts.entries import Entry, items, mapping, text

Given = Mapping[str, Any]


def _common(given: Given) -> Entry:
    return {
        "unique_id": str(given.get("unique_id")),
        "name": str(given.get("name")),
        "description": text(given.get("description")) or "",
        "path": (text(given.get("original_file_path")) or "").replace("\\", "/"),
    }


def _meta(given: Given) -> dict[str, Any]:
    return {**mapping(given.get("meta")), **mapping(mapping(given.get("config")).get("meta"))}


def _tags(given: Given) -> list[str]:
    return entries.tags(given.get("tags"), mapping(given.get("config")).get("tags"))


def _depends_on(given: Given) -> list[str]:
    return sorted({str(n) for n in items(mapping(given.get("depends_on")).get("nodes"))})


def _group(given: Given) -> str | None:
    return text(given.get("group") or mapping(given.get("config")).get("group"))


def exposure(given: Given) -> Entry:
    """An exposure."""
    return {
        **_common(given),
        "type": text(given.get("type")) or "",
        "owner": entries.contact(given.get("owner")),
        "url": text(given.get("url")),
        "maturity": text(given.get("maturity")),
        "depends_on": _depends_on(given),
        "tags": _tags(given),
        "meta": _meta(given),
    }


def metric(given: Given) -> Entry:
    """A metric, also of the schemas before v10, where ``calculation_method`` stands for its type."""
    return {
        **_common(given),
        "label": text(given.get("label")) or "",
        "type": text(given.get("type") or given.get("calculation_method")) or "",
        "depends_on": _depends_on(given),
        "tags": _tags(given),
        "meta": _meta(given),
        "group": _group(given),
    }


def _parts(given: Any, kind: str) -> list[Entry]:
    return [
        {"name": str(p.get("name")), kind: text(p.get(kind)) or "", "expr": text(p.get("expr"))}
        for p in items(given)
        if isinstance(p, dict)
    ]


def semantic_model(given: Given) -> Entry:
    """A semantic model; what it depends on is its model."""
    return {
        **_common(given),
        "model": next(iter(_depends_on(given)), None),
        "meta": _meta(given),
        "entities": _parts(given.get("entities"), "type"),
        "dimensions": _parts(given.get("dimensions"), "type"),
        "measures": _parts(given.get("measures"), "agg"),
        "group": _group(given),
    }


def saved_query(given: Given) -> Entry:
    """A saved query."""
    metrics = mapping(given.get("query_params")).get("metrics")
    return {**_common(given), "metrics": [str(m) for m in items(metrics)]}


def group(given: Given) -> Entry:
    """A group of models."""
    found = _common(given)
    del found["description"]
    return {**found, "owner": entries.contact(given.get("owner"))}


def unit_test(given: Given) -> Entry:
    """A unit test; the first thing that it depends on is the model under test."""
    formats = [text(mapping(g).get("format")) or "dict" for g in items(given.get("given"))]
    nodes = [str(n) for n in items(mapping(given.get("depends_on")).get("nodes"))]
    tested = [n for n in nodes if n.split(".")[2:3] == [str(given.get("model"))]]
    return {
        **_common(given),
        "model": next(iter(tested or nodes), None),
        "given_formats": formats,
        "expect_format": text(mapping(given.get("expect")).get("format")) or "dict",
    }


def arguments(given: Any, signature: Iterable[str]) -> list[Entry]:
    """A macro's arguments: those of its signature, then others that only its properties name."""
    described = {str(a["name"]): a for a in items(given) if isinstance(a, dict) and a.get("name") is not None}
    return [
        {
            "name": name,
            "type": text(described.get(name, {}).get("type")),
            "description": text(described.get(name, {}).get("description")) or "",
        }
        for name in dict.fromkeys([*signature, *described])
    ]


def macro(given: Given) -> Entry:
    """A macro."""
    from compiler.facts.project.sql_files import macro_arguments

    code = given.get("macro_sql")
    return {
        **_common(given),
        "package": str(given.get("package_name")),
        "arguments": arguments(given.get("arguments"), macro_arguments(code) if isinstance(code, str) else []),
        "meta": _meta(given),
        "tags": _tags(given),
        "used_by": None,
        "raw_code": code.strip() if isinstance(code, str) else None,
        "code_lines": code.strip().count("\n") + 1 if isinstance(code, str) and code.strip() else None,
    }


MAKERS: Mapping[str, Callable[[Given], Entry]] = {
    "exposures": exposure,
    "metrics": metric,
    "semantic_models": semantic_model,
    "saved_queries": saved_query,
    "groups": group,
    "unit_tests": unit_test,
    "macros": macro,
}


def macro_users(macros: Iterable[Entry], users: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Give each macro the ids of those nodes and macros that call it; ``users`` are (id, ids of macros it calls)."""
    called: dict[str, set[str]] = defaultdict(set)
    for user, names in users:
        for name in names:
            called[name].add(user)
    for one in macros:
        one["used_by"] = sorted(called.get(one["unique_id"], ()))
