"""What each field takes and refuses, at which line, and with which hint."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.documents.models import Document, validate_document
from compiler.documents.yaml_loader import load_file, load_yaml
from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.source import Source

SHARED = Path(__file__).parents[4].parent / "shared/inputs"
MANIFEST = "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: acme, version: 1.0.0}\n"
PRODUCT = "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0}\n"
CONTRACT = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"


def check(text: str) -> Outcome[Document]:
    loaded = load_yaml(Source("t.yaml", text))
    assert loaded.value is not None, loaded.diagnostics
    return validate_document(loaded.value)


def found(text: str) -> list[tuple[str, int]]:
    return [(d.code, d.span.line if d.span else 0) for d in check(text).diagnostics]


def only(text: str) -> Diagnostic:
    (diagnostic,) = check(text).diagnostics
    return diagnostic


GOOD = {
    "schedule: {cron: '*/15 0-6,18 1,15 jan-mar mon'}": None,
    "schedule: '@daily'": None,
    "schedule: {cron: '0 0 29 2 *', timezone: Europe/Berlin, enabled: no_}".replace("no_", "false"): None,
    "ownership: sales-data": None,
    "outputPorts: [{name: a, sla: {freshness: PT6H, availability: 99.9%}}]": None,
    "input_ports: [{name: a, source: {type: data_product, ref: sales.orders.daily}, freshness_requirement: 7d}]": None,
    "transforms: [{name: a, dependsOn: b}]": None,
    "tags:": "FLC201",
    "x-own: {anything: [1, 2]}": None,
    "depends_on:": None,
}


@pytest.mark.parametrize(("text", "code"), GOOD.items())
def test_what_a_product_may_say(text: str, code: str | None) -> None:
    assert [c for c, _ in found(PRODUCT + text + "\n")] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("schedule: {cron: '60 * * * *'}", "FLC202", "minute"),
        ("schedule: {cron: '0 0 31 2 *'}", "FLC202", "never due"),
        ("schedule: {cron: '* * * *'}", "FLC202", "5 fields"),
        ("schedule: {cron: '0 5-3 * * *'}", "FLC202", "not a range"),
        ("schedule: {cron: '0 0 * * *', timezone: Europe/Berln}", "FLC202", "Europe/Berlin"),
        ("ownership: {team: a, email: not-an-address}", "FLC202", "e-mail"),
        ("output_ports: [{name: a, sla: {availability: 101}}]", "FLC202", "0 to 100"),
        ("output_ports: [{name: a, sla: {freshness: soon}}]", "FLC202", "duration"),
        ("input_ports: [{name: a, source: {type: data_product, ref: orders}}]", "FLC202", "domain.product.port"),
        ("input_ports: [{name: a, source: {type: data_product}}]", "FLC203", "ref"),
        ("platform: {ref: 'oci://registry.acme.com/platform'}", "FLC202", "names no version"),
        ("platform: {ref: 'oci://registry.acme.com/Platform:v1'}", "FLC202", "lower case"),
        ("platform: {ref: 'https://acme.com/platform:v1'}", "FLC202", "oci://"),
        ("platform: {ref: a, manifest: b}", "FLC207", "twice"),
        ("environments: [{name: dev}]", "FLC205", "environments"),
        ("transforms: [{name: a}, {name: a}]", "FLC209", "already"),
        ("transforms: [{type: spark}]", "FLC202", "`dbt`"),
        ("output_ports: [{name: a, access: {grants: [{access: read}]}}]", "FLC208", "exactly one"),
        ("destinations: [{name: a, sink_type: db, config: {password: hunter2}}]", "FLC204", "password"),
        ("destinations: [{name: a, sink_type: db, config: {host: db.acme.com}}]", "FLC206", "connection"),
        ("ingestion: [{name: a, type: dlt, config: {u: 'postgresql://h/db'}}]", "FLC206", "connection"),
        ("ingestion: [{name: a, type: dlt, config: {u: 'https://me:pw@h/'}}]", "FLC204", "password"),
        ("ingestion: [{name: a, type: dlt, config: {k: AKIAIOSFODNN7EXAMPLE}}]", "FLC204", "AWS"),
    ],
)
def test_what_a_product_may_not_say(text: str, code: str, part: str) -> None:
    diagnostic = only(PRODUCT + text + "\n")
    assert diagnostic.code == code
    assert part in diagnostic.message + diagnostic.hint
    assert diagnostic.span is not None
    assert diagnostic.span.line == 4


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("governance: {quality_gates: {minimum_test_coverag: 1}}", "FLC201", "minimum_test_coverage"),
        ("governance: {minimum_test_coverage: 1}", "FLC201", "quality_gates"),
        ("governance: {quality_gates: {enforcement: no}}", "FLC202", "`no`"),
        ("governance: {quality_gates: {block_on_failure: yes}}", "FLC202", "write `true`"),
        ("governance: {quality_gates: {minimum_test_coverage: '80'}}", "FLC202", "without quotes"),
        ("governance: {retention: {min_days: 90, max_days: 30}}", "FLC208", "90"),
        ("data_architecture: {layers: {a: {pattern: '('}}}", "FLC202", "regular expression"),
        ("parent: {ref: ../manifest.yaml}", "FLC208", "domain"),
        ("exemptions: [{policy: NAM001, subject: 'model a', reason: old}]", "FLC203", "expires"),
        ("exemptions: [{policy: N, subject: a, reason: b, expires: 2026-13-01}]", "FLC202", "date"),
        ("plugins: {compute: {type: duckdb, config: {thread: 4}}}", "FLC201", "threads"),
        ("plugins: {compute: {type: duckdb, config: {threads: many}}}", "FLC202", "whole number"),
        ("plugins: {compute: duckdbb}", "FLC220", "duckdb"),
        ("plugins: {compuet: duckdb}", "FLC220", "compute"),
        ("plugins: {catalog: {type: polaris, config: {uri: no url}}}", "FLC202", "URL"),
        ("domains: [{name: a}, {name: a}]", "FLC202", "twice"),
    ],
)
def test_what_a_manifest_may_not_say(text: str, code: str, part: str) -> None:
    diagnostic = only(MANIFEST + text + "\n")
    assert diagnostic.code == code
    assert part in diagnostic.message + diagnostic.hint
    assert diagnostic.span is not None
    assert diagnostic.span.line == 4


@pytest.mark.parametrize("name", ["default", "system", "floe", "admin", "root", "Acme", "a" * 64, "-a", "a-"])
def test_names_that_are_refused(name: str) -> None:
    assert found(MANIFEST.replace("name: acme", f"name: {name}")) == [("FLC202", 3)]


@pytest.mark.parametrize("version", ["1", "1.0", "v1.0.0", "1.0.0-01", "01.0.0", "1.0.0+", "1.0.0-a..b"])
def test_versions_that_are_refused(version: str) -> None:
    assert [c for c, _ in found(MANIFEST.replace("version: 1.0.0", f"version: '{version}'"))] == ["FLC202"]


def test_a_version_without_quotes_is_explained() -> None:
    diagnostic = only(PRODUCT.replace("version: 1.0.0", "version: 1.0"))
    assert (diagnostic.code, diagnostic.hint) == ("FLC202", "write it in quotes")


def test_both_dialects_read_as_the_same() -> None:
    one = check(
        "apiVersion: floe.dev/v1\nkind: Manifest\nscope: domain\nparent_manifest: oci://r.acme.com/e:v1.0.0\n"
        "metadata: {name: a, version: 1.0.0}\n"
        "governance: {data_retention_days: 30, quality_gates: {gold_layer: {minimum_coverage: 100}}}\n"
        "data_architecture: {layers: {gold: {prefix: g_, namespace: x.gold}}}\n"
    )
    other = check(
        "apiVersion: floe.dev/v1\nkind: DomainManifest\nparent: {ref: 'oci://r.acme.com/e:v1.0.0'}\n"
        "metadata: {name: a, version: 1.0.0}\n"
        "governance: {retention: {minDays: 30}, quality_gates: {layers: {gold: {minimum_coverage: 100}}}}\n"
        "data_architecture: {layers: [{name: gold, prefixes: [g_], catalog_namespace: x.gold}]}\n"
    )
    assert one.diagnostics == other.diagnostics == ()
    assert one.value is not None
    assert other.value is not None
    assert one.value.data == other.value.data


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "enforcement: strict, pattern: kimball, custom_patterns: [^x_]",
            {"pattern": "kimball", "naming": {"enforcement": "strict", "custom_patterns": ["^x_"]}},
        ),
        ("pattern: '^m_', case: camelCase", {"naming": {"pattern": "^m_", "case": "camelCase"}}),
        ("custom_pattern: {gold: ^g_}", {"naming": {"custom_patterns": {"gold": ["^g_"]}}}),
    ],
)
def test_naming_rules_of_governance_are_those_of_the_data_architecture(said: str, meant: dict[str, object]) -> None:
    checked = check(MANIFEST + f"governance: {{naming: {{{said}}}}}\n")
    assert checked.diagnostics == ()
    assert checked.value is not None
    assert (checked.value.data["governance"], checked.value.data["data_architecture"]) == ({}, meant)


def test_naming_rules_in_both_places_are_refused() -> None:
    text = "governance: {naming: {case: camelCase}}\ndata_architecture: {naming: {case: snake_case}}\n"
    diagnostic = only(MANIFEST + text)
    assert (diagnostic.code, diagnostic.hint) == ("FLC201", "write it as `data_architecture.naming`, once")


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("governance: {quality_gates: {layer_thresholds: {gold: 90, silver: 80}}}", "quality_gates.layers.gold", 90),
        ("governance: {quality_gates: {gold_layer: {minimum_coverage: 90%}}}", "quality_gates.layers.gold", 90),
    ],
)
def test_older_spellings_of_gates(text: str, path: str, value: int) -> None:
    checked = check(MANIFEST + text + "\n")
    assert checked.diagnostics == ()
    assert checked.value is not None
    at = checked.value.data["governance"]
    for key in path.split("."):
        at = at[key]
    assert at == {"minimum_coverage": value}


@pytest.mark.parametrize(
    ("base", "text", "hint"),
    [
        (MANIFEST, "governance: {policy_overrides: []}", "exemptions"),
        (MANIFEST, "governance: {custom_rules: []}", ".floe"),
        (PRODUCT, "compute: {target: duckdb}", "approved"),
    ],
)
def test_what_has_another_home_is_told(base: str, text: str, hint: str) -> None:
    assert hint in only(base + text + "\n").hint


def test_the_products_of_the_demo_dialect() -> None:
    text = "input_ports: [{name: a, source: crm.customers, contract: 'urn:a'}]\n"
    text += "output_ports: [{name: b, format: iceberg}]\n"
    assert check(PRODUCT + text).diagnostics == ()


def test_a_moved_value_keeps_its_line() -> None:
    document = check(
        "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: a, version: 1.0.0}\nscope: enterprise\n"
    ).value
    assert document is not None
    assert document.span(("metadata", "scope")).line == 4
    (wrong,) = check(
        MANIFEST + "governance:\n  quality_gates:\n    gold_layer:\n      minimum_coverage: 101\n"
    ).diagnostics
    assert wrong.span is not None
    assert wrong.span.line == 7


def test_the_same_key_in_two_spellings_is_refused() -> None:
    diagnostic = only(PRODUCT + "output_ports: []\noutputPorts: []\n")
    assert diagnostic.code == "FLC207"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 5


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "ASIA" + "A" * 16,
        "github_pat_" + "a" * 30,
        "glpat-" + "a" * 20,
        "xoxb-" + "1" * 12,
        "https://hooks.slack.com/services/T0/B0/x",
        "sk_live_" + "a" * 10,
        "sk-" + "a" * 24,
        "AIza" + "a" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "DefaultEndpointsProtocol=https;AccountKey=" + "a" * 24,
        "s3://user:secret@bucket",
        "Server=x;Pwd=hunter2",
    ],
)
def test_looks_of_credentials(value: str) -> None:
    diagnostic = only(MANIFEST + f"x-note: '{value}'\n")
    assert (diagnostic.code, diagnostic.severity) == ("FLC204", Severity.BLOCK)


@pytest.mark.parametrize(
    "value",
    [
        "${PASSWORD}",
        "{{ env_var('TOKEN') }}",
        "postgresql://db/x",
        "https://${USER}:${TOKEN}@host",
        "a=b",
        "task-list",
        "",
    ],
)
def test_what_is_no_credential(value: str) -> None:
    assert found(MANIFEST + f'x-note: "{value}"\n') == []


def test_a_credential_in_a_manifest_warns_by_name_and_blocks_by_look() -> None:
    text = MANIFEST + "plugins: {catalog: {type: polaris, config: {oauth2: {client_secret: VALUE}}}}\n"
    assert only(text).severity is Severity.WARN
    assert only(text.replace("}}}}\n", "}}}} # pragma: allowlist secret\n")).severity is Severity.NOTIFY
    assert only(text.replace("VALUE", "ghp_" + "a" * 36)).severity is Severity.BLOCK
    assert found(text.replace("VALUE", "'${SECRET}'")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("schema: [{name: t, properties: [{name: a, logicalType: strng}]}]", "FLC202"),
        ("schema: [{properties: []}]", "FLC203"),
        ("slaProperties: [{property: freshness}]", "FLC203"),
        ("status: paused", "FLC202"),
        ("deprecation: {sunset_date: soon}", "FLC202"),
    ],
)
def test_what_a_contract_may_not_say(text: str, code: str) -> None:
    base = CONTRACT.replace("status: active\n", "") if text.startswith("status") else CONTRACT
    assert [c for c, _ in found(base + text + "\n")] == [code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "FLC200"),
        ("- a\n", "FLC200"),
        ("kind: Manifes\n", "FLC200"),
        ("a: 1\n", "FLC200"),
        ("kind: [a]\n", "FLC200"),
    ],
)
def test_what_is_no_document(text: str, code: str) -> None:
    assert [c for c, _ in found(text)] == [code]


EXPECTED = {
    "datacontract_77fb163f.yaml": [("FLC103", n) for n in (12, 13, 14, 15, 16)],
    "manifest_40700f87.yaml": [("FLC203", 2)],
    "manifest_c1859def.yaml": [("FLC203", 2)],
}
"""Two contracts in one document without `---`, and two fragments of a manifest without `metadata`."""


def test_the_shared_documents() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared input documents are not beside this checkout")
    for path in [
        *sorted((SHARED / "documents").glob("*.yaml")),
        SHARED / "manifest.yaml",
        SHARED / "iot-telemetry/floe.yaml",
    ]:
        loaded = load_file(path)
        assert loaded.value is not None
        diagnostics = [*loaded.diagnostics, *validate_document(loaded.value).diagnostics]
        refused = [(d.code, d.span.line if d.span else 0) for d in diagnostics if blocking((d,))]
        assert refused == EXPECTED.get(path.name, []), path.name


def test_a_product_has_one_parent() -> None:
    found = only(PRODUCT + "platform: {ref: ../a}\ndomain: {ref: ../b}\n")
    assert (found.code, found.span and found.span.line) == ("FLC208", 4)
    assert check(PRODUCT + "platform: {version: 1.0.0}\ndomain: {ref: ../b}\n").diagnostics == ()


def test_keys_of_other_dialects_are_read_in_camel_case_too() -> None:
    body = """\
dataContracts: {enforcement: warn}
governance:
  dataRetentionDays: 90
  defaultTtlHours: 5
  qualityGates: {goldLayer: {minimumCoverage: 9}, layerThresholds: {silver: 7}, minimumTestCoverage: 5}
  classification: {levels: [public], pii: {requiresEncryption: true}}
plugins: {dbtRuntime: core, dbtRuntimeConfig: {}}
"""
    (plain, camel) = (check(MANIFEST + text) for text in (_snake(body), body))
    assert camel.value is not None
    assert plain.value is not None
    assert camel.diagnostics == plain.diagnostics == ()
    assert camel.value.data == plain.value.data
    assert camel.value.span(("governance", "retention", "min_days")).line == 6
    assert camel.value.span(("governance", "quality_gates", "layers", "gold", "minimum_coverage")).line == 8


def _snake(text: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", text)
