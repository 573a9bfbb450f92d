"""The chain of what each tier said about one field: ``floec explain-value governance.quality_gates.enforcement``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from compiler.documents.manifest import MANIFEST
from compiler.documents.models import canonical_place
from compiler.documents.shape import (
    Anything,
    Either,
    Field,
    Keyed,
    Keys,
    ListOf,
    MapOf,
    Record,
    Shape,
    Switchable,
    dotted,
)
from compiler.tiers.inherit import OWN, Resolved, Step
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.spell import did_you_mean


@dataclass(frozen=True, slots=True)
class Explained:
    """The value in force (None: nobody set it, and a default holds), the field's order, and who said what.

    ``below`` says for each step which part of the field it is about; empty where it is the whole.
    """

    path: str
    value: Any
    order: str
    doc: str
    steps: tuple[Step, ...]
    below: tuple[str, ...]


def explain_value(resolved: Resolved, name: str) -> Outcome[Explained]:
    """``name`` is dotted, ``[0]`` or ``.0`` for an index, in any dialect; FLC314 where there is no such field."""
    found = field_at(parse_path(name))
    if isinstance(found, Diagnostic):
        return Outcome(None, (found,))
    path, order, doc = found
    value: Any = resolved.data
    for key in path:
        if isinstance(value, dict):
            value = value.get(str(key))
        else:
            value = value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
    exact = [
        (dotted(p[len(path) :]), s) for p, steps in resolved.steps.items() if p[: len(path)] == path for s in steps
    ]
    if not exact:  # an entry of a list: what was said about the list
        around = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in resolved.steps), None)
        exact = [("", s) for s in resolved.steps[around]] if around is not None else []
    if path[0] in OWN and value is not None:
        last = resolved.chain[-1]
        exact = [("", Step(last.scope, last.file, last.span(path), value, "set"))]
    tiers = {d.file: i for i, d in enumerate(resolved.chain)}
    exact.sort(key=lambda one: tiers.get(one[1].file, len(tiers)))
    below, told = tuple(name for name, _ in exact), tuple(step for _, step in exact)
    return Outcome(Explained(dotted(path), value, order, doc, told, below))


def parse_path(name: str) -> Keys:
    """``a.b[0].c`` as keys and indexes."""
    parts = re.findall(r"[^.\[\]]+", name)
    return tuple(int(p) if p.isdecimal() else p for p in parts)


def field_at(written: Keys) -> tuple[Keys, str, str] | Diagnostic:
    """The canonical path, the order and the description of a manifest's field; FLC314 where there is none."""
    path = canonical_place(written)
    shapes: list[Shape] = [MANIFEST]
    order, doc = "override", ""
    made: list[str | int] = []
    for i, key in enumerate(path):
        step = _step(shapes, str(key))
        if step is None:
            return _no_field(shapes, written, path, i)
        name, shapes, field, held = step
        if field is not None:
            order, doc = field.order, field.doc or doc
        order = held or order
        made.append(name if field is not None else key)
    return tuple(made), order, doc


def _step(shapes: list[Shape], key: str) -> tuple[str, list[Shape], Field | None, str] | None:
    """Into a record's field, or an entry of a mapping or list: its name, shapes, field, and the order of entries."""
    for shape in shapes:
        if isinstance(shape, Record) and (name := shape.field_named(key)) is not None:
            field = shape.fields[name]
            return name, _plain(field.shape), field, ""
    for shape in shapes:
        if isinstance(shape, MapOf):
            return key, _plain(shape.item), None, shape.order if not isinstance(shape.item, Record) else ""
        if isinstance(shape, Keyed):
            value = shape.record.fields[shape.value].shape if shape.value else shape.record
            return key, _plain(value), None, shape.order if shape.value else ""
        if isinstance(shape, ListOf):
            return key, _plain(shape.item), None, ""
        if isinstance(shape, Record) and shape.rest is not None:
            return key, _plain(shape.rest), None, ""
        if isinstance(shape, Anything):
            return key, [shape], None, ""
    return None


def _no_field(shapes: list[Shape], written: Keys, path: Keys, at: int) -> Diagnostic:
    known = [k for s in shapes if isinstance(s, Record) for k in s.words()]
    if not known:
        text = f"`{dotted(path[:at])}` holds a single value"
        return Diagnostic("FLC314", text, hint="name it without the rest", path=written)
    where = f" in `{dotted(path[:at])}`" if at else ""
    fields = [name for s in shapes if isinstance(s, Record) for name in s.fields]
    hint = did_you_mean(str(path[at]), known) or (f"there are {', '.join(sorted(fields))}" if fields else "")
    return Diagnostic("FLC314", f"a manifest has no field `{path[at]}`{where}", hint=hint, path=written)


def _plain(shape: Shape) -> list[Shape]:
    if isinstance(shape, Either):
        return [s for one in shape.shapes for s in _plain(one)]
    return [shape.record] if isinstance(shape, Switchable) else [shape]
