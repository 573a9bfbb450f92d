"""Every field of a document's shape with its order: what tests and the page of the fields are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.documents.shape import Either, Field, Keyed, ListOf, MapOf, Record, Shape, Switchable


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field: its path (``*`` for any key), its shape, its order, and what it is for."""

    path: tuple[str, ...]
    shape: Shape
    order: str
    doc: str


def fields_of(record: Record, path: tuple[str, ...] = ()) -> Iterator[FieldInfo]:
    """Each leaf, each list, and each mapping whose keys have an order of their own."""
    for name, field in record.fields.items():
        yield from _field(field, (*path, name))


def _field(field: Field, path: tuple[str, ...]) -> Iterator[FieldInfo]:
    shape = field.shape
    for one in shape.shapes if isinstance(shape, Either) else (shape,):
        if isinstance(one, Switchable):
            one = one.record
        if isinstance(one, Record):
            yield from fields_of(one, path)
        elif isinstance(one, MapOf):
            yield from _keys(field, one, path)
            yield from _field(Field(one.item, field.doc, order=one.order), (*path, "*"))
        elif isinstance(one, Keyed):
            yield from _keys(field, one, path)
            if one.value:
                yield FieldInfo((*path, "*"), one.record.fields[one.value].shape, one.order, field.doc)
            elif field.order != "fixed":
                inner = {k: f for k, f in one.record.fields.items() if k != one.key}
                yield from fields_of(Record(one.record.name, inner), (*path, "*"))
        elif not isinstance(one, ListOf) or not isinstance(one.item, Record) or field.order != "override":
            yield FieldInfo(path, one, field.order, field.doc)


def _keys(field: Field, shape: MapOf | Keyed, path: tuple[str, ...]) -> Iterator[FieldInfo]:
    if field.order in ("intersect", "fixed"):
        yield FieldInfo(path, shape, field.order, field.doc)
