"""The shape of the IR (``floec.ir.v1``), declared once, as JSON Schemas of its parts.

``docs/ir.md`` says what the fields mean. Every object of the IR has all its fields, so each field has a
``default`` here, which stands where nothing is known.
"""

from __future__ import annotations

from compiler.ir import IR_VERSION as IR_VERSION
from compiler.ir.platform_shape import platform, sla
from compiler.ir.shape_parts import (
    ANY,
    BOOL,
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
    record,
    reference,
    word,
)

SCHEMA_ID = "https://floec.dev/schemas/floec.ir.v1.json"


def _schedule() -> Schema:
    return maybe(record(cron=TEXT, timezone={"type": "string", "default": "UTC"}, enabled=BOOL | {"default": True}))


def _transform() -> Schema:
    return record(
        name=MAYBE_TEXT,
        type={"type": "string", "default": "dbt"},
        path=MAYBE_TEXT,
        tier=MAYBE_TEXT,
        tags=TEXTS,
        depends_on=TEXTS,
        compute=MAYBE_TEXT,
        **dict.fromkeys(("profiles_dir", "select", "exclude", "tests", "materialization", "resources"), ANY),
        description=MAYBE_TEXT,
    )


def _output_port() -> Schema:
    grant = record(domain=MAYBE_TEXT, role=MAYBE_TEXT, access={"type": "string", "default": "read"})
    sla = record(
        freshness=MAYBE_TEXT,
        freshness_hours=MAYBE_NUMBER,
        availability=MAYBE_NUMBER,
        quality=record(completeness=MAYBE_NUMBER, accuracy=MAYBE_NUMBER),
    )
    return record(
        name=TEXT,
        description=TEXT,
        table=MAYBE_TEXT,
        model=MAYBE_TEXT,
        schema=ANY,
        **dict.fromkeys(("contract", "type", "format"), ANY),
        sla=sla,
        access=record(default=word("deny", "deny", "allow"), grants=list_of(grant)),
    )


def _input_port() -> Schema:
    return record(
        name=TEXT,
        description=TEXT,
        source=maybe(record(type=TEXT, ref=MAYBE_TEXT, config=OPEN)),
        contract=ANY,
        freshness_requirement=MAYBE_TEXT,
        freshness_hours=MAYBE_NUMBER,
    )


def _product() -> Schema:
    return record(
        name=TEXT,
        version=TEXT,
        description=TEXT,
        owner=TEXT,
        domain=TEXT,
        repository=TEXT,
        labels=OPEN,
        ownership=record(team=TEXT, name=TEXT, email=TEXT, slack=TEXT),
        transforms=list_of(_transform()),
        ingestion=list_of(OPEN),
        input_ports=list_of(_input_port()),
        output_ports=list_of(_output_port()),
        schedule=_schedule(),
        destinations=list_of(OPEN),
        quality=record(minimum_coverage=MAYBE_NUMBER, required_tests=TEXTS, gates=list_of(OPEN), dbt_tests=OPEN),
        governance=record(classification=OPEN, policies=OPEN, retention_days=MAYBE_NUMBER, data_contracts=OPEN),
        depends_on=TEXTS,
    )


def _project() -> Schema:
    return record(
        name=TEXT,
        version=MAYBE_TEXT,
        adapter=MAYBE_TEXT,
        dialect=MAYBE_TEXT,
        dbt_version=MAYBE_TEXT,
        manifest_version=MAYBE_NUMBER,
        source=word("files", "manifest", "files", "mixed"),
        packages=list_of(record(name=TEXT, version=MAYBE_TEXT)),
        vars=OPEN,
        flags=OPEN,
        cycles=list_of(TEXTS),
        unknown=TEXTS,
    )


def _column() -> Schema:
    step = record(node=TEXT, column=TEXT, transform=TEXT)
    return record(
        name=TEXT,
        description=TEXT,
        type=MAYBE_TEXT,
        tags=TEXTS,
        meta=OPEN,
        classification=MAYBE_TEXT,
        level=MAYBE_TEXT,
        pii_type=MAYBE_TEXT,
        sensitivity=MAYBE_TEXT,
        masked=BOOL,
        tests=TEXTS,
        constraints=TEXTS,
        declared=BOOL | {"default": True},
        in_catalog=MAYBE_BOOL,
        catalog_type=MAYBE_TEXT,
        inherited=maybe(record(classification=MAYBE_TEXT, level=MAYBE_TEXT, path=list_of(step))),
    )


def _attached() -> Schema:
    """A test as its node lists it."""
    return list_of(record(name=MAYBE_TEXT, column=MAYBE_TEXT, severity=word("error", "error", "warn"), unique_id=TEXT))


def _place() -> dict[str, Schema]:
    return {"unique_id": MAYBE_TEXT, "line": MAYBE_NUMBER, "column": MAYBE_NUMBER}


def _node() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        resource_type=word("model", "model", "seed", "snapshot"),
        package=TEXT,
        path=TEXT,
        patch_path=TEXT,
        directory=TEXT,
        layer=MAYBE_TEXT,
        layer_rank=MAYBE_NUMBER,
        database=MAYBE_TEXT,
        schema=MAYBE_TEXT,
        alias=MAYBE_TEXT,
        materialized=TEXT,
        language={"type": "string", "default": "sql"},
        description=TEXT,
        owner=MAYBE_TEXT,
        tags=TEXTS,
        meta=OPEN,
        access=word(None, "private", "protected", "public"),
        group=MAYBE_TEXT,
        contract_enforced=BOOL,
        constraints=list_of(record(type=TEXT, columns=TEXTS, expression=MAYBE_TEXT, name=MAYBE_TEXT)),
        version=MAYBE_TEXT,
        latest_version=MAYBE_TEXT,
        deprecation_date=MAYBE_TEXT,
        columns=list_of(reference("column")),
        tests=_attached(),
        primary_key=TEXTS,
        coverage=MAYBE_NUMBER,
        depends_on=TEXTS,
        depends_on_macros=MAYBE_TEXTS,
        used_by=TEXTS,
        refs=list_of(record(name=TEXT, package=MAYBE_TEXT, version=MAYBE_TEXT, **_place())),
        source_refs=list_of(record(source=TEXT, table=TEXT, **_place())),
        unique_key={"type": ["string", "array", "null"], "items": TEXT, "default": None},
        incremental_strategy=MAYBE_TEXT,
        snapshot_strategy=MAYBE_TEXT,
        grants=map_of(TEXTS),
        retention_days=MAYBE_NUMBER,
        code_lines=MAYBE_NUMBER,
        joins=MAYBE_NUMBER,
        raw_code=MAYBE_TEXT,
        select_star=MAYBE_BOOL,
        hard_coded_relations=TEXTS,
        config=OPEN,
        size=maybe(record(rows=MAYBE_NUMBER, bytes=MAYBE_NUMBER)),
        last_run=maybe(record(status=TEXT, seconds=MAYBE_NUMBER, rows=MAYBE_NUMBER, bytes=MAYBE_NUMBER)),
        enabled={"const": True, "type": "boolean", "default": True},
    )


def _source() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        source_name=TEXT,
        package=TEXT,
        path=TEXT,
        schema=MAYBE_TEXT,
        database=MAYBE_TEXT,
        identifier=MAYBE_TEXT,
        loader=MAYBE_TEXT,
        loaded_at_field=MAYBE_TEXT,
        freshness=maybe(record(warn_after_hours=MAYBE_NUMBER, error_after_hours=MAYBE_NUMBER)),
        description=TEXT,
        source_description=TEXT,
        tags=TEXTS,
        meta=OPEN,
        owner=MAYBE_TEXT,
        columns=list_of(reference("column")),
        tests=_attached(),
        used_by=TEXTS,
        last_freshness=maybe(record(status=TEXT, max_loaded_at=MAYBE_TEXT, age_hours=MAYBE_NUMBER)),
        layer=MAYBE_TEXT,
    )


def _test() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        test=MAYBE_TEXT,
        kind=word("generic", "generic", "singular"),
        attached_to=MAYBE_TEXT,
        column=MAYBE_TEXT,
        severity=word("error", "error", "warn"),
        where=MAYBE_TEXT,
        tags=TEXTS,
        meta=OPEN,
        description=TEXT,
        path=TEXT,
        arguments=OPEN,
        depends_on=TEXTS,
        enabled=BOOL | {"default": True},
        last_run=maybe(record(status=TEXT, failures=MAYBE_NUMBER, seconds=MAYBE_NUMBER)),
    )


_OWNER: Schema = record(name=MAYBE_TEXT, email=MAYBE_TEXT)


def _exposure() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        type=TEXT,
        owner=_OWNER,
        description=TEXT,
        url=MAYBE_TEXT,
        maturity=MAYBE_TEXT,
        depends_on=TEXTS,
        tags=TEXTS,
        meta=OPEN,
        path=TEXT,
    )


def _metric() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        label=TEXT,
        type=TEXT,
        description=TEXT,
        depends_on=TEXTS,
        tags=TEXTS,
        meta=OPEN,
        group=MAYBE_TEXT,
        path=TEXT,
    )


def _semantic_model() -> Schema:
    member = record(name=TEXT, type=TEXT, expr=MAYBE_TEXT)
    return record(
        unique_id=TEXT,
        name=TEXT,
        model=MAYBE_TEXT,
        description=TEXT,
        meta=OPEN,
        entities=list_of(member),
        dimensions=list_of(member),
        measures=list_of(record(name=TEXT, agg=TEXT, expr=MAYBE_TEXT)),
        group=MAYBE_TEXT,
        path=TEXT,
    )


def _macro() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        package=TEXT,
        path=TEXT,
        description=TEXT,
        arguments=list_of(record(name=TEXT, type=MAYBE_TEXT, description=TEXT)),
        meta=OPEN,
        tags=TEXTS,
        used_by=MAYBE_TEXTS,
        raw_code=MAYBE_TEXT,
        code_lines=MAYBE_NUMBER,
    )


def _unit_test() -> Schema:
    return record(
        unique_id=TEXT,
        name=TEXT,
        model=MAYBE_TEXT,
        description=TEXT,
        given_formats=TEXTS,
        expect_format=MAYBE_TEXT,
        path=TEXT,
    )


def _others() -> dict[str, Schema]:
    """The smaller lists of the project."""
    return {
        "exposures": _exposure(),
        "metrics": _metric(),
        "semantic_models": _semantic_model(),
        "saved_queries": record(unique_id=TEXT, name=TEXT, description=TEXT, metrics=TEXTS, path=TEXT),
        "macros": _macro(),
        "groups": record(name=TEXT, owner=_OWNER, path=TEXT),
        "unit_tests": _unit_test(),
    }


def _job() -> Schema:
    return record(
        name=TEXT,
        kind=word("dbt_run", "dbt_run", "dbt_test", "dbt_seed", "ingestion", "quality"),
        schedule=_schedule(),
        needs=TEXTS,
        select=MAYBE_TEXT,
        resources=OPEN,
    )


def _contract() -> Schema:
    column = record(
        name=TEXT,
        type=MAYBE_TEXT,
        required=BOOL,
        unique=BOOL,
        primary_key=BOOL,
        classification=MAYBE_TEXT,
        level=MAYBE_TEXT,
        description=TEXT,
    )
    deprecation = record(announced=MAYBE_TEXT, sunset_date=MAYBE_TEXT, replacement=MAYBE_TEXT, reason=TEXT)
    change = record(kind=TEXT, column=MAYBE_TEXT, severity=word("patch", "major", "minor", "patch"), text=TEXT)
    return record(
        id=TEXT,
        name=TEXT,
        version=TEXT,
        status=word("active", "draft", "active", "deprecated", "sunset", "retired"),
        origin=word("written", "written", "generated"),
        domain=TEXT,
        product=TEXT,
        port=MAYBE_TEXT,
        model=MAYBE_TEXT,
        owner=MAYBE_TEXT,
        description=TEXT,
        tags=TEXTS,
        columns=list_of(column),
        sla=sla(),
        deprecation=maybe(deprecation),
        consumers=list_of(record(domain=TEXT, product=TEXT)),
        previous_version=MAYBE_TEXT,
        due_version=MAYBE_TEXT,
        changes=list_of(change),
        path=TEXT,
    )


def ir() -> Schema:
    """The whole IR; it refers to ``definitions()``."""
    policy = record(
        package=TEXT,
        id=TEXT,
        name=TEXT,
        title=TEXT,
        severity=word("block", "block", "warn", "notify", "off"),
        use=TEXT,
        tier=TEXT,
    )
    return record(
        ir_version={"type": "string", "const": IR_VERSION, "default": IR_VERSION},
        platform=platform(),
        product=maybe(_product()),
        project=maybe(_project()),
        **{name: list_of(reference("node")) for name in ("models", "seeds", "snapshots")},
        sources=list_of(_source()),
        **{name: list_of(item) for name, item in _others().items()},
        tests=list_of(_test()),
        contracts=list_of(_contract()),
        jobs=list_of(_job()),
        policies=list_of(policy),
        params=map_of(map_of(ANY)),
    )


def definitions() -> dict[str, Schema]:
    """What stands in more than one place of the IR."""
    return {"column": _column(), "node": _node()}
