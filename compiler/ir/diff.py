"""What changed for governance between two IRs, in words.

Each change says which way it goes: ``stricter``, ``weaker``, or ``changed`` where neither can be said. Everything that
platform, product, policies and contracts say is compared; of the project's nodes what governs them, not their code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from compiler.ir.diff_rules import (
    COLUMN,
    CONTRACT,
    NODE,
    PRODUCT,
    SEVERITY,
    TEST_SEVERITY,
    level_rule,
    platform_rules,
)
from compiler.ir.diff_values import Change, Comparison, Entry, Path, Rule, Rules, grants, value

_PLATFORM_APART = ("tiers", "exemptions", "name", "version")
_PATTERNS = ("data_architecture", "naming", "patterns")
_LEVELS = ("governance", "classification", "levels")
_LAYERS = ("data_architecture", "layers")
_SILENT = frozenset({_PATTERNS, (*_LEVELS, "*", "rank"), (*_LAYERS, "*", "rank")})
_NODE = ("layer", "owner", "group", "access", "contract_enforced", "primary_key", "retention_days", "materialized",
         "version", "latest_version", "deprecation_date", "constraints", "tags", "freshness", "loader",
         "loaded_at_field")  # fmt: skip
_COLUMN = ("type", "level", "pii_type", "sensitivity", "masked", "tests", "constraints")
_CONTRACT = ("version", "status", "origin", "owner", "domain", "product", "port", "model", "tags", "sla", "deprecation")
_SECTIONS = (
    ("models", "model"),
    ("seeds", "seed"),
    ("snapshots", "snapshot"),
    ("sources", "source"),
    ("exposures", "exposure"),
    ("metrics", "metric"),
    ("semantic_models", "semantic model"),
    ("saved_queries", "saved query"),
    ("unit_tests", "unit test"),
    ("groups", "group"),
)
_PRODUCT = Comparison.of(
    PRODUCT, frozenset({("input_ports", "*", "freshness_requirement"), ("output_ports", "*", "sla", "freshness")})
)


Way = Callable[[str, str, Any, Any], str]
"""Which way a parameter moves: of a package and a name, from one value to another."""


def diff(before: Entry, after: Entry, way: Way = lambda *_: "changed") -> tuple[Change, ...]:
    """The changes from ``before`` to ``after`` (both whole IRs): platform, policies, product, nodes, contracts.

    ``way`` knows which parameters are stricter when higher, since the IR does not.
    """
    level = level_rule(after["platform"])
    return (
        *_platform(before["platform"], after["platform"], level),
        *_policies(before, after),
        *_params(before["params"], after["params"], way),
        *_product(before["product"], after["product"]),
        *_nodes(before, after, level),
        *_contracts(before["contracts"], after["contracts"], level),
    )


def _platform(before: Entry, after: Entry, level: Rule) -> Iterator[Change]:
    tiers = [{f"{t['scope']} {t['name']}": t["version"] for t in ir["tiers"]} for ir in (before, after)]
    for name in tiers[0] | tiers[1]:
        was, now = (found.get(name) for found in tiers)
        yield from value(f"the version of {name}", ("platform", "tiers", name), was, now)
    compared = Comparison.of(platform_rules(level), _SILENT)
    for key in before:
        if key not in _PLATFORM_APART:
            for change in compared.changes((key,), (key,), before[key], after[key]):
                yield _below("platform", change)
    yield from _name_patterns(before, after)
    yield from _exemptions(before["exemptions"], after["exemptions"])
    for path in (_LAYERS, _LEVELS):
        yield from _order(path, _at(before, path), _at(after, path))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _below(head: str, change: Change) -> Change:
    return Change(change.direction, change.text, (head, *change.path), change.before, change.after)


def _name_patterns(before: Entry, after: Entry) -> Iterator[Change]:
    said, says = (
        [f"{p['layer'] or 'all models'}: {p['pattern']}" for p in ir["data_architecture"]["naming"]["patterns"]]
        for ir in (before, after)
    )
    yield from value("the list of patterns for names", ("platform", *_PATTERNS), said, says, Rule("more"))


def _order(path: Path, before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[Change]:
    """The order of the levels or layers that both have; that one came or went is told as such."""
    ranks = [[entry["name"] for entry in ir] for ir in (before, after)]
    both = [[name for name in one if name in other] for one, other in (ranks, ranks[::-1])]
    if both[0] != both[1]:
        text = f"the order of the {path[-1]} changes from {' < '.join(both[0])} to {' < '.join(both[1])}"
        yield Change("changed", text, ("platform", *path), both[0], both[1])


def _exemptions(before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[Change]:
    given = [{f"{e['policy']} for {e['subject']}": e for e in found} for found in (before, after)]
    for name in sorted(given[0] | given[1]):
        old, new = (found.get(name) for found in given)
        path = ("platform", "exemptions", name)
        if old is None:
            yield Change("weaker", f"an exemption from {name} is new", path, None, new)
        elif new is None:
            yield Change("stricter", f"the exemption from {name} is gone", path, old, None)
        else:
            what, later = f"the exemption from {name}", Rule("down")
            ends = (old["expires"], new["expires"])
            yield from value(f"the last day of {what}", (*path, "expires"), *ends, later if all(ends) else Rule())
            for field in ("approver", "reason"):
                yield from value(f"`{field}` of {what}", (*path, field), old[field], new[field])


def _policies(before: Entry, after: Entry) -> Iterator[Change]:
    rules = [{p["id"]: p for p in ir["policies"]} for ir in (before, after)]
    for id_ in sorted(rules[0].keys() | rules[1].keys()):
        old, new = (r.get(id_) for r in rules)
        path = ("policies", id_)
        if old is None or new is None:
            rule = old or new
            assert rule is not None
            way, what = ("stricter", "is new") if old is None else ("weaker", "is gone")
            yield Change(way, f"the policy {id_} ({rule['title']}) {what}", path, old, new)
            continue
        pair = (old["severity"], new["severity"])
        yield from value(f"the severity of {id_} ({new['title']})", (*path, "severity"), *pair, SEVERITY)
        yield from value(f"the bundle of {id_} ({new['title']})", (*path, "use"), old["use"], new["use"])


def _params(before: Entry, after: Entry, way: Way) -> Iterator[Change]:
    for package in sorted(before.keys() | after.keys()):
        values = [params.get(package, {}) for params in (before, after)]
        for name in sorted(values[0].keys() | values[1].keys()):
            was, now = (found.get(name) for found in values)
            for change in value(f"the parameter {package}.{name}", ("params", package, name), was, now):
                direction = "changed" if was is None or now is None else way(package, name, was, now)
                yield dataclasses.replace(change, direction=direction)


def _product(before: Entry | None, after: Entry | None) -> Iterator[Change]:
    if before is None or after is None:
        if before is not after:
            text = "there is a product now" if before is None else "there is no product any more"
            yield Change("changed", text, ("product",), before and before["name"], after and after["name"])
        return
    for key in before:
        if key != "schedule":
            for change in _PRODUCT.changes((key,), (key,), before[key], after[key]):
                yield _below("product", change)
    yield from value("the schedule", ("product", "schedule"), _cron(before), _cron(after))


def _cron(product: Entry) -> str | None:
    schedule = product["schedule"]
    return None if schedule is None or not schedule["enabled"] else f"{schedule['cron']} {schedule['timezone']}"


def _nodes(before: Entry, after: Entry, level: Rule) -> Iterator[Change]:
    adapters = [ir["project"] and ir["project"]["adapter"] for ir in (before, after)]
    yield from value("the project's adapter", ("project", "adapter"), *adapters)
    for section, word in _SECTIONS:
        old, new = ({n.get("unique_id", n["name"]): n for n in ir[section]} for ir in (before, after))
        renamed = _renamed(old, new)
        for id_ in sorted({*old, *new} - set(renamed.values())):
            was, now = old.get(id_), new.get(renamed.get(id_, id_))
            name = f"{word} {(was or now or {}).get('name')}"
            path = (section, id_)
            if was is None or now is None:
                pair = (was and was["name"], now and now["name"])
                yield Change("changed", f"the {name} is {'new' if was is None else 'gone'}", path, *pair)
                continue
            yield from value(f"the name of the {name}", (*path, "name"), was["name"], now["name"])
            yield from _node(name, path, was, now, level)
    yield from _tests(before["tests"], after["tests"])


def _renamed(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> dict[str, str]:
    """Old id → new id of what went and came with the same columns and code: a rename hides nothing."""
    gone, come = (
        {_make(n): id_ for id_, n in one.items() if id_ not in other} for one, other in ((old, new), (new, old))
    )
    return {gone[make]: come[make] for make in gone if make is not None and make in come}


def _make(node: Entry) -> tuple[Any, ...] | None:
    columns = tuple(c["name"] for c in node.get("columns", ()))
    return (columns, node.get("raw_code"), *node.get("depends_on", ())) if columns else None


def _node(name: str, path: Path, old: Entry, new: Entry, level: Rule) -> Iterator[Change]:
    fields = Comparison.of(NODE)
    for field in _NODE:
        if field not in old:
            continue
        if isinstance(old[field], dict) or isinstance(new[field], dict):
            was, now = old[field] or {}, new[field] or {}
            for key in {**was, **now}:
                rule = fields.rules.get((field, key), Rule())
                yield from value(
                    f"`{field}.{key}` of the {name}", (*path, field, key), was.get(key), now.get(key), rule
                )
        else:
            rule = fields.rules.get((field,), Rule())
            yield from value(f"`{field}` of the {name}", (*path, field), old[field], new[field], rule)
    yield from _described(name, (*path, "description"), old["description"], new["description"])
    for privilege in sorted({*old.get("grants", {}), *new.get("grants", {})}):
        was, now = (_granted(n["grants"].get(privilege, ()), privilege) for n in (old, new))
        yield from grants(f"the {name}", (*path, "grants", privilege), was, now)
    yield from _attached(name, path, old.get("tests", ()), new.get("tests", ()))
    columns = [{c["name"]: c for c in n.get("columns", ())} for n in (old, new)]
    for column in dict.fromkeys([*columns[0], *columns[1]]):
        was, now = (found.get(column) for found in columns)
        here, what = (*path, "columns", column), f"the column {column} of the {name}"
        if was is None or now is None:
            classes = [c and c["classification"] for c in (was, now)]
            lost = f" ({classes[0]})" if classes[0] else ""
            yield Change("changed", f"{what}{lost} is {'new' if was is None else 'gone'}", here, *classes)
        else:
            yield from _column(what, here, was, now, level)


def _granted(roles: Iterable[str], privilege: str) -> list[Entry]:
    return [{"role": role, "access": privilege} for role in roles]


def _column(what: str, path: Path, old: Entry, new: Entry, level: Rule) -> Iterator[Change]:
    was, now = old["classification"], new["classification"]
    dropped = Rule("up", lambda _: 1)  # nothing is the loosest; which of two classes is stricter, their levels say
    yield from value(f"`classification` of {what}", (*path, "classification"), was, now, dropped)
    for field in _COLUMN:
        rule = level if field == "level" else COLUMN.get((field,), Rule())
        yield from value(f"`{field}` of {what}", (*path, field), old[field], new[field], rule)
    yield from _described(what.removeprefix("the "), (*path, "description"), old["description"], new["description"])
    was, now = ((c["inherited"] or {}).get("classification") for c in (old, new))
    yield from value(f"what flows into {what}", (*path, "inherited", "classification"), was, now)


def _described(name: str, path: Path, before: str, after: str) -> Iterator[Change]:
    """Whether something is described at all: another wording is no matter of governance."""
    if bool(before) != bool(after):
        text = f"the {name} is described now" if after else f"the {name} is no longer described"
        yield Change("stricter" if after else "weaker", text, path, before or None, after or None)


def _attached(name: str, path: Path, before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[Change]:
    """Tests of a node: of those of a column only the severity, since the column lists their names."""
    found = [{(t["name"], t["column"]): t["severity"] for t in tests} for tests in (before, after)]
    for test, column in sorted({*found[0], *found[1]}, key=str):
        was, now = (tests.get((test, column)) for tests in found)
        what = f"the test {test} of the {name}" if column is None else f"the test {test} of {column} of the {name}"
        here = (*path, "tests", f"{column}.{test}" if column else str(test))
        if was is not None and now is not None:
            yield from value(f"the severity of {what}", here, was, now, TEST_SEVERITY)
        elif column is None:
            way, word = ("stricter", "new") if was is None else ("weaker", "gone")
            yield Change(way, f"{what} is {word}", here, was, now)


def _tests(before: Iterable[Entry], after: Iterable[Entry]) -> Iterator[Change]:
    """What a test says about itself; those that stand alone also come and go."""
    found = [{t["unique_id"]: t for t in tests} for tests in (before, after)]
    for id_ in sorted({*found[0], *found[1]}):
        old, new = (tests.get(id_) for tests in found)
        one = old or new or {}
        path, what = ("tests", id_), f"the test {one['name']}"
        if old is not None and new is not None:
            yield from value(f"`enabled` of {what}", (*path, "enabled"), old["enabled"], new["enabled"], Rule("up"))
            yield from value(f"`where` of {what}", (*path, "where"), old["where"], new["where"])
        elif one["attached_to"] is None:
            way, word = ("stricter", "new") if old is None else ("weaker", "gone")
            yield Change(way, f"{what} is {word}", path, old and old["name"], new and new["name"])


def _contracts(before: Iterable[Entry], after: Iterable[Entry], level: Rule) -> Iterator[Change]:
    rules: Rules = {**CONTRACT, ("columns", "*", "level"): level}
    found = [{_contract(c): c for c in contracts} for contracts in (before, after)]
    for name in sorted({*found[0], *found[1]}):
        old, new = (contracts.get(name) for contracts in found)
        path = ("contracts", name)
        if old is None or new is None:
            way, word = ("stricter", "new") if old is None else ("weaker", "gone")
            yield Change(way, f"the contract {name} is {word}", path, old and old["version"], new and new["version"])
            continue
        compared = Comparison.of(rules, frozenset({("columns", "*", "description")}), f" of the contract {name}")
        for field in (*_CONTRACT, "columns"):
            for change in compared.changes((field,), (field,), old[field], new[field]):
                yield _below("contracts", _below(name, change))
        was, now = ([f"{user['domain']}.{user['product']}" for user in c["consumers"]] for c in (old, new))
        yield from value(f"`consumers` of the contract {name}", (*path, "consumers"), was, now)


def _contract(entry: Entry) -> str:
    """A contract of several tables has an entry for each."""
    return str(entry["id"]) + (f"/{entry['model'].rpartition('.')[2]}" if entry["model"] else "")
