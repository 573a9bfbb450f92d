"""What changed for governance, in words, with the way it goes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from compiler.ir.diff import diff
from compiler.ir.schema import complete

BEFORE: dict[str, Any] = complete(
    {
        "platform": {
            "tiers": [{"scope": "enterprise", "name": "acme", "version": "1.0.0"}],
            "approved_plugins": {"compute": ["duckdb", "snowflake"]},
            "data_architecture": {
                "layers": [{"name": "gold", "minimum_coverage": 80, "required_tests": ["unique_pk"]}]
            },
            "governance": {
                "classification": {"categories": [{"name": "pii", "level": "confidential", "retention_max_days": 30}]},
                "quality_gates": {"minimum_test_coverage": 50},
            },
        },
        "policies": [{"id": "NAM001", "title": "Names", "severity": "warn"}],
        "params": {"floe.naming": {"limit": 3}},
        "product": {"name": "orders", "output_ports": [{"name": "out", "sla": {"freshness_hours": 24}}]},
        "models": [
            {"unique_id": "model.a", "name": "a", "owner": "x", "columns": [{"name": "mail", "classification": "pii"}]}
        ],
    }
).value


def changed(path: str, value: Any) -> dict[str, Any]:
    after = deepcopy(BEFORE)
    *keys, last = [int(k) if k.isdigit() else k for k in path.split("/")]
    at: Any = after
    for key in keys:
        at = at[key]
    at[last] = value
    return after


@pytest.mark.parametrize(
    ("path", "value", "direction", "says"),
    [
        ("platform/governance/quality_gates/minimum_test_coverage", 40, "weaker", "from 50 to 40"),
        ("platform/governance/quality_gates/minimum_test_coverage", None, "weaker", "from 50 to nothing"),
        ("platform/governance/quality_gates/require_descriptions", True, "stricter", "from nothing to true"),
        ("platform/governance/audit_logging", "required", "stricter", "audit_logging"),
        ("platform/governance/retention/max_days", 365, "stricter", "from nothing to 365"),
        ("platform/governance/classification/categories/0/retention_max_days", 60, "weaker", "category pii"),
        ("platform/governance/classification/categories/0/level", "internal", "changed", "confidential to internal"),
        ("platform/data_architecture/layers/0/required_tests", [], "weaker", "loses unique_pk"),
        ("platform/data_architecture/layers/0/minimum_coverage", 90, "stricter", "the layer gold"),
        ("platform/approved_plugins/compute", ["duckdb", "snowflake", "spark"], "weaker", "gains spark"),
        ("platform/approved_plugins/compute", ["duckdb"], "stricter", "loses snowflake"),
        ("platform/tiers/0/version", "1.1.0", "changed", "enterprise acme"),
        ("policies/0/severity", "off", "weaker", "the severity of NAM001"),
        ("policies/0/severity", "block", "stricter", "from warn to block"),
        ("policies", [], "weaker", "the policy NAM001 (Names) is gone"),
        ("params/floe.naming/limit", 4, "changed", "floe.naming.limit changes from 3 to 4"),
        ("product/output_ports/0/sla/freshness_hours", 48, "weaker", "output port out"),
        (
            "product/output_ports/0/access/grants",
            [{"domain": "hr", "role": None, "access": "read"}],
            "weaker",
            "hr (read)",
        ),
        ("models/0/owner", None, "changed", "`owner` of the model a"),
        ("models/0/contract_enforced", True, "stricter", "contract_enforced"),
        ("models/0/columns/0/classification", None, "changed", "`classification` of the column mail"),
        ("models/0/columns/0/masked", True, "stricter", "masked"),
        ("models/0/columns", [], "changed", "the column mail of the model a is gone"),
        ("models", [], "changed", "the model a is gone"),
        ("product", None, "changed", "there is no product any more"),
    ],
)
def test_one_change(path: str, value: Any, direction: str, says: str) -> None:
    (change,) = diff(BEFORE, changed(path, value))
    assert change.direction == direction
    assert says in change.text
    (back,) = diff(changed(path, value), BEFORE)
    assert back.direction == {"stricter": "weaker", "weaker": "stricter"}.get(direction, "changed")


def test_the_same_ir_has_no_changes() -> None:
    assert diff(BEFORE, deepcopy(BEFORE)) == ()


def test_a_new_exemption_is_weaker() -> None:
    exemption = {"policy": "NAM001", "subject": "a", "reason": "r", "approver": None, "expires": None}
    (change,) = diff(BEFORE, changed("platform/exemptions", [exemption]))
    assert (change.direction, change.text) == ("weaker", "an exemption from NAM001 for a is new")


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ("confidential", "internal", "weaker"),
        ("confidential", None, "weaker"),
        ("internal", "confidential", "stricter"),
        ("confidential", "unheard-of", "changed"),
    ],
)
@pytest.mark.parametrize("path", ["platform/governance/classification/categories/0/level", "models/0/columns/0/level"])
def test_a_lower_level_is_weaker(path: str, before: str, after: str | None, direction: str) -> None:
    levels = [{"name": "internal", "rank": 1}, {"name": "confidential", "rank": 2}]
    found = []
    for value in (before, after):
        ir = changed(path, value)
        ir["platform"]["governance"]["classification"]["levels"] = levels
        found.append(complete(ir).value)
    (change,) = diff(*found)
    assert change.direction == direction, change
