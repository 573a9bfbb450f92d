"""How strict the values of the IR are: for the platform as its manifest's fields are inherited, else a table here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.documents.fields import fields_of
from compiler.documents.governance import CLASS_ACTION, LEVEL_NAME, ON_FAILURE, SENSITIVITY
from compiler.documents.manifest import MANIFEST
from compiler.documents.shape import Choice
from compiler.ir.diff_values import Path, Rule, Rules

_ORDERS = {"stricter_up": "up", "stricter_down": "down", "extend": "more", "intersect": "fewer"}
_ALL_IF_EMPTY = frozenset(
    {"allowed_layers", "requires_role", "trusted_keys", "trusted_issuers", "public_keys", "allowed_repositories"}
)
"""Lists that hold what is demanded or allowed, and forbid nothing where they are empty."""
_MORE = Rule("more")
_CLASSES = ("governance", "classification")
_UP, _DOWN = Rule("up"), Rule("down")
_ACCESS = Rule("up", Choice("public", "protected", "private").rank)
_CLOSED = Rule("up", Choice("allow", "deny").rank)
_ENFORCED = Rule("up", Choice("off", "warn", "alert_only", "block").rank)
_ACTION = Rule("up", CLASS_ACTION.rank)
_SEVERITY = Rule("up", Choice("off", "notify", "warn", "block").rank)
_SLA: Rules = {("freshness_hours",): _DOWN, ("availability",): _UP, ("completeness",): _UP, ("accuracy",): _UP}

PRODUCT: Rules = {
    **{("output_ports", "*", "sla", *path): rule for path, rule in _SLA.items() if len(path) == 1},
    ("output_ports", "*", "sla", "quality", "completeness"): _UP,
    ("output_ports", "*", "sla", "quality", "accuracy"): _UP,
    ("output_ports", "*", "access", "default"): _CLOSED,
    ("destinations", "*"): Rule("fewer"),
    ("input_ports", "*"): Rule(),
    ("quality", "minimum_coverage"): _UP,
    ("quality", "required_tests"): _MORE,
    ("quality", "gates", "*"): _MORE,
    ("quality", "gates", "*", "on_failure"): Rule("up", ON_FAILURE.rank),
    ("quality", "dbt_tests", "enabled"): _UP,
    ("quality", "dbt_tests", "fail_on_warning"): _UP,
    ("governance", "retention_days"): _DOWN,
    ("governance", "data_contracts", "enforcement"): _ENFORCED,
    ("governance", "policies", "*"): _MORE,
    **{
        ("governance", "policies", "*", where, field): rule
        for where in ("production", "non_production")
        for field, rule in (("action", _ACTION), ("requires_role", Rule("fewer", all_if_empty=True)))
    },
}
NODE: Rules = {
    ("access",): _ACCESS,
    ("contract_enforced",): _UP,
    ("retention_days",): _DOWN,
    ("constraints",): _MORE,
    ("freshness", "warn_after_hours"): _DOWN,
    ("freshness", "error_after_hours"): _DOWN,
}
CONTRACT: Rules = {
    **{("sla", *path): rule for path, rule in _SLA.items()},
    ("columns", "*"): _MORE,
    ("columns", "*", "required"): _UP,
    ("columns", "*", "unique"): _UP,
    ("columns", "*", "primary_key"): _UP,
}
SEVERITY = _SEVERITY
TEST_SEVERITY = Rule("up", Choice("warn", "error").rank)
COLUMN: Rules = {
    ("masked",): _UP,
    ("tests",): _MORE,
    ("constraints",): _MORE,
    ("sensitivity",): Rule("up", SENSITIVITY.rank),
}


def level_rule(platform: Mapping[str, Any]) -> Rule:
    """The order of the levels of classification: a level that the platform does not have has none."""
    ranks = {level["name"]: level["rank"] for level in platform["governance"]["classification"]["levels"]}
    return Rule("up", ranks.get)


def platform_rules(level: Rule) -> Rules:
    """The rules of the IR's ``platform``: what a child may not weaken is weaker here too."""
    found: dict[Path, Rule] = {(*_CLASSES, "categories", "*"): _MORE, (*_CLASSES, "policies", "*"): _MORE}
    for info in fields_of(MANIFEST):
        order = _ORDERS.get(info.order, "")
        rank = level.rank if info.shape is LEVEL_NAME else info.shape.rank
        for path in _in_ir(info.path):
            if order or path not in found:
                found[path] = Rule(order, rank, path[-1] in _ALL_IF_EMPTY)
    return found


def _in_ir(path: Path) -> tuple[Path, ...]:
    """Where the IR's platform has a field of the manifest."""
    if path[:2] == ("governance", "policies"):
        return ((*_CLASSES, *path[1:]),)
    if path[:1] == ("catalog_structure",):
        return (("governance", "access_control", *path[1:]),)
    if path[:2] == ("data_architecture", "layers"):
        rest = {"quality_gates": path[4:], "prefix": ("prefixes",)}.get(path[3] if len(path) > 3 else "", path[3:])
        return ((*path[:3], *rest),)
    if path == ("governance", "sla_minimums", "freshness"):
        return (("governance", "sla_minimums", "freshness_hours"),)
    if path == ("governance", "interoperability", "data_contracts", "required"):
        return (path, ("governance", "data_contracts", "required"))
    return (path,)
