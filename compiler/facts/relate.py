"""What follows from several entries together: tests on their nodes, who uses whom, keys, coverage, owners of groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from compiler.facts.entries import Entry, items, mapping, owner
from compiler.ir.facts_model import Facts

_COMBINATIONS = {
    "unique_combination_of_columns": "combination_of_columns",
    "expect_compound_columns_to_be_unique": "column_list",
}


def relate(facts: Facts) -> None:
    """Fill in, in place, the fields of ``facts`` that other entries decide."""
    nodes = [*facts.models, *facts.seeds, *facts.snapshots]
    on: dict[str, list[Entry]] = defaultdict(list)
    for test in facts.tests:
        if test["attached_to"]:
            on[test["attached_to"]].append(test)
    for node in nodes:
        attach(node, on.get(node["unique_id"], []))
        node["tests"] = [
            {"name": t["test"], "column": t["column"], "severity": t["severity"], "unique_id": t["unique_id"]}
            for t in on.get(node["unique_id"], [])
        ]
        node["primary_key"] = primary_key(node, on.get(node["unique_id"], []))
    for source in facts.sources:
        attach(source, on.get(source["unique_id"], []))
        source["tests"] = sorted(t["test"] for t in on.get(source["unique_id"], []) if t["test"])
    _users(facts, nodes)
    _group_owners(facts, nodes)


def attach(node: Entry, tests: Iterable[Entry]) -> None:
    """Give each column its tests, and the node its coverage."""
    named: dict[str, set[str]] = defaultdict(set)
    for test in tests:
        if test["column"] and test["test"]:
            named[test["column"].strip('"`').lower()].add(test["test"])
    for column in node["columns"]:
        column["tests"] = sorted(named.get(column["name"].lower(), ()))
    if "coverage" in node:
        columns = node["columns"]
        tested = sum(1 for c in columns if c["tests"])
        node["coverage"] = coverage(tested, len(columns))


def coverage(tested: int, columns: int) -> int | None:
    """Whole percent, rounded down so that 100 means all; None where there are no columns."""
    return None if columns == 0 else 100 * tested // columns


def primary_key(node: Entry, tests: Iterable[Entry]) -> list[str]:
    """By constraints, else by ``meta.primary_key``, else by tests of uniqueness and of not being null."""
    for constraint in node["constraints"]:
        if constraint["type"] == "primary_key" and constraint["columns"]:
            return list(constraint["columns"])
    declared = [c["name"] for c in node["columns"] if "primary_key" in c["constraints"]]
    if declared:
        return declared
    given = [str(c) for c in items(node["meta"].get("primary_key"))]
    if given:
        return given
    unique: list[list[str]] = []
    filled: set[str] = set()
    for test in tests:
        short = str(test["test"] or "").rpartition(".")[2]
        if short == "unique" and test["column"]:
            unique.append([test["column"]])
        elif short == "not_null" and test["column"]:
            filled.add(test["column"])
        elif short in _COMBINATIONS:
            unique.append([str(c) for c in items(mapping(test["arguments"]).get(_COMBINATIONS[short]))])
    filled |= {c["name"] for c in node["columns"] if "not_null" in c["constraints"]}
    keys = [key for key in unique if key and all(c in filled for c in key)]
    return min(keys, key=lambda k: (len(k), k)) if keys else []


def _users(facts: Facts, nodes: list[Entry]) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for entry in [*nodes, *facts.exposures, *facts.metrics, *facts.semantic_models, *facts.saved_queries]:
        for target in entry.get("depends_on", ()):
            used[target].add(entry["unique_id"])
    for entry in [*nodes, *facts.sources]:
        entry["used_by"] = sorted(used.get(entry["unique_id"], ()))


def _group_owners(facts: Facts, nodes: list[Entry]) -> None:
    owners = {g["name"]: g["owner"].get("name") or g["owner"].get("email") for g in facts.groups}
    for node in nodes:
        node["owner"] = owner(node["meta"], owners.get(node["group"]))
