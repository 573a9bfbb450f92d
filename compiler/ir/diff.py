"""What changed for governance between two IRs, in words.

Each change says which way it goes: ``stricter``, ``weaker``, or ``changed`` where neither can be said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]
Order = str | Mapping[str, int]
"""One of the words below, or the rank of each level of classification: a higher one is stricter, none the loosest."""

_WORDS = {
    word: rank
    for words in (
        ("off", "notify", "warn", "alert_only", "strict", "block"),
        ("disabled", "enabled", "required"),
        ("optional",),
        ("public", "protected", "private"),
        ("read", "read_write"),
        ("allow", "deny"),
    )
    for rank, word in enumerate(words)
}
_UP, _DOWN, _FREE, _LEVEL = "up", "down", "free", "level"
_GOVERNANCE: tuple[tuple[str, str], ...] = (
    ("quality_gates.minimum_test_coverage", _UP),
    ("quality_gates.required_tests", _UP),
    ("quality_gates.require_descriptions", _UP),
    ("quality_gates.require_column_descriptions", _UP),
    ("quality_gates.block_on_failure", _UP),
    ("quality_gates.enforcement", _UP),
    ("retention.min_days", _UP),
    ("retention.max_days", _DOWN),
    ("retention.default_ttl_hours", _DOWN),
    ("data_contracts.enforcement", _UP),
    ("data_contracts.required", _UP),
    ("audit_logging", _UP),
    ("pii_encryption", _UP),
    ("policy_enforcement_level", _UP),
    ("sla_minimums.availability", _UP),
    ("sla_minimums.completeness", _UP),
    ("sla_minimums.accuracy", _UP),
    ("sla_minimums.freshness_hours", _DOWN),
    ("sensitive_fields", _UP),
    ("secret_scanning", _FREE),
    ("network_policies", _FREE),
    ("rbac", _FREE),
)
_LAYER = (
    ("minimum_coverage", _UP),
    ("required_tests", _UP),
    ("required_documentation", _UP),
    ("may_depend_on", _DOWN),
    ("prefixes", _FREE),
)
_CLASS = (
    ("requires_encryption", _UP),
    ("requires_masking", _UP),
    ("requires_masking_in_non_prod", _UP),
    ("retention_max_days", _DOWN),
    ("allowed_layers", _FREE),
    ("level", _LEVEL),
    ("sensitivity", _FREE),
    ("rank", _FREE),
)
_PORT = (
    ("sla.freshness_hours", _DOWN),
    ("sla.availability", _UP),
    ("sla.quality.completeness", _UP),
    ("sla.quality.accuracy", _UP),
    ("access.default", _UP),
    ("model", _FREE),
)
_NODE = (
    ("layer", _FREE),
    ("owner", _FREE),
    ("access", _UP),
    ("contract_enforced", _UP),
    ("primary_key", _FREE),
    ("retention_days", _DOWN),
)
_COLUMN = (("classification", _FREE), ("level", _LEVEL), ("masked", _UP), ("tests", _UP), ("type", _FREE))


@dataclass(frozen=True, slots=True)
class Change:
    """``direction`` is ``stricter``, ``weaker`` or ``changed``; ``text`` is a clause without a full stop."""

    direction: str
    text: str


def diff(before: Entry, after: Entry) -> tuple[Change, ...]:
    """The changes from ``before`` to ``after`` (both whole IRs): platform, policies, product, then nodes."""
    return (
        *_platform(before["platform"], after["platform"]),
        *_policies(before, after),
        *_product(before["product"], after["product"]),
        *_nodes(before, after, _levels(after["platform"])),
    )


def _levels(platform: Entry) -> Mapping[str, int]:
    return {level["name"]: level["rank"] for level in platform["governance"]["classification"]["levels"]}


def _platform(before: Entry, after: Entry) -> Iterator[Change]:
    tiers = [{f"{t['scope']} {t['name']}": t["version"] for t in ir["tiers"]} for ir in (before, after)]
    for name in tiers[0] | tiers[1]:
        yield from _value(f"the version of {name}", tiers[0].get(name), tiers[1].get(name), _FREE)
    for category in sorted(before["plugins"].keys() | after["plugins"].keys()):
        types = [ir["plugins"].get(category, {}).get("type") for ir in (before, after)]
        yield from _value(f"the plugin for {category}", types[0], types[1], _FREE)
    for category in sorted(before["approved_plugins"].keys() | after["approved_plugins"].keys()):
        lists = [ir["approved_plugins"].get(category) for ir in (before, after)]
        yield from _value(f"the approved plugins for {category}", lists[0], lists[1], _DOWN)
    for name in ("approved_sinks", "approved_products"):
        yield from _value(f"`{name}`", before[name], after[name], _DOWN)
    for path, order in _GOVERNANCE:
        yield from _value(
            f"`governance.{path}`", _at(before["governance"], path), _at(after["governance"], path), order
        )
    naming = [ir["data_architecture"]["naming"] for ir in (before, after)]
    yield from _value("the enforcement of naming", naming[0]["enforcement"], naming[1]["enforcement"], _UP)
    yield from _value("the case of names", naming[0]["case"], naming[1]["case"], _FREE)
    said, says = ([f"{p['layer'] or 'all models'}: {p['pattern']}" for p in one["patterns"]] for one in naming)
    yield from _value("the list of patterns for names", said, says, _FREE)
    layers = [ir["data_architecture"]["layers"] for ir in (before, after)]
    yield from _named("the layer", layers[0], layers[1], _LAYER)
    classes = [ir["governance"]["classification"] for ir in (before, after)]
    orders = [(path, _levels(after) if order == _LEVEL else order) for path, order in _CLASS]
    yield from _named("the level", classes[0]["levels"], classes[1]["levels"], orders)
    yield from _named("the category", classes[0]["categories"], classes[1]["categories"], orders)
    given = [{f"{e['policy']} for {e['subject']}" for e in ir["exemptions"]} for ir in (before, after)]
    yield from (Change("weaker", f"an exemption from {name} is new") for name in sorted(given[1] - given[0]))
    yield from (Change("stricter", f"the exemption from {name} is gone") for name in sorted(given[0] - given[1]))


def _policies(before: Entry, after: Entry) -> Iterator[Change]:
    rules = [{p["id"]: p for p in ir["policies"]} for ir in (before, after)]
    for id_ in sorted(rules[0].keys() | rules[1].keys()):
        old, new = (r.get(id_) for r in rules)
        if old is None or new is None:
            rule = old or new
            assert rule is not None
            way, what = ("stricter", "is new") if old is None else ("weaker", "is gone")
            yield Change(way, f"the policy {id_} ({rule['title']}) {what}")
        else:
            yield from _value(f"the severity of {id_} ({new['title']})", old["severity"], new["severity"], _UP)
    for package in sorted(before["params"].keys() | after["params"].keys()):
        values = [ir["params"].get(package, {}) for ir in (before, after)]
        for name in sorted(values[0].keys() | values[1].keys()):
            yield from _value(f"the parameter {package}.{name}", values[0].get(name), values[1].get(name), _FREE)


def _product(before: Entry | None, after: Entry | None) -> Iterator[Change]:
    if before is None or after is None:
        if before is not after:
            yield Change("changed", "there is a product now" if before is None else "there is no product any more")
        return
    for name in ("version", "owner", "domain"):
        yield from _value(f"the product's {name}", before[name], after[name], _FREE)
    yield from _named("the output port", before["output_ports"], after["output_ports"], _PORT)
    ports = [{p["name"]: p for p in product["output_ports"]} for product in (before, after)]
    for name in sorted(ports[0].keys() & ports[1].keys()):
        grants = [{_grant(g) for g in found[name]["access"]["grants"]} for found in ports]
        yield from (
            Change("weaker", f"the output port {name} is open to {g} now") for g in sorted(grants[1] - grants[0])
        )
        yield from (
            Change("stricter", f"the output port {name} is no longer open to {g}")
            for g in sorted(grants[0] - grants[1])
        )
    yield from _value("the schedule", _cron(before), _cron(after), _FREE)


def _nodes(before: Entry, after: Entry, levels: Mapping[str, int]) -> Iterator[Change]:
    for section, word in (("models", "model"), ("seeds", "seed"), ("snapshots", "snapshot"), ("sources", "source")):
        nodes = [{n["unique_id"]: n for n in ir[section]} for ir in (before, after)]
        for id_ in sorted(nodes[0].keys() | nodes[1].keys()):
            old, new = (found.get(id_) for found in nodes)
            name = f"{word} {(old or new or {}).get('name')}"
            if old is None or new is None:
                yield Change("changed", f"the {name} is {'new' if old is None else 'gone'}")
                continue
            for field, order in _NODE:
                if field in old and field in new:
                    yield from _value(f"`{field}` of the {name}", old[field], new[field], order)
            yield from _columns(name, old["columns"], new["columns"], levels)


def _columns(node: str, before: Iterable[Entry], after: Iterable[Entry], levels: Mapping[str, int]) -> Iterator[Change]:
    columns = [{c["name"]: c for c in found} for found in (before, after)]
    for name in [*columns[0], *(n for n in columns[1] if n not in columns[0])]:
        old, new = (found.get(name) for found in columns)
        if old is None or new is None:
            yield Change("changed", f"the column {name} of the {node} is {'new' if old is None else 'gone'}")
            continue
        for field, order in _COLUMN:
            way = levels if order == _LEVEL else order
            yield from _value(f"`{field}` of the column {name} of the {node}", old[field], new[field], way)
        flows = [(c["inherited"] or {}).get("classification") for c in (old, new)]
        yield from _value(f"what flows into the column {name} of the {node}", flows[0], flows[1], _FREE)


def _named(
    what: str, before: Iterable[Entry], after: Iterable[Entry], fields: Iterable[tuple[str, Order]]
) -> Iterator[Change]:
    entries = [{e["name"]: e for e in found} for found in (before, after)]
    for name in [*entries[0], *(n for n in entries[1] if n not in entries[0])]:
        old, new = (found.get(name) for found in entries)
        if old is None or new is None:
            yield Change("changed", f"{what} {name} is {'new' if old is None else 'gone'}")
            continue
        for path, order in fields:
            yield from _value(f"`{path}` of {what} {name}", _at(old, path), _at(new, path), order)


def _value(what: str, before: Any, after: Any, order: Order) -> Iterator[Change]:
    """The change of one value; lists are told by what came and what went."""
    if before == after:
        return
    if isinstance(before, list) and isinstance(after, list):
        came, went = ([v for v in one if v not in other] for one, other in ((after, before), (before, after)))
        parts = [
            f"{word} {', '.join(map(_shown, found))}" for word, found in (("gains", came), ("loses", went)) if found
        ]
        way = "changed" if came and went else _way(order, 0 if came else 1, 1 if came else 0)
        yield Change(way, f"{what} {' and '.join(parts) or 'is ordered anew'}")
        return
    ranks = _rank(before, order), _rank(after, order)
    way = "changed" if ranks[0] is None or ranks[1] is None else _way(order, *ranks)
    yield Change(way, f"{what} changes from {_shown(before)} to {_shown(after)}")


def _way(order: Order, before: Any, after: Any) -> str:
    if order == _FREE or before == after:
        return "changed"
    return "stricter" if (after > before) == (order != _DOWN) else "weaker"


def _rank(value: Any, order: Order) -> Any:
    """A number that orders values; null is the loosest, a list beside null too."""
    if not isinstance(order, str):
        return -1 if value is None else order.get(value)
    if value is None:
        return -1 if order == _UP else float("inf")
    if isinstance(value, list):
        return len(value)
    return _WORDS.get(value) if isinstance(value, str) else value if not isinstance(value, dict) else None


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "nothing"
    return str(value)


def _grant(grant: Entry) -> str:
    who = grant["domain"] or grant["role"] or "everybody"
    return f"{who} ({grant['access']})"


def _cron(product: Entry) -> str | None:
    schedule = product["schedule"]
    return None if schedule is None or not schedule["enabled"] else f"{schedule['cron']} {schedule['timezone']}"
