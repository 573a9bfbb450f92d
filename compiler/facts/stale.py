"""Which files of a project differ from what its manifest says.

A file counts as changed where it is newer than the manifest and its content is not the one that dbt hashed (YAML and
documentation have no hash there: newer is enough), where the manifest does not know it, or where it is gone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from compiler.facts.project_config import ProjectFile
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import whole_file

_HASHED = (".sql", ".py", ".csv")
_OTHERS = (".yml", ".yaml", ".md")
_SHOWN = 3


def changed_files(project: ProjectFile, manifest: Path, facts: Facts, checksums: Mapping[str, str]) -> list[str]:
    """Paths from the project's folder, sorted; ``checksums`` are the manifest's, by path."""
    written = manifest.stat().st_mtime_ns
    nodes = [*facts.models, *facts.seeds, *facts.snapshots, *facts.tests]
    own = f".{project.name}."
    known = {e["path"] for e in nodes if own in e["unique_id"] and e["unique_id"].split(".", 2)[1] == project.name}
    found: set[str] = set()
    seen: set[str] = set()
    for path, time in _files(project):
        seen.add(path)
        if time > written and not _same(project.root / path, checksums.get(path)):
            found.add(path)
    found.update(_gone(project.root, known - seen))
    return sorted(found)


def _gone(root: Path, paths: Iterable[str]) -> Iterator[str]:
    """Those that are not there, by one look into each folder."""
    names: dict[str, frozenset[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in names:
            try:
                names[folder] = frozenset(os.listdir(root / folder))
            except OSError:
                names[folder] = frozenset()
        if name not in names[folder]:
            yield path


def _files(project: ProjectFile) -> Iterator[tuple[str, int]]:
    bases = {base for bases in project.paths.values() for base in bases}
    for base in sorted(bases):
        for folder, _, names in os.walk(project.root / base):
            inside = Path(folder).relative_to(project.root).as_posix()
            for name in names:
                if name.endswith((*_HASHED, *_OTHERS)):
                    try:
                        yield f"{inside}/{name}", os.stat(os.path.join(folder, name)).st_mtime_ns
                    except OSError:
                        continue
    yield "dbt_project.yml", os.stat(project.root / "dbt_project.yml").st_mtime_ns


def _same(path: Path, checksum: str | None) -> bool:
    if checksum is None or path.suffix not in _HASHED:
        return False
    try:
        return hashlib.sha256(path.read_text(encoding="utf-8").strip().encode()).hexdigest() == checksum
    except (OSError, UnicodeDecodeError):
        return False


def stale_diagnostic(manifest: Path, changed: list[str]) -> Diagnostic:
    """FLC116 (warn)."""
    shown = ", ".join(f"`{c}`" for c in changed[:_SHOWN])
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    message = f"`{manifest}` is older than the project's files: {shown}{more}"
    hint = "run `dbt parse`, or let the changed files be laid over the manifest"
    return Diagnostic("FLC116", message, whole_file(str(manifest)), Severity.WARN, hint=hint)
