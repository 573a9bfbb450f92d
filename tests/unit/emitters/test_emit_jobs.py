from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from emitters.kubernetes.jobs import dns_name, emit_jobs

DIGEST = "sha256:" + "ab" * 32


def ir(**changes: Any) -> dict[str, Any]:
    return {
        "platform": {"domain": {"name": "sales", "namespace": "sales"}, "services": {}},
        "product": {
            "name": "orders",
            "version": "1.0.0+b1",
            "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Berlin", "enabled": True},
        },
        "jobs": [],
        **changes,
    }


def objects(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    artifact = emit_jobs(document, DIGEST).value
    assert artifact is not None
    assert list(artifact.files) == sorted(artifact.files, key=lambda f: f.path)
    return {f.path: yaml.safe_load(f.data) for f in artifact.files}


def test_each_object_is_valid_in_strict_mode() -> None:
    found = objects(ir())
    assert sorted(o["kind"] for o in found.values()) == ["ConfigMap", "CronJob", "Job", "Job", "Job", "ServiceAccount"]
    for document in found.values():
        kubernetes_validate.validate(document, "1.31", strict=True)
        assert document["metadata"]["namespace"] == "sales"
        assert document["metadata"]["labels"]["app.kubernetes.io/version"] == "1.0.0-b1"


def test_every_pod_meets_the_restricted_standard_and_has_limits() -> None:
    jobs = [o["spec"] for o in objects(ir()).values() if o["kind"] == "Job"]
    cron = next(o for o in objects(ir()).values() if o["kind"] == "CronJob")
    for spec in [*jobs, cron["spec"]["jobTemplate"]["spec"]]:
        assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 3600, 3600)
        pod = spec["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]) == {"requests", "limits"}


def test_the_cron_job_runs_the_steps_in_order_in_the_time_zone_of_the_product() -> None:
    cron = objects(ir())["jobs/cronjob-orders.yaml"]["spec"]
    assert (cron["schedule"], cron["timeZone"], cron["suspend"]) == ("0 6 * * *", "Europe/Berlin", False)
    pod = cron["jobTemplate"]["spec"]["template"]["spec"]
    assert [c["args"][0] for c in [*pod["initContainers"], *pod["containers"]]] == ["seed", "run", "test"]


def test_jobs_of_the_ir_replace_the_default_steps_and_other_kinds_are_reported() -> None:
    jobs = [
        {"name": "check", "kind": "dbt_test", "needs": ["build"], "select": "tag:gold", "resources": {}},
        {"name": "build", "kind": "dbt_run", "needs": ["load"], "select": "", "resources": {}},
        {"name": "load", "kind": "ingestion", "needs": [], "select": "", "resources": {}},
    ]
    outcome = emit_jobs(ir(jobs=jobs), DIGEST)
    assert outcome.ok
    assert [d.code for d in outcome.diagnostics] == ["FLC633"]
    pod = objects(ir(jobs=jobs))["jobs/cronjob-orders.yaml"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [c["name"] for c in pod["initContainers"]] == ["build"]
    assert pod["containers"][0]["args"][-2:] == ["--select", "tag:gold"]


def test_a_circle_a_missing_product_and_a_wrong_digest_are_refused() -> None:
    circle = [{"name": a, "kind": "dbt_run", "needs": [b]} for a, b in (("a", "b"), ("b", "a"))]
    assert [d.code for d in emit_jobs(ir(jobs=circle), DIGEST).diagnostics] == ["FLC632"]
    assert [d.code for d in emit_jobs(ir(product=None), DIGEST).diagnostics] == ["FLC631"]
    assert [d.code for d in emit_jobs(ir(), "latest").diagnostics] == ["FLC631"]


def test_without_a_schedule_there_is_no_cron_job_and_the_bytes_are_the_same_each_time() -> None:
    document = ir(product={"name": "orders", "version": "1", "schedule": None})
    assert "CronJob" not in [o["kind"] for o in objects(document).values()]
    assert emit_jobs(document, DIGEST) == emit_jobs(document, DIGEST)


@pytest.mark.parametrize("name", ["Ünïcode", "a" * 90, "__", "with space", "Upper"])
def test_names_become_labels_that_stay_apart(name: str) -> None:
    label = dns_name(name)
    assert len(label) <= 52
    assert label.strip("-") == label
    assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert label != dns_name(name + "!")
    assert dns_name("daily_revenue") == "daily-revenue"
