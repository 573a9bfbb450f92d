"""Documents with random damage: a diagnostic each, never an exception, and what passes can be used to its end."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.contracts.compare import compare
from compiler.contracts.generate import generate_contracts
from compiler.contracts.lifecycle import check_lifecycle
from compiler.contracts.odcs import to_yaml
from compiler.contracts.read import read_contract
from compiler.documents.models import validate_document
from compiler.documents.yaml_loader import load_yaml
from compiler.ir.schema import complete
from compiler.tiers.adopt import adopt
from compiler.tiers.inherit import inherit
from compiler.tiers.platform_ir import platform_ir, product_ir
from compiler.tiers.resolve import exemptions
from policy_lang.diagnostics import blocking
from policy_lang.source import Source

TODAY = date(2026, 1, 1)
MANIFEST = yaml.safe_load("""
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: acme, version: 1.0.0, owner: a@b.c, scope: enterprise}
plugins: {compute: {type: duckdb, config: {threads: 4}, approved: [duckdb]}, catalog: polaris, secrets: {type: vault}}
approved_plugins: {compute: [duckdb]}
approved_sinks: [a]
domains: [{name: sales, namespace: s, owners: [a@b.c], extra_policies: {audit_logging: required}}]
data_architecture:
  pattern: medallion
  naming: {enforcement: strict, case: snake_case, custom_patterns: ["a.*"]}
  layers: {bronze: {prefix: b_, quality_gates: {minimum_coverage: 50}}, gold: {may_depend_on: [bronze]}}
catalog_structure: {namespaces: [{name: gold, grants: [{role: a, access: read}]}]}
governance:
  classification: {levels: [public, {name: secret, allowed_layers: [bronze]}], pii: {level: secret}}
  retention: {min_days: 1, max_days: 30}
  quality_gates: {minimum_test_coverage: 80%, required_tests: [a], gold_layer: {minimum_coverage: 9}}
  policies: {pii: {production: {action: redact, requires_role: [x]}}}
  sla_minimums: {availability: 99, freshness: 6h}
  network_policies: true
exemptions: [{policy: A1, subject: m, reason: r, expires: 2030-01-01}]
policies: [{use: stdlib, severity: {A1: warn}, params: {x: 1}}]
artifacts: {signing: {enforcement: warn, verification: {public_keys: [{path: a}]}}}
security: {trusted_keys: [a], pod_security: {jobs_level: restricted}}
services: {cube: {replicas: 2, resources: {cpu_request: 100m}}}
""")
PRODUCT = yaml.safe_load("""
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: orders, version: 1.0.0, domain: sales, labels: {a: b}}
platform: {ref: ../manifest.yaml}
ownership: {team: a, email: a@b.c}
transforms: [{type: dbt, path: models, compute: duckdb, tags: [a]}, {name: b, dependsOn: [a]}]
ingestion: [{name: a, type: dlt, dlt: {source: x}}]
input_ports: [{name: a, source: {type: data_product, ref: a.b.c}, freshness_requirement: 1h}]
outputPorts:
  - {name: a, table: x.a, schema: {columns: [{name: c, type: int, enum: [1]}]},
     sla: {freshness: 6h, availability: 99.9%, quality: {accuracy: 98}}, access: {grants: [{domain: d}]}}
schedule: {cron: 0 6 * * *, timezone: Europe/Berlin}
destinations: [{name: a, sink_type: a, field_mapping: {a: b}}]
quality: {minimum_coverage: 90, gates: [{name: g, checks: [{type: row_count, min: 1}]}]}
governance: {policies: {pii: {production: {action: synthesize}}}}
""")
CONTRACT = yaml.safe_load("""
apiVersion: v3.1.0
kind: DataContract
id: a
name: a
version: 1.0.0
status: deprecated
owner: a@b.c
schema:
  - {name: t, properties: [{name: c, logicalType: array, items: {logicalType: object, properties: [{name: d}]}},
     {name: e, enum: [1], logicalTypeOptions: {maxLength: 3}, quality: [{metric: nullValues, mustBe: 0}]}]}
models: {m: {elements: {x: {type: int, primaryKey: true}, y: {type: object, fields: {z: {type: date}}}}}}
slaProperties: [{property: freshness, value: 6, unit: h}]
roles: [{role: r}]
servers: [{server: s, type: duckdb}]
team: [{username: u}]
deprecation: {announced: 2026-01-01, sunset_date: 2026-06-01}
customProperties: [{property: retention, value: 7 years}]
""")
DAMAGE = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=8), st.just([]), st.just({}), st.just([None]),
    st.just({"name": None}), st.just([{"name": 1}]), st.just([[]]), st.floats(0, 2), st.just("é" * 300),
    st.just({"a": {"b": []}}), st.just(["a", "a"]), st.just("off"), st.just({"value": None}),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [p for k in keys for p in ((*path, k), *places(value[k], (*path, k)))]


@st.composite
def damaged(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    made = deepcopy(document)
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(made)))
        at: Any = made
        for key in path[:-1]:
            at = at[key]
        kind = draw(st.sampled_from(["replace", "replace", "remove", "rename", "add"]))
        if kind == "replace":
            at[path[-1]] = deepcopy(draw(DAMAGE))
        elif kind == "remove":
            del at[path[-1]]
        elif isinstance(at, dict) and kind == "rename":
            at[str(path[-1]) + "x"] = at.pop(path[-1])
        elif isinstance(at, dict):
            at[draw(st.text(max_size=6))] = deepcopy(draw(DAMAGE))
    return made


def check(document: dict[str, Any], file: str) -> Any:
    loaded = load_yaml(Source(file, yaml.safe_dump(document, sort_keys=False, allow_unicode=True)))
    assert loaded.value is not None or blocking(loaded.diagnostics)
    if loaded.value is None:
        return None
    checked = validate_document(loaded.value)
    found = (*loaded.diagnostics, *checked.diagnostics)
    assert all(d.span is not None and d.message for d in found)
    return None if blocking(found) else checked.value


slow = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@slow
@given(damaged(MANIFEST), damaged(MANIFEST), damaged(PRODUCT))
def test_manifests_and_products(top: Any, below: Any, product: Any) -> None:
    chain = [d for d in (check(top, "top.yaml"), check(below, "below.yaml")) if d is not None and d.kind == "Manifest"]
    floe = check(product, "floe.yaml")
    if floe is not None:
        assert complete({"product": product_ir(floe)}).diagnostics == ()
        for contract in generate_contracts(floe).value or ():
            assert to_yaml(contract)
    if not chain:
        return
    resolved = inherit(chain)
    assert resolved.value is not None
    assert exemptions(resolved.value, TODAY).value is not None
    assert complete({"platform": platform_ir(resolved.value)}).diagnostics == ()
    if floe is not None:
        assert adopt(resolved.value, floe).value is not None


@slow
@given(damaged(CONTRACT), damaged(CONTRACT))
def test_contracts(one: Any, other: Any) -> None:
    documents = [d for d in (check(one, "one.yaml"), check(other, "other.yaml")) if d is not None]
    contracts = [read_contract(d) for d in documents if d.kind == "DataContract"]
    for contract in contracts:
        assert compare(contract, contract) == ()
        assert to_yaml(contract)
        check_lifecycle(contract, TODAY)
    if len(contracts) == 2:
        compare(*contracts)
