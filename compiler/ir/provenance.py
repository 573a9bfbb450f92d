"""From a path into the IR to the place in a file that said so.

The IR holds no positions; a ``Locator`` finds them when something is reported. It knows how the IR's
``platform`` and ``product`` map to the documents; where the project's nodes stand, it asks ``Positions``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from compiler.documents.models import Document
from compiler.documents.yaml_loader import Keys
from policy_lang.source import Span, whole_file

Path = tuple[str | int, ...]

_METADATA = frozenset({"name", "version", "owner", "description"})
_PRODUCT_METADATA = _METADATA | {"domain", "repository", "labels"}
_GATES = frozenset({"minimum_coverage", "required_tests", "required_documentation"})


class Positions(Protocol):
    """Where the facts of a project stand (``compiler.facts.positions``)."""

    def locate(self, section: str, entry: dict[str, Any], rest: Path) -> Span | None:
        """The place of ``rest`` (a path inside ``entry``, which is of the IR's list ``section``)."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One document that says something at a place: its tier (``enterprise``, …, ``product``), and where."""

    tier: str
    span: Span
    value: Any


class Locator:
    """``manifests`` is the chain, the topmost first; ``positions`` is None where there is no dbt project."""

    def __init__(
        self,
        ir: dict[str, Any],
        manifests: Sequence[Document],
        product: Document | None,
        positions: Positions | None = None,
    ) -> None:
        self._ir = ir
        self._manifests = tuple(manifests)
        self._product = product
        self._positions = positions

    def locate(self, path: Path) -> Span:
        """The span of what ``path`` leads to, or of the nearest enclosing thing that has one."""
        head = path[0] if path else ""
        if head in ("platform", "policies", "params"):
            said = self.sayings(path)
            return said[-1].span if said else self._top()
        if head in ("product", "jobs") and self._product is not None:
            return self._product.span(self._in_product(path))
        section = self._ir.get(str(head))
        if self._positions is not None and isinstance(section, list) and len(path) > 1 and isinstance(path[1], int):
            if 0 <= path[1] < len(section):
                found = self._positions.locate(str(head), section[path[1]], path[2:])
                if found is not None:
                    return found
            return self._file_of(section, path[1])
        return self._top()

    def origin(self, path: Path) -> Saying | None:
        """Who set the value of ``platform`` (or ``product``) that is in force at ``path``; None for a default."""
        said = self.sayings(path)
        return said[-1] if said else None

    def sayings(self, path: Path) -> tuple[Saying, ...]:
        """All documents that say something at ``path`` or at the nearest enclosing place, the topmost first."""
        documents: tuple[Document, ...]
        if path[:1] == ("product",):
            documents = (self._product,) if self._product is not None else ()
            keys = self._in_product(path)
        else:
            documents = self._manifests
            keys = self._in_manifest(path)
        while keys:
            said = tuple(self._saying(d, keys) for d in documents if _has(d.data, keys))
            if said:
                return said
            keys = keys[:-1]
        return ()

    def _saying(self, document: Document, keys: Keys) -> Saying:
        tier = "product" if document.kind == "DataProduct" else document.scope
        actual = _actual(document.data, keys)
        return Saying(tier, document.span(actual), _at(document.data, actual))

    def _top(self) -> Span:
        document = self._product or (self._manifests[-1] if self._manifests else None)
        return document.span(("metadata",)) if document is not None else whole_file("<ir>")

    def _file_of(self, section: list[Any], index: int) -> Span:
        entry = section[index] if 0 <= index < len(section) else {}
        file = entry.get("patch_path") or entry.get("path") if isinstance(entry, dict) else None
        return whole_file(str(file)) if file else self._top()

    def _in_product(self, path: Path) -> Keys:
        """The keys in floe.yaml (canonical spelling) of a path into ``product`` or ``jobs``."""
        if path[0] == "jobs":
            return ("schedule",) if "schedule" in path else ("transforms",)
        keys = path[1:]
        if keys and keys[0] in _PRODUCT_METADATA:
            return ("metadata", *keys)
        return tuple(_renamed(keys, {"freshness_hours": "freshness"}))

    def _in_manifest(self, path: Path) -> Keys:
        """The keys in a manifest (canonical spelling) of a path into ``platform``, ``policies`` or ``params``."""
        if path[0] != "platform":
            return ("policies",)
        keys = path[1:]
        if keys and keys[0] in _METADATA:
            return ("metadata", *keys)
        if keys[:2] == ("data_architecture", "layers"):
            return self._layer_keys(keys)
        if keys[:3] == ("governance", "classification", "categories") and len(keys) > 3:
            name = self._name_of(("platform", *keys[:4]))
            return (*keys[:3], name, *keys[4:])
        if keys[:3] == ("governance", "access_control", "namespaces"):
            return ("catalog_structure", *keys[2:])
        return keys

    def _layer_keys(self, keys: Keys) -> Keys:
        if len(keys) < 3:
            return keys
        rest = list(_renamed(keys[3:], {"prefixes": "prefix"}))
        if rest and rest[0] in _GATES:
            rest.insert(0, "quality_gates")
        return (*keys[:2], self._name_of(("platform", *keys[:3])), *rest)

    def _name_of(self, path: Path) -> str | int:
        """The name of the IR's entry at ``path`` (documents key these by name); its index where it has none."""
        entry = _at(self._ir, path)
        return str(entry["name"]) if isinstance(entry, dict) and "name" in entry else path[-1]


def _renamed(keys: Keys, names: dict[str, str]) -> list[str | int]:
    return [names.get(k, k) if isinstance(k, str) else k for k in keys]


def _actual(data: Any, keys: Keys) -> Keys:
    """``keys`` with a name replaced by its index where the document has a list of named things."""
    actual: list[str | int] = []
    for key in keys:
        if isinstance(data, list) and isinstance(key, str):
            key = next((i for i, item in enumerate(data) if isinstance(item, dict) and item.get("name") == key), key)
        actual.append(key)
        data = _at(data, (key,))
    return tuple(actual)


def _has(data: Any, keys: Keys) -> bool:
    return _at(data, _actual(data, keys)) is not None


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, list) and isinstance(part, int):
            value = value[part] if 0 <= part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
