"""Facts about the dbt project in a folder, from the manifest that dbt left there."""

from __future__ import annotations

from pathlib import Path

from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Outcome

TARGET_MANIFEST = Path("target") / "manifest.json"


def read_facts(project_dir: Path, manifest: Path | None = None) -> Outcome[Facts]:
    """Read ``manifest``, or ``target/manifest.json`` of the project where none is named; FLC110 where absent."""
    from compiler.facts.manifest import read_manifest

    return read_manifest(project_dir, manifest or project_dir / TARGET_MANIFEST)
