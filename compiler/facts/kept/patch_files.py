"""A project's facts after a change of a few files: the kept ones with the entries of these files exchanged.

The answer is that of reading everything. What a file says of others is why more is read than what changed: the
properties of a changed model, the files of all that changed properties describe. Where a change reaches further (a
macro, a group, a metric, a name that something else refers to) the answer is None: the whole is read then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from compiler.facts.entries import Entry
from compiler.facts.graph import cycles
from compiler.facts.kept.file_cache import FileCache, Known, cache_folder
from compiler.facts.kept.files import NEVER, Kept, OnDisk
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.file_facts import Ref
from compiler.facts.project.macro_calls import LINKS
from compiler.facts.project.read import Assembly
from compiler.facts.project.scan import Scan, scan_listed, variables_digest
from compiler.facts.relate import NODES, everything, group_owners, users
from compiler.ir.facts_model import Facts, Origin
from policy_lang.diagnostics import Diagnostic

MOST_CHANGED = 24
"""So many files may differ; a project that has changed more since it was read whole is read whole again."""
_MOST_READ = 200
_ROLES = ("model", "seed", "snapshot")
_SECTIONS = frozenset(("version", "models", "seeds", "snapshots", "sources", "exposures", "unit_tests"))
"""What a file of properties may hold that nothing but its own nodes and what refers to them depends on."""
_OTHERS = frozenset(("metrics", "semantic_models", "saved_queries", "groups", "macros", "data_tests"))
_BY_FILE = ("sources", "exposures", "unit_tests", "tests")


def patched(
    kept: Kept,
    now: OnDisk,
    changed: frozenset[str],
    project: ProjectFile,
    keep_code: bool,
    environ: Mapping[str, str],
) -> tuple[Facts, list[Diagnostic]] | None:
    """Facts and what was found, but for ``dbt_project.yml``; ``changed`` are files that are new, gone or differ."""
    if not changed:
        origin = Origin(kept.token, contents=kept.digests)
        return msgspec.structs.replace(kept.facts(), origin=origin), kept.diagnostics()
    if len(changed) > MOST_CHANGED:
        return None
    roles = {file.path: file.role for file in now.root.files}
    nodes = {path for paths in kept.index.places.values() for path in paths}
    if any(not _may_change(path, roles, nodes, kept) for path in changed):
        return None
    reread = _Reread(kept, now, project, keep_code, environ)
    if not reread.closed(changed):
        return None
    facts = kept.facts()
    found: list[Diagnostic] = list(reread.scan.diagnostics)
    assembly = _Part(kept, facts, reread, found)
    fresh = assembly.facts()
    if (
        not assembly.patchable()
        or any(d.code in NEVER for d in found)
        or assembly.unknown - set(facts.project["unknown"])
        or _may_be_known(set(facts.project["unknown"]) - assembly.unknown, changed)
    ):
        return None
    if not _alone(kept, facts, fresh, reread.paths):
        return None
    shown = {str(project.root / path) for path in reread.paths}
    found += [d for d in kept.diagnostics() if d.span is None or d.span.file not in shown]
    touched = _exchanged(facts, fresh, reread.paths)
    origin = Origin(kept.token, touched, {**kept.digests, **reread.scan.digests})
    facts = msgspec.structs.replace(facts, origin=origin)
    return (facts, found) if facts.models or facts.seeds or facts.snapshots else None


def _may_be_known(gone: set[str], changed: Collection[str]) -> bool:
    """Whether what was unknown of references may have been so for code that changed."""
    return bool(gone & LINKS) and not all(path.endswith((".yml", ".yaml")) for path in changed)


def _may_change(path: str, roles: Mapping[str, str], nodes: Collection[str], kept: Kept) -> bool:
    """Whether a file says something of its own nodes only, as far as its name tells; ``nodes`` are files of some."""
    if path.endswith((".yml", ".yaml")):
        return path in roles or path in kept.index.keys
    return roles[path] in _ROLES and not path.endswith(".md") if path in roles else path in nodes


class _Reread:
    """The files that are read again: those that changed, and those that describe the same nodes."""

    def __init__(
        self,
        kept: Kept,
        now: OnDisk,
        project: ProjectFile,
        keep_code: bool,
        environ: Mapping[str, str],
    ) -> None:
        self.kept = kept
        self.now = now
        self.keep_code = keep_code
        key = f"{project.root.resolve()}\nkept\n{variables_digest(project)}"
        self.cache = FileCache(cache_folder(environ), key, Known)
        self.scan = Scan(project)
        self.paths: set[str] = set()
        self.names: dict[str, list[tuple[str, str]]] = defaultdict(list)
        """Path → kind and name of what it defined or described."""
        for name, paths in kept.index.places.items():
            for path in paths:
                self.names[path].append(name)
        for name, path in kept.index.patches.items():
            self.names[path].append(name)

    def closed(self, changed: Iterable[str]) -> bool:
        """Read all that belongs together; False where that is too much, or is not only what can be exchanged."""
        index = self.kept.index
        pending = set(changed)
        while pending:
            self.paths |= pending
            if len(self.paths) > _MOST_READ:
                return False
            old = {key for path in pending for key in index.keys.get(path, ())}
            if old & _OTHERS or any(path in index.versioned for path in pending):
                return False
            read = scan_listed(self.now.root, self.cache, pending, keep_code=self.keep_code)
            if not self._take(read):
                return False
            more: set[str] = set()
            for name in {*self._names(read), *(name for path in pending for name in self.names.get(path, ()))}:
                if name in index.twice:
                    return False
                more.update(index.places.get(name, ()))
                more.update([index.patches[name]] if name in index.patches else [])
            pending = more - self.paths
        self.cache.save()
        self.scan.code.sort(key=lambda f: f.path)
        self.scan.yaml.sort(key=lambda f: f.path)
        return True

    def _take(self, read: Scan) -> bool:
        for file in read.yaml:
            if _OTHERS & {key for key, value in file.value.items() if value}:
                return False
            if any(isinstance(m, dict) and m.get("versions") for m in _list(file.value.get("models"))):
                return False
        if any(file.facts.macros or file.facts.tests or file.role not in _ROLES for file in read.code):
            return False
        self.scan.code += read.code
        self.scan.yaml += read.yaml
        self.scan.diagnostics += read.diagnostics
        self.scan.digests.update(read.digests)
        return True

    def _names(self, read: Scan) -> Iterator[tuple[str, str]]:
        """Kind and name of what these files define or describe."""
        from compiler.facts.project.nodes import PackageNodes

        for file in read.yaml:
            yield from (name for name, _ in PackageNodes.stated(file))
        for code in read.code:
            if code.role in ("model", "seed"):
                yield code.role, code.stem
            yield from (("snapshot", block.name) for block in code.facts.snapshots)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


class _Part(Assembly):
    """Assembles the files that were read; what they refer to may stand in the others."""

    def __init__(self, kept: Kept, facts: Facts, reread: _Reread, found: list[Diagnostic]) -> None:
        super().__init__(reread.scan.project, [reread.scan], found)
        self.docs.update(kept.docs)
        for package, block in kept.macro_blocks():
            self.macros.add(package, block)
        self._order = {name: i for i, name in enumerate((self.project.name, *(p[1] for p in kept.packages)))}
        self._others: dict[str, list[Entry]] = defaultdict(list)
        for kind in NODES:
            for entry in getattr(facts, kind):
                if entry["package"] != self.project.name or entry["path"] not in reread.paths:
                    self._others[entry["name"]].append(entry)
        self._tables: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in facts.sources:
            if entry["package"] != self.project.name or entry["path"] not in reread.paths:
                self._tables[entry["source_name"], entry["name"]].append(entry)

    def resolve(self, ref: Ref, package: str) -> str | None:
        """As the whole would: of the caller's package, else the root project's, else of the first that has it."""
        own = [(n.entry, n.version) for n in self.by_name.get(ref.name, ()) if n.enabled]
        found = [*own, *((e, e["version"]) for e in self._others.get(ref.name, ()))]
        if ref.package is not None:
            found = [one for one in found if one[0]["package"] == ref.package]
        first = {package: -2, self.project.name: -1}
        for entry, version in sorted(found, key=lambda one: first.get(p := one[0]["package"], self._order.get(p, 0))):
            if ref.version is not None and version != ref.version:
                continue
            if ref.version is None and version is not None and version != entry["latest_version"]:
                continue
            return str(entry["unique_id"])
        return None

    def resolve_source(self, source: str, table: str, package: str) -> str | None:
        """As the whole would: of the caller's package first."""
        found = [*self.sources.get((source, table), ()), *self._tables.get((source, table), ())]
        found.sort(key=lambda e: -1 if e["package"] == package else self._order.get(e["package"], 0))
        return str(found[0]["unique_id"]) if found else None


def _alone(kept: Kept, facts: Facts, fresh: Facts, paths: set[str]) -> bool:
    """Whether what else there is refers to nothing that is gone, and would refer to nothing that is new."""
    name = facts.project["name"]
    before, outside = _ids(facts, name, paths)
    after, _ = _ids(fresh, name, paths)
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    taken = {*outside.values(), *kept.index.missing}
    if new & outside.keys() or any(after[id_] in taken for id_ in new):
        return False
    if {t["unique_id"] for t in fresh.tests} & {t["unique_id"] for t in facts.tests if t["path"] not in paths}:
        return False
    if not gone:
        return True
    for kind in (*NODES, *_BY_FILE, "metrics", "semantic_models"):
        for entry in getattr(facts, kind):
            if entry["path"] in paths and entry["unique_id"].split(".")[1] == name:
                continue
            uses = (*entry.get("depends_on", ()), entry.get("attached_to"), entry.get("model"))
            if not gone.isdisjoint(uses):
                return False
    return True


def _ids(facts: Facts, project: str, paths: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Ids of nodes and sources → the name that others know them by: of the project's ``paths``, and of the rest."""
    inside: dict[str, str] = {}
    outside: dict[str, str] = {}
    for kind in (*NODES, "sources"):
        for entry in getattr(facts, kind):
            known = f"{entry['source_name']}.{entry['name']}" if kind == "sources" else entry["name"]
            own = entry["package"] == project and entry["path"] in paths
            (inside if own else outside)[entry["unique_id"]] = known
    return inside, outside


def _exchanged(facts: Facts, fresh: Facts, paths: set[str]) -> frozenset[str]:
    """Exchange the entries of ``paths`` in the facts, and what follows from them in others; answers the ids of all
    that differ now."""
    name = facts.project["name"]
    touched: set[str] = set()
    targets: set[str] = set()
    edges: list[list[list[str]]] = []
    for kind in (*NODES, *_BY_FILE):
        listed = getattr(facts, kind)
        gone = [e for e in listed if e["path"] in paths and e["unique_id"].split(".")[1] == name]
        read = getattr(fresh, kind)
        for entry in (*gone, *read):
            touched.add(entry["unique_id"])
            targets.update(entry.get("depends_on", ()))
            targets.add(entry["unique_id"])
        if kind == "models":
            edges = [[e["depends_on"] for e in entries] for entries in (gone, read)]
        if gone or read:
            left = {id(e) for e in gone}
            listed[:] = sorted((*(e for e in listed if id(e) not in left), *read), key=lambda e: str(e["unique_id"]))
    for id_ in {e["unique_id"] for k in NODES for e in getattr(fresh, k)} | (touched & facts.sql.keys()):
        facts.sql.pop(id_, None)
    facts.sql.update(fresh.sql)
    group_owners(facts, everything, only=touched)
    touched |= users(facts, everything, only=targets)
    if edges[0] != edges[1]:
        facts.project["cycles"] = cycles({m["unique_id"]: m["depends_on"] for m in facts.models})
    return frozenset(touched)
