"""The facts of a manifest as they were decoded last time, for as long as all that they came from is the same.

A hook lays a few files over the manifest that the last ``dbt parse`` wrote, again and again. The manifest counts as the
same where its times are, or else its content; other files by times, and by content where these are too fresh to be
trusted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from compiler.facts.kept.file_cache import cache_folder
from compiler.facts.kept.files import program
from compiler.facts.kept.packing import decoded, encoded, read_parts, write_parts
from compiler.facts.manifest.plan import Written
from compiler.file_states import Stamp, changed_since, checksum, content, contents, is_fresh, stamp
from compiler.ir.facts_model import LISTS, Facts, Origin
from compiler.ir.needs import Needs
from policy_lang.diagnostics import Outcome
from policy_lang.digests import name_of
from policy_lang.kept_diagnostics import diagnostic, plain
from policy_lang.records import NamedTuple

FORM = b"floec-manifest-5\n"
_PARTS = ("project", *LISTS, "sql")
_ARTIFACTS = ("catalog.json", "run_results.json", "sources.json", "semantic_manifest.json")


class Store(NamedTuple):
    """Where the facts of one manifest, read for some ``needs``, are kept."""

    project: Path
    manifest: Path
    needs: Needs | None
    environ: Mapping[str, str]

    def recall(self, written: Written) -> Outcome[Facts] | None:
        """What was kept, where it still holds; ``written`` is filled as if the manifest were read."""
        path = self._path()
        parts = read_parts(path, FORM, b"", range(1 + len(_PARTS))) if path is not None else None
        if parts is None:
            return None
        token, started, stamps, digests, hashes, paths, found = decoded(parts[0])
        if any(not self._same(file, then, digests.get(file, b""), started) for file, then in stamps.items()):
            return None
        lists = {name: decoded(parts[number]) for number, name in enumerate(_PARTS, 1)}
        written.hashes.update(hashes)
        written.paths.update(paths)
        facts = Facts(**lists, origin=Origin(token))
        return Outcome(facts, tuple(map(diagnostic, found)))

    def keep(self, read: Outcome[Facts], written: Written, started: int) -> Outcome[Facts]:
        """Keep what was read since ``started``; answers it with the token by which it is known then."""
        path, facts = self._path(), read.value
        if path is None or facts is None:
            return read
        manifest, *others = map(str, (self.manifest, *self._beside(facts)))
        stamps = {file: stamp(file) for file in (manifest, *others)}
        told = checksum(manifest)
        digests = contents((file for file in others if is_fresh(stamps[file], started)), stamps)
        if not told or stamp(manifest) != stamps[manifest]:
            return read
        if digests is None or changed_since(stamps.values(), started):
            return read
        digests[manifest] = told
        token = os.urandom(12).hex()
        found = tuple(map(plain, read.diagnostics))
        head = encoded((token, started, stamps, digests, written.hashes, list(written.paths), found))
        write_parts(path, FORM, b"", (head, *(encoded(getattr(facts, name)) for name in _PARTS)))
        return Outcome(msgspec.structs.replace(facts, origin=Origin(token)), read.diagnostics)

    def named(self, read: Outcome[Facts], started: int) -> Outcome[Facts]:
        """What was read since ``started``, with a base that is the same as long as all that it came from is, by its
        times; as it was where these say nothing yet."""
        facts = read.value
        if facts is None:
            return read
        stamps = {str(file): stamp(str(file)) for file in (self.manifest, *self._beside(facts))}
        if any(is_fresh(one, started) for one in stamps.values()):
            return read
        needs = None if self.needs is None else sorted(self.needs)
        base = name_of(repr((stamps, needs)), program())
        return Outcome(msgspec.structs.replace(facts, origin=Origin(base)), read.diagnostics)

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

    def _same(self, file: str, then: Stamp | None, digest: bytes, started: int) -> bool:
        """Whether a file is as it was; ``digest`` tells its content, empty where nobody asked for it."""
        found = stamp(file)
        if found == then and not is_fresh(then, started):
            return True
        tell = checksum if file == str(self.manifest) else content
        return found is not None and bool(digest) and tell(file) == digest
