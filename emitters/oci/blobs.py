"""Content-addressed pieces of an OCI image layout: media types, digests, descriptors (OCI image spec 1.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
IR_TYPE = "application/vnd.floe.ir.v1+json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ARTIFACT_TYPES = {
    "product": "application/vnd.floe.product.v1",
    "platform": "application/vnd.floe.platform.v1",
}

TITLE = "org.opencontainers.image.title"
VERSION = "org.opencontainers.image.version"
CREATED = "org.opencontainers.image.created"
REF_NAME = "org.opencontainers.image.ref.name"
IR_DIGEST = "dev.floe.ir.digest"
IR_VERSION = "dev.floe.ir.version"

EMPTY = b"{}"
LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'


def digest_of(data: bytes) -> str:
    """The digest of ``data`` as OCI writes it: ``sha256:`` and 64 lower-case hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical_json(value: object) -> bytes:
    """One text for one value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def descriptor(media_type: str, data: bytes) -> dict[str, object]:
    """An OCI descriptor of ``data``; ``size`` is in bytes."""
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def index_entry(manifest: Mapping[str, object], data: bytes) -> dict[str, object]:
    """What ``index.json`` says of a manifest. It follows from the manifest alone, so that it can be checked.

    A manifest that refers to no other one is also tagged with its version, for tools that copy by tag.
    """
    annotations = manifest.get("annotations")
    shown = dict(annotations) if isinstance(annotations, dict) else {}
    if "subject" not in manifest and VERSION in shown:
        shown[REF_NAME] = shown[VERSION]
    return {**descriptor(MANIFEST_TYPE, data), "artifactType": manifest.get("artifactType"), "annotations": shown}
