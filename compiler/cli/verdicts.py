"""What a check found last time, for as long as everything that it could see is the same.

A verdict is kept under the document's path, this program with its libraries, the options, the day and the environment,
together with the state of its inputs: every file below the product's folder, every document of the chain, every policy
file, dbt's profiles. It counts only where each of them is unchanged: by size and times, and where the times are too
fresh to be trusted, or differ, by content (where that was kept: not of large files, or many, that were not fresh).
Inputs that cannot be told (a link to a folder) are never kept.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator

from compiler.quota import More
from policy_lang import kept_diagnostics as kept
from policy_lang.codegen import cache
from policy_lang.diagnostics import Diagnostic
from policy_lang.digests import digest_of
from policy_lang.records import NamedTuple

_ROOMS = ("compiler", "policy_lang", "stdlib_policies", "grammar")
_ARTIFACTS = ("manifest.json", "catalog.json", "run_results.json", "sources.json", "semantic_manifest.json")
_HISTORY = frozenset({".git", ".hg", ".svn"})
_TOPS = frozenset({"dbt_project.yml", "floe.yaml"})
_TOOLS = frozenset({".floe", "__pycache__", ".venv", "venv", "node_modules", "logs"})
"""What tools put beside one of ``_TOPS``. Elsewhere a folder of such a name holds what an author put there."""
# A file that was changed within this time before it was read may have been changed again without a trace.
_FRESH_NS = 2_000_000_000
_SMALL_BYTES = 1 << 20
_FEW = 64
# What differs from shell to shell and that nothing here reads.
_VOLATILE = frozenset({"_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "TERM", "WINDOWID", "SSH_CONNECTION"})

Stamp = tuple[int, int, int, int]
"""Size, times of change of content and of the entry (nanoseconds), inode."""


class Verdict(NamedTuple):
    """The findings, the lines that tell what was checked, and how many findings there are beside these."""

    diagnostics: tuple[Diagnostic, ...]
    lines: tuple[str, ...]
    more: tuple[More, ...] = ()


class Inputs(NamedTuple):
    """All files that a check of ``roots`` (folders) and ``files`` (which need not exist) can see."""

    roots: tuple[str, ...]
    files: tuple[str, ...]

    def stamps(self) -> dict[str, Stamp | None] | None:
        """The state of each file, None for one that is not there; None altogether where it cannot be told."""
        found: dict[str, Stamp | None] = {}
        try:
            for file in self.files:
                found[file] = _stamp(file)
            for root in self.roots:
                for entry in _below(root):
                    found[entry.path] = _of(entry.stat())
        except (OSError, _UnclearError):
            return None
        return found


class _UnclearError(Exception):
    """A link to a folder: what is behind it is not looked through."""


def key_of(document: str, *options: object) -> str:
    """The name under which the verdict on ``document`` is kept."""
    environment = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k not in _VOLATILE]
    program = (*cache.program(*_ROOMS), *cache.installed())
    return cache.key_of("verdict", os.getcwd(), document, repr(options), *program, *environment)


def recall(key: str) -> Verdict | None:
    """The verdict that is kept under ``key``, where all that it was about is unchanged."""
    found = cache.read(key)
    if found is None:
        return None
    try:
        inputs, started, stamps, contents, diagnostics, lines, more = found
        now = Inputs(*inputs).stamps()
        if now is None or now.keys() != stamps.keys():
            return None
        unsure = [file for file, stamp in now.items() if stamp != stamps[file] or _is_fresh(stamps[file], started)]
        if not all(file in contents for file in unsure):
            return None
        verdict = Verdict(tuple(map(kept.diagnostic, diagnostics)), tuple(lines), tuple(More(*one) for one in more))
    except (TypeError, ValueError):
        return None
    if not unsure:
        return verdict
    began = time.time_ns()
    if any(content(file) != contents[file] for file in unsure):
        return None
    cache.write(key, (inputs, began, now, contents, diagnostics, lines, more))
    return verdict


def known(key: str) -> bool:
    """Whether there is a verdict under ``key``, even one that holds no more."""
    return cache.holds(key)


def keep(key: str, inputs: Inputs, started: int, verdict: Verdict, *, contents: bool = True) -> None:
    """Keep a verdict whose making began at ``started`` (``time.time_ns``); inputs that changed meanwhile prevent it.

    Contents are kept of small files where there are few, and of those whose times cannot be trusted yet: to read large
    files, or many, once more takes longer than it is worth where their times say enough. Without ``contents``, none of
    which is read then, the verdict counts only where all times are the same and can be trusted.
    """
    stamps = inputs.stamps()
    if stamps is None or changed_since(stamps, started):
        return
    few = len(stamps) <= _FEW
    known = {f: content(f) for f, s in stamps.items() if contents and ((few and _small(s)) or _is_fresh(s, started))}
    about = (inputs.roots, inputs.files)
    found, more = tuple(map(kept.plain, verdict.diagnostics)), tuple(map(tuple, verdict.more))
    cache.write(key, (about, started, stamps, known, found, verdict.lines, more))


def _small(stamp: Stamp | None) -> bool:
    return stamp is None or stamp[0] <= _SMALL_BYTES


def changed_since(stamps: dict[str, Stamp | None], started: int) -> bool:
    """Whether a file was changed after ``started``."""
    return any(s is not None and max(s[1:3]) >= started for s in stamps.values())


def fresh(stamps: dict[str, Stamp | None], started: int) -> bool:
    """Whether the times of a file are too fresh at ``started`` to be trusted."""
    return any(_is_fresh(stamp, started) for stamp in stamps.values())


def _is_fresh(stamp: Stamp | None, started: int) -> bool:
    return stamp is not None and max(stamp[1:3]) > started - _FRESH_NS


def of_tools(path: str) -> bool:
    """Whether a path from a project's folder leads to where tools put things: what is there is not looked at."""
    first, inside, _ = path.partition("/")
    return bool(inside) and (first == "target" or first in _TOOLS)


def _below(folder: str) -> Iterator[os.DirEntry[str]]:
    entries = list(os.scandir(folder))
    names = {entry.name for entry in entries}
    skipped = _HISTORY if names.isdisjoint(_TOPS) else _HISTORY | _TOOLS
    for entry in entries:
        if entry.name in skipped:
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name == "target" and "dbt_project.yml" in names:
                yield from (e for e in os.scandir(entry.path) if e.name in _ARTIFACTS)
            else:
                yield from _below(entry.path)
        elif entry.is_symlink() and entry.is_dir():
            raise _UnclearError
        elif entry.is_file():  # a pipe or a socket is nothing that a check reads
            yield entry


def _stamp(file: str) -> Stamp | None:
    try:
        return _of(os.stat(file))
    except FileNotFoundError:
        return None


def _of(status: os.stat_result) -> Stamp:
    if stat.S_ISDIR(status.st_mode):  # an input that has become a folder
        return (-1, -1, -1, -1)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def content(file: str) -> bytes:
    """A digest of what is in a file, or the kind of error that its reading ends in."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(_SMALL_BYTES)
            if len(head) < _SMALL_BYTES:
                return digest_of(head).digest()
            import hashlib

            opened.seek(0)
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError as error:
        return type(error).__name__.encode()
