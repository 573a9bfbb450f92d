"""What git says has changed, and which findings have to do with it: on a changed node, or on one that depends on it.

The whole project is judged all the same, since a change can break what did not change; only the report is narrowed.
It is narrowed before findings get their places, which means reading the files that they are in.
Code: FLC895 git cannot tell.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from compiler.pipeline import Narrowed, State

STALE = "FLC116"
_SECTIONS = ("models", "seeds", "snapshots", "sources", "exposures", "metrics", "semantic_models", "saved_queries")


def changed_files(folder: Path, since: str) -> Outcome[frozenset[str]]:
    """Real paths of what differs in the repository of ``folder`` from the commit ``since``, new files included."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.value is None:
        return Outcome(None, top.diagnostics)
    root = Path(top.value[0])
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
    if commit.value is None:
        return Outcome(None, commit.diagnostics)
    found: set[str] = set()
    for argv in (
        ("diff", "--name-only", "-z", commit.value[0], "--"),
        ("ls-files", "--others", "--exclude-standard", "-z"),
    ):
        listed = _git(root, *argv)
        if listed.value is None:
            return Outcome(None, listed.diagnostics)
        found.update(os.path.realpath(os.path.join(root, name)) for name in listed.value)
    return Outcome(frozenset(found))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is narrowed to: ``files`` (real paths) that changed, and the nodes that they concern.

    ``nodes`` holds the ``unique_id`` of each node that a changed file says something about, and of all that depend
    on one; None stands for everything: a document or a policy has changed.
    """

    ir: dict[str, Any]
    files: _Files
    nodes: frozenset[str] | None

    def about(self, path: tuple[str | int, ...]) -> bool:
        """False where a finding at this path into the IR has to do with nothing that changed."""
        entry = _entry(path, self.ir) if self.nodes is not None else None
        if entry is None or self.nodes is None:
            return True
        near: set[Any] = {entry.get("unique_id"), entry.get("attached_to"), entry.get("model")}
        return bool(self.nodes & near) or self.files.describe(entry)

    def narrowed(self, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        """The findings on what changed; one that is at no entry of the IR counts by the files that it names."""
        if self.nodes is None:
            return tuple(diagnostics)
        return tuple(d for d in diagnostics if self._holds(d))

    def _holds(self, diagnostic: Diagnostic) -> bool:
        if _entry(diagnostic.path, self.ir) is not None and self.about(diagnostic.path):
            return True
        if diagnostic.code == STALE:  # what changed is judged beside facts that are old
            return True
        spans = [diagnostic.span, *(label.span for label in diagnostic.related)]
        return any(span is not None and self.files.has(span.file) for span in spans)


def scope(state: State, changed: frozenset[str]) -> Narrowed:
    """What has to do with the files ``changed`` (real paths)."""
    assert state.ir is not None
    files = _Files(changed, str(state.project or state.folder))
    documents = [d.file for d in state.chain.manifests] if state.chain is not None else []
    documents += [state.chain.product.file] if state.chain is not None and state.chain.product is not None else []
    whole = any(map(files.has, (*documents, *(s.file for s in state.sources))))
    return Scope(state.ir, files, None if whole else _touched(state.ir, files))


class _Files:
    """Whether a file is one of those that changed, links followed; asked of thousands, so folders are kept."""

    def __init__(self, changed: frozenset[str], project: str) -> None:
        self._changed = changed
        self._project = project
        self._folders: dict[str, str] = {}

    def has(self, file: str) -> bool:
        folder, name = os.path.split(file)
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        path = os.path.join(real, name)
        return path in self._changed or (os.path.islink(path) and os.path.realpath(path) in self._changed)

    def describe(self, entry: Mapping[str, Any]) -> bool:
        """Whether a changed file says something about an entry of the IR."""
        paths = (entry.get("path"), entry.get("patch_path"))
        return any(self.has(f"{self._project}/{path}") for path in paths if path)


def _touched(ir: dict[str, Any], files: _Files) -> frozenset[str]:
    """The ``unique_id`` of each node that a changed file says something about, and of all that depend on one."""
    pending: list[str] = []
    users: dict[str, list[str]] = {}
    for section in _SECTIONS:
        for entry in ir[section]:
            if files.describe(entry):
                pending.append(entry["unique_id"])
            for above in entry.get("depends_on", ()):
                users.setdefault(above, []).append(entry["unique_id"])
    found: set[str] = set()
    while pending:
        id_ = pending.pop()
        if id_ not in found:
            found.add(id_)
            pending += users.get(id_, ())
    return frozenset(found)


def _entry(path: tuple[str | int, ...], ir: dict[str, Any]) -> dict[str, Any] | None:
    """The node, test or other entry of the IR that ``path`` leads into."""
    section = ir.get(str(path[0])) if len(path) > 1 else None
    if isinstance(section, list) and isinstance(path[1], int) and path[1] < len(section):
        found: dict[str, Any] = section[path[1]]
        return found
    return None


def _git(folder: Path, *argv: str) -> Outcome[list[str]]:
    """The names that a git command prints, by NUL or line."""
    where = folder if folder.is_dir() else folder.parent
    try:
        done = subprocess.run(
            ["git", "-C", str(where), *argv], capture_output=True, text=True, check=False, env=_environment()
        )
    except OSError as error:
        text = f"git cannot be run: {error.strerror}"
        return Outcome(None, (Diagnostic("FLC895", text, whole_file(str(folder)), hint="install git"),))
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0].removeprefix("fatal: ")
        hint = "name a commit that there is, inside a git repository"
        return Outcome(None, (Diagnostic("FLC895", f"git cannot tell: {reason}", whole_file(str(folder)), hint=hint),))
    return Outcome([name for name in done.stdout.replace("\0", "\n").split("\n") if name])


def _environment() -> dict[str, str]:
    """As given, but for what git sets for hooks such that it holds in one folder only.

    In a linked worktree that is ``GIT_DIR``, which makes any folder that git is run in the top; and the path of the
    index may be relative.
    """
    given = dict(os.environ)
    if "GIT_WORK_TREE" not in given:
        given.pop("GIT_DIR", None)
    if given.get("GIT_INDEX_FILE"):
        given["GIT_INDEX_FILE"] = os.path.abspath(given["GIT_INDEX_FILE"])
    return given
