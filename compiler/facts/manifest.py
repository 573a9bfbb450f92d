"""dbt's ``manifest.json`` (schema v7 and newer) to facts, by a typed decode of the needed fields only.

Codes: FLC110 the file cannot be read, FLC111 not JSON (cut off), FLC112 not a dbt manifest, FLC113 an unsupported
schema version, FLC114 a field of a wrong type.
"""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import msgspec

from compiler.ir.facts_model import Entry, Facts
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

OLDEST_SCHEMA = 7
_RELATIONS = {"model": "models", "seed": "seeds", "snapshot": "snapshots"}


class _Column(msgspec.Struct, gc=False):
    name: str
    description: str | None = None
    data_type: str | None = None
    meta: dict[str, Any] | None = None
    tags: list[str] | None = None
    config: dict[str, Any] | None = None
    constraints: list[dict[str, Any]] | None = None


class _DependsOn(msgspec.Struct, gc=False):
    nodes: list[str] = []
    macros: list[str] = []


class _Node(msgspec.Struct, gc=False):
    unique_id: str
    name: str
    resource_type: str
    package_name: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    description: str | None = None
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    language: str | None = None
    columns: dict[str, _Column] = {}
    config: dict[str, Any] = {}
    meta: dict[str, Any] | None = None
    tags: list[str] = []
    depends_on: _DependsOn = msgspec.field(default_factory=_DependsOn)
    access: str | None = None
    group: str | None = None
    test_metadata: dict[str, Any] | None = None
    attached_node: str | None = None
    column_name: str | None = None
    source_name: str | None = None
    source_description: str | None = None
    identifier: str | None = None
    loader: str | None = None
    loaded_at_field: str | None = None


class _Manifest(msgspec.Struct, gc=False):
    metadata: dict[str, Any]
    nodes: dict[str, _Node]
    sources: dict[str, _Node] = {}


def read_manifest(project_dir: Path, manifest_path: Path) -> Outcome[Facts]:
    """Read the manifest of the project in ``project_dir``; disabled nodes are left out."""
    file = str(manifest_path)
    try:
        data = manifest_path.read_bytes()
    except OSError as error:
        return _refuse("FLC110", f"cannot read `{file}`: {error.strerror or type(error).__name__}", file)
    collecting = gc.isenabled()
    gc.disable()
    try:
        manifest = msgspec.json.decode(data, type=_Manifest)
        return _facts(manifest, file, project_dir)
    except msgspec.ValidationError as error:
        missing = "missing required field `metadata`" in str(error) or "missing required field `nodes`" in str(error)
        if missing:
            return _refuse("FLC112", f"`{file}` is not a dbt manifest: {error}", file)
        return _refuse("FLC114", f"`{file}`: {error}", file)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _refuse("FLC111", f"`{file}` is not whole JSON: {error}", file)
    finally:
        if collecting:
            gc.enable()


def _refuse(code: str, message: str, file: str) -> Outcome[Facts]:
    hint = "run `dbt parse` to write it again"
    return Outcome(None, (Diagnostic(code, message, whole_file(file), hint=hint),))


def _facts(manifest: _Manifest, file: str, project_dir: Path) -> Outcome[Facts]:
    schema = str(manifest.metadata.get("dbt_schema_version") or "")
    found = re.search(r"/manifest/v(\d+)", schema)
    if found is None:
        return _refuse("FLC112", f"`{file}` is not a dbt manifest: its metadata name no manifest schema", file)
    if int(found[1]) < OLDEST_SCHEMA:
        return _refuse("FLC113", f"`{file}` has manifest schema v{found[1]}; v{OLDEST_SCHEMA} and newer are read", file)
    adapter = manifest.metadata.get("adapter_type")
    facts = Facts(
        {
            "name": manifest.metadata.get("project_name") or project_dir.name,
            "adapter": adapter,
            "dialect": adapter,
            "dbt_version": manifest.metadata.get("dbt_version"),
            "manifest_version": int(found[1]),
            "source": "manifest",
        }
    )
    nodes = [node for node in manifest.nodes.values() if node.config.get("enabled") is not False]
    tests: dict[str, list[Entry]] = {}
    for node in sorted(nodes, key=lambda n: n.unique_id):
        if node.resource_type == "test":
            test = _test(node)
            facts.tests.append(test)
            tests.setdefault(test["attached_to"] or "", []).append(test)
    for node in sorted(nodes, key=lambda n: n.unique_id):
        if node.resource_type in _RELATIONS:
            getattr(facts, _RELATIONS[node.resource_type]).append(_relation(node, tests.get(node.unique_id, [])))
    for node in sorted(manifest.sources.values(), key=lambda n: n.unique_id):
        if node.config.get("enabled") is not False:
            facts.sources.append(_source(node, tests.get(node.unique_id, [])))
    return Outcome(facts)


def _mapping(value: Any) -> Entry:
    return value if isinstance(value, dict) else {}


def _test(node: _Node) -> Entry:
    metadata = node.test_metadata
    name = None
    if metadata is not None:
        package = metadata.get("namespace")
        name = f"{package}.{metadata.get('name')}" if package else str(metadata.get("name"))
    attached = node.attached_node
    if attached is None and metadata is not None and len(node.depends_on.nodes) == 1:
        attached = node.depends_on.nodes[0]
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "test": name,
        "kind": "generic" if metadata is not None else "singular",
        "attached_to": attached,
        "column": node.column_name,
        "severity": str(node.config.get("severity") or "error").lower(),
        "path": node.original_file_path,
        "depends_on": list(node.depends_on.nodes),
    }


def _columns(node: _Node, tests: list[Entry]) -> list[Entry]:
    return [
        {
            "name": column.name,
            "description": column.description or "",
            "type": column.data_type,
            "tags": column.tags or [],
            "meta": {**(column.meta or {}), **_mapping((column.config or {}).get("meta"))},
            "tests": sorted({t["test"] for t in tests if t["test"] and t["column"] == column.name}),
            "constraints": sorted(str(c.get("type")) for c in column.constraints or []),
            "declared": True,
        }
        for column in node.columns.values()
    ]


def _common(node: _Node, tests: list[Entry]) -> Entry:
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "package": node.package_name,
        "path": node.original_file_path,
        "description": node.description or "",
        "database": node.database,
        "schema": node.schema,
        "tags": node.tags,
        "meta": {**(node.meta or {}), **_mapping(node.config.get("meta"))},
        "columns": _columns(node, tests),
    }


def _relation(node: _Node, tests: list[Entry]) -> Entry:
    return {
        **_common(node, tests),
        "resource_type": node.resource_type,
        "patch_path": (node.patch_path or "").partition("://")[2],
        "directory": node.original_file_path.rpartition("/")[0],
        "alias": node.alias,
        "materialized": str(node.config.get("materialized") or ""),
        "language": node.language or "sql",
        "access": node.access or node.config.get("access"),
        "group": node.group or node.config.get("group"),
        "contract_enforced": _mapping(node.config.get("contract")).get("enforced") is True,
        "tests": [
            {"name": t["test"], "column": t["column"], "severity": t["severity"], "unique_id": t["unique_id"]}
            for t in tests
        ],
        "depends_on": list(node.depends_on.nodes),
        "depends_on_macros": list(node.depends_on.macros),
        "enabled": True,
    }


def _source(node: _Node, tests: list[Entry]) -> Entry:
    return {
        **_common(node, tests),
        "source_name": node.source_name or "",
        "source_description": node.source_description or "",
        "identifier": node.identifier,
        "loader": node.loader,
        "loaded_at_field": node.loaded_at_field,
        "tests": [t["test"] for t in tests],
    }
