"""What follows from several entries together: tests on their nodes, who uses whom, keys, coverage, owners of groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter

from compiler.facts.entries import Entry, items, mapping, owner
from compiler.ir.facts_model import Facts

_COMBINATIONS = {
    "unique_combination_of_columns": "combination_of_columns",
    "expect_compound_columns_to_be_unique": "column_list",
}
Wanted = Callable[[str, str], bool]
"""(list, field) → is the field built?"""
NODES = ("models", "seeds", "snapshots")
_NONE: list[Entry] = []
FROM_TESTS = ("columns.tests", "coverage", "primary_key")


def everything(kind: str, field: str) -> bool:
    """Every field is wanted."""
    return True


def relate(facts: Facts, wanted: Wanted = everything, listed: Mapping[str, list[Entry]] | None = None) -> None:
    """Fill in, in place, those of the ``wanted`` fields that other entries decide.

    ``listed`` is what each node, by its id, says of its tests, where nothing else is asked of tests.
    """
    if listed is not None:
        _list(facts, listed)
    else:
        _test(facts, wanted)
    users(facts, wanted)
    group_owners(facts, wanted)


def _list(facts: Facts, listed: Mapping[str, list[Entry]]) -> None:
    for tests in listed.values():
        if len(tests) > 1:
            tests.sort(key=itemgetter("unique_id"))
    for nodes in (facts.models, facts.seeds, facts.snapshots, facts.sources):
        for node in nodes:
            node["tests"] = listed.get(node["unique_id"], _NONE)


def relate_some(facts: Facts, wanted: Wanted, only: Collection[str], targets: Collection[str]) -> frozenset[str]:
    """As ``relate``, where nothing but the tests on the entries of ``only``, and what uses the ``targets``, is new.

    Answers whose users changed.
    """
    _test(facts, wanted, only)
    group_owners(facts, wanted, only)
    return users(facts, wanted, targets)


def _test(facts: Facts, wanted: Wanted, only: Collection[str] | None = None) -> None:
    on: dict[str, list[Entry]] = defaultdict(list)
    for test in facts.tests:
        id_ = test["attached_to"]
        if id_ and (only is None or id_ in only) and test.get("enabled", True):
            on[id_].append(test)

    def chosen(listed: list[Entry]) -> list[Entry]:
        return listed if only is None else [entry for entry in listed if entry["unique_id"] in only]

    for kind in NODES:
        _tests(chosen(getattr(facts, kind)), on, *(wanted(kind, field) for field in FROM_TESTS))
    for source in chosen(facts.sources):
        tests = on.get(source["unique_id"], ())
        if wanted("sources", "columns.tests"):
            _attach(_tested(source["columns"], tests))
        source["tests"] = _listed(tests)


def _tests(
    nodes: Iterable[Entry], on: Mapping[str, Sequence[Entry]], columns: bool, covering: bool, keys: bool
) -> None:
    """What the tests ``on`` each node say of it; of its columns, their coverage and its key where that is wanted."""
    for node in nodes:
        tests = on.get(node["unique_id"], ())
        node["tests"] = _listed(tests)
        tested = _tested(node["columns"], tests) if columns or covering else []
        if columns:
            _attach(tested)
        if covering:
            node["coverage"] = coverage(len(tested), len(node["columns"]))
        if keys:
            node["primary_key"] = primary_key(node, tests)


def _listed(tests: Sequence[Entry]) -> list[Entry]:
    return [
        {"name": t["test"], "column": t["column"], "severity": t["severity"], "unique_id": t["unique_id"]}
        for t in tests
    ]


def _tested(columns: Iterable[Entry], tests: Iterable[Entry]) -> list[tuple[Entry, set[str]]]:
    """The columns that have tests, with the kinds of these."""
    named: dict[str, set[str]] = {}
    for test in tests:
        if test["column"] and test["test"]:
            name = test["column"].strip('"`').lower()
            if name in named:
                named[name].add(test["test"])
            else:
                named[name] = {test["test"]}
    return [(c, named[name]) for c in columns if (name := c["name"].lower()) in named] if named else []


def _attach(tested: Iterable[tuple[Entry, set[str]]]) -> None:
    """Give each column its tests."""
    for column, kinds in tested:
        column["tests"] = sorted(kinds)


def coverage(tested: int, columns: int) -> int | None:
    """Whole percent, rounded down so that 100 means all; None where there are no columns."""
    return None if columns == 0 else 100 * tested // columns


def primary_key(node: Entry, tests: Iterable[Entry]) -> list[str]:
    """By constraints, else by ``meta.primary_key``, else by tests of uniqueness and of not being null."""
    for constraint in node["constraints"]:
        if constraint["type"] == "primary_key" and constraint["columns"]:
            return list(constraint["columns"])
    held = [c for c in node["columns"] if c["constraints"]]
    declared = [c["name"] for c in held if "primary_key" in c["constraints"]]
    if declared:
        return declared
    given = [str(c) for c in items(node["meta"].get("primary_key"))] if node["meta"] else []
    return given or _tested_key({c["name"] for c in held if "not_null" in c["constraints"]}, tests)


def _tested_key(filled: set[str], tests: Iterable[Entry]) -> list[str]:
    """The smallest key that tests hold; ``filled`` are the columns that are never null by a constraint."""
    unique: list[list[str]] = []
    for test in tests:
        short = str(test["test"] or "").rpartition(".")[2]
        if short == "unique" and test["column"]:
            unique.append([test["column"]])
        elif short == "not_null" and test["column"]:
            filled.add(test["column"])
        elif short in _COMBINATIONS:
            unique.append([str(c) for c in items(mapping(test["arguments"]).get(_COMBINATIONS[short]))])
    keys = [key for key in unique if key and all(c in filled for c in key)]
    return min(keys, key=lambda k: (len(k), k)) if keys else []


def users(facts: Facts, wanted: Wanted, only: Collection[str] | None = None) -> frozenset[str]:
    """Who uses each entry, in place: all entries, or those whose ids are in ``only``. Answers whose users changed."""
    kinds = [k for k in (*NODES, "sources") if wanted(k, "used_by")]
    if not kinds:
        return frozenset()
    used: dict[str, list[str]] = {}
    for kind in (*NODES, "exposures", "metrics", "semantic_models", "saved_queries"):
        for entry in getattr(facts, kind):
            id_ = entry["unique_id"]
            for target in entry.get("depends_on", ()):
                if target in used:
                    used[target].append(id_)
                else:
                    used[target] = [id_]
    for semantic in facts.semantic_models:
        if semantic["model"] is not None:
            used.setdefault(semantic["model"], []).append(semantic["unique_id"])
    changed = set()
    for kind in kinds:
        for entry in getattr(facts, kind):
            id_ = entry["unique_id"]
            if id_ in (used if only is None else only):
                found = sorted(set(used[id_])) if id_ in used else []
                if entry.get("used_by") != found:
                    entry["used_by"] = found
                    changed.add(id_)
    return frozenset(changed)


def group_owners(facts: Facts, wanted: Wanted, only: Collection[str] | None = None) -> None:
    """The owner of each node, in place: of all, or of those whose ids are in ``only``."""
    owners = {g["name"]: g["owner"].get("name") or g["owner"].get("email") for g in facts.groups}
    for kind in NODES:
        if wanted(kind, "owner"):
            for node in getattr(facts, kind):
                if only is None or node["unique_id"] in only:
                    of_group = owners.get(node["group"])
                    node["owner"] = owner(node["meta"], of_group) if node["meta"] else of_group
