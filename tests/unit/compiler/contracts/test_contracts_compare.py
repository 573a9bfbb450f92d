"""Two versions of a contract: each rule with its severity and direction, the version due, who breaks."""

from __future__ import annotations

import pytest

from compiler.contracts.compare import compare
from compiler.contracts.judge import judge
from compiler.contracts.model import Contract, Party
from compiler.contracts.read import read_contract
from compiler.contracts.types import type_change
from compiler.documents.models import validate_document
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import Severity, blocking
from policy_lang.source import Source

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nstatus: active\n"


def contract(body: str, version: str = "1.0.0", file: str = "t.yaml", head: str = HEAD) -> Contract:
    loaded = load_yaml(Source(file, f"{head}version: {version}\n{body}\n"))
    assert loaded.value is not None, loaded.diagnostics
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert not blocking(checked.diagnostics)
    return read_contract(checked.value)


def table(*columns: str, more: str = "") -> str:
    return f"schema: [{{name: orders, {more} properties: [{', '.join('{' + c + '}' for c in columns)}]}}]"


def sla(name: str, value: str) -> str:
    return f"slaProperties: [{{property: {name}, value: {value}}}]"


def rule(text: str) -> str:
    return table(f"name: a, quality: [{{{text}}}]")


def two_promises(hours: int) -> str:
    """One property twice, each measured on another column."""
    later = "{property: latency, value: 2, unit: h, element: b}"
    return f"slaProperties: [{{property: latency, value: {hours}, unit: h, element: a}}, {later}]"


LOOSER_RULE = ("quality-loosened", "major", "loosens")
ID = "name: id, logicalType: integer"
RULES = [
    (table(ID), table(), "column-removed", "major", "loosens"),
    (table(ID), table(ID, "name: b"), "column-added", "minor", "tightens"),
    (table(ID), table(ID, "name: b, required: true"), "required-column-added", "major", "tightens"),
    (table(ID), table("name: id, logicalType: string"), "type-changed", "major", "both"),
    (table("name: a, physicalType: int"), table("name: a, physicalType: BIGINT"), "type-widened", "minor", "loosens"),
    (table("name: a, physicalType: bigint"), table("name: a, physicalType: int"), "type-changed", "major", "tightens"),
    (table("name: a"), table("name: a, required: true"), "required-added", "major", "tightens"),
    (table("name: a, required: true"), table("name: a"), "required-removed", "minor", "loosens"),
    (table("name: a"), table("name: a, unique: true"), "unique-added", "minor", "tightens"),
    (table("name: a, unique: true"), table("name: a"), "unique-removed", "major", "loosens"),
    (table("name: a, classification: pii"), table("name: a"), "classification-lowered", "major", "loosens"),
    (
        table("name: a, classification: pii"),
        table("name: a, classification: public"),
        "classification-lowered",
        "major",
        "loosens",
    ),
    (table("name: a"), table("name: a, classification: pii"), "classification-raised", "patch", "tightens"),
    (
        table("name: a, classification: x"),
        table("name: a, classification: y"),
        "classification-changed",
        "minor",
        "undetermined",
    ),
    (table("name: a, enum: [x]"), table("name: a, enum: [x, y]"), "enum-widened", "major", "loosens"),
    (table("name: a, enum: [x, y]"), table("name: a, enum: [x]"), "enum-narrowed", "minor", "tightens"),
    (
        table("name: a, logicalTypeOptions: {maxLength: 5}"),
        table("name: a, logicalTypeOptions: {maxLength: 9}"),
        "limit-loosened",
        "major",
        "loosens",
    ),
    (
        table("name: a, logicalTypeOptions: {minimum: 5}"),
        table("name: a, logicalTypeOptions: {minimum: 9}"),
        "limit-tightened",
        "minor",
        "tightens",
    ),
    (
        table("name: a, logicalTypeOptions: {pattern: a}"),
        table("name: a, logicalTypeOptions: {pattern: b}"),
        "limit-changed",
        "minor",
        "undetermined",
    ),
    (table("name: a, logicalTypeOptions: {pattern: a}"), table("name: a"), "limit-removed", "major", "loosens"),
    (table("name: a, logicalTypeOptions: {format: email}"), table("name: a"), "format-changed", "major", "loosens"),
    (
        table("name: a, quality: [{metric: nullValues, mustBeLessThan: 5}]"),
        table("name: a, quality: [{metric: nullValues, mustBeLessThan: 9}]"),
        "quality-loosened",
        "major",
        "loosens",
    ),
    (
        table("name: a, quality: [{metric: nullValues, mustBe: 0}]"),
        table("name: a"),
        "quality-removed",
        "major",
        "loosens",
    ),
    (table("name: a, relationships: [{to: x.y}]"), table("name: a"), "relationship-removed", "major", "loosens"),
    (table("name: a", "name: b"), table("name: b", "name: a"), "columns-reordered", "minor", "undetermined"),
    (table("name: a, id: one"), table("name: b, id: one"), "column-renamed", "major", "both"),
    (table("name: a, physicalName: x"), table("name: a, physicalName: y"), "physical-name-changed", "major", "both"),
    (
        table("name: a, description: x"),
        table("name: a, description: y"),
        "description-changed",
        "patch",
        "undetermined",
    ),
    (table(more="physicalName: x,"), table(more="physicalName: y,"), "physical-name-changed", "major", "both"),
    (table(), "schema: []", "table-removed", "major", "loosens"),
    ("schema: []", table(), "table-added", "minor", "tightens"),
    (sla("freshness", "6h"), sla("freshness", "PT12H"), "sla-relaxed", "major", "loosens"),
    (sla("freshness", "PT6H"), sla("freshness", "30m"), "sla-stricter", "minor", "tightens"),
    (sla("availability", "99.9%"), sla("availability", "99"), "sla-relaxed", "major", "loosens"),
    (sla("retention", "7 years"), sla("retention", "365d"), "sla-relaxed", "major", "loosens"),
    (sla("freshness", "6h"), "", "sla-removed", "major", "loosens"),
    ("", sla("freshness", "6h"), "sla-added", "minor", "tightens"),
    (sla("support", "phone"), sla("support", "mail"), "sla-changed", "minor", "undetermined"),
    ("roles: [{role: a, access: read}]", "", "access-narrowed", "major", "loosens"),
    ("", "roles: [{role: a, access: read}]", "access-widened", "minor", "tightens"),
    (
        "customProperties: [{property: access, value: public}]",
        "customProperties: [{property: access, value: protected}]",
        "access-narrowed",
        "major",
        "loosens",
    ),
    (
        table(more="id: one,"),
        table(more="id: one,").replace("name: orders", "name: other"),
        "table-renamed",
        "major",
        "both",
    ),
    (table("name: a, required: true"), table("name: a, primaryKey: true"), "key-added", "minor", "tightens"),
    (
        table("name: a, primaryKey: true", "name: b, primaryKey: true, primaryKeyPosition: 2"),
        table("name: a, primaryKey: true, primaryKeyPosition: 3", "name: b, primaryKey: true, primaryKeyPosition: 2"),
        "key-reordered",
        "patch",
        "undetermined",
    ),
    (table("name: a"), table("name: a, relationships: [{to: x.y}]"), "relationship-added", "minor", "tightens"),
    (table("name: a, tags: [x]"), table("name: a"), "tags-changed", "patch", "undetermined"),
    (table("name: a"), table("name: a, partitioned: true"), "partitioning-changed", "minor", "undetermined"),
    (table("name: a"), table("name: a, physicalType: int"), "type-added", "minor", "tightens"),
    (table("name: a, logicalType: integer"), table("name: a"), "type-removed", "major", "loosens"),
    (table("name: a"), table("name: a, enum: [x]"), "enum-added", "minor", "tightens"),
    (table("name: a, enum: [x]"), table("name: a"), "enum-removed", "major", "loosens"),
    (table("name: a"), table("name: a, logicalTypeOptions: {maxLength: 3}"), "limit-added", "minor", "tightens"),
    (
        table("name: a"),
        table("name: a, quality: [{metric: nullValues, mustBe: 0}]"),
        "quality-added",
        "minor",
        "tightens",
    ),
    (
        table("name: a, quality: [{metric: nullValues, mustBe: 0}]"),
        table("name: a, quality: [{metric: nullValues, mustBeLessThan: 0}]"),
        "quality-changed",
        "minor",
        "undetermined",
    ),
    (
        "slaProperties: [{property: freshness, value: 6h, element: a}]",
        "slaProperties: [{property: freshness, value: 6h, element: b}]",
        "sla-element-changed",
        "minor",
        "undetermined",
    ),
    (
        "roles: [{role: a, access: read_write}]",
        "roles: [{role: a, access: read}]",
        "access-narrowed",
        "major",
        "loosens",
    ),
    ("roles: [{role: a, access: x}]", "roles: [{role: a, access: y}]", "access-changed", "minor", "undetermined"),
    (
        "customProperties: [{property: access, value: private}]",
        "customProperties: [{property: access, value: public}]",
        "access-widened",
        "minor",
        "tightens",
    ),
    ("servers: [{server: p, type: duckdb}]", "", "server-removed", "major", "loosens"),
    ("", "servers: [{server: p, type: duckdb}]", "server-added", "minor", "tightens"),
    (
        "servers: [{server: p, type: duckdb, path: a}]",
        "servers: [{server: p, type: duckdb, path: b}]",
        "server-changed",
        "minor",
        "undetermined",
    ),
    ("team: [{username: a}]", "team: [{username: b}]", "owner-changed", "patch", "undetermined"),
    ("description: {purpose: a}", "description: {purpose: b}", "description-changed", "patch", "undetermined"),
    ("tags: [a]", "", "tags-changed", "patch", "undetermined"),
    ("price: {priceAmount: 1}", "price: {priceAmount: 2}", "metadata-changed", "patch", "undetermined"),
    ("customProperties: [{property: x, value: 1}]", "", "metadata-changed", "patch", "undetermined"),
    (table("name: a, businessName: x"), table("name: a, businessName: y"), "metadata-changed", "patch", "undetermined"),
    (table(more="businessName: x,"), table(more="businessName: y,"), "metadata-changed", "patch", "undetermined"),
    ("team: [{username: a}]", "", "owner-removed", "minor", "loosens"),
    (
        "servers: [{server: p, type: duckdb}]",
        "servers: [{server: p, type: snowflake}]",
        "server-changed",
        "major",
        "undetermined",
    ),
    (
        table("name: a, logicalType: integer, physicalType: bigint"),
        table("name: a, logicalType: number, physicalType: bigint"),
        "type-widened",
        "minor",
        "loosens",
    ),
    (table("name: a"), table("name: a, physicalName: b"), "physical-name-changed", "major", "both"),
    (
        table("name: a", more="physicalType: table,"),
        table("name: a", more="physicalType: view,"),
        "table-type-changed",
        "minor",
        "undetermined",
    ),
    (
        table("name: a", more="relationships: [{from: [orders.a, orders.b], to: [x.a, x.b]}],"),
        table("name: a"),
        "relationship-removed",
        "major",
        "loosens",
    ),
    ("description: {usage: a}", "description: {usage: b}", "metadata-changed", "patch", "undetermined"),
    ("domain: a", "domain: b", "metadata-changed", "patch", "undetermined"),
    (rule("metric: nullValues, mustBe: 0"), rule("metric: nullValues, mustBe: 5"), *LOOSER_RULE),
    (rule("metric: rowCount, mustBeBetween: [1, 9]"), rule("metric: rowCount, mustBeBetween: [0, 9]"), *LOOSER_RULE),
    (
        rule("metric: rowCount, mustBeBetween: [1, 9]"),
        rule("metric: rowCount, mustBeBetween: [2, 9]"),
        "quality-tightened",
        "minor",
        "tightens",
    ),
    (
        rule("metric: nullValues, mustBe: 0, unit: rows"),
        rule("metric: nullValues, mustBe: 0, unit: percent"),
        "quality-changed",
        "minor",
        "undetermined",
    ),
    (
        two_promises(1),
        two_promises(9),
        "sla-relaxed",
        "major",
        "loosens",
    ),
]


@pytest.mark.parametrize(("old", "new", "rule", "severity", "direction"), RULES)
def test_a_rule(old: str, new: str, rule: str, severity: str, direction: str) -> None:
    found = [(c.rule, c.severity, c.direction) for c in compare(contract(old), contract(new))]
    assert found == [(rule, severity, direction)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("value: 4, unit: h", "value: 240, unit: m"),
        ("value: 4, unit: hours", "value: PT240M"),
        ("value: '4', unit: hrs", "value: 14400, unit: seconds"),
        ("value: 3, unit: y", "value: 36, unit: mo"),
        ("value: 1.5h", "value: 90m"),
        ("value: 100s", "value: PT1M40S"),
    ],
)
def test_an_sla_in_other_units_is_the_same(one: str, other: str) -> None:
    texts = [f"slaProperties: [{{property: latency, {v}}}]" for v in (one, other)]
    assert compare(contract(texts[0]), contract(texts[1])) == ()


def test_the_rules_are_all_different_and_explained() -> None:
    assert len({r[2] for r in RULES}) >= 34


@pytest.mark.parametrize(("status", "severity"), [("deprecated", "minor"), ("retired", "major")])
def test_a_changed_status(status: str, severity: str) -> None:
    end = HEAD.replace("active", status)
    found = [(c.rule, c.severity) for c in compare(contract(""), contract("", head=end))]
    assert found == [("status-changed", severity)]


def test_another_identity_is_another_contract() -> None:
    found = compare(contract(""), contract("", head=HEAD.replace("id: orders", "id: other")))
    assert [(c.rule, c.severity) for c in found] == [("identity-changed", "major")]


def test_a_changed_key_is_another_grain() -> None:
    old = contract(table("name: a, primaryKey: true", "name: b"))
    new = contract(table("name: a, primaryKey: true", "name: b, primaryKey: true, primaryKeyPosition: 2"))
    assert "key-changed" in {c.rule for c in compare(old, new)}
    assert "key-removed" in {c.rule for c in compare(old, contract(table("name: a, required: true", "name: b")))}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("int", "INTEGER", "same"),
        ("int", "bigint", "wider"),
        ("bigint", "int", "narrower"),
        ("varchar(10)", "varchar(20)", "wider"),
        ("varchar(20)", "varchar", "wider"),
        ("string", "varchar(20)", "narrower"),
        ("decimal(10,2)", "decimal(12, 2)", "wider"),
        ("decimal(10,2)", "decimal(10,4)", "other"),
        ("decimal(10,2)", "decimal(12,4)", "wider"),
        ("int", "decimal(10,0)", "wider"),
        ("bigint", "decimal(10,0)", "other"),
        ("float", "double", "wider"),
        ("date", "timestamp", "other"),
        ("timestamp", "datetime", "same"),
        ("timestamp", "timestamptz", "other"),
        ("array<int>", "array<string>", "other"),
        ("struct<a int>", "struct<a int>", "same"),
    ],
)
def test_types(old: str, new: str, expected: str) -> None:
    assert type_change(old, new) == expected


@pytest.mark.parametrize(
    ("version", "new_version", "columns", "code", "due"),
    [
        ("1.0.0", "2.0.0", table(), None, "2.0.0"),
        ("1.0.0", "2.0.0-rc.1", table(), None, "2.0.0"),
        ("1.4.2", "1.5.0", table(), "FLC501", "2.0.0"),
        ("1.4.2", "1.4.3", table(ID, "name: b"), "FLC501", "1.5.0"),
        ("1.4.2", "1.5.0", table(ID, "name: b"), None, "1.5.0"),
        ("1.4.2", "1.4.2", table(ID, "name: b"), "FLC502", "1.5.0"),
        ("1.4.2", "1.3.0", table(ID), "FLC502", None),
        ("1.4.2", "1.4.2", table(ID), None, None),
        ("0.3.0", "0.4.0", table(), None, "0.4.0"),
        ("0.3.0", "0.3.1", table(), "FLC501", "0.4.0"),
    ],
)
def test_the_version_that_is_due(
    version: str, new_version: str, columns: str, code: str | None, due: str | None
) -> None:
    judged = judge(contract(table(ID), version, "old.yaml"), contract(columns, new_version, "new.yaml"))
    found = [d for d in judged.diagnostics if d.code in ("FLC501", "FLC502")]
    assert [d.code for d in found] == ([code] if code else [])
    assert judged.due_version == due
    for diagnostic in found:
        assert diagnostic.span is not None
        assert (diagnostic.span.file, diagnostic.span.line) == ("new.yaml", 5)
        assert diagnostic.related[0].span.file == "old.yaml"
        assert len(diagnostic.related) == (2 if due else 1), "the old version, and the change that asks for more"


def test_a_breaking_change_blocks_until_the_version_says_so() -> None:
    old, new = contract(table(ID), file="old.yaml"), contract(table(), "1.0.1", "new.yaml")
    breaking = [d for d in judge(old, new).diagnostics if d.code == "FLC503"]
    assert [d.severity for d in breaking] == [Severity.BLOCK]
    assert breaking[0].span is not None
    assert (breaking[0].span.file, breaking[0].span.line) == ("old.yaml", 6)
    declared = judge(old, contract(table(), "2.0.0")).diagnostics
    assert [d.severity for d in declared if d.code == "FLC503"] == [Severity.WARN]


def test_the_consumers_that_break() -> None:
    old, new = contract(table(ID, "name: b")), contract(table(ID), "2.0.0")
    reads_b = Party("sales", "b", columns=("b",))
    reads_id = Party("sales", "c", columns=("id",))
    unknown = Party("sales", "d")
    judged = judge(old, new, consumers=[reads_b, reads_id, unknown])
    assert [d.subject for d in judged.diagnostics if d.code == "FLC505"] == ["consumer sales.b", "consumer sales.d"]
    added = judge(old, contract(table(ID, "name: b", "name: c, required: true"), "2.0.0"), consumers=[unknown])
    assert [d for d in added.diagnostics if d.code == "FLC505"] == []


@pytest.mark.parametrize(
    ("reads", "breaks"),
    [("b", True), ("orders.b", True), ("B", True), ("b.c", True), ("orders.b.c", True), ("b.d", False), ("o.b", False)],
)
def test_a_consumer_names_its_columns_in_any_of_their_names(reads: str, breaks: bool) -> None:
    field = "{name: %s, logicalType: string}"
    both, one = (", ".join(field % n for n in names) for names in (("c", "d"), ("d",)))
    old, new = (contract(table(ID, f"name: b, logicalType: object, properties: [{p}]"), "2.0.0") for p in (both, one))
    judged = judge(old, new, consumers=[Party("sales", "x", columns=(reads,))])
    assert any(d.code == "FLC505" for d in judged.diagnostics) == breaks


def test_levels_of_a_manifest_rank_the_classes() -> None:
    old, new = contract(table("name: a, classification: x")), contract(table("name: a, classification: y"))
    assert [c.rule for c in compare(old, new, {"x": 1, "y": 2})] == ["classification-raised"]
    assert [c.rule for c in compare(old, new, {"x": 2, "y": 1})] == ["classification-lowered"]


FLOE = "apiVersion: v3.0.2\nkind: DataContract\nname: orders\n"


def test_both_spellings_compare() -> None:
    models = "models: {orders: {elements: {id: {type: int, primaryKey: true}, b: {type: string, enum: [x]}}}}\n"
    first = contract(models + "slaProperties: {freshness: {value: PT6H}}\nowner: a@b.c", head=FLOE)
    second = contract(
        "schema: [{name: orders, properties: [{name: id, physicalType: int, primaryKey: true},"
        " {name: b, logicalType: string, enum: [x]}]}]\n"
        "slaProperties: [{property: freshness, value: 6, unit: h}]\nteam: [{username: a@b.c}]"
    )
    assert first.dialect == "floe"
    assert second.dialect == "odcs"
    assert {c.rule for c in compare(first, second)} <= {"type-changed"}
    assert first.promises["freshness"].value == second.promises["freshness"].value
    assert first.owner == second.owner
