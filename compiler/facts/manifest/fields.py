"""How each field of an entry is made from a node of the manifest, and decoders of just the fields that are used.

A field of the IR names what it reads from the node and from its ``config``, and the expression over the two (``n`` and
``c``) that gives its value. From the fields in use a struct type is made for msgspec, which skips all other JSON
without building it, and one function that builds the entry in a single dict display.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from compiler.facts import entries
from compiler.facts.entries import Entry
from policy_lang.records import NamedTuple

Text = str | None
Lax = str | int | float | bool | None
EMPTY: list[Any] = []
"""Shared by all entries: lists in the IR are never changed after they were made."""
NOTHING: dict[str, Any] = {}


class Made(NamedTuple):
    """How one field is made: what it reads from the node, from its config, and the expression."""

    reads: tuple[str, ...]
    configs: tuple[str, ...]
    expression: str


class _DependsOn(msgspec.Struct, gc=False):
    nodes: list[str] | None = None
    macros: list[str] | None = None


class _Nodes(msgspec.Struct, gc=False):
    """What a test depends on: its macros are dbt's business."""

    nodes: list[str] | None = None


class _Keywords(msgspec.Struct, gc=False):
    """The arguments of a test that tell where it stands."""

    column_name: Any = None
    model: Any = None


class ColumnConfig(msgspec.Struct, gc=False):
    """What a column's ``config`` says beside the column itself."""

    meta: Any = msgspec.UNSET
    tags: Any = msgspec.UNSET


class TestMetadata(msgspec.Struct, gc=False):
    """What a generic test was made from."""

    name: Text = None
    namespace: Text = None
    kwargs: msgspec.Raw = msgspec.Raw(b"null")
    """Decoded where the test does not say itself where it stands: few do not."""


class _WholeMetadata(msgspec.Struct, gc=False):
    """What a generic test was made from, with all its arguments."""

    name: Text = None
    namespace: Text = None
    kwargs: dict[str, Any] | None = None


_KEYWORDS = msgspec.json.Decoder(_Keywords | None, float_hook=Decimal)
NODE_TYPES: Mapping[str, Any] = {
    "unique_id": str,
    "name": str,
    "resource_type": Text,
    "package_name": Text,
    "original_file_path": Text,
    "patch_path": Text,
    "description": Text,
    "database": Text,
    "schema": Text,
    "alias": Text,
    "language": Text,
    "raw_code": Text,
    "compiled_code": Text,
    "meta": dict[str, Any] | None,
    "tags": list[str] | str | None,
    "depends_on": _DependsOn | None,
    "depends_on:nodes": _Nodes | None,
    "access": Text,
    "group": Text,
    "constraints": list[Any] | None,
    "version": Lax,
    "latest_version": Lax,
    "deprecation_date": Lax,
    "refs": list[Any] | None,
    "sources": list[Any] | None,
    "test_metadata": TestMetadata | None,
    "test_metadata:whole": _WholeMetadata | None,
    "attached_node": Text,
    "column_name": Text,
    "source_name": Text,
    "source_description": Text,
    "source_meta": dict[str, Any] | None,
    "identifier": Text,
    "loader": Text,
    "loaded_at_field": Text,
    "freshness": dict[str, Any] | None,
    "checksum": dict[str, Any] | None,
    "unrendered_config": dict[str, Any] | None,
}
CONFIG_TYPES: Mapping[str, Any] = {
    "enabled": Lax,
    "materialized": Text,
    "meta": dict[str, Any] | None,
    "tags": list[str] | str | None,
    "contract": dict[str, Any] | None,
    "access": Text,
    "group": Text,
    "grants": dict[str, Any] | None,
    "unique_key": Any,
    "incremental_strategy": Text,
    "strategy": Text,
    "severity": Text,
    "where": Lax,
}


def _given(field: str, otherwise: str) -> str:
    """The expression for a text that most nodes give; a call for each of the others only."""
    return f"n.{field} if n.{field} is not None else {otherwise}"


_META = Made(("meta",), ("meta",), "merged(n.meta, c.meta)")
_TAGS = Made(("tags",), ("tags",), "tags(n.tags, c.tags)")
_COMMON: dict[str, Made] = {
    "unique_id": Made(("unique_id",), (), "n.unique_id"),
    "name": Made(("name",), (), "n.name"),
    "package": Made(("package_name",), (), 'n.package_name or ""'),
    "path": Made(("original_file_path",), (), "slashes(n.original_file_path)"),
    "description": Made(("description",), (), 'n.description or ""'),
    "tags": _TAGS,
    "meta": _META,
}
NODE_FIELDS: Mapping[str, Made] = {
    **_COMMON,
    "resource_type": Made(("resource_type",), (), 'n.resource_type if n.resource_type in KINDS else "model"'),
    "patch_path": Made(("patch_path",), (), "patch_path(n.patch_path)"),
    "directory": Made(("original_file_path",), (), 'slashes(n.original_file_path).rpartition("/")[0]'),
    "database": Made(("database",), (), "n.database"),
    "schema": Made(("schema",), (), "n.schema"),
    "alias": Made(("alias",), (), "n.alias"),
    "materialized": Made(("resource_type",), ("materialized",), 'c.materialized or ALWAYS.get(n.resource_type, "")'),
    "language": Made(("language",), (), 'n.language or "sql"'),
    "owner": Made((), (), "None"),
    "access": Made(("access", "resource_type"), ("access",), "access(n, c)"),
    "group": Made(("group",), ("group",), "n.group or c.group"),
    "contract_enforced": Made((), ("contract",), 'c.contract is not None and c.contract.get("enforced") is True'),
    "constraints": Made(("constraints",), (), "constraints(n.constraints) if n.constraints else EMPTY"),
    "version": Made(("version",), (), "text(n.version)"),
    "latest_version": Made(("latest_version",), (), "text(n.latest_version)"),
    "deprecation_date": Made(("deprecation_date",), (), "day(n.deprecation_date)"),
    "tests": Made((), (), "EMPTY"),
    "primary_key": Made((), (), "EMPTY"),
    "coverage": Made((), (), "None"),
    "depends_on": Made(("depends_on",), (), "depends_on(n.depends_on)"),
    "depends_on_macros": Made(("depends_on",), (), "sorted(set((n.depends_on and n.depends_on.macros) or ()))"),
    "used_by": Made((), (), "EMPTY"),
    "refs": Made(("refs", "package_name"), (), "refs(n.refs, n.package_name)"),
    "source_refs": Made(("sources", "package_name"), (), "source_refs(n.sources, n.package_name)"),
    "unique_key": Made((), ("unique_key",), "unique_key(c.unique_key)"),
    "incremental_strategy": Made((), ("incremental_strategy",), "c.incremental_strategy"),
    "snapshot_strategy": Made(
        ("resource_type",), ("strategy",), 'c.strategy if n.resource_type == "snapshot" else None'
    ),
    "grants": Made((), ("grants",), "grants(c.grants) if c.grants else NOTHING"),
    "retention_days": Made(("meta",), ("meta",), "retention_days(merged(n.meta, c.meta))"),
    "code_lines": Made(("raw_code",), (), "code_lines(n.raw_code)"),
    "joins": Made(("raw_code", "language"), (), "measured(n, 1)"),
    "raw_code": Made(("raw_code",), (), "n.raw_code or None"),
    "select_star": Made(("raw_code", "language"), (), "measured(n, 2)"),
    "hard_coded_relations": Made(("raw_code", "language"), (), "measured(n, 3) or EMPTY"),
    "config": Made((), ("*",), "other_config(c.all)"),
    "size": Made((), (), "None"),
    "last_run": Made((), (), "None"),
    "enabled": Made((), (), "True"),
}
_SOURCE_META = "merged(n.source_meta, merged(n.meta, c.meta))"
"""Before dbt 1.8 ``meta`` of a table did not hold that of its source."""
SOURCE_FIELDS: Mapping[str, Made] = {
    **_COMMON,
    "meta": Made(("meta", "source_meta"), ("meta",), _SOURCE_META),
    "source_name": Made(("source_name",), (), 'n.source_name or ""'),
    "schema": Made(("schema",), (), "n.schema"),
    "database": Made(("database",), (), "n.database"),
    "identifier": Made(("identifier",), (), "n.identifier"),
    "loader": Made(("loader",), (), "n.loader or None"),
    "loaded_at_field": Made(("loaded_at_field",), (), "n.loaded_at_field"),
    "freshness": Made(("freshness",), (), "freshness(n.freshness)"),
    "source_description": Made(("source_description",), (), 'n.source_description or ""'),
    "owner": Made(("meta", "source_meta"), ("meta",), f"owner({_SOURCE_META})"),
    "tests": Made((), (), "EMPTY"),
    "used_by": Made((), (), "EMPTY"),
    "last_freshness": Made((), (), "None"),
}
TEST_FIELDS: Mapping[str, Made] = {
    **{k: v for k, v in _COMMON.items() if k != "package"},
    "test": Made(
        ("test_metadata",),
        (),
        "m.name if (m := n.test_metadata) is not None and m.name is not None and not m.namespace else test_name(m)",
    ),
    "kind": Made(("test_metadata",), (), '"singular" if n.test_metadata is None else "generic"'),
    "attached_to": Made(
        ("attached_node", "depends_on:nodes", "test_metadata"), (), _given("attached_node", "attached_to(n)")
    ),
    "column": Made(
        ("column_name", "test_metadata"),
        (),
        "n.column_name if n.column_name is not None and n.column_name[:1] not in QUOTES else test_column(n)",
    ),
    "severity": Made((), ("severity",), "SEVERITIES.get(c.severity) or severity(c.severity)"),
    "where": Made((), ("where",), "text(c.where)"),
    "arguments": Made(("test_metadata:whole",), (), "arguments(n.test_metadata)"),
    "depends_on": Made(("depends_on:nodes",), (), "depends_on(n.depends_on)"),
    "enabled": Made((), (), "True"),
    "last_run": Made((), (), "None"),
}
COLUMN_TYPES: Mapping[str, Any] = {
    "name": str,
    "description": Text,
    "data_type": Text,
    "meta": dict[str, Any] | None,
    "tags": list[str] | str | None,
    "config": ColumnConfig | None,
    "constraints": list[Any] | None,
}
_COLUMN_META = ("meta", "config")
_OF_CONFIG = "n.config is not None and n.config"
COLUMN_FIELDS: Mapping[str, Made] = {
    "columns.name": Made(("name",), (), "n.name"),
    "columns.description": Made(("description",), (), 'n.description or ""'),
    "columns.type": Made(("data_type",), (), "n.data_type"),
    "columns.tags": Made(("tags", "config"), (), f"column_tags(n) if n.tags or {_OF_CONFIG}.tags else EMPTY"),
    "columns.meta": Made(_COLUMN_META, (), "meta"),
    "columns.classification": Made(_COLUMN_META, (), 'declared(meta, "classification") if meta else None'),
    "columns.level": Made((), (), "None"),
    "columns.pii_type": Made(_COLUMN_META, (), 'declared(meta, "pii_type") if meta else None'),
    "columns.sensitivity": Made(_COLUMN_META, (), 'declared(meta, "sensitivity") if meta else None'),
    "columns.masked": Made(_COLUMN_META, (), "column_masked(meta) if meta else False"),
    "columns.tests": Made((), (), "EMPTY"),
    "columns.constraints": Made(("constraints",), (), "column_constraints(n.constraints) if n.constraints else EMPTY"),
    "columns.declared": Made((), (), "True"),
    "columns.in_catalog": Made((), (), "None"),
    "columns.catalog_type": Made((), (), "None"),
    "columns.inherited": Made((), (), "None"),
}


_REQUIRED = ("unique_id", "name")
_OWN = {"meta", "tags", "config"}
_DBT2_CONFIG = Made(("unrendered_config",), ("*",), "given_config(c.all, n.unrendered_config)")


class Reader(NamedTuple):
    """The struct of one kind of node, and what makes an entry of it."""

    struct: Any
    build: Callable[[Any], Any]

    def decoder(self) -> Callable[[Any], Any]:
        """Decodes the text of one node."""
        return msgspec.json.Decoder(self.struct, float_hook=Decimal).decode


def reader(
    made: Mapping[str, Made],
    used: Iterable[str],
    columns: Iterable[str] | None,
    more: Iterable[str] = (),
    *,
    dbt2: bool = False,
    tag: str = "",
) -> Reader:
    """A reader of the ``used`` fields in ``made``; ``columns`` are the used fields of columns, None for no columns.

    ``more`` are fields of the node that are decoded for other uses. ``dbt2`` reads what dbt 2 wrote. With a ``tag``,
    the struct is that of nodes whose ``resource_type`` it is, to be decoded together with other kinds.
    """
    chosen = {name: made[name] for name in used if name in made}
    if dbt2 and "config" in chosen:
        chosen["config"] = _DBT2_CONFIG
    reads = {*more, *(r for m in chosen.values() for r in m.reads)} - set(_REQUIRED)
    configs = {"enabled"} | {c for m in chosen.values() for c in m.configs}
    own = dbt2 and columns is not None
    if own:
        reads |= {"meta", "tags"}
        configs |= {"meta", "tags"}
    whole = "*" in configs
    config: Any = dict[str, Any] if whole else _config_struct(configs)
    parts = [f"{name!r}: {m.expression}" for name, m in chosen.items()]
    types = {r.partition(":")[0]: NODE_TYPES[r] for r in sorted(reads)}
    fields: list[tuple[str, Any, Any]] = [*((k, t, None) for k, t in types.items()), ("config", config | None, None)]
    scope = {**_SCOPE, "no_config": config(), "each": _each}
    if whole:
        scope["whole"] = _whole_config()
        scope["no_config"] = scope["whole"]({})
    if columns is not None:
        struct, column = _column(columns, own=own)
        fields.append(("columns", dict[str, struct] | list[struct] | None, None))  # type: ignore[valid-type]
        parts.append(f'"columns": [{column}] if n.columns else EMPTY')
    required: list[tuple[str, Any]] = [(r, str) for r in _REQUIRED]
    if tag:
        fields = [field for field in fields if field[0] != "resource_type"]
        tagged: dict[str, Any] = {"tag_field": "resource_type", "tag": tag, "namespace": {"resource_type": tag}}
    else:
        tagged = {}
    node = msgspec.defstruct("Node", [*required, *fields], gc=False, **tagged)
    opened = "whole(n.config)" if whole else "n.config"
    source = f"{{{', '.join(parts)}}}"
    if configs != {"enabled"}:
        source = f"(lambda c: {source})({opened} if n.config is not None else no_config)"
    return Reader(node, eval(f"lambda n: {source}", scope))


LISTED_TEST: Mapping[str, Made] = {
    "name": TEST_FIELDS["test"],
    "column": TEST_FIELDS["column"],
    "severity": TEST_FIELDS["severity"],
    "unique_id": TEST_FIELDS["unique_id"],
    "attached_to": TEST_FIELDS["attached_to"],
}
"""What a node's list of its tests says of one, and on which node it stands."""


def _config_struct(keys: Iterable[str]) -> Any:
    return msgspec.defstruct("Config", [(k, CONFIG_TYPES[k], None) for k in sorted(keys)], gc=False)


def _whole_config() -> Callable[[dict[str, Any]], Any]:
    """Makes of a config the struct of all known keys, with all keys, known or not, in ``all``."""
    struct = msgspec.defstruct(
        "Config", [*((k, v, None) for k, v in CONFIG_TYPES.items()), ("all", Any, None)], gc=False
    )

    def whole(given: dict[str, Any]) -> Any:
        return msgspec.convert({**given, "all": given}, struct)

    return whole


def _column(used: Iterable[str], *, own: bool) -> tuple[Any, str]:
    """The struct of a column, and the part of a comprehension that makes the entries of a node's columns."""
    chosen = {name: COLUMN_FIELDS[name] for name in COLUMN_FIELDS if name in set(used) | {"columns.name"}}
    reads = sorted({r for m in chosen.values() for r in m.reads} - {"name"} | (_OWN if own else set()))
    fields: list[Any] = [("name", str), *((r, COLUMN_TYPES[r], None) for r in reads)]
    struct = msgspec.defstruct("Column", fields, gc=False)
    parts = ", ".join(f"{name.partition('.')[2]!r}: {m.expression}" for name, m in chosen.items())
    merged = (
        f" for meta in (column_meta(n) if n.meta or {_OF_CONFIG}.meta else NOTHING,)"
        if any(m.reads == _COLUMN_META for m in chosen.values())
        else ""
    )
    each = "own_columns(n, c)" if own else "each(n.columns)"
    return struct, f"{{{parts}}} for n in {each}{merged}"


def _merged(first: dict[str, Any] | None, second: dict[str, Any] | None) -> dict[str, Any]:
    if not first:
        return second or NOTHING
    return {**first, **second} if second and second != first else first


def _tags(first: Any, second: Any) -> list[str]:
    return entries.tags(first, second) if first or second else EMPTY


def _column_meta(column: Any) -> dict[str, Any]:
    config = column.config
    return _merged(column.meta, entries.mapping(config.meta) if config is not None else None)


def _column_tags(column: Any) -> list[str]:
    return _tags(column.tags, column.config.tags if column.config is not None else None)


def _declared(meta: dict[str, Any], key: str) -> str | None:
    return entries.text(entries.mapping(meta.get("floe")).get(key, meta.get(key)))


def _column_masked(meta: dict[str, Any]) -> bool:
    return entries.masked(entries.mapping(meta.get("floe")), meta)


def _column_constraints(given: list[Any]) -> list[str]:
    return sorted({str(entries.mapping(c).get("type")) for c in given})


def _own_columns(node: Any, config: Any) -> Iterable[Any]:
    from compiler.facts.manifest.dbt2 import own_columns

    return own_columns(_each(node.columns), _merged(node.meta, config.meta), _tags(node.tags, config.tags))


def _given_config(config: dict[str, Any], unrendered: dict[str, Any] | None) -> Entry:
    from compiler.facts.manifest.dbt2 import given_config

    return given_config(config, unrendered)


def _each(given: Any) -> Iterable[Any]:
    return given.values() if isinstance(given, dict) else given


def slashes(path: str | None) -> str:
    """A path as every system writes it in the IR."""
    return path.replace("\\", "/") if path else ""


def _patch_path(path: str | None) -> str:
    return slashes(path.partition("://")[2]) if path else ""


def _access(node: Any, config: Any) -> str | None:
    return entries.access(node.access or config.access, node.resource_type)


def _depends_on(given: Any) -> list[str]:
    return sorted(set(given.nodes)) if given is not None and given.nodes else EMPTY


def _refs(given: list[Any] | None, package: str | None) -> list[Entry]:
    """``refs`` of schema v10 and newer are objects, older ones lists of one or two names; resolved later."""
    found = []
    for one in given or ():
        if isinstance(one, dict):
            name, other, version = one.get("name"), one.get("package"), one.get("version")
        else:
            names = [str(n) for n in entries.items(one)]
            name, other, version = (names[-1] if names else ""), (names[0] if len(names) > 1 else None), None
        found.append(
            {
                "name": str(name),
                "package": entries.text(other) if other is not None else None,
                "version": entries.text(version) if version is not None else None,
                "unique_id": None,
                "line": None,
                "column": None,
            }
        )
    return _once(found)


def _source_refs(given: list[Any] | None, package: str | None) -> list[Entry]:
    found = []
    for one in given or ():
        names = [str(n) for n in entries.items(one)]
        if len(names) == 2:
            found.append({"source": names[0], "table": names[1], "unique_id": None, "line": None, "column": None})
    return _once(found)


def _once(found: list[Entry]) -> list[Entry]:
    """dbt lists a reference as often as it is made; the IR lists it once, sorted."""
    if len(found) < 2:
        return found or EMPTY
    return entries.sorted_refs(r for i, r in enumerate(found) if r not in found[:i])


def _code_lines(code: str | None) -> int | None:
    return code.strip().count("\n") + 1 if code else None


def _measured(node: Any, index: int) -> Any:
    """Joins (1), stars (2) and relations written by hand (3), counted in the text as the reader of files does."""
    if not node.raw_code or node.language == "python":
        return None
    from compiler.facts.sql.text import measure_cached

    counts = measure_cached(node.raw_code)
    return (counts.code_lines, counts.joins, counts.select_star, counts.hard_coded)[index]


def _test_name(metadata: TestMetadata | _WholeMetadata | None) -> str | None:
    if metadata is None or metadata.name is None:
        return None
    return f"{metadata.namespace}.{metadata.name}" if metadata.namespace else metadata.name


def _test_column(node: Any) -> str | None:
    """The column that a test stands on, or that a test on a whole relation names in ``column_name``."""
    if node.column_name is not None or node.test_metadata is None:
        return _unquoted(str(node.column_name)) if node.column_name is not None else None
    given = entries.text(_keyword(node.test_metadata, "column_name"))
    return None if given is None else _unquoted(given)


_QUOTES = frozenset(('"', "`", "["))


def _unquoted(name: str) -> str:
    """A column that YAML asks to be quoted stands in its tests as the database wants it, and without quotes else."""
    inner = name[1:-1]
    plain = name[:1] in _QUOTES and name[-1] in '"`]' and inner and not _QUOTES & set(inner)
    return inner if plain else name


def _keyword(metadata: Any, name: str) -> Any:
    given = metadata.kwargs
    if isinstance(given, msgspec.Raw):
        given = _KEYWORDS.decode(given)
    return given.get(name) if isinstance(given, dict) else getattr(given, name, None)


def _arguments(metadata: _WholeMetadata | None) -> dict[str, Any]:
    given = metadata.kwargs if metadata is not None else None
    return {k: v for k, v in given.items() if k not in ("model", "column_name")} if given else NOTHING


def _attached_to(node: Any) -> str | None:
    """Schemas before v10 do not say, and none does for sources: then the test's argument ``model`` names it."""
    if node.attached_node is not None or node.test_metadata is None:
        return str(node.attached_node) if node.attached_node is not None else None
    nodes: list[str] = (node.depends_on and node.depends_on.nodes) or []
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    model = str(_keyword(node.test_metadata, "model"))
    called = {text.partition("'")[0] for text in model.replace('"', "'").split("'")[1::2]}
    named = [n for n in nodes if called.intersection((*entries.names_in(n), n.rpartition(".")[2]))]
    return named[-1] if named else nodes[-1]


_SEVERITIES = {"ERROR": "error", "error": "error", "WARN": "warn", "warn": "warn"}
"""What nearly all tests say, so that nothing is called for them."""


def enabled(given: Any) -> bool:
    """False for ``false``, also as text."""
    return not (given is False or str(given).lower() == "false")


_SCOPE: dict[str, Any] = {
    "EMPTY": EMPTY, "NOTHING": NOTHING, "merged": _merged, "tags": _tags, "slashes": slashes,
    "patch_path": _patch_path, "access": _access, "depends_on": _depends_on, "refs": _refs,
    "source_refs": _source_refs, "code_lines": _code_lines, "measured": _measured, "test_name": _test_name,
    "arguments": _arguments, "test_column": _test_column, "QUOTES": _QUOTES,
    "attached_to": _attached_to, "enabled": enabled,
    "column_meta": _column_meta, "column_tags": _column_tags, "declared": _declared, "column_masked": _column_masked,
    "column_constraints": _column_constraints, "text": entries.text, "day": entries.day,
    "constraints": entries.constraints,
    "grants": entries.grants, "unique_key": entries.unique_key, "retention_days": entries.retention_days,
    "freshness": entries.freshness, "owner": entries.owner, "other_config": entries.other_config,
    "own_columns": _own_columns, "given_config": _given_config,
    "severity": entries.severity, "SEVERITIES": _SEVERITIES, "KINDS": ("model", "seed", "snapshot"),
    "ALWAYS": {"seed": "seed", "snapshot": "snapshot"}, "sorted": sorted, "set": set,
}  # fmt: skip
