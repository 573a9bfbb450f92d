"""The contracts of a product: found beside it, judged, and made into entries of the IR.

Written contracts stand in the product's folder (``datacontract.yaml``, ``*.datacontract.yaml``) and in its folder
``contracts/``, older versions among them. What is found is as grave as ``governance.data_contracts.enforcement``
says: ``off`` nothing, ``alert_only`` notices, ``warn`` warnings (also where nobody says), ``block`` as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from compiler.documents.models import Document
from policy_lang.diagnostics import Diagnostic, Outcome, Severity

Entry = dict[str, Any]
_NAMES = ("datacontract.yaml", "datacontract.yml")
_ENDINGS = tuple(f".{name}" for name in _NAMES)
_FACTS = ("alias", "schema", "version", "latest_version", "description", "access", "columns", "primary_key", "tests")
_CAPS = {"warn": Severity.WARN, "alert_only": Severity.NOTIFY, "block": Severity.BLOCK}


def contract_files(folder: Path) -> list[Path]:
    """The contract files of a product, sorted."""
    beside = (name for name in _files(folder) if name in _NAMES or name.endswith(_ENDINGS))
    inside = (name for name in _files(folder / "contracts") if name.endswith((".yaml", ".yml")))
    return sorted([*(folder / name for name in beside), *(folder / "contracts" / name for name in inside)])


def _files(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(folder) if entry.is_file()]
    except OSError:
        return []


def has_contracts(product: Document) -> bool:
    """Whether a product has output ports or contract files."""
    return bool(product.data.get("output_ports")) or bool(contract_files(Path(product.file).parent))


def contract_needs(product: Document | None) -> frozenset[tuple[str, ...]]:
    """The facts that the contracts of a product are made of and held to; none where it has no contracts."""
    if product is None or not has_contracts(product):
        return frozenset()
    return frozenset(("models", "*", name) for name in _FACTS)


def product_contracts(
    product: Document,
    models: Sequence[Mapping[str, Any]],
    platform: Mapping[str, Any],
    today: date,
    *,
    enforcement: str | None = None,
) -> Outcome[list[Entry]]:
    """The entries, and what is wrong: documents, life and dates, versions, drift from the models.

    ``platform`` is the IR's; ``enforcement`` is what the manifest says (None: nothing).
    """
    from compiler.contracts.entries import contract_entries
    from compiler.contracts.read import load_contract

    loaded = [load_contract(path) for path in contract_files(Path(product.file).parent)]
    written = [one.value for one in loaded if one.value is not None]
    schemas, unread = port_schemas(product)
    classes = platform["governance"]["classification"]
    ranks = {level["name"].lower(): level["rank"] for level in classes["levels"]}
    class_levels = {c["name"]: c["level"] for c in classes["categories"]}
    named = {level["name"]: level["name"] for level in classes["levels"]}  # the standard classifies by level
    levels = {**ranks, **{c.lower(): ranks[v.lower()] for c, v in class_levels.items() if v and v.lower() in ranks}}
    made = contract_entries(
        product,
        models,
        written,
        levels=levels,
        class_levels={**named, **class_levels},
        schemas=schemas,
        automatic=platform["governance"].get("data_contracts", {}).get("auto_generation"),
    )
    found = [*unread, *made.diagnostics, *_judged(written, models, today, levels)]
    broken = [d for one in loaded for d in one.diagnostics]
    return Outcome(made.value, (*broken, *_capped(found, enforcement)))


def _judged(
    written: Sequence[Any], models: Sequence[Mapping[str, Any]], today: date, levels: Mapping[str, int]
) -> Iterator[Diagnostic]:
    """Each version of a contract is judged against the next lower one; the highest must be kept by its model."""
    from compiler.contracts.drift import check_model
    from compiler.contracts.entries import versions_by_id
    from compiler.contracts.generate import model_of_port
    from compiler.contracts.judge import judge
    from compiler.contracts.lifecycle import check_in_use, check_lifecycle

    for contract in written:
        yield from check_lifecycle(contract, today)
        yield from check_in_use(contract, today)
    for versions in versions_by_id(written).values():
        for new, old in pairwise(versions):
            judged = judge(old, new, levels=levels).diagnostics
            yield from (d for d in judged if d.code in ("FLC501", "FLC502", "FLC518"))
        for table in versions[0].tables.values():
            model = model_of_port({"table": table.physical_name or table.name}, models)
            if model is not None and versions[0].status not in ("proposed", "draft", "retired"):
                yield from check_model(versions[0], table, model)


def _capped(found: Sequence[Diagnostic], enforcement: str | None) -> list[Diagnostic]:
    if enforcement == "off":
        return []
    cap = _CAPS.get(enforcement or "warn", Severity.WARN)
    return [d._replace(severity=cap) if d.severity.rank > cap.rank else d for d in found]


def port_schemas(product: Document) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The JSON Schemas that output ports refer to, by their ``ref``; FLC521 where one cannot be read."""
    found: dict[str, Any] = {}
    problems = []
    for i, port in enumerate(product.data.get("output_ports", ())):
        schema = port.get("schema")
        ref = schema if isinstance(schema, str) else schema.get("ref") if isinstance(schema, dict) else None
        if not isinstance(ref, str):
            continue
        try:
            import json

            found[ref] = json.loads((Path(product.file).parent / ref).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            span = product.span(("output_ports", i, "schema"))
            reason = getattr(error, "strerror", None) or "it is not JSON"
            problems.append(Diagnostic("FLC521", f"cannot read the schema `{ref}`: {reason}", span, Severity.WARN))
    return found, problems
