"""Join the manifests of a chain, the topmost first, by one lattice.

``ORDERS`` says for each field how a child's value joins with its parent's; what is not named is an
``override``. A child that weakens is FLC301 (order) or FLC302 (fixed), and the parent's value stays in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from compiler.documents.models import Document
from compiler.documents.yaml_loader import Keys
from policy_lang.diagnostics import Diagnostic, Label, Outcome
from policy_lang.source import Span

_GATES = "governance.quality_gates."
ORDERS: dict[str, str] = {
    _GATES + "minimum_test_coverage": "stricter_up",
    _GATES + "required_tests": "extend",
    _GATES + "require_descriptions": "stricter_up",
    _GATES + "require_column_descriptions": "stricter_up",
    _GATES + "documentation_required": "stricter_up",
    _GATES + "block_on_failure": "stricter_up",
    _GATES + "enforcement": "stricter_up",
    _GATES + "layers.*.minimum_coverage": "stricter_up",
    _GATES + "layers.*.required_tests": "extend",
    _GATES + "layers.*.required_documentation": "stricter_up",
    "data_architecture.naming.enforcement": "stricter_up",
    "data_architecture.layers.*.quality_gates.minimum_coverage": "stricter_up",
    "data_architecture.layers.*.quality_gates.required_tests": "extend",
    "data_architecture.layers.*.quality_gates.required_documentation": "stricter_up",
    "governance.policy_enforcement_level": "stricter_up",
    "governance.audit_logging": "stricter_up",
    "governance.pii_encryption": "stricter_up",
    "governance.data_contracts.enforcement": "stricter_up",
    "governance.classification.levels": "extend",
    "governance.classification.categories.*.requires_encryption": "stricter_up",
    "governance.classification.categories.*.requires_masking_in_non_prod": "stricter_up",
    "governance.classification.categories.*.retention_max_days": "stricter_down",
    "governance.classification.categories.*.sensitivity": "stricter_up",
    "governance.retention.min_days": "stricter_up",
    "governance.retention.max_days": "stricter_down",
    "governance.retention.default_ttl_hours": "stricter_down",
    "governance.sensitive_fields": "extend",
    "artifacts.signing.enforcement": "stricter_up",
    "approved_plugins.*": "intersect",
    "approved_sinks": "intersect",
    "policies": "extend",
    "exemptions": "extend",
    "domains": "fixed",
    "data_architecture.naming.case": "fixed",
}
_RANKS = {
    word: rank
    for words in (
        ("off", "warn", "alert_only", "strict", "block", "enforce"),
        ("disabled", "enabled", "required"),
        ("low", "medium", "high", "critical"),
    )
    for rank, word in enumerate(words)
} | {"optional": 0}
_OWN = frozenset({"metadata", "parent", "domain", "kind", "apiVersion"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from."""

    file: str
    span: Span
    tier: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The joined manifest: plain data, the origin of each value, and the chain (the topmost first)."""

    data: dict[str, Any]
    origins: dict[Keys, Origin]
    chain: tuple[Document, ...]


def inherit(chain: Sequence[Document]) -> Outcome[Resolved]:
    """Join ``chain``; every weakening is reported at the child's line, with the parent's beside it."""
    data: dict[str, Any] = {}
    origins: dict[Keys, Origin] = {}
    found: list[Diagnostic] = []
    for document in chain:
        child = {k: v for k, v in document.data.items() if k not in _OWN}
        data = _Join(document, origins, found).mapping(data, child, ())
    own = {k: v for k, v in chain[-1].data.items() if k in _OWN} if chain else {}
    return Outcome(Resolved({**data, **own}, origins, tuple(chain)), tuple(found))


def order_of(path: Keys) -> str:
    """The order of the field at ``path``."""
    names = [str(p) for p in path]
    for pattern, order in ORDERS.items():
        parts = pattern.split(".")
        if len(parts) == len(names) and all(p in ("*", n) for p, n in zip(parts, names, strict=True)):
            return order
    return "override"


def join(order: str, parent: Any, child: Any) -> tuple[Any, bool]:
    """The joined value, and whether the child was allowed to say what it said."""
    if order == "override":
        return child, True
    if order == "fixed":
        return parent, parent == child
    if order == "extend":
        return [*parent, *(v for v in child if v not in parent)], True
    if order == "intersect":
        return [v for v in child if v in parent], all(v in parent for v in child)
    stronger = _rank(child) >= _rank(parent) if order == "stricter_up" else _rank(child) <= _rank(parent)
    return (child, True) if stronger else (parent, False)


def _rank(value: Any) -> Decimal:
    if isinstance(value, str):
        return Decimal(_RANKS.get(value, -1))
    return Decimal(value)


class _Join:
    """Joins one child onto what its ancestors agreed on."""

    def __init__(self, child: Document, origins: dict[Keys, Origin], found: list[Diagnostic]) -> None:
        self.child = child
        self.origins = origins
        self.found = found

    def mapping(self, parent: dict[str, Any], child: dict[str, Any], path: Keys) -> dict[str, Any]:
        result = dict(parent)
        for key, value in child.items():
            here = (*path, key)
            if value is None:
                continue
            if isinstance(value, dict) and isinstance(parent.get(key, {}), dict):
                result[key] = self.mapping(parent.get(key) or {}, value, here)
            elif parent.get(key) is None:
                result[key] = value
                self._set_origin(here)
            else:
                result[key] = self._leaf(parent[key], value, here)
        return result

    def _leaf(self, parent: Any, value: Any, path: Keys) -> Any:
        order = order_of(path)
        if order in ("extend", "intersect") and not (isinstance(parent, list) and isinstance(value, list)):
            order = "override"
        joined, allowed = join(order, parent, value)
        if not allowed:
            self._refuse(order, parent, value, path)
        elif joined != parent:
            self._set_origin(path)
        return joined

    def _set_origin(self, path: Keys) -> None:
        self.origins[path] = Origin(self.child.file, self.child.span(path), self.child.scope)

    def _refuse(self, order: str, parent: Any, value: Any, path: Keys) -> None:
        name = ".".join(str(p) for p in path)
        above = self.origins.get(path)
        text, hint = {
            "stricter_up": (f"weakens it from {parent} to {value}", f"give {parent} or more, or leave it out"),
            "stricter_down": (f"weakens it from {parent} to {value}", f"give {parent} or less, or leave it out"),
            "intersect": ("allows what the parent does not", "choose among the parent's: " + _words(parent)),
            "fixed": ("changes what the parent fixes", "leave it out"),
        }[order]
        related = (Label(above.span, f"set by the {above.tier} manifest here"),) if above is not None else ()
        code = "FLC302" if order == "fixed" else "FLC301"
        span = self.child.span(path)
        self.found.append(Diagnostic(code, f"`{name}` {text}", span, related=related, hint=hint, path=path))


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
