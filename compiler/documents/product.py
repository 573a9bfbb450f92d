"""The data product's shape (floe.yaml)."""

from __future__ import annotations

from compiler.documents.governance import CLASS_POLICIES, DATA_CONTRACTS, ON_FAILURE
from compiler.documents.manifest import OPEN, OWNER_RECORD, REFERENCE_TO_PARENT
from compiler.documents.shape import Anything, Choice, Either, Field, Flag, ListOf, MapOf, Number, Record, Text
from compiler.documents.values import (
    COUNT,
    CRON,
    DURATION,
    FILE_PATH,
    FULL_TEXT,
    IDENTIFIER,
    NAME,
    OWNER,
    PERCENT,
    PRODUCT_VERSION,
    REFERENCE,
    SECRET_REFERENCE,
    TEXT,
    TIMEZONE,
)


def _snake(value: str) -> str:
    good = value.isascii() and value[:1].isalpha() and value == value.lower() and value.replace("_", "a").isalnum()
    return "" if good else "must be lower-case letters, digits and `_`, beginning with a letter"


def _port(value: str) -> str:
    good = value.count(".") in (1, 2) and all(value.split("."))
    return "" if good else "must be `domain.product.port`, or `domain.product`"


_METADATA = Record(
    "ProductMetadata",
    {
        "name": Field(NAME, "1 to 63 lower-case letters, digits and `-`.", required=True),
        "version": Field(PRODUCT_VERSION, "SemVer, or major and minor.", default="0.0.0"),
        "description": Field(Text(longest=2000), "What the product is."),
        "owner": Field(OWNER, "A team or an e-mail address."),
        "domain": Field(NAME, "The domain that it belongs to."),
        "repository": Field(TEXT, "Where its sources are; identifies the product."),
        "labels": Field(OPEN, "Own labels."),
    },
)

_PLATFORM = Record(
    "PlatformReference",
    {
        "ref": Field(REFERENCE, "A path, or oci://host/repository:tag.", also=("manifest",)),
        "version": Field(FULL_TEXT, "The platform's version, where `ref` names none."),
        "public_key": Field(FILE_PATH, "A file with the public key that must have signed the platform."),
        "cache": Field(Flag(), "Whether a platform that was read once is kept.", default=True),
    },
    short="ref",
)

_TRANSFORM = Record(
    "Transform",
    {
        "name": Field(FULL_TEXT, "One model."),
        "type": Field(Choice("dbt"), "What runs it.", default="dbt"),
        "path": Field(FILE_PATH, "A folder of models."),
        "tier": Field(IDENTIFIER, "The layer of the model.", also=("layer",)),
        "tags": Field(ListOf(FULL_TEXT, lone=True), "dbt tags.", default=[]),
        "depends_on": Field(ListOf(FULL_TEXT, lone=True), "Models that must be there before.", default=[]),
        "compute": Field(FULL_TEXT, "One of the platform's approved computes."),
        "profiles_dir": Field(FULL_TEXT, "Where generated profiles go."),
        "select": Field(Either(FULL_TEXT, ListOf(FULL_TEXT)), "What dbt selects."),
        "exclude": Field(Either(FULL_TEXT, ListOf(FULL_TEXT)), "What dbt leaves out."),
        "tests": Field(Either(Flag(), ListOf(Anything())), "Whether tests run after it, or which."),
        "description": Field(TEXT, "What it does."),
        "materialization": Field(FULL_TEXT, "How dbt stores it."),
        "resources": Field(Either(FULL_TEXT, OPEN), "A resource preset, or CPU and memory."),
    },
)

_DLT = Record(
    "Dlt",
    {
        "source": Field(FULL_TEXT, "The dlt source.", required=True),
        "resources": Field(ListOf(FULL_TEXT, lone=True), "Which of its resources.", also=("resource",)),
        "write_disposition": Field(Choice("append", "replace", "merge", "skip"), "How rows are written."),
        "incremental": Field(Either(Flag(), OPEN), "How only new rows are read."),
        "config": Field(OPEN, "The source's own configuration."),
    },
)

_INGESTION = Record(
    "Ingestion",
    {
        "name": Field(Text(pattern="^[a-z][a-z0-9_]*$", check=_snake), "Its name.", required=True),
        "type": Field(Choice("dlt", "airbyte", "custom"), "What reads.", required=True),
        "description": Field(TEXT, "What it reads."),
        "destination": Field(FULL_TEXT, "The namespace or table that it fills."),
        "dlt": Field(_DLT, "For type dlt."),
        "airbyte": Field(OPEN, "For type airbyte."),
        "config": Field(OPEN, "For other types."),
        "schedule": Field(Either(CRON, OPEN), "When, where not with the product."),
        "secret_refs": Field(Either(ListOf(SECRET_REFERENCE), MapOf(SECRET_REFERENCE)), "Names of secrets."),
    },
)

_SLA = Record(
    "Sla",
    {
        "freshness": Field(DURATION, "The oldest that the data may be."),
        "availability": Field(PERCENT, "Percentage of time in which it can be read."),
        "quality": Field(
            Record("SlaQuality", {"completeness": Field(PERCENT), "accuracy": Field(PERCENT)}, rest=PERCENT),
            "Percentages by dimension.",
        ),
    },
)

_ACCESS = Choice("none", "read", "read_write", READ="read", READ_WRITE="read_write", write="read_write")
_PORT_ACCESS = Record(
    "PortAccess",
    {
        "default": Field(Choice("deny", "allow"), "What holds without a grant.", default="deny"),
        "grants": Field(
            ListOf(
                Record(
                    "PortGrant",
                    {
                        "domain": Field(FULL_TEXT, "Who may: a domain."),
                        "role": Field(FULL_TEXT, "Who may: a role."),
                        "access": Field(_ACCESS, "read or read_write.", default="read"),
                    },
                )
            ),
            "Who may read.",
            default=[],
        ),
    },
)

_COLUMN = Record(
    "PortColumn",
    {
        "name": Field(FULL_TEXT, "The column.", required=True),
        "type": Field(FULL_TEXT, "Its type."),
        "description": Field(TEXT, "What it holds."),
        "required": Field(Flag(), "Never null."),
        "primary_key": Field(Flag(), "Part of the key."),
        "unique": Field(Flag(), "No value twice."),
        "classification": Field(FULL_TEXT, "Its class."),
        "enum": Field(ListOf(Anything()), "Its values."),
        "format": Field(FULL_TEXT, "email, uuid, …"),
    },
    short="name",
)

_OUTPUT_PORT = Record(
    "OutputPort",
    {
        "name": Field(IDENTIFIER, "The port's name.", required=True),
        "description": Field(TEXT, "What it offers."),
        "table": Field(FULL_TEXT, "The table that it exposes."),
        "model": Field(FULL_TEXT, "The dbt model that makes the table."),
        "schema": Field(
            Either(
                FULL_TEXT,
                ListOf(_COLUMN),
                Record(
                    "PortSchema",
                    {"ref": Field(FILE_PATH, "A file."), "columns": Field(ListOf(_COLUMN), "Its columns.")},
                ),
            ),
            "Its columns, or a file with its schema.",
        ),
        "sla": Field(_SLA, "What it promises."),
        "access": Field(_PORT_ACCESS, "Who may read it."),
        "contract": Field(Either(FULL_TEXT, OPEN), "Its data contract: a file."),
        "type": Field(FULL_TEXT, "table, api, …"),
        "format": Field(FULL_TEXT, "iceberg, …"),
    },
)

_PORT_SOURCE = Record(
    "PortSource",
    {
        "type": Field(Choice("ingestion", "data_product"), "Where the data comes from.", required=True),
        "ref": Field(Text(_port, pattern=r"^[^.]+(\.[^.]+){1,2}$"), "domain.product.port."),
        "config": Field(OPEN, "For an ingestion."),
    },
    short="ref",
)

_INPUT_PORT = Record(
    "InputPort",
    {
        "name": Field(IDENTIFIER, "The port's name.", required=True),
        "description": Field(TEXT, "What it brings."),
        "source": Field(_PORT_SOURCE, "An ingestion or another product's port."),
        "freshness_requirement": Field(DURATION, "The oldest that the data may be."),
        "sla": Field(_SLA, "What is needed of the provider."),
        "contract": Field(Either(FULL_TEXT, OPEN), "The contract that it relies on."),
    },
)

_SCHEDULE = Record(
    "Schedule",
    {
        "cron": Field(CRON, "Five fields, or a name such as @daily.", required=True),
        "timezone": Field(TIMEZONE, "A time zone of the IANA database.", default="UTC"),
        "enabled": Field(Flag(), "Whether it runs.", default=True),
    },
    short="cron",
)

_DESTINATION = Record(
    "Destination",
    {
        "name": Field(IDENTIFIER, "Its name.", required=True),
        "sink_type": Field(FULL_TEXT, "What it writes to; must be an approved sink.", required=True, also=("type",)),
        "connection_secret_ref": Field(SECRET_REFERENCE, "The name of the secret that holds the connection."),
        "source_table": Field(FULL_TEXT, "What is sent."),
        "field_mapping": Field(MapOf(FULL_TEXT), "Column to field."),
        "batch_size": Field(Number(1, whole=True), "Rows a request."),
        "config": Field(OPEN, "The sink's own configuration."),
        "schedule": Field(CRON, "When, where not with the product."),
        "description": Field(TEXT, "What for."),
        "mode": Field(Choice("append", "replace", "merge", "upsert"), "How rows are written."),
    },
)

_CHECK = Record(
    "GateCheck",
    {
        "type": Field(
            Choice("row_count", "null_percentage", "freshness", "uniqueness", "custom"),
            "What is measured.",
            required=True,
        ),
        "min": Field(Number(), "At least."),
        "max": Field(Number(), "At most."),
        "columns": Field(Either(FULL_TEXT, ListOf(FULL_TEXT)), "Globs of columns."),
        "max_age_hours": Field(Number(0), "For freshness."),
    },
    rest=Anything(),
)

_GATE = Record(
    "QualityGate",
    {
        "name": Field(FULL_TEXT, "Its name.", required=True),
        "scope": Field(
            Record(
                "GateScope",
                {
                    "tags": Field(ListOf(FULL_TEXT, lone=True)),
                    "layer": Field(IDENTIFIER),
                    "models": Field(ListOf(FULL_TEXT)),
                },
            ),
            "Which models.",
        ),
        "checks": Field(ListOf(_CHECK), "What is checked."),
        "on_failure": Field(ON_FAILURE, "block, warn or notify."),
    },
)

_QUALITY = Record(
    "ProductQuality",
    {
        "minimum_coverage": Field(
            PERCENT, "Not below the platform's.", order="stricter_up", also=("minimum_test_coverage",)
        ),
        "required_tests": Field(ListOf(FULL_TEXT), "Beside the platform's.", order="extend"),
        "gates": Field(ListOf(_GATE), "Gates on the data."),
        "dbt_tests": Field(
            Record("DbtTests", {"enabled": Field(Flag()), "fail_on_warning": Field(Flag())}), "dbt's own tests."
        ),
    },
)

_GOVERNANCE = Record(
    "ProductGovernance",
    {
        "classification": Field(
            Record("ProductClassification", {"source": Field(Choice("dbt_meta", "dbt_tags", "contracts"))}),
            "Where columns declare their class.",
        ),
        "policies": Field(
            CLASS_POLICIES, "What is done with each class; stricter than the platform says, or the same."
        ),
        "data_contracts": Field(DATA_CONTRACTS, "How contracts are enforced; not below the platform's."),
        "retention_days": Field(COUNT, "How long the product keeps its data."),
    },
)

PRODUCT = Record(
    "DataProduct",
    {
        "apiVersion": Field(Choice("floe.dev/v1"), "floe.dev/v1.", required=True),
        "kind": Field(Choice("DataProduct"), "DataProduct (FloeSpec is read too).", required=True),
        "metadata": Field(_METADATA, "What the product is called.", required=True),
        "platform": Field(_PLATFORM, "The platform that it is built on."),
        "domain": Field(REFERENCE_TO_PARENT, "The domain's manifest."),
        "ownership": Field(OWNER_RECORD, "Who answers for it."),
        "transforms": Field(ListOf(_TRANSFORM), "What runs.", default=[]),
        "ingestion": Field(ListOf(_INGESTION), "What is loaded.", default=[]),
        "input_ports": Field(ListOf(_INPUT_PORT), "What it reads from others.", default=[]),
        "output_ports": Field(ListOf(_OUTPUT_PORT), "What it offers.", default=[]),
        "schedule": Field(_SCHEDULE, "When it runs."),
        "destinations": Field(ListOf(_DESTINATION), "Reverse ETL.", default=[]),
        "quality": Field(_QUALITY, "Quality beyond the platform's gates."),
        "governance": Field(_GOVERNANCE, "What is done with each class of data."),
        "depends_on": Field(ListOf(FULL_TEXT, lone=True), "Products, as domain.product.", default=[]),
    },
)
