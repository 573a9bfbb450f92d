"""References to parents in registries, where they are looked up, and the lock that pins what was found.

A store is anything that answers tags and manifests: an OCI layout on disk now, a registry behind the same protocol.
Codes: FLC406 no tag fits, FLC407 a signature that does not verify, FLC410 a lock that cannot be read,
FLC411 a lock that the store contradicts, FLC412 a tag that moves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from compiler.atomic import write_atomically
from compiler.tiers.versions import best_match, is_range, parse_version
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple
from policy_lang.source import Span, whole_file

LOCK_NAME = "floe.lock"
_LOCK_VERSION = 1
_OCI = Pattern(r"oci://(?P<repository>[^@]+?)(:(?P<tag>[^/:@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?\Z")


class Reference(NamedTuple):
    """``oci://host/repository:tag@digest``; ``tag`` may be a version range."""

    text: str
    repository: str
    tag: str | None
    digest: str | None


class Stored(NamedTuple):
    """A manifest's text as a store holds it; ``file`` names it in messages.

    ``parents`` are the texts of its ancestors, the nearest first, where they were published with it.
    """

    file: str
    text: str
    digest: str
    parents: tuple[str, ...] = ()


class Locked(NamedTuple):
    """What a reference was found to be."""

    tag: str | None
    digest: str


class ManifestStore(Protocol):
    """Where published manifests are found."""

    def tags(self, repository: str) -> Mapping[str, str] | None:
        """Tag → digest of the artifact; None where the store does not have the repository."""

    def manifest(self, repository: str, digest: str, keys: Sequence[bytes]) -> Outcome[Stored]:
        """An artifact's manifest.yaml. Its digests are right; where ``keys`` (PEM) are given, one of them signed it."""

    def manifest_in(self, folder: Path, keys: Sequence[bytes]) -> Outcome[Stored]:
        """The same, of the one artifact in the OCI layout ``folder``."""


def parse_reference(text: str) -> Reference | None:
    """None where ``text`` is a path."""
    found = _OCI.match(text)
    if found is None:
        return None
    # A range such as `>=1.2.0, <2.0.0` has no `/` or `:`, so the last colon after the last slash begins it.
    return Reference(text, found["repository"], found["tag"], found["digest"])


def choose(
    reference: Reference, store: ManifestStore, lock: Mapping[str, Locked], span: Span
) -> Outcome[Locked | None]:
    """The tag and digest of ``reference``. None without diagnostics: the store does not have the repository."""
    tags = store.tags(reference.repository)
    if tags is None:
        return Outcome(None)
    known = set(tags.values())
    if reference.digest is not None:
        if reference.digest not in known:
            return _none(reference, f"no artifact has the digest {reference.digest[:19]}…", tags, span)
        return Outcome(Locked(reference.tag, reference.digest))
    pinned = lock.get(reference.text)
    tag = reference.tag or ""
    if pinned is not None:
        if not _fits(tag, pinned.tag):
            text = f"`{LOCK_NAME}` says `{pinned.tag}` for `{reference.text}`, which it does not fit"
            return Outcome(None, (Diagnostic("FLC411", text, span, hint="lock anew with `floec lock --update`"),))
        if pinned.digest in known:
            same = pinned.tag is None or tags.get(pinned.tag) == pinned.digest
            now = "another artifact" if pinned.tag in tags else "gone"
            moved = f"the tag `{pinned.tag}` was {pinned.digest[:19]}… when it was locked, and is now {now}"
            hint = "published versions never change: find out who pushed it"
            return Outcome(pinned, () if same else (Diagnostic("FLC411", moved, span, hint=hint),))
        text = f"`{LOCK_NAME}` says {pinned.digest[:19]}… for `{reference.text}`, which is not there"
        hint = "fetch it again, or lock anew with `floec lock --update`"
        return Outcome(None, (Diagnostic("FLC411", text, span, hint=hint),))
    if is_range(tag):
        best = best_match(tag, tags)
        if best is None:
            return _none(reference, f"no version fits `{tag}`", tags, span)
        return Outcome(Locked(best, tags[best]))
    exact = next((t for t in (tag, f"v{tag}", tag.removeprefix("v")) if t in tags), None)
    if exact is None:
        return _none(reference, f"there is no `{tag}`", tags, span)
    if parse_version(tag) is not None:
        return Outcome(Locked(exact, tags[exact]))
    text, hint = f"the tag `{tag}` may move: what is built today may differ tomorrow", "name a version, or lock it"
    return Outcome(Locked(exact, tags[exact]), (Diagnostic("FLC412", text, span, Severity.WARN, hint=hint),))


def _fits(wanted: str, locked: str | None) -> bool:
    """Whether a locked tag is one that the reference allows."""
    if locked is None:
        return True
    if is_range(wanted):
        return best_match(wanted, (locked,)) is not None
    return locked.removeprefix("v") == wanted.removeprefix("v")


def _none(reference: Reference, what: str, tags: Mapping[str, str], span: Span) -> Outcome[Locked | None]:
    there = ", ".join(sorted(tags)) or "nothing"
    return Outcome(None, (Diagnostic("FLC406", f"`{reference.repository}`: {what}", span, hint=f"there is: {there}"),))


def read_lock(path: Path) -> Outcome[dict[str, Locked]]:
    """The lock at ``path``; empty where there is no file. FLC410 where it is not a lock."""
    if not os.path.lexists(path):
        return Outcome({})
    import json

    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Outcome({})
    except (OSError, ValueError, RecursionError) as error:
        return Outcome(None, (_broken(path, str(error)),))
    references = value.get("references") if isinstance(value, dict) else None
    if not isinstance(references, dict) or value.get("lock_version") != _LOCK_VERSION:
        return Outcome(None, (_broken(path, f"it is not a lock of version {_LOCK_VERSION}"),))
    locked = {}
    for text, entry in references.items():
        digest = entry.get("digest") if isinstance(entry, dict) else None
        tag = entry.get("tag") if isinstance(entry, dict) else None
        if (
            not isinstance(digest, str)
            or not re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
            or not isinstance(tag, str | None)
        ):
            return Outcome(None, (_broken(path, f"`{text}` has no digest"),))
        locked[text] = Locked(tag, digest)
    return Outcome(locked)


def _broken(path: Path, why: str) -> Diagnostic:
    return Diagnostic("FLC410", f"cannot read the lock: {why}", whole_file(str(path)), hint="delete it and lock anew")


def lock_text(locked: Mapping[str, Locked]) -> str:
    """A lock's content: the same references give the same text."""
    import json

    references = {text: {"digest": one.digest, "tag": one.tag} for text, one in locked.items()}
    return json.dumps({"lock_version": _LOCK_VERSION, "references": references}, indent=2, sort_keys=True) + "\n"


def write_lock(path: Path, locked: Mapping[str, Locked]) -> None:
    """Write the lock as a whole. Raises OSError."""
    write_atomically(path, lock_text(locked))
