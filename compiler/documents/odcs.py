"""The Open Data Contract Standard's own parts, as its JSON Schemas of 3.0.0 to 3.1.0 declare them.

Source: Bitol, Open Data Contract Standard v3.0.2 and v3.1.0. Where the versions differ, what either takes is taken.
"""

from __future__ import annotations

from compiler.documents.manifest import OPEN
from compiler.documents.shape import Anything, Choice, Either, Field, Flag, Later, ListOf, Number, Record
from compiler.documents.values import DATE, FULL_TEXT, TEXT

STANDARD = "ODCS"
LOGICAL_TYPE = Choice(
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
    text="string",
    varchar="string",
    int="integer",
    long="integer",
    bigint="integer",
    decimal="number",
    numeric="number",
    float="number",
    double="number",
    datetime="timestamp",
    bool="boolean",
)
"""The standard's types, and the databases' words that are met in their place."""
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
_LIST = ListOf(Anything())
_ID = {"id": Field(FULL_TEXT, "Its identifier.")}

CUSTOM = ListOf(
    Record(
        "CustomProperty",
        {
            **_ID,
            "property": Field(FULL_TEXT, "Its name.", required=True),
            "value": Field(Anything(), "Its value."),
            "description": Field(TEXT, "What it means."),
            "vendor": Field(FULL_TEXT, "Whose it is."),
        },
        standard=STANDARD,
    )
)
DEFINITIONS = ListOf(
    Record(
        "AuthoritativeDefinition",
        {
            **_ID,
            "url": Field(FULL_TEXT, "Where it is.", required=True),
            "type": Field(FULL_TEXT, "businessDefinition, transformationImplementation, videoTutorial …"),
            "description": Field(TEXT, "What it is."),
        },
        standard=STANDARD,
    )
)
_CUSTOM = {"customProperties": Field(Either(CUSTOM, OPEN), "Own properties.")}
_DEFINITIONS = {"authoritativeDefinitions": Field(DEFINITIONS, "Definitions elsewhere.")}
_TAGS = {"tags": Field(ListOf(TEXT), "Tags.")}

DESCRIPTION = Record(
    "ContractDescription",
    {
        "purpose": Field(TEXT, "What the data is for."),
        "usage": Field(TEXT, "How it is to be used."),
        "limitations": Field(TEXT, "How it is not to be used."),
        **_DEFINITIONS,
        **_CUSTOM,
    },
    standard=STANDARD,
)

_END = Either(FULL_TEXT, ListOf(FULL_TEXT))
_RELATIONSHIPS = ListOf(
    Record(
        "Relationship",
        {
            **_ID,
            "type": Field(FULL_TEXT, "foreignKey."),
            "from": Field(_END, "The column or columns that refer."),
            "to": Field(_END, "Those referred to."),
            "description": Field(TEXT, "What it says."),
            **_CUSTOM,
        },
        standard=STANDARD,
    )
)

_QUALITY = Record(
    "QualityRule",
    {
        **_ID,
        "type": Field(Choice("text", "library", "sql", "custom", "great_expectations", "soda"), "Who knows the rule."),
        "metric": Field(FULL_TEXT, "The library's metric.", also=("rule",)),
        "arguments": Field(OPEN, "What the metric needs."),
        "name": Field(FULL_TEXT, "Its name."),
        "description": Field(TEXT, "What it means."),
        "dimension": Field(
            Choice("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"),
            "Which dimension of quality.",
        ),
        "severity": Field(FULL_TEXT, "How bad."),
        "businessImpact": Field(TEXT, "What it would cost."),
        "method": Field(FULL_TEXT, "reconciliation …"),
        "unit": Field(FULL_TEXT, "rows or percent."),
        "validValues": Field(_LIST, "The values allowed."),
        "schedule": Field(FULL_TEXT, "When it runs."),
        "scheduler": Field(FULL_TEXT, "What runs it."),
        "query": Field(FULL_TEXT, "The SQL of type sql."),
        "engine": Field(FULL_TEXT, "The tool of type custom."),
        "implementation": Field(Either(FULL_TEXT, OPEN), "The tool's own text."),
        "mustBe": Field(Anything(), "The value."),
        "mustNotBe": Field(Anything(), "Not this value."),
        **{bound: Field(Number(), "A bound.") for bound in BOUNDS if "Greater" in bound or "Less" in bound},
        **{bound: Field(ListOf(Number()), "Two bounds.") for bound in BOUNDS if bound.endswith("Between")},
        **_TAGS,
        **_CUSTOM,
        **_DEFINITIONS,
    },
    standard=STANDARD,
)

_LIMIT = Either(Number(), FULL_TEXT)
_OPEN_LIMIT = Either(Flag(), Number(), FULL_TEXT)
_OPTIONS = Record(
    "LogicalTypeOptions",
    {
        "minLength": Field(Number(0, whole=True), "Characters at least."),
        "maxLength": Field(Number(0, whole=True), "Characters at most."),
        "pattern": Field(FULL_TEXT, "A regular expression."),
        "format": Field(FULL_TEXT, "email, uuid, yyyy-MM-dd, i32 …"),
        "minimum": Field(_LIMIT, "At least: a number or a date."),
        "maximum": Field(_LIMIT, "At most: a number or a date."),
        "exclusiveMinimum": Field(_OPEN_LIMIT, "More than: true in 3.0, a number or a date since."),
        "exclusiveMaximum": Field(_OPEN_LIMIT, "Less than: true in 3.0, a number or a date since."),
        "multipleOf": Field(Number(), "A multiple of."),
        "precision": Field(Number(0, whole=True), "Digits."),
        "scale": Field(Number(0, whole=True), "Digits after the point."),
        "timezone": Field(Flag(), "Whether the time has a zone."),
        "defaultTimezone": Field(FULL_TEXT, "The zone where none is given."),
        "minProperties": Field(Number(0, whole=True), "Keys at least."),
        "maxProperties": Field(Number(0, whole=True), "Keys at most."),
        "required": Field(ListOf(FULL_TEXT), "Keys of an object that must be there."),
        "minItems": Field(Number(0, whole=True), "Entries at least."),
        "maxItems": Field(Number(0, whole=True), "Entries at most."),
        "uniqueItems": Field(Flag(), "No entry twice."),
        "dimensions": Field(Number(1, whole=True), "Of a vector."),
    },
    standard=STANDARD,
)

PROPERTY: Record = Record(
    "SchemaProperty",
    {
        **_ID,
        "name": Field(FULL_TEXT, "The column.", required=True),
        "logicalType": Field(LOGICAL_TYPE, "Its type in the standard's words."),
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
        "transformSourceObjects": Field(ListOf(FULL_TEXT), "What it is made of."),
        "transformLogic": Field(TEXT, "How it is made."),
        "transformDescription": Field(TEXT, "How it is made, in words."),
        "logicalTypeOptions": Field(_OPTIONS, "Lengths, patterns, bounds."),
        "enum": Field(_LIST, "Its values."),
        "examples": Field(_LIST, "Examples."),
        "quality": Field(ListOf(_QUALITY), "Rules on the column."),
        "properties": Field(Later(lambda: ListOf(PROPERTY), (list,), "a list"), "Of an object."),
        "items": Field(Later(lambda: ITEM, (dict,), "a mapping"), "Of an array."),
        "relationships": Field(_RELATIONSHIPS, "Foreign keys."),
        **_TAGS,
        **_CUSTOM,
        **_DEFINITIONS,
    },
    standard=STANDARD,
)
ITEM: Record = Record("Items", {**PROPERTY.fields, "name": Field(FULL_TEXT, "The column.")}, standard=STANDARD)

SCHEMA_OBJECT = Record(
    "SchemaObject",
    {
        **_ID,
        "name": Field(FULL_TEXT, "The table.", required=True),
        "physicalName": Field(FULL_TEXT, "Its name in the database."),
        "physicalType": Field(FULL_TEXT, "table, view, topic …"),
        "logicalType": Field(Choice("object", "blob"), "object."),
        "businessName": Field(FULL_TEXT, "Its name in the business."),
        "description": Field(TEXT, "What it holds."),
        "dataGranularityDescription": Field(TEXT, "What one row is."),
        "properties": Field(ListOf(PROPERTY), "Its columns.", also=("columns",)),
        "quality": Field(ListOf(_QUALITY), "Rules on the table."),
        "relationships": Field(_RELATIONSHIPS, "Foreign keys."),
        **_TAGS,
        **_CUSTOM,
        **_DEFINITIONS,
    },
    standard=STANDARD,
)

SLA_ITEM = Record(
    "SlaProperty",
    {
        **_ID,
        "property": Field(FULL_TEXT, "freshness, availability, retention …", required=True),
        "value": Field(Anything(), "Its value."),
        "valueExt": Field(Anything(), "The end of a range."),
        "unit": Field(FULL_TEXT, "d, h, % …"),
        "element": Field(FULL_TEXT, "The column that it is measured on."),
        "driver": Field(FULL_TEXT, "regulatory, analytics, operational."),
        "description": Field(TEXT, "What it promises."),
        "schedule": Field(FULL_TEXT, "When it is measured."),
        "scheduler": Field(FULL_TEXT, "What measures it."),
        **_CUSTOM,
    },
    standard=STANDARD,
)

ROLE = Record(
    "ContractRole",
    {
        **_ID,
        "role": Field(FULL_TEXT, "Its name.", required=True),
        "description": Field(TEXT, "What it is for."),
        "access": Field(FULL_TEXT, "read, write …"),
        "firstLevelApprovers": Field(FULL_TEXT, "Who grants it."),
        "secondLevelApprovers": Field(FULL_TEXT, "Who confirms."),
        **_CUSTOM,
    },
    standard=STANDARD,
)
SUPPORT = Record(
    "Support",
    {
        **_ID,
        "channel": Field(FULL_TEXT, "Its name.", required=True),
        "url": Field(FULL_TEXT, "Where it is."),
        "description": Field(TEXT, "What it is for."),
        "tool": Field(FULL_TEXT, "email, slack, teams …"),
        "scope": Field(FULL_TEXT, "interactive, announcements, issues."),
        "invitationUrl": Field(FULL_TEXT, "Where to join."),
        **_CUSTOM,
    },
    standard=STANDARD,
)
PRICE = Record(
    "Price",
    {
        **_ID,
        "priceAmount": Field(Number(), "How much."),
        "priceCurrency": Field(FULL_TEXT, "Of which currency."),
        "priceUnit": Field(FULL_TEXT, "For which unit."),
    },
    standard=STANDARD,
)
TEAM_MEMBER = Record(
    "TeamMember",
    {
        **_ID,
        "username": Field(FULL_TEXT, "Name or address."),
        "name": Field(FULL_TEXT, "The reference page's spelling of username."),
        "role": Field(FULL_TEXT, "What the person does."),
        "description": Field(TEXT, "What there is to say."),
        "dateIn": Field(DATE, "Since."),
        "dateOut": Field(DATE, "Until."),
        "replacedByUsername": Field(FULL_TEXT, "Who came after."),
        **_TAGS,
        **_CUSTOM,
        **_DEFINITIONS,
    },
    standard=STANDARD,
)
TEAM = Record(
    "Team",
    {
        **_ID,
        "name": Field(FULL_TEXT, "Its name."),
        "description": Field(TEXT, "What it does."),
        "members": Field(ListOf(TEAM_MEMBER), "Who is in it."),
        **_TAGS,
        **_CUSTOM,
        **_DEFINITIONS,
    },
    standard=STANDARD,
)
SERVER = Record(
    "Server",
    {
        **_ID,
        "server": Field(FULL_TEXT, "Its name."),
        "type": Field(FULL_TEXT, "postgres, bigquery, kafka …", required=True),
        "description": Field(TEXT, "What it is."),
        "environment": Field(FULL_TEXT, "prod, dev …"),
        "roles": Field(ListOf(ROLE), "Roles on it."),
        **_CUSTOM,
    },
    rest=Anything(),
)
"""What a server needs beyond these depends on its type, and is carried along."""
