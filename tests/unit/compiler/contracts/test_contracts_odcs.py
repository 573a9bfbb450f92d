"""Contracts generated from ports, written as ODCS 3.1, read back, merged, and as entries of the IR."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from compiler.contracts.compare import compare
from compiler.contracts.entries import contract_entries
from compiler.contracts.generate import generate_contracts, merge, model_of_port
from compiler.contracts.model import Contract
from compiler.contracts.odcs import to_odcs, to_yaml
from compiler.contracts.read import load_contract, read_contract
from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import load_yaml
from compiler.ir.schema import complete
from policy_lang.diagnostics import Outcome
from policy_lang.source import Source

SHARED = Path(__file__).parents[4].parent / "shared/inputs/documents"
PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: orders, version: "1.2", domain: sales, owner: sales-data}
output_ports:
  - name: daily
    description: By day.
    table: sales.gold.daily
    sla: {freshness: 6h, availability: 99.9%, quality: {completeness: 99%}}
    access: {grants: [{domain: finance, access: read}]}
  - name: extra
    schema: {ref: extra.json}
  - name: nowhere
"""
MODELS: list[dict[str, Any]] = [
    {
        "unique_id": "model.p.daily",
        "name": "daily",
        "alias": "daily",
        "schema": "gold",
        "description": "From dbt.",
        "access": "public",
        "primary_key": ["day"],
        "tests": [{"name": "accepted_values", "column": "kind", "arguments": {"values": ["a", "b"]}}],
        "columns": [
            {
                "name": "day",
                "type": "date",
                "catalog_type": None,
                "description": "The day.",
                "tests": ["not_null", "unique"],
                "constraints": [],
                "classification": None,
                "tags": [],
            },
            {
                "name": "kind",
                "type": "text",
                "catalog_type": "VARCHAR",
                "description": "",
                "tests": [],
                "constraints": [],
                "classification": "pii",
                "tags": ["x"],
            },
        ],
    }
]
EXTRA = {
    "type": "object",
    "required": ["at"],
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "mail": {"type": ["string", "null"], "format": "email"},
    },
}


def document(text: str, file: str = "floe.yaml") -> Document:
    loaded = load_yaml(Source(file, text))
    assert loaded.value is not None, loaded.diagnostics
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert checked.diagnostics == ()
    return checked.value


def generated() -> tuple[Contract, ...]:
    made = generate_contracts(document(PRODUCT), MODELS, {"extra.json": EXTRA})
    assert [(d.code, d.span.line if d.span else 0) for d in made.diagnostics] == [("FLC519", 12)]
    assert made.value is not None
    return made.value


def odcs_schema() -> dict[str, Any]:
    package = pytest.importorskip(
        "open_data_contract_standard", reason="ODCS's JSON Schema is not installed (extra: test)"
    )
    schema: dict[str, Any] = json.loads((resources.files(package) / "schema.json").read_text())
    return schema


def test_a_port_becomes_a_contract() -> None:
    daily, extra, nowhere = generated()
    assert (daily.id, daily.version, daily.owner, daily.roles) == (
        "sales.orders.daily",
        "1.2.0",
        "sales-data",
        {"finance": "read"},
    )
    table = daily.tables["daily"]
    assert table.key == ("day",)
    assert table.columns["kind"].enum == ("a", "b")
    assert (table.columns["kind"].physical_type, table.columns["kind"].classification) == ("VARCHAR", "pii")
    assert {p.name: str(p.value) for p in daily.promises.values()} == {
        "freshness": "6",
        "availability": "99.9",
        "completeness": "99",
    }
    assert {c.name: (c.type, c.required) for c in extra.tables["extra"].columns.values()} == {
        "at": ("timestamp", True),
        "mail": ("string", False),
    }
    assert nowhere.tables["nowhere"].columns == {}


def test_what_is_written_is_odcs() -> None:
    validator = jsonschema.Draft201909Validator(odcs_schema())
    contracts = [*generated()]
    if SHARED.is_dir():
        loaded = [load_contract(p).value for p in sorted(SHARED.glob("datacontract_*.yaml"))]
        # Servers are carried along as written; that of one document lacks what the standard asks of Snowflake.
        contracts += [replace(c, servers={}) for c in loaded if c is not None]
    for contract in contracts:
        assert [e.message for e in validator.iter_errors(to_odcs(contract))] == [], contract.id


def test_what_is_written_reads_as_the_same() -> None:
    for contract in generated():
        text = to_yaml(contract)
        assert text == to_yaml(contract)
        again = read_contract(document(text))
        assert [c.rule for c in compare(contract, again)] == []
        assert to_yaml(again).replace("'%'", "%") == text.replace("'%'", "%")


def test_the_model_of_a_port_is_found() -> None:
    versions = [
        {"unique_id": f"model.p.a.v{n}", "name": "a", "alias": f"a_v{n}", "version": str(n), "latest_version": "2"}
        for n in (1, 2)
    ]
    for port, expected in (
        ({"model": "model.p.a.v1"}, "model.p.a.v1"),
        ({"name": "a"}, "model.p.a.v2"),
        ({"table": "x.y.a_v1"}, "model.p.a.v1"),
    ):
        found = model_of_port(port, versions)
        assert found is not None
        assert found["unique_id"] == expected
    assert model_of_port({"name": "b"}, versions) is None


WRITTEN = """\
apiVersion: v3.0.2
kind: DataContract
name: orders-daily
version: VERSION
models: {daily: {elements: {day: {type: date, primaryKey: true}MORE}}}
slaProperties: {freshness: {value: 3h}}
"""


def written(version: str, more: str = "") -> Contract:
    return read_contract(document(WRITTEN.replace("VERSION", version).replace("MORE", more), f"v{version}.yaml"))


def test_what_is_written_stands_and_the_rest_is_filled_in() -> None:
    merged = merge(written("1.0.0"), generated()[0])
    assert list(merged.tables["daily"].columns) == ["day"]
    assert merged.tables["daily"].columns["day"].description == "The day."
    assert str(merged.promises["freshness"].value) == "3"
    assert str(merged.promises["availability"].value) == "99.9"
    assert merged.owner == "sales-data"


@pytest.mark.parametrize(
    ("automatic", "ports", "columns"),
    [
        ({}, 3, True),
        ({"enabled": False}, 0, False),
        ({"from_ports": False}, 0, False),
        ({"from_dbt_manifest": False}, 3, False),
    ],
)
def test_what_is_made_of_ports_is_as_the_manifest_says(automatic: dict[str, bool], ports: int, columns: bool) -> None:
    made = contract_entries(document(PRODUCT), MODELS, [], automatic=automatic).value
    assert made is not None
    assert len(made) == ports
    assert any(c["type"] for e in made if e["port"] == "daily" for c in e["columns"]) == columns
    kept = contract_entries(document(PRODUCT), MODELS, [written("1.0.0")], automatic=automatic).value
    assert kept is not None
    assert "orders-daily" in {e["id"] for e in kept}


def test_entries_of_the_ir_are_whole() -> None:
    product = document(PRODUCT)
    contracts = [written("1.0.0", ", kind: {type: text}"), written("2.0.0")]
    made = contract_entries(
        product, MODELS, contracts, class_levels={"pii": "restricted"}, schemas={"extra.json": EXTRA}
    )
    assert made.value is not None
    by_id = {e["id"]: e for e in made.value}
    assert sorted(by_id) == ["orders-daily", "sales.orders.extra", "sales.orders.nowhere"]
    entry = by_id["orders-daily"]
    assert (entry["origin"], entry["port"], entry["model"], entry["path"]) == (
        "written",
        "daily",
        "model.p.daily",
        "v2.0.0.yaml",
    )
    assert (entry["previous_version"], entry["due_version"]) == ("1.0.0", "2.0.0")
    assert "column-removed" in {c["kind"] for c in entry["changes"]}
    assert entry["sla"]["freshness_hours"] == 3
    assert by_id["sales.orders.extra"]["origin"] == "generated"
    assert complete({"contracts": made.value}).diagnostics == ()


ODCS = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    columns:
      - name: id
        logicalType: bigint
        requried: true
        format: uuid
        quality:
          - {type: custom, engine: soda}
          - {metric: rowCount, mustBeGreaterThan: 0}
      - name: note
        logicalType: array
        items: {logicalType: string, quality: [{type: sql}]}
roles: [{role: reader, acces: read}]
"""


def test_a_slip_in_the_standards_keys_is_said_and_the_contract_is_read_all_the_same() -> None:
    outcome = load_text(ODCS)
    said = [(d.code, str(d.severity), d.span.line, d.message.partition(":")[0], d.hint) for d in outcome.diagnostics]
    assert said == [
        ("FLC210", "warn", 11, "unknown key `requried` in `schema[0].properties[0]`", "did you mean `required`?"),
        (
            "FLC210",
            "warn",
            12,
            "unknown key `format` in `schema[0].properties[0]`",
            "it belongs in `logicalTypeOptions`",
        ),
        ("FLC210", "warn", 19, "unknown key `acces` in `roles[0]`", "did you mean `access`?"),
        ("FLC203", "warn", 14, "`schema[0].properties[0].quality[0].implementation` is missing", ""),
        ("FLC203", "warn", 18, "`schema[0].properties[1].items.quality[0].query` is missing", ""),
        ("FLC202", "warn", 18, "`schema[0].properties[1].items.quality[0]` has no bound", "add `mustBe: 0`"),
    ]
    assert outcome.value is not None
    table = read_contract(outcome.value).tables["orders"]
    assert {name: column.type for name, column in table.columns.items()} == {
        "id": "integer",
        "note": "array",
        "note.[]": "string",
    }


def test_a_value_of_the_wrong_type_in_the_standards_parts_is_refused() -> None:
    outcome = load_text(ODCS.replace("acces: read", "firstLevelApprovers: {a: 1}"))
    assert ["roles[0].firstLevelApprovers" in d.message for d in outcome.diagnostics if d.code == "FLC202"] == [True]


WHOLE = """\
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    relationships: [{from: [orders.a], to: [x.a]}]
    properties:
      - {name: a,logicalTypeOptions: {minimum: 1},relationships: [{to: x.a}],quality: [{metric: rowCount, mustBe: 1}]}
servers:
  - {server: p, type: postgres, host: h, port: 5432, database: d, schema: s}
description: {purpose: p, authoritativeDefinitions: [{url: u, type: t}]}
customProperties: [{property: a, value: 1}]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: orders\n", "name: orders\n", "block FLC203 1: `id` is missing"),
        ("status: active\n", "", "block FLC203 1: `status` is missing"),
        ("v3.1.0", "v3.0.2", ""),
        ("v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active",
         "v3.0.2\nkind: DataContract\nid: orders\nversion: 1.0.0", "warn FLC203 1: `status` is missing"),
        ("v3.1.0", "v3.9.0", "warn FLC202 1: `apiVersion`: `v3.9.0` is none of"),
        ("v3.1.0", "v4.0.0", "block FLC202 1: `apiVersion`: must be one of"),
        ("status: active", "status: current", ""),
        ("status: active", "status: under review", "warn FLC202 5: `status`: `under review` is none of"),
        ("status: active", "status: depricated", "block FLC202 5: `status`: must be one of"),
        ("from: [orders.a], ", "", "warn FLC203 8: `schema[0].relationships[0].from` is missing"),
        ("{to: x.a}]", "{type: foreignKey}]", "warn FLC203 10: `schema[0].properties[0].relationships[0].to` is missi"),
        ("metric: rowCount", "metric: rowCounts", "warn FLC202 10: `schema[0].properties[0].quality[0].metric`: the s"),
        (", mustBe: 1", "", "warn FLC202 10: `schema[0].properties[0].quality[0]` has no bound"),
        ("mustBe: 1", "mustBe: 1, mustBeLessThan: 9", "warn FLC202 10: `schema[0].properties[0].quality[0]` has mustB"),
        ("mustBe: 1", "mustBeLessThan: many", "block FLC202 10: `schema[0].properties[0].quality[0].mustBeLessThan`:"),
        ("minimum: 1", "minimum: [1]", "block FLC202 10: `schema[0].properties[0].logicalTypeOptions.minimum`: must b"),
        ("server: p, ", "", "warn FLC203 12: `servers[0].server` is missing"),
        ("host: h, ", "", "warn FLC203 12: `servers[0].host` is missing"),
        ("port: 5432", "port: any", "warn FLC202 12: `servers[0].port`: must be a whole number"),
        ("host: h", "host: [h]", "warn FLC202 12: `servers[0].host`: must be a string"),
        ("customProperties: [{property: a, value: 1}]", "slaProperties: [{property: a, value: [1]}]",
         "warn FLC202 14: `slaProperties[0].value`: must be a single value"),
        ("type: postgres", "type: postgress", "warn FLC202 12: `servers[0].type`: the standard knows no server"),
        ("purpose: p", "purpose: [p]", "block FLC202 13: `description.purpose`: must be a string"),
        ("{url: u, type: t}", "{url: u}", "warn FLC203 13: `description.authoritativeDefinitions[0].type` is missing"),
        ("{url: u, type: t}", "{type: t}", "block FLC203 13: `description.authoritativeDefinitions[0].url` is missing"),
        (", value: 1", "", "warn FLC203 14: `customProperties[0].value` is missing"),
        ("kind: DataContract", "x-a: 1\nkind: DataContract", ""),
    ],
)  # fmt: skip
def test_what_the_standard_demands_is_missed_at_its_line(old: str, new: str, said: str) -> None:
    assert old in WHOLE
    found = load_text(WHOLE.replace(old, new)).diagnostics
    assert len(found) == (1 if said else 0), found
    for one in found:
        assert f"{one.severity} {one.code} {one.span.line if one.span else 0}: {one.message}".startswith(said)


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        ("dataContractSpecification: 1.2.1\nid: a\n", 1, "datacontract.com", "export odcs"),
        ("kind: DataContract\napiVersion: v2.2.2\nuuid: a\n", 2, "ODCS v2.2.2 is not read", "`uuid` is `id`"),
    ],
)  # fmt: skip
def test_a_contract_of_an_older_format_is_told_apart(text: str, line: int, says: str, hint: str) -> None:
    (found,) = load_text(text).diagnostics
    assert (found.code, found.span and found.span.line) == ("FLC200", line)
    assert says in found.message
    assert hint in found.hint


def test_a_status_of_the_users_own_is_judged_as_active() -> None:
    loaded = load_text(WHOLE.replace("status: active", "status: under review")).value
    assert loaded is not None
    assert read_contract(loaded).status == "active"


def load_text(text: str) -> Outcome[Document]:
    loaded = load_yaml(Source("datacontract.yaml", text))
    assert loaded.value is not None
    return validate_document(loaded.value)
