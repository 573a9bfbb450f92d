"""Contracts as the IR's ``contracts`` (docs/ir.md): one entry a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from compiler.contracts.compare import Change, compare, due
from compiler.contracts.generate import generate_contracts, merge, model_of_port
from compiler.contracts.judge import next_version
from compiler.contracts.model import Column, Contract, Table
from compiler.documents.models import Document
from compiler.tiers.versions import Version, parse_version
from policy_lang.diagnostics import Outcome

Entry = dict[str, Any]
_SLA = ("availability", "completeness", "accuracy")
_ENDS = ("announced", "sunset_date", "replacement", "reason")
_STATUS = {"proposed": "draft"}


def contract_entries(
    product: Document,
    models: Sequence[Mapping[str, Any]],
    written: Sequence[Contract],
    *,
    levels: Mapping[str, int] | None = None,
    class_levels: Mapping[str, str | None] | None = None,
    schemas: Mapping[str, Any] | None = None,
    automatic: Mapping[str, Any] | None = None,
) -> Outcome[list[Entry]]:
    """The contracts of a product: written ones, filled up from ports and models, and generated ones for other ports.

    Of several versions of a contract the highest is the one in force; the next lower is its previous version.
    ``class_levels`` gives the level of a category. ``automatic`` is the manifest's ``auto_generation``: whether ports
    without a written contract get one, and whether dbt says what is in it.
    """
    said = automatic or {}
    alone = said.get("enabled", True) and said.get("from_ports", True)
    generated = generate_contracts(product, models if said.get("from_dbt_manifest", True) else (), schemas)
    made, found = list(generated.value or ()), list(generated.diagnostics)
    entries: list[Entry] = []
    covered = set()
    for versions in versions_by_id(written).values():
        contract, previous = versions[0], versions[1] if len(versions) > 1 else None
        port = next((g for g in made if _same(g, contract)), None)
        if port is not None:
            covered.add(port.id)
        whole = merge(contract, port) if port is not None else contract
        entries += _entries(whole, previous, port, models, "written", levels, class_levels or {})
    for one in made:
        if alone and one.id not in covered:
            entries += _entries(one, None, one, models, "generated", levels, class_levels or {})
    kept = [d for d in found if d.code != "FLC519" or (alone and not covered)]
    return Outcome(sorted(entries, key=lambda e: (e["id"], e["version"])), tuple(kept))


def versions_by_id(contracts: Sequence[Contract]) -> dict[str, list[Contract]]:
    """The versions of each contract, the highest first."""
    found: dict[str, list[Contract]] = {}
    for contract in contracts:
        found.setdefault(contract.id, []).append(contract)
    lowest = Version(-1, 0, 0)
    for versions in found.values():
        versions.sort(key=lambda c: parse_version(c.version) or lowest, reverse=True)
    return dict(sorted(found.items()))


def _same(generated: Contract, written: Contract) -> bool:
    """Whether a written contract is that of a port: by its id or name, or by the table or port that it is about."""
    port = str(generated.custom["port"])
    names = {generated.id, generated.name, f"{generated.product}-{port}", f"{generated.product}.{port}"}
    tables = {*generated.tables, port}
    return bool(names & {written.id, written.name}) or (len(written.tables) == 1 and bool(tables & set(written.tables)))


def _entries(
    contract: Contract,
    previous: Contract | None,
    port: Contract | None,
    models: Sequence[Mapping[str, Any]],
    origin: str,
    levels: Mapping[str, int] | None,
    class_levels: Mapping[str, str | None],
) -> list[Entry]:
    changes = compare(previous, contract, levels) if previous is not None else ()
    about = {**_about(contract, port, origin), **_versions(previous, changes)}
    tables: list[Table | None] = [*contract.tables.values()]
    result = []
    for table in tables or [None]:
        wanted = {"table": table.physical_name or table.name} if table is not None else {"name": contract.name}
        model = model_of_port(wanted, models)
        columns = table.columns.values() if table is not None else ()
        here = [c for c in changes if c.table is None or (table is not None and c.table == table.name)]
        result.append(
            {
                **about,
                "model": model["unique_id"] if model is not None else None,
                "columns": [_column(c, class_levels) for c in columns],
                "changes": [{"kind": c.rule, "column": c.column, "severity": c.severity, "text": c.text} for c in here],
            }
        )
    return result


def _about(contract: Contract, port: Contract | None, origin: str) -> Entry:
    end, provider = contract.deprecation, contract.provider
    named = provider.port if provider is not None else None
    return {
        "id": contract.id,
        "name": contract.name,
        "version": contract.version,
        "status": _STATUS.get(contract.status, contract.status),
        "origin": origin,
        "domain": contract.domain,
        "product": contract.product,
        "port": str(port.custom["port"]) if port is not None else named,
        "owner": contract.owner,
        "description": contract.description,
        "tags": list(contract.tags),
        "sla": {"freshness_hours": _promised(contract, "freshness"), **{k: _promised(contract, k) for k in _SLA}},
        "deprecation": None if end is None else {k: getattr(end, k) for k in _ENDS},
        "consumers": [{"domain": p.domain, "product": p.product} for p in contract.consumers],
        "path": contract.file.partition("#")[0],
    }


def _versions(previous: Contract | None, changes: tuple[Change, ...]) -> Entry:
    bump, version = due(changes), parse_version(previous.version) if previous is not None else None
    return {
        "previous_version": previous.version if previous is not None else None,
        "due_version": str(next_version(version, bump)) if version is not None and bump is not None else None,
    }


def _promised(contract: Contract, name: str) -> int | Decimal | None:
    """Hours or per cent, as an int where it is whole: the IR holds no floats."""
    value = contract.promises[name].value if name in contract.promises else None
    return int(value) if value is not None and value == int(value) else value


def _column(column: Column, class_levels: Mapping[str, str | None]) -> Entry:
    return {
        "name": column.name,
        "type": column.physical_type or column.type,
        "required": column.required,
        "unique": column.unique,
        "primary_key": column.key_position is not None,
        "classification": column.classification,
        "level": class_levels.get(column.classification or ""),
        "description": column.description,
    }
