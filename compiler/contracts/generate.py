"""Contracts from a product's output ports, enriched from what dbt knows of the models behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from compiler.contracts.model import Column, Contract, Promise, Table
from compiler.contracts.read import promise
from compiler.documents.models import Document
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.spell import did_you_mean

Entry = Mapping[str, Any]

_JSON_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "array": "array",
               "object": "object"}  # fmt: skip


def generate_contracts(
    product: Document, models: Sequence[Entry] = (), schemas: Mapping[str, Any] | None = None
) -> Outcome[tuple[Contract, ...]]:
    """A contract for each output port of ``product``.

    ``models`` are the facts of dbt's models (docs/ir.md), ``schemas`` the JSON Schemas that ports refer to, by their
    ``ref``. FLC519: no model makes the port's table, so that nothing is known of its columns.
    """
    found: list[Diagnostic] = []
    made = []
    for i, port in enumerate(product.data.get("output_ports", ())):
        model = model_of_port(port, models)
        columns = {c.name: c for c in (*from_model(model), *_from_schema(port.get("schema"), schemas or {}))}
        if model is None and not columns:
            span = product.span(("output_ports", i, "model" if "model" in port else "table"))
            wanted = port.get("model") or port.get("table") or port["name"]
            hint = did_you_mean(str(wanted).rpartition(".")[2], [str(m["name"]) for m in models])
            text = f"no model of the project makes `{wanted}`: its contract has no columns"
            found.append(Diagnostic("FLC519", text, span, Severity.WARN, hint=hint or "name it with `model`"))
        made.append(_contract(product, i, port, model, columns))
    return Outcome(tuple(made), tuple(found))


def model_of_port(port: Entry, models: Iterable[Entry]) -> Entry | None:
    """The model that makes a port's table: by ``model`` (name or unique_id), else by the table's last part."""
    wanted = port.get("model") or port.get("table") or port.get("name")
    name = str(wanted).rpartition(".")[2]
    candidates = [m for m in models if wanted == m["unique_id"] or name in (m["name"], m.get("alias"))]
    schema = str(wanted).split(".")[-2] if "." in str(wanted) else None
    exact = [m for m in candidates if schema is not None and m.get("schema") == schema]
    latest = [m for m in candidates if m.get("version") is not None and m.get("version") == m.get("latest_version")]
    return next(iter(exact or latest or candidates), None)


def merge(written: Contract, generated: Contract) -> Contract:
    """A written contract with what it leaves open filled in from the generated one; what is written stands."""
    tables = {}
    for name, table in written.tables.items():
        other = generated.tables.get(name) or next(iter(generated.tables.values()), None)
        known = other.columns if other is not None else {}
        columns = {n: _filled(c, known[n]) if n in known else c for n, c in table.columns.items()}
        description = table.description or (other.description if other is not None else "")
        tables[name] = replace(table, columns=columns, description=description)
    return replace(
        written,
        tables=tables or generated.tables,
        promises={**generated.promises, **written.promises},
        domain=written.domain or generated.domain,
        product=written.product or generated.product,
        owner=written.owner or generated.owner,
        description=written.description or generated.description,
        roles=written.roles or generated.roles,
    )


def _filled(written: Column, known: Column) -> Column:
    return replace(
        written,
        type=written.type or known.type,
        physical_type=written.physical_type or known.physical_type,
        description=written.description or known.description,
        classification=written.classification or known.classification,
    )


def _contract(product: Document, i: int, port: Entry, model: Entry | None, columns: dict[str, Column]) -> Contract:
    meta = product.data["metadata"]
    domain, name = str(meta.get("domain") or ""), str(meta["name"])
    parts = [p for p in (domain, name, port["name"]) if p]
    table = str(port.get("table") or (model["name"] if model is not None else port["name"]))
    description = str(port.get("description") or (model["description"] if model is not None else ""))
    access = {"access": model["access"]} if model is not None and model.get("access") else {}
    return Contract(
        id=".".join(parts),
        name="-".join(parts),
        version=_semver(str(meta.get("version") or "0.0.0")),
        status="active",
        dialect="generated",
        tables={table.rpartition(".")[2]: Table(table.rpartition(".")[2], columns, table if "." in table else None,
                                                description=description)},
        promises={p.name: p for p in _promises(port.get("sla", {}))},
        domain=domain,
        product=name,
        owner=str(meta.get("owner") or product.data.get("ownership", {}).get("email") or "") or None,
        description=description,
        roles={str(g.get("role") or g.get("domain")): str(g.get("access", "read"))
               for g in port.get("access", {}).get("grants", ())},
        custom={"port": port["name"], **access},
        document=None,
        file=f"{product.file}#{port['name']}",
    )  # fmt: skip


def _semver(version: str) -> str:
    return version if version.count(".") >= 2 else f"{version}.0"


def _promises(sla: Entry) -> Iterable[Promise]:
    for name, value in sla.items():
        if isinstance(value, dict):
            yield from _promises(value)
        else:
            unit = "%" if name != "freshness" and not isinstance(value, str) else None
            yield promise(name, value, unit, None, ())


def from_model(model: Entry | None) -> Iterable[Column]:
    """The columns of a dbt model: types declared or from the catalog, tests and constraints as limits."""
    if model is None:
        return
    keys = {name: i for i, name in enumerate(model.get("primary_key") or (), 1)}
    for column in model["columns"]:
        tests, constraints = set(column.get("tests") or ()), set(column.get("constraints") or ())
        name = column["name"]
        yield Column(
            name,
            None,
            column.get("catalog_type") or column.get("type"),
            required="not_null" in tests | constraints or "primary_key" in constraints or name in keys,
            unique="unique" in tests | constraints or (name in keys and len(keys) == 1),
            key_position=keys.get(name),
            classification=column.get("classification"),
            enum=_accepted(model, name),
            description=column.get("description") or "",
            tags=tuple(column.get("tags") or ()),
        )


def _accepted(model: Entry, column: str) -> tuple[Any, ...] | None:
    """The values of an accepted_values test, where the facts hold its arguments."""
    for test in model.get("tests") or ():
        if test.get("name") == "accepted_values" and test.get("column") == column:
            values = (test.get("arguments") or {}).get("values")
            return tuple(values) if isinstance(values, list) else None
    return None


def _from_schema(given: Any, schemas: Mapping[str, Any]) -> Iterable[Column]:
    """Columns that the port itself lists, or those of the JSON Schema that it names."""
    ref = given if isinstance(given, str) else given.get("ref") if isinstance(given, dict) else None
    listed = given if isinstance(given, list) else given.get("columns", ()) if isinstance(given, dict) else ()
    if ref is not None and isinstance(schemas.get(ref), dict):
        yield from _from_json_schema(schemas[ref])
    for column in listed:
        yield Column(
            column["name"],
            column.get("type"),
            required=bool(column.get("required", False) or column.get("primary_key", False)),
            unique=bool(column.get("unique", False)),
            key_position=1 if column.get("primary_key") else None,
            classification=column.get("classification"),
            format=column.get("format"),
            enum=tuple(column["enum"]) if "enum" in column else None,
            description=column.get("description", ""),
        )


def _from_json_schema(schema: Mapping[str, Any]) -> Iterable[Column]:
    required = schema.get("required") or ()
    properties = schema.get("properties")
    for name, one in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(one, dict):
            continue
        types = one.get("type")
        words = [t for t in (types if isinstance(types, list) else [types]) if t != "null"]
        nullable = isinstance(types, list) and "null" in types
        formats = {"date-time": "timestamp", "date": "date", "time": "time"}
        kind = formats.get(str(one.get("format"))) or _JSON_TYPES.get(str(words[0]) if words else "")
        enum = one.get("enum")
        yield Column(
            str(name),
            kind,
            required=name in required and not nullable,
            format=None if one.get("format") in formats else one.get("format"),
            enum=tuple(enum) if isinstance(enum, list) else None,
            description=str(one.get("description") or ""),
        )
