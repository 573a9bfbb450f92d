"""What a check found last time, for as long as everything that it could see is the same.

A verdict is kept under the document's path, this program with its libraries, the options, the day and the environment,
together with the state of its inputs: every file below the product's folder, every document of the chain, every policy
file, dbt's profiles. It counts only where each of them is unchanged: by size and times, and where the times are too
fresh to be trusted, or differ, by content (where that was kept: not of large files, or many, that were not fresh).
Where dbt's manifest was read, the same files have to be newer than it. Inputs that cannot be told (a link to a folder)
are never kept; what they are is told by ``verdict_inputs``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping

from compiler.file_states import FOLDER, NO_FILE, Stamp, content, contents, is_fresh, now, stamp, stamp_of
from compiler.policies.quota import More
from policy_lang import kept_diagnostics
from policy_lang.codegen import cache
from policy_lang.diagnostics import Diagnostic
from policy_lang.records import NamedTuple

_ROOMS = ("compiler", "policy_lang", "stdlib_policies", "grammar")
ARTIFACTS = ("manifest.json", "catalog.json", "run_results.json", "sources.json", "semantic_manifest.json")
_HISTORY = frozenset({".git", ".hg", ".svn"})
_TOOLS = frozenset({".floe", "__pycache__", ".venv", "venv", "node_modules", "logs"})
"""What tools put at the top of a product or a project. Elsewhere a folder of such a name holds what an author put
there."""
_SMALL_BYTES = 1 << 20
_FEW = 64
# What differs from shell to shell and that nothing here reads.
_VOLATILE = frozenset({"_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "TERM", "WINDOWID", "SSH_CONNECTION"})

Stamps = dict[str, Stamp | None]


class Verdict(NamedTuple):
    """The findings, the lines that tell what was checked, and how many findings there are beside these."""

    diagnostics: tuple[Diagnostic, ...]
    lines: tuple[str, ...]
    more: tuple[More, ...] = ()


class Inputs(NamedTuple):
    """All files that a check can see.

    ``roots`` are the folders that are looked through; ``tops`` those, of products and their dbt projects, in which
    tools put things. ``files`` need not exist. ``manifest`` is dbt's, among them, where it was read: which files are
    newer than it makes a difference.
    """

    roots: tuple[str, ...] = ()
    tops: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    manifest: str = ""

    def stamps(self) -> Stamps | None:
        """The state of each file and folder, None for one that is not there; None altogether where it cannot be
        told."""
        found: Stamps = {}
        try:
            for file in self.files:
                found[file] = stamp(file)
            for root in self.roots:
                found.update(_below(root, self.tops))
        except (OSError, _UnclearError):
            return None
        return found

    def newer(self, stamps: Stamps) -> frozenset[str]:
        """The files that were written after dbt's manifest."""
        manifest = stamps.get(self.manifest)
        if manifest is None:
            return frozenset()
        return frozenset(file for file, state in stamps.items() if state is not None and state[1] > manifest[1])


class _UnclearError(Exception):
    """A link to a folder: what is behind it is not looked through."""


def key_of(document: str, *options: object) -> str:
    """The name under which the verdict on ``document`` is kept."""
    environment = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k not in _VOLATILE]
    program = (*cache.program(*_ROOMS), *cache.installed())
    return cache.key_of("verdict", os.getcwd(), document, repr(options), *program, *environment)


def recall(key: str) -> Verdict | None:
    """The verdict that is kept under ``key``, where all that it was about is unchanged."""
    kept = cache.read(key)
    if kept is None:
        return None
    try:
        about, started, stamps, contained, diagnostics, lines, more = kept
        inputs = Inputs(*about)
        states = inputs.stamps()
        if states is None or states.keys() != stamps.keys():
            return None
        unsure = [file for file, state in states.items() if state != stamps[file] or is_fresh(stamps[file], started)]
        if not all(file in contained for file in unsure):
            return None
        verdict = Verdict(
            tuple(map(kept_diagnostics.diagnostic, diagnostics)), tuple(lines), tuple(More(*one) for one in more)
        )
    except (TypeError, ValueError):
        return None
    if not unsure:
        return verdict
    began = now()
    if any(content(file) != contained[file] for file in unsure) or inputs.newer(states) != inputs.newer(stamps):
        return None
    cache.write(key, (about, began, states, contained, diagnostics, lines, more))
    return verdict


def known(key: str) -> bool:
    """Whether there is a verdict under ``key``, even one that holds no more."""
    return cache.holds(key)


def manifest_changed(key: str, inputs: Inputs, stamps: Stamps) -> bool:
    """Whether there is a verdict under ``key``, and dbt's manifest is another one since."""
    found = cache.read(key) if inputs.manifest else None
    return found is not None and found[2].get(inputs.manifest) != stamps[inputs.manifest]


def keep(
    key: str,
    inputs: Inputs,
    stamps: Stamps,
    started: int,
    verdict: Verdict,
    read: Mapping[str, bytes] | None = None,
) -> None:
    """Keep a verdict whose making began at ``started`` (``file_states.now``); ``stamps`` are those of its inputs, none
    of which changed since.

    Contents (``file_states.content``) are kept of the files that were ``read``, of the other small ones where these are
    few, and of those whose times cannot be trusted yet: to read large files, or many, once more takes longer than it is
    worth where their times say enough. Where ``read`` is None no content is asked for, and the verdict counts only
    where all times are the same and can be trusted.
    """
    wanted = [] if read is None else list(_doubtful(stamps, started, read))
    contained = contents(wanted, stamps)
    if contained is None:
        return
    contained.update((file, digest) for file, digest in (read or {}).items() if file in stamps)
    found, more = tuple(map(kept_diagnostics.plain, verdict.diagnostics)), tuple(map(tuple, verdict.more))
    cache.write(key, (tuple(inputs), started, stamps, contained, found, verdict.lines, more))


def _doubtful(stamps: Stamps, started: int, read: Collection[str]) -> Iterator[str]:
    """The files whose content is asked for beside those that were ``read``."""
    others = [file for file, state in stamps.items() if state not in (FOLDER, NO_FILE) and file not in read]
    few = len(others) <= _FEW
    for file in others:
        state = stamps[file]
        if is_fresh(state, started) or (few and (state is None or state[0] <= _SMALL_BYTES)):
            yield file


def of_tools(path: str) -> bool:
    """Whether a path from a project's folder leads to where tools put things: what is there is not looked at."""
    first, inside, _ = path.partition("/")
    return bool(inside) and (first == "target" or first in _TOOLS)


def _below(folder: str, tops: Collection[str]) -> Iterator[tuple[str, Stamp]]:
    """Whatever there is below a folder, with its state."""
    entries = list(os.scandir(folder))
    top = folder in tops
    project = top and any(entry.name == "dbt_project.yml" for entry in entries)
    for entry in entries:
        if entry.name in _HISTORY or (top and entry.name in _TOOLS):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.name == "target" and project:
                yield from ((e.path, stamp_of(e.stat())) for e in os.scandir(entry.path) if e.name in ARTIFACTS)
            else:
                yield entry.path, FOLDER
                yield from _below(entry.path, tops)
        elif entry.is_symlink() and entry.is_dir():
            raise _UnclearError
        else:
            yield entry.path, stamp_of(entry.stat()) if entry.is_file() else NO_FILE
