"""The shape of the IR's ``platform``: what the joined manifests say."""

from __future__ import annotations

from compiler.ir.shape_parts import (
    ANY,
    BOOL,
    ENFORCEMENT,
    MAYBE_BOOL,
    MAYBE_NUMBER,
    MAYBE_TEXT,
    MAYBE_TEXTS,
    OPEN,
    TEXT,
    TEXTS,
    Schema,
    list_of,
    map_of,
    maybe,
    number,
    record,
    word,
)


def _gates() -> dict[str, Schema]:
    return {
        "minimum_coverage": MAYBE_NUMBER,
        "required_tests": TEXTS,
        "required_documentation": BOOL,
        "on_failure": MAYBE_TEXT,
    }


def platform() -> Schema:
    owners = list_of(record(team=TEXT, email=TEXT, slack=TEXT))
    domain = {"name": TEXT, "namespace": TEXT, "owners": owners}
    plugin = record(type=MAYBE_TEXT, version=MAYBE_TEXT, config=OPEN, connection_secret_ref=MAYBE_TEXT)
    tier = record(scope=word("platform", "platform", "enterprise", "domain"), name=TEXT, version=TEXT)
    return record(
        name=TEXT,
        version=TEXT,
        owner=TEXT,
        description=TEXT,
        tiers=list_of(tier),
        domain=maybe(record(**domain)),
        domains=list_of(record(**domain, extra_policies=OPEN)),
        plugins=map_of(plugin),
        approved_plugins=map_of(TEXTS),
        approved_sinks=MAYBE_TEXTS,
        approved_products=MAYBE_TEXTS,
        registered_products=list_of(record(name=TEXT, repository=TEXT, registered_at=MAYBE_TEXT)),
        data_architecture=_architecture(),
        governance=_governance(),
        exemptions=list_of(record(policy=TEXT, subject=TEXT, reason=TEXT, approver=MAYBE_TEXT, expires=MAYBE_TEXT)),
        services=OPEN,
        observability=OPEN,
        resource_presets=OPEN,
        artifacts=OPEN,
        identity=OPEN,
        security=OPEN,
        environments=ANY | {"default": {}},
    )


def _architecture() -> Schema:
    layer = record(
        name=TEXT,
        rank=number(0),
        prefixes=TEXTS,
        pattern=MAYBE_TEXT,
        description=TEXT,
        catalog_namespace=TEXT,
        may_depend_on=TEXTS,
        scd=maybe(record(types_allowed=list_of({"type": "number"}), default_type=MAYBE_NUMBER)),
        **_gates(),
    )
    naming = record(
        enforcement=word("warn", *ENFORCEMENT),
        case=word("snake_case", "snake_case", "camelCase", "PascalCase"),
        patterns=list_of(record(layer=MAYBE_TEXT, pattern=TEXT)),
    )
    pattern = word("medallion", "medallion", "kimball", "data_vault", "hybrid", "custom")
    return record(pattern=pattern, naming=naming, layers=list_of(layer))


def _classification() -> Schema:
    level = record(
        name=TEXT,
        rank=number(0),
        description=TEXT,
        access=map_of(TEXTS),
        requires_encryption=BOOL,
        requires_masking=BOOL,
        retention_max_days=MAYBE_NUMBER,
        allowed_layers=TEXTS,
    )
    category = record(
        name=TEXT,
        level=MAYBE_TEXT,
        description=TEXT,
        requires_encryption=BOOL,
        requires_masking_in_non_prod=BOOL,
        retention_max_days=MAYBE_NUMBER,
        sensitivity=word(None, "low", "medium", "high", "critical"),
    )
    return record(
        source=MAYBE_TEXT,
        propagation=word(None, *ENFORCEMENT),
        levels=list_of(level),
        categories=list_of(category),
        policies=map_of(_class_policy()),
    )


def _access_control() -> Schema:
    grant = record(role=TEXT, access=word("read", "read", "read_write"))
    return record(
        default=word(None, "allow", "deny"),
        roles=list_of(record(name=TEXT, description=TEXT, permissions=TEXTS)),
        namespaces=list_of(record(name=TEXT, description=TEXT, grants=list_of(grant))),
    )


def _quality_gates() -> Schema:
    return record(
        minimum_test_coverage=MAYBE_NUMBER,
        required_tests=TEXTS,
        require_descriptions=MAYBE_BOOL,
        require_column_descriptions=MAYBE_BOOL,
        block_on_failure=BOOL | {"default": True},
        enforcement=word("strict", *ENFORCEMENT),
        on_failure=MAYBE_TEXT,
        minimum_score=MAYBE_NUMBER,
        warn_score=MAYBE_NUMBER,
        weights=map_of({"type": "number"}),
        layers=map_of(record(**_gates())),
    )


def _governance() -> Schema:
    return record(
        classification=_classification(),
        access_control=_access_control(),
        product_registration=OPEN,
        schema_evolution=word(None, "any", "additive", "strict"),
        snapshot_keep_last=MAYBE_NUMBER,
        stale_table_recovery_mode=word(None, "repair", "strict"),
        retention=record(min_days=MAYBE_NUMBER, max_days=MAYBE_NUMBER, default_ttl_hours=MAYBE_NUMBER),
        quality_gates=_quality_gates(),
        data_contracts=_data_contracts(),
        audit_logging=word(None, "disabled", "enabled", "required"),
        pii_encryption=word(None, "optional", "required"),
        policy_enforcement_level=word(None, *ENFORCEMENT),
        secret_scanning=ANY,
        network_policies=ANY,
        rbac=ANY,
        sla_minimums=sla(),
        interoperability=OPEN,
        sensitive_fields=TEXTS,
    )


def sla() -> Schema:
    return record(
        freshness_hours=MAYBE_NUMBER, availability=MAYBE_NUMBER, completeness=MAYBE_NUMBER, accuracy=MAYBE_NUMBER
    )


def _class_policy() -> Schema:
    """What is done with a class of data in one kind of environment."""
    rule = record(action=word("allow", "restrict", "synthesize", "redact", "allow"), requires_role=TEXTS)
    return record(production=maybe(rule), non_production=maybe(rule))


def _data_contracts() -> Schema:
    enforcement = word("off", "off", "warn", "alert_only", "block")
    known = record(enforcement=enforcement, standard=MAYBE_TEXT, required=BOOL)
    return known | {"additionalProperties": True}
