"""Which findings have to do with what changed: on a changed node, or on one that depends on it.

The whole project is judged all the same, since a change can break what did not change; only the report is narrowed.
It is narrowed before findings get their places, which means reading the files that they are in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compiler.facts.entries import names_in
from policy_lang.diagnostics import Diagnostic
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.pipeline import Narrowed, State

STALE = "FLC116"
_OF_ALL = ("dbt_project.yml", "packages.yml", "dependencies.yml", "profiles.yml", ".dbtignore")
"""Files of a project that say something about all of it."""
_SECTIONS = ("models", "seeds", "snapshots", "sources", "exposures", "metrics", "semantic_models", "saved_queries")


class Scope(NamedTuple):
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
        return bool(self.nodes & near) or self.files.describe(entry, str(path[0]))

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


def scope(state: State) -> Narrowed:
    """What has to do with the files that changed (``state.changed``)."""
    assert state.ir is not None
    project = state.project or state.folder
    files = _Files(state.changed or frozenset(), str(project), str(state.folder))
    documents = [d.file for d in state.chain.manifests] if state.chain is not None else []
    documents += [state.chain.product.file] if state.chain is not None and state.chain.product is not None else []
    documents += [str(project / name) for name in _OF_ALL]
    whole = any(map(files.has, (*documents, *(s.file for s in state.sources))))
    return Scope(state.ir, files, None if whole else _touched(state.ir, files))


class _Files:
    """Whether a file is one of those that changed, links followed; asked of thousands, so folders are kept."""

    def __init__(self, changed: frozenset[str], project: str, product: str) -> None:
        self._changed = changed
        self._project = project
        self._product = product
        self._folders: dict[str, tuple[str, frozenset[str]]] = {}
        """Folder → its real path, and the names in it that are links."""
        self.stems = frozenset(os.path.splitext(os.path.basename(file))[0] for file in changed)
        self.properties = any(file.endswith((".yml", ".yaml")) and self._inside(file) for file in changed)

    def _inside(self, file: str) -> bool:
        return file.startswith(os.path.realpath(self._project) + os.sep)

    def has(self, file: str) -> bool:
        folder, _, name = file.rpartition("/")
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = _links_in(folder)
        real, links = found
        path = f"{real}/{name}"
        return path in self._changed or (name in links and os.path.realpath(path) in self._changed)

    def describe(self, entry: Mapping[str, Any], section: str = "") -> bool:
        """Whether a changed file says something about an entry of the IR."""
        folder = self._product if section == "contracts" else self._project
        return any(self.has(f"{folder}/{path}") for path in (entry.get("path"), entry.get("patch_path")) if path)

    def mention(self, names: frozenset[str]) -> Callable[[Mapping[str, Any]], bool]:
        """What says of an entry with a path whether the text of its file has one of the ``names``."""
        wanted = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b") if names else None

        def mentions(entry: Mapping[str, Any]) -> bool:
            if wanted is None or not entry.get("path"):
                return False
            try:
                with open(f"{self._project}/{entry['path']}", encoding="utf-8", errors="replace") as file:
                    return wanted.search(file.read()) is not None
            except OSError:
                return False

        return mentions


def _links_in(folder: str) -> tuple[str, frozenset[str]]:
    real = os.path.realpath(folder or ".")
    try:
        return real, frozenset(entry.name for entry in os.scandir(real) if entry.is_symlink())
    except OSError:  # a folder that is gone has no links
        return real, frozenset()


def _touched(ir: dict[str, Any], files: _Files) -> frozenset[str]:
    """The ``unique_id`` of each node that a changed file says something about, and of all that depend on one."""
    pending: list[str] = []
    users: dict[str, list[str]] = {}
    known = {entry["unique_id"] for section in _SECTIONS for entry in ir[section]}
    calls = files.mention(_changed_macros(ir, files))
    for section in _SECTIONS:
        for entry in ir[section]:
            changed = files.describe(entry) or _lost(entry, known, files)
            if changed or (section in ("models", "snapshots") and calls(entry)):
                pending.append(entry["unique_id"])
            for above in (*entry.get("depends_on", ()), entry.get("model")):
                if above is not None:
                    users.setdefault(above, []).append(entry["unique_id"])
    found: set[str] = set()
    while pending:
        id_ = pending.pop()
        if id_ not in found:
            found.add(id_)
            pending += users.get(id_, ())
    return frozenset(found)


def _changed_macros(ir: dict[str, Any], files: _Files) -> frozenset[str]:
    """The names of the macros that changed, and of those that call one."""
    found = {macro["name"] for macro in ir["macros"] if files.describe(macro)}
    calls = files.mention(frozenset(found))
    while more := {macro["name"] for macro in ir["macros"] if macro["name"] not in found and calls(macro)}:
        found |= more
        calls = files.mention(frozenset(found))
    return frozenset(name.removeprefix("default__") for name in found)


def _lost(entry: Mapping[str, Any], known: Collection[str], files: _Files) -> bool:
    """Whether an entry uses something that is no more: its file is gone, or properties took it out."""
    own = f".{entry.get('package')}."
    gone = [id_ for id_ in entry.get("depends_on", ()) if id_ not in known and own in id_]
    lost = [name for id_ in gone for name in names_in(id_)]
    lost += [ref["name"] for ref in entry.get("refs", ()) if ref["unique_id"] is None]
    tables = [ref["table"] for ref in entry.get("source_refs", ()) if ref["unique_id"] is None]
    return (bool(lost or tables) and files.properties) or not files.stems.isdisjoint(lost)


def _entry(path: tuple[str | int, ...], ir: dict[str, Any]) -> dict[str, Any] | None:
    """The node, test or other entry of the IR that ``path`` leads into."""
    section = ir.get(str(path[0])) if len(path) > 1 else None
    if isinstance(section, list) and isinstance(path[1], int) and path[1] < len(section):
        found: dict[str, Any] = section[path[1]]
        return found
    return None
