"""``floec check --fix`` on a copy of the example: the edit of a policy lands in the project's YAML, and only that."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from compiler.cli.main import run

ROOT = Path(__file__).resolve().parents[4]
POLICY = """package house

policy full_stop {
	id       HSE001
	title    "A description ends without a full stop"
	severity warn

	for model in input.models
	when model.description != ""
	require not endswith(model.description, ".")

	message $"the description of {model.name} ends with a full stop"
	fix     set model.description trim_suffix(model.description, ".")
	at      model.description
}
"""


def test_fixes_are_made_and_the_project_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "examples/acme", tmp_path / "acme")
    house = tmp_path / "acme/enterprise/house"
    house.mkdir()
    (house / "full_stop.floe").write_text(POLICY)
    manifest = tmp_path / "acme/enterprise/manifest.yaml"
    manifest.write_text(manifest.read_text().replace("\npolicies:\n", "\npolicies:\n  - use: ./house\n", 1))
    product = tmp_path / "acme/domains/sales/products/orders"
    file = product / "models/bronze/_bronze.yml"
    before = file.read_text()
    run(["check", str(product), "--no-cache"])
    assert "HSE001" in capsys.readouterr().err
    assert file.read_text() == before
    run(["check", str(product), "--no-cache", "--fix"])
    shown = capsys.readouterr()
    assert f"fixed {file}" in shown.out
    assert "HSE001" not in shown.err
    changed = [(a, b) for a, b in zip(before.splitlines(), file.read_text().splitlines(), strict=True) if a != b]
    assert changed
    assert all(a == b + "." and a.startswith("    description: ") for a, b in changed)


def test_that_nothing_was_to_be_fixed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "examples/broken", tmp_path / "broken")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert run(["check", str(tmp_path / "broken/product"), "--fix"]) == 1
    assert capsys.readouterr().out.startswith("fixed nothing: no finding proposes an edit")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_no_policy_that_ships_proposes_an_edit_as_the_page_says() -> None:
    fixes = [p for p in (ROOT / "stdlib_policies").rglob("*.floe") if re.search(r"^\s+fix\s", p.read_text(), re.M)]
    assert not fixes, "say in docs/policy-tools.md which policies propose edits"
