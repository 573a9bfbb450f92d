"""Facts about the dbt project in a folder: from the manifest that dbt left there, else from the project's own files."""

from __future__ import annotations

from pathlib import Path

from compiler.facts.needs import Needs, covered
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Outcome

TARGET_MANIFEST = Path("target") / "manifest.json"


def read_facts(
    project_dir: Path, manifest: Path | None = None, *, needs: Needs | None = None, files_only: bool = False
) -> Outcome[Facts]:
    """Read ``manifest``, else ``target/manifest.json`` of the project, else (or with ``files_only``) its own files.

    ``needs`` None means everything; the rest may be left out of the entries. FLC110 where there is neither a manifest
    nor a ``dbt_project.yml``.
    """
    found = manifest or project_dir / TARGET_MANIFEST
    if files_only or (manifest is None and not found.is_file() and (project_dir / "dbt_project.yml").is_file()):
        from compiler.facts.project_files import read_project_files

        code = any(covered(needs, ("models", "*", *field)) for field in (("raw_code",), ("columns", "*", "inherited")))
        return read_project_files(project_dir, keep_code=code)
    from compiler.facts.manifest import read_manifest

    return read_manifest(project_dir, found, needs)
