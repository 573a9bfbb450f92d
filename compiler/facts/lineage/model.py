"""What lineage is made of: columns, the columns that they come from, and what stops a classification on the way.

Apart from ``lineage_sql``, because kept lineage is read without any parser of SQL.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from policy_lang.records import NamedTuple

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


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A relation that a query names itself, and what was known of it; ``id`` is empty where nothing was."""

    schema: str
    name: str
    id: str
    shown: str


class Answer(msgspec.Struct, array_like=True):
    """What a query gives; ``relation`` is None for one that cannot be read, for a ``reason`` (empty: it says nothing).

    It holds as long as what is known of the relations that were ``asked`` for is the same.
    """

    relation: Relation | None = None
    reason: str = ""
    asked: list[Asked] = []


class Named(NamedTuple):
    """A relation, and what queries may call it (in lower case) beside the name that it is resolved by."""

    relation: Relation
    names: tuple[str, ...] = ()


class Flow(NamedTuple):
    """Where a value goes: to the column ``name`` at ``position``, as the ``rank``-th of those that it comes from."""

    position: int
    rank: int
    name: str
    transform: str


class Query(msgspec.Struct):
    """A relation that several models may share, which differ only in what ``Edge.node`` stands for."""

    relation: Relation
    _flows: dict[str, dict[str, list[Flow]]] | None = None

    @property
    def flows(self) -> dict[str, dict[str, list[Flow]]]:
        """``Edge.node`` → column in lower case → where its value goes; what a step stops is not there."""
        if self._flows is None:
            self._flows = {}
            for position, (name, edges) in enumerate(self.relation.columns.items()):
                for rank, edge in enumerate(edges):
                    if edge.transform not in STOPPING:
                        columns = self._flows.setdefault(edge.node, {})
                        flow = Flow(position, rank, name, edge.transform)
                        columns.setdefault(edge.column.lower(), []).append(flow)
        return self._flows


class Traced(NamedTuple):
    """A model's query, and the ``unique_id`` that each ``Edge.node`` of it stands for."""

    query: Query
    nodes: Mapping[str, str]

    @property
    def relation(self) -> Relation:
        """The columns, with the ``unique_id`` of the relations that they come from."""
        given = self.query.relation
        columns = {n: [Edge(self.nodes[e.node], e.column, e.transform) for e in es] for n, es in given.columns.items()}
        return Relation(columns, [self.nodes[o] for o in given.open])


class Breakers(NamedTuple):
    """Names of functions (patterns with ``*``) that stop a classification; ``aggregating`` is for aggregates only."""

    hashing: tuple[str, ...] = (
        "md5*", "sha", "sha1*", "sha2*", "sha224*", "sha256*", "sha384*", "sha512*", "*hash*",
        "*hmac*", "blake*", "crc32*", "*surrogate_key*", "digest", "standard_hash",
        "*fingerprint*", "murmur*", "crypt",
    )  # fmt: skip
    masking: tuple[str, ...] = (
        "*mask*", "*redact*", "*tokeni[sz]e*", "*encrypt*", "*anonymi[sz]e*", "*pseudonymi[sz]e*", "*obfuscate*",
    )  # fmt: skip
    aggregating: tuple[str, ...] = (
        "count*", "approx_count*", "approx*distinct", "uniq*", "hll*", "grouping*", "sum*", "avg*", "mean*", "median*",
        "percentile_cont", "percentilecont", "*quantile*", "std*", "var*", "covar*", "corr*", "regr*", "kurt*", "skew*",
        "rank", "dense_rank", "denserank", "percent_rank", "percentrank", "cume_dist", "cumedist", "ntile",
        "bit*", "bool*", "logical_*", "logicaland", "logicalor", "every", "minhash*", "approximate*similarity",
    )  # fmt: skip
