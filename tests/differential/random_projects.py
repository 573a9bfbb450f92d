"""Random projects in the shape of the IR's schema, with values that occur in projects: names that follow the
conventions and names that do not, references that resolve and ones that dangle, texts that say nothing."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from compiler.ir.schema import ir_schema

LAYERS = ("bronze", "silver", "gold")
CATEGORIES = ("email", "phone", "salary", "none")
LEVELS = ("public", "internal", "confidential", "restricted")
_NAMES = (
    "orders",
    "stg_orders",
    "bronze_orders",
    "slv_customers",
    "gold_revenue",
    "dim_date",
    "fct_sales",
    "Bad Name",
    "a",
    "x_1",
    "tmp_x",
)
_COLUMNS = (
    "id",
    "order_id",
    "customer_id",
    "email",
    "Email",
    "is_active",
    "created_at",
    "amount",
    "salary",
    "date",
    "user name",
    "ts",
)
_TESTS = ("unique", "not_null", "accepted_values", "relationships", "dbt_utils.unique_combination_of_columns")
_TEXTS = (
    "",
    " ",
    "TODO",
    "n/a",
    "One row per order.",
    "The customer's e-mail address, as typed.",
    "x" * 300,
    "id",
    "Orders",
)
_POOLS: dict[str, tuple[Any, ...]] = {
    "description": _TEXTS,
    "source_description": _TEXTS,
    "layer": (*LAYERS, *LAYERS, None, "nowhere"),
    "tier": LAYERS,
    "owner": ("sales", "data-team@example.org", "", " ", None, "none"),
    "email": ("a@example.org", "", "no address"),
    "team": ("sales", ""),
    "slack": ("#sales", ""),
    "materialized": ("table", "view", "incremental", "ephemeral"),
    "language": ("sql", "sql", "python"),
    "tags": ("pii", "daily", "nightly", "email", "deprecated", "WIP"),
    "classification": (*CATEGORIES, None, None),
    "level": (*LEVELS, None),
    "sensitivity": ("high", "low", None),
    "pii_type": ("email", None),
    "type": ("varchar", "integer", "timestamp", "date", "boolean", "numeric", None),
    "name": _NAMES,
    "column": (*_COLUMNS, None),
    "version": ("1", "2", None, "1.0.0"),
    "package": ("shop", "shop", "dbt_utils"),
    "schema": ("analytics", "bronze", None),
    "database": ("prod", "dev", None),
    "loader": ("fivetran", "", None),
    "loaded_at_field": ("_loaded_at", None, ""),
    "freshness": ("6h", "24h", "", "soon"),
    "availability": ("99.9%", "", "high"),
    "maturity": ("low", "medium", "high", None),
    "severity": ("error", "warn"),
    "deprecation_date": ("2020-01-01", "2099-12-31", None),
    "cron": ("0 6 * * *", "* * * * *", "bad"),
    "timezone": ("UTC", "Europe/Berlin", "Nowhere/Else"),
    "prefixes": ("bronze_", "slv_", "gold_", "stg_"),
    "required_tests": ("unique", "not_null"),
    "tests": _TESTS,
    "path": ("models/bronze/orders.sql", "models/silver/x.sql", "models/x.sql", "models/staging/deep/er/y.sql"),
    "patch_path": ("models/schema.yml", ""),
    "directory": ("models/bronze", "models", "models/staging/deep"),
    "hard_coded_relations": ("prod.raw.orders",),
}


def project(seed: int) -> dict[str, Any]:
    """The IR of a seed, always the same."""
    return _Maker(random.Random(seed)).project()


class _Maker:
    def __init__(self, chooser: random.Random) -> None:
        self.random = chooser
        self.schema = ir_schema()

    def project(self) -> dict[str, Any]:
        made: dict[str, Any] = self.value(self.schema, "", 0)
        platform, parts = made["platform"], self.schema["properties"]["platform"]["properties"]
        architecture = parts["data_architecture"]["properties"]["layers"]
        platform["data_architecture"]["layers"] = self.named(architecture, LAYERS)
        for rank, layer in enumerate(platform["data_architecture"]["layers"]):
            layer["may_depend_on"] = list(LAYERS[: rank + 1])
        classes = parts["governance"]["properties"]["classification"]["properties"]
        platform["governance"]["classification"]["levels"] = self.named(classes["levels"], LEVELS)
        platform["governance"]["classification"]["categories"] = self.named(classes["categories"], CATEGORIES)
        self.linked(made)
        return made

    def named(self, schema: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
        """One item for each name; ranks rise."""
        items = [self.value(schema["items"], "", 3) | {"name": name} for name in names]
        return [item | {"rank": n} if "rank" in item else item for n, item in enumerate(items)]

    def linked(self, made: dict[str, Any]) -> None:
        """Unique ids, and references between the nodes of which most resolve."""
        ids: list[str] = []
        for section in (
            "models",
            "seeds",
            "snapshots",
            "sources",
            "exposures",
            "metrics",
            "semantic_models",
            "macros",
            "tests",
            "unit_tests",
        ):
            for number, node in enumerate(made.get(section, ())):
                if "unique_id" in node:
                    node["unique_id"] = f"{section[:-1]}.shop.{node['name']}.{number}"
                    ids.append(node["unique_id"])
                names = self.random.sample(_COLUMNS, min(len(node.get("columns") or ()), len(_COLUMNS)))
                for column, name in zip(node.get("columns") or (), names, strict=False):
                    column["name"] = name
        self.relink(made, [*ids, "model.shop.gone"])

    def relink(self, value: Any, ids: list[str]) -> None:
        if isinstance(value, list):
            for item in value:
                self.relink(item, ids)
        elif isinstance(value, dict):
            for key, item in value.items():
                if key in ("depends_on", "used_by") and isinstance(item, list):
                    value[key] = sorted({self.random.choice(ids) for _ in item})
                elif key in ("attached_to", "model") or (key == "unique_id" and (item is None or "." not in str(item))):
                    value[key] = self.random.choice([*ids, None]) if key != "model" else self.random.choice(ids)
                else:
                    self.relink(item, ids)

    # ------------------------------------------------------------- by schema

    def value(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        if "$ref" in schema:
            schema = self.schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        if "anyOf" in schema:
            return self.value(self.random.choice(schema["anyOf"]), name, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if "default" in schema and self.random.random() < 0.15:
            return deepcopy(schema["default"])
        kinds = schema.get("type", "object")
        kind = self.random.choice(kinds) if isinstance(kinds, list) else kinds
        pool = [item for item in _POOLS.get(name, ()) if _is(item, kind)]
        if name == "name" and depth > 3:
            pool = list(_COLUMNS)
        if pool and kind != "array":
            return self.random.choice(pool)
        return getattr(self, f"a_{kind}")(schema, name, depth)

    def a_null(self, schema: dict[str, Any], name: str, depth: int) -> None:
        return None

    def a_boolean(self, schema: dict[str, Any], name: str, depth: int) -> bool:
        return self.random.random() < 0.5

    def a_number(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        return self.random.choice((0, 1, 2, 7, 30, 50, 90, 100, 365, 1000, 49.5, 66.67))

    a_integer = a_number

    def a_string(self, schema: dict[str, Any], name: str, depth: int) -> str:
        return self.random.choice(("", "a", "x_y", "Some text", "1.0.0", "orders"))

    def a_array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        top = depth <= 1 and name in ("models", "sources", "tests")
        count = self.random.randint(2, 7) if top else self.random.randint(0, 3)
        items = schema.get("items", {"type": "string"})
        made = [self.value(items, name, depth + 1) for _ in range(count)]
        return [item for n, item in enumerate(made) if not isinstance(item, str) or item not in made[:n]]

    def a_object(self, schema: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
        if "properties" in schema:
            return {key: self.value(part, key, depth + 1) for key, part in schema["properties"].items()}
        more = schema.get("additionalProperties")
        keys = self.random.sample((*LAYERS, "owner", "team", "pii"), self.random.randint(0, 2))
        if isinstance(more, dict):
            return {key: self.value(more, key, depth + 1) for key in keys}
        return {key: self.random.choice((True, 1, "x", None, ["a"])) for key in keys}


def _is(item: Any, kind: str) -> bool:
    return (item is None and kind == "null") or (isinstance(item, str) and kind == "string")
