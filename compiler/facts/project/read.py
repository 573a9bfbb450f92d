"""A dbt project's facts from its own files: no manifest, no dbt, nothing rendered or run.

What only dbt can know is null and named in ``project.unknown``. Codes: those of ``project_config`` and ``scan``; FLC126
two resources of one name, FLC127 a configuration that only dbt can compute (notify).
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from compiler.facts import entries
from compiler.facts.entries import Entry, mapping, text
from compiler.facts.graph import cycles
from compiler.facts.kept.file_cache import FileCache, Known, cache_folder
from compiler.facts.project.config import ProjectFile, assumed_project, read_project
from compiler.facts.project.file_facts import UNKNOWN, Ref
from compiler.facts.project.generic_tests import Target, generic_test
from compiler.facts.project.macro_calls import Macros
from compiler.facts.project.nodes import Node, PackageNodes, StatedTest
from compiler.facts.project.profile import read_profile
from compiler.facts.project.resources import PackageResources, known, off
from compiler.facts.project.scan import CodeFile, Scan, YamlFile, scan_project, variables_digest
from compiler.facts.references import reference
from compiler.facts.relate import relate
from compiler.file_states import now
from compiler.ir.facts_model import Facts, Origin
from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.source import whole_file

_UNKNOWN = ["compiled_code", "database", "depends_on_macros", "dbt_version", "last_run", "macros.used_by"]


def read_project_files(
    project_dir: Path, *, keep_code: bool = True, environ: Mapping[str, str] | None = None, reuse: bool = True
) -> Outcome[Facts]:
    """Read the project in ``project_dir`` with its installed packages; ``environ`` says where the cache is.

    With ``reuse``, only what changed since the last time is read again; the answer is the same.
    """
    with uncollected():
        return _read(project_dir, keep_code, os.environ if environ is None else environ, reuse)


def _read(project_dir: Path, keep_code: bool, environ: Mapping[str, str], reuse: bool) -> Outcome[Facts]:
    started = now()
    root = read_project(project_dir)
    if root.value is None and (project_dir / "dbt_project.yml").is_file():
        return _assumed(project_dir, root.diagnostics, keep_code)
    if root.value is None:
        return Outcome(None, root.diagnostics)
    read = _patched(root.value, keep_code, environ) if reuse else None
    facts, found = read or _whole(root.value, keep_code, environ, started)
    return Outcome(facts, tuple(sorted((*root.diagnostics, *found), key=Diagnostic.sort_key)))


def _assumed(project_dir: Path, said: tuple[Diagnostic, ...], keep_code: bool) -> Outcome[Facts]:
    """The facts where ``dbt_project.yml`` is broken: the files are there all the same."""
    scan = scan_project(assumed_project(project_dir), FileCache(None, "", Known), keep_code=keep_code)
    found = list(scan.diagnostics)
    facts = Assembly(scan.project, [scan], found).facts()
    return Outcome(facts, tuple(sorted((*said, *found), key=Diagnostic.sort_key)))


def _patched(
    project: ProjectFile, keep_code: bool, environ: Mapping[str, str]
) -> tuple[Facts, list[Diagnostic]] | None:
    """The facts of the last time with what changed since; None where they have to be read whole."""
    from compiler.facts.kept.files import differing, on_disk, recall, refreshed

    kept = recall(project, keep_code, environ)
    if kept is None or tuple(p[0] for p in kept.packages) != tuple(_installed(project)):
        return None
    now = on_disk(project, kept.packages)
    if now is None:
        return None
    changed = differing(kept, now, project)
    refreshed(kept, now, changed, project, keep_code, environ)
    from compiler.facts.kept.patch_files import patched

    return patched(kept, now, changed, project, keep_code, environ)


def _whole(
    project: ProjectFile, keep_code: bool, environ: Mapping[str, str], started: int
) -> tuple[Facts, list[Diagnostic]]:
    """The facts of all files, whose reading began at ``started``; they are kept for the next time."""
    from compiler.facts.kept.files import keep

    found: list[Diagnostic] = []
    cache = FileCache(
        cache_folder(environ),
        f"{project.root.resolve()}\n{variables_digest(project)}\n",
        Known,
    )
    scans = [scan_project(project, cache, keep_code=keep_code)]
    installed = _installed(project)
    for folder in installed:
        read = read_project(project.root / folder, folder, project)
        found.extend(read.diagnostics)
        if read.value is not None:
            scans.append(scan_project(read.value, cache, keep_code=keep_code))
    cache.save()
    for scan in scans:
        found.extend(scan.diagnostics)
    assembly = Assembly(project, scans, found)
    facts = assembly.facts()
    token = keep(assembly, scans, facts, found, started, keep_code, environ) if len(scans) == len(installed) + 1 else ""
    contents = {
        f"{scan.project.folder}/{path}" if scan.project.folder else path: digest
        for scan in scans
        for path, digest in scan.digests.items()
    }
    return msgspec.structs.replace(facts, origin=Origin(token, contents=contents)), found


def _installed(project: ProjectFile) -> list[str]:
    """The folders of the packages that ``dbt deps`` installed, by name."""
    folder = text(project.raw.get("packages-install-path")) or "dbt_packages"
    path = project.root / folder
    found = sorted(path.iterdir()) if path.is_dir() else ()
    return [f"{folder}/{one.name}" for one in found if (one / "dbt_project.yml").is_file()]


class Assembly:
    """All packages' resources put together and their references resolved."""

    def __init__(self, project: ProjectFile, scans: list[Scan], found: list[Diagnostic]) -> None:
        self.project = project
        self.found = found
        self.docs = {f"{s.project.name}.{name}": body for s in scans for name, body in s.docs.items()}
        self.packages = [PackageResources(PackageNodes(scan, project, self.docs)) for scan in scans]
        self.broken_sql = {f.path: f.facts.broken_sql for f in scans[0].code if f.facts.broken_sql is not None}
        self.nodes: dict[str, Node] = {}
        self.by_name: dict[str, list[Node]] = defaultdict(list)
        self.sources: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self.macros = Macros()
        self.kinds: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.unknown = set(_UNKNOWN)
        self.places: dict[tuple[str, str], list[str]] = defaultdict(list)
        """Kind and name of a node of the root project, disabled ones too → the files that define it."""
        self.missing: set[str] = set()
        """Names that were asked for and that nothing has: of nodes, and of tables as ``source.table``."""

    def patchable(self) -> bool:
        """Whether each name stands for one thing, so that a change of one file is no change of what others mean."""
        nodes = [node for node in self.nodes.values() if node.enabled]
        names = {(node.entry["package"], node.entry["name"], node.version) for node in nodes}
        tables = [entry["unique_id"] for entries_ in self.sources.values() for entry in entries_]
        certain = not any("schema" in node.uncertain for node in nodes)
        return certain and len(names) == len(nodes) and len(set(tables)) == len(tables)

    def facts(self) -> Facts:
        profile = read_profile(self.project)
        facts = Facts(self._project(profile))
        self._add_macros(facts)
        for package in self.packages:
            self._add_nodes(package)
            for entry, file, tests, target in package.sources():
                facts.sources.append(entry)
                self.sources[entry["source_name"], entry["name"]].append(entry)
                for stated in tests:
                    self._test(package, stated, target, file, entry["unique_id"], facts)
        for node in self.nodes.values():
            if node.enabled:
                self._place(node, profile)
                self._link(node)
                self._sql(node)
                if node.entry["raw_code"] and node.entry["language"] == "sql":
                    facts.sql[node.entry["unique_id"]] = node.entry["raw_code"]
                {"model": facts.models, "seed": facts.seeds, "snapshot": facts.snapshots}[
                    node.entry["resource_type"]
                ].append(node.entry)
        for package in self.packages:
            self._node_tests(package, facts)
            self._singular_tests(package, facts)
            self._resources(package, facts)
        return self._finished(facts)

    def _finished(self, facts: Facts) -> Facts:
        tests = {t["unique_id"]: t for t in facts.tests}
        facts.tests[:] = tests.values()
        self._semantic_links(facts)
        for listed in (
            facts.models, facts.seeds, facts.snapshots, facts.sources, facts.exposures, facts.metrics, facts.tests,
            facts.semantic_models, facts.saved_queries, facts.macros, facts.groups, facts.unit_tests,
        ):  # fmt: skip
            listed.sort(key=lambda e: str(e["unique_id"]))
        relate(facts)
        for group in facts.groups:
            del group["unique_id"]
        facts.project["cycles"] = cycles({m["unique_id"]: m["depends_on"] for m in facts.models})
        facts.project["unknown"] = sorted(self.unknown)
        return facts

    def _project(self, profile: Mapping[str, Any]) -> Entry:
        raw = self.project.raw
        adapter = text(profile.get("type"))
        if adapter is None:
            self.unknown.add("adapter")
        return {
            "name": self.project.name,
            "version": self.project.version,
            "adapter": adapter,
            "dialect": adapter,
            "dbt_version": None,
            "manifest_version": None,
            "source": "files",
            "packages": [{"name": p.name, "version": p.nodes.project.version} for p in self.packages[1:]],
            "vars": mapping(raw.get("vars")),
            "flags": mapping(raw.get("flags")),
            "cycles": [],
            "unknown": [],
        }

    def _add_macros(self, facts: Facts) -> None:
        for package in self.packages:
            for macro in package.macros():
                if package is self.packages[0]:
                    facts.macros.append(macro)
            for file in package.scan.code:
                for block in file.facts.macros:
                    self.macros.add(package.name, block)

    def _add_nodes(self, package: PackageResources) -> None:
        for node in package.nodes.nodes():
            key = node.entry["unique_id"]
            if package is self.packages[0]:
                self.places[node.entry["resource_type"], node.entry["name"]].append(node.entry["path"])
            if key in self.nodes and node.enabled and self.nodes[key].enabled:
                first, second = self.nodes[key].entry["path"], node.entry["path"]
                text = f"`{node.entry['name']}` is defined twice: in `{first}` and in `{second}`"
                self._report("FLC126", text, node, second, "give one of them another name")
                continue
            if key in self.nodes and not node.enabled:
                continue
            self.nodes[key] = node
            self.by_name[node.entry["name"]].append(node)

    def _report(self, code: str, message: str, node: Node, path: str, hint: str) -> None:
        severity = Severity.NOTIFY if code == "FLC127" else Severity.BLOCK
        span = whole_file(str(node.scan.project.root / path))
        self.found.append(Diagnostic(code, message, span, severity, hint=hint))

    def _place(self, node: Node, profile: Mapping[str, Any]) -> None:
        """Schema and alias as dbt's own macros make them; null where the project has macros of its own for that."""
        entry = node.entry
        uncertain = [k for k in node.uncertain if k in entries.HELD]
        if uncertain and entry["package"] == self.project.name:
            keys = ", ".join(f"`{k}`" for k in uncertain)
            note = f"only dbt can compute {keys} of {entry['resource_type']} `{entry['name']}`"
            self._report(
                "FLC127", note, node, entry["path"], "a manifest would say; without one it counts as not given"
            )
        if self.macros.find("generate_alias_name", self.project.name):
            entry["alias"] = None
            self.unknown.add("alias")
        target, custom = text(profile.get("schema")), entry["schema"]
        if entry["resource_type"] == "snapshot" and mapping(node.config).get("target_schema"):
            entry["schema"] = (
                text(node.config["target_schema"]) if node.config["target_schema"] is not UNKNOWN else None
            )
        elif (
            target is None or self.macros.find("generate_schema_name", self.project.name) or "schema" in node.uncertain
        ):
            entry["schema"] = None
            self.unknown.add("schema")
        else:
            entry["schema"] = f"{target}_{custom}" if custom else target

    def _sql(self, node: Node) -> None:
        """Say that the SQL of a node's file is broken, once a file."""
        broken = self.broken_sql.pop(node.entry["path"], None) if node.scan is self.packages[0].scan else None
        if broken is not None:
            from compiler.facts.sql.syntax import QUERIES, sql_diagnostic

            if node.entry["materialized"] in QUERIES:
                subject = f"{node.entry['resource_type']} {node.entry['name']}"
                self.found.append(sql_diagnostic(str(self.project.root / node.entry["path"]), subject, broken))

    def _link(self, node: Node) -> None:
        """Resolve what a node refers to."""
        package = node.entry["package"]
        used: set[str] = set()
        refs, sources = self.macros.references(node.block, package)
        for ref in refs:
            target = self.resolve(ref, package)
            node.entry["refs"].append(_ref_entry(ref, target))
            used.add(target or "")
        for source, table in sources:
            target = self.resolve_source(source, table, package)
            node.entry["source_refs"].append(
                {"source": source, "table": table, "unique_id": target, "line": None, "column": None}
            )
            used.add(target or "")
        node.entry["depends_on"] = sorted(used - {""})
        self.unknown |= self.macros.unknown(node.block, package)
        for key in ("refs", "source_refs"):
            node.entry[key] = entries.sorted_refs(node.entry[key])

    def resolve(self, ref: Ref, package: str) -> str | None:
        """The enabled node that a ``ref`` means: its package, else the caller's, else the root project, else any."""
        found = [n for n in self.by_name.get(ref.name, ()) if n.enabled]
        if ref.package is not None:
            found = [n for n in found if n.entry["package"] == ref.package]
        order = {package: 0, self.project.name: 1}
        for node in sorted(found, key=lambda n: order.get(n.entry["package"], 2)):
            if ref.version is not None and node.version != ref.version:
                continue
            if ref.version is None and node.version is not None and node.version != node.entry["latest_version"]:
                continue
            return str(node.entry["unique_id"])
        self.missing.add(ref.name)
        return None

    def switched_off(self, ref: Ref, package: str) -> bool:
        """True where the ``ref`` means nodes that are there and disabled: dbt disables tests that need them."""
        return ref.name in self.by_name and self.resolve(ref, package) is None

    def resolve_source(self, source: str, table: str, package: str) -> str | None:
        """The source table, of the caller's package first."""
        found = self.sources.get((source, table), [])
        own = [e for e in found if e["package"] == package] or found
        if not own:
            self.missing.add(f"{source}.{table}")
        return str(own[0]["unique_id"]) if own else None

    def _node_tests(self, package: PackageResources, facts: Facts) -> None:
        for node in list(self.nodes.values()):
            if node.scan is not package.scan or node.patch is None or not node.enabled:
                continue
            name = node.entry["name"]
            if node.version is None:
                target = Target(name, f"ref('{name}')")
            else:
                target = Target(f"{name}_v{node.version}", f"ref('{name}', version='{node.version}')")
            file = node.patch.file
            for stated in node.tests:
                self._test(package, stated, target, file, node.entry["unique_id"], facts)

    def _test(
        self,
        package: PackageResources,
        stated: StatedTest,
        target: Target,
        file: YamlFile,
        attached: str,
        facts: Facts,
    ) -> None:
        test = generic_test(stated.given, target, stated.column)
        if test is None:
            return
        own = self._own_config(test.test, package.name)
        config: dict[str, Any] = {}
        if own or test.config or package.nodes.configured("test"):
            fqn = [package.name, *file.parts, test.name]
            config = known(package.nodes.config("test", fqn, test.config, own))
        used = {attached}
        for call in test.references:
            found = reference(call)
            if isinstance(found, Ref):
                if self.switched_off(found, package.name):
                    return
                used.add(self.resolve(found, package.name) or attached)
            elif found is not None:
                used.add(self.resolve_source(*found, package.name) or attached)
        entry = _test_entry(f"test.{package.name}.{test.name}.{test.digest}", test.name, file.path, config)
        entry.update(
            enabled=not off(config),
            test=test.test,
            kind="generic",
            attached_to=attached,
            column=stated.column or text(test.arguments.pop("column_name", None)),
            tags=entries.tags(entry["tags"], stated.tags) if stated.tags else entry["tags"],
            description=test.description,
            arguments=test.arguments,
            depends_on=[] if off(config) else sorted(used),  # dbt resolves none of what is switched off
        )
        facts.tests.append(entry)

    def _own_config(self, test: str, package: str) -> Mapping[str, Any]:
        """What the macro of a generic test configures for all tests of its kind."""
        key = (test, package)
        if key not in self.kinds:
            namespace, _, kind = test.rpartition(".")
            macro = self.macros.find(f"{namespace}.test_{kind}" if namespace else f"test_{kind}", package)
            self.kinds[key] = macro[1].block.config if macro is not None else {}
        return self.kinds[key]

    def _singular_tests(self, package: PackageResources, facts: Facts) -> None:
        patches = {str(g["name"]): (e, g) for e, g, _ in package.each("data_tests", "test")}
        for file in package.scan.code:
            if file.role == "test" and file.facts.broken is None and not file.facts.tests:
                test = self._singular(package, file, patches.get(file.stem))
                if test is not None:
                    facts.tests.append(test)
                    self._test_sql(package, file)

    def _test_sql(self, package: PackageResources, file: CodeFile) -> None:
        if file.facts.broken_sql is not None and package is self.packages[0]:
            from compiler.facts.sql.syntax import sql_diagnostic

            path = str(self.project.root / file.path)
            self.found.append(sql_diagnostic(path, f"test {file.stem}", file.facts.broken_sql))

    def _singular(
        self, package: PackageResources, file: CodeFile, patch: tuple[Entry, dict[str, Any]] | None
    ) -> Entry | None:
        block = file.facts.main
        given = mapping(patch[1].get("config")) if patch else {}
        config = known(package.nodes.config("test", [package.name, *file.parts, file.stem], given, block.config))
        refs, sources = self.macros.references(block, package.name)
        if any(self.switched_off(r, package.name) for r in refs):
            return None
        used = {self.resolve(r, package.name) for r in refs}
        used |= {self.resolve_source(s, t, package.name) for s, t in sources}
        entry = _test_entry(f"test.{package.name}.{file.stem}", file.stem, file.path, config)
        entry.update(
            enabled=not off(config),
            description=patch[0]["description"] if patch else "",
            depends_on=[] if off(config) else sorted(u for u in used if u is not None),
        )
        return entry

    def _resources(self, package: PackageResources, facts: Facts) -> None:
        for exposure, calls in package.exposures():
            used = set()
            for call in calls:
                if isinstance(call, Ref):
                    used.add(self.resolve(call, package.name))
                elif isinstance(call, tuple):
                    used.add(self.resolve_source(call[0], call[1], package.name))
            exposure["depends_on"] = sorted(u for u in used if u is not None)
            facts.exposures.append(exposure)
        for metric, inputs, call in package.metrics():
            model = self.resolve(call, package.name) if isinstance(call, Ref) else None
            facts.metrics.append(metric | {"inputs": inputs, "depends_on": [] if model is None else [model]})
        for semantic, call in package.semantic_models():
            semantic["model"] = self.resolve(call, package.name) if isinstance(call, Ref) else None
            facts.semantic_models.append(semantic)
        for unit_test, model in package.unit_tests():
            unit_test["model"] = self.resolve(Ref(model), package.name)
            facts.unit_tests.append(unit_test)
        facts.saved_queries.extend(package.saved_queries())
        facts.groups.extend(package.groups())

    def _semantic_links(self, facts: Facts) -> None:
        """Metrics depend on the semantic models that hold their measures, and on other metrics."""
        measures = {m["name"]: s["unique_id"] for s in facts.semantic_models for m in s["measures"]}
        metrics = {m["name"]: m["unique_id"] for m in facts.metrics}
        for metric in facts.metrics:
            names = [i.partition(":") for i in metric.pop("inputs")]
            found = {(measures if kind == "measure" else metrics).get(name) for kind, _, name in names}
            metric["depends_on"] = sorted({*metric["depends_on"], *(f for f in found if f is not None)})


def _ref_entry(ref: Ref, target: str | None) -> Entry:
    return {
        "name": ref.name,
        "package": ref.package,
        "version": ref.version,
        "unique_id": target,
        "line": None,
        "column": None,
    }


def _test_entry(unique_id: str, name: str, path: str, config: Mapping[str, Any]) -> Entry:
    return {
        "unique_id": unique_id,
        "name": name,
        "test": None,
        "kind": "singular",
        "attached_to": None,
        "column": None,
        "severity": entries.severity(config.get("severity")),
        "where": text(config.get("where")),
        "tags": entries.tags(config.get("tags")),
        "meta": mapping(config.get("meta")),
        "description": "",
        "path": path,
        "arguments": {},
        "depends_on": [],
        "enabled": True,
        "last_run": None,
    }
