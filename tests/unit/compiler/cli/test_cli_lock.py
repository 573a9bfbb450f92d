"""``floec lock``: writes what was found, keeps it, and tells when it is out of date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.cli.main import run
from emitters.artifact import File
from emitters.oci.layout import emit_layout

REFERENCE = "oci://registry.acme.com/enterprise:1.*"
MANIFEST = "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: acme, version: VERSION, scope: enterprise}\n"


def publish(root: Path, version: str) -> None:
    ir: dict[str, object] = {"ir_version": "floec.ir.v1", "version": version}
    layers = {"manifest": (File("manifest.yaml", MANIFEST.replace("VERSION", version).encode()),)}
    data = json.dumps(ir, sort_keys=True, separators=(",", ":")).encode()
    made = emit_layout(
        ir, data, layers, kind="platform", title="acme", version=version, created=None, sign_key_pem=None
    ).value
    assert made is not None
    for file in made.files:
        target = root / ".floe/store/registry.acme.com/enterprise" / version / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)


def test_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path, "1.0.0")
    product = tmp_path / "products/orders"
    product.mkdir(parents=True)
    (product / "floe.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: orders, version: 1.0.0}\n"
        f"platform: {{ref: '{REFERENCE}'}}\n"
    )
    assert run(["lock", "--check", str(product)]) == 1
    assert "FLC413" in capsys.readouterr().err
    assert run(["lock", str(product)]) == 0
    lock = product / "floe.lock"
    assert json.loads(lock.read_text())["references"][REFERENCE]["tag"] == "1.0.0"
    publish(tmp_path, "1.1.0")
    assert run(["lock", "--check", str(product)]) == 0
    assert run(["lock", "--update", str(product)]) == 0
    assert json.loads(lock.read_text())["references"][REFERENCE]["tag"] == "1.1.0"
    assert run(["lock", "--store", str(tmp_path / "none"), str(product)]) == 1
    assert "FLC404" in capsys.readouterr().err
    assert run(["lock", "--key", str(tmp_path / "none.pem"), str(product)]) == 1
    assert run(["lock", str(tmp_path / "nowhere")]) == 1
