"""``floec contract``: diff, generate and check from the command line, with exit codes and places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.cli.main import run
from compiler.contracts.read import load_contract

ROOT = Path(__file__).parents[4]
ORDERS = ROOT / "examples/acme/domains/sales/products/orders"
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: sales.orders.daily\nname: daily\nstatus: active\nversion: VERSION\n"
COLUMN = "      - {name: %s, physicalType: int}\n"
BODY = "schema:\n  - name: t\n    properties:\n" + COLUMN % "a" + COLUMN % "b"


def write(path: Path, version: str, body: str = BODY) -> Path:
    path.write_text(HEAD.replace("VERSION", version) + body)
    return path


def test_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(tmp_path / "old.yaml", "1.0.0")
    new = write(tmp_path / "new.yaml", "1.1.0", BODY.rsplit("\n", 2)[0] + "\n")
    assert run(["contract", "diff", str(old), str(old)]) == 0
    assert "0 changes" in capsys.readouterr().out
    assert run(["contract", "diff", str(old), str(new)]) == 1
    shown = capsys.readouterr()
    assert "major (2.0.0 or more)" in shown.out
    assert f"{old}:11" in shown.err
    assert f"{new}:6" in shown.err
    write(new, "2.0.0", BODY.rsplit("\n", 2)[0] + "\n")
    assert run(["contract", "diff", str(old), str(new)]) == 0


def test_diff_as_json_names_consumers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = write(tmp_path / "old.yaml", "1.0.0"), write(tmp_path / "new.yaml", "2.0.0", "schema: []\n")
    consumer = tmp_path / "floe.yaml"
    consumer.write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: report, version: 1.0.0, domain: hr}\n"
        "input_ports: [{name: a, source: {type: data_product, ref: sales.orders.daily}}]\n"
    )
    argv = ["contract", "diff", str(old), str(new), "--consumer", str(consumer), "--format", "json"]
    assert run(argv) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["bump"], value["due_version"]) == ("major", "2.0.0")
    assert [c["rule"] for c in value["changes"]] == ["table-removed"]
    assert [d["subject"] for d in value["diagnostics"] if d["code"] == "FLC505"] == ["consumer hr.report"]


def test_diff_ranks_classes_by_a_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "schema: [{name: t, properties: [{name: a, classification: CLASS}]}]\n"
    old = write(tmp_path / "old.yaml", "1.0.0", body.replace("CLASS", "identifier"))
    new = write(tmp_path / "new.yaml", "1.0.1", body.replace("CLASS", "pii"))
    manifest = str(ROOT / "examples/acme/enterprise/manifest.yaml")
    assert run(["contract", "diff", str(old), str(new), "--manifest", manifest]) == 0
    assert run(["contract", "diff", str(new), str(old), "--manifest", manifest]) == 1
    assert "lowered" in capsys.readouterr().err


def test_generate_and_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "generate", str(ORDERS), "-o", str(tmp_path)]) == 0
    files = sorted(tmp_path.iterdir())
    assert [f.name for f in files] == [
        "sales-orders-customer-value.datacontract.yaml",
        "sales-orders-daily-revenue.datacontract.yaml",
    ]
    assert capsys.readouterr().out.split() == [str(f) for f in sorted(files, reverse=True)]
    assert run(["contract", "check", str(tmp_path), "--project", str(ORDERS)]) == 0
    daily = load_contract(files[1]).value
    assert daily is not None
    assert daily.tables["gold_daily_revenue"].key == ("ordered_on",)
    files[1].write_text(files[1].read_text().replace("name: revenue", "name: turnover"))
    assert run(["contract", "check", str(tmp_path), "--project", str(ORDERS)]) == 1
    assert "turnover" in capsys.readouterr().err


def test_check_on_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end = "deprecation: {announced: 2026-01-01, sunset_date: 2026-03-01, replacement: x}\n"
    path = write(tmp_path / "a.datacontract.yaml", "1.0.0", end)
    path.write_text(path.read_text().replace("status: active", "status: deprecated"))
    assert run(["contract", "check", str(path), "--today", "2026-02-01"]) == 0
    assert run(["contract", "check", str(path), "--today", "2026-03-02"]) == 1
    assert "FLC512" in capsys.readouterr().err
    assert run(["contract", "check", str(path), "--today", "soon"]) == 2
    assert run(["contract", "check", str(tmp_path / "none.yaml")]) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(["contract", "check", str(empty)]) == 1


def test_check_compares_products_and_contracts_between_domains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "apiVersion: floe.dev/v1\nkind: DataProduct\n"
    provider, consumer = tmp_path / "provider.yaml", tmp_path / "consumer.yaml"
    provider.write_text(
        head + "metadata: {name: campaigns, version: 1.0.0, domain: marketing}\n"
        "output_ports: [{name: events, schema: [{name: id, type: string}], sla: {freshness: 2h},"
        " access: {grants: [{domain: sales}]}}]\n"
    )
    consumer.write_text(
        head + "metadata: {name: report, version: 1.0.0, domain: sales}\n"
        "input_ports: [{name: a, source: {type: data_product, ref: marketing.campaigns.events},"
        " freshness_requirement: 1h}]\n"
    )
    contract = tmp_path / "need.datacontract.yaml"
    contract.write_text(
        "apiVersion: floe.dev/v1\nkind: DataContract\nmetadata: {name: need, version: 1.0.0}\n"
        "provider: {domain: marketing, product: campaigns, port: events}\n"
        "consumer: {domain: sales, product: report}\nschema: {columns: [{name: idd, type: string}]}\n"
    )
    argv = ["contract", "check", str(contract), "--product", str(provider), "--product", str(consumer)]
    assert run([*argv, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [(d["code"], d["span"]["line"]) for d in found] == [("FLC506", 4), ("FLC508", 6)]


def test_one_version_has_one_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a.datacontract.yaml", "1.0.0")
    write(tmp_path / "b.datacontract.yaml", "1.0.0", "schema: []\n")
    assert run(["contract", "check", str(tmp_path)]) == 1
    assert "FLC520" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["contract"], ["contract", "diff", "a"], ["contract", "nonsense"]])
def test_wrong_usage(argv: list[str]) -> None:
    assert run(argv) == 2


def test_another_kind_of_document(capsys: pytest.CaptureFixture[str]) -> None:
    floe = str(ORDERS / "floe.yaml")
    assert run(["contract", "diff", floe, floe]) == 1
    assert "FLC517" in capsys.readouterr().err
    assert run(["contract", "generate", str(ROOT / "examples/acme/enterprise/manifest.yaml")]) == 1


def test_a_contract_ranks_no_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write(tmp_path / "old.yaml", "1.0.0")
    old.write_text(old.read_text() + "domain: sales\n")
    assert run(["contract", "diff", str(old), str(old), "--manifest", str(old)]) == 1
    said = capsys.readouterr().err
    assert "FLC517" in said
    assert f"{old}:2:7" in said
    assert "= help: name a manifest.yaml" in said


def test_generate_says_that_there_are_no_ports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "generate", str(ROOT / "examples/broken/product"), "-o", str(tmp_path / "made")]) == 0
    assert "has no output ports" in capsys.readouterr().err


def test_one_contract_is_counted_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "check", str(write(tmp_path / "a.yaml", "1.0.0"))]) == 0
    assert capsys.readouterr().out.startswith("1 contract checked: ")
