"""A dbt project of any size, with a manifest and a floe.yaml, for measuring ``floec check``.

Ten columns a model and about one model in twenty with a defect: the size and the shape of what OPA's
side of the race gets. Everything follows from the number of the model, so two runs give the same files.
"""

from __future__ import annotations

from pathlib import Path

_COLUMNS = (
    ("email", "varchar"),
    ("amount", "decimal(18,2)"),
    ("created_at", "timestamp"),
    ("status", "varchar"),
    ("country", "varchar"),
    ("quantity", "integer"),
    ("is_active", "boolean"),
    ("updated_at", "timestamp"),
    ("score", "double"),
)
_LAYERS = ("bronze", "bronze", "bronze", "silver", "silver", "silver", "gold", "gold")
_FAMILY = len(_LAYERS)
_ENTITIES = ("order", "customer", "invoice", "session", "payment", "product", "employee", "ticket")


def write_project(folder: Path, n: int) -> Path:
    """Write ``n`` models below ``folder``; answers the folder of the data product."""
    product = folder / "product"
    product.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(_MANIFEST, encoding="utf-8")
    (product / "floe.yaml").write_text(_PRODUCT, encoding="utf-8")
    (product / "dbt_project.yml").write_text(_DBT, encoding="utf-8")
    for layer in dict.fromkeys(_LAYERS):
        (product / "models" / layer).mkdir(parents=True)
    (product / "models" / "_sources.yml").write_text(_SOURCES, encoding="utf-8")
    for number in range(n):
        layer = _LAYERS[number % _FAMILY]
        stem = product / "models" / layer / _name(number)
        stem.with_suffix(".sql").write_text(_sql(number, layer), encoding="utf-8")
        stem.with_suffix(".yml").write_text(_properties(number, layer), encoding="utf-8")
    return product


def _name(number: int) -> str:
    prefix = "stg" if number % 40 == 7 else _LAYERS[number % _FAMILY]
    return f"{prefix}_{_ENTITIES[number // _FAMILY % len(_ENTITIES)]}_{number}"


def _columns(layer: str) -> list[tuple[str, str]]:
    hidden = [("email_hash" if name == "email" and layer == "gold" else name, kind) for name, kind in _COLUMNS]
    return [("id", "bigint"), *hidden]


def _sql(number: int, layer: str) -> str:
    # Silver reads the bronze of its own family of eight, gold the silver.
    upstream = f"ref('{_name(number - 3)}')" if layer != "bronze" else "source('shop', 'events')"
    lines = [
        "    sha256(email) as email_hash" if layer == "gold" and name == "email_hash" else f"    {name}"
        for name, _ in _columns(layer)
    ]
    return "select\n" + ",\n".join(lines) + "\nfrom {{ " + upstream + " }}\n"


def _properties(number: int, layer: str) -> str:
    owner = [] if number % 50 == 3 else ["        owner: team-shop"]
    described = "" if number % 60 == 11 else f"The {layer} rows number {number} of the shop."
    lines = [
        "version: 2",
        "models:",
        f"  - name: {_name(number)}",
        f'    description: "{described}"',
        "    config:",
        "      meta:",
        *owner,
        "        primary_key: id",
        "    columns:",
    ]
    for name, kind in _columns(layer):
        lines += [f"      - name: {name}", f"        description: The {name} of the row.", f"        data_type: {kind}"]
        if name == "email" and number % 70 != 5:
            lines += ["        config: {meta: {floe: {classification: pii, pii_type: email}}}"]
        tests = "[not_null, unique]" if name == "id" and number % 45 != 2 else "[not_null]"
        lines.append(f"        data_tests: {tests}")
    return "\n".join(lines) + "\n"


_MANIFEST = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata:
  name: bench
  version: 1.0.0
  owner: platform@acme.example
plugins:
  compute:
    type: duckdb
data_architecture:
  pattern: medallion
  naming:
    enforcement: strict
    case: snake_case
  layers:
    bronze: {prefix: bronze_, quality_gates: {minimum_coverage: 50, required_tests: [not_null_pk]}}
    silver: {prefix: silver_, quality_gates: {minimum_coverage: 80, required_tests: [not_null_pk, unique_pk]}}
    gold: {prefix: gold_, quality_gates: {minimum_coverage: 90, required_tests: [not_null_pk, unique_pk]}}
governance:
  classification:
    levels:
      - public
      - internal
      - name: confidential
        allowed_layers: [bronze, silver]
      - name: restricted
        allowed_layers: [bronze]
    categories:
      pii: {level: confidential, requires_masking_in_non_prod: true, retention_max_days: 365}
  quality_gates:
    minimum_test_coverage: 50
    require_descriptions: true
    require_column_descriptions: true
    block_on_failure: true
"""

_PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata:
  name: bench
  version: 1.0.0
  description: Generated models.
  owner: team-shop
  domain: shop
platform:
  ref: ../manifest.yaml
transforms:
  - type: dbt
    path: models/
"""

_DBT = """\
name: bench
version: 1.0.0
config-version: 2
profile: bench
model-paths: [models]
"""

_SOURCES = """\
version: 2
sources:
  - name: shop
    description: What the shop delivers.
    tables:
      - name: events
        description: Everything that happened.
"""
