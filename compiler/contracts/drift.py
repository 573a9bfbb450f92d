"""A contract against the model that keeps it: columns, types, nulls and keys.

Codes: FLC515 the model does not keep the contract, FLC516 the model has more than the contract says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.contracts.generate import from_model
from compiler.contracts.model import Contract, Table
from compiler.contracts.types import same_family
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.spell import did_you_mean


def check_model(contract: Contract, table: Table, model: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """What ``model`` (a node of docs/ir.md) does not keep of ``table``."""
    return tuple(_drift(contract, table, model))


def _drift(contract: Contract, table: Table, model: Mapping[str, Any]) -> Iterator[Diagnostic]:
    known = {c.name.lower(): c for c in from_model(model)}
    subject = f"model {model['name']}"
    for column in table.columns.values():
        if "." in column.name:
            continue  # fields inside a column are not among dbt's facts
        span, there = contract.span(column.path), known.get(column.name.lower())
        if there is None:
            hint = did_you_mean(column.name, [c.name for c in known.values()]) or "add it to the model or its YAML"
            text = f"the contract promises `{column.name}`, which `{model['name']}` does not have"
            yield Diagnostic("FLC515", text, span, hint=hint, subject=subject)
            continue
        if not same_family(column.physical_type or column.type, there.physical_type):
            promised = column.physical_type or column.type
            text = f"the contract promises `{column.name}` as {promised}, but it is {there.physical_type}"
            yield Diagnostic("FLC515", text, span, subject=subject, hint="cast it, or publish a new major version")
        if column.required and not there.required:
            text = f"the contract promises `{column.name}` without nulls, but no test or constraint holds that"
            hint = "test it with not_null, or declare the constraint"
            yield Diagnostic("FLC515", text, span, Severity.WARN, hint=hint, subject=subject)
        if column.unique and not there.unique:
            text = f"the contract promises that `{column.name}` is unique, but no test or constraint holds that"
            yield Diagnostic("FLC515", text, span, Severity.WARN, hint="test it with unique", subject=subject)
        if there.classification is not None and column.classification is None:
            text = f"`{column.name}` is {there.classification} in the model, but the contract does not say so"
            yield Diagnostic(
                "FLC515", text, span, hint=f"write `classification: {there.classification}`", subject=subject
            )
    listed = {c.lower() for c in table.columns}
    more = [c.name for key, c in known.items() if key not in listed]
    if more and table.columns:
        text = f"`{model['name']}` has columns that the contract does not promise: {', '.join(more)}"
        yield Diagnostic("FLC516", text, contract.span(table.path), Severity.NOTIFY, subject=subject)
