"""``floec compile``, ``check``, ``run``, ``ir`` and ``explain-value`` in-process, on a copy of the example."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from compiler.cli import run_command
from compiler.cli.main import run

EXAMPLES = Path(__file__).parents[4] / "examples"
IGNORED = shutil.ignore_patterns(".floe", "target", "logs")


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return tmp_path / "config" / "floec"


@pytest.fixture
def product(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES / "acme", tmp_path / "acme", ignore=IGNORED)
    return tmp_path / "acme/domains/sales/products/orders"


def test_compile_tells_stage_by_stage_and_ends_with_the_digest(
    product: Path, own_keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compile", str(product)]) == 0
    lines = capsys.readouterr().out.splitlines()
    stages = ["read", "inherit", "resolve", "facts", "ir", "policies", "emit", "found", "written", "signed"]
    assert list(dict.fromkeys(line.split()[0] for line in lines[:-1] if not line.startswith(" "))) == stages
    digest = lines[-1]
    assert digest.startswith("sha256:")
    assert run(["verify", str(product / ".floe/build"), "--key", str(own_keys / "signing.pub")]) == 0
    assert digest in capsys.readouterr().out
    assert (own_keys / "signing.key").stat().st_mode & 0o077 == 0, "the key is for its owner only"
    assert run(["compile", str(product), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == digest
    assert sorted(p.name for p in (product / ".floe").iterdir()) == [".gitignore", "build", "dbt", "kubernetes"]


def test_a_key_that_is_named_signs(product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from emitters.oci.signature import generate_key

    private, public = generate_key()
    (tmp_path / "k.key").write_bytes(private)
    (tmp_path / "k.pub").write_bytes(public)
    assert run(["compile", str(product), "--key", str(tmp_path / "k.key")]) == 0
    assert run(["verify", str(product / ".floe/build"), "--key", str(tmp_path / "k.pub")]) == 0
    capsys.readouterr()
    assert run(["compile", str(product), "--key", str(tmp_path / "gone.key")]) == 1
    assert "gone.key" in capsys.readouterr().err
    (tmp_path / "k.key").write_text("no key")
    assert run(["compile", str(product), "--key", str(tmp_path / "k.key")]) == 1
    assert "FLC622" in capsys.readouterr().err


def test_where_nothing_can_be_written_the_environment_is_to_blame(
    product: Path, own_keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (product / ".floe").write_text("a file")
    assert run(["compile", str(product)]) == 3
    assert "FLC602" in capsys.readouterr().err
    (product / ".floe").unlink()
    shutil.rmtree(own_keys.parent)
    own_keys.parent.write_text("a file")
    assert run(["compile", str(product)]) == 3
    assert "FLC894" in capsys.readouterr().err
    assert not (product / ".floe").exists()


def test_a_time_stamp_only_where_one_is_given(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert run(["compile", str(product)]) == 0
    index = json.loads((product / ".floe/build/index.json").read_bytes())
    assert "2023-11-14T22:13:20Z" in json.dumps(index)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert run(["compile", str(product)]) == 3
    assert "FLC892" in capsys.readouterr().err


def test_the_kubernetes_manifests_of_the_example_are_valid(product: Path) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="it comes with the extra `test`")
    assert run(["compile", str(product)]) == 0
    manifests = sorted((product / ".floe/kubernetes").rglob("*.yaml"))
    kinds = []
    for manifest in manifests:
        document = yaml.safe_load(manifest.read_text())
        kubernetes_validate.validate(document, "1.31", strict=True)
        kinds.append(document["kind"])
    assert sorted(kinds) == ["ConfigMap", "CronJob", "Job", "Job", "Job", "ServiceAccount"]


@pytest.mark.parametrize("stage", ["read", "facts", "policies"])
def test_stop_after_writes_nothing(stage: str, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", str(product), "--stop-after", stage, "--timings"]) == 0
    shown = capsys.readouterr()
    assert "written   nothing" in shown.out
    assert shown.err.splitlines()[-1].startswith(stage)
    assert not (product / ".floe").exists()


def test_check_says_what_it_checked_and_which_policies_were_idle(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(EXAMPLES / "broken/product"), str(EXAMPLES / "acme/enterprise")]) == 1
    shown = capsys.readouterr()
    assert "6 models" in shown.out
    assert "no dbt project" in shown.out
    assert re.search(
        r"^\d+ policies had nothing to check \(-v names them\): \d+ CLS, \d+ CON, ", shown.out, re.MULTILINE
    )
    assert "2 checked: " in shown.out
    assert "error[NAM001]" in shown.err


def test_idle_policies_are_named_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-v", str(EXAMPLES / "broken/product")]) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "had nothing to check: " in line)
    assert len(re.findall(r"[A-Z]{3}\d{3}", line)) == int(line.split()[0])


def test_what_is_not_there_was_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(tmp_path / "none")]) == 1
    assert "none: not read\n" in capsys.readouterr().out


def test_a_policy_of_the_library_has_the_same_name_on_every_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "json", str(EXAMPLES / "broken/product")]) == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert {d["policy"]["file"].split("/")[0] for d in found} == {"stdlib"}


def test_run_without_dbt_ends_with_3(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_command.sys, "executable", str(product / "python"))
    monkeypatch.setenv("PATH", str(product))
    assert run(["run", str(product)]) == 3
    assert "pip install 'floec[dbt]'" in capsys.readouterr().err


def test_run_of_a_manifest_has_nothing_to_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "acme", tmp_path / "acme", ignore=IGNORED)
    assert run(["run", str(tmp_path / "acme/enterprise")]) == 1
    assert "has no dbt project to run" in capsys.readouterr().err


def test_a_layout_a_file_and_a_document_are_the_same_ir(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", str(product)]) == 0
    capsys.readouterr()
    assert run(["ir", "show", str(product)]) == 0
    text = capsys.readouterr().out
    (product / "ir.json").write_text(text)
    for before in (product / "ir.json", product / ".floe/build"):
        assert run(["ir", "diff", str(before), str(product)]) == 0
        assert capsys.readouterr().out == "nothing changed for governance\n"
    manifest = product.parents[2] / "sales/manifest.yaml"
    manifest.write_text(manifest.read_text().replace("minimum_test_coverage: 80", "minimum_test_coverage: 75"))
    assert run(["ir", "diff", str(product / "ir.json"), str(product), "--fail-on-weaker"]) == 1
    assert "weaker" in capsys.readouterr().out
    assert run(["ir", "diff", str(product / "ir.json"), str(product), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["direction"] == "weaker"


@pytest.mark.parametrize("text", ["{", "{}", '{"ir_version": "floec.ir.v9"}'])
def test_what_is_no_ir_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text(text)
    assert run(["ir", "show", str(tmp_path / "x.json")]) == 1
    assert "FLC109" in capsys.readouterr().err


def test_a_changed_layout_is_not_compared(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", str(product)]) == 0
    blob = max((product / ".floe/build/blobs/sha256").iterdir(), key=lambda p: p.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    assert run(["ir", "show", str(product / ".floe/build")]) == 1
    assert "FLC613" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("governance.quality_gates.minimum_test_coverage", ["= 80", "enterprise", "manifest.yaml:", "domain"]),
        ("platform.governance.quality_gates.minimum_test_coverage", ["= 80"]),
        ("governance.rbac", ["the default holds"]),
        ("models.gold_daily_revenue.owner", ['= "sales-data"', "models/gold/"]),
        ("product.schedule.cron", ["floe.yaml:"]),
        ("models[0].layer", ['= "bronze"']),
    ],
)
def test_explain_value(field: str, says: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain-value", field, str(EXAMPLES / "acme/domains/sales/products/orders")]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in says), shown


@pytest.mark.parametrize("field", ["governance.qualty_gates", "models.gold_daily_revenues.owner", "models[99].name"])
def test_explain_value_of_nothing(field: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain-value", field, str(EXAMPLES / "acme/domains/sales/products/orders")]) == 1
    said = capsys.readouterr().err
    assert "FLC314" in said
    assert "= help: " in said


def test_explain_value_of_an_unlike_name_lists_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain-value", "governance.zzz", str(EXAMPLES / "acme/enterprise")]) == 1
    assert "= help: there are access_control, audit_logging, " in capsys.readouterr().err


def test_explain_value_tells_a_products_own_value_from_the_one_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    field = "governance.quality_gates.minimum_test_coverage"
    assert run(["explain-value", field, str(EXAMPLES / "acme/domains/sales/products/orders")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{field} = 80"
    assert shown[-1].endswith("90  (set for this product alone)")


def test_explain_value_of_a_contract_is_no_silent_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = tmp_path / "a.datacontract.yaml"
    contract.write_text("apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\nschema: []\n")
    assert run(["explain-value", "governance", str(contract)]) == 1
    assert "inherits from no manifest" in capsys.readouterr().err


def test_a_run_that_is_blocked_says_that_nothing_was_written(
    tmp_path: Path, own_keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(EXAMPLES / "broken", tmp_path / "broken")
    assert run(["run", str(tmp_path / "broken/product")]) == 1
    assert capsys.readouterr().out.endswith("written   nothing\n")
    shutil.copytree(EXAMPLES / "acme/enterprise", tmp_path / "enterprise")
    assert run(["run", str(tmp_path / "enterprise")]) == 1
    said = capsys.readouterr().err
    assert "FLC801" in said
    assert f"--> {tmp_path / 'enterprise'}:1:1" in said


def test_a_value_that_cannot_be_published_is_shown_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("examples/acme", tmp_path / "acme")
    product = tmp_path / "acme/domains/sales/products/orders"
    model = product / "models/gold/_gold.yml"
    text = model.read_text()
    model.write_text(
        text.replace(
            "        primary_key: customer_id\n", f"        primary_key: customer_id\n        huge: {'9' * 400}\n", 1
        )
    )
    assert run(["check", str(product)]) == 0
    capsys.readouterr()
    assert run(["compile", str(product)]) == 1
    said = capsys.readouterr().err
    assert "FLC427" in said
    assert "_gold.yml" in said
    assert not (product / ".floe/build").exists()
