"""The facts of a project's files as they were read whole last time, with the state of each file that they came from.

A later run compares the states (size, times, inode) with what is on disk, reads those files that differ, and lays them
over the kept facts (``patch_files``). Where times are too fresh to be trusted, contents are compared: a file can change
twice within the grain of its times. What is kept is never changed; where many files differ the project is read whole
and kept anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from compiler.facts.kept.file_cache import cache_folder
from compiler.facts.kept.packing import decoded, encoded, read_packed, write_packed
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.file_facts import MacroBlock
from compiler.facts.project.scan import Scan, list_project
from compiler.facts.project.variables import Variables
from compiler.file_states import NO_FILE, Stamp, changed_since, content, is_fresh, now, stamp
from compiler.ir.facts_model import LISTS, Facts
from compiler.structs import Struct
from policy_lang.codegen import cache
from policy_lang.digests import name_of
from policy_lang.kept_diagnostics import diagnostic, plain
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.facts.project.read import Assembly
    from policy_lang.diagnostics import Diagnostic

FORMAT = b"floec-kept-3\n"
_MANY = 50
_BESIDE = ("dbt_project.yml", "profiles.yml", ".dbtignore")
NEVER = frozenset(("FLC123", "FLC124", "FLC126"))
"""What says that files were not read, or that names do not stand for one thing."""

Package = tuple[str, str, str, dict[str, tuple[str, ...]]]
"""An installed package: folder, name, version, paths."""


class Index(NamedTuple):
    """What files say to each other, by path or name; of the root project, and of names that all packages share."""

    keys: dict[str, tuple[str, ...]]
    """File of properties → the sections that it has."""
    patches: dict[tuple[str, str], str]
    """Kind and name → the file with its properties, whether there is such a node or not."""
    places: dict[tuple[str, str], list[str]]
    """Kind and name of each node, disabled ones too → the files that define it."""
    twice: tuple[tuple[str, str], ...]
    """What has properties in several files."""
    missing: tuple[str, ...]
    """Names that a ``ref`` or ``source`` gives and that nothing has."""
    versioned: tuple[str, ...]
    """Files of properties with versions of models."""


class Kept(Struct):
    """Facts of an earlier run; the lists are decoded when they are asked for."""

    token: str
    started: int
    packages: tuple[Package, ...]
    stamps: dict[str, Stamp]
    digests: dict[str, bytes]
    index: Index
    lists: dict[str, bytes]
    docs: dict[str, str]
    macros: bytes
    found: tuple[tuple[Any, ...], ...]

    def facts(self) -> Facts:
        """All of it, fresh: the caller may change what it gets."""
        facts = Facts(decoded(self.lists["project"]), **{name: decoded(self.lists[name]) for name in LISTS})
        for node in (*facts.models, *facts.snapshots):
            if node["raw_code"] and node["language"] == "sql":
                facts.sql[node["unique_id"]] = node["raw_code"]
        return facts

    def diagnostics(self) -> list[Diagnostic]:
        """What was found when the project was read, but for ``dbt_project.yml`` itself."""
        return [*map(diagnostic, self.found)]

    def macro_blocks(self) -> list[tuple[str, MacroBlock]]:
        """The macros of all packages, without their texts."""
        return msgspec.msgpack.decode(self.macros, type=list[tuple[str, MacroBlock]])


class OnDisk(NamedTuple):
    """The files of the root project and of its packages as they stand, by the path that the facts' cache has."""

    root: Scan
    stamps: dict[str, Stamp]
    started: int


def recall(project: ProjectFile, keep_code: bool, environ: Mapping[str, str]) -> Kept | None:
    """What an earlier run of this program kept of the project; it may be of other files."""
    path = _path(project, keep_code, environ)
    found = read_packed(path, FORMAT) if path is not None else None
    if found is None:
        return None
    token, started, packages, stamps, digests, index, *rest = found
    return Kept(token, started, packages, stamps, digests, Index(*index), *rest)


def on_disk(project: ProjectFile, packages: Iterable[Package]) -> OnDisk | None:
    """The files as they are; None where a link to a folder leads elsewhere."""
    started = now()
    stamps: dict[str, Stamp] = {}
    root = list_project(project)
    scans = [root]
    for name in _BESIDE:
        _add(stamps, project.root / name, name)
    for folder, name, version, paths in packages:
        where = project.root / folder
        scans.append(list_project(ProjectFile(where, folder, name, version, paths, {}, Variables({}))))
        for beside in ("dbt_project.yml", ".dbtignore"):
            _add(stamps, where / beside, f"{folder}/{beside}")
    for scan in scans:
        if scan.linked or scan.diagnostics:
            return None
        before = f"{scan.project.folder}/" if scan.project.folder else ""
        stamps.update((before + file.path, file.stamp) for file in scan.files)
    return OnDisk(root, stamps, started)


def differing(kept: Kept, now: OnDisk, project: ProjectFile) -> frozenset[str]:
    """The files that are new, gone, or of another content than those of the kept facts."""
    root = os.path.join(project.root, "")
    others = (path for path in _doubtful(kept, now) if content(root + path) != kept.digests.get(path))
    return frozenset((*others, *(kept.stamps.keys() - now.stamps)))


def _doubtful(kept: Kept, now: OnDisk) -> list[str]:
    """The files whose times do not tell that they are the same."""
    then, started = kept.stamps, kept.started
    return [path for path, state in now.stamps.items() if then.get(path) != state or is_fresh(state, started)]


def refreshed(
    kept: Kept, now: OnDisk, changed: frozenset[str], project: ProjectFile, keep_code: bool, environ: Mapping[str, str]
) -> None:
    """Where many contents had to be compared, keep the states that were found to be right; no change is forgotten."""
    path = _path(project, keep_code, environ)
    if path is None or len(_doubtful(kept, now)) - len(changed) < _MANY:
        return
    stamps = {name: NO_FILE if name in changed else now.stamps[name] for name in kept.stamps}
    _write(path, msgspec.structs.replace(kept, stamps=stamps, started=now.started))


def keep(
    assembly: Assembly,
    scans: Sequence[Scan],
    facts: Facts,
    found: Sequence[Diagnostic],
    started: int,
    keep_code: bool,
    environ: Mapping[str, str],
) -> str:
    """Keep ``facts`` (as ``Assembly`` made them of ``scans``, whose reading began at ``started``).

    Answers the token by which they are known, "" where they cannot be kept.
    """
    project = assembly.project
    path = _path(project, keep_code, environ)
    if path is None or any(scan.linked for scan in scans) or any(d.code in NEVER for d in found):
        return ""
    if not assembly.patchable() or not (facts.models or facts.seeds or facts.snapshots):
        return ""
    stamps: dict[str, Stamp] = {}
    digests: dict[str, bytes] = {}
    for scan in scans:
        before = f"{scan.project.folder}/" if scan.project.folder else ""
        stamps.update((before + file.path, file.stamp) for file in scan.files)
        digests.update((before + name, digest) for name, digest in scan.digests.items())
        for name in _BESIDE if not before else ("dbt_project.yml", ".dbtignore"):
            _add(stamps, scan.project.root / name, before + name)
            if before + name in stamps:
                digests[before + name] = content(str(scan.project.root / name))
    if changed_since(stamps.values(), started):
        return ""
    packages = tuple((s.project.folder, s.project.name, s.project.version, dict(s.project.paths)) for s in scans[1:])
    macros = [(p, msgspec.structs.replace(block, raw_code="")) for p, block in assembly.macros.all()]
    lists = {name: encoded(getattr(facts, name)) for name in LISTS} | {"project": encoded(facts.project)}
    token = os.urandom(12).hex()
    kept = Kept(
        token,
        started,
        packages,
        stamps,
        digests,
        _index(assembly),
        lists,
        assembly.docs,
        msgspec.msgpack.encode(macros),
        tuple(map(plain, found)),
    )
    _write(path, kept)
    return token


def _write(path: Path, kept: Kept) -> None:
    write_packed(path, FORMAT, msgspec.structs.astuple(msgspec.structs.replace(kept, index=tuple(kept.index))))


def _index(assembly: Assembly) -> Index:
    root = assembly.packages[0]
    keys = {file.path: tuple(k for k, v in file.value.items() if v and isinstance(k, str)) for file in root.scan.yaml}
    seen: dict[tuple[str, str], str] = {}
    twice: list[tuple[str, str]] = []
    versioned: dict[str, None] = {}
    for file in root.scan.yaml:
        for key, given in root.nodes.stated(file):
            if key in seen:
                twice.append(key)
            seen.setdefault(key, file.path)
            if given.get("versions"):
                versioned[file.path] = None
    return Index(keys, seen, dict(assembly.places), tuple(twice), tuple(sorted(assembly.missing)), tuple(versioned))


def _path(project: ProjectFile, keep_code: bool, environ: Mapping[str, str]) -> Path | None:
    folder = cache_folder(environ)
    if folder is None:
        return None
    parts = (str(project.root), str(project.root.resolve()), str(keep_code), program())
    return folder / "facts" / f"{name_of(*parts)}.kept"


def program() -> str:
    """What tells one state of the code that makes facts, and of the findings that are kept with them, from another."""
    return cache.key_of("facts", *cache.program("compiler", "policy_lang"), *cache.installed())


def _add(stamps: dict[str, Stamp], file: Path, name: str) -> None:
    found = stamp(str(file))
    if found is not None:
        stamps[name] = found
