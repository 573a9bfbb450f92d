"""What git says has changed, and which findings have to do with it: on a changed node, or on one that depends on it.

The whole project is judged all the same, since a change can break what did not change; only the report is narrowed.
Code: FLC895 git cannot tell.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

if TYPE_CHECKING:
    from compiler.pipeline import State

_SECTIONS = ("models", "seeds", "snapshots", "sources", "exposures", "metrics", "semantic_models", "saved_queries")


def changed_files(folder: Path, since: str) -> Outcome[frozenset[Path]]:
    """The files below the repository of ``folder`` that differ from the commit ``since``, new ones included."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.value is None:
        return Outcome(None, top.diagnostics)
    root = Path(top.value[0])
    commit = _git(root, "rev-parse", "--verify", "--end-of-options", f"{since}^{{commit}}")
    if commit.value is None:
        return Outcome(None, commit.diagnostics)
    found: set[Path] = set()
    for argv in (
        ("diff", "--name-only", "-z", commit.value[0], "--"),
        ("ls-files", "--others", "--exclude-standard", "-z"),
    ):
        listed = _git(root, *argv)
        if listed.value is None:
            return Outcome(None, listed.diagnostics)
        found.update((root / name).resolve() for name in listed.value)
    return Outcome(frozenset(found))


def about_changes(state: State, diagnostics: Sequence[Diagnostic], changed: frozenset[Path]) -> tuple[Diagnostic, ...]:
    """The findings that have to do with ``changed``; all of them where a document or a policy has changed."""
    documents = [d.file for d in state.chain.manifests] if state.chain is not None else []
    documents += [state.chain.product.file] if state.chain is not None and state.chain.product is not None else []
    if state.ir is None or any(Path(f).resolve() in changed for f in (*documents, *(s.file for s in state.sources))):
        return tuple(diagnostics)
    nodes = _touched(state.ir, state.project or state.folder, changed)
    return tuple(d for d in diagnostics if _is_about(d, state.ir, nodes, changed))


def _touched(ir: dict[str, Any], project: Path, changed: frozenset[Path]) -> frozenset[str]:
    """The ``unique_id`` of each node that a changed file says something about, and of all that depend on one."""
    entries = {e["unique_id"]: e for section in _SECTIONS for e in ir[section]}
    pending = [
        id_
        for id_, entry in entries.items()
        if any((project / entry[field]).resolve() in changed for field in ("path", "patch_path") if entry.get(field))
    ]
    found: set[str] = set()
    users: dict[str, list[str]] = {}
    for id_, entry in entries.items():
        for above in entry.get("depends_on", ()):
            users.setdefault(above, []).append(id_)
    while pending:
        id_ = pending.pop()
        if id_ not in found:
            found.add(id_)
            pending += users.get(id_, ())
    return frozenset(found)


def _is_about(diagnostic: Diagnostic, ir: dict[str, Any], nodes: frozenset[str], changed: frozenset[Path]) -> bool:
    spans = [diagnostic.span, *(label.span for label in diagnostic.related)]
    if any(span is not None and Path(span.file).resolve() in changed for span in spans):
        return True
    entry = _entry(diagnostic.path, ir)
    return entry is not None and bool({entry.get("unique_id"), entry.get("attached_to"), entry.get("model")} & nodes)


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
        done = subprocess.run(["git", "-C", str(where), *argv], capture_output=True, text=True, check=False)
    except OSError as error:
        text = f"git cannot be run: {error.strerror}"
        return Outcome(None, (Diagnostic("FLC895", text, whole_file(str(folder)), hint="install git"),))
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0].removeprefix("fatal: ")
        hint = "name a commit that there is, inside a git repository"
        return Outcome(None, (Diagnostic("FLC895", f"git cannot tell: {reason}", whole_file(str(folder)), hint=hint),))
    return Outcome([name for name in done.stdout.replace("\0", "\n").split("\n") if name])
