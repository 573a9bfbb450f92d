"""The only writer: puts artifacts on disk, all of them as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emitters.artifact import Artifact
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

FOLDERS = {"oci": "build", "dbt": "dbt", "kubernetes": "kubernetes"}
"""The output folder of each kind of artifact, below the root; its former content is replaced."""

_WRITABLE = "let this user write there, and see that the disk has room; what was there before is still there"


@dataclass(frozen=True, slots=True)
class WriteReport:
    """The paths of the files written, relative to the root, sorted."""

    written: tuple[str, ...]


def write_artifacts(root: Path, artifacts: Iterable[Artifact]) -> Outcome[WriteReport]:
    """Write each artifact to its folder below ``root``; FLC601 is a refused path, FLC602 a failed write."""
    chosen = tuple(artifacts)
    place = whole_file(str(root))
    hint = "take the link away, or name the file so that it stays inside"
    problems = tuple(Diagnostic("FLC601", p, place, hint=hint) for a in chosen for p in _refusals(root, a))
    if problems:
        return Outcome(None, problems)
    try:
        _replace(root, chosen)
    except OSError as error:
        text = f"cannot write below {root}: {error.strerror or error}"
        return Outcome(None, (Diagnostic("FLC602", text, place, hint=_WRITABLE),))
    return Outcome(WriteReport(tuple(sorted(f"{FOLDERS[a.kind]}/{f.path}" for a in chosen for f in a.files))))


def _refusals(root: Path, artifact: Artifact) -> list[str]:
    if artifact.kind not in FOLDERS:
        return [f"no output folder for artifacts of kind {artifact.kind!r}"]
    found = []
    if (root / FOLDERS[artifact.kind]).is_symlink():
        found.append(f"the output folder {FOLDERS[artifact.kind]} is a symbolic link")
    for file in artifact.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in file.path or "\0" in file.path:
            found.append(f"the path {file.path!r} leaves the output folder")
    return found


def _replace(root: Path, artifacts: Iterable[Artifact]) -> None:
    """Write all folders anew beside the old ones, then swap them; where one swap fails, all are undone."""
    root.mkdir(parents=True, exist_ok=True)
    # A sibling is on the same file system, so that a rename is atomic.
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=root))
    try:
        _ignore(root)
        names = []
        for artifact in artifacts:
            name = FOLDERS[artifact.kind]
            names.append(name)
            _fill(work / "new" / name, artifact)
        (work / "old").mkdir()
        _swap(root, work, names)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _ignore(root: Path) -> None:
    """What is generated is not to be committed; a file that is there already is the user's."""
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def _fill(folder: Path, artifact: Artifact) -> None:
    folder.mkdir(parents=True)
    for file in artifact.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        path.chmod(0o755 if file.executable else 0o644)


def _swap(root: Path, work: Path, names: Iterable[str]) -> None:
    done: list[str] = []
    try:
        for name in names:
            if (root / name).exists():
                os.rename(root / name, work / "old" / name)
            done.append(name)
            os.rename(work / "new" / name, root / name)
    except OSError:
        for name in reversed(done):
            if (root / name).exists():
                os.rename(root / name, work / "new" / name)
            if (work / "old" / name).exists():
                os.rename(work / "old" / name, root / name)
        raise
