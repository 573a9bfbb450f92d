"""The checked IR and what was made from it as an OCI image layout 1.1: the same input gives the same bytes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

from emitters.artifact import Artifact, File
from emitters.oci import blobs
from emitters.oci.signature import PREDICATE_TYPE, sign_manifest
from policy_lang.diagnostics import Diagnostic, Outcome

_EPOCH = "1970-01-01T00:00:00Z"


def emit_layout(
    ir: dict[str, object],
    ir_bytes: bytes,
    layers: Mapping[str, tuple[File, ...]],
    *,
    kind: Literal["product", "platform"],
    title: str,
    version: str,
    created: str | None,
    sign_key_pem: bytes | None,
) -> Outcome[Artifact]:
    """Lay out ``ir_bytes`` (the canonical bytes of ``ir``) as the config and each of ``layers`` as a tar.

    ``created`` is an RFC 3339 time, left out where None. With ``sign_key_pem`` a signature refers to the manifest.
    FLC622: the key cannot be used; FLC623: a path in a layer; FLC624: ``ir_bytes`` is not ``ir``;
    FLC625: a name has no UTF-8.
    """
    texts = [title, version, created or "", *layers, *(f.path for files in layers.values() for f in files)]
    problems = _refusals(ir, ir_bytes, layers) + _unencodable(texts)
    if problems:
        return Outcome(None, problems)
    content = [ir_bytes]
    manifest = _manifest(ir_bytes, layers, content, blobs.ARTIFACT_TYPES[kind])
    times = {} if created is None else {blobs.CREATED: created}
    manifest["annotations"] = {
        blobs.TITLE: title,
        blobs.VERSION: version,
        blobs.IR_DIGEST: blobs.digest_of(ir_bytes),
        blobs.IR_VERSION: str(ir.get("ir_version", "")),
        **times,
    }
    raw = blobs.canonical_json(manifest)
    content.append(raw)
    entries = [blobs.index_entry(manifest, raw)]
    if sign_key_pem is not None:
        bundle = sign_manifest(blobs.digest_of(raw), title, sign_key_pem)
        if bundle.value is None:
            return Outcome(None, bundle.diagnostics)
        referrer = _referrer(bundle.value, raw, created or _EPOCH)
        signed = blobs.canonical_json(referrer)
        content += [blobs.EMPTY, bundle.value, signed]
        entries.append(blobs.index_entry(referrer, signed))
    return Outcome(Artifact("oci", _files(content, entries), blobs.digest_of(raw)))


def _refusals(ir: dict[str, object], ir_bytes: bytes, layers: Mapping[str, tuple[File, ...]]) -> tuple[Diagnostic, ...]:
    found = []
    try:
        same = json.loads(ir_bytes) == ir
    except ValueError:
        same = False
    if not same:
        found.append(Diagnostic("FLC624", "the bytes to publish are not those of the checked IR"))
    for name, files in sorted(layers.items()):
        seen: set[str] = set()
        for file in files:
            path = PurePosixPath(file.path)
            if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in file.path or "\0" in file.path:
                found.append(Diagnostic("FLC623", f"the path {file.path!r} leaves the layer {name!r}"))
            elif str(path) in seen:
                found.append(Diagnostic("FLC623", f"the path {file.path!r} is twice in the layer {name!r}"))
            seen.add(str(path))
    return tuple(found)


def _unencodable(texts: list[str]) -> tuple[Diagnostic, ...]:
    """FLC625 for each text with a lone surrogate, which neither JSON in UTF-8 nor a tar can hold."""
    found = []
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            found.append(Diagnostic("FLC625", f"the name {text!a} has no UTF-8"))
    return tuple(found)


def _manifest(
    ir_bytes: bytes,
    layers: Mapping[str, tuple[File, ...]],
    content: list[bytes],
    artifact_type: str,
) -> dict[str, object]:
    listed: list[dict[str, object]] = []
    for name, files in sorted(layers.items()):
        data = layer_tar(files)
        content.append(data)
        listed.append({**blobs.descriptor(blobs.LAYER_TYPE, data), "annotations": {blobs.TITLE: f"{name}.tar"}})
    if not listed:
        # The image spec asks for at least one layer, and names the empty one for artifacts without any.
        content.append(blobs.EMPTY)
        listed.append(blobs.descriptor(blobs.EMPTY_TYPE, blobs.EMPTY))
    return {
        "schemaVersion": 2,
        "mediaType": blobs.MANIFEST_TYPE,
        "artifactType": artifact_type,
        "config": blobs.descriptor(blobs.IR_TYPE, ir_bytes),
        "layers": listed,
    }


def _referrer(bundle: bytes, subject: bytes, created: str) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": blobs.MANIFEST_TYPE,
        "artifactType": blobs.BUNDLE_TYPE,
        "config": blobs.descriptor(blobs.EMPTY_TYPE, blobs.EMPTY),
        "layers": [blobs.descriptor(blobs.BUNDLE_TYPE, bundle)],
        "subject": blobs.descriptor(blobs.MANIFEST_TYPE, subject),
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": PREDICATE_TYPE,
            blobs.CREATED: created,
        },
    }


def layer_tar(files: tuple[File, ...]) -> bytes:
    """An uncompressed tar that depends on paths, content and the executable bit only; sorted by path."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in sorted(files, key=lambda f: f.path):
            # A new TarInfo has mtime, uid and gid 0 and no names of user and group.
            entry = tarfile.TarInfo(str(PurePosixPath(file.path)))
            entry.size = len(file.data)
            entry.mode = 0o755 if file.executable else 0o644
            tar.addfile(entry, io.BytesIO(file.data))
    return stream.getvalue()


def _files(content: list[bytes], entries: list[dict[str, object]]) -> tuple[File, ...]:
    index = {"schemaVersion": 2, "mediaType": blobs.INDEX_TYPE, "manifests": entries}
    found = {"oci-layout": blobs.LAYOUT_FILE, "index.json": blobs.canonical_json(index)}
    for data in content:
        found[f"blobs/sha256/{blobs.digest_of(data).removeprefix('sha256:')}"] = data
    return tuple(File(path, data) for path, data in sorted(found.items()))
