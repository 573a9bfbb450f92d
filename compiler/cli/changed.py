"""Which findings have to do with what changed: on a changed node, or on one that depends on it.

The whole project is judged all the same, since a change can break what did not change; only the report is narrowed.
It is narrowed before findings get their places, which means reading the files that they are in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.changed_names import Before, Named, named
from compiler.cli.verdict_inputs import own_bundles, port_schemas
from compiler.cli.verdicts import ARTIFACTS
from compiler.facts.entries import names_in
from policy_lang.diagnostics import Diagnostic
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.pipeline import Narrowed, State

STALE = "FLC116"
_OF_ALL = ("dbt_project.yml", "packages.yml", "package-lock.yml", "dependencies.yml", "profiles.yml", ".dbtignore")
"""Files of a project that say something about all of it."""
_SHOWN = Pattern(r"""\bdoc\(\s*(?:['"]\w+['"]\s*,\s*)?['"](\w+)['"]""")
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


def scope(state: State, before: Before) -> Narrowed:
    """What has to do with the files that changed (``state.changed``); ``before`` tells what they were."""
    from compiler.facts.project.config import read_project

    assert state.ir is not None
    project = state.project or state.folder
    files = _Files(state.changed or frozenset(), str(project), str(state.folder))
    if any(map(files.has, _of_all(state, project))) or any(map(files.below, _folders_of_all(state))):
        return Scope(state.ir, files, None)
    read = read_project(project).value if (project / "dbt_project.yml").is_file() else None
    names = named(state.changed or (), read, before) if read is not None else Named()
    return Scope(state.ir, files, None if names.of_all else _touched(state.ir, files, names))


def _of_all(state: State, project: Path) -> Iterator[str]:
    """The files that say something of everything: documents and what they name, policies, what dbt reads first."""
    from compiler.tiers.references import LOCK_NAME

    chain = state.chain
    if chain is not None:
        yield from (d.file for d in chain.manifests)
        yield str(state.folder / LOCK_NAME)
        if chain.product is not None:
            yield chain.product.file
            yield from (str(state.folder / ref) for ref in port_schemas(chain.product.data))
    yield from (s.file for s in state.sources)
    yield from (str(project / name) for name in _OF_ALL)
    manifest = state.job.manifest or project / "target" / "manifest.json"
    yield from (str(manifest.parent / name) for name in ARTIFACTS)


def _folders_of_all(state: State) -> Iterator[str]:
    """The folders of policies, and those of parents that are layouts."""
    manifests = state.chain.manifests if state.chain is not None else ()
    for document in manifests:
        folder = os.path.dirname(document.file)
        if not os.path.isfile(document.file):
            yield folder
        yield from (os.path.join(folder, use) for use in own_bundles(document.data))


class _Files:
    """Whether a file is one of those that changed, links followed; asked of thousands, so folders are kept."""

    def __init__(self, changed: frozenset[str], project: str, product: str) -> None:
        self._changed = changed
        self._names = frozenset(map(os.path.basename, changed))
        self._project = project
        self._product = product
        self._folders: dict[str, tuple[str, frozenset[str]]] = {}
        """Folder → its real path, and the names in it that are links."""
        self._shown: dict[str, frozenset[str]] = {}
        """File of properties → the blocks of documentation that it shows."""
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
        if name not in self._names and name not in links:
            return False
        path = f"{real}/{name}"
        return path in self._changed or (name in links and os.path.realpath(path) in self._changed)

    def below(self, folder: str) -> bool:
        """Whether a file below a folder has changed."""
        inside = os.path.realpath(folder) + os.sep
        return any(file.startswith(inside) for file in self._changed)

    def describe(self, entry: Mapping[str, Any], section: str = "") -> bool:
        """Whether a changed file says something about an entry of the IR."""
        folder = self._product if section == "contracts" else self._project
        path, patch = entry.get("path"), entry.get("patch_path")
        return bool((path and self.has(f"{folder}/{path}")) or (patch and self.has(f"{folder}/{patch}")))

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

    def shows(self, entry: Mapping[str, Any], docs: frozenset[str]) -> bool:
        """Whether the properties of an entry show one of these blocks of documentation."""
        path = entry.get("patch_path") or entry.get("path")
        if not docs or not path or not path.endswith((".yml", ".yaml")):
            return False
        if path not in self._shown:
            try:
                with open(f"{self._project}/{path}", encoding="utf-8", errors="replace") as file:
                    self._shown[path] = frozenset(_SHOWN.findall(file.read()))
            except OSError:
                self._shown[path] = frozenset()
        return not docs.isdisjoint(self._shown[path])


def _links_in(folder: str) -> tuple[str, frozenset[str]]:
    real = os.path.realpath(folder or ".")
    try:
        return real, frozenset(entry.name for entry in os.scandir(real) if entry.is_symlink())
    except OSError:  # a folder that is gone has no links
        return real, frozenset()


def _touched(ir: dict[str, Any], files: _Files, names: Named) -> frozenset[str]:
    """The ``unique_id`` of each node that a changed file says or said something about, and of all that depend on
    one."""
    pending: list[str] = []
    users: dict[str, list[str]] = {}
    known = {entry["unique_id"] for section in _SECTIONS for entry in ir[section]}
    own = f".{ir['project']['name']}." if ir["project"] is not None else ""
    calls = files.mention(frozenset(name.removeprefix("default__") for name in names.macros))
    tested = _tested(ir, names)
    for section in _SECTIONS:
        for entry in ir[section]:
            changed = (
                files.describe(entry)
                or _named(entry, section, names)
                or entry["unique_id"] in tested
                or _lost(entry, known, files, names, own)
                or files.shows(entry, names.docs)
            )
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


def _named(entry: Mapping[str, Any], section: str, names: Named) -> bool:
    """Whether a changed file of properties described an entry, or its group."""
    name = f"{entry['source_name']}.{entry['name']}" if section == "sources" else entry["name"]
    return (section, name) in names.described or entry.get("group") in names.groups


def _tested(ir: dict[str, Any], names: Named) -> frozenset[str]:
    """The nodes on which there is a generic test whose definition changed."""
    if not names.tests:
        return frozenset()
    found = {test.get("attached_to") for test in ir["tests"] if test.get("test") in names.tests}
    for section in _SECTIONS[:4]:
        for entry in ir[section]:
            if any(test.get("name") in names.tests for test in entry.get("tests", ())):
                found.add(entry["unique_id"])
    return frozenset(found - {None})


def _lost(entry: Mapping[str, Any], known: Collection[str], files: _Files, names: Named, own: str) -> bool:
    """Whether an entry uses something that is no more (its file is gone, or properties took it out), or something of
    a package that changed."""
    above = [id_ for id_ in entry.get("depends_on", ()) if id_ not in known]
    lost = [name for id_ in above if own in id_ for name in names_in(id_)]
    lost += [ref["name"] for ref in entry.get("refs", ()) if ref["unique_id"] is None]
    tables = [ref["table"] for ref in entry.get("source_refs", ()) if ref["unique_id"] is None]
    if any(id_.split(".")[1] in names.packages for id_ in above if own not in id_):
        return True
    return (bool(lost or tables) and files.properties) or not (files.stems | names.snapshots).isdisjoint(lost)


def _entry(path: tuple[str | int, ...], ir: dict[str, Any]) -> dict[str, Any] | None:
    """The node, test or other entry of the IR that ``path`` leads into."""
    section = ir.get(str(path[0])) if len(path) > 1 else None
    if isinstance(section, list) and isinstance(path[1], int) and path[1] < len(section):
        found: dict[str, Any] = section[path[1]]
        return found
    return None
