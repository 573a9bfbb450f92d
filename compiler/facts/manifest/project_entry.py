"""The project as a whole, from a manifest's metadata and the ``dbt_project.yml`` beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiler.facts.entries import Entry, mapping, text


def project_entry(metadata: dict[str, Any], project_dir: Path) -> Entry:
    """``project`` of docs/ir.md; variables and flags are those that ``dbt_project.yml`` gives, if it is there."""
    adapter = text(metadata.get("adapter_type"))
    raw = _project_file(project_dir)
    return {
        "name": text(metadata.get("project_name")) or text(raw.get("name")) or project_dir.resolve().name,
        "version": text(raw.get("version")) or "",
        "adapter": adapter,
        "dialect": adapter,
        "dbt_version": text(metadata.get("dbt_version")),
        "manifest_version": metadata.get("manifest_version"),
        "source": "manifest",
        "packages": [],
        "vars": mapping(raw.get("vars")),
        "flags": mapping(raw.get("flags")),
        "cycles": [],
        "unknown": [],
    }


def _project_file(project_dir: Path) -> dict[str, Any]:
    if not (project_dir / "dbt_project.yml").is_file():
        return {}
    from compiler.facts.project.config import read_project

    read = read_project(project_dir)
    return {} if read.value is None else dict(read.value.raw)


def installed_version(project_dir: Path, package: str) -> str:
    """The version of an installed package, "" where it is not there."""
    folder = project_dir / "dbt_packages" / package
    return str(_project_file(folder).get("version") or "")
