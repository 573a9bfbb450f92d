"""Why policies found something about one subject, found nothing, or did not look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from compiler.policies.settings import InForce
from policy_lang.diagnostics import Outcome
from policy_lang.records import NamedTuple
from policy_lang.source import Source
from policy_lang.trace.subjects import Judged, Place, judged

_SECTIONS = {
    "models": "model",
    "seeds": "seed",
    "snapshots": "snapshot",
    "sources": "source",
    "tests": "test",
    "exposures": "exposure",
    "metrics": "metric",
    "macros": "macro",
    "semantic_models": "semantic model",
    "saved_queries": "saved query",
    "groups": "group",
    "contracts": "contract",
}


class Subject(NamedTuple):
    """What policies may be about: ``shown`` as reports name it, at ``place`` of the IR."""

    shown: str
    place: Place


def subjects(ir: dict[str, Any], wanted: str) -> tuple[Subject, ...]:
    """What a name, a ``unique_id``, a path or a report's words mean; ``*`` and ``?`` stand for any text.

    Nodes come before their columns.
    """
    found = (subject for subject, names in _named(ir) if any(fnmatchcase(name, wanted) for name in names))
    return tuple(sorted(found, key=lambda subject: len(subject.place)))


def names(ir: dict[str, Any]) -> tuple[str, ...]:
    """What could be asked for, for "did you mean"."""
    return tuple(name for _, all_names in _named(ir) for name in all_names)


def why(
    ir: dict[str, Any], sources: Sequence[Source], in_force: InForce, subject: Subject, policy: str | None = None
) -> Outcome[tuple[Judged, ...]]:
    """What each policy in force that loops over subjects of this kind makes of this one; ``policy`` is asked alone."""
    ids = in_force.severities.keys() if policy is None else {policy}
    return judged(sources, ids, ir, in_force.params, subject.place)


def _named(ir: dict[str, Any]) -> Iterator[tuple[Subject, tuple[str, ...]]]:
    for section, kind in _SECTIONS.items():
        for number, node in enumerate(ir.get(section) or ()):
            name = node.get("name")
            if not isinstance(name, str):
                continue
            shown = f"{kind} {name}"
            others = (node.get(key) for key in ("unique_id", "path"))
            found = (name, shown, *(other for other in others if isinstance(other, str) and other))
            yield Subject(shown, (section, number)), found
            for index, column in enumerate(node.get("columns") or ()):
                if isinstance(column, dict) and isinstance(column.get("name"), str):
                    inner = column["name"]
                    place = (section, number, "columns", index)
                    yield Subject(f"{shown} column {inner}", place), (f"{name}.{inner}", f"{shown} column {inner}")
    product: dict[str, Any] = ir.get("product") or {}
    for section in ("output_ports", "input_ports", "transforms"):
        for number, port in enumerate(product.get(section) or ()):
            if isinstance(port, dict) and isinstance(port.get("name"), str):
                shown = f"{section.replace('_', ' ').removesuffix('s')} {port['name']}"
                yield Subject(shown, ("product", section, number)), (port["name"], shown)
