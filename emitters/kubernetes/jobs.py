"""Kubernetes batch objects of a data product: one Job a dbt step and a CronJob that runs them in order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from emitters.artifact import Artifact, File
from policy_lang.diagnostics import Diagnostic, Outcome, Severity

DEADLINE_SECONDS = 3600
KEEP_FINISHED_SECONDS = 3600
PROJECT_FOLDER = "/floe/dbt"
"""Where the image holds the generated dbt project with its packages installed."""

_VERBS = {"dbt_seed": "seed", "dbt_run": "run", "dbt_test": "test"}
_DEFAULT_STEPS: tuple[dict[str, Any], ...] = (
    {"name": "dbt-seed", "kind": "dbt_seed", "needs": []},
    {"name": "dbt-run", "kind": "dbt_run", "needs": ["dbt-seed"]},
    {"name": "dbt-test", "kind": "dbt_test", "needs": ["dbt-run"]},
)
_DEFAULT_RESOURCES = {
    "requests": {"cpu": "250m", "memory": "512Mi"},
    "limits": {"cpu": "1", "memory": "2Gi"},
}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A CronJob adds 11 characters to the names of its Jobs, which may have 63.
_NAME_LIMIT = 52


@dataclass(frozen=True, slots=True)
class _Context:
    name: str
    namespace: str
    image: str
    digest: str
    version: str

    def metadata(self, name: str, component: str) -> dict[str, Any]:
        labels = {
            "app.kubernetes.io/name": self.name,
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/managed-by": "floec",
            "app.kubernetes.io/part-of": "floe",
            "app.kubernetes.io/version": self.version,
        }
        place = {"namespace": self.namespace} if self.namespace else {}
        return {"name": name, **place, "labels": labels, "annotations": {"dev.floe.ir-digest": self.digest}}


def emit_jobs(ir: dict[str, Any], digest: str) -> Outcome[Artifact]:
    """Render the batch objects of ``ir`` (``floec.ir.v1``); ``digest`` is the IR's, ``sha256:`` and 64 hex digits.

    The Jobs are suspended, because Kubernetes knows no order between Jobs: whoever runs one resumes it. FLC631 is an
    IR without a usable product or digest, FLC632 a circle among the jobs; FLC633 warns of a job of another kind.
    """
    product = ir.get("product")
    if not product or not _DIGEST.fullmatch(digest):
        what = "an IR with a product" if not product else "a digest of the form sha256:<64 hex digits>"
        return Outcome(None, (Diagnostic("FLC631", f"Kubernetes jobs need {what}"),))
    context = _context(ir, product, digest)
    declared: Sequence[dict[str, Any]] = ir.get("jobs") or _DEFAULT_STEPS
    skipped = tuple(
        Diagnostic("FLC633", f"the job {j['name']!r} of kind {j['kind']} is not a dbt step", severity=Severity.WARN)
        for j in declared
        if j["kind"] not in _VERBS
    )
    try:
        steps = _in_order([j for j in declared if j["kind"] in _VERBS])
    except CycleError as error:
        circle = " -> ".join(str(n) for n in error.args[1])
        return Outcome(None, (Diagnostic("FLC632", f"the jobs wait for each other: {circle}"),))
    objects = [_service_account(context), _config_map(context), *(_job(context, s) for s in steps)]
    schedule = product.get("schedule")
    if schedule and steps:
        objects.append(_cron_job(context, steps, schedule))
    files = sorted((_file(o) for o in objects), key=lambda f: f.path)
    return Outcome(Artifact("kubernetes", tuple(files)), skipped)


def dns_name(*parts: str, limit: int = _NAME_LIMIT) -> str:
    """A DNS-1123 label from ``parts``; one that is too long, or that lost characters, ends in a hash to stay unique."""
    text = "-".join(parts)
    # Underscores are as good as dashes in the names of the field, so they alone need no hash.
    plain = text.replace("_", "-")
    label = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if label == plain and len(label) <= limit:
        return label
    tail = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{label[: limit - 9].strip('-') or 'x'}-{tail}"


def _context(ir: Mapping[str, Any], product: Mapping[str, Any], digest: str) -> _Context:
    platform = ir.get("platform") or {}
    domain = platform.get("domain") or {}
    service = (platform.get("services") or {}).get("dbt") or {}
    version = re.sub(r"[^A-Za-z0-9_.-]", "-", product.get("version") or "")[:63].strip("-_.") or "0"
    name = dns_name(product["name"], limit=40)
    namespace = dns_name(domain["namespace"], limit=63) if domain.get("namespace") else ""
    # A product's image is built from its own tree; without a name of its own it is called after the product.
    image = service.get("image") or f"{name}:{version}"
    return _Context(name, namespace, image, digest, version)


def _in_order(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    by_name = {j["name"]: j for j in jobs}
    graph = {j["name"]: [n for n in j.get("needs") or () if n in by_name] for j in jobs}
    return [by_name[n] for n in TopologicalSorter(graph).static_order()]


def _service_account(context: _Context) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": context.metadata(context.name, "identity"),
        "automountServiceAccountToken": False,
    }


def _config_map(context: _Context) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": context.metadata(dns_name(context.name, "ir"), "configuration"),
        "data": {"FLOE_IR_DIGEST": context.digest},
    }


def _job(context: _Context, step: Mapping[str, Any]) -> dict[str, Any]:
    # A Job's template cannot be changed, so another digest makes another Job.
    name = dns_name(context.name, step["name"], context.digest.removeprefix("sha256:")[:8])
    metadata = context.metadata(name, _component(step))
    needs = ",".join(step.get("needs") or ())
    metadata["annotations"]["dev.floe.needs"] = needs
    spec = _job_spec(context, _component(step), [_container(context, step)])
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"suspend": True, **spec}}


def _cron_job(context: _Context, steps: Sequence[Mapping[str, Any]], schedule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": context.metadata(context.name, "schedule"),
        "spec": {
            "schedule": schedule["cron"],
            "timeZone": schedule.get("timezone") or "Etc/UTC",
            "suspend": schedule.get("enabled") is False,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": _job_spec(context, "schedule", [_container(context, s) for s in steps])},
        },
    }


def _component(step: Mapping[str, Any]) -> str:
    return f"dbt-{_VERBS[step['kind']]}"


def _job_spec(context: _Context, component: str, containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The containers run one after the other: all but the last are init containers."""
    pod: dict[str, Any] = {
        "serviceAccountName": context.name,
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers[-1:],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    if len(containers) > 1:
        pod["initContainers"] = containers[:-1]
    return {
        "backoffLimit": 0,
        "activeDeadlineSeconds": DEADLINE_SECONDS,
        "ttlSecondsAfterFinished": KEEP_FINISHED_SECONDS,
        "template": {"metadata": {"labels": context.metadata("", component)["labels"]}, "spec": pod},
    }


def _container(context: _Context, step: Mapping[str, Any]) -> dict[str, Any]:
    args = [_VERBS[step["kind"]], "--project-dir", PROJECT_FOLDER, "--profiles-dir", PROJECT_FOLDER]
    # The kubelet puts the ConfigMap's digest in; the overlay's guard compares it with the compiled one.
    args += ["--vars", '{"floe_ir_digest": "$(FLOE_IR_DIGEST)"}']
    if step.get("select"):
        args += ["--select", str(step["select"])]
    reference = {"name": dns_name(context.name, "ir"), "key": "FLOE_IR_DIGEST"}
    return {
        "name": dns_name(step["name"]),
        "image": context.image,
        "command": ["dbt"],
        "args": args,
        "env": [
            {"name": "FLOE_IR_DIGEST", "valueFrom": {"configMapKeyRef": reference}},
            # The root file system is read-only.
            {"name": "DBT_TARGET_PATH", "value": "/tmp/target"},
            {"name": "DBT_LOG_PATH", "value": "/tmp/logs"},
            {"name": "FLOE_DUCKDB_PATH", "value": "/tmp/floe.duckdb"},
        ],
        "resources": step.get("resources") or _DEFAULT_RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
    }


def _file(document: Mapping[str, Any]) -> File:
    import yaml

    class Plain(yaml.SafeDumper):
        """Without anchors: a shared mapping is written out at each place."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    text = yaml.dump(dict(document), Dumper=Plain, sort_keys=True, default_flow_style=False, width=120)
    return File(f"jobs/{document['kind'].lower()}-{document['metadata']['name']}.yaml", text.encode())
