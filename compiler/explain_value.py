"""The chain of what each tier said about one field: ``floec explain-value governance.quality_gates.enforcement``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from compiler.documents.manifest import MANIFEST
from compiler.documents.shape import Either, Keyed, Keys, ListOf, MapOf, Record, Shape, Switchable, dotted
from compiler.inherit import Resolved, Step
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.spell import did_you_mean


@dataclass(frozen=True, slots=True)
class Explained:
    """The value in force (None: nobody set it, and ``default`` holds), the field's order, and who said what."""

    path: str
    value: Any
    order: str
    doc: str
    steps: tuple[Step, ...]


def explain_value(resolved: Resolved, name: str) -> Outcome[Explained]:
    """``name`` is dotted, ``[0]`` or ``.0`` for an index; FLC314 where the manifest has no such field."""
    path = parse_path(name)
    found = field_at(path)
    if isinstance(found, Diagnostic):
        return Outcome(None, (found,))
    order, doc = found
    value: Any = resolved.data
    for key in path:
        if isinstance(value, dict):
            value = value.get(str(key))
        else:
            value = value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
    exact = [s for p, steps in resolved.steps.items() if p[: len(path)] == path for s in steps]
    if not exact:  # an entry of a list: what was said about the list
        around = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in resolved.steps), None)
        exact = list(resolved.steps[around]) if around is not None else []
    tiers = {d.file: i for i, d in enumerate(resolved.chain)}
    exact.sort(key=lambda s: tiers.get(s.file, len(tiers)))
    return Outcome(Explained(dotted(path), value, order, doc, tuple(exact)))


def parse_path(name: str) -> Keys:
    """``a.b[0].c`` as keys and indexes."""
    parts = re.findall(r"[^.\[\]]+", name)
    return tuple(int(p) if p.isdecimal() else p for p in parts)


def field_at(path: Keys) -> tuple[str, str] | Diagnostic:
    """The order and the description of the manifest's field at ``path``; FLC314 where there is none."""
    shape: Shape = MANIFEST
    order, doc = "override", ""
    for i, key in enumerate(path):
        candidates = _plain(shape)
        records = [s for s in candidates if isinstance(s, Record)]
        known = next((r.fields[str(key)] for r in records if str(key) in r.fields), None)
        if known is not None:
            shape, order, doc = known.shape, known.order, known.doc or doc
        elif any(r.rest is not None for r in records):
            shape = next(r.rest for r in records if r.rest is not None)
        elif any(isinstance(s, MapOf | Keyed | ListOf) for s in candidates):
            holder = next(s for s in candidates if isinstance(s, MapOf | Keyed | ListOf))
            order = order if isinstance(holder, ListOf) else holder.order
            shape = holder.record if isinstance(holder, Keyed) else holder.item
        elif records:
            hint = did_you_mean(str(key), [k for r in records for k in r.fields])
            where = f" in `{dotted(path[:i])}`" if i else ""
            return Diagnostic("FLC314", f"a manifest has no field `{key}`{where}", hint=hint, path=path)
        elif type(shape) is not Shape and not any(type(s).__name__ == "Anything" for s in candidates):
            return Diagnostic(
                "FLC314", f"`{dotted(path[:i])}` holds a single value", hint="name it without the rest", path=path
            )
    return order, doc


def _plain(shape: Shape) -> list[Shape]:
    if isinstance(shape, Either):
        return [s for one in shape.shapes for s in _plain(one)]
    return [shape.record] if isinstance(shape, Switchable) else [shape]
