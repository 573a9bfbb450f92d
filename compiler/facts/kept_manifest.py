"""The facts of a manifest as they were decoded last time, for as long as all that they came from is the same.

A hook lays a few files over the manifest that the last ``dbt parse`` wrote, again and again. The manifest counts as the
same where its times are, or else by the head that dbt writes (with the time and the id of its run), its size and the
checksum of all of it; other files by times, and by content where these are too fresh to be trusted.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from compiler.facts.file_cache import cache_folder
from compiler.facts.kept_files import FRESH_NS, program
from compiler.facts.manifest_plan import Written
from compiler.facts.packing import decoded, encoded, read_packed, write_packed
from compiler.facts.scan import content_digest, stamp_of
from compiler.ir.facts_model import LISTS, Facts, Origin
from compiler.ir.needs import Needs
from policy_lang.diagnostics import Outcome
from policy_lang.digests import digest_of, name_of
from policy_lang.kept_diagnostics import diagnostic, plain
from policy_lang.records import NamedTuple

FORM = b"floec-manifest-2\n"
_HEAD = 4096
_ARTIFACTS = ("catalog.json", "run_results.json", "sources.json", "semantic_manifest.json")
_State = tuple[tuple[int, int, int, int] | None, bytes]
"""Size, times and inode of a file (None: it is not there); what tells its content, where that is asked for."""


class Store(NamedTuple):
    """Where the facts of one manifest, read for some ``needs``, are kept."""

    project: Path
    manifest: Path
    needs: Needs | None
    environ: Mapping[str, str]

    def recall(self, written: Written) -> Outcome[Facts] | None:
        """What was kept, where it still holds; ``written`` is filled as if the manifest were read."""
        path = self._path()
        kept = read_packed(path, FORM) if path is not None else None
        if kept is None:
            return None
        token, about, beside, hashes, paths, lists, sql, found = kept
        if not _same_manifest(self.manifest, about) or any(not _same(Path(f), s) for f, s in beside.items()):
            return None
        written.hashes.update(hashes)
        written.paths.update(paths)
        parts = {name: decoded(lists[name]) for name in LISTS}
        facts = Facts(decoded(lists["project"]), **parts, sql=dict(sql), origin=Origin(token))
        return Outcome(facts, tuple(map(diagnostic, found)))

    def keep(self, read: Outcome[Facts], written: Written, started: int) -> Outcome[Facts]:
        """Keep what was read since ``started``; answers it with the token by which it is known then."""
        path, facts = self._path(), read.value
        about = _manifest_state(self.manifest)
        if path is None or facts is None or about is None:
            return read
        beside = {str(file): _state(file, started) for file in self._beside(facts)}
        if any(state[0] is not None and max(state[0][1:3]) >= started for state in (about, *beside.values())):
            return read  # changed meanwhile
        stamp, told = about
        if stamp is not None and max(stamp[1:3]) >= started - FRESH_NS:
            about = ((stamp[0], -1, -1, -1), told)  # times that are not to be trusted
        token = os.urandom(12).hex()
        lists = {name: encoded(getattr(facts, name)) for name in LISTS} | {"project": encoded(facts.project)}
        kept = (token, about, beside, written.hashes, list(written.paths), lists, facts.sql)
        write_packed(path, FORM, (*kept, tuple(map(plain, read.diagnostics))))
        return Outcome(msgspec.structs.replace(facts, origin=Origin(token)), read.diagnostics)

    def _beside(self, facts: Facts) -> Iterable[Path]:
        """The other files that the facts of a manifest come from."""
        yield self.project / "dbt_project.yml"
        yield from (self.manifest.parent / name for name in _ARTIFACTS)
        yield from (self.project / seed["path"] for seed in facts.seeds)
        for package in facts.project["packages"]:
            yield self.project / "dbt_packages" / package["name"] / "dbt_project.yml"

    def _path(self) -> Path | None:
        folder = cache_folder(self.environ)
        if folder is None:
            return None
        needs = None if self.needs is None else sorted(self.needs)
        files = (str(self.project), str(self.project.resolve()), str(self.manifest), str(self.manifest.resolve()))
        return folder / "facts" / f"{name_of(*files, repr(needs), program())}.manifest"


def _state(file: Path, started: int) -> _State:
    try:
        stamp = stamp_of(os.stat(file))
        return stamp, content_digest(file.read_bytes()) if max(stamp[1:3]) >= started - FRESH_NS else b""
    except OSError:
        return None, b""


def _same(file: Path, state: _State) -> bool:
    stamp, content = state
    try:
        if stamp_of(os.stat(file)) != stamp:
            return False
        return not content or content_digest(file.read_bytes()) == content
    except OSError:
        return stamp is None


def _manifest_state(file: Path) -> _State | None:
    try:
        return stamp_of(os.stat(file)), _told(file)
    except OSError:
        return None


def _same_manifest(file: Path, about: Any) -> bool:
    stamp, told = about
    try:
        now = stamp_of(os.stat(file))
        return bool(now == stamp) or (now[0] == stamp[0] and _told(file) == told)
    except OSError:
        return False


def _told(file: Path) -> bytes:
    with open(file, "rb") as opened:
        data = opened.read()
    return digest_of(data[:_HEAD]).digest() + zlib.crc32(data).to_bytes(4, "big")
