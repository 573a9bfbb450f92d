"""What changed for governance, in words, with the way it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from compiler.cli.main import run
from compiler.ir.diff import diff
from compiler.ir.schema import complete
from compiler.ir.shape import ir

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
        ("platform/governance/quality_gates/require_descriptions", False, "changed", "from nothing to false"),
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
        ("models/0/columns/0/classification", None, "weaker", "`classification` of the column mail"),
        ("models/0/columns/0/masked", True, "stricter", "masked"),
        ("models/0/columns", [], "changed", "the column mail of the model a (pii) is gone"),
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


def sample(schema: Any, other: bool = False) -> Any:
    """A value of a part of the IR's shape with one entry in each list; ``other`` gives another one of a leaf."""
    if "$ref" in schema:
        return {}
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], other)
    if "enum" in schema:
        words = [w for w in schema["enum"] if w is not None]
        return words[-1] if other else words[0]
    kind = schema.get("type", "string")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        if "properties" in schema:
            return {name: sample(field) for name, field in schema["properties"].items()}
        return {"a": sample(schema.get("additionalProperties") or {}, other)}
    if kind == "array":
        return [sample(schema["items"], other)]
    return {"string": "y" if other else "x", "number": 2 if other else 1, "boolean": other}[kind]


def leaves(schema: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each leaf of a part of the IR's shape, with its own schema."""
    if "anyOf" in schema:
        yield from leaves(schema["anyOf"][0], path)
    elif "properties" in schema:
        for name, field in schema["properties"].items():
            yield from leaves(field, (*path, name))
    elif schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        yield from leaves(schema["additionalProperties"], (*path, "a"))
    elif schema.get("type") == "array" and "properties" in schema["items"]:
        yield from leaves(schema["items"], (*path, 0))
    else:
        yield path, schema


PARTS = {name: ir()["properties"][name] for name in ("platform", "product", "contracts", "policies")}
TOLD_ELSEWHERE = {
    "platform.name", "platform.version",  # with the tiers
    "product.output_ports.0.sla.freshness", "product.input_ports.0.freshness_requirement",  # as hours
    "contracts.0.changes", "contracts.0.previous_version", "contracts.0.due_version",  # of one version to the next
    "platform.data_architecture.layers.0.rank", "platform.governance.classification.levels.0.rank",  # their order
    "contracts.0.name", "contracts.0.description", "contracts.0.columns.0.description", "contracts.0.path",
    "policies.0.package", "policies.0.name", "policies.0.title", "policies.0.tier",
}  # fmt: skip
LEAVES = [
    (path, schema)
    for name, part in PARTS.items()
    for path, schema in leaves(part, (name,))
    if not any(".".join(map(str, path)).startswith(one) for one in TOLD_ELSEWHERE)
]


@pytest.mark.parametrize(("path", "schema"), LEAVES, ids=[".".join(map(str, path)) for path, _ in LEAVES])
def test_nothing_that_governs_changes_in_silence(path: tuple[Any, ...], schema: Any) -> None:
    before = {name: sample(part) for name, part in PARTS.items()}
    before["product"]["schedule"]["enabled"] = path[-1] != "enabled"
    after = deepcopy(before)
    at: Any = after
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = sample(schema, other=True)
    one, two = complete(before).value, complete(after).value
    assert one is not None
    assert two is not None
    assert one != two
    assert diff(one, two)
    assert diff(one, deepcopy(one)) == ()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (["a", "b"], ["b", "a"], []),
        ([], ["a"], ["weaker the model a is open to a (select) now"]),
        (["a"], [], ["stricter the model a is no longer open to a (select)"]),
    ],
)
def test_grants_of_a_model(before: list[str], after: list[str], says: list[str]) -> None:
    found = diff(changed("models/0/grants", {"select": before}), changed("models/0/grants", {"select": after}))
    assert [f"{c.direction} {c.text}" for c in found] == says


def test_a_wider_grant_is_one_change() -> None:
    grants = [[{"domain": "hr", "role": None, "access": access}] for access in ("read", "read_write")]
    found = diff(*(changed("product/output_ports/0/access/grants", g) for g in grants))
    assert [(c.direction, c.text) for c in found] == [
        ("weaker", "the access of hr to the output port out changes from read to read_write")
    ]


def test_what_a_test_no_longer_demands() -> None:
    test = {"name": "unique", "column": None, "severity": "error", "unique_id": "t"}
    softer, with_test = ([dict(test, severity=s)] for s in ("warn", "error"))
    said = [
        diff(changed("models/0/tests", with_test), changed("models/0/tests", now)) for now in (softer, [], with_test)
    ]
    assert [[(c.direction, c.text) for c in found] for found in said] == [
        [("weaker", "the severity of the test unique of the model a changes from error to warn")],
        [("weaker", "the test unique of the model a is gone")],
        [],
    ]


def test_an_exemption_that_lasts_longer_is_weaker() -> None:
    one = {"policy": "NAM001", "subject": "a", "reason": "r", "approver": None, "expires": "2030-01-01"}
    found = diff(
        changed("platform/exemptions", [one]), changed("platform/exemptions", [one | {"expires": "2031-01-01"}])
    )
    assert [(c.direction, c.text) for c in found] == [
        ("weaker", "the last day of the exemption from NAM001 for a changes from 2030-01-01 to 2031-01-01")
    ]


def test_a_model_that_was_renamed_is_still_compared() -> None:
    after = changed("models/0/columns/0/classification", None)
    after["models"][0] |= {"unique_id": "model.b", "name": "b"}
    assert [(c.direction, c.text) for c in diff(BEFORE, after)] == [
        ("changed", "the name of the model a changes from a to b"),
        ("weaker", "`classification` of the column mail of the model a changes from pii to nothing"),
    ]


def test_the_command_tells_programs_where_and_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, value in zip(files, (50, 40), strict=True):
        file.write_text(json.dumps(changed("platform/governance/quality_gates/minimum_test_coverage", value)))
    names = list(map(str, files))
    assert run(["ir", "diff", *names, "--format", "json", "--fail-on-weaker"]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert told == {
        "direction": "weaker",
        "text": "`governance.quality_gates.minimum_test_coverage` changes from 50 to 40",
        "path": ["platform", "governance", "quality_gates", "minimum_test_coverage"],
        "before": 50,
        "after": 40,
    }
    assert run(["ir", "diff", *names]) == 0
    assert capsys.readouterr().out.endswith("1 change, 1 weaker\n")
    assert run(["ir", "diff", *names[::-1], "--fail-on-weaker"]) == 0


@pytest.mark.parametrize(
    ("package", "name", "before", "after", "direction"),
    [
        ("floe.platform", "maximum_exemption_days", 180, 365, "weaker"),
        ("floe.platform", "exemption_notice_days", 14, 30, "stricter"),
        ("floe.testing", "shared_keys", ["id"], ["id", "code"], "changed"),
        ("acme.own", "limit", 1, 2, "changed"),
    ],
)
def test_a_parameter_moves_as_its_policy_declares(
    package: str, name: str, before: Any, after: Any, direction: str,
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, value in zip(files, (before, after), strict=True):
        file.write_text(json.dumps(changed("params", {package: {name: value}})))
    assert run(["ir", "diff", *map(str, files), "--format", "json"]) == 0
    assert [c["direction"] for c in json.loads(capsys.readouterr().out)] == [direction]
