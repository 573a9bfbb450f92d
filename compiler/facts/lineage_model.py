"""What lineage is made of: columns, the columns that they come from, and what stops a classification on the way.

Apart from ``lineage_sql``, because kept lineage is read without any parser of SQL.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

COPY, RENAME, EXPRESSION, HASH, MASK, AGGREGATE = "copy", "rename", "expression", "hash", "mask", "aggregate"
STOPPING = frozenset((HASH, MASK, AGGREGATE))


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """A column of another relation that a value comes from."""

    node: str
    column: str
    transform: str


class Relation(msgspec.Struct, array_like=True):
    """The columns that a relation is known to give, in order; it may have others of the relations in ``open``."""

    columns: dict[str, list[Edge]] = {}
    open: list[str] = []


@dataclass(frozen=True, slots=True)
class Breakers:
    """Names of functions (patterns with ``*``) that stop a classification; ``keeping`` aggregates do not."""

    hashing: tuple[str, ...] = (
        "md5*", "sha", "sha1*", "sha2*", "sha224*", "sha256*", "sha384*", "sha512*", "*hash*", "farm_fingerprint",
        "*hmac*", "blake*", "crc32*", "*surrogate_key*", "digest", "standard_hash",
    )  # fmt: skip
    masking: tuple[str, ...] = (
        "*mask*", "*redact*", "*tokeni[sz]e*", "*encrypt*", "*anonymi[sz]e*", "*pseudonymi[sz]e*", "*obfuscate*",
    )  # fmt: skip
    keeping: tuple[str, ...] = (
        "any_value", "anyvalue", "arbitrary", "array_agg", "arrayagg", "array_unique_agg", "array_concat_agg",
        "listagg",
        "group_concat", "groupconcat", "string_agg", "first", "last", "first_value", "firstvalue", "last_value",
        "lastvalue", "nth_value", "nthvalue", "lag", "lead", "mode", "min_by", "max_by", "argmin", "argmax", "arg_min",
        "arg_max", "object_agg", "json_object_agg", "json_array_agg", "collect_list", "collect_set",
    )  # fmt: skip
