"""Whole chains: plugins and approvals, domains and products, pins, parameters, provenance."""

from __future__ import annotations

import pytest

from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import load_yaml
from compiler.tiers.adopt import adopt
from compiler.tiers.explain_value import explain_value
from compiler.tiers.inherit import Resolved, inherit
from compiler.tiers.platform_ir import platform_ir, platform_origin, product_ir
from policy_lang.diagnostics import Diagnostic
from policy_lang.source import Source

HEAD = "apiVersion: floe.dev/v1\nkind: Manifest\n"
TOP = HEAD + "metadata: {name: acme, version: 1.0.0, scope: enterprise}\n"
DOMAIN = HEAD + "metadata: {name: sales, version: 1.0.0, scope: domain}\nparent: {ref: ../manifest.yaml}\n"
PRODUCT = "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0, domain: sales}\n"


def document(file: str, text: str) -> Document:
    loaded = load_yaml(Source(file, text)).value
    assert loaded is not None
    checked = validate_document(loaded)
    assert checked.value is not None
    assert checked.diagnostics == ()
    return checked.value


def join(top: str, *below: str) -> tuple[Resolved, tuple[Diagnostic, ...]]:
    texts = [document("top.yaml", TOP + top), *(document(f"{i}.yaml", DOMAIN + t) for i, t in enumerate(below))]
    resolved = inherit(texts)
    assert resolved.value is not None
    return resolved.value, resolved.diagnostics


def only(diagnostics: tuple[Diagnostic, ...], code: str, line: int, file: str, other: str = "top.yaml") -> Diagnostic:
    (found,) = diagnostics
    assert found.span is not None
    assert (found.code, found.span.file, found.span.line) == (code, file, line)
    assert [label.span.file for label in found.related] == [other]
    return found


def test_a_plugin_with_a_type_replaces_and_one_without_adjusts() -> None:
    top = "plugins: {compute: {type: duckdb, config: {threads: 4, memory_limit: 2GB}}}\n"
    adjusted, _ = join(top, "plugins: {compute: {config: {threads: 8}}}\n")
    assert adjusted.data["plugins"]["compute"]["config"] == {"threads": 8, "memory_limit": "2GB"}
    replaced, _ = join(top, "plugins: {compute: {type: spark}}\n")
    assert replaced.data["plugins"]["compute"] == {"type": "spark"}
    origin = replaced.origin(("plugins", "compute", "type"))
    assert origin is not None
    assert origin.file == "0.yaml"


def test_an_adjusted_configuration_is_judged_by_the_inherited_plugin() -> None:
    top = "plugins: {compute: {type: duckdb, config: {threads: 4}}}\n"
    (found,) = join(top, "plugins: {compute: {config: {thread: 8}}}\n")[1]
    assert found.span is not None
    assert (found.code, found.span.file, found.span.line) == ("FLC201", "0.yaml", 5)
    assert "threads" in found.hint


def test_a_plugin_must_be_approved() -> None:
    _, found = join("approved_plugins: {compute: [duckdb, spark]}\n", "plugins: {compute: snowflake}\n")
    assert "duckdb" in only(found, "FLC303", 5, "0.yaml").hint


def test_another_word_for_an_approved_plugin_is_approved() -> None:
    assert join("approved_plugins: {secrets: [k8s-secrets]}\n", "plugins: {secrets: kubernetes}\n")[1] == ()


def test_a_domain_must_be_listed_and_meets_what_is_asked_of_it() -> None:
    listed = "domains: [{name: finance, extra_policies: {audit_logging: required, compute_approved: [snowflake]}}]\n"
    _, found = join(listed, "domain: {name: finanec}\n")
    assert "finance" in only(found, "FLC304", 5, "0.yaml").hint
    _, found = join(
        listed, "domain: {name: finance}\nplugins: {compute: spark}\ngovernance: {audit_logging: enabled}\n"
    )
    assert [(d.code, d.span.line if d.span else 0) for d in found] == [("FLC306", 6), ("FLC306", 7)]
    good = "domain: {name: finance}\nplugins: {compute: snowflake}\ngovernance: {audit_logging: required}\n"
    assert join(listed, good)[1] == ()


def test_what_an_ancestor_pins_nobody_changes() -> None:
    top = "pinned: [data_architecture.pattern, plugins.catalog]\ndata_architecture: {pattern: kimball}\n"
    top += "plugins: {catalog: polaris}\n"
    _, found = join(top, "data_architecture: {pattern: medallion}\nplugins: {catalog: {type: glue}}\n")
    assert [d.code for d in found] == ["FLC302", "FLC302"]
    assert join(top, "data_architecture: {pattern: kimball}\n")[1] == ()


def test_levels_keep_their_order_and_grow_at_the_end() -> None:
    top = "governance: {classification: {levels: [public, internal, secret]}}\n"
    grown, found = join(top, "governance: {classification: {levels: [secret, top]}}\n")
    assert found == ()
    assert list(grown.data["governance"]["classification"]["levels"]) == ["public", "internal", "secret", "top"]
    for wrong in ("[secret, public]", "[public, middle, secret]"):
        only(join(top, f"governance: {{classification: {{levels: {wrong}}}}}\n")[1], "FLC301", 5, "0.yaml")


def test_a_level_that_does_not_exist() -> None:
    text = "governance: {classification: {levels: [public], categories: {pii: {level: secret}}}}\n"
    (found,) = join(text)[1]
    assert found.code == "FLC313"


def test_grants_may_be_taken_away_but_not_given() -> None:
    grants = "[{role: a, access: read}, {role: b, access: READ_WRITE}]"
    top = f"catalog_structure: {{namespaces: [{{name: gold, grants: {grants}}}]}}\n"
    less, found = join(top, "catalog_structure: {namespaces: [{name: gold, grants: [{role: b, access: read}]}]}\n")
    assert found == ()
    assert platform_ir(less)["governance"]["access_control"]["namespaces"] == [
        {"name": "gold", "description": "", "grants": [{"role": "b", "access": "read"}]}
    ]
    for wrong in ("{role: c, access: read}", "{role: a, access: read_write}"):
        _, found = join(top, f"catalog_structure: {{namespaces: [{{name: gold, grants: [{wrong}]}}]}}\n")
        only(found, "FLC301", 5, "0.yaml")


PLATFORM = """\
domain: {name: sales}
approved_products: [orders]
approved_sinks: [rest_api]
plugins: {compute: {approved: [duckdb, spark], default: duckdb}}
governance:
  quality_gates: {minimum_test_coverage: 80}
  sla_minimums: {availability: 99, freshness: 24h}
  policies: {pii: {production: {action: redact}}}
  product_registration: {allowed_repositories: [github.com/acme/*]}
"""


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("quality: {minimum_coverage: 70}", "FLC301", 4),
        ("output_ports: [{name: a, sla: {availability: 98}}]", "FLC312", 4),
        ("output_ports: [{name: a, sla: {freshness: 2d}}]", "FLC312", 4),
        ("governance: {policies: {pii: {production: {action: restrict}}}}", "FLC301", 4),
        ("transforms: [{path: models, compute: bigquery}]", "FLC309", 4),
        ("destinations: [{name: a, sink_type: rest_apo}]", "FLC311", 4),
    ],
)
def test_what_a_product_may_not_weaken(text: str, code: str, line: int) -> None:
    resolved, found = join("", PLATFORM)
    assert found == ()
    adopted = adopt(resolved, document("floe.yaml", PRODUCT + text + "\n"))
    only(adopted.diagnostics, code, line, "floe.yaml", "0.yaml")


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ("name: order, version: 1.0.0, domain: sales", "FLC307"),
        ("name: orders, version: 1.0.0, domain: finance", "FLC308"),
        ("name: orders, version: 1.0.0, repository: gitlab.com/x/y", "FLC310"),
    ],
)
def test_which_products_fit(metadata: str, code: str) -> None:
    resolved, _ = join("", PLATFORM)
    text = PRODUCT.replace("name: orders, version: 1.0.0, domain: sales", metadata)
    only(adopt(resolved, document("floe.yaml", text)).diagnostics, code, 3, "floe.yaml", "0.yaml")


def test_a_product_that_is_stricter_fits() -> None:
    resolved, _ = join("", PLATFORM)
    text = "quality: {minimum_coverage: 90}\noutput_ports: [{name: a, sla: {availability: 99.9%, freshness: PT6H}}]\n"
    adopted = adopt(resolved, document("floe.yaml", PRODUCT + text))
    assert adopted.diagnostics == ()
    assert adopted.value is not None
    explained = explain_value(adopted.value, "governance.quality_gates.minimum_test_coverage").value
    assert explained is not None
    assert (explained.value, explained.order) == (80, "stricter_up")
    assert [(s.tier, s.file, s.span.line, s.value, s.effect) for s in explained.steps] == [
        ("domain", "0.yaml", 10, 80, "set"),
        ("product", "floe.yaml", 4, 90, "set"),
    ]


def test_the_chain_of_a_value_tells_what_was_refused() -> None:
    gates = "governance: {quality_gates: {minimum_test_coverage: %d, required_tests: [%s]}}\n"
    resolved, found = join(gates % (70, "a"), gates % (60, "b"))
    assert [d.code for d in found] == ["FLC301"]
    explained = explain_value(resolved, "governance.quality_gates.minimum_test_coverage").value
    assert explained is not None
    assert [(s.tier, s.value, s.effect) for s in explained.steps] == [
        ("enterprise", 70, "set"),
        ("domain", 60, "refused"),
    ]
    tests = explain_value(resolved, "governance.quality_gates.required_tests").value
    assert tests is not None
    assert tests.value == ["a", "b"]
    assert [s.effect for s in tests.steps] == ["set", "joined"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("governance.quality_gate", "quality_gates"), ("governance.audit_logging.x", "single"), ("nonsense", "")],
)
def test_a_field_that_does_not_exist_is_explained(name: str, hint: str) -> None:
    (found,) = explain_value(join("")[0], name).diagnostics
    assert found.code == "FLC314"
    assert hint in found.message + found.hint


@pytest.mark.parametrize(
    ("name", "path", "order", "value"),
    [
        ("governance.data_retention_days", "governance.retention.min_days", "stricter_up", 30),
        ("governance.qualityGates.minimum_coverage", "governance.quality_gates.minimum_test_coverage", "stricter_up",
         70),
        ("governance.quality_gates.gold_layer.minimum_coverage",
         "governance.quality_gates.layers.gold.minimum_coverage", "stricter_up", 90),
        ("governance.classification.pii.level", "governance.classification.categories.pii.level", "stricter_up", "a"),
        ("approved_plugins.compute", "approved_plugins.compute", "intersect", ["duckdb"]),
        ("catalog_structure.namespaces.gold.grants.x", "catalog_structure.namespaces.gold.grants.x", "stricter_down",
         "read"),
        ("plugins.compute.config.threads", "plugins.compute.config.threads", "override", 4),
        ("domains.sales.owners[0].team", "domains.sales.owners[0].team", "override", "t"),
        ("governance.network_policies.default_deny", "governance.network_policies.default_deny", "stricter_up", None),
    ],
)  # fmt: skip
def test_a_field_is_found_in_any_dialect(name: str, path: str, order: str, value: object) -> None:
    text = (
        "governance: {data_retention_days: 30, quality_gates: {minimum_test_coverage: 70,"
        " gold_layer: {minimum_coverage: 90}}, classification: {levels: [a], pii: {level: a}}}\n"
        "approved_plugins: {compute: [duckdb]}\nplugins: {compute: {type: duckdb, config: {threads: 4}}}\n"
        "domains: [{name: sales, owners: [t]}]\n"
        "catalog_structure: {namespaces: [{name: gold, grants: [{role: x, access: read}]}]}\n"
    )
    explained = explain_value(join(text)[0], name).value
    assert explained is not None
    assert (explained.path, explained.order, explained.value) == (path, order, value)
    assert bool(explained.steps) == (value is not None)


def test_origins_are_found_from_the_ir() -> None:
    text = "data_architecture:\n  layers:\n    - name: bronze\n      prefix: b_\n"
    text += "    - name: gold\n      quality_gates: {minimum_coverage: 9}\n"
    resolved, _ = join(text, "domain: {name: sales}\n")
    for path, line in (
        (("data_architecture", "layers", 0, "prefixes", 0), 7),
        (("data_architecture", "layers", 1, "minimum_coverage"), 9),
        (("data_architecture", "layers", 1, "catalog_namespace"), 8),
    ):
        origin = platform_origin(resolved, path)
        assert origin is not None
        assert (origin.file, origin.span.line) == ("top.yaml", line)
    assert platform_ir(resolved)["data_architecture"]["layers"][1]["minimum_coverage"] == 9
    domain = platform_origin(resolved, ("domain", "name"))
    assert domain is not None
    assert domain.file == "0.yaml"


def test_a_member_of_a_joined_list_is_found_in_the_tier_that_wrote_it() -> None:
    one = "exemptions:\n  - {policy: AAA001, subject: m, reason: why not, approver: a, expires: 2999-01-01}\n"
    resolved, _ = join(one, one.replace("AAA001", "BBB002"))
    found = [platform_origin(resolved, ("exemptions", number, "reason")) for number in (0, 1)]
    lines = [origin.span.line for origin in found if origin is not None]
    assert [origin.file for origin in found if origin is not None] == ["top.yaml", "0.yaml"]
    assert platform_ir(resolved)["exemptions"][1]["policy"] == "BBB002"
    assert all(line > 1 for line in lines)


def test_the_least_freshness_may_be_called_as_in_the_ir() -> None:
    resolved, found = join("governance: {sla_minimums: {freshness_hours: 24}}\n")
    assert (platform_ir(resolved)["governance"]["sla_minimums"]["freshness_hours"], found) == (24, ())


def test_the_products_ir_has_hours() -> None:
    text = "outputPorts: [{name: a, sla: {freshness: PT90M}}]\ninput_ports: [{name: b, freshness_requirement: 2d}]\n"
    product = product_ir(document("floe.yaml", PRODUCT + text))
    assert float(product["output_ports"][0]["sla"]["freshness_hours"]) == 1.5
    assert product["input_ports"][0]["freshness_hours"] == 48


def test_a_part_of_the_manifest_is_explained_field_by_field() -> None:
    resolved, _ = join("governance: {audit_logging: enabled, retention: {min_days: 3}}\n")
    explained = explain_value(resolved, "governance").value
    assert explained is not None
    assert list(zip(explained.below, [s.value for s in explained.steps], strict=True)) == [
        ("audit_logging", "enabled"),
        ("retention.min_days", 3),
    ]


def test_what_a_manifest_says_about_itself_has_a_place_too() -> None:
    explained = explain_value(join("", "domain: {name: sales}\n")[0], "domain.name").value
    assert explained is not None
    assert [(s.tier, s.file, s.value) for s in explained.steps] == [("domain", "0.yaml", "sales")]
