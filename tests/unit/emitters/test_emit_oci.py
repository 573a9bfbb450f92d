"""OCI layouts: reproducible, checked to the last byte, signed for one manifest by one key."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from emitters.artifact import Artifact, File
from emitters.oci import blobs
from emitters.oci.layout import emit_layout
from emitters.oci.signature import check_bundle, generate_key
from emitters.oci.verify import verify_layout
from policy_lang.source import whole_file

IR: dict[str, object] = {"ir_version": "floec.ir.v1", "product": {"name": "orders"}}
LAYERS = {"dbt": (File("models/b.sql", b"select 2"), File("a.sh", b"#!/bin/sh\n", True)), "kubernetes": ()}
PRIVATE, PUBLIC = generate_key()


def emit(key: bytes | None = PRIVATE, version: str = "1.0.0", layers: dict[str, tuple[File, ...]] = LAYERS) -> Artifact:
    outcome = emit_layout(
        IR,
        blobs.canonical_json(IR),
        layers,
        kind="product",
        title="orders",
        version=version,
        created=None,
        sign_key_pem=key,
    )
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def write(root: Path, artifact: Artifact) -> Path:
    for file in artifact.files:
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_bytes(file.data)
    return root


def codes(root: Path, key: bytes | None = PUBLIC) -> list[str]:
    outcome = verify_layout(root, key)
    assert (outcome.value is None) == bool(outcome.diagnostics)
    return [d.code for d in outcome.diagnostics]


def blob(artifact: Artifact, digest: str) -> bytes:
    return next(f.data for f in artifact.files if f.path.endswith(digest.removeprefix("sha256:")))


def bundle_of(artifact: Artifact) -> bytes:
    index = json.loads(next(f.data for f in artifact.files if f.path == "index.json"))
    return blob(artifact, json.loads(blob(artifact, index["manifests"][1]["digest"]))["layers"][0]["digest"])


def test_a_signed_layout_verifies_and_names_its_manifest(tmp_path: Path) -> None:
    artifact = emit()
    report = verify_layout(write(tmp_path, artifact), PUBLIC).value
    assert report is not None
    assert (report.digest, report.signed) == (artifact.digest, True)
    manifest = json.loads(blob(artifact, artifact.digest))
    assert manifest["artifactType"] == "application/vnd.floe.product.v1"
    assert blob(artifact, manifest["config"]["digest"]) == blobs.canonical_json(IR)
    unchecked = verify_layout(tmp_path, None).value
    assert unchecked is not None
    assert not unchecked.signed


def test_the_same_input_gives_the_same_bytes_in_any_order_of_files() -> None:
    turned = {"kubernetes": (), "dbt": LAYERS["dbt"][::-1]}
    assert emit(None) == emit(None, layers=turned)
    assert emit(None).digest == emit().digest


def test_a_layer_is_a_sorted_tar_without_times_and_owners() -> None:
    artifact = emit(None)
    layer = json.loads(blob(artifact, artifact.digest))["layers"][0]
    with tarfile.open(fileobj=io.BytesIO(blob(artifact, layer["digest"]))) as tar:
        members = tar.getmembers()
    assert [(m.name, m.mode) for m in members] == [("a.sh", 0o755), ("models/b.sql", 0o644)]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert layer["annotations"] == {blobs.TITLE: "dbt.tar"}


def test_an_artifact_without_layers_has_the_empty_one(tmp_path: Path) -> None:
    assert codes(write(tmp_path, emit(layers={}))) == []


@pytest.mark.parametrize("key", [PUBLIC, None])
def test_one_changed_byte_anywhere_fails(tmp_path: Path, key: bytes | None) -> None:
    artifact = emit()
    write(tmp_path, artifact)
    for file in artifact.files:
        # All of the two files that no digest names, and both ends and the middle of the others.
        size = len(file.data)
        places = range(size) if "blobs/" not in file.path else (0, size // 2, size - 1)
        for place in places:
            changed = bytearray(file.data)
            changed[place] ^= 1
            (tmp_path / file.path).write_bytes(bytes(changed))
            outcome = verify_layout(tmp_path, key)
            assert outcome.value is None, (file.path, place)
            assert any(d.span is not None for d in outcome.diagnostics)
            if "blobs/" in file.path:
                assert "FLC613" in [d.code for d in outcome.diagnostics]
        (tmp_path / file.path).write_bytes(file.data)
    assert codes(tmp_path, key) == []


def test_a_missing_a_longer_and_an_unlisted_file_are_named(tmp_path: Path) -> None:
    artifact = emit()
    write(tmp_path, artifact)
    path = tmp_path / "blobs/sha256" / artifact.digest.removeprefix("sha256:")
    data = path.read_bytes()
    path.write_bytes(data + b" ")
    assert "FLC614" in codes(tmp_path)
    path.write_bytes(data[:-1] + b" ")
    assert "FLC613" in codes(tmp_path)
    path.unlink()
    assert "FLC612" in codes(tmp_path)
    path.write_bytes(data)
    (tmp_path / "blobs/sha256/extra").write_bytes(b"x")
    (outcome,) = verify_layout(tmp_path, PUBLIC).diagnostics
    assert outcome.code == "FLC615"
    assert outcome.span is not None
    assert outcome.span.file == str(tmp_path / "blobs/sha256/extra")


def test_an_empty_folder_and_no_folder_are_no_layout(tmp_path: Path) -> None:
    assert codes(tmp_path) == ["FLC610"]
    assert codes(tmp_path / "none") == ["FLC610"]


@pytest.mark.parametrize(
    "text", ["[]", "{", "{}", '{"schemaVersion":2,"manifests":[1]}', "[" * 100_000, r'{"a":"\ud800"}']
)
def test_a_broken_index_is_reported(tmp_path: Path, text: str) -> None:
    write(tmp_path, emit())
    (tmp_path / "index.json").write_text(text)
    assert codes(tmp_path)[0] == "FLC611"


def test_a_link_in_place_of_a_blob_or_beside_them_fails(tmp_path: Path) -> None:
    artifact = emit()
    write(tmp_path / "layout", artifact)
    (tmp_path / "layout/more").symlink_to(tmp_path, target_is_directory=True)
    assert codes(tmp_path / "layout") == ["FLC615"]
    (tmp_path / "layout/more").unlink()
    path = tmp_path / "layout/blobs/sha256" / artifact.digest.removeprefix("sha256:")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "FLC612" in codes(tmp_path / "layout")


def test_another_key_and_a_missing_signature_fail(tmp_path: Path) -> None:
    write(tmp_path / "signed", emit())
    write(tmp_path / "plain", emit(None))
    assert codes(tmp_path / "signed", generate_key()[1]) == ["FLC619"]
    assert codes(tmp_path / "plain") == ["FLC618"]
    assert codes(tmp_path / "plain", None) == []


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [("replay", "FLC620"), ("garbage", "FLC621"), ("subject", "FLC620")],
)
def test_a_foreign_bundle_does_not_count(tmp_path: Path, rewrite: str, expected: str) -> None:
    """The attacker recomputes all digests; only what was signed cannot be made to fit."""
    from emitters.oci.layout import _files, _referrer

    former, plain = emit(), emit(None, version="2.0.0")
    raw = blob(plain, plain.digest)
    bundle = b"{}{}" if rewrite == "garbage" else bundle_of(former)
    referrer = _referrer(bundle, blob(former, former.digest) if rewrite == "subject" else raw, "1970-01-01T00:00:00Z")
    signed = blobs.canonical_json(referrer)
    entries = [blobs.index_entry(json.loads(raw), raw), blobs.index_entry(referrer, signed)]
    content = [f.data for f in plain.files if f.path.startswith("blobs/")] + [blobs.EMPTY, bundle, signed]
    write(tmp_path, Artifact("oci", _files(content, entries)))
    assert codes(tmp_path) == [expected]


def test_an_ir_digest_that_is_not_the_config_fails(tmp_path: Path) -> None:
    from emitters.oci.layout import _files

    plain = emit(None)
    manifest = json.loads(blob(plain, plain.digest))
    manifest["annotations"][blobs.IR_DIGEST] = blobs.digest_of(b"other")
    raw = blobs.canonical_json(manifest)
    content = [f.data for f in plain.files if f.path.startswith("blobs/") and f.data != blob(plain, plain.digest)]
    write(tmp_path, Artifact("oci", _files([*content, raw], [blobs.index_entry(manifest, raw)])))
    assert codes(tmp_path, None) == ["FLC617"]


@pytest.mark.parametrize("path", ["../a", "/a", "", "a\\b"])
def test_bad_input_to_the_emitter_is_refused(path: str) -> None:
    def refused(ir_bytes: bytes, layers: dict[str, tuple[File, ...]], key: bytes | None) -> list[str]:
        outcome = emit_layout(
            IR, ir_bytes, layers, kind="platform", title="t", version="1", created=None, sign_key_pem=key
        )
        assert outcome.value is None
        return [d.code for d in outcome.diagnostics]

    good = blobs.canonical_json(IR)
    assert refused(good, {"x": (File(path, b""),)}, None) == ["FLC623"]
    assert refused(good, {"x": (File("a", b""), File("a", b""))}, None) == ["FLC623"]
    assert refused(good, {"x": (File("\ud800", b""),)}, None) == ["FLC625"]
    assert refused(b"{}", {}, None) == ["FLC624"]
    assert refused(b"{", {}, None) == ["FLC624"]
    assert refused(good, {}, b"no key") == ["FLC622"]
    assert refused(good, {}, PUBLIC) == ["FLC622"]


def test_an_unusable_public_key_is_reported(tmp_path: Path) -> None:
    assert codes(write(tmp_path, emit()), b"no key") == ["FLC622"]


@pytest.mark.cosign
def test_cosign_accepts_the_bundle_and_refuses_another_manifest(tmp_path: Path) -> None:
    tools = Path(os.environ.get("FLOEC_TOOLS", "~/.cache/floec/tools")).expanduser()
    if not (tools / "cosign").is_file():
        pytest.skip("no cosign binary: scripts/external_tools.sh builds it")
    artifact = emit()
    raw = blob(artifact, artifact.digest)
    (tmp_path / "key.pub").write_bytes(PUBLIC)
    (tmp_path / "bundle.json").write_bytes(bundle_of(artifact))
    results = []
    for content in (raw, raw + b" "):
        (tmp_path / "manifest.json").write_bytes(content)
        command = [str(tools / "cosign"), "verify-blob-attestation", "--key", "key.pub", "--bundle", "bundle.json"]
        command += ["--insecure-ignore-tlog=true", "--type", "https://sigstore.dev/cosign/sign/v1", "manifest.json"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        results.append((run.returncode == 0, run.stderr))
    assert [ok for ok, _ in results] == [True, False], results


@pytest.mark.cosign
def test_what_cosign_signs_is_verified(tmp_path: Path) -> None:
    tools = Path(os.environ.get("FLOEC_TOOLS", "~/.cache/floec/tools")).expanduser()
    if not (tools / "cosign").is_file():
        pytest.skip("no cosign binary: scripts/external_tools.sh builds it")
    artifact = emit()
    (tmp_path / "manifest.json").write_bytes(blob(artifact, artifact.digest))
    (tmp_path / "predicate.json").write_text("{}")

    def cosign(*arguments: str) -> None:
        given = {**os.environ, "COSIGN_PASSWORD": ""}
        subprocess.run(
            [tools / "cosign", *arguments], cwd=tmp_path, env=given, check=True, timeout=60, capture_output=True
        )

    cosign("generate-key-pair")
    offline = ["--tlog-upload=false", "--use-signing-config=false", "--key", "cosign.key", "--bundle", "bundle.json"]
    kind = ["--type", "https://sigstore.dev/cosign/sign/v1", "--predicate", "predicate.json"]
    cosign("attest-blob", "--yes", *offline, *kind, "manifest.json")
    bundle, place = (tmp_path / "bundle.json").read_bytes(), whole_file("bundle.json")
    assert check_bundle(bundle, artifact.digest, (tmp_path / "cosign.pub").read_bytes(), place) is None
    found = [
        check_bundle(bundle, artifact.digest, PUBLIC, place),
        check_bundle(bundle, "sha256:" + "0" * 64, (tmp_path / "cosign.pub").read_bytes(), place),
    ]
    assert [d.code for d in found if d is not None] == ["FLC619", "FLC620"]
