"""A policy that finds thousands of a kind shows the first of them and counts the others; programs get all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.cli import check_command, rejudge
from compiler.cli.main import run
from compiler.policies.quota import MOST_SHOWN, More, Quota, within
from compiler.report.text import not_shown, summary
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span

MODELS = MOST_SHOWN + 7
EXEMPTED = 3
MANIFEST = f"""
apiVersion: floe.dev/v1
kind: Manifest
metadata: {{name: p, version: 1.0.0, owner: a@b.example}}
plugins: {{compute: {{type: duckdb}}}}
policies:
  - {{use: stdlib/documentation, severity: {{DOC001: block}}}}
  - {{use: stdlib/naming}}
exemptions:
  - {{policy: DOC001, subject: "model m[0-{EXEMPTED - 1}]", reason: old, approver: a@b.example, expires: 2099-01-01}}
"""
PRODUCT = """
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: shop, version: 1.0.0, owner: a@b.example, domain: d}
platform: {ref: ../manifest.yaml}
transforms:
  - {type: dbt, path: models/}
"""


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "product"
    (folder / "models").mkdir(parents=True)
    (folder / "target").mkdir()
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    (folder / "floe.yaml").write_text(PRODUCT)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    for i in range(MODELS):
        (folder / "models" / f"m{i}.sql").write_text("select 1 as id")
    write(folder, "")
    return folder


def write(folder: Path, description: str) -> None:
    """dbt's manifest, in which only the last model has a ``description``."""
    common = {"resource_type": "model", "package_name": "shop", "raw_code": "select 1 as id", "columns": {}}
    nodes = {}
    for i in range(MODELS):
        said = description if i == MODELS - 1 else ""
        one = {**common, "name": f"m{i}", "original_file_path": f"models/m{i}.sql", "description": said}
        nodes[f"model.shop.m{i}"] = {**one, "unique_id": f"model.shop.m{i}", "config": {"materialized": "view"}}
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "project_name": "shop"}
    (folder / "target" / "manifest.json").write_text(json.dumps({"metadata": metadata, "nodes": nodes, "sources": {}}))


def check(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = run(["check", str(folder), *options])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_the_first_of_each_policy_are_shown_and_all_are_counted(
    product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = check(product, capsys)
    assert code == 1
    assert err.count("error[DOC001]") == MOST_SHOWN + EXEMPTED
    missing = MODELS - EXEMPTED - MOST_SHOWN
    of_other = MODELS - MOST_SHOWN
    counts = f"{of_other} DOC016, {missing} DOC001\n"
    assert f"{of_other + missing} findings more are not shown (-v shows them): {counts}" in out
    assert f"{MODELS - EXEMPTED} errors" in out
    assert f"{EXEMPTED} exempted" in out
    assert check(product, capsys) == (code, out, err)  # from what was kept

    code, verbose, err = check(product, capsys, "-v")
    assert err.count("error[DOC001]") == MODELS
    assert "not shown" not in verbose
    assert verbose.splitlines()[-1] == out.splitlines()[-1]
    found = json.loads(check(product, capsys, "--format", "json")[1])["diagnostics"]
    assert sum(d["code"] == "DOC001" for d in found) == MODELS


def test_what_is_not_shown_blocks_all_the_same(
    product: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_command, "MOST_SHOWN", 1)
    assert check(product, capsys)[0] == 1


def test_edits_are_made_to_all(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(product, capsys)
    assert check(product, capsys, "--fix")[2].count("error[DOC001]") == MODELS


def test_a_changed_node_is_judged_alone_beside_what_is_not_shown(
    product: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[Any] = []
    real = rejudge.rejudged

    def rejudged(*given: Any) -> Any:
        alone.append(real(*given))
        return alone[-1]

    monkeypatch.setattr(rejudge, "rejudged", rejudged)
    (product.parent / "manifest.yaml").write_text(MANIFEST.partition("exemptions:")[0])
    for description in ("", "What it holds.", "What it holds still.", ""):
        write(product, description)
        assert check(product, capsys) == check(product, capsys, "--no-cache")
    assert None not in alone
    assert alone


def test_a_quota_counts_by_policy_and_by_whether_it_is_exempted() -> None:
    place = Span("f", 1, 1, 1, 1)
    one = Diagnostic("A1", "m", severity=Severity.WARN, policy=place)
    found = [one, one._replace(suppressed="r"), one, Diagnostic("FLC1", "m"), one._replace(code="B1"), one]
    shown, more = within(found, 1)
    assert shown == (found[0], found[1], found[3], found[4])
    assert more == (More("A1", "warn", 2),)
    assert within(found, None) == (tuple(found), ())
    assert summary(shown, (*more, More("A1", "", 4))) == "1 error, 4 warnings, 5 exempted"
    quota = Quota(0)
    assert not quota.admits("A", Severity.BLOCK, True)
    assert quota.more() == (More("A", "", 1),)


def test_of_many_policies_those_with_most_are_named() -> None:
    more = [More(f"A{i}", "warn", i) for i in range(1, 11)] + [More("A1", "", 20)]
    said = "75 findings more are not shown (-v shows them): 21 A1, 10 A10, 9 A9, 8 A8, 7 A7, 6 A6, 5 A5, 4 A4"
    assert not_shown(more) == f"{said} and those of 2 other policies"
