"""A contract as a document of the Open Data Contract Standard, v3.1.0: the same contract gives the same text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from compiler.contracts.model import Column, Contract, Promise, Table
from compiler.contracts.read import TIMES
from compiler.contracts.types import family

API_VERSION = "v3.1.0"

_LOGICAL = {
    "text": "string", "integer": "integer", "float": "number", "decimal": "number", "number": "number",
    "boolean": "boolean", "date": "date", "time": "time", "timestamp": "timestamp", "timestamp_tz": "timestamp",
    "array": "array", "object": "object", "json": "object", "uuid": "string", "bytes": "string",
}  # fmt: skip
_TEXT_OPTIONS = {"pattern": "pattern", "min_length": "minLength", "max_length": "maxLength"}
_NUMBER_OPTIONS = {"minimum": "minimum", "maximum": "maximum", "exclusive_minimum": "exclusiveMinimum",
                   "exclusive_maximum": "exclusiveMaximum", "multiple_of": "multipleOf"}  # fmt: skip


def to_odcs(contract: Contract) -> dict[str, Any]:
    """The document as plain values, keys in the standard's order."""
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract.id,
        "name": contract.name,
        "version": contract.version,
        "status": contract.status,
    }
    optional = {
        "domain": contract.domain,
        "description": {"purpose": contract.description} if contract.description else None,
        "tags": list(contract.tags),
        "servers": [{"server": name, **s} for name, s in contract.servers.items()],
        "schema": [_table(t) for t in contract.tables.values()],
        "team": {"name": contract.owner, "members": [{"username": contract.owner, "role": "owner"}]}
        if contract.owner
        else None,
        "roles": [{"role": r, "access": a} for r, a in contract.roles.items()],
        "slaProperties": [_promise(p) for p in contract.promises.values()],
        "customProperties": _custom(contract),
    }
    document |= {key: value for key, value in optional.items() if value}
    made: dict[str, Any] = plain(document)
    return made


def to_yaml(contract: Contract) -> str:
    """The document as YAML."""
    from compiler.documents.yaml_library import yaml

    text: str = yaml.safe_dump(to_odcs(contract), sort_keys=False, allow_unicode=True, width=120)
    return text


def _table(table: Table) -> dict[str, Any]:
    made = {"name": table.name, "physicalName": table.physical_name, "physicalType": table.physical_type or "table",
            "logicalType": "object",
            "description": table.description, "tags": list(table.tags), "id": table.id,
            "properties": _nested(list(table.columns.values())), "quality": list(table.quality.values())}  # fmt: skip
    return {key: value for key, value in made.items() if value}


def _nested(columns: list[Column]) -> list[dict[str, Any]]:
    """Dotted columns back inside the columns that hold them."""
    made: dict[str, dict[str, Any]] = {}
    top = []
    for column in columns:
        parent, _, name = column.name.rpartition(".")
        entry = _column(column, name)
        made[column.name] = entry
        holder = made.get(parent)
        if not parent or holder is None:
            top.append(entry)
        elif name == "[]":
            holder["items"] = {k: v for k, v in entry.items() if k != "name"}
            made[column.name] = holder["items"]
        else:
            holder.setdefault("properties", []).append(entry)
    return top


def _column(column: Column, name: str) -> dict[str, Any]:
    kind = family(column.type or column.physical_type)
    logical = _LOGICAL.get(kind or "")
    options = _TEXT_OPTIONS if logical == "string" else _NUMBER_OPTIONS if logical in ("number", "integer") else {}
    limits = {options[k]: v for k, v in column.options.items() if k in options}
    if column.format and logical == "string":
        limits["format"] = column.format
    physical = column.physical_type or (column.type if column.type != logical else None)
    quality = list(column.quality.values())
    if column.enum is not None:
        quality.append(
            {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": list(column.enum)}}
        )
    made = {"name": name, "id": column.id, "logicalType": logical, "physicalType": physical,
            "physicalName": column.physical_name, "description": column.description, "required": column.required,
            "unique": column.unique, "primaryKey": column.key_position is not None,
            "primaryKeyPosition": column.key_position, "partitioned": column.partition_position is not None,
            "partitionKeyPosition": column.partition_position, "classification": column.classification,
            "logicalTypeOptions": limits, "tags": list(column.tags), "quality": quality,
            "relationships": [{"to": r} for r in column.references]}  # fmt: skip
    return {key: value for key, value in made.items() if value}


def _promise(promise: Promise) -> dict[str, Any]:
    value: Any = promise.text
    unit = None
    if promise.value is not None:
        value = promise.value
        unit = "h" if promise.name in TIMES else "%"
    made = {"property": promise.name, "value": value, "unit": unit, "element": promise.element}
    return {key: one for key, one in made.items() if one is not None}


def _custom(contract: Contract) -> list[dict[str, Any]]:
    """What the standard has no field for."""
    given = {k: v for k, v in contract.custom.items() if k not in ("deprecation", "consumers")}
    end = contract.deprecation
    if contract.product:
        given.setdefault("product", contract.product)
    if end is not None:
        named = {"announced": end.announced, "sunset_date": end.sunset_date, "replacement": end.replacement,
                 "migration_guide": end.migration_guide, "reason": end.reason}  # fmt: skip
        given["deprecation"] = {k: v for k, v in named.items() if v}
    if contract.consumers:
        given["consumers"] = [
            {"domain": p.domain, "product": p.product, **({"columns": list(p.columns)} if p.columns else {})}
            for p in contract.consumers
        ]
    return [{"property": name, "value": value} for name, value in given.items()]


def plain(value: Any) -> Any:
    """Decimal as int or float, tuples as lists: what JSON and YAML have."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return value
