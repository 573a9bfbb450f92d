"""``floec check --why``: what each policy makes of a subject of the example that breaks rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import compiler.pipeline
from compiler.cli.main import run

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture
def product(tmp_path: Path) -> str:
    shutil.copytree(EXAMPLES / "broken", tmp_path / "broken")
    manifest = tmp_path / "broken" / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "\npolicies:\n  - use: stdlib/classification\n")
    return str(tmp_path / "broken" / "product")


def test_a_violation_and_what_kept_others_away(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", product, "--why", "silver_customers"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("model silver_customers: 2 violated")
    assert "CLS003 A column that comes from a classified one is classified: violated\n  column email of model" in shown
    assert "where column.classification = null" in shown
    assert "passed (-v shows how): " in shown
    assert ": does not apply\n" in shown


def test_several_policies_do_not_apply(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", product, "--why", "silver_customers"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert " do not apply;" in first
    assert "does not" not in first


def test_one_policy_is_shown_with_all_its_literals(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", product, "--why", "silver_customers.customer_id", "--policy", "cls003"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("model silver_customers column customer_id: 1 does not apply\n")
    assert "column.inherited != null: failed\n        where column.inherited = null" in shown
    assert "column.masked != true: not reached" in shown


def test_json_says_the_same(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", product, "--why", "model silver_*", "--policy", "CLS003", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)["why"]
    verdicts = {one["subject"]: one["policies"][0]["verdict"] for one in answer}
    assert verdicts["model silver_customers"] == "violated"
    assert verdicts["model silver_orphans"] == "does not apply"


def test_it_is_judged_as_the_other_options_say(
    product: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[compiler.pipeline.Job] = []
    real = compiler.pipeline.run

    def noted(job: compiler.pipeline.Job, last: str) -> Any:
        asked.append(job)
        return real(job, last)

    monkeypatch.setattr(compiler.pipeline, "run", noted)
    options = ["--why", "silver_customers", "--no-cache", "--jobs", "2", "--timings"]
    assert run(["check", product, *options]) == 0
    assert [(job.anew, job.jobs) for job in asked] == [(True, 2)]
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()][:2] == ["read", "inherit"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--why", "silver_custmers"], "nothing is called silver_custmers: did you mean `silver_customers`?"),
        (["--why", "silver_customers", "--policy", "CLS03"], "no policy CLS03 is in force: did you mean `CLS003`?"),
        (["--policy", "CLS003"], "--policy goes with --why"),
        (["--why", "x", "--fix"], "none of --changed, --fix and --stop-after"),
        (["--why", "x", "--format", "sarif"], "--why answers as text or json"),
    ],
)
def test_wrong_usage(product: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", product, *options]) == 2
    assert said in capsys.readouterr().err


def test_broken_documents_are_said_first(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(product, "floe.yaml").write_text("a: [")
    assert run(["check", product, "--why", "silver_customers"]) == 1
    assert "FLC101" in capsys.readouterr().err


def test_what_readme_and_the_page_show_is_what_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    readme = Path("README.md").read_text(encoding="utf-8")
    assert run(["check", "examples/broken/product"]) == 1
    assert readme[readme.index("error[CLS003]") :].split("\n```")[0] in capsys.readouterr().err
    page = Path("docs/policy-tools.md").read_text(encoding="utf-8")
    asked = "$ floec check examples/broken/product --why silver_customers.customer_id --policy CLS003\n"
    assert run(asked.split()[2:]) == 0
    assert page.split(asked)[1].split("```")[0] == capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("silver_custmers", "did you mean `silver_customers`?"),
        ("silver", "`silver_orphans`"),
        ("zzzz", "name a model"),
    ],
)
def test_a_name_that_nothing_has(asked: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(EXAMPLES / "broken" / "product"), "--why", asked]) == 2
    assert said in capsys.readouterr().err
