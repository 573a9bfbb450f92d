"""The contracts of a product as a stage: found beside it, judged, and as grave as the manifest says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compiler.contracts.stage import contract_files, product_contracts
from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import load_file
from policy_lang.diagnostics import Outcome

PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: orders, version: 1.0.0, domain: sales}
output_ports: [{name: daily, table: daily, schema: {ref: gone.json}}]
"""
CONTRACT = """\
apiVersion: v3.0.2
kind: DataContract
name: orders-daily
version: VERSION
models: {daily: {elements: {COLUMNS}}}
"""
PLATFORM = {
    "governance": {"classification": {"levels": [{"name": "public", "rank": 0}, {"name": "secret", "rank": 1}],
                                      "categories": [{"name": "pii", "level": "secret"}]}}
}  # fmt: skip
MODEL: dict[str, Any] = {
    "unique_id": "model.p.daily", "name": "daily", "alias": None, "description": "", "primary_key": [], "tests": [],
    "columns": [{"name": "a", "type": "int", "tests": [], "constraints": [], "classification": None}],
}  # fmt: skip


def product(folder: Path) -> Document:
    path = folder / "floe.yaml"
    path.write_text(PRODUCT)
    loaded = load_file(path).value
    assert loaded is not None
    checked = validate_document(loaded).value
    assert checked is not None
    return checked


def run(folder: Path, enforcement: str | None) -> Outcome[list[dict[str, Any]]]:
    return product_contracts(product(folder), [MODEL], PLATFORM, date(2026, 1, 1), enforcement=enforcement)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    old, new = CONTRACT.replace("VERSION", "1.0.0"), CONTRACT.replace("VERSION", "1.1.0")
    (tmp_path / "contracts/daily-1.yaml").write_text(old.replace("COLUMNS", "a: {type: int}, b: {type: int}"))
    (tmp_path / "datacontract.yaml").write_text(new.replace("COLUMNS", "a: {type: text}"))
    return tmp_path


@pytest.mark.parametrize(
    ("enforcement", "severities"),
    [
        ("block", {"FLC501": "block", "FLC515": "block", "FLC521": "warn"}),
        ("warn", {"FLC501": "warn", "FLC515": "warn", "FLC521": "warn"}),
        (None, {"FLC501": "warn", "FLC515": "warn", "FLC521": "warn"}),
        ("alert_only", {"FLC501": "notify", "FLC515": "notify", "FLC521": "notify"}),
        ("off", {}),
    ],
)
def test_as_grave_as_the_manifest_says(folder: Path, enforcement: str | None, severities: dict[str, str]) -> None:
    assert {d.code: str(d.severity) for d in run(folder, enforcement).diagnostics} == severities


def test_entries_and_files(folder: Path) -> None:
    (folder / "contracts/broken.yaml").write_text("a: [")
    assert len(contract_files(folder)) == 3
    made = run(folder, "off")
    assert [d.code for d in made.diagnostics] == ["FLC101"]
    assert made.value is not None
    (entry,) = made.value
    assert (entry["version"], entry["previous_version"], entry["due_version"]) == ("1.1.0", "1.0.0", "2.0.0")
    assert (entry["model"], entry["port"], entry["origin"]) == ("model.p.daily", "daily", "written")
