"""A data contract in one form, whatever spelling it was written in; every part knows its place in the file."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from compiler.documents.models import Document
from compiler.documents.shape import Keys
from compiler.structs import Struct, field
from policy_lang.source import Span, whole_file

Dialect = Literal["odcs", "floe", "cross-domain", "generated"]


class Column(Struct, frozen=True):
    """A column; ``name`` is dotted where it is a field of an object. ``type`` is as written, in lower case.

    ``options`` are limits on its values: pattern, min_length, max_length, minimum, maximum, exclusive_minimum,
    exclusive_maximum, multiple_of. ``extra`` is what else was written, of which only a difference matters.
    """

    name: str
    type: str | None = None
    physical_type: str | None = None
    physical_name: str | None = None
    id: str | None = None
    required: bool = False
    unique: bool = False
    key_position: int | None = None
    partition_position: int | None = None
    classification: str | None = None
    format: str | None = None
    enum: tuple[Any, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    quality: dict[str, dict[str, Any]] = field(default_factory=dict)
    description: str = ""
    tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    path: Keys = ()


class Table(Struct, frozen=True):
    """A table and its columns by name, in their order; ``references`` are foreign keys of several columns."""

    name: str
    columns: dict[str, Column]
    physical_name: str | None = None
    physical_type: str | None = None
    id: str | None = None
    description: str = ""
    quality: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    path: Keys = ()

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, in their order: what one row is."""
        keyed = [c for c in self.columns.values() if c.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))


class Promise(Struct, frozen=True):
    """An SLA: ``value`` in hours for a time, in per cent for a share, None where the text is neither.

    ``Contract.promises`` holds the first of a name under its name, further ones with what they are measured on.
    """

    name: str
    value: Decimal | None
    text: str
    element: str | None = None
    path: Keys = ()


class Deprecation(Struct, frozen=True):
    """When a contract ends; dates are ``YYYY-MM-DD``."""

    announced: str | None = None
    sunset_date: str | None = None
    replacement: str | None = None
    migration_guide: str | None = None
    reason: str = ""


class Party(Struct, frozen=True):
    """A product, and one of its ports where one is named; ``columns`` are those that it reads (empty: unknown)."""

    domain: str
    product: str
    port: str | None = None
    columns: tuple[str, ...] = ()


class Contract(Struct, frozen=True):
    """A data contract. ``document`` is what it was read from; None where it was generated."""

    id: str
    name: str
    version: str
    status: str
    dialect: Dialect
    tables: dict[str, Table]
    promises: dict[str, Promise] = field(default_factory=dict)
    domain: str = ""
    product: str = ""
    owner: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    roles: dict[str, str] = field(default_factory=dict)
    servers: dict[str, dict[str, Any]] = field(default_factory=dict)
    deprecation: Deprecation | None = None
    provider: Party | None = None
    consumers: tuple[Party, ...] = ()
    notice: str | None = None
    custom: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    document: Document | None = None
    file: str = ""

    def span(self, path: Keys) -> Span:
        """Where ``path`` stands in the file."""
        return self.document.span(path) if self.document is not None else whole_file(self.file or "<generated>")
