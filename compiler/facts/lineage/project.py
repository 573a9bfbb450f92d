"""Column lineage of a project, and what classifications flow along it.

Codes: FLC128 (notify) the SQL of a model that no parser understands; the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.facts.entries import Entry
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Outcome
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.facts.lineage.model import Breakers, Flow, Relation, Traced


Classified = list[tuple[Entry, list[Entry]]]
"""Nodes, and their columns that declare a classification."""


class Lineage(NamedTuple):
    """What is known of each model and snapshot, by ``unique_id``, in an order in which sources come first."""

    traced: dict[str, Traced]

    @property
    def relations(self) -> dict[str, Relation]:
        """The columns of each."""
        return {key: traced.relation for key, traced in self.traced.items()}


def column_lineage(
    facts: Facts,
    project_dir: Path,
    *,
    breakers: Breakers | None = None,
    folder: Path | None = None,
    everything: bool = False,
    classified: Classified | None = None,
) -> Outcome[Lineage]:
    """Lineage of the models below ``classified`` columns (None: those of the facts), or of all with ``everything``.

    ``breakers`` names the functions that stop a classification; ``folder`` is the cache folder, None for no cache.
    """
    order = _order(facts)
    wanted = order if everything else _below(classified_columns(facts) if classified is None else classified, order)
    if not wanted:
        return Outcome(Lineage({}))
    from compiler.facts.lineage.trace import Tracer

    tracer = Tracer(facts, project_dir, breakers, folder)
    for node in wanted:
        tracer.trace(node)
    tracer.cache.save()
    return Outcome(Lineage(tracer.traced), tuple(tracer.found))


def propagate(facts: Facts, lineage: Lineage, ranks: Mapping[str, int], classified: Classified | None = None) -> None:
    """Fill in ``columns[].inherited``, in place, from the ``classified`` columns (None: those of the facts).

    ``ranks`` orders the levels; of several classifications that flow in the highest counts. A column that no YAML
    declares is added (``declared`` false) where something flows into it. A masked column passes nothing on.
    """
    carried: dict[str, dict[str, Entry]] = {}
    for entry, columns in classified_columns(facts) if classified is None else classified:
        for column in columns:
            if not column["masked"]:
                origin = {"node": entry["unique_id"], "column": column["name"], "transform": "declared"}
                carried.setdefault(entry["unique_id"], {})[column["name"].lower()] = {
                    "classification": column["classification"],
                    "level": column["level"],
                    "path": [origin],
                }
    nodes = {e["unique_id"]: e for e in [*facts.models, *facts.snapshots]}
    places: _Places = {}
    for key, traced in lineage.traced.items():
        _inherit(nodes[key], traced, carried, ranks, places)


_Places = dict[tuple[str, ...], dict[str, int]]
"""Names of columns → where each stands, by its name in lower case; many models have the same columns."""


def _inherit(
    node: Entry,
    traced: Traced,
    carried: dict[str, dict[str, Entry]],
    ranks: Mapping[str, int],
    places: _Places,
) -> None:
    arriving: dict[int, tuple[int, int, Flow, Entry]] = {}
    for key, flows in traced.query.flows.items():
        above = carried.get(traced.nodes[key])
        if not above:
            continue
        for name, entry in above.items():
            for flow in flows.get(name, ()):
                found = (-_rank(entry, ranks), flow.rank, flow, entry)
                best = arriving.get(flow.position)
                if best is None or found[:2] < best[:2]:
                    arriving[flow.position] = found
    if not arriving:
        return
    columns = node["columns"]
    names = tuple([column["name"] for column in columns])
    declared = places.get(names)
    if declared is None:
        declared = places[names] = {name.lower(): i for i, name in enumerate(names)}
    added = []
    own = carried.setdefault(node["unique_id"], {})
    for _, (_, _, flow, entry) in sorted(arriving.items()):
        step = {"node": node["unique_id"], "column": flow.name, "transform": flow.transform}
        inherited = {**entry, "path": [*entry["path"], step]}
        name = flow.name.lower()
        if name in declared:
            column = columns[declared[name]]
        else:
            from compiler.facts import entries

            column = entries.column({"name": flow.name}, "", declared=False)
            added.append(column)
        column["inherited"] = inherited
        if not column["masked"] and _rank(inherited, ranks) >= _rank(own.get(name), ranks):
            own[name] = inherited
    if added:
        node["columns"] = [*columns, *added]


def classified_columns(facts: Facts) -> Classified:
    """The nodes that declare classified columns, with these."""
    nodes = [*facts.sources, *facts.seeds, *facts.models, *facts.snapshots]
    found = ((node, [column for column in node["columns"] if column["classification"]]) for node in nodes)
    return [one for one in found if one[1]]


def _rank(carried: Entry | None, ranks: Mapping[str, int]) -> int:
    return -2 if carried is None else ranks.get(carried["level"] or "", -1)


def _order(facts: Facts) -> list[Entry]:
    """Models and snapshots after those that they depend on; members of a ring in the order of their names."""
    nodes = {e["unique_id"]: e for e in [*facts.models, *facts.snapshots]}
    done: set[str] = set()
    ordered: list[Entry] = []
    for start in nodes:
        stack: list[tuple[str, Iterator[str]]] = (
            [(start, iter(nodes[start]["depends_on"]))] if start not in done else []
        )
        done.add(start)
        while stack:
            key, targets = stack[-1]
            target = next((t for t in targets if t in nodes and t not in done), None)
            if target is None:
                ordered.append(nodes[key])
                stack.pop()
            else:
                done.add(target)
                stack.append((target, iter(nodes[target]["depends_on"])))
    return ordered


def _below(classified: Classified, order: Iterable[Entry]) -> list[Entry]:
    """Those nodes that something classified may flow into."""
    reached = {entry["unique_id"] for entry, _ in classified}
    found = []
    for node in order:
        if any(d in reached for d in node["depends_on"]):
            reached.add(node["unique_id"])
            found.append(node)
    return found
