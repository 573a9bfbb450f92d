"""The IR's ``platform`` and ``product`` (docs/ir.md) from the joined manifest and the product's document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.documents.models import Document
from compiler.documents.shape import Keys
from compiler.documents.values import hours
from compiler.tiers.inherit import Origin, Resolved
from policy_lang.source import Span

Data = dict[str, Any]

_PREFIXES: dict[str, tuple[tuple[str, tuple[str, ...], int], ...]] = {
    "medallion": (("bronze", ("bronze_",), 50), ("silver", ("silver_",), 80), ("gold", ("gold_",), 100)),
    "kimball": (
        ("staging", ("stg_",), 50),
        ("dimensions", ("dim_",), 100),
        ("facts", ("fact_", "fct_"), 100),
        ("bridges", ("bridge_",), 100),
    ),
    "data_vault": (("hubs", ("hub_",), 100), ("links", ("link_",), 100), ("satellites", ("sat_",), 100)),
}
"""The layers that a pattern has where the manifest names none: name, prefixes, coverage in per cent."""
_OF_DBT = ("profiles_dir", "select", "exclude", "tests", "description", "materialization", "resources")
_LEVELS = ("public", "internal", "confidential", "restricted")
_OPEN = ("services", "observability", "resource_presets", "artifacts", "identity", "security", "environments")
_SLA = ("availability", "completeness", "accuracy")


def platform_ir(resolved: Resolved) -> Data:
    """The IR's ``platform`` with all its fields."""
    data = resolved.data
    meta = data.get("metadata", {})
    tiers = [{"scope": d.scope, **_texts(d.data.get("metadata", {}), "name", "version")} for d in resolved.chain]
    domains = [
        {**_domain({"name": name, **d}), "extra_policies": d.get("extra_policies", {})}
        for name, d in data.get("domains", {}).items()
    ]
    return {
        **_texts(meta, "name", "version", "owner", "description"),
        "tiers": tiers,
        "domain": _domain(data["domain"]) if data.get("domain") else None,
        "domains": domains,
        "plugins": {k: _plugin(v) for k, v in data.get("plugins", {}).items()},
        "approved_plugins": data.get("approved_plugins", {}),
        "approved_sinks": data.get("approved_sinks"),
        "approved_products": data.get("approved_products"),
        "registered_products": [
            {**_texts(p, "name", "repository"), "registered_at": p.get("registered_at")}
            for p in data.get("registered_products", ())
        ],
        "data_architecture": _architecture(data.get("data_architecture", {})),
        "governance": _governance(data.get("governance", {}), data),
        "exemptions": [
            {"policy": e["policy"], "subject": e["subject"], "reason": e["reason"],
             "approver": e.get("approver"), "expires": e["expires"][:10]}
            for e in data.get("exemptions", ())
        ],
        **{k: data.get(k, {}) for k in _OPEN},
    }  # fmt: skip


def _architecture(data: Data) -> Data:
    pattern = data.get("pattern") or "medallion"
    naming = data.get("naming", {})
    given = data.get("layers", {})
    defaults = {name: (prefixes, cover) for name, prefixes, cover in _PREFIXES.get(pattern, ())}
    names = list(given) or list(defaults)
    layers = [_layer(n, i, given.get(n, {}), defaults.get(n), names) for i, n in enumerate(names)]
    return {
        "pattern": pattern,
        "naming": {
            "enforcement": naming.get("enforcement") or "warn",
            "case": naming.get("case") or "snake_case",
            "patterns": list(_name_patterns(naming)),
        },
        "layers": layers,
    }


def _name_patterns(naming: Data) -> Iterator[Data]:
    """``{layer, pattern}``; without a layer for all models."""
    if naming.get("pattern"):
        yield {"layer": None, "pattern": naming["pattern"]}
    given = naming.get("custom_patterns", [])
    for layer, patterns in given.items() if isinstance(given, dict) else ((None, given),):
        for pattern in patterns:
            yield {"layer": layer, "pattern": pattern}


def _layer(name: str, rank: int, data: Data, default: tuple[tuple[str, ...], int] | None, names: list[str]) -> Data:
    gates = data.get("quality_gates", {})
    prefixes = data.get("prefix") or (list(default[0]) if default and not data.get("pattern") else [])
    allowed = data.get("may_depend_on")
    return {
        "name": name,
        "rank": rank,
        "prefixes": prefixes,
        "pattern": data.get("pattern"),
        "description": data.get("description", ""),
        "catalog_namespace": data.get("catalog_namespace", ""),
        "may_depend_on": names[: rank + 1] if allowed is None else allowed,
        "minimum_coverage": gates.get("minimum_coverage", default[1] if default else None),
        "required_tests": gates.get("required_tests", []),
        "required_documentation": gates.get("required_documentation", False),
        "on_failure": gates.get("on_failure"),
        "scd": {"types_allowed": [], "default_type": None, **data["scd"]} if "scd" in data else None,
    }


def _governance(data: Data, root: Data) -> Data:
    words = ("audit_logging", "pii_encryption", "policy_enforcement_level", "schema_evolution", "snapshot_keep_last",
             "stale_table_recovery_mode")  # fmt: skip
    switches = ("secret_scanning", "network_policies", "rbac")
    contracts = data.get("data_contracts", {})
    required = contracts.get(
        "required", data.get("interoperability", {}).get("data_contracts", {}).get("required", False)
    )
    return {
        **{k: data.get(k) for k in (*words, *switches)},
        "classification": _classification(data),
        "access_control": _access_control(data.get("access_control", {}), root),
        "product_registration": data.get("product_registration", {}),
        "retention": {k: data.get("retention", {}).get(k) for k in ("min_days", "max_days", "default_ttl_hours")},
        "quality_gates": _gates(data.get("quality_gates", {})),
        "data_contracts": {"enforcement": "off", "standard": None, **contracts, "required": required},
        "sla_minimums": _sla(data.get("sla_minimums", {})),
        "interoperability": data.get("interoperability", {}),
        "sensitive_fields": [
            f if isinstance(f, str) else str(f.get("pattern") or f.get("name") or "")
            for f in data.get("sensitive_fields", ())
        ],
    }


def _classification(governance: Data) -> Data:
    data = governance.get("classification", {})
    given = data.get("levels") or {name: {} for name in _LEVELS}
    levels = [
        {
            "name": name,
            "rank": rank,
            "description": level.get("description", ""),
            "access": level.get("access", {}),
            "requires_encryption": level.get("requires_encryption", False),
            "requires_masking": level.get("requires_masking", False),
            "retention_max_days": level.get("retention_max_days"),
            "allowed_layers": level.get("allowed_layers", []),
        }
        for rank, (name, level) in enumerate(given.items())
    ]
    categories = [
        {
            "name": name,
            # A category that is a level of the same name, as in `levels: [public, pii]`, stands at that level.
            "level": category.get("level", name if name in given else None),
            "description": category.get("description", ""),
            "requires_encryption": category.get("requires_encryption", False),
            "requires_masking_in_non_prod": category.get("requires_masking_in_non_prod", False),
            "retention_max_days": category.get("retention_max_days"),
            "sensitivity": category.get("sensitivity"),
        }
        for name, category in data.get("categories", {}).items()
    ]
    return {
        **{k: data.get(k) for k in ("source", "propagation")},
        "levels": levels,
        "categories": categories,
        "policies": class_policies(governance.get("policies", {})),
    }


def class_policies(policies: Data) -> Data:
    """Per class what is done in production and elsewhere, each null where nothing is said."""

    def rule(given: Data | None) -> Data | None:
        return (
            None
            if given is None
            else {"action": given.get("action", "restrict"), "requires_role": given.get("requires_role", [])}
        )

    return {name: {k: rule(p.get(k)) for k in ("production", "non_production")} for name, p in policies.items()}


def _access_control(access: Data, root: Data) -> Data:
    given = {**access.get("namespaces", {}), **root.get("catalog_structure", {}).get("namespaces", {})}
    roles = [
        {"name": name, "description": role.get("description", ""), "permissions": role.get("permissions", [])}
        for name, role in access.get("roles", {}).items()
    ]
    namespaces = [
        {
            "name": name,
            "description": (n or {}).get("description", ""),
            "grants": [{"role": r, "access": a} for r, a in (n or {}).get("grants", {}).items() if a != "none"],
        }
        for name, n in given.items()
    ]
    return {"default": access.get("default"), "roles": roles, "namespaces": namespaces}


def _gates(gates: Data) -> Data:
    layers = {
        name: {
            "minimum_coverage": layer.get("minimum_coverage"),
            "required_tests": layer.get("required_tests", []),
            "required_documentation": layer.get("required_documentation", False),
            "on_failure": layer.get("on_failure"),
        }
        for name, layer in gates.get("layers", {}).items()
    }
    return {
        "minimum_test_coverage": gates.get("minimum_test_coverage"),
        "required_tests": gates.get("required_tests", []),
        "require_descriptions": gates.get("require_descriptions"),
        "require_column_descriptions": gates.get("require_column_descriptions"),
        "block_on_failure": gates.get("block_on_failure", True),
        "enforcement": gates.get("enforcement", "strict"),
        **{k: gates.get(k) for k in ("on_failure", "minimum_score", "warn_score")},
        "weights": gates.get("weights", {}),
        "layers": layers,
    }


def _sla(data: Data) -> Data:
    return {"freshness_hours": _hours(data.get("freshness")), **{k: data.get(k) for k in _SLA}}


def _hours(value: Any) -> Any:
    """Hours, as an int where they are whole."""
    found = hours(value) if value is not None else None
    return int(found) if found is not None and found == int(found) else found


def _plugin(data: Data) -> Data:
    kept = {k: data.get(k) for k in ("version", "connection_secret_ref")}
    return {**kept, "type": data.get("type") or data.get("default"), "config": data.get("config", {})}


def _domain(data: Data) -> Data:
    return {**_texts(data, "name", "namespace"), "owners": [_owner(o) for o in data.get("owners", ())]}


def _owner(data: Data) -> Data:
    """A lone string is a team, or an address where it looks like one."""
    found = _texts(data, "team", "email", "slack")
    if "@" in found["team"][1:] and not found["email"]:
        return {**found, "team": "", "email": found["team"]}
    return found


def _texts(data: Data, *keys: str) -> Data:
    return {k: data.get(k) or "" for k in keys}


def product_ir(document: Document) -> Data:
    """The IR's ``product`` with all its fields; ``model`` of a port is as written, until the facts are known."""
    data = document.data
    meta = data["metadata"]
    quality, governance, schedule = data.get("quality", {}), data.get("governance", {}), data.get("schedule")
    return {
        **_texts(meta, "name", "description", "owner", "domain", "repository"),
        "version": meta.get("version") or "0.0.0",
        "labels": meta.get("labels", {}),
        "ownership": {**_owner(data.get("ownership", {})), "name": data.get("ownership", {}).get("name") or ""},
        "transforms": [_transform(t) for t in data.get("transforms", ())],
        "ingestion": data.get("ingestion", []),
        "input_ports": [_input_port(p) for p in data.get("input_ports", ())],
        "output_ports": [_output_port(p) for p in data.get("output_ports", ())],
        "schedule": None if schedule is None else {"timezone": "UTC", "enabled": True, **schedule},
        "destinations": data.get("destinations", []),
        "quality": {
            "minimum_coverage": quality.get("minimum_coverage"),
            "required_tests": quality.get("required_tests", []),
            "gates": quality.get("gates", []),
            "dbt_tests": quality.get("dbt_tests", {}),
        },
        "governance": {
            "classification": governance.get("classification", {}),
            "policies": class_policies(governance.get("policies", {})),
            "retention_days": governance.get("retention_days"),
            "data_contracts": governance.get("data_contracts", {}),
        },
        "depends_on": data.get("depends_on", []),
    }


def _transform(data: Data) -> Data:
    known = {k: data.get(k) for k in ("name", "path", "tier", "compute", *_OF_DBT)}
    return {
        **known,
        "type": data.get("type", "dbt"),
        "tags": data.get("tags", []),
        "depends_on": data.get("depends_on", []),
    }


def _input_port(data: Data) -> Data:
    source = data.get("source")
    need = data.get("freshness_requirement") or data.get("sla", {}).get("freshness")
    return {
        "contract": data.get("contract"),
        "name": data["name"],
        "description": data.get("description", ""),
        "source": None if source is None else {"type": "data_product", "ref": None, "config": {}, **source},
        "freshness_requirement": None if need is None else str(need),
        "freshness_hours": _hours(need),
    }


def _output_port(data: Data) -> Data:
    sla, access = data.get("sla", {}), data.get("access", {})
    freshness = sla.get("freshness")
    return {
        **{k: data.get(k) for k in ("contract", "type", "format")},
        "name": data["name"],
        "description": data.get("description", ""),
        "table": data.get("table"),
        "model": data.get("model"),
        "schema": data.get("schema"),
        "sla": {
            "freshness": None if freshness is None else str(freshness),
            "freshness_hours": _hours(freshness),
            "availability": sla.get("availability"),
            "quality": {k: sla.get("quality", {}).get(k) for k in ("completeness", "accuracy")},
        },
        "access": {
            "default": access.get("default", "deny"),
            "grants": [
                {"domain": g.get("domain"), "role": g.get("role"), "access": g.get("access", "read")}
                for g in access.get("grants", ())
            ],
        },
    }


def platform_origin(resolved: Resolved, path: Keys) -> Origin | None:
    """Which tier and line set the value at ``path`` of the IR's ``platform``; None where it is a default."""
    head = path[0] if path else ""
    if head in ("name", "version", "owner", "description", "domain") and resolved.chain:
        last = resolved.chain[-1]
        own: Keys = path if head == "domain" else ("metadata", *path)
        return Origin(last.file, last.span(own), last.scope) if own[0] in last.data else None
    place = _document_path(resolved.data, path)
    return _listed_origin(resolved, place) or resolved.origin(place)


def _listed_origin(resolved: Resolved, place: Keys) -> Origin | None:
    """Lists are joined as wholes: the tier that wrote a member of one is the nearest whose own list has the like."""
    at: Any = resolved.data
    for number, key in enumerate(place):
        if isinstance(at, list) and isinstance(key, int) and key < len(at):
            for document in reversed(resolved.chain):
                own: Any = document.data
                for part in place[:number]:
                    own = own.get(part) if isinstance(own, dict) else None
                if isinstance(own, list) and at[key] in own:
                    written = (*place[:number], own.index(at[key]), *place[number + 1 :])
                    return Origin(document.file, document.span(written), document.scope)
            return None
        at = at.get(key) if isinstance(at, dict) else None
    return None


def product_span(product: Document, path: Keys) -> Span:
    """The place in floe.yaml of a path into the IR's ``product``; that of its name for what is not written there."""
    top = ("name", "version", "description", "owner", "domain", "repository", "labels")
    place = ("metadata", *path) if path[:1] and path[0] in top else path
    return product.span(place if product.written(place)[:1] in product.yaml.value_spans else ("metadata", "name"))


def _document_path(data: Data, path: Keys) -> Keys:
    """A path into the IR's platform as one into the joined manifest: lists there are mappings here."""
    if path[:2] == ("governance", "classification") and path[2:3] == ("policies",):
        return ("governance", "policies", *path[3:])
    if path[:3] == ("governance", "access_control", "namespaces") and "catalog_structure" in data:
        path = ("catalog_structure", *path[2:])
    if path[:1] == ("data_architecture",) and len(path) > 3 and path[1] == "layers":
        moved = {"prefixes": ("prefix",)}
        gates = ("minimum_coverage", "required_tests", "required_documentation")
        rest: Keys = (
            ("quality_gates", *path[3:]) if path[3] in gates else (*moved.get(str(path[3]), (path[3],)), *path[4:])
        )
        path = (*path[:3], *rest)
    result: list[str | int] = []
    at: Any = data
    for key in path:
        if isinstance(key, int) and isinstance(at, dict):
            names = list(at)
            key = names[key] if key < len(names) else str(key)
        result.append(key)
        at = at.get(key) if isinstance(at, dict) else None
    return tuple(result)
