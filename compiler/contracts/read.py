"""A contract document in any of its spellings as one form."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from compiler.contracts.model import Column, Contract, Deprecation, Dialect, Party, Promise, Table
from compiler.documents.contract import LIFECYCLE
from compiler.documents.models import Document, validate_document
from compiler.documents.shape import Keys
from compiler.documents.values import hours
from policy_lang.diagnostics import Diagnostic, Outcome, blocking

Data = dict[str, Any]

TIMES = frozenset({"freshness", "latency", "retention", "frequency", "timetodetect", "timetonotify", "timetorepair",
                    "supportresponse", "recoverytime", "interval"})  # fmt: skip
"""Promises of a time; the others are shares in per cent."""
_OPTIONS = {
    "pattern": "pattern", "minLength": "min_length", "maxLength": "max_length", "minimum": "minimum",
    "maximum": "maximum", "exclusiveMinimum": "exclusive_minimum", "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of", "minItems": "min_items", "maxItems": "max_items", "precision": "precision",
    "scale": "scale",
}  # fmt: skip


_CONTRACT_KEYS = frozenset({
    "apiVersion", "kind", "id", "name", "version", "status", "metadata", "owner", "domain", "dataProduct",
    "description", "tags", "servers", "schema", "models", "team", "roles", "slaProperties", "slaDefaultElement",
    "deprecation", "sla", "provider", "consumer", "consumers", "customProperties",
})  # fmt: skip
_TABLE_KEYS = frozenset({
    "id", "name", "physicalName", "physicalType", "logicalType", "description", "properties", "elements",
    "quality", "tags", "primaryKey", "type", "relationships",
})  # fmt: skip
_COLUMN_KEYS = frozenset({
    "id", "name", "logicalType", "physicalType", "physicalName", "required", "unique", "primaryKey",
    "primaryKeyPosition", "partitioned", "partitionKeyPosition", "classification", "logicalTypeOptions", "enum",
    "description", "tags", "quality", "properties", "items", "relationships",
})  # fmt: skip
_ELEMENT_KEYS = _COLUMN_KEYS | {"type", "format", "references", "fields", *_OPTIONS}
"""What the form of a contract holds; the rest is ``extra``."""


def load_contract(path: Path | str) -> Outcome[Contract]:
    """Read and check one contract file; FLC517 where it is another kind of document."""
    from compiler.documents.yaml_loader import load_file  # contracts are made without any parser, too

    loaded = load_file(path)
    if loaded.value is None:
        return Outcome(None, loaded.diagnostics)
    checked = validate_document(loaded.value)
    found = [*loaded.diagnostics, *checked.diagnostics]
    if checked.value is None or blocking(found):
        return Outcome(None, tuple(found))
    if checked.value.kind != "DataContract":
        text = f"a {checked.value.kind} is no data contract"
        found.append(Diagnostic("FLC517", text, checked.value.span(("kind",)), hint="name a datacontract.yaml"))
        return Outcome(None, tuple(found))
    return Outcome(read_contract(checked.value), tuple(found))


def read_contract(document: Document) -> Contract:
    """The contract of a checked document."""
    data = document.data
    meta = data.get("metadata", {})
    dialect: Dialect = (
        "cross-domain" if "provider" in data else "floe" if "models" in data or "owner" in data else "odcs"
    )
    custom = _custom(data.get("customProperties", ()))
    provider = _party(data.get("provider"))
    name = str(data.get("name") or meta.get("name") or data.get("id"))
    consumer = [
        p
        for p in (_party(data.get("consumer")), *map(_party, data.get("consumers", custom.get("consumers", ()))))
        if p is not None
    ]
    return Contract(
        id=str(data.get("id") or meta.get("name") or name),
        name=name,
        version=str(data.get("version") or meta.get("version")),
        status=_status(data),
        dialect=dialect,
        tables={table.name: table for table in _tables(data, provider)},
        promises=_by_name(_promises(data)),
        domain=data.get("domain") or (provider.domain if provider else ""),
        product=data.get("dataProduct") or str(custom.get("product") or (provider.product if provider else "")),
        owner=_owner(data, meta),
        description=_description(data, meta),
        tags=tuple(data.get("tags", ())),
        roles={r["role"]: str(r.get("access", "read")) for r in data.get("roles", ())},
        servers={str(s.get("server") or s.get("environment") or s["type"]): s for s in data.get("servers", ())},
        deprecation=_deprecation(data.get("deprecation", custom.get("deprecation"))),
        provider=provider,
        consumers=tuple(consumer),
        notice=data.get("validation", {}).get("breaking_change_notification"),
        custom=custom,
        extra={**_extra(data, _CONTRACT_KEYS), **_about(data)},
        document=document,
        file=document.file,
    )


def _status(data: Data) -> str:
    """A word that no rule knows stands for a contract in force, which is held to the most."""
    given = data.get("status") or ("deprecated" if "deprecation" in data else "active")
    return given if given in LIFECYCLE else "active"


def _tables(data: Data, provider: Party | None) -> Iterator[Table]:
    schema = data.get("schema")
    if isinstance(schema, list):
        for i, one in enumerate(schema):
            path: Keys = ("schema", i)
            columns = [
                c for j, p in enumerate(one.get("properties", ())) for c in _odcs(p, "", (*path, "properties", j))
            ]
            yield Table(
                one["name"],
                {c.name: c for c in columns},
                one.get("physicalName"),
                one.get("physicalType"),
                one.get("id"),
                one.get("description", ""),
                _rules(one.get("quality", ())),
                tuple(one.get("tags", ())),
                _references(one),
                _extra(one, _TABLE_KEYS),
                path,
            )
    elif isinstance(schema, dict):
        columns = [
            c for i, one in enumerate(schema["columns"]) for c in _element(one["name"], one, ("schema", "columns", i))
        ]
        name = provider.port if provider is not None and provider.port else "columns"
        yield Table(name, {c.name: c for c in columns}, path=("schema",))
    for name, model in data.get("models", {}).items():
        path = ("models", name)
        elements = [c for n, e in model.get("elements", {}).items() for c in _element(n, e, (*path, "elements", n))]
        keys = {n: i for i, n in enumerate(model.get("primaryKey", ()), 1)}
        if keys:
            elements = [_keyed(c, keys) for c in elements]
        yield Table(
            name,
            {c.name: c for c in elements},
            physical_type=model.get("type"),
            description=model.get("description", ""),
            quality=_rules(model.get("quality", ())),
            tags=tuple(model.get("tags", ())),
            extra=_extra(model, _TABLE_KEYS),
            path=path,
        )


def _keyed(column: Column, keys: dict[str, int]) -> Column:
    from msgspec.structs import replace

    return replace(column, key_position=keys.get(column.name, column.key_position))


def _odcs(data: Data, prefix: str, path: Keys) -> Iterator[Column]:
    """A property and, dotted, those inside it."""
    name = prefix + data["name"]
    options = {_OPTIONS[k]: v for k, v in data.get("logicalTypeOptions", {}).items() if k in _OPTIONS}
    yield Column(
        name,
        data.get("logicalType"),
        data.get("physicalType"),
        data.get("physicalName"),
        data.get("id"),
        bool(data.get("required", False) or data.get("primaryKey", False)),
        bool(data.get("unique", False)),
        data.get("primaryKeyPosition", 1) if data.get("primaryKey") else None,
        data.get("partitionKeyPosition", 1) if data.get("partitioned") else None,
        data.get("classification"),
        data.get("logicalTypeOptions", {}).get("format"),
        _enum(data),
        options,
        _references(data),
        _rules(data.get("quality", ())),
        data.get("description", ""),
        tuple(data.get("tags", ())),
        _extra(data, _COLUMN_KEYS),
        path,
    )
    for j, inner in enumerate(data.get("properties", ())):
        yield from _odcs(inner, f"{name}.", (*path, "properties", j))
    items = data.get("items")
    if isinstance(items, dict) and ("properties" in items or "logicalType" in items):
        yield from _odcs({"name": "[]", **items}, f"{name}.", (*path, "items"))


def _references(data: Data) -> tuple[str, ...]:
    """The foreign keys of a column (``to``), or those of a table (``from -> to``)."""
    keys = [r for r in data.get("relationships", ()) if isinstance(r, dict) and r.get("to")]
    return tuple(f"{_end(r['from'])} -> {_end(r['to'])}" if r.get("from") else _end(r["to"]) for r in keys)


def _end(given: str | list[str]) -> str:
    return given if isinstance(given, str) else f"({', '.join(given)})"


def _element(name: str, data: Data, path: Keys, prefix: str = "") -> Iterator[Column]:
    yield Column(
        prefix + name,
        data.get("type"),
        required=bool(data.get("required", False) or data.get("primaryKey", False)),
        unique=bool(data.get("unique", False)),
        key_position=1 if data.get("primaryKey") else None,
        classification=data.get("classification"),
        format=data.get("format"),
        enum=_enum(data),
        options={_OPTIONS[k]: data[k] for k in _OPTIONS if k in data},
        references=(data["references"],) if "references" in data else (),
        quality=_rules(data.get("quality", ())),
        description=data.get("description", ""),
        tags=tuple(data.get("tags", ())),
        extra=_extra(data, _ELEMENT_KEYS),
        path=path,
    )
    for inner, one in data.get("fields", {}).items():
        yield from _element(inner, one, (*path, "fields", inner), f"{prefix}{name}.")
    if isinstance(data.get("items"), dict):
        yield from _element("[]", data["items"], (*path, "items"), f"{prefix}{name}.")


def _extra(data: Data, known: frozenset[str]) -> dict[str, Any]:
    """What no rule of the comparison knows."""
    return {key: value for key, value in data.items() if key not in known}


def _enum(data: Data) -> tuple[Any, ...] | None:
    """The listed values; ODCS 3.1 has them as a rule on invalid values."""
    given = data.get("enum")
    for rule in () if given is not None else data.get("quality", ()):
        if isinstance(rule, dict) and rule.get("metric") == "invalidValues" and isinstance(rule.get("arguments"), dict):
            given = rule["arguments"].get("validValues")
    return tuple(given) if isinstance(given, list) else None


def _rules(rules: Any) -> dict[str, dict[str, Any]]:
    """Quality rules by what they measure: a rule that measures the same is the same rule."""
    found: dict[str, dict[str, Any]] = {}
    for rule in rules:
        if not isinstance(rule, dict) or rule.get("type") == "text":
            continue
        if isinstance(rule.get("arguments"), dict) and "validValues" in rule["arguments"]:
            continue  # read as the column's enumeration
        about = (rule.get("name"), rule.get("metric"), rule.get("query"), rule.get("type"), rule.get("specification"))
        key = next((str(a) for a in about if a), "rule")
        while key in found:
            key += "+"
        found[key] = rule
    return found


def _by_name(promises: Iterator[Promise]) -> dict[str, Promise]:
    """The standard allows one property several times, each measured on something else."""
    found: dict[str, Promise] = {}
    for one in promises:
        key = one.name if one.name not in found else f"{one.name} of {one.element or 'all'}"
        while key in found:
            key += "+"
        found[key] = one
    return found


def _promises(data: Data) -> Iterator[Promise]:
    given = data.get("slaProperties", [])
    default = data.get("slaDefaultElement")
    if isinstance(given, list):
        for i, one in enumerate(given):
            if "value" in one:
                yield promise(
                    one["property"], one["value"], one.get("unit"), one.get("element", default), ("slaProperties", i)
                )
    else:
        yield from _nested(given, ("slaProperties",), default)
    yield from _nested(data.get("sla", {}), ("sla",), None)
    for key, holder in (("retention", data.get("terms")),):
        if isinstance(holder, dict) and isinstance(holder.get(key), str) and hours(holder[key]) is not None:
            yield promise(key, holder[key], None, None, ("terms", key))
    custom = data.get("customProperties", ())
    for i, one in enumerate(custom if isinstance(custom, list) else ()):
        if isinstance(one, dict) and one.get("property") == "retention" and hours(one.get("value")) is not None:
            yield promise("retention", one["value"], None, None, ("customProperties", i))


def _nested(given: Data, path: Keys, element: str | None) -> Iterator[Promise]:
    """``freshness: 6h``, ``freshness: {value: PT6H, element: updated_at}`` and ``quality: {completeness: 99%}``."""
    for name, one in given.items():
        if isinstance(one, dict) and "value" in one:
            yield promise(name, one["value"], one.get("unit"), one.get("element", element), (*path, name))
        elif isinstance(one, dict):
            yield from _nested(one, (*path, name), element)
        else:
            yield promise(name, one, None, element, (*path, name))


def promise(name: str, value: Any, unit: str | None, element: str | None, path: Keys) -> Promise:
    """A promise with its value in hours (times) or per cent (shares)."""
    text = f"{value}{unit or ''}" if unit else str(value)
    return Promise(_canonical(name), _measure(_canonical(name), value, unit), text, element, path)


def _canonical(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _measure(name: str, value: Any, unit: str | None) -> Decimal | None:
    if unit and not isinstance(value, bool) and (measured := hours(f"{value}{unit}")) is not None:
        return measured
    if name in TIMES:
        return hours(value)
    if isinstance(value, str) and value.strip().endswith("%"):
        value = value.strip().rstrip("% ")
        return Decimal(value) if value.replace(".", "", 1).isdigit() else None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return Decimal(value)
    return hours(value)


def _owner(data: Data, meta: Data) -> str | None:
    team = data.get("team")
    if data.get("owner") or meta.get("owner"):
        return str(data.get("owner") or meta.get("owner"))
    if isinstance(team, str):
        return team
    members = team if isinstance(team, list) else team.get("members", ()) if isinstance(team, dict) else ()
    named = [m.get("username") or m.get("name") for m in members if isinstance(m, dict)]
    owners = [m.get("username") or m.get("name") for m in members if isinstance(m, dict) and m.get("role") == "owner"]
    found = next((n for n in (*owners, *named) if n), None)
    return found or (team.get("name") if isinstance(team, dict) else None)


def _description(data: Data, meta: Data) -> str:
    given = data.get("description") or meta.get("description") or ""
    if isinstance(given, dict):
        return str(given.get("purpose") or "")
    return str(given).strip()


def _about(data: Data) -> Data:
    """What the description says beside the purpose."""
    given = data.get("description")
    return {f"description.{k}": v for k, v in given.items() if k != "purpose"} if isinstance(given, dict) else {}


def _deprecation(data: Any) -> Deprecation | None:
    if not isinstance(data, dict):
        return None
    known = {k: data.get(k) for k in ("announced", "sunset_date", "replacement", "migration_guide")}
    return Deprecation(**known, reason=data.get("reason", ""))


def _party(data: Any) -> Party | None:
    if not isinstance(data, dict) or not data.get("domain") or not data.get("product"):
        return None
    return Party(str(data["domain"]), str(data["product"]), data.get("port"), tuple(map(str, data.get("columns", ()))))


def _custom(given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return dict(given)
    return {str(p["property"]): p.get("value") for p in given if isinstance(p, dict) and "property" in p}
