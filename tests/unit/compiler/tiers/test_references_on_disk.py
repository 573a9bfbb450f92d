"""Parents by path: found, missing, in a ring, of the wrong kind, broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.tiers.resolve import load_chain
from policy_lang.diagnostics import Severity

HEAD = "apiVersion: floe.dev/v1\nkind: Manifest\n"
TOP = HEAD + "metadata: {name: acme, version: 1.0.0, scope: enterprise}\n"
PLATFORM = HEAD + "metadata: {name: acme, version: 1.0.0}\n"
DOMAIN = HEAD + "metadata: {name: sales, version: 1.0.0, scope: domain}\nparent: {ref: PARENT}\n"
PRODUCT = (
    "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0}\ndomain: {ref: PARENT}\n"
)


def write(folder: Path, name: str, text: str, parent: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("PARENT", parent))
    return path


def test_a_chain_over_three_tiers(tmp_path: Path) -> None:
    write(tmp_path, "manifest.yaml", TOP)
    write(tmp_path, "sales/manifest.yaml", DOMAIN, "..")
    product = write(tmp_path, "sales/orders/floe.yaml", PRODUCT, "../manifest.yaml")
    loaded = load_chain(product)
    assert loaded.diagnostics == ()
    assert loaded.value is not None
    assert [d.scope for d in loaded.value.manifests] == ["enterprise", "domain"]
    assert loaded.value.product is not None
    assert loaded.value.product.scope == "product"


@pytest.mark.parametrize(
    ("text", "parent", "code", "hint"),
    [
        (DOMAIN, "nowhere.yaml", "FLC401", "relative"),
        (DOMAIN, "low.yaml", "FLC402", "cut"),
        (DOMAIN, "platform.yaml", "FLC403", "enterprise"),
        (DOMAIN, "product.yaml", "FLC403", "enterprise"),
        (PRODUCT, "product.yaml", "FLC403", "manifest"),
        (DOMAIN, "broken.yaml", "FLC101", ""),
        (DOMAIN, "oci://r.acme.com/a:1.0.0", "FLC404", "path"),
    ],
)
def test_what_is_wrong_with_a_parent(tmp_path: Path, text: str, parent: str, code: str, hint: str) -> None:
    write(tmp_path, "platform.yaml", PLATFORM)
    write(tmp_path, "product.yaml", PRODUCT.replace("domain: {ref: PARENT}\n", ""))
    write(tmp_path, "broken.yaml", "a: [")
    (found,) = load_chain(write(tmp_path, "low.yaml", text, parent), registry=Severity.BLOCK).diagnostics
    assert (found.code, found.severity) == (code, Severity.BLOCK)
    assert hint in found.hint
    assert found.span is not None
    if code != "FLC101":
        assert (Path(found.span.file).name, found.span.line) == ("low.yaml", 4)


def test_a_ring_of_domains_ends(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", DOMAIN, "b.yaml")
    found = load_chain(write(tmp_path, "b.yaml", DOMAIN, "a.yaml")).diagnostics
    assert {d.code for d in found} == {"FLC402", "FLC403"}


def test_the_version_may_stand_beside_the_reference(tmp_path: Path) -> None:
    text = PRODUCT.replace("domain: {ref: PARENT}", "platform: {ref: 'oci://r.acme.com/a:v1', version: 1.0.0}")
    assert [d.code for d in load_chain(write(tmp_path, "floe.yaml", text)).diagnostics] == ["FLC404"]
