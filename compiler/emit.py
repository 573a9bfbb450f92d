"""The last stage: the checked IR to artifacts, as values.

A product becomes an OCI layout with all that was made from it, a dbt overlay and Kubernetes manifests; a manifest
alone becomes an OCI layout of its platform.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.ir.canonical import canonical
from emitters.artifact import Artifact, File
from policy_lang.diagnostics import Diagnostic, Outcome, blocking

if TYPE_CHECKING:
    from compiler.policies.settings import InForce
    from policy_lang.source import Source

OUTPUT = ".floe"
"""The folder of all that is written, beside the document."""

_DATA = {
    "classification.json": ("governance", "classification"),
    "access-control.json": ("governance", "access_control"),
    "quality-gates.json": ("governance", "quality_gates"),
    "retention.json": ("governance", "retention"),
    "naming.json": ("data_architecture", "naming"),
    "layers.json": ("data_architecture", "layers"),
}
"""The parts of the platform that readers of the artifact look up without the whole IR."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """``private`` is the key in PEM form, read from ``file``; ``public`` is where the public key stands, if we know.

    ``fresh``: the pair was made for this run.
    """

    private: bytes
    file: Path
    public: Path | None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole and checked IR, its digest, the folder of its document, and the dbt project's (None: there is none).

    ``sources`` are the policy files in force; ``created`` (RFC 3339) and ``key`` (a private key in PEM form) go into
    the OCI layout. ``manifests`` are the texts by which others may refer to this platform (``published_files``).
    """

    ir: dict[str, Any]
    digest: str
    folder: Path
    project: Path | None
    in_force: InForce
    sources: tuple[Source, ...]
    created: str | None = None
    key: bytes | None = None
    manifests: Mapping[str, str] = field(default_factory=dict)


def emit(compiled: Compiled) -> Outcome[tuple[Artifact, ...]]:
    """All artifacts, the OCI layout first; None where an emitter refuses."""
    ir = compiled.ir
    found: list[Diagnostic] = []
    made: list[Artifact] = []
    for outcome in _product_parts(compiled):
        found += outcome.diagnostics
        made += [outcome.value] if outcome.value is not None else []
    policies = policy_bundle(compiled)
    found += policies.diagnostics
    if blocking(found):
        return Outcome(None, tuple(found))
    layers = {artifact.kind: artifact.files for artifact in made}
    layers["policies"] = policies.value or ()
    layers["governance"] = tuple(_data(ir["platform"]))
    layers["schemas"] = (_schema(),)
    if ir["product"] is None and compiled.manifests:
        layers["manifest"] = tuple(File(name, text.encode()) for name, text in compiled.manifests.items())
    layout = _layout(compiled, layers)
    found += layout.diagnostics
    if layout.value is None:
        return Outcome(None, tuple(found))
    return Outcome((layout.value, *made), tuple(found))


def _product_parts(compiled: Compiled) -> Iterator[Outcome[Artifact]]:
    if compiled.ir["product"] is None:
        return
    from emitters.kubernetes.jobs import emit_jobs

    yield emit_jobs(compiled.ir, compiled.digest)
    if compiled.project is not None:
        from emitters.dbt.overlay import emit_overlay

        team = Path(os.path.relpath(compiled.project, compiled.folder / OUTPUT / "dbt")).as_posix()
        yield emit_overlay(compiled.ir, team, compiled.digest, *_team_files(compiled.project))


def _team_files(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the team's ``dbt_project.yml`` and its list of packages hold; the facts were read from the same files."""
    from compiler.facts.project.yaml_values import load_values

    def content(name: str) -> dict[str, Any]:
        file = project / name
        if not file.is_file():
            return {}
        value = load_values(str(file), file.read_text(encoding="utf-8")).value
        return value if isinstance(value, dict) else {}

    return content("dbt_project.yml"), content("packages.yml") or content("dependencies.yml")


def _layout(compiled: Compiled, layers: Mapping[str, tuple[File, ...]]) -> Outcome[Artifact]:
    from emitters.oci.layout import emit_layout

    product = compiled.ir["product"]
    about = compiled.ir["platform"] if product is None else product
    return emit_layout(
        compiled.ir,
        canonical(compiled.ir),
        layers,
        kind="platform" if product is None else "product",
        title=about["name"],
        version=about["version"],
        created=compiled.created,
        sign_key_pem=compiled.key,
    )


def _data(platform: Mapping[str, Any]) -> Iterable[File]:
    for name, path in _DATA.items():
        value: Any = platform
        for key in path:
            value = value[key]
        yield File(name, canonical(value))


def _schema() -> File:
    from compiler.ir.schema import ir_schema

    return File("floec.ir.v1.schema.json", canonical(ir_schema()))


def policy_bundle(compiled: Compiled) -> Outcome[tuple[File, ...]]:
    """The policies in force as a bundle: their sources, and beside them the Rego that a stock OPA runs."""
    from policy_lang.codegen import cache
    from policy_lang.engine import CompileOptions
    from policy_lang.export import export
    from policy_lang.runtime.values import to_json
    from policy_lang.source import Source

    in_force = compiled.in_force
    off = {policy.span.file for policy in in_force.policies.policies if policy.id not in in_force.severities}
    on = {policy.span.file for policy in in_force.policies.policies if policy.id in in_force.severities}
    named = _named((s for s in compiled.sources if s.file in on or s.file not in off), compiled.folder)
    settings = to_json([in_force.params, {id_: str(word) for id_, word in in_force.severities.items()}])
    key = cache.key(f"bundle {settings}", [Source(path, s.text) for path, s in named.items()], CompileOptions())
    kept = cache.read(key)
    if kept is not None:
        return Outcome(tuple(File(path, data) for path, data in kept))
    made = export(named, in_force.params, in_force.severities, in_force.policies)
    if made.value is None or blocking(made.diagnostics):
        return Outcome(None, made.diagnostics)
    files = {file.path: file.text for file in made.value}
    files |= {path: source.text for path, source in named.items()}
    listed = tuple(File(path, text.encode()) for path, text in sorted(files.items()))
    if not made.diagnostics:
        cache.write(key, tuple((file.path, file.data) for file in listed))
    return Outcome(listed, made.diagnostics)


def _named(sources: Iterable[Source], folder: Path) -> dict[str, Source]:
    """The policy files by their path in the bundle, which says nothing of this machine."""
    from compiler.policies.bundles import STDLIB

    named: dict[str, Source] = {}
    for source in sources:
        path = Path(source.file)
        if path.is_relative_to(STDLIB):
            name = f"stdlib/{path.relative_to(STDLIB).as_posix()}"
        else:
            # `..` cannot stand in a bundle; the steps up are the same wherever the tree lies.
            steps = Path(os.path.relpath(path, folder)).as_posix()
            name = f"own/{steps.replace('../', 'up/')}"
        named[name] = source
    return named


def to_be_signed(platform: Mapping[str, Any]) -> bool:
    """What the manifest's ``artifacts.signing`` asks for; where it says nothing, artifacts are signed."""
    signing = platform["artifacts"].get("signing") or {}
    return signing.get("enabled") is not False and signing.get("enforcement") != "off"
