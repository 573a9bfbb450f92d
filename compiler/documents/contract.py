"""The data contract's shape: ODCS 3.x, the reference page's spelling, and the contract between two domains.

What the standard itself declares is in ``compiler.documents.odcs``; ``compiler.contracts.read`` makes one form of all
three spellings.
"""

from __future__ import annotations

from compiler.documents.manifest import OPEN
from compiler.documents.odcs import (
    CUSTOM,
    DEFINITIONS,
    DESCRIPTION,
    PRICE,
    ROLE,
    SCHEMA_OBJECT,
    SERVER,
    SLA_ITEM,
    SUPPORT,
    TEAM,
    TEAM_MEMBER,
)
from compiler.documents.shape import (
    Anything,
    Choice,
    Either,
    Field,
    Flag,
    KnownWord,
    Later,
    ListOf,
    MapOf,
    Number,
    Record,
)
from compiler.documents.values import DATE, DURATION, FULL_TEXT, NAME, OWNER, PRODUCT_VERSION, TEXT

LIFECYCLE = ("proposed", "draft", "active", "deprecated", "sunset", "retired")
API_VERSION = KnownWord(
    "v3.0.0",
    "v3.0.1",
    "v3.0.2",
    "v3.1.0",
    "v3.2.0",
    "floe.dev/v1",
    other=r"v3\.\d+\.\d+",
    taken="it is read as the newest of them",
)
LIFE = KnownWord(
    *LIFECYCLE,
    taken="the contract is judged as an active one",
    **{
        "current": "active",
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
_PAGE = "the reference page"

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
    standard=_PAGE,
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
    standard=_PAGE,
)

_PORT_COLUMN = Record("ContractColumn", {"name": Field(FULL_TEXT, "The column.", required=True), **ELEMENT.fields})

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

CONTRACT = Record(
    "DataContract",
    {
        "apiVersion": Field(API_VERSION, "The version of ODCS, or floe.dev/v1.", required=True),
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
        "description": Field(Either(TEXT, DESCRIPTION), "Purpose, usage, limitations."),
        "tags": Field(ListOf(TEXT), "Tags."),
        "servers": Field(ListOf(SERVER), "Where the data is."),
        "schema": Field(
            Either(
                ListOf(SCHEMA_OBJECT),
                Record("PortSchema", {"columns": Field(ListOf(_PORT_COLUMN), "The columns.", required=True)}),
            ),
            "Tables and their columns.",
        ),
        "models": Field(MapOf(_MODEL), "Tables, in the reference page's spelling."),
        "team": Field(Either(FULL_TEXT, ListOf(TEAM_MEMBER), TEAM), "Whose it is."),
        "roles": Field(ListOf(ROLE), "Roles."),
        "support": Field(ListOf(SUPPORT), "Help."),
        "price": Field(PRICE, "What it costs."),
        "slaDefaultElement": Field(FULL_TEXT, "The column that SLAs are measured on."),
        "slaProperties": Field(
            Either(ListOf(SLA_ITEM), MapOf(Anything())), "Promises: a list, or a mapping by property."
        ),
        "quality": Field(
            ListOf(OPEN), "Rules of the reference page; ODCS has them in its schema.", also=("dataQuality",)
        ),
        "authoritativeDefinitions": Field(DEFINITIONS, "Definitions elsewhere."),
        "customProperties": Field(Either(CUSTOM, OPEN), "Own properties."),
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
