"""Which files of a project differ from what its manifest says.

A file counts as changed where it is newer than the manifest and its content is not the one that dbt hashed (YAML and
documentation have no hash there: newer is enough), or where it is gone. Models, seeds and snapshots that the manifest
does not have at all count whenever they were written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from compiler.facts.manifest.fields import slashes
from compiler.facts.manifest.plan import Written
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.ignored import ignored_in
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.digests import sha256_hex
from policy_lang.source import whole_file

_HASHED = (".sql", ".py", ".csv")
_OTHERS = (".yml", ".yaml", ".md")
_SHOWN = 3
_FEW = 8
_DEFINING = {"model-paths": (".sql", ".py"), "seed-paths": (".csv",), "snapshot-paths": (".sql",)}
_NAMED = rb'"original_file_path":\s*("(?:[^"\\]|\\.)*")'


class Files:
    """The files of a project as they are now, with the times when they were last written (nanoseconds)."""

    def __init__(self, project: ProjectFile) -> None:
        self.project = project
        self.times = dict(_files(project))
        self._described: tuple[Facts, set[str]] | None = None

    def described(self, facts: Facts) -> set[str]:
        """The files of the project's own nodes, by facts that are asked about twice."""
        if self._described is None or self._described[0] is not facts:
            self._described = (facts, _own_paths(self.project, facts))
        return self._described[1]

    def defines(self, path: str) -> bool:
        """Whether dbt makes a model, a seed or a snapshot of the file."""
        for key, suffixes in _DEFINING.items():
            if path.endswith(suffixes) and any(path.startswith(f"{base}/") for base in self.project.paths[key]):
                return True
        return False

    def newer(self, manifest: Path) -> list[str]:
        """Those that were written after the manifest; none where there is no manifest."""
        try:
            written = manifest.stat().st_mtime_ns
        except OSError:
            return []
        return [path for path, time in self.times.items() if time > written]

    def asked(self, manifest: Path) -> Written:
        """What the manifest has to say of files: hashes only where they decide whether a newer file has changed."""
        return Written(self.project.name, any(path.endswith(_HASHED) for path in self.newer(manifest)))


def changed_files(files: Files, manifest: Path, facts: Facts, written: Written) -> list[str]:
    """Paths from the project's folder, sorted."""
    known = files.described(facts).union(map(slashes, written.paths))
    own = f"test.{files.project.name}."  # there are eleven tests to a model, and all of one kind
    if facts.tests and "path" in facts.tests[0]:  # what nodes only list of their tests has none
        known.update({e.get("path") or "" for e in facts.tests if e["unique_id"].startswith(own)} - {""})
    root = files.project.root
    found = {path for path in files.newer(manifest) if not _same(root / path, written.hashes.get(path))}
    found.update(_gone(root, known - files.times.keys()))
    return sorted(found)


def unknown_files(files: Files, manifest: Path, facts: Facts, written: Written) -> list[str]:
    """Files of models, seeds and snapshots that the manifest says nothing of, not even that they are disabled."""
    known = files.described(facts).union(map(slashes, written.paths))
    found = [path for path in files.times.keys() - known if files.defines(path)]
    if not found:
        return []
    import json

    try:
        text = manifest.read_bytes()
    except OSError:
        return []
    if len(found) > _FEW:
        named = {slashes(json.loads(one)) for one in re.findall(_NAMED, text)}
        return sorted(path for path in found if path not in named)
    # Most often they are disabled, and a few are found sooner than all names are read.
    return sorted(path for path in found if not any(form in text for form in _forms(path)))


def _own_paths(project: ProjectFile, facts: Facts) -> set[str]:
    """The files of the project's own nodes."""
    own = f".{project.name}."
    nodes = (*facts.models, *facts.seeds, *facts.snapshots)
    return {e["path"] for e in nodes if e.get("path") and (i := e["unique_id"]).startswith(own, i.find("."))}


def _forms(path: str) -> Iterator[bytes]:
    """A path as dbt may have written it."""
    import json

    for written in (path, path.replace("/", "\\")):
        yield json.dumps(written).encode()
        yield json.dumps(written, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _gone(root: Path, paths: Iterable[str]) -> Iterator[str]:
    """Those that are not there, by one look into each folder."""
    names: dict[str, frozenset[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in names:
            try:
                names[folder] = frozenset(os.listdir(root / folder))
            except (OSError, ValueError):  # no such folder, or a name that no file system holds
                names[folder] = frozenset()
        if name not in names[folder]:
            yield path


def _files(project: ProjectFile) -> Iterator[tuple[str, int]]:
    ignored = ignored_in(project.root)
    for base in sorted({base for bases in project.paths.values() for base in bases}):
        pending = [base]
        while pending:
            folder = pending.pop()
            try:
                entries = list(os.scandir(project.root / folder))
            except OSError:
                continue
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(f"{folder}/{entry.name}")
                    elif entry.name.endswith((*_HASHED, *_OTHERS)) and not ignored(f"{folder}/{entry.name}"):
                        yield f"{folder}/{entry.name}", entry.stat().st_mtime_ns
                except OSError:
                    continue
    yield "dbt_project.yml", os.stat(project.root / "dbt_project.yml").st_mtime_ns


def _same(path: Path, checksum: str | None) -> bool:
    if checksum is None or path.suffix not in _HASHED or not path.is_file():
        return False
    try:
        return sha256_hex(path.read_text(encoding="utf-8").strip().encode()) == checksum
    except (OSError, UnicodeDecodeError):
        return False


def stale_diagnostic(manifest: Path, changed: list[str], *, unknown: bool = False) -> Diagnostic:
    """FLC116 (warn), where files ``changed`` after the manifest was written, or are ``unknown`` to it."""
    shown = ", ".join(f"`{c}`" for c in changed[:_SHOWN])
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    said = "knows nothing of some of" if unknown else "is older than"
    message = f"`{manifest}` {said} the project's files: {shown}{more}"
    hint = "run `dbt parse`, or let the changed files be laid over the manifest"
    return Diagnostic("FLC116", message, whole_file(str(manifest)), Severity.WARN, hint=hint)
