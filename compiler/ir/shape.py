"""The shape of the IR (``floec.ir.v1``), declared once, as JSON Schemas of its parts.

``docs/ir.md`` says what the fields mean. Every object of the IR has all its fields, so each field has a
``default`` here, which stands where nothing is known.
"""

from __future__ import annotations

from typing import Any

from compiler.ir import IR_VERSION as IR_VERSION

Schema = dict[str, Any]

SCHEMA_ID = "https://floec.dev/schemas/floec.ir.v1.json"

_TEXT: Schema = {"type": "string", "default": ""}
_BOOL: Schema = {"type": "boolean", "default": False}
_ANY: Schema = {"default": None}
_OPEN: Schema = {"type": "object", "default": {}}
_MAYBE_TEXT: Schema = {"type": ["string", "null"], "default": None}
_MAYBE_NUMBER: Schema = {"type": ["number", "null"], "default": None}
_MAYBE_BOOL: Schema = {"type": ["boolean", "null"], "default": None}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "default": []}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values, "default": {}}


def _object(**fields: Schema) -> Schema:
    """A closed object with exactly these fields; its default is the object of their defaults."""
    return {
        "type": "object",
        "properties": fields,
        "required": sorted(fields),
        "additionalProperties": False,
        "default": {name: _copied(field["default"]) for name, field in fields.items()},
    }


def _copied(value: Any) -> Any:
    """A copy of a default: of plain JSON, for which ``copy`` would be imported."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


def _maybe(schema: Schema) -> Schema:
    """``schema`` or null, null by default."""
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def _word(default: str | None, *words: str) -> Schema:
    allowed: list[str | None] = list(words)
    if default is None:
        allowed.append(None)
    return {"enum": allowed, "default": default}


def _number(default: int) -> Schema:
    return {"type": "number", "default": default}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_TEXTS = _list(_TEXT)
_MAYBE_TEXTS = _maybe(_TEXTS)
_ENFORCEMENT = ("off", "warn", "strict")


def _gates() -> dict[str, Schema]:
    return {
        "minimum_coverage": _MAYBE_NUMBER,
        "required_tests": _TEXTS,
        "required_documentation": _BOOL,
        "on_failure": _MAYBE_TEXT,
    }


def _platform() -> Schema:
    owners = _list(_object(team=_TEXT, email=_TEXT, slack=_TEXT))
    domain = {"name": _TEXT, "namespace": _TEXT, "owners": owners}
    plugin = _object(type=_MAYBE_TEXT, version=_MAYBE_TEXT, config=_OPEN, connection_secret_ref=_MAYBE_TEXT)
    tier = _object(scope=_word("platform", "platform", "enterprise", "domain"), name=_TEXT, version=_TEXT)
    return _object(
        name=_TEXT,
        version=_TEXT,
        owner=_TEXT,
        description=_TEXT,
        tiers=_list(tier),
        domain=_maybe(_object(**domain)),
        domains=_list(_object(**domain, extra_policies=_OPEN)),
        plugins=_map(plugin),
        approved_plugins=_map(_TEXTS),
        approved_sinks=_MAYBE_TEXTS,
        approved_products=_MAYBE_TEXTS,
        registered_products=_list(_object(name=_TEXT, repository=_TEXT, registered_at=_MAYBE_TEXT)),
        data_architecture=_architecture(),
        governance=_governance(),
        exemptions=_list(_object(policy=_TEXT, subject=_TEXT, reason=_TEXT, approver=_MAYBE_TEXT, expires=_MAYBE_TEXT)),
        services=_OPEN,
        observability=_OPEN,
        resource_presets=_OPEN,
        artifacts=_OPEN,
        identity=_OPEN,
        security=_OPEN,
        environments=_ANY | {"default": {}},
    )


def _architecture() -> Schema:
    layer = _object(
        name=_TEXT,
        rank=_number(0),
        prefixes=_TEXTS,
        pattern=_MAYBE_TEXT,
        description=_TEXT,
        catalog_namespace=_TEXT,
        may_depend_on=_TEXTS,
        scd=_maybe(_object(types_allowed=_list({"type": "number"}), default_type=_MAYBE_NUMBER)),
        **_gates(),
    )
    naming = _object(
        enforcement=_word("warn", *_ENFORCEMENT),
        case=_word("snake_case", "snake_case", "camelCase", "PascalCase"),
        patterns=_list(_object(layer=_MAYBE_TEXT, pattern=_TEXT)),
    )
    pattern = _word("medallion", "medallion", "kimball", "data_vault", "hybrid", "custom")
    return _object(pattern=pattern, naming=naming, layers=_list(layer))


def _classification() -> Schema:
    level = _object(
        name=_TEXT,
        rank=_number(0),
        description=_TEXT,
        access=_map(_TEXTS),
        requires_encryption=_BOOL,
        requires_masking=_BOOL,
        retention_max_days=_MAYBE_NUMBER,
        allowed_layers=_TEXTS,
    )
    category = _object(
        name=_TEXT,
        level=_MAYBE_TEXT,
        description=_TEXT,
        requires_encryption=_BOOL,
        requires_masking_in_non_prod=_BOOL,
        retention_max_days=_MAYBE_NUMBER,
        sensitivity=_word(None, "low", "medium", "high", "critical"),
    )
    return _object(
        source=_MAYBE_TEXT,
        propagation=_word(None, *_ENFORCEMENT),
        levels=_list(level),
        categories=_list(category),
        policies=_map(_class_policy()),
    )


def _access_control() -> Schema:
    grant = _object(role=_TEXT, access=_word("read", "read", "read_write"))
    return _object(
        default=_word(None, "allow", "deny"),
        roles=_list(_object(name=_TEXT, description=_TEXT, permissions=_TEXTS)),
        namespaces=_list(_object(name=_TEXT, description=_TEXT, grants=_list(grant))),
    )


def _quality_gates() -> Schema:
    return _object(
        minimum_test_coverage=_MAYBE_NUMBER,
        required_tests=_TEXTS,
        require_descriptions=_MAYBE_BOOL,
        require_column_descriptions=_MAYBE_BOOL,
        block_on_failure=_BOOL | {"default": True},
        enforcement=_word("strict", *_ENFORCEMENT),
        on_failure=_MAYBE_TEXT,
        minimum_score=_MAYBE_NUMBER,
        warn_score=_MAYBE_NUMBER,
        weights=_map({"type": "number"}),
        layers=_map(_object(**_gates())),
    )


def _governance() -> Schema:
    return _object(
        classification=_classification(),
        access_control=_access_control(),
        product_registration=_OPEN,
        schema_evolution=_word(None, "any", "additive", "strict"),
        snapshot_keep_last=_MAYBE_NUMBER,
        stale_table_recovery_mode=_word(None, "repair", "strict"),
        retention=_object(min_days=_MAYBE_NUMBER, max_days=_MAYBE_NUMBER, default_ttl_hours=_MAYBE_NUMBER),
        quality_gates=_quality_gates(),
        data_contracts=_data_contracts(),
        audit_logging=_word(None, "disabled", "enabled", "required"),
        pii_encryption=_word(None, "optional", "required"),
        policy_enforcement_level=_word(None, *_ENFORCEMENT),
        secret_scanning=_ANY,
        network_policies=_ANY,
        rbac=_ANY,
        sla_minimums=_sla(),
        interoperability=_OPEN,
        sensitive_fields=_TEXTS,
    )


def _sla() -> Schema:
    return _object(
        freshness_hours=_MAYBE_NUMBER, availability=_MAYBE_NUMBER, completeness=_MAYBE_NUMBER, accuracy=_MAYBE_NUMBER
    )


def _class_policy() -> Schema:
    """What is done with a class of data in one kind of environment."""
    rule = _object(action=_word("allow", "restrict", "synthesize", "redact", "allow"), requires_role=_TEXTS)
    return _object(production=_maybe(rule), non_production=_maybe(rule))


def _data_contracts() -> Schema:
    enforcement = _word("off", "off", "warn", "alert_only", "block")
    known = _object(enforcement=enforcement, standard=_MAYBE_TEXT, required=_BOOL)
    return known | {"additionalProperties": True}


def _schedule() -> Schema:
    return _maybe(_object(cron=_TEXT, timezone={"type": "string", "default": "UTC"}, enabled=_BOOL | {"default": True}))


def _transform() -> Schema:
    return _object(
        name=_MAYBE_TEXT,
        type={"type": "string", "default": "dbt"},
        path=_MAYBE_TEXT,
        tier=_MAYBE_TEXT,
        tags=_TEXTS,
        depends_on=_TEXTS,
        compute=_MAYBE_TEXT,
        **dict.fromkeys(("profiles_dir", "select", "exclude", "tests", "materialization", "resources"), _ANY),
        description=_MAYBE_TEXT,
    )


def _output_port() -> Schema:
    grant = _object(domain=_MAYBE_TEXT, role=_MAYBE_TEXT, access={"type": "string", "default": "read"})
    sla = _object(
        freshness=_MAYBE_TEXT,
        freshness_hours=_MAYBE_NUMBER,
        availability=_MAYBE_NUMBER,
        quality=_object(completeness=_MAYBE_NUMBER, accuracy=_MAYBE_NUMBER),
    )
    return _object(
        name=_TEXT,
        description=_TEXT,
        table=_MAYBE_TEXT,
        model=_MAYBE_TEXT,
        schema=_ANY,
        **dict.fromkeys(("contract", "type", "format"), _ANY),
        sla=sla,
        access=_object(default=_word("deny", "deny", "allow"), grants=_list(grant)),
    )


def _input_port() -> Schema:
    return _object(
        name=_TEXT,
        description=_TEXT,
        source=_maybe(_object(type=_TEXT, ref=_MAYBE_TEXT, config=_OPEN)),
        contract=_ANY,
        freshness_requirement=_MAYBE_TEXT,
        freshness_hours=_MAYBE_NUMBER,
    )


def _product() -> Schema:
    return _object(
        name=_TEXT,
        version=_TEXT,
        description=_TEXT,
        owner=_TEXT,
        domain=_TEXT,
        repository=_TEXT,
        labels=_OPEN,
        ownership=_object(team=_TEXT, name=_TEXT, email=_TEXT, slack=_TEXT),
        transforms=_list(_transform()),
        ingestion=_list(_OPEN),
        input_ports=_list(_input_port()),
        output_ports=_list(_output_port()),
        schedule=_schedule(),
        destinations=_list(_OPEN),
        quality=_object(minimum_coverage=_MAYBE_NUMBER, required_tests=_TEXTS, gates=_list(_OPEN), dbt_tests=_OPEN),
        governance=_object(classification=_OPEN, policies=_OPEN, retention_days=_MAYBE_NUMBER, data_contracts=_OPEN),
        depends_on=_TEXTS,
    )


def _project() -> Schema:
    return _object(
        name=_TEXT,
        version=_MAYBE_TEXT,
        adapter=_MAYBE_TEXT,
        dialect=_MAYBE_TEXT,
        dbt_version=_MAYBE_TEXT,
        manifest_version=_MAYBE_NUMBER,
        source=_word("files", "manifest", "files", "mixed"),
        packages=_list(_object(name=_TEXT, version=_MAYBE_TEXT)),
        vars=_OPEN,
        flags=_OPEN,
        cycles=_list(_TEXTS),
        unknown=_TEXTS,
    )


def _column() -> Schema:
    step = _object(node=_TEXT, column=_TEXT, transform=_TEXT)
    return _object(
        name=_TEXT,
        description=_TEXT,
        type=_MAYBE_TEXT,
        tags=_TEXTS,
        meta=_OPEN,
        classification=_MAYBE_TEXT,
        level=_MAYBE_TEXT,
        pii_type=_MAYBE_TEXT,
        sensitivity=_MAYBE_TEXT,
        masked=_BOOL,
        tests=_TEXTS,
        constraints=_TEXTS,
        declared=_BOOL | {"default": True},
        in_catalog=_MAYBE_BOOL,
        catalog_type=_MAYBE_TEXT,
        inherited=_maybe(_object(classification=_MAYBE_TEXT, level=_MAYBE_TEXT, path=_list(step))),
    )


def _attached() -> Schema:
    """A test as its node lists it."""
    return _list(
        _object(name=_MAYBE_TEXT, column=_MAYBE_TEXT, severity=_word("error", "error", "warn"), unique_id=_TEXT)
    )


def _place() -> dict[str, Schema]:
    return {"unique_id": _MAYBE_TEXT, "line": _MAYBE_NUMBER, "column": _MAYBE_NUMBER}


def _node() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        resource_type=_word("model", "model", "seed", "snapshot"),
        package=_TEXT,
        path=_TEXT,
        patch_path=_TEXT,
        directory=_TEXT,
        layer=_MAYBE_TEXT,
        layer_rank=_MAYBE_NUMBER,
        database=_MAYBE_TEXT,
        schema=_MAYBE_TEXT,
        alias=_MAYBE_TEXT,
        materialized=_TEXT,
        language={"type": "string", "default": "sql"},
        description=_TEXT,
        owner=_MAYBE_TEXT,
        tags=_TEXTS,
        meta=_OPEN,
        access=_word(None, "private", "protected", "public"),
        group=_MAYBE_TEXT,
        contract_enforced=_BOOL,
        constraints=_list(_object(type=_TEXT, columns=_TEXTS, expression=_MAYBE_TEXT, name=_MAYBE_TEXT)),
        version=_MAYBE_TEXT,
        latest_version=_MAYBE_TEXT,
        deprecation_date=_MAYBE_TEXT,
        columns=_list(_ref("column")),
        tests=_attached(),
        primary_key=_TEXTS,
        coverage=_MAYBE_NUMBER,
        depends_on=_TEXTS,
        depends_on_macros=_MAYBE_TEXTS,
        used_by=_TEXTS,
        refs=_list(_object(name=_TEXT, package=_MAYBE_TEXT, version=_MAYBE_TEXT, **_place())),
        source_refs=_list(_object(source=_TEXT, table=_TEXT, **_place())),
        unique_key={"type": ["string", "array", "null"], "items": _TEXT, "default": None},
        incremental_strategy=_MAYBE_TEXT,
        snapshot_strategy=_MAYBE_TEXT,
        grants=_map(_TEXTS),
        retention_days=_MAYBE_NUMBER,
        code_lines=_MAYBE_NUMBER,
        joins=_MAYBE_NUMBER,
        raw_code=_MAYBE_TEXT,
        select_star=_MAYBE_BOOL,
        hard_coded_relations=_TEXTS,
        config=_OPEN,
        size=_maybe(_object(rows=_MAYBE_NUMBER, bytes=_MAYBE_NUMBER)),
        last_run=_maybe(_object(status=_TEXT, seconds=_MAYBE_NUMBER, rows=_MAYBE_NUMBER, bytes=_MAYBE_NUMBER)),
        enabled={"const": True, "type": "boolean", "default": True},
    )


def _source() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        source_name=_TEXT,
        package=_TEXT,
        path=_TEXT,
        schema=_MAYBE_TEXT,
        database=_MAYBE_TEXT,
        identifier=_MAYBE_TEXT,
        loader=_MAYBE_TEXT,
        loaded_at_field=_MAYBE_TEXT,
        freshness=_maybe(_object(warn_after_hours=_MAYBE_NUMBER, error_after_hours=_MAYBE_NUMBER)),
        description=_TEXT,
        source_description=_TEXT,
        tags=_TEXTS,
        meta=_OPEN,
        owner=_MAYBE_TEXT,
        columns=_list(_ref("column")),
        tests=_attached(),
        used_by=_TEXTS,
        last_freshness=_maybe(_object(status=_TEXT, max_loaded_at=_MAYBE_TEXT, age_hours=_MAYBE_NUMBER)),
        layer=_MAYBE_TEXT,
    )


def _test() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        test=_MAYBE_TEXT,
        kind=_word("generic", "generic", "singular"),
        attached_to=_MAYBE_TEXT,
        column=_MAYBE_TEXT,
        severity=_word("error", "error", "warn"),
        where=_MAYBE_TEXT,
        tags=_TEXTS,
        meta=_OPEN,
        description=_TEXT,
        path=_TEXT,
        arguments=_OPEN,
        depends_on=_TEXTS,
        enabled=_BOOL | {"default": True},
        last_run=_maybe(_object(status=_TEXT, failures=_MAYBE_NUMBER, seconds=_MAYBE_NUMBER)),
    )


_OWNER: Schema = _object(name=_MAYBE_TEXT, email=_MAYBE_TEXT)


def _exposure() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        type=_TEXT,
        owner=_OWNER,
        description=_TEXT,
        url=_MAYBE_TEXT,
        maturity=_MAYBE_TEXT,
        depends_on=_TEXTS,
        tags=_TEXTS,
        meta=_OPEN,
        path=_TEXT,
    )


def _metric() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        label=_TEXT,
        type=_TEXT,
        description=_TEXT,
        depends_on=_TEXTS,
        tags=_TEXTS,
        meta=_OPEN,
        group=_MAYBE_TEXT,
        path=_TEXT,
    )


def _semantic_model() -> Schema:
    member = _object(name=_TEXT, type=_TEXT, expr=_MAYBE_TEXT)
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        model=_MAYBE_TEXT,
        description=_TEXT,
        meta=_OPEN,
        entities=_list(member),
        dimensions=_list(member),
        measures=_list(_object(name=_TEXT, agg=_TEXT, expr=_MAYBE_TEXT)),
        group=_MAYBE_TEXT,
        path=_TEXT,
    )


def _macro() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        package=_TEXT,
        path=_TEXT,
        description=_TEXT,
        arguments=_list(_object(name=_TEXT, type=_MAYBE_TEXT, description=_TEXT)),
        meta=_OPEN,
        tags=_TEXTS,
        used_by=_MAYBE_TEXTS,
        raw_code=_MAYBE_TEXT,
        code_lines=_MAYBE_NUMBER,
    )


def _unit_test() -> Schema:
    return _object(
        unique_id=_TEXT,
        name=_TEXT,
        model=_MAYBE_TEXT,
        description=_TEXT,
        given_formats=_TEXTS,
        expect_format=_MAYBE_TEXT,
        path=_TEXT,
    )


def _others() -> dict[str, Schema]:
    """The smaller lists of the project."""
    return {
        "exposures": _exposure(),
        "metrics": _metric(),
        "semantic_models": _semantic_model(),
        "saved_queries": _object(unique_id=_TEXT, name=_TEXT, description=_TEXT, metrics=_TEXTS, path=_TEXT),
        "macros": _macro(),
        "groups": _object(name=_TEXT, owner=_OWNER, path=_TEXT),
        "unit_tests": _unit_test(),
    }


def _job() -> Schema:
    return _object(
        name=_TEXT,
        kind=_word("dbt_run", "dbt_run", "dbt_test", "dbt_seed", "ingestion", "quality"),
        schedule=_schedule(),
        needs=_TEXTS,
        select=_MAYBE_TEXT,
        resources=_OPEN,
    )


def _contract() -> Schema:
    column = _object(
        name=_TEXT,
        type=_MAYBE_TEXT,
        required=_BOOL,
        unique=_BOOL,
        primary_key=_BOOL,
        classification=_MAYBE_TEXT,
        level=_MAYBE_TEXT,
        description=_TEXT,
    )
    deprecation = _object(announced=_MAYBE_TEXT, sunset_date=_MAYBE_TEXT, replacement=_MAYBE_TEXT, reason=_TEXT)
    change = _object(kind=_TEXT, column=_MAYBE_TEXT, severity=_word("patch", "major", "minor", "patch"), text=_TEXT)
    return _object(
        id=_TEXT,
        name=_TEXT,
        version=_TEXT,
        status=_word("active", "draft", "active", "deprecated", "sunset", "retired"),
        origin=_word("written", "written", "generated"),
        domain=_TEXT,
        product=_TEXT,
        port=_MAYBE_TEXT,
        model=_MAYBE_TEXT,
        owner=_MAYBE_TEXT,
        description=_TEXT,
        tags=_TEXTS,
        columns=_list(column),
        sla=_sla(),
        deprecation=_maybe(deprecation),
        consumers=_list(_object(domain=_TEXT, product=_TEXT)),
        previous_version=_MAYBE_TEXT,
        due_version=_MAYBE_TEXT,
        changes=_list(change),
        path=_TEXT,
    )


def ir() -> Schema:
    """The whole IR; it refers to ``definitions()``."""
    policy = _object(
        package=_TEXT,
        id=_TEXT,
        name=_TEXT,
        title=_TEXT,
        severity=_word("block", "block", "warn", "notify", "off"),
        use=_TEXT,
        tier=_TEXT,
    )
    return _object(
        ir_version={"type": "string", "const": IR_VERSION, "default": IR_VERSION},
        platform=_platform(),
        product=_maybe(_product()),
        project=_maybe(_project()),
        **{name: _list(_ref("node")) for name in ("models", "seeds", "snapshots")},
        sources=_list(_source()),
        **{name: _list(item) for name, item in _others().items()},
        tests=_list(_test()),
        contracts=_list(_contract()),
        jobs=_list(_job()),
        policies=_list(policy),
        params=_map(_map(_ANY)),
    )


def definitions() -> dict[str, Schema]:
    """What stands in more than one place of the IR."""
    return {"column": _column(), "node": _node()}
