"""The exported JSON Schemas: valid, closed but for extensions, and in agreement with the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compiler.documents.models import KINDS, validate_document
from compiler.documents.plugins import known
from compiler.documents.schema_export import document_schema, schema_id
from compiler.documents.yaml_loader import load_file, load_yaml
from policy_lang.diagnostics import blocking
from policy_lang.source import Source

SHARED = Path(__file__).parents[4].parent / "shared/inputs"
EXAMPLES = Path(__file__).parents[4] / "examples"


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if isinstance(value, bool | int | str) or value is None else float(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema_with_an_id(kind: str) -> None:
    schema = document_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_id(kind)
    assert schema["$id"].endswith(".v1.schema.json")
    assert schema["patternProperties"] == {"^x-": {}}
    assert schema["additionalProperties"] is False
    assert all("description" in p for p in schema["properties"].values() if "enum" not in p)


def test_the_schemas_agree_with_the_reader_on_whole_documents() -> None:
    paths = [*EXAMPLES.rglob("manifest.yaml"), *EXAMPLES.rglob("floe.yaml")]
    if SHARED.is_dir():
        paths += [*SHARED.rglob("*_*.yaml"), SHARED / "manifest.yaml", SHARED / "iot-telemetry/floe.yaml"]
    validators = {kind: jsonschema.Draft202012Validator(document_schema(kind)) for kind in KINDS}
    seen = 0
    for path in paths:
        loaded = load_file(path)
        if loaded.value is None or loaded.diagnostics:
            continue
        checked = validate_document(loaded.value)
        assert checked.value is not None
        good = not blocking([d for d in checked.diagnostics if d.code in ("FLC201", "FLC202", "FLC203")])
        errors = [e.message for e in validators[checked.value.kind].iter_errors(plain(loaded.value.value))]
        assert (not errors) == good, (path, errors)
        seen += 1
    assert seen >= 6


@pytest.mark.parametrize(
    "text",
    ["metadata: {name: A, version: 1.0.0}", "metadata: {name: a}", "metadata: {name: a, version: 1.0.0}\nowner: b"],
)
def test_a_wrong_manifest_is_refused_by_the_schema_too(text: str) -> None:
    loaded = load_yaml(Source("t.yaml", f"apiVersion: floe.dev/v1\nkind: Manifest\n{text}\n")).value
    assert loaded is not None
    validator = jsonschema.Draft202012Validator(document_schema("Manifest"))
    assert list(validator.iter_errors(plain(loaded.value)))


@pytest.mark.parametrize(
    ("plugins", "good"),
    [
        ({"compute": {"type": "duckdb", "config": {"threads": 4}}}, True),
        ({"compute": {"type": "duckdb", "config": {"thread": 4}}}, False),
        ({"secrets": {"type": "kubernetes", "config": {"namespace": "a"}}}, True),
        ({"compute": {"type": "trino", "config": {"thread": 4}}}, True),
        ({"compute": "duckdb", "billing": {"type": "x"}, "catalog": None}, True),
    ],
)
def test_the_manifests_schema_knows_the_plugins(plugins: Any, good: bool) -> None:
    manifest = {"apiVersion": "floe.dev/v1", "kind": "Manifest", "metadata": {"name": "a", "version": "1.0.0"}}
    validator = jsonschema.Draft202012Validator(document_schema("Manifest"))
    assert (not list(validator.iter_errors({**manifest, "plugins": plugins}))) == good


def test_every_known_plugin_has_a_schema_that_is_closed() -> None:
    count = 0
    for category in known.categories():
        for name in known.names(category):
            plugin = known.known(category, name)
            assert plugin is not None
            schema = plugin.config_schema()
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["additionalProperties"] is False
            count += 1
    assert count >= 40
