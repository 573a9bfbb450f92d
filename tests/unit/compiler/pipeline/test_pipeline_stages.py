"""The stage table on small projects: what each stage makes, where it stops, exemptions, places, the two digests."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from compiler.emit import SigningKey
from compiler.pipeline import STAGE_NAMES, Job, Report, run
from emitters.oci.signature import generate_key
from policy_lang.diagnostics import Diagnostic, Outcome, Severity

TODAY = date(2026, 6, 1)
POLICY = """\
package acme.owner

policy owner {
	id       OWN001
	title    "A model has an owner"
	severity block

	for model in input.models
	require model.owner != null

	message $"{model.name} has no owner"
	hint    "set meta.owner"
	at      model.name
}

policy seeds {
	id       OWN002
	title    "A seed has a description"
	severity warn

	for seed in input.seeds
	require seed.description != ""

	message "no description"
}
"""


def project(folder: Path, **manifest: Any) -> Path:
    """A platform with one policy of its own, a product, and two models without an owner."""
    meta = {"name": "shop", "version": "1.0.0", "owner": "a@b.example"}
    document = {"apiVersion": "floe.dev/v1", "kind": "Manifest", "metadata": meta, "policies": [{"use": "own"}]}
    product = {
        "apiVersion": "floe.dev/v1",
        "kind": "DataProduct",
        "metadata": {"name": "orders", "version": "1.0.0"},
        "platform": {"ref": "../manifest.yaml"},
        "transforms": [{"type": "dbt", "path": "dbt/models"}],
    }
    models = folder / "product" / "dbt" / "models"
    models.mkdir(parents=True)
    (folder / "own").mkdir()
    (folder / "own" / "owner.floe").write_text(POLICY)
    (folder / "manifest.yaml").write_text(yaml.safe_dump({**document, **manifest}))
    (folder / "product" / "floe.yaml").write_text(yaml.safe_dump(product, sort_keys=False))
    (models.parent / "dbt_project.yml").write_text("name: shop\nversion: 1.0.0\nprofile: shop\n")
    (models / "bronze_a.sql").write_text("select 1 as id\n")
    (models / "bronze_b.sql").write_text("select id from {{ ref('bronze_a') }}\n")
    return folder / "product"


def ran(path: Path, stop_after: str = "policies", **job: Any) -> tuple[Report, tuple[Diagnostic, ...]]:
    outcome = run(Job(path, TODAY, **job), stop_after)
    assert outcome.value is not None
    return outcome.value, outcome.diagnostics


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_it_stops_after_the_stage_that_is_named(stage: str, tmp_path: Path) -> None:
    exempt = {"policy": "OWN001", "subject": "*", "reason": "later", "expires": "2026-12-31"}
    report, _ = ran(project(tmp_path, exemptions=[exempt]), stage, whole=True)
    assert tuple(t.stage for t in report.timings) == STAGE_NAMES[: STAGE_NAMES.index(stage) + 1]
    assert bool(report.state.artifacts) is (stage == "emit")


def test_violations_have_severity_place_and_subject_and_idle_policies_are_known(tmp_path: Path) -> None:
    report, found = ran(project(tmp_path))
    assert [(d.code, d.subject, d.severity) for d in found] == [
        ("OWN001", "model bronze_a", Severity.BLOCK),
        ("OWN001", "model bronze_b", Severity.BLOCK),
    ]
    assert all(d.span is not None and d.hint and d.policy is not None for d in found)
    assert report.state.checked is not None
    assert report.state.checked.subjects == {"OWN001": 2, "OWN002": 0}
    assert report.state.checked.idle == ("OWN002",)
    emitted, _ = ran(report.state.job.path, "emit", whole=True)
    assert emitted.state.artifacts == (), "what is blocked is not emitted"


@pytest.mark.parametrize("subject", ["bronze_a", "model bronze_a", "model.shop.bronze_a", "models/bronze_a.sql", "*_a"])
def test_an_exemption_covers_a_subject_by_any_of_its_names(subject: str, tmp_path: Path) -> None:
    exempt = {"policy": "OWN001", "subject": subject, "reason": "legacy", "expires": "2026-06-01"}
    _, found = ran(project(tmp_path, exemptions=[exempt]))
    assert [(d.subject, d.suppressed) for d in found] == [("model bronze_a", "legacy"), ("model bronze_b", "")]


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({"subject": "nothing*"}, "FLC305", Severity.WARN),
        ({"policy": "OWN009"}, "FLC324", Severity.WARN),
        ({"expires": "2026-05-31"}, "FLC405", Severity.BLOCK),
    ],
)
def test_an_exemption_that_is_none(change: Any, code: str, severity: Severity, tmp_path: Path) -> None:
    exempt = {"policy": "OWN001", "subject": "*", "reason": "legacy", "expires": "2026-12-31", **change}
    _, found = ran(project(tmp_path, exemptions=[exempt]))
    (one,) = (d for d in found if d.code == code)
    assert one.severity is severity
    assert one.span is not None
    assert one.span.file.endswith("manifest.yaml")
    assert not any(d.suppressed for d in found)


def test_a_security_policy_has_no_exemptions(tmp_path: Path) -> None:
    exempt = {"policy": "OWN001", "subject": "*", "reason": "legacy", "expires": "2026-12-31"}
    product = project(tmp_path, exemptions=[exempt])
    policy = tmp_path / "own" / "owner.floe"
    policy.write_text(
        policy.read_text().replace("\tseverity block\n", '\tseverity block\n\ttags     ["security"]\n', 1)
    )
    _, found = ran(product)
    assert sorted(d.code for d in found) == ["FLC324", "OWN001", "OWN001"]
    assert not any(d.suppressed for d in found)


@pytest.mark.parametrize(
    ("transforms", "code"),
    [
        ([{"type": "dbt", "path": "models"}], "FLC424"),
        ([{"type": "dbt", "path": "../outside"}], "FLC424"),
        ([{"type": "dbt", "path": "dbt"}, {"type": "dbt", "path": "more"}], "FLC425"),
    ],
)
def test_a_dbt_project_that_cannot_be_told(transforms: Any, code: str, tmp_path: Path) -> None:
    product = project(tmp_path)
    for folder in (tmp_path / "outside", product / "more"):
        folder.mkdir()
        (folder / "dbt_project.yml").write_text("name: other\n")
    document = yaml.safe_load((product / "floe.yaml").read_text())
    (product / "floe.yaml").write_text(yaml.safe_dump({**document, "transforms": transforms}))
    report, found = ran(product)
    assert [d.code for d in found] == [code]
    assert found[0].span is not None
    assert not report.reached("facts")


def test_a_product_without_dbt_is_judged_without_a_project(tmp_path: Path) -> None:
    product = project(tmp_path)
    document = yaml.safe_load((product / "floe.yaml").read_text())
    (product / "floe.yaml").write_text(yaml.safe_dump({**document, "transforms": []}))
    report, found = ran(product, "emit", whole=True)
    assert found == ()
    assert report.state.ir is not None
    assert report.state.ir["project"] is None
    assert [a.kind for a in report.state.artifacts] == ["oci", "kubernetes"]


def test_a_manifest_alone_becomes_a_platform_artifact(tmp_path: Path) -> None:
    project(tmp_path)
    report, found = ran(tmp_path, "emit", whole=True)
    assert found == ()
    (layout,) = report.state.artifacts
    assert layout.kind == "oci"
    assert report.state.ir is not None
    assert report.state.ir["product"] is None


@pytest.mark.parametrize(
    ("signing", "signed"), [(None, True), ({"enabled": False}, False), ({"enforcement": "off"}, False)]
)
def test_the_manifest_says_whether_to_sign(signing: Any, signed: bool, tmp_path: Path) -> None:
    asked: list[bool] = []

    def key() -> Outcome[SigningKey]:
        asked.append(True)
        return Outcome(SigningKey(generate_key()[0], tmp_path, None))

    artifacts = {"artifacts": {"signing": signing}} if signing is not None else {}
    project(tmp_path, **artifacts)
    report, found = ran(tmp_path, "emit", whole=True, key=key)
    assert found == ()
    assert bool(asked) is (report.state.signer is not None) is signed


def test_the_digests_follow_the_content_and_nothing_else(tmp_path: Path) -> None:
    exempt = {"policy": "OWN001", "subject": "*", "reason": "later", "expires": "2026-12-31"}
    made = []
    for name, change in (("a", {}), ("b/deeper", {}), ("c", {"data_architecture": {"naming": {"case": "camelCase"}}})):
        (tmp_path / name).mkdir(parents=True)
        report, _ = ran(project(tmp_path / name, exemptions=[exempt], **change), "emit", whole=True)
        made.append((report.state.ir_digest, report.state.artifacts[0].digest))
    assert made[0] == made[1]
    assert made[0][0] != made[2][0]
    assert made[0][1] != made[2][1]


def test_a_policy_that_cannot_be_decided_blocks(tmp_path: Path) -> None:
    product = project(tmp_path)
    policy = tmp_path / "own" / "owner.floe"
    policy.write_text(policy.read_text().replace("require model.owner != null", "require 1 / count(model.columns) > 0"))
    (product / "dbt/models/m.yml").write_text("models: [{name: bronze_a, columns: [{name: id}]}]\n")
    outcome = run(Job(product, TODAY), "policies")
    assert outcome.value is not None
    assert not outcome.value.reached("policies")
    assert any(d.severity is Severity.BLOCK for d in outcome.diagnostics)


def test_a_data_contract_is_checked_alone_but_compiled_with_its_product(tmp_path: Path) -> None:
    contract = tmp_path / "datacontract.yaml"
    contract.write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nname: orders\nversion: 1.0.0\nstatus: active\n"
        "domain: sales\nschema:\n  - name: orders\n    properties:\n      - name: id\n        logicalType: integer\n"
    )
    report, found = ran(contract)
    assert (report.timings, found) == ((), ())
    assert [d.code for d in ran(contract, "emit", whole=True)[1]] == ["FLC426"]
    contract.write_text(contract.read_text().replace("logicalType: integer", "logicalType: intger"))
    _, found = ran(contract)
    assert found
    assert found[0].span is not None
    assert found[0].span.line == 12


def test_what_floe_yaml_does_not_say_is_missed_at_the_products_name(tmp_path: Path) -> None:
    from compiler.documents.kept import read_document
    from compiler.tiers.platform_ir import product_span

    path = tmp_path / "floe.yaml"
    path.write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\n"
        "metadata:\n  name: orders\n  version: 1.0.0\n  owner: a@b.example\n"
        "ownership: {email: a@b.example}\n"
    )
    document = read_document(path).value
    assert document is not None
    places = [product_span(document, place)[1:3] for place in (("schedule", "cron"), ("ownership", "team"), ("owner",))]
    assert places == [(4, 9), (7, 12), (6, 10)]


def test_a_folder_inside_of_a_product_is_told_where_its_product_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = project(tmp_path) / "dbt" / "models"
    monkeypatch.chdir(inside)
    (found,) = run(Job(Path(), TODAY), "policies").diagnostics
    assert (found.code, found.hint) == ("FLC100", "name `../..`, whose floe.yaml this folder belongs to")
