"""The nodes of one package from its files: models (with versions), seeds, snapshots, and the properties laid on them.

A configuration comes from the folders in ``dbt_project.yml`` (the package's own, then the root project's), from the
YAML properties, and from ``config`` in the file itself, the later over the earlier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.facts import entries
from compiler.facts.entries import HOOKS, Entry, items, mapping, text
from compiler.facts.project.config import CONFIG_KEYS, ProjectFile, merge_config
from compiler.facts.project.file_facts import UNKNOWN, Block, Ref
from compiler.facts.project.scan import CodeFile, Scan, YamlFile
from compiler.facts.project.seed_files import apply_csv
from compiler.facts.sql.text import SqlText
from compiler.structs import Struct, field
from policy_lang.records import NamedTuple

_KINDS = {"models": "model", "seeds": "seed", "snapshots": "snapshot"}
_RENDERED = ("meta", "config", "tags", "data_type")
_SHORTCUTS = ("meta", "access", "group", "docs")


class Patch(NamedTuple):
    """The properties of one name, and the YAML file that holds them."""

    given: dict[str, Any]
    file: YamlFile


class StatedTest(NamedTuple):
    """A data test as YAML states it, the column that it stands on, and the tags that it gets from there."""

    given: Any
    column: str | None
    tags: list[str]


class Node(Struct):
    """One node before its references are resolved."""

    entry: Entry
    block: Block
    config: dict[str, Any]
    enabled: bool
    scan: Scan
    patch: Patch | None = None
    version: str | None = None
    tests: list[StatedTest] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)


class PackageNodes:
    """Makes the nodes of one package; ``root`` is the root project, whose folders count in every package."""

    def __init__(self, scan: Scan, root: ProjectFile, docs: Mapping[str, str]) -> None:
        self.scan = scan
        self.project = scan.project
        self.root = root
        self.docs = docs
        self.patches: dict[tuple[str, str], Patch] = {}
        for file in scan.yaml:
            for name, given in self.stated(file):
                self.patches.setdefault(name, Patch(given, file))

    @staticmethod
    def stated(file: YamlFile) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
        """Kind and name of what a file has properties of, with these."""
        for key, kind in _KINDS.items():
            for given in named(file.value.get(key)):
                yield (kind, str(given["name"])), given

    def nodes(self) -> Iterator[Node]:
        """All nodes, enabled or not."""
        files = [f for f in self.scan.code if f.facts.broken is None or f.role != "seed"]
        models = {f.stem: f for f in files if f.role == "model"}
        versioned = self._versions(models)
        for file in files:
            if file.role == "model":
                yield from versioned.get(file.stem) or [self._node("model", file.stem, file, file.facts.main)]
            elif file.role == "seed":
                yield self._node("seed", file.stem, file, file.facts.main)
            if file.role in ("snapshot", "model"):
                for block in file.facts.snapshots:
                    yield self._node("snapshot", block.name, file, block)
        yield from self._yaml_snapshots()

    def configured(self, kind: str) -> bool:
        """Whether a project file configures resources of the kind at all."""
        return any(project.raw.get(key) for project in (self.project, self.root) for key in CONFIG_KEYS.get(kind, ()))

    def config(self, kind: str, fqn: list[str], *given: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration of a resource: folders, then what is ``given``, in this order."""
        found: dict[str, Any] = {}
        for project in (self.project,) if self.project is self.root else (self.project, self.root):
            for level in project.configs(kind, fqn):
                merge_config(found, level)
        for one in given:
            merge_config(found, render_config(one, self.project, deep=kind != "test"))
        return found

    def column(self, given: Mapping[str, Any]) -> Entry:
        """A column of YAML; of two of one name the later counts."""
        if any(k in given for k in _RENDERED):
            given = {k: self.project.variables.rendered(v) if k in _RENDERED else v for k, v in given.items()}
        return entries.column(given, self.description(given.get("description")))

    def description(self, given: Any) -> str:
        """A description with its ``doc`` calls replaced by what the docs blocks say."""
        written = given if isinstance(given, str) else ""
        if "{{" not in written:
            return written
        from compiler.facts.project.doc_blocks import render_docs

        return render_docs(written, self.docs, self.project.name)

    def _node(self, kind: str, name: str, file: CodeFile, block: Block, patch: Patch | None = None) -> Node:
        patch = patch or self.patches.get((kind, name))
        fqn = [self.project.name, *file.parts, file.stem if kind != "snapshot" else name]
        if kind == "snapshot":
            fqn = [self.project.name, *file.parts, file.stem, name]
        node = self._build(kind, name, file.path, fqn, block, patch)
        node.entry["language"] = "python" if file.path.endswith(".py") else "sql"
        if node.entry["language"] == "python" and "materialized" not in node.config:
            node.entry["materialized"] = "table"
        if kind != "seed" and file.text is not None:
            if kind == "snapshot":
                code(node.entry, block.body)
            else:
                measured(node.entry, file.text, file.raw_code)
        if kind == "seed":
            apply_csv(node.entry, file.facts)
        return node

    def _yaml_snapshots(self) -> Iterator[Node]:
        for (kind, name), patch in self.patches.items():
            if kind == "snapshot" and patch.given.get("relation") is not None:
                block = _relation_block(name, patch.given["relation"])
                fqn = [self.project.name, *patch.file.parts, name]
                node = self._build(kind, name, patch.file.path, fqn, block, patch)
                code(node.entry, f"select * from {{{{ {str(patch.given['relation']).strip('{} ')} }}}}")
                yield node

    def _build(self, kind: str, name: str, path: str, fqn: list[str], block: Block, patch: Patch | None) -> Node:
        given = {} if patch is None else patch.given
        shortcuts = {k: given[k] for k in _SHORTCUTS if given.get(k) is not None}
        config = self.config(kind, fqn, shortcuts, mapping(given.get("config")), block.config)
        for key in block.opaque:
            if key not in HOOKS:
                config[key] = UNKNOWN
        uncertain = sorted(k for k, v in config.items() if v is UNKNOWN)
        enabled = config.get("enabled") is not False and str(config.get("enabled")).lower() != "false"
        entry = self._entry(kind, name, path, given, {k: v for k, v in config.items() if v is not UNKNOWN})
        entry["patch_path"] = "" if patch is None else patch.file.path
        if "materialized" in uncertain:
            entry["materialized"] = ""
        node = Node(entry, block, config, enabled, self.scan, patch, uncertain=uncertain)
        self._columns(node, items(given.get("columns")))
        node.tests.extend(StatedTest(t, None, []) for t in data_tests(given))
        return node

    def _columns(self, node: Node, given: list[Any]) -> None:
        columns: dict[str, Entry] = {}
        for one in named(given):
            column = self.column(one)
            columns[column["name"]] = column
            node.tests.extend(StatedTest(t, column["name"], column["tags"]) for t in data_tests(one))
        node.entry["columns"] = list(columns.values())

    def _entry(self, kind: str, name: str, path: str, given: Mapping[str, Any], config: Mapping[str, Any]) -> Entry:
        meta = mapping(config.get("meta"))
        defaults = {"model": "view", "seed": "seed", "snapshot": "snapshot"}
        return {
            "unique_id": f"{kind}.{self.project.name}.{name}",
            "name": name,
            "resource_type": kind,
            "package": self.project.name,
            "path": path,
            "directory": path.rpartition("/")[0],
            "database": text(config.get("database")),
            "schema": text(config.get("schema")),
            "alias": text(config.get("alias")) or name,
            "materialized": text(config.get("materialized")) or defaults[kind],
            "language": "sql",
            "description": self.description(given.get("description")),
            "owner": None,
            "tags": entries.tags(config.get("tags")),
            "meta": meta,
            "access": entries.access(text(config.get("access")), kind),
            "group": text(config.get("group")),
            "contract_enforced": mapping(config.get("contract")).get("enforced") is True,
            "constraints": entries.constraints(given.get("constraints")),
            "version": None,
            "latest_version": None,
            "deprecation_date": text(given.get("deprecation_date")),
            "columns": [],
            "tests": [],
            "primary_key": [],
            "coverage": None,
            "depends_on": [],
            "depends_on_macros": None,
            "used_by": [],
            "refs": [],
            "source_refs": [],
            "unique_key": entries.unique_key(config.get("unique_key")),
            "incremental_strategy": text(config.get("incremental_strategy")),
            "snapshot_strategy": text(config.get("strategy")) if kind == "snapshot" else None,
            "grants": entries.grants(config.get("grants")),
            "retention_days": entries.retention_days(meta),
            "code_lines": None,
            "joins": None,
            "raw_code": None,
            "select_star": None,
            "hard_coded_relations": [],
            "config": entries.other_config(config),
            "size": None,
            "last_run": None,
            "enabled": True,
        }

    def _versions(self, models: Mapping[str, CodeFile]) -> dict[str, list[Node]]:
        """The nodes of versioned models, by the file that defines each version."""
        found: dict[str, list[Node]] = {}
        for (kind, name), patch in self.patches.items():
            versions = [v for v in items(patch.given.get("versions")) if isinstance(v, dict) and "v" in v]
            if kind != "model" or not versions:
                continue
            latest = text(patch.given.get("latest_version")) or max((str(v["v"]) for v in versions), key=version_key)
            for version in versions:
                number = str(version["v"])
                stems = [text(version.get("defined_in")), f"{name}_v{number}", name if number == latest else None]
                stem = next((s for s in stems if s is not None and s in models), None)
                if stem is not None:
                    node = self._version(name, number, latest, version, models[stem], patch)
                    found.setdefault(stem, []).append(node)
        return found

    def _version(
        self, name: str, number: str, latest: str, version: Mapping[str, Any], file: CodeFile, patch: Patch
    ) -> Node:
        base = dict(patch.given)
        given = {**base, **{k: v for k, v in version.items() if k in ("description", "access", "constraints")}}
        given["config"] = dict(mapping(base.get("config")))
        merge_config(given["config"], mapping(version.get("config")))
        given["columns"] = version_columns(items(base.get("columns")), version.get("columns"))
        given["deprecation_date"] = version.get("deprecation_date")  # dbt takes none from the model
        for key in ("data_tests", "tests"):
            if key in version:
                given.pop("data_tests", None)
                given.pop("tests", None)
                given[key] = version[key]
        node = self._node("model", file.stem, file, file.facts.main, Patch(given, patch.file))
        node.version = number
        alias = text(node.config.get("alias")) if node.config.get("alias") is not UNKNOWN else None
        node.entry.update(
            unique_id=f"model.{self.project.name}.{name}.v{number}",
            name=name,
            alias=alias or f"{name}_v{number}",
            version=number,
            latest_version=latest,
        )
        return node


def render_config(given: Mapping[str, Any], project: ProjectFile, *, deep: bool = True) -> dict[str, Any]:
    """Its Jinja evaluated; hooks are templates that dbt renders at run time and stay as written.

    Of a test's configuration dbt renders texts only, not what is inside of lists and objects (``deep`` false).
    """
    return {
        k: v if "hook" in k or not (deep or isinstance(v, str)) else project.variables.rendered(v)
        for k, v in given.items()
    }


def code(entry: Entry, raw: str) -> None:
    """Fill in what the text of a snapshot says."""
    from compiler.facts.sql.text import measure

    measured(entry, measure(raw), raw)


def measured(entry: Entry, counts: SqlText, raw: str | None) -> None:
    """Fill in the counts of a text; in Python there are no joins or stars to count."""
    python = entry["language"] == "python"
    entry.update(
        code_lines=counts.code_lines,
        joins=None if python else counts.joins,
        select_star=None if python else counts.select_star,
        hard_coded_relations=list(counts.hard_coded),
        raw_code=raw,
    )


def named(given: Any) -> Iterator[dict[str, Any]]:
    """Those items of a list of properties that have a name."""
    for one in items(given):
        if isinstance(one, dict) and one.get("name") is not None:
            yield one


def data_tests(given: Mapping[str, Any]) -> list[Any]:
    """What stands under ``data_tests`` and, as before dbt 1.8, under ``tests``."""
    return [*items(given.get("data_tests")), *items(given.get("tests"))]


def version_key(version: str) -> tuple[int, float, str]:
    """Versions in order: numbers by value, before any other text."""
    try:
        return (0, float(version), "")
    except ValueError:
        return (1, 0.0, version)


def version_columns(base: list[Any], given: Any) -> list[Any]:
    """A version's own columns, with those of the model that it includes and does not exclude."""
    if given is None:
        return base
    own = [c for c in items(given) if isinstance(c, dict) and "name" in c]
    rule = next(
        (c for c in items(given) if isinstance(c, dict) and ("include" in c or "exclude" in c)), {"include": "all"}
    )
    include, excluded = rule.get("include", "all"), {str(n) for n in items(rule.get("exclude"))}
    everything = include in ("all", "*")
    names = {str(c["name"]) for c in own}
    kept = [
        c
        for c in base
        if isinstance(c, dict)
        and str(c.get("name")) not in excluded | names
        and (everything or str(c.get("name")) in items(include))
    ]
    return [*kept, *own]


def _relation_block(name: str, relation: Any) -> Block:
    """The block of a snapshot that YAML defines: its ``relation`` is the text of a ``ref`` or ``source`` call."""
    from compiler.facts.references import reference

    found = reference(relation)
    block = Block(name, 1)
    if isinstance(found, Ref):
        block.refs.append(found)
    elif found is not None:
        block.sources.append(found)
    return block
