"""Mixed facts: a manifest's, with those of a few changed files laid over them.

The changed files are read with those that describe or are described by the same nodes; nothing else of the project is.
What only dbt knows of a node (its database, its macros) stays as the manifest says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from pathlib import Path

import msgspec

from compiler.facts.entries import Entry
from compiler.facts.graph import cycles
from compiler.facts.kept.file_cache import FileCache, Known, cache_folder
from compiler.facts.manifest.resolve_refs import resolve_refs
from compiler.facts.project.config import ProjectFile
from compiler.facts.project.file_facts import Ref
from compiler.facts.project.macro_calls import LINKS
from compiler.facts.project.read import Assembly
from compiler.facts.project.scan import Scan, scan_project, variables_digest
from compiler.facts.relate import NODES, group_owners, relate_some
from compiler.ir.facts_model import Facts, Origin
from compiler.ir.needs import Needs, code_used, covered, fields
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.records import NamedTuple

_BY_FILE = ("sources", "exposures", "metrics", "semantic_models", "saved_queries", "groups", "unit_tests")
_RELATED = ("columns.tests", "coverage", "primary_key", "used_by", "owner")
_ONLY_DBT = ("database", "schema", "alias", "depends_on_macros", "last_run", "size")
NEEDS: Needs = frozenset((
    ("tests", "*", "path"),
    *((kind, "*", f) for kind in NODES for f in ("patch_path", "version", "latest_version", "depends_on", "group")),
))  # fmt: skip
"""What is taken of the manifest's nodes to lay files over them, and to tell whom these concern, beside what is used."""


def overlay(
    facts: Facts, project: ProjectFile, changed: Iterable[str], environ: Mapping[str, str], needs: Needs | None
) -> Outcome[Facts]:
    """``facts`` of the manifest (changed in place) with the files of ``changed``, paths from the project.

    ``needs`` are those that the manifest was read for: None, or ``NEEDS`` are among them.
    """
    given = set(changed)
    paths = given | _companions(facts, project, given)
    key = f"{project.root.resolve()}\nmixed\n{variables_digest(project)}"
    cache = FileCache(cache_folder(environ), key, Known)
    scan = scan_project(project, cache, keep_code=code_used(needs), only=frozenset(paths))
    found: list[Diagnostic] = list(scan.diagnostics)
    unread = _unread_properties(scan, paths)
    if unread:  # what the manifest says of the nodes in them is the best that is known
        given -= unread
        paths = (given | _companions(facts, project, given)) - unread
        scan = scan_project(project, cache, keep_code=code_used(needs), only=frozenset(paths))
        found += [one for one in scan.diagnostics if one not in found]
    cache.save()
    over = _Over(facts, project, scan, found)
    fresh = over.facts()
    groups = any(g["path"] in paths for g in facts.groups) or bool(fresh.groups)
    moved = _replace(facts, fresh, project, paths)
    facts.project["source"] = "mixed"
    facts.project["unknown"] = sorted({*facts.project.get("unknown", ()), *(over.unknown & LINKS)})
    used = {kind: fields(needs, kind, _RELATED) for kind in (*NODES, "sources")}

    def wanted(kind: str, field: str) -> bool:
        return field in used[kind]

    touched = moved.entries | resolve_refs(facts)
    touched |= relate_some(facts, wanted, touched | moved.tested, touched | moved.targets) | moved.tested
    if groups:
        group_owners(facts, wanted)
    if moved.linked and covered(needs, ("project", "cycles")):
        facts.project["cycles"] = cycles({m["unique_id"]: m["depends_on"] for m in facts.models})
    base = "" if groups else facts.origin.base
    return Outcome(msgspec.structs.replace(facts, origin=Origin(base, frozenset(touched))), tuple(found))


def _unread_properties(scan: Scan, paths: set[str]) -> set[str]:
    """Files of properties that could not be read."""
    wrong = {d.span.file for d in scan.diagnostics if d.span is not None and d.severity is Severity.BLOCK}
    yaml = {path for path in paths if path.endswith((".yml", ".yaml"))}
    return {path for path in yaml if str(scan.project.root / path) in wrong}


def _companions(facts: Facts, project: ProjectFile, changed: set[str]) -> set[str]:
    """YAML of changed nodes, and the files of all nodes that such YAML describes."""
    own = [e for k in NODES for e in getattr(facts, k) if e["package"] == project.name]
    yaml = {e["patch_path"] for e in own if e["path"] in changed and e["patch_path"]}
    yaml |= {c for c in changed if c.endswith((".yml", ".yaml"))}
    whole = "dbt_project.yml" in changed
    return yaml | {e[p] for e in own if whole or e["patch_path"] in yaml for p in ("path", "patch_path") if e[p]}


class _Over(Assembly):
    """Assembles the files that were read; what they refer to may stand in the manifest alone."""

    def __init__(self, base: Facts, project: ProjectFile, scan: object, found: list[Diagnostic]) -> None:
        super().__init__(project, [scan], found)  # type: ignore[list-item]
        self.named: dict[str, list[Entry]] = {}
        for kind in NODES:
            for entry in getattr(base, kind):
                self.named.setdefault(entry["name"], []).append(entry)
        self.tables = {(s["source_name"], s["name"]): s["unique_id"] for s in base.sources}

    def resolve(self, ref: Ref, package: str) -> str | None:
        """As the files say, else as the manifest does."""
        found = super().resolve(ref, package)
        if found is not None:
            return found
        for entry in self.named.get(ref.name, ()):
            version = ref.version or entry["latest_version"]
            if ref.package in (None, entry["package"]) and version == entry["version"]:
                return str(entry["unique_id"])
        return None

    def resolve_source(self, source: str, table: str, package: str) -> str | None:
        """As the files say, else as the manifest does."""
        return super().resolve_source(source, table, package) or self.tables.get((source, table))


class _Moved(NamedTuple):
    """Ids of entries that were exchanged, of those that tests on them are others, and of what they use or used; whether
    models depend on others than before."""

    entries: frozenset[str]
    tested: frozenset[str]
    targets: frozenset[str]
    linked: bool


def _replace(facts: Facts, fresh: Facts, project: ProjectFile, paths: set[str]) -> _Moved:
    """Put the entries that were read in the place of those that stood in the same files."""
    old = {e["unique_id"]: e for k in NODES for e in getattr(facts, k)}
    gone = {e["unique_id"] for e in old.values() if e["package"] == project.name and e["path"] in paths}
    moved: list[Entry] = []
    for kind in NODES:
        read = getattr(fresh, kind)
        for entry in read:
            before = old.get(entry["unique_id"])
            if before is not None:
                entry.update({k: before[k] for k in _ONLY_DBT if entry[k] is None and k in before})
        moved += _exchange(getattr(facts, kind), read, lambda e: e["unique_id"] not in gone)
    for kind in _BY_FILE:
        moved += _exchange(getattr(facts, kind), getattr(fresh, kind), lambda e: e["path"] not in paths)
    again = {t["unique_id"] for t in fresh.tests}
    dead = gone - {e["unique_id"] for k in NODES for e in getattr(fresh, k)}
    # Eleven to a model: what is asked of each is asked in place.
    left = [t for t in facts.tests if t["path"] in paths or t["attached_to"] in dead or t["unique_id"] in again]
    tests = _exchanged(facts.tests, fresh.tests, left)
    for id_ in gone:
        facts.sql.pop(id_, None)
    facts.sql.update(fresh.sql)
    tested = {t["attached_to"] for t in tests} - {None}
    targets = {id_ for e in moved for id_ in (*e.get("depends_on", ()), e.get("model")) if id_ is not None}
    before = {id_: old[id_]["depends_on"] for id_ in gone if old[id_]["resource_type"] == "model"}
    linked = before != {e["unique_id"]: e["depends_on"] for e in fresh.models}
    return _Moved(frozenset(map(_key, [*moved, *tests])), frozenset(tested), frozenset(targets), linked)


def _exchange(listed: list[Entry], read: list[Entry], stays: Callable[[Entry], bool]) -> list[Entry]:
    """Exchange in place what does not stay for what was ``read``; answers both."""
    return _exchanged(listed, read, [entry for entry in listed if not stays(entry)])


def _exchanged(listed: list[Entry], read: list[Entry], gone: list[Entry]) -> list[Entry]:
    if gone or read:
        left = {id(entry) for entry in gone}
        stay = [entry for entry in listed if id(entry) not in left]
        named = all("unique_id" in entry for entry in (*stay[:1], *read))  # a group has a name only
        listed[:] = sorted([*stay, *read], key=itemgetter("unique_id") if named else _key)
    return [*gone, *read]


def _key(entry: Entry) -> str:
    return str(entry.get("unique_id", entry["name"]))


def project_paths(project_dir: Path, files: Iterable[Path]) -> list[str]:
    """Paths as the facts hold them, of files as a user names them; those outside of the project are left out."""
    root = project_dir.resolve()
    resolved = [f.resolve() for f in files]
    return sorted(f.relative_to(root).as_posix() for f in resolved if f.is_relative_to(root))


def can_lay(path: str, project: ProjectFile) -> bool:
    """False for files of which dbt alone knows what they change: macros, and blocks of documentation."""
    macros = tuple(f"{base}/" for base in project.paths["macro-paths"])
    return not path.endswith(".md") and not path.startswith(macros)
