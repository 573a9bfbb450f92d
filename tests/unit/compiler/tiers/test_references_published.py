"""What ``floec compile`` publishes of an enterprise is what a domain and a product find by reference."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from compiler.cli.main import run

MANIFEST = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: acme, version: 1.3.0, scope: enterprise}
policies: [{use: stdlib/naming}]
governance: {quality_gates: {minimum_test_coverage: 70}}
"""
DOMAIN = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: sales, version: 2.0.0, scope: domain}
parent: {ref: '%s'}
governance: {quality_gates: {minimum_test_coverage: %d}}
"""


def publish(folder: Path, store: Path) -> None:
    assert run(["compile", str(folder)]) == 0
    shutil.copytree(folder / ".floe/build", store)


def test_a_domain_and_a_product_read_what_was_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top, sales, product = (tmp_path / name for name in ("top", "sales", "product"))
    for folder, name, text in (
        (top, "manifest.yaml", MANIFEST),
        (sales, "manifest.yaml", DOMAIN % ("oci://registry.acme.com/enterprise:1.*", 80)),
        (product, "floe.yaml", "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0}\n"
         "domain: {ref: 'oci://registry.acme.com/sales:^2.0.0'}\nquality: {minimum_coverage: 75}\n"),
    ):  # fmt: skip
        folder.mkdir()
        (folder / name).write_text(text)
    store = tmp_path / ".floe/store/registry.acme.com"
    publish(top, store / "enterprise/1.3.0")
    publish(sales, store / "sales/2.0.0")
    capsys.readouterr()
    assert run(["check", str(product), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    (weaker,) = [d for d in found if d["severity"] == "block"]
    assert (weaker["code"], weaker["span"]["line"]) == ("FLC301", 5)
    assert any("sales@sha256" in label["span"]["file"] for label in weaker["labels"])
    (sales / "manifest.yaml").write_text(DOMAIN % ("oci://registry.acme.com/enterprise:1.*", 60))
    assert run(["check", str(sales)]) == 1
    assert "weakens it from 70 to 60" in capsys.readouterr().err
