"""Two versions of a contract: what changed, in which direction, and how much of a version that asks for.

A change *loosens* where the new version promises its readers less, and *tightens* where it promises them more (and
asks more of its writer). Severities follow the table of docs/contracts.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from compiler.contracts.limits import compare_enum, compare_options, compare_quality
from compiler.contracts.model import Column, Contract, Table
from compiler.contracts.types import same_kind, type_change
from compiler.documents.shape import Keys
from compiler.structs import Struct

Severity = Literal["major", "minor", "patch"]
Direction = Literal["loosens", "tightens", "both", "undetermined"]
SEVERITIES: tuple[Severity, ...] = ("patch", "minor", "major")
LEVELS = {
    "public": 0, "internal": 1, "identifier": 1, "confidential": 2, "sensitive": 2, "financial": 2, "pii": 2,
    "restricted": 3, "phi": 3,
}  # fmt: skip
"""Ranks of classes where no manifest gives them."""
LOWER_IS_STRICTER = frozenset({"freshness", "latency", "frequency", "timetodetect", "timetonotify", "timetorepair",
                                "interval", "recoverytime", "supportresponse"})  # fmt: skip


_COMPARED = frozenset({"access", "retention", "deprecation", "consumers", "port", "product"})
"""Custom properties that have a rule of their own, or that floec writes itself."""


class Change(Struct, frozen=True):
    """One difference. ``old`` and ``new`` are the places in the two documents, None where there is none."""

    rule: str
    severity: Severity
    direction: Direction
    text: str
    table: str | None = None
    column: str | None = None
    old: Keys | None = None
    new: Keys | None = None

    @property
    def breaking(self) -> bool:
        """Whether it asks for a new major version."""
        return self.severity == "major"


def compare(old: Contract, new: Contract, levels: Mapping[str, int] | None = None) -> tuple[Change, ...]:
    """All changes from ``old`` to ``new``, the gravest first; ``levels`` ranks the classes of data."""
    ranks = LEVELS if levels is None else levels
    found = [
        *_tables(old, new, ranks),
        *_promises(old, new),
        *_roles(old, new),
        *_servers(old, new),
        *_about(old, new),
    ]
    return tuple(sorted(found, key=lambda c: (-SEVERITIES.index(c.severity), c.table or "", c.column or "", c.rule)))


def due(changes: tuple[Change, ...]) -> Severity | None:
    """The part of the version that must rise; None where nothing changed."""
    return max((c.severity for c in changes), key=SEVERITIES.index, default=None)


def _tables(old: Contract, new: Contract, ranks: Mapping[str, int]) -> Iterator[Change]:
    renamed = _by_id(old.tables, new.tables)
    for name, table in old.tables.items():
        other = new.tables.get(renamed.get(name, name))
        if other is None:
            yield Change("table-removed", "major", "loosens", f"the table `{name}` is gone", name, None, table.path)
            continue
        if other.name != name:
            yield Change(
                "table-renamed",
                "major",
                "both",
                f"the table `{name}` is now called `{other.name}`",
                name,
                None,
                table.path,
                other.path,
            )
        yield from _table(table, other, ranks)
    for name, table in new.tables.items():
        if name not in old.tables and name not in renamed.values():
            yield Change("table-added", "minor", "tightens", f"the table `{name}` is new", name, None, None, table.path)


def _by_id(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Old name → new name of what kept its ``id`` but not its name."""
    ids = {one.id: name for name, one in new.items() if one.id is not None}
    return {name: ids[one.id] for name, one in old.items() if one.id in ids and ids[one.id] != name and name not in new}


def _table(old: Table, new: Table, ranks: Mapping[str, int]) -> Iterator[Change]:
    name, at = old.name, (old.path, new.path)
    before, after = (t.physical_name or t.name for t in (old, new))
    if before != after and (old.physical_name, new.physical_name) != (None, None):  # else it is a table renamed
        text = f"`{name}` is stored as `{after}`, was `{before}`"
        yield Change("physical-name-changed", "major", "both", text, name, None, *at)
    if old.physical_type and new.physical_type and old.physical_type != new.physical_type:
        text = f"`{name}` is stored as a {new.physical_type}, was a {old.physical_type}"
        yield Change("table-type-changed", "minor", "undetermined", text, name, None, *at)
    yield from _keys(old, new)
    for part in _references(name, old.references, new.references):
        yield Change(*part, name, None, *at)
    renamed = _by_id(old.columns, new.columns)
    for column, one in old.columns.items():
        other = new.columns.get(renamed.get(column, column))
        if other is None:
            yield Change("column-removed", "major", "loosens", f"the column `{column}` is gone", name, column, one.path)
            continue
        if other.name != column:
            text = f"the column `{column}` is now called `{other.name}`"
            yield Change("column-renamed", "major", "both", text, name, column, one.path, other.path)
        for change in _column(one, other, ranks):
            yield Change(*change, name, column, one.path, other.path)
    added = [c for c in new.columns.values() if c.name not in old.columns and c.name not in renamed.values()]
    for one in added:
        yield _added(name, one)
    yield from _reordered(old, new)
    for rule in compare_quality(old.quality, new.quality):
        yield Change(*rule, name, None, *at)
    for key in _differing(old.extra, new.extra):
        yield Change("metadata-changed", "patch", "undetermined", f"`{key}` of `{name}` changed", name, None, *at)
    if old.description != new.description:
        yield Change(
            "description-changed", "patch", "undetermined", f"the description of `{name}` changed", name, None, *at
        )


def _added(table: str, column: Column) -> Change:
    if column.required and column.key_position is None:
        text = f"the required column `{column.name}` is new: those who write the table must fill it"
        return Change("required-column-added", "major", "tightens", text, table, column.name, None, column.path)
    return Change(
        "column-added", "minor", "tightens", f"the column `{column.name}` is new", table, column.name, None, column.path
    )


def _keys(old: Table, new: Table) -> Iterator[Change]:
    """The primary key says what one row is: a change of it changes every aggregate."""
    before, after = old.key, new.key
    if before == after:
        return
    words = f"({', '.join(before) or 'none'}) to ({', '.join(after) or 'none'})"
    at = (old.name, None, old.path, new.path)
    if not before:
        yield Change("key-added", "minor", "tightens", f"the primary key goes from {words}", *at)
    elif not after:
        yield Change("key-removed", "major", "loosens", f"the primary key goes from {words}", *at)
    elif set(before) == set(after):
        yield Change("key-reordered", "patch", "undetermined", f"the primary key goes from {words}", *at)
    else:
        yield Change("key-changed", "major", "both", f"the primary key goes from {words}: a row is another thing", *at)


def _reordered(old: Table, new: Table) -> Iterator[Change]:
    both = [c for c in old.columns if c in new.columns]
    now = [c for c in new.columns if c in old.columns]
    if both != now:
        text = f"the columns of `{old.name}` stand in another order, which readers by position notice"
        yield Change("columns-reordered", "minor", "undetermined", text, old.name, None, old.path, new.path)


_Part = tuple[str, Severity, Direction, str]


def _column(old: Column, new: Column, ranks: Mapping[str, int]) -> Iterator[_Part]:
    yield from _type(old, new)
    yield from _flags(old, new)
    yield from _class(old, new, ranks)
    yield from compare_enum(old.name, old.enum, new.enum)
    yield from compare_options(old.name, old.options, new.options)
    yield from compare_quality(old.quality, new.quality)
    before, after = (c.physical_name or c.name for c in (old, new))
    if before != after and (old.physical_name, new.physical_name) != (None, None):  # else it is a column renamed
        yield "physical-name-changed", "major", "both", f"`{old.name}` is stored as `{after}`, was `{before}`"
    if old.format != new.format:
        loosened = old.format is not None
        text = f"the format of `{old.name}` goes from {old.format or 'none'} to {new.format or 'none'}"
        yield (
            "format-changed",
            "major" if loosened else "minor",
            "both" if loosened and new.format else "loosens" if loosened else "tightens",
            text,
        )
    yield from _references(old.name, old.references, new.references)
    if old.description != new.description:
        yield "description-changed", "patch", "undetermined", f"the description of `{old.name}` changed"
    if set(old.tags) != set(new.tags):
        yield "tags-changed", "patch", "undetermined", f"the tags of `{old.name}` changed"
    for key in _differing(old.extra, new.extra):
        yield "metadata-changed", "patch", "undetermined", f"`{key}` of `{old.name}` changed"
    if old.partition_position != new.partition_position:
        yield "partitioning-changed", "minor", "undetermined", f"the partitioning by `{old.name}` changed"


def _references(name: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[_Part]:
    """Foreign keys, of a column or of a table as a whole."""
    gone, come = ([r for r in one if r not in other] for one, other in ((old, new), (new, old)))
    if gone:
        yield "relationship-removed", "major", "loosens", f"`{name}` no longer refers to {', '.join(gone)}"
    if come:
        yield "relationship-added", "minor", "tightens", f"`{name}` refers to {', '.join(come)}"


def _type(old: Column, new: Column) -> Iterator[_Part]:
    """Physical types decide where both have one, else what is there; logical types that differ count beside them."""
    if old.physical_type and new.physical_type:
        before, after = old.physical_type, new.physical_type
        change = type_change(before, after)
        if change == "same" and (logical := type_change(old.type, new.type)) != "same" and old.type and new.type:
            before, after, change = old.type, new.type, logical
    else:
        before, after = old.type or old.physical_type or "", new.type or new.physical_type or ""
        one_sided = before and after and bool(old.physical_type) != bool(new.physical_type)
        change = "same" if one_sided and same_kind(before, after) else type_change(before or None, after or None)
    text = f"the type of `{old.name}` goes from {before or 'none'} to {after or 'none'}"
    if change == "same":
        return
    if change == "wider":
        yield "type-widened", "minor", "loosens", f"{text}, which holds all old values"
    elif not before:
        yield "type-added", "minor", "tightens", text
    elif not after:
        yield "type-removed", "major", "loosens", text
    else:
        yield "type-changed", "major", "tightens" if change == "narrower" else "both", text


def _flags(old: Column, new: Column) -> Iterator[_Part]:
    if new.required and not old.required:
        yield "required-added", "major", "tightens", f"`{old.name}` is now required: those who write it must fill it"
    elif old.required and not new.required:
        yield "required-removed", "minor", "loosens", f"`{old.name}` may now be null"
    if new.unique and not old.unique:
        yield "unique-added", "minor", "tightens", f"`{old.name}` is now unique"
    elif old.unique and not new.unique:
        yield "unique-removed", "major", "loosens", f"`{old.name}` is no longer unique: joins on it may multiply rows"


def _class(old: Column, new: Column, ranks: Mapping[str, int]) -> Iterator[_Part]:
    before, after = old.classification, new.classification
    if before == after:
        return
    text = f"the class of `{old.name}` goes from {before or 'none'} to {after or 'none'}"
    low, high = ranks.get((before or "").lower(), -1), ranks.get((after or "").lower(), -1)
    if after is None or (before is not None and low > high >= 0):
        yield "classification-lowered", "major", "loosens", text
    elif before is None or high > low >= 0:
        yield "classification-raised", "patch", "tightens", text
    else:
        yield "classification-changed", "minor", "undetermined", text


def _promises(old: Contract, new: Contract) -> Iterator[Change]:
    for name, was in old.promises.items():
        now = new.promises.get(name)
        if now is None:
            text = f"the SLA `{name}` ({was.text}) is no longer promised"
            yield Change("sla-removed", "major", "loosens", text, None, None, was.path)
            continue
        at = (None, None, was.path, now.path)
        if was.element != now.element:
            text = f"the SLA `{name}` is measured on {now.element or 'no column'}, was {was.element or 'no column'}"
            yield Change("sla-element-changed", "minor", "undetermined", text, *at)
        text = f"the SLA `{name}` goes from {was.text} to {now.text}"
        if was.value is None or now.value is None:
            if was.text != now.text:
                yield Change("sla-changed", "minor", "undetermined", text, *at)
        elif was.value != now.value:
            relaxed = now.value > was.value if was.name in LOWER_IS_STRICTER else now.value < was.value
            if relaxed:
                yield Change("sla-relaxed", "major", "loosens", text, *at)
            else:
                yield Change("sla-stricter", "minor", "tightens", text, *at)
    for name, now in new.promises.items():
        if name not in old.promises:
            yield Change(
                "sla-added", "minor", "tightens", f"the SLA `{name}` ({now.text}) is new", None, None, None, now.path
            )


_ACCESS = ("none", "read", "read_write")


def _roles(old: Contract, new: Contract) -> Iterator[Change]:
    for role, was in old.roles.items():
        now = new.roles.get(role)
        if now is None:
            yield Change(
                "access-narrowed", "major", "loosens", f"the role `{role}` has no access any more", old=("roles",)
            )
        elif was != now:
            known = was in _ACCESS and now in _ACCESS
            less = known and _ACCESS.index(now) < _ACCESS.index(was)
            text = f"the access of `{role}` goes from {was} to {now}"
            rule = "access-narrowed" if less else "access-changed"
            direction: Direction = "loosens" if less else "tightens" if known else "undetermined"
            yield Change(rule, "major" if less else "minor", direction, text, old=("roles",), new=("roles",))
    for role in new.roles:
        if role not in old.roles:
            yield Change("access-widened", "minor", "tightens", f"the role `{role}` has access", new=("roles",))
    order = ("private", "protected", "public")
    was, now = str(old.custom.get("access", "")), str(new.custom.get("access", ""))
    if was in order and was != now:
        less = now not in order or order.index(now) < order.index(was)
        text = f"the access goes from {was} to {now or 'none'}"
        at: Keys = ("customProperties",)
        if less:
            yield Change("access-narrowed", "major", "loosens", text, old=at, new=at)
        else:
            yield Change("access-widened", "minor", "tightens", text, old=at, new=at)


def _servers(old: Contract, new: Contract) -> Iterator[Change]:
    at: Keys = ("servers",)
    for name, was in old.servers.items():
        now = new.servers.get(name)
        if now is None:
            yield Change("server-removed", "major", "loosens", f"the server `{name}` is gone", old=at)
        elif was != now:
            moved = was.get("type") != now.get("type")
            text = f"the server `{name}` is of another type" if moved else f"the server `{name}` is at another place"
            yield Change("server-changed", "major" if moved else "minor", "undetermined", text, old=at, new=at)
    for name in new.servers:
        if name not in old.servers:
            yield Change("server-added", "minor", "tightens", f"the server `{name}` is new", new=at)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The keys whose values differ."""
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))


def _about(old: Contract, new: Contract) -> Iterator[Change]:
    if old.id != new.id:
        text = f"the contract is called `{new.id}`, was `{old.id}`"
        yield Change("identity-changed", "major", "undetermined", text, old=("id",), new=("id",))
    if old.owner is not None and new.owner is None:
        yield Change(
            "owner-removed", "minor", "loosens", f"nobody owns the contract any more, was {old.owner}", old=("owner",)
        )
    elif old.owner != new.owner:
        yield Change("owner-changed", "patch", "undetermined", f"the owner is {new.owner}", new=("owner",))
    if old.status != new.status:
        gone = new.status == "retired"
        text = f"the status goes from {old.status} to {new.status}"
        severity: Severity = "major" if gone else "minor"
        yield Change(
            "status-changed", severity, "loosens" if gone else "undetermined", text, old=("status",), new=("status",)
        )
    for field in ("description", "tags", "domain", "product"):
        if getattr(old, field) != getattr(new, field):
            rule = f"{field}-changed" if field in ("description", "tags") else "metadata-changed"
            places = [(field,) if getattr(one, field) else None for one in (old, new)]
            yield Change(rule, "patch", "undetermined", f"the contract's {field} changed", None, None, *places)
    for key in _differing(old.extra, new.extra):
        at = [tuple(key.split(".")) if key in one.extra else None for one in (old, new)]
        yield Change("metadata-changed", "patch", "undetermined", f"`{key}` changed", None, None, *at)
    for key in _differing(old.custom, new.custom):
        if key not in _COMPARED:
            place: Keys = ("customProperties",)
            text = f"the custom property `{key}` changed"
            yield Change("metadata-changed", "patch", "undetermined", text, None, None, place, place)
