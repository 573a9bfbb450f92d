"""The data contract's shape: ODCS 3.x, the reference page's spelling, and the contract between two domains.

What ODCS knows is checked where a wrong value would mislead the comparison of two versions, and carried along
elsewhere. ``compiler.contracts.read`` makes one form of all three spellings.
"""

from __future__ import annotations

from compiler.documents.manifest import OPEN
from compiler.documents.shape import Anything, Choice, Either, Field, Flag, Later, ListOf, MapOf, Number, Record
from compiler.documents.values import DATE, DURATION, FULL_TEXT, NAME, OWNER, PRODUCT_VERSION, TEXT

LIFECYCLE = ("proposed", "draft", "active", "deprecated", "sunset", "retired")
API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0", "floe.dev/v1")
LOGICAL_TYPES = (
    "string",
    "date",
    "timestamp",
    "time",
    "number",
    "integer",
    "object",
    "array",
    "boolean",
    "map",
    "vector",
    "blob",
)
LIFE = Choice(
    *LIFECYCLE,
    **{
        "development": "draft",
        "in development": "draft",
        "test": "draft",
        "production": "active",
        "published": "active",
        "end of life": "retired",
    },
)
"""The standard leaves the words free; these are met besides its own."""
_LIST = ListOf(Anything())
_SCALAR_LIST = Either(FULL_TEXT, ListOf(FULL_TEXT))

BOUNDS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)

_QUALITY = Record(
    "QualityRule",
    {
        "type": Field(Choice("text", "library", "sql", "custom", "great_expectations", "soda"), "Who knows the rule."),
        "metric": Field(FULL_TEXT, "The library's metric.", also=("rule",)),
        "name": Field(FULL_TEXT, "Its name."),
        "description": Field(TEXT, "What it means."),
        "dimension": Field(
            Choice("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"),
            "Which dimension of quality.",
        ),
        "severity": Field(FULL_TEXT, "How bad."),
        "query": Field(FULL_TEXT, "The SQL of type sql."),
        "engine": Field(FULL_TEXT, "The tool of type custom."),
        "implementation": Field(Anything(), "The tool's own text."),
        **{bound: Field(Anything(), "A bound.") for bound in BOUNDS},
    },
    rest=Anything(),
)

PROPERTY: Record = Record(
    "SchemaProperty",
    {
        "id": Field(FULL_TEXT, "Its identifier."),
        "name": Field(FULL_TEXT, "The column.", required=True),
        "logicalType": Field(Choice(*LOGICAL_TYPES), "Its type in the standard's words."),
        "physicalType": Field(FULL_TEXT, "Its type in the database."),
        "physicalName": Field(FULL_TEXT, "Its name in the database."),
        "businessName": Field(FULL_TEXT, "Its name in the business."),
        "description": Field(TEXT, "What it holds."),
        "required": Field(Flag(), "Never null."),
        "unique": Field(Flag(), "No value twice."),
        "primaryKey": Field(Flag(), "Part of the key."),
        "primaryKeyPosition": Field(Number(-1, whole=True), "Its place in the key."),
        "partitioned": Field(Flag(), "Part of the partitioning."),
        "partitionKeyPosition": Field(Number(-1, whole=True), "Its place in the partitioning."),
        "classification": Field(FULL_TEXT, "Its class."),
        "encryptedName": Field(FULL_TEXT, "The column that holds it encrypted."),
        "criticalDataElement": Field(Flag(), "Whether it is critical."),
        "logicalTypeOptions": Field(OPEN, "Lengths, patterns, bounds."),
        "enum": Field(_LIST, "Its values."),
        "examples": Field(_LIST, "Examples."),
        "tags": Field(ListOf(TEXT), "Tags."),
        "quality": Field(ListOf(_QUALITY), "Rules on the column."),
        "properties": Field(Later(lambda: ListOf(PROPERTY), (list,), "a list"), "Of an object."),
        "items": Field(Later(lambda: ITEM, (dict,), "a mapping"), "Of an array."),
        "relationships": Field(_LIST, "Foreign keys."),
    },
    rest=Anything(),
)
ITEM: Record = Record("Items", {**PROPERTY.fields, "name": Field(FULL_TEXT, "The column.")}, rest=Anything())

_SCHEMA_OBJECT = Record(
    "SchemaObject",
    {
        "id": Field(FULL_TEXT, "Its identifier."),
        "name": Field(FULL_TEXT, "The table.", required=True),
        "physicalName": Field(FULL_TEXT, "Its name in the database."),
        "physicalType": Field(FULL_TEXT, "table, view, topic …"),
        "logicalType": Field(Choice("object", "blob"), "object."),
        "businessName": Field(FULL_TEXT, "Its name in the business."),
        "description": Field(TEXT, "What it holds."),
        "dataGranularityDescription": Field(TEXT, "What one row is."),
        "properties": Field(ListOf(PROPERTY), "Its columns."),
        "quality": Field(ListOf(_QUALITY), "Rules on the table."),
        "tags": Field(ListOf(TEXT), "Tags."),
        "relationships": Field(_LIST, "Foreign keys."),
    },
    rest=Anything(),
)

ELEMENT: Record = Record(
    "Element",
    {
        "type": Field(FULL_TEXT, "string, int, long, decimal, timestamp …"),
        "description": Field(TEXT, "What it holds."),
        "required": Field(Flag(), "Never null."),
        "unique": Field(Flag(), "No value twice."),
        "primaryKey": Field(Flag(), "Part of the key.", also=("primary_key", "primary")),
        "format": Field(FULL_TEXT, "email, uri, uuid, phone, date, date-time, ipv4, ipv6."),
        "classification": Field(FULL_TEXT, "Its class."),
        "enum": Field(_LIST, "Its values."),
        "pattern": Field(FULL_TEXT, "A regular expression."),
        "minLength": Field(Number(0, whole=True), "Characters at least."),
        "maxLength": Field(Number(0, whole=True), "Characters at most."),
        "minimum": Field(Number(), "At least."),
        "maximum": Field(Number(), "At most."),
        "precision": Field(Number(0, whole=True), "Digits."),
        "scale": Field(Number(0, whole=True), "Digits after the point."),
        "tags": Field(ListOf(TEXT), "Tags."),
        "references": Field(FULL_TEXT, "model.column of a foreign key."),
        "example": Field(Anything(), "An example."),
        "examples": Field(_LIST, "Examples."),
        "items": Field(Later(lambda: ELEMENT, (dict,), "a mapping"), "Of an array."),
        "fields": Field(Later(lambda: MapOf(ELEMENT), (dict,), "a mapping"), "Of an object.", also=("elements",)),
        "quality": Field(_LIST, "Rules on the column."),
    },
    short="type",
    rest=Anything(),
)

_MODEL = Record(
    "ContractModel",
    {
        "description": Field(TEXT, "What it holds."),
        "type": Field(FULL_TEXT, "table, view …"),
        "elements": Field(MapOf(ELEMENT), "Its columns.", also=("fields", "columns")),
        "primaryKey": Field(ListOf(FULL_TEXT, lone=True), "Its key."),
        "quality": Field(_LIST, "Rules on the table."),
        "tags": Field(ListOf(TEXT), "Tags."),
    },
    rest=Anything(),
)

_PORT_COLUMN = Record("ContractColumn", {"name": Field(FULL_TEXT, "The column.", required=True), **ELEMENT.fields})

_SLA_ITEM: Record = Record(
    "SlaProperty",
    {
        "property": Field(FULL_TEXT, "freshness, availability, retention …", required=True),
        "value": Field(Anything(), "Its value.", required=True),
        "valueExt": Field(Anything(), "The end of a range."),
        "unit": Field(FULL_TEXT, "d, h, % …"),
        "element": Field(FULL_TEXT, "The column that it is measured on."),
        "driver": Field(FULL_TEXT, "regulatory, analytics, operational."),
    },
    rest=Anything(),
)

_DEPRECATION = Record(
    "Deprecation",
    {
        "announced": Field(DATE, "When it was said."),
        "sunset_date": Field(DATE, "The last day."),
        "replacement": Field(FULL_TEXT, "What to use instead."),
        "migration_guide": Field(FULL_TEXT, "How to move."),
        "reason": Field(TEXT, "Why."),
    },
)

_SIDE = {
    "domain": Field(NAME, "The domain.", required=True),
    "product": Field(NAME, "The product.", required=True),
}

_TEAM_MEMBER = Record(
    "TeamMember",
    {
        "username": Field(FULL_TEXT, "Name or address."),
        "name": Field(FULL_TEXT, "The reference page's spelling of username."),
        "role": Field(FULL_TEXT, "What the person does."),
        "dateIn": Field(DATE, "Since."),
        "dateOut": Field(DATE, "Until."),
    },
    rest=Anything(),
)

CONTRACT = Record(
    "DataContract",
    {
        "apiVersion": Field(Choice(*API_VERSIONS), "The version of ODCS, or floe.dev/v1.", required=True),
        "kind": Field(Choice("DataContract"), "DataContract.", required=True),
        "id": Field(FULL_TEXT, "Its identifier."),
        "name": Field(FULL_TEXT, "Its name."),
        "version": Field(PRODUCT_VERSION, "SemVer."),
        "status": Field(LIFE, "Its place in the lifecycle."),
        "metadata": Field(
            Record(
                "ContractMetadata",
                {
                    "name": Field(FULL_TEXT, "Its name.", required=True),
                    "version": Field(PRODUCT_VERSION, "SemVer.", required=True),
                    "description": Field(TEXT, "What it is."),
                    "owner": Field(OWNER, "Whose."),
                },
            ),
            "Name and version of the contract between two domains.",
        ),
        "owner": Field(OWNER, "A team or an e-mail address."),
        "tenant": Field(FULL_TEXT, "The tenant."),
        "domain": Field(FULL_TEXT, "The domain."),
        "dataProduct": Field(FULL_TEXT, "The product."),
        "description": Field(Either(TEXT, OPEN), "Purpose, usage, limitations."),
        "tags": Field(ListOf(TEXT), "Tags."),
        "servers": Field(
            ListOf(
                Record("Server", {"server": Field(FULL_TEXT), "type": Field(FULL_TEXT, required=True)}, rest=Anything())
            ),
            "Where the data is.",
        ),
        "schema": Field(
            Either(
                ListOf(_SCHEMA_OBJECT),
                Record("PortSchema", {"columns": Field(ListOf(_PORT_COLUMN), "The columns.", required=True)}),
            ),
            "Tables and their columns.",
        ),
        "models": Field(MapOf(_MODEL), "Tables, in the reference page's spelling."),
        "team": Field(Either(FULL_TEXT, ListOf(_TEAM_MEMBER), OPEN), "Whose it is."),
        "roles": Field(
            ListOf(Record("ContractRole", {"role": Field(FULL_TEXT, required=True)}, rest=Anything())), "Roles."
        ),
        "support": Field(
            ListOf(Record("Support", {"channel": Field(FULL_TEXT, required=True)}, rest=Anything())), "Help."
        ),
        "price": Field(OPEN, "What it costs."),
        "slaDefaultElement": Field(FULL_TEXT, "The column that SLAs are measured on."),
        "slaProperties": Field(
            Either(ListOf(_SLA_ITEM), MapOf(Anything())), "Promises: a list, or a mapping by property."
        ),
        "quality": Field(
            ListOf(OPEN), "Rules of the reference page; ODCS has them in its schema.", also=("dataQuality",)
        ),
        "authoritativeDefinitions": Field(_LIST, "Definitions elsewhere."),
        "customProperties": Field(Either(_LIST, OPEN), "Own properties."),
        "contractCreatedTs": Field(FULL_TEXT, "When it was made."),
        "context": Field(Anything(), "ODCS 3.2."),
        "terms": Field(Either(TEXT, OPEN), "Terms of use."),
        "deprecation": Field(_DEPRECATION, "When it ends and what replaces it."),
        "contacts": Field(_LIST, "Who answers questions."),
        "links": Field(Either(OPEN, _LIST), "Pages."),
        "provider": Field(
            Record("Provider", {**_SIDE, "port": Field(FULL_TEXT, "The port.", required=True)}), "Who gives."
        ),
        "consumer": Field(Record("Consumer", {**_SIDE, "port": Field(FULL_TEXT, "The port.")}), "Who takes."),
        "sla": Field(
            Record(
                "ContractSla",
                {
                    "freshness": Field(DURATION, "The oldest."),
                    "availability": Field(Anything(), "Percentage."),
                    "quality": Field(OPEN, "By dimension."),
                },
            ),
            "Promises between two domains.",
        ),
        "validation": Field(
            Record(
                "Validation",
                {
                    "schema_compatibility": Field(Choice("none", "backward", "forward", "full"), "Which changes."),
                    "breaking_change_notification": Field(DURATION, "How long before."),
                },
            ),
            "How changes are judged.",
        ),
        "consumers": Field(_LIST, "Who uses it, and which columns."),
    },
)
