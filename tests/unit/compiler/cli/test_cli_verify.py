"""``floec verify`` on a layout that the emitter made, whole and changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.cli.main import run
from compiler.ir.canonical import canonical
from emitters.artifact import File
from emitters.oci.layout import emit_layout
from emitters.oci.signature import generate_key
from emitters.oci.verify import verify_layout


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    private, public = generate_key()
    ir = {"ir_version": "floec.ir.v1", "platform": {"name": "acme"}}
    layers = {"policies": (File("a.rego", b"package a\n"),)}
    made = emit_layout(
        ir, canonical(ir), layers, kind="platform", title="acme", version="1.0.0", created=None, sign_key_pem=private
    )
    assert made.value is not None, made.diagnostics
    for file in made.value.files:
        target = tmp_path / "layout" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
    (tmp_path / "key.pub").write_bytes(public)
    return tmp_path / "layout"


def test_a_whole_layout_verifies(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(layout), "--key", str(layout.parent / "key.pub")]) == 0
    assert capsys.readouterr().out.startswith("verified sha256:")
    assert run(["verify", str(layout)]) == 0
    assert "signature was not looked at: no --key" in capsys.readouterr().out


def test_one_changed_byte_fails(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blob = max(layout.glob("blobs/sha256/*"))
    data = blob.read_bytes()
    blob.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert run(["verify", str(layout)]) == 1
    assert "error[FLC6" in capsys.readouterr().err


def test_a_missing_key_is_named(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(layout), "--key", "gone.pub"]) == 1
    assert "gone.pub" in capsys.readouterr().err


def test_a_key_without_an_end_is_none(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    assert run(["verify", str(layout), "--key", "/dev/zero"]) == 1
    said = capsys.readouterr().err
    assert "FLC622" in said
    assert "= help: `openssl " in said


@pytest.mark.parametrize("around", [True, False])
def test_what_is_no_layout_is_one_finding(layout: Path, around: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(layout.parent if around else layout / "gone")]) == 1
    said = capsys.readouterr().err
    assert said.count("error[") == 1
    assert "is no OCI image layout" in said
    assert "= help: name the folder of a layout" in said


def test_a_huge_blob_is_not_read(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blob = next(layout.glob("blobs/sha256/*"))
    os.truncate(blob, 1 << 40)  # of nothing: a sparse file
    os.truncate(layout / "index.json", 1 << 40)
    assert run(["verify", str(layout)]) == 1
    said = capsys.readouterr().err
    assert "no part of an artifact is that large" in said


@pytest.mark.parametrize("twice", ['{"manifests":[],', '{"schemaVersion":2,'])
def test_an_index_that_readers_see_differently_is_refused(
    layout: Path, twice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    index = layout / "index.json"
    index.write_text(twice + index.read_text()[1:])
    assert run(["verify", str(layout)]) == 1
    assert "FLC611" in capsys.readouterr().err


def test_no_single_bit_can_be_changed(layout: Path) -> None:
    key = (layout.parent / "key.pub").read_bytes()
    assert verify_layout(layout, key).value is not None
    for file in filter(Path.is_file, layout.rglob("*")):
        data = file.read_bytes()
        for place in range(0, len(data), max(1, len(data) // 40)):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert verify_layout(layout, key).value is None, (file, place)
        file.write_bytes(data)
