"""Platform, product and facts to the IR (docs/ir.md).

``build_ir`` takes the facts over: it fills what depends on platform and product into the same entries.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from compiler.ir import IR_VERSION
from compiler.ir.facts_model import LISTS, Facts
from compiler.ir.layers import Layers
from compiler.ir.needs import Needs, covered

Entry = dict[str, Any]

_ID = itemgetter("unique_id")
_RELATIONS = ("models", "seeds", "snapshots")


def build_ir(
    platform: Entry,
    product: Entry | None,
    facts: Facts | None,
    *,
    policies: Sequence[Entry] = (),
    params: Mapping[str, Mapping[str, Any]] | None = None,
    project: str = ".",
    needs: Needs | None = None,
) -> Entry:
    """The IR as plain values.

    ``platform`` and ``product`` have the IR's shape already (``compiler.tiers.resolve``). ``facts`` belong to the IR
    afterwards: their entries are changed in place. Where facts were read for some ``needs`` only, the rest is
    missing here too. ``project`` is the dbt project's folder as seen from the product's. Contracts join it later.
    """
    ir: Entry = {
        "ir_version": IR_VERSION,
        "platform": platform,
        "product": product,
        "project": facts.project if facts is not None else None,
        **{name: list(getattr(facts, name, ())) if facts is not None else [] for name in LISTS},
        "contracts": [],
        "jobs": _jobs(platform, product, facts, project),
        "policies": list(policies),
        "params": {package: dict(values) for package, values in (params or {}).items()},
    }
    _place(ir, project, needs)
    _classify(ir, needs)
    _own(ir)
    if product is not None:
        _connect_ports(ir)
    return ir


def _own(ir: Entry) -> None:
    """Leave out what installed packages bring: only their own authors can mend it. Their ids stay in `depends_on`."""
    name = ir["project"]["name"] if ir["project"] is not None else ""
    inside = f".{name}."
    if not any(_in(node, inside) for node in ir["models"]):
        return
    for section in LISTS:
        entries = ir[section]
        if _all_in(entries, inside):
            continue
        # The look of `_in` without the call: nearly all entries of a large project are its own.
        others = [e for e in entries if not (i := e.get("unique_id", "")).startswith(inside, i.find("."))]
        if others and not all(_in(entry, inside) for entry in others):
            ir[section] = [entry for entry in entries if _in(entry, inside)]


def _all_in(entries: Sequence[Entry], inside: str) -> bool:
    """Whether all entries are seen at one glance to be of the package: their ids begin as that of the first does."""
    try:
        ids = "\n".join(["", *map(_ID, entries)])
    except KeyError:  # groups have no id
        return not entries
    kind = ids[: ids.find(".")]
    return ids.count(f"{kind}{inside}") == ids.count("\n") == len(entries)


def _in(entry: Entry, inside: str) -> bool:
    """Whether an entry is of the package in ``.package.``, which its ``unique_id`` (``model.package.name``) names; a
    group has none, and is the project's."""
    id_: str = entry.get("unique_id", "")
    at = id_.find(".")
    return at < 0 or id_.startswith(inside, at) or "." not in id_[at + 1 :]


def _place(ir: Entry, project: str, needs: Needs | None) -> None:
    """Layer and rank of each node and source."""
    transforms = ir["product"]["transforms"] if ir["product"] else ()
    layers = Layers(ir["platform"]["data_architecture"]["layers"], transforms, project)
    for section in _RELATIONS:
        if any(covered(needs, (section, "*", field)) for field in ("layer", "layer_rank")):
            for node in ir[section]:
                node["layer"] = layer = layers.of(node)
                node["layer_rank"] = layers.ranks.get(layer) if layer is not None else None
    if covered(needs, ("sources", "*", "layer")):
        for source in ir["sources"]:
            source["layer"] = layers.of(source)


def _classify(ir: Entry, needs: Needs | None) -> None:
    """The category that a tag names, and the level of each category that was declared or flows in."""
    classification = ir["platform"]["governance"]["classification"]
    levels = {category["name"]: category["level"] for category in classification["categories"]}
    for section in (*_RELATIONS, "sources"):
        wanted = ("classification", "level", "inherited")
        if any(covered(needs, (section, "*", "columns", "*", field)) for field in wanted):
            for node in ir[section]:
                for column in node["columns"]:
                    if column.get("classification") is None and not column["tags"] and column.get("inherited") is None:
                        column["level"] = None  # as nearly all columns have it
                    else:
                        _classify_column(column, levels)


def _classify_column(column: Entry, levels: Mapping[str, Any]) -> None:
    if column.get("classification") is None and column["tags"] and not levels.keys().isdisjoint(column["tags"]):
        column["classification"] = min(levels.keys() & column["tags"])
    declared = column.get("classification")
    column["level"] = levels.get(declared) if declared is not None else None
    inherited = column.get("inherited")
    if inherited is not None:
        inherited["level"] = levels.get(inherited["classification"])


def _connect_ports(ir: Entry) -> None:
    """``model`` of an output port becomes the ``unique_id`` of the model that the port names, or null."""
    if not ir["product"]["output_ports"]:
        return
    by_name: dict[str, str] = {}
    for model in ir["models"]:
        by_name.setdefault(model["name"], model["unique_id"])
        if model.get("alias"):
            by_name.setdefault(model["alias"], model["unique_id"])
    for port in ir["product"]["output_ports"]:
        named = port["model"] or port["table"] or ""
        port["model"] = by_name.get(named) or by_name.get(named.rpartition(".")[2])


def _jobs(platform: Entry, product: Entry | None, facts: Facts | None, project: str) -> list[Entry]:
    """What runs: the ingestions, then dbt's seeds, its models (a job a transform) and its tests."""
    if product is None:
        return []
    jobs = [_job(f"ingest-{name}", "ingestion") for name in _names(product["ingestion"])]
    if facts is not None:
        jobs += _dbt_jobs(product, bool(facts.seeds), [job["name"] for job in jobs], project)
    service = platform["services"].get("dbt")
    resources = service.get("resources") if isinstance(service, dict) else None
    for job in jobs:
        job["schedule"] = product["schedule"]
        job["resources"] = resources if isinstance(resources, dict) else {}
    return jobs


def _dbt_jobs(product: Entry, seeds: bool, before: list[str], project: str) -> list[Entry]:
    first = [_job("dbt-seed", "dbt_seed", before)] if seeds else []
    needs = ["dbt-seed"] if seeds else before
    transforms = [t for t in product["transforms"] if t["type"] == "dbt"]
    if len(transforms) < 2:
        runs = [_job("dbt-run", "dbt_run", needs)]
    else:
        names = {t["name"]: f"dbt-run-{t['name'] or i}" for i, t in enumerate(transforms)}
        runs = [
            _job(
                f"dbt-run-{t['name'] or i}",
                "dbt_run",
                [names[d] for d in t["depends_on"] if d in names] or needs,
                _selection(t, project),
            )
            for i, t in enumerate(transforms)
        ]
    return [*first, *runs, _job("dbt-test", "dbt_test", [run["name"] for run in runs])]


def _selection(transform: Entry, project: str) -> str | None:
    """The transform's own nodes in dbt's selection syntax; where it names nothing, all."""
    if transform["tags"]:
        return " ".join(f"tag:{tag}" for tag in transform["tags"])
    return f"path:{posixpath.relpath(transform['path'], project)}" if transform["path"] else None


def _job(name: str, kind: str, needs: Iterable[str] = (), select: str | None = None) -> Entry:
    return {"name": name, "kind": kind, "schedule": None, "needs": list(needs), "select": select, "resources": {}}


def _names(entries: Iterable[Entry]) -> list[str]:
    return [str(entry.get("name") or i) for i, entry in enumerate(entries)]
