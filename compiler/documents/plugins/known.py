"""The plugins that floec knows by name: what their ``config`` may hold.

``emits`` says what floec generates for a plugin; where it is empty, the configuration is checked and carried in the
artifact, and nothing is generated. Each is also an entry point of this distribution (``floec.plugins.<category>``),
so that other tools find them the same way as those of third parties.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from compiler.documents.plugins.common import Fields, Named
from compiler.documents.shape import Record


class Known:
    """A plugin that floec knows: its category, its name, its configuration's shape, and what is generated for it."""

    __slots__ = ("category", "config", "emits", "name")

    def __init__(self, category: str, name: str, fields: Fields, emits: str = "") -> None:
        self.category, self.name, self.emits = category, name, emits
        self.config = Record(f"{category}.{name}", fields)

    def config_schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the plugin's ``config``."""
        from compiler.documents.schema_export import shape_schema

        return shape_schema(self.config, f"plugins/{self.category}/{self.name}")


_MODULES = {
    "compute": "work",
    "orchestrator": "work",
    "catalog": "services",
    "storage": "services",
    "semantic_layer": "services",
    "ingestion": "work",
    "dbt": "work",
    "quality": "work",
    "secrets": "services",
    "telemetry_backend": "services",
    "lineage_backend": "services",
    "identity": "services",
    "observability": "services",
    "rbac": "services",
    "network_security": "services",
    "alert_channels": "services",
    "contracts": "work",
}
SPELLINGS = {
    ("secrets", "kubernetes"): "k8s-secrets",
    ("secrets", "k8s"): "k8s-secrets",
    ("secrets", "external-secrets"): "eso",
    ("storage", "azure_blob"): "azure-blob",
    ("storage", "azure"): "azure-blob",
    ("dbt", "local"): "core",
    ("dbt", "dbt-core"): "core",
    ("quality", "gx"): "great_expectations",
    ("quality", "great-expectations"): "great_expectations",
    ("quality", "dbt-expectations"): "dbt_expectations",
    ("semantic_layer", "dbt_semantic_layer"): "dbt-semantic-layer",
    ("telemetry_backend", "grafana_cloud"): "grafana-cloud",
    ("observability", "opentelemetry"): "otel",
}
"""Other words for a plugin's name."""


def categories() -> list[str]:
    """The categories that floec knows."""
    return list(_MODULES)


def names(category: str) -> list[str]:
    """The names that floec knows in a category."""
    return list(_named(category))


def plain_name(category: str, name: str) -> str:
    """The name that a plugin is known by, for another word for it."""
    return SPELLINGS.get((category, name), name)


def words(category: str, name: str) -> list[str]:
    """A plugin's name and the other words for it."""
    return [name, *(word for (home, word), meant in SPELLINGS.items() if (home, meant) == (category, name))]


def known(category: str, name: str) -> Known | None:
    """A plugin by its name or another word for it; None where floec does not know it."""
    name = plain_name(category, name)
    found = _named(category).get(name)
    return None if found is None else Known(category, name, *found)


@cache
def _named(category: str) -> Named:
    if category not in _MODULES:
        return {}
    table: dict[str, Named] = import_module(f"compiler.documents.plugins.{_MODULES[category]}").NAMED
    return table[category]


def __getattr__(attribute: str) -> Known:
    """The targets of this distribution's own entry points: ``compute_duckdb``."""
    for category in _MODULES:
        for name in names(category):
            if attribute == f"{category}_{name.replace('-', '_')}":
                return Known(category, name, *_named(category)[name])
    raise AttributeError(attribute)
