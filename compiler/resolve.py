"""Follow a document's references to its parents, and give the IR's ``platform`` and ``product``.

Codes: FLC401 missing parent, FLC402 cycle, FLC403 a parent of the wrong kind or scope, FLC404 a reference
into a registry, FLC405 an exemption that has expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import Keys, load_file
from compiler.inherit import Resolved
from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity

_PREFIXES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "medallion": (("bronze", "bronze_", 50), ("silver", "silver_", 80), ("gold", "gold_", 100)),
    "kimball": (("staging", "stg_", 50), ("dimensions", "dim_", 100), ("facts", "fact_", 100)),
    "data_vault": (("hubs", "hub_", 100), ("links", "link_", 100), ("satellites", "sat_", 100)),
}
_OPEN = ("services", "observability", "resource_presets", "artifacts", "identity", "security", "environments")


@dataclass(frozen=True, slots=True)
class Chain:
    """The product, where one was read, and the manifests above it, the topmost first."""

    product: Document | None
    manifests: tuple[Document, ...]


def load_chain(path: Path | str, *, registry: Severity = Severity.NOTIFY) -> Outcome[Chain]:
    """Read ``path`` and all that it refers to; ``registry`` is the severity of FLC404."""
    found: list[Diagnostic] = []
    first = _read(Path(path), found)
    if first is None:
        return Outcome(None, tuple(found))
    product = first if first.kind == "DataProduct" else None
    manifests = [] if product is not None else [first]
    seen = {Path(path).resolve()}
    current: Document | None = first
    while current is not None:
        current = _parent(current, seen, found, registry)
        if current is not None:
            manifests.append(current)
    return Outcome(Chain(product, tuple(reversed(manifests))), tuple(found))


def _read(path: Path, found: list[Diagnostic]) -> Document | None:
    loaded = load_file(path)
    found.extend(loaded.diagnostics)
    if loaded.value is None:
        return None
    checked = validate_document(loaded.value)
    found.extend(checked.diagnostics)
    return checked.value


def _reference(document: Document) -> tuple[Keys, str] | None:
    for holder in ("parent",) if document.kind == "Manifest" else ("domain", "platform"):
        value = document.data.get(holder)
        if isinstance(value, dict) and isinstance(value.get("ref"), str):
            return (holder, "ref"), value["ref"]
    return None


def _parent(child: Document, seen: set[Path], found: list[Diagnostic], registry: Severity) -> Document | None:
    reference = _reference(child)
    if reference is None:
        return None
    keys, ref = reference
    span = child.span(keys)
    if "://" in ref:
        hint = "name a path to the manifest to judge this document together with its parents"
        text = f"`{ref}` is in a registry, which is not read here"
        found.append(Diagnostic("FLC404", text, span, registry, hint=hint, path=keys))
        return None
    target = Path(child.file).parent / ref
    if target.is_dir():
        target = target / "manifest.yaml"
    if not target.is_file():
        hint = f"the path is relative to `{child.file}`"
        found.append(Diagnostic("FLC401", f"the parent `{ref}` does not exist", span, hint=hint, path=keys))
        return None
    if target.resolve() in seen:
        found.append(
            Diagnostic("FLC402", f"`{ref}` closes a cycle of parents", span, path=keys, hint="cut one reference")
        )
        return None
    seen.add(target.resolve())
    parent = _read(target, found)
    if parent is None:
        return None
    wrong = parent.kind != "Manifest" or (child.kind == "Manifest" and parent.scope != "enterprise")
    if wrong:
        text = f"`{ref}` cannot be a parent: it is a {parent.kind} of scope {parent.scope}"
        related = (Label(parent.span(("kind",)), "declared here"),)
        found.append(Diagnostic("FLC403", text, span, path=keys, related=related))
    return parent if parent.kind == "Manifest" else None


def exemptions(resolved: Resolved, today: date) -> Outcome[list[dict[str, Any]]]:
    """The exemptions in force, and FLC405 for each that has expired."""
    found: list[Diagnostic] = []
    for document in resolved.chain:
        for i, item in enumerate(_list(document.data.get("exemptions"))):
            if isinstance(item, dict) and item.get("expires") and str(item["expires"]) < today.isoformat():
                text = f"the exemption from {item.get('policy')} expired on {item['expires']}"
                span = document.span(("exemptions", i, "expires"))
                found.append(Diagnostic("FLC405", text, span, hint="fix the cause, or renew it with a new date"))
    return Outcome(_list(resolved.data.get("exemptions")), tuple(found))


def policies_in_force(resolved: Resolved) -> list[dict[str, Any]]:
    """``{use, severity, params}`` of each bundle; all of the standard library where none is named."""
    uses = _list(resolved.data.get("policies")) or [{"use": "stdlib"}]
    return [{"use": u["use"], "severity": _dict(u.get("severity")), "params": _dict(u.get("params"))} for u in uses]


def platform_ir(resolved: Resolved) -> dict[str, Any]:
    """The IR's ``platform`` with all its fields (docs/ir.md)."""
    data = resolved.data
    meta = _dict(data.get("metadata"))
    tiers = [{"scope": d.scope, **_pick(_dict(d.data.get("metadata")), "name", "version")} for d in resolved.chain]
    return {
        **_pick(meta, "name", "version", "owner", "description"),
        "tiers": tiers,
        "domain": _domain(data["domain"]) if data.get("domain") else None,
        "domains": [
            {**_domain(d), "extra_policies": _dict(d.get("extra_policies"))} for d in _list(data.get("domains"))
        ],
        "plugins": {k: _plugin(_dict(v)) for k, v in _dict(data.get("plugins")).items()},
        "approved_plugins": _dict(data.get("approved_plugins")),
        "approved_sinks": data.get("approved_sinks"),
        "approved_products": data.get("approved_products"),
        "data_architecture": _architecture(_dict(data.get("data_architecture"))),
        "governance": _governance(_dict(data.get("governance")), data),
        **{k: data.get(k) or {} for k in _OPEN},
    }


def _architecture(data: dict[str, Any]) -> dict[str, Any]:
    pattern = data.get("pattern") or "medallion"
    naming = _dict(data.get("naming"))
    given = data.get("layers")
    named = given if isinstance(given, dict) else {str(v.get("name")): v for v in _list(given)}
    defaults = {name: (prefix, cover) for name, prefix, cover in _PREFIXES.get(pattern, ())}
    names = list(named) or list(defaults)
    layers = [_layer(n, i, _dict(named.get(n)), defaults.get(n), names) for i, n in enumerate(names)]
    case = naming.get("case") or "snake_case"
    return {
        "pattern": pattern,
        "naming": {"enforcement": naming.get("enforcement") or "warn", "case": case},
        "layers": layers,
    }


def _layer(
    name: str, rank: int, data: dict[str, Any], default: tuple[str, int] | None, names: list[str]
) -> dict[str, Any]:
    gates = _dict(data.get("quality_gates"))
    prefix: Any = data.get("prefix") or (default[0] if default and not data.get("pattern") else [])
    allowed = data.get("may_depend_on")
    coverage = gates.get("minimum_coverage")
    return {
        "name": name,
        "rank": rank,
        "prefixes": [prefix] if isinstance(prefix, str) else prefix,
        "pattern": data.get("pattern"),
        "description": data.get("description") or "",
        "catalog_namespace": data.get("catalog_namespace") or "",
        "may_depend_on": names[: rank + 1] if allowed is None else allowed,
        "minimum_coverage": coverage if coverage is not None else default[1] if default else None,
        "required_tests": _list(gates.get("required_tests")),
        "required_documentation": bool(gates.get("required_documentation")),
    }


def _governance(data: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    classes = _dict(data.get("classification"))
    words = _list(classes.get("levels")) or ["public", "internal", "confidential", "restricted"]
    gates, retention = _dict(data.get("quality_gates")), _dict(data.get("retention"))
    levels = [{"requires_encryption": False, "requires_masking": False, "retention_max_days": None,
               "allowed_layers": [],
               **(w if isinstance(w, dict) else {"name": w}), "rank": i} for i, w in enumerate(words)]  # fmt: skip
    categories = [{"name": n, "level": None, "requires_encryption": False, "requires_masking_in_non_prod": False,
                   "retention_max_days": None, "sensitivity": None, **_dict(c)}
                  for n, c in _dict(classes.get("categories")).items()]  # fmt: skip
    layers = {n: {"minimum_coverage": None, "required_tests": [], "required_documentation": False, **_dict(g)}
              for n, g in _dict(gates.get("layers")).items()}  # fmt: skip
    keys = (
        "audit_logging",
        "pii_encryption",
        "policy_enforcement_level",
        "secret_scanning",
        "network_policies",
        "rbac",
    )
    namespaces = _list(_dict(root.get("catalog_structure")).get("namespaces"))
    blocks = gates.get("block_on_failure")
    return {
        **{k: data.get(k) for k in keys},
        "classification": {"levels": levels, "categories": categories, "policies": _dict(data.get("policies"))},
        "access_control": {**_dict(data.get("access_control")), "namespaces": namespaces},
        "retention": {k: retention.get(k) for k in ("min_days", "max_days", "default_ttl_hours")},
        "quality_gates": {
            "minimum_test_coverage": gates.get("minimum_test_coverage"),
            "required_tests": _list(gates.get("required_tests")),
            "require_descriptions": gates.get("require_descriptions"),
            "require_column_descriptions": gates.get("require_column_descriptions"),
            "block_on_failure": True if blocks is None else blocks,
            "enforcement": gates.get("enforcement") or "strict",
            "layers": layers,
        },
        **{k: _dict(data.get(k)) for k in ("data_contracts", "sla_minimums", "interoperability")},
        "sensitive_fields": _list(data.get("sensitive_fields")),
    }  # fmt: skip


def product_ir(document: Document) -> dict[str, Any]:
    """The IR's ``product`` with all its fields (docs/ir.md)."""
    from compiler.documents.product import DataProduct

    dumped: dict[str, Any] = DataProduct.model_validate(document.data).model_dump(by_alias=True)
    meta = dumped["metadata"]
    for port in dumped["output_ports"]:
        port["sla"]["freshness_hours"] = _hours(port["sla"]["freshness"])
        port["sla"]["quality"] = {"completeness": None, "accuracy": None, **port["sla"]["quality"]}
    quality = {k: dumped["quality"][k] for k in ("minimum_coverage", "required_tests", "gates")}
    keep = (
        "ownership",
        "ingestion",
        "input_ports",
        "output_ports",
        "schedule",
        "destinations",
        "governance",
        "depends_on",
    )
    shape = ("name", "type", "path", "tier", "tags", "depends_on", "compute")
    transforms = [{k: t[k] for k in shape} for t in dumped["transforms"]]
    return {**meta, **{k: dumped[k] for k in keep}, "transforms": transforms, "quality": quality}


def _hours(text: str | None) -> int | None:
    body = (text or "").upper().removeprefix("PT").removeprefix("P")
    factor = {"H": 1, "D": 24}.get(body[-1:])
    return int(body[:-1]) * factor if factor and body[:-1].isdecimal() else None


def _plugin(data: dict[str, Any]) -> dict[str, Any]:
    kept = {k: data.get(k) for k in ("type", "version", "connection_secret_ref")}
    return {**kept, "type": data.get("type") or data.get("default"), "config": _dict(data.get("config"))}


def _domain(data: dict[str, Any]) -> dict[str, Any]:
    owners = [{"team": o, "email": "", "slack": ""} if isinstance(o, str) else _pick(o, "team", "email", "slack")
              for o in _list(data.get("owners"))]  # fmt: skip
    return {**_pick(data, "name", "namespace"), "owners": owners}


def _pick(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {k: data.get(k) or "" for k in keys}


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
