"""Life and dates of contracts, providers against consumers, models against contracts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from compiler.contracts.drift import check_model
from compiler.contracts.lifecycle import check_in_use, check_lifecycle, check_step, status_on
from compiler.contracts.model import Contract
from compiler.contracts.ports import check_ports, check_provider
from compiler.contracts.read import read_contract
from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import Severity
from policy_lang.source import Source

HEAD = "apiVersion: v3.0.2\nkind: DataContract\nname: orders\nversion: 1.0.0\n"
END = "deprecation: {announced: 2026-01-01, sunset_date: %s, replacement: orders-v2}\n"


def document(text: str, file: str = "t.yaml") -> Document:
    loaded = load_yaml(Source(file, text))
    assert loaded.value is not None, loaded.diagnostics
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert checked.diagnostics == ()
    return checked.value


def contract(text: str) -> Contract:
    return read_contract(document(HEAD + text))


@pytest.mark.parametrize(
    ("text", "day", "codes"),
    [
        ("status: active\n", "2026-06-01", []),
        ("status: deprecated\n", "2026-06-01", ["FLC510"]),
        ("status: deprecated\n" + END % "2026-07-01", "2026-06-01", []),
        ("status: deprecated\n" + END % "2026-07-01", "2026-07-01", []),
        ("status: deprecated\n" + END % "2026-07-01", "2026-07-02", ["FLC512"]),
        ("status: sunset\n" + END % "2026-07-01", "2026-07-08", []),
        ("status: sunset\n" + END % "2026-07-01", "2026-07-09", ["FLC512"]),
        ("status: retired\n" + END % "2026-07-01", "2026-07-09", []),
        ("status: retired\n" + END % "2026-07-01", "2026-06-09", ["FLC512"]),
        ("status: active\n" + END % "2026-07-01", "2026-06-09", ["FLC512"]),
        ("status: deprecated\n" + END % "2026-01-20", "2026-01-02", ["FLC513"]),
        ("status: deprecated\ndeprecation: {sunset_date: 2026-07-01}\n", "2026-01-02", ["FLC510"]),
        ("status: deprecated\ndeprecation: {replacement: b}\n", "2026-01-02", ["FLC510"]),
    ],
)
def test_status_and_dates(text: str, day: str, codes: list[str]) -> None:
    assert [d.code for d in check_lifecycle(contract(text), date.fromisoformat(day))] == codes


def test_a_contract_in_use_at_its_end() -> None:
    text = "status: deprecated\n" + END % "2026-07-01" + "consumers: [{domain: sales, product: report}]\n"
    severities = {
        day: [d.severity for d in check_in_use(contract(text), date.fromisoformat(day))]
        for day in ("2026-06-01", "2026-07-05", "2026-08-01")
    }
    assert list(severities.values()) == [[Severity.NOTIFY], [Severity.WARN], [Severity.BLOCK]]
    assert status_on(contract(text), date(2026, 8, 1)) == "retired"
    assert check_in_use(contract("consumers: [{domain: a, product: b}]\n"), date(2026, 1, 1)) == ()


def test_a_retired_version_does_not_come_back() -> None:
    old, new = contract("status: retired\n"), contract("status: active\n")
    assert [d.code for d in check_step(old, new)] == ["FLC511"]
    assert check_step(new, old) == ()


OFFER = """\
models:
  events:
    elements:
      id: {type: string, required: true}
      at: {type: timestamp}
      n: {type: bigint}
slaProperties: {freshness: {value: 2h}, availability: {value: 99%}}
"""
NEED = """\
apiVersion: floe.dev/v1
kind: DataContract
metadata: {name: need, version: 1.0.0}
provider: {domain: marketing, product: campaigns, port: events}
consumer: {domain: sales, product: report}
schema:
  columns:
    - COLUMN
sla: SLA
"""


@pytest.mark.parametrize(
    ("column", "sla", "code", "line"),
    [
        ("{name: id, type: string, required: true}", "{freshness: 2h, availability: 99}", None, 0),
        ("{name: n, type: int}", "{}", None, 0),
        ("{name: id, type: string}", "{freshness: 1h}", "FLC506", 9),
        ("{name: id, type: string}", "{availability: 99.9%}", "FLC506", 9),
        ("{name: id, type: string}", "{quality: {completeness: 99%}}", "FLC506", 9),
        ("{name: idd, type: string}", "{}", "FLC508", 8),
        ("{name: at, type: date}", "{}", "FLC508", 8),
        ("{name: at, type: timestamp, required: true}", "{}", "FLC508", 8),
    ],
)
def test_provider_against_consumer(column: str, sla: str, code: str | None, line: int) -> None:
    need = read_contract(document(NEED.replace("COLUMN", column).replace("SLA", sla), "need.yaml"))
    found = check_provider(need, contract(OFFER))
    assert [(d.code, d.span.line if d.span else 0) for d in found] == ([(code, line)] if code else [])


PROVIDER = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: campaigns, version: 1.0.0, domain: marketing}
output_ports:
  - {name: events, sla: {freshness: 2h}, access: {grants: [{domain: sales}]}}
  - {name: closed}
"""
CONSUMER = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: report, version: 1.0.0, domain: sales}
input_ports:
  - {name: a, source: {type: data_product, ref: REF}, freshness_requirement: FRESH}
"""


@pytest.mark.parametrize(
    ("ref", "fresh", "codes"),
    [
        ("marketing.campaigns.events", "2h", []),
        ("marketing.campaigns.events", "90m", ["FLC506"]),
        ("marketing.campaigns.event", "2h", ["FLC507"]),
        ("marketing.campaign.events", "2h", ["FLC507"]),
        ("marketing.campaigns.closed", "2h", ["FLC506", "FLC509"]),
    ],
)
def test_ports_of_products(ref: str, fresh: str, codes: list[str]) -> None:
    consumer = document(CONSUMER.replace("REF", ref).replace("FRESH", fresh))
    found = check_ports(consumer, {"marketing.campaigns": document(PROVIDER)})
    assert [d.code for d in found] == codes
    assert all(d.span is not None and d.span.line == 5 for d in found)


def column(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "integer", "tests": [], "constraints": [], "classification": None, **more}


@pytest.mark.parametrize(
    ("columns", "codes"),
    [
        ([column("id", tests=["not_null", "unique"])], []),
        ([column("ID", constraints=["primary_key"], tests=["unique"])], []),
        ([column("id")], ["FLC515", "FLC515"]),
        ([], ["FLC515"]),
        ([column("id", type="varchar", tests=["not_null", "unique"])], ["FLC515"]),
        ([column("id", tests=["not_null", "unique"], classification="pii")], ["FLC515"]),
        ([column("id", tests=["not_null", "unique"]), column("more")], ["FLC516"]),
    ],
)
def test_models_against_contracts(columns: list[dict[str, Any]], codes: list[str]) -> None:
    made = contract("models: {orders: {elements: {id: {type: int, required: true, unique: true}}}}\n")
    model = {"name": "orders", "unique_id": "model.p.orders", "columns": columns, "primary_key": []}
    assert [d.code for d in check_model(made, made.tables["orders"], model)] == codes
