"""Documents from text to the IR's platform and product."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.documents.models import validate_document
from compiler.documents.schema_export import document_schema
from compiler.documents.yaml_loader import load_file, load_yaml
from compiler.tiers.inherit import inherit, join
from compiler.tiers.resolve import load_chain, platform_ir, product_ir
from policy_lang.source import Source

ROOT = Path(__file__).parents[4]
ORDERS = ROOT / "examples/acme/domains/sales/products/orders/floe.yaml"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1", "FLC101"),
        ("a: 1\n---\nb: 2\n", "FLC102"),
        ("a: 1\na: 2\n", "FLC103"),
        ("a: !!python/object/apply:os.getcwd []\n", "FLC104"),
        ("a: &a [*a]\n", "FLC105"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    assert [d.code for d in load_yaml(Source("t.yaml", text)).diagnostics] == [code]


def test_scalars_follow_the_core_schema() -> None:
    loaded = load_yaml(Source("t.yaml", "a: on\nb: 12:30\nc: 7\nd: true\n")).value
    assert loaded is not None
    assert loaded.value == {"a": "on", "b": "12:30", "c": 7, "d": True}
    assert loaded.span(("b",)).line == 2


def test_missing_file(tmp_path: Path) -> None:
    assert load_file(tmp_path / "none.yaml").diagnostics[0].code == "FLC100"


def test_the_example_becomes_ir() -> None:
    chain = load_chain(ORDERS)
    assert chain.ok
    assert chain.value is not None
    assert chain.value.product is not None
    resolved = inherit(chain.value.manifests)
    assert resolved.ok
    assert resolved.value is not None
    platform = platform_ir(resolved.value)
    assert platform["governance"]["quality_gates"]["minimum_test_coverage"] == 80
    assert [layer["prefixes"] for layer in platform["data_architecture"]["layers"]] == [
        ["bronze_"],
        ["silver_"],
        ["gold_"],
    ]
    assert product_ir(chain.value.product)["output_ports"][0]["sla"]["freshness_hours"] == 24


@pytest.mark.parametrize(
    ("order", "parent", "child", "result", "allowed"),
    [
        ("stricter_up", 70, 60, 70, False),
        ("stricter_down", 90, 30, 30, True),
        ("extend", ["a"], ["b"], ["a", "b"], True),
        ("intersect", ["a"], ["b"], [], False),
        ("fixed", 1, 2, 1, False),
    ],
)
def test_join(order: str, parent: object, child: object, result: object, allowed: bool) -> None:
    assert join(order, parent, child) == (result, allowed)


def test_inputs_never_raise() -> None:
    folder = ROOT.parent / "shared/inputs/documents"
    if not folder.is_dir():
        pytest.skip("the shared input documents are not beside this checkout")
    for path in sorted(folder.glob("*.yaml")):
        loaded = load_file(path)
        assert loaded.value is not None
        assert all(d.span is not None for d in validate_document(loaded.value).diagnostics)


def test_schema_is_closed_but_for_extensions() -> None:
    assert "^x-" in document_schema("Manifest")["patternProperties"]
