"""What is decoded of a manifest for some needs: the fields of each kind of node, and whether all nodes at once.

Where policies ask for nothing large (the text of nodes), the whole file is decoded in one go, which takes two thirds
of the time of splitting it first and decoding node by node; and of tests that only their nodes list, nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from compiler.facts.manifest import fields as made
from compiler.facts.manifest.dbt2 import written_by_dbt2
from compiler.facts.relate import FROM_TESTS, NODES
from compiler.ir.needs import LINEAGE, Needs, covered, fields
from policy_lang.records import NamedTuple

KINDS = {"model": "models", "seed": "seeds", "snapshot": "snapshots", "test": "tests"}
"""The lists of the IR by the first part of a node's id."""
_OTHERS = ("analysis", "operation", "sql_operation", "sql operation", "rpc", "function", "unit_test", "doc")
_LARGE = frozenset(("raw_code", "compiled_code", "*"))


class Written:
    """What a manifest says of the files of the project's own package: their hashes by path where these are ``hashed``
    (nobody asks for them while no file is newer), and the paths of tests that have no entry of their own."""

    __slots__ = ("hashed", "hashes", "package", "paths")

    def __init__(self, package: str, hashed: bool = True) -> None:
        self.package, self.hashed = package, hashed
        self.hashes: dict[str, str] = {}
        self.paths: set[str] = set()


class Decoded(NamedTuple):
    """A manifest all of whose nodes are structs; ``manifest`` has the other sections as ``SplitManifest`` has them."""

    manifest: Any
    readers: dict[str, made.Reader]


class Plan:
    """The fields that are built of each kind."""

    def __init__(self, needs: Needs | None, written: Written | None = None) -> None:
        self.needs, self.written = needs, written
        self.used = {kind: fields(needs, kind, [*made.NODE_FIELDS, *made.COLUMN_FIELDS]) for kind in NODES}
        self.used["sources"] = fields(needs, "sources", [*made.SOURCE_FIELDS, *made.COLUMN_FIELDS])
        inherited = any(covered(needs, (kind, "*", "columns", "*", "inherited")) for kind in NODES)
        self.lineage = ("models", "snapshots") if inherited else ()
        if inherited:
            for kind in (*NODES, "sources"):
                self.used[kind] |= LINEAGE
        if covered(needs, ("macros", "*", "used_by")):
            for kind in NODES:
                self.used[kind] |= {"depends_on_macros"}
        if any("used_by" in self.used[kind] for kind in ("sources", *NODES)):
            for kind in NODES:
                self.used[kind] |= {"depends_on"}
        related = any(self.wanted(kind, field) for kind in (*NODES, "sources") for field in FROM_TESTS)
        self.listed_only = needs is not None and not related and not covered(needs, ("tests",))
        """Nothing is asked of tests but what their nodes list of them."""
        self.used["tests"] = self._test_fields()

    def _test_fields(self) -> frozenset[str]:
        if self.listed_only:
            asked = (f for f in made.LISTED_TEST if any(
                covered(self.needs, (kind, "*", "tests", "*", f)) for kind in (*NODES, "sources")))  # fmt: skip
            return frozenset(("unique_id", "attached_to", *asked))
        keys = covered(self.needs, ("models", "*", "primary_key"))
        ours = frozenset(("attached_to", "column", "severity", "test", *(("arguments",) if keys else ())))
        return fields(self.needs, "tests", made.TEST_FIELDS) | ours

    def wanted(self, kind: str, name: str) -> bool:
        """True where the field is to be built."""
        return name in self.used[kind] or (name == "columns" and any(u.startswith("columns.") for u in self.used[kind]))

    def reader(self, kind: str, *, dbt2: bool = False, tag: str = "") -> made.Reader:
        """The reader of the nodes in one list of the IR."""
        table = {"sources": made.SOURCE_FIELDS, "tests": made.TEST_FIELDS}.get(kind, made.NODE_FIELDS)
        if kind == "tests" and self.listed_only:
            table = made.LISTED_TEST
        used = self.used[kind]
        columns = [u for u in used if u.startswith("columns")]
        more = ["raw_code", "compiled_code"] if kind in self.lineage else []
        if self.written is not None:
            more += ["original_file_path"] if kind == "tests" else []
            more += ["checksum", "original_file_path"] if self.written.hashed and kind in NODES else []
        columns_of = columns if columns and kind != "tests" else None
        return made.reader(table, [u for u in table if u in used], columns_of, more, dbt2=dbt2, tag=tag)

    def at_once(self) -> bool:
        """Whether so little is asked of the nodes that all of them are decoded in one go."""
        tables = [made.NODE_FIELDS[f] for kind in NODES for f in self.used[kind] if f in made.NODE_FIELDS]
        large = any(not _LARGE.isdisjoint((*field.reads, *field.configs)) for field in tables)
        callers = covered(self.needs, ("macros", "*", "used_by"))  # tests and hooks call macros too
        return self.listed_only and not self.lineage and not large and not callers

    def decoded(self, buffer: Any) -> Decoded | None:
        """All nodes in one go; None where they have to be looked at one by one: one of them is of wrong types, of a
        kind that is not known, or written by dbt 2."""
        readers = {tag: self.reader(kind, tag=tag) for tag, kind in KINDS.items()}
        others = [msgspec.defstruct("Other", [], tag_field="resource_type", tag=tag, gc=False) for tag in _OTHERS]
        node: Any = None
        for struct in (*(reader.struct for reader in readers.values()), *others):
            node = struct if node is None else node | struct
        sections = [(name, dict[str, msgspec.Raw] | None, None) for name in _SECTIONS]
        whole = msgspec.defstruct("Manifest", [("metadata", dict[str, Any]), ("nodes", dict[str, node]), *sections])
        try:
            manifest: Any = msgspec.json.Decoder(whole, float_hook=Decimal).decode(buffer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return None if written_by_dbt2(manifest.metadata) else Decoded(manifest, readers)


_SECTIONS = (
    "sources", "exposures", "metrics", "semantic_models", "saved_queries", "groups", "unit_tests", "macros",
)  # fmt: skip
