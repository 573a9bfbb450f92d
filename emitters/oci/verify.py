"""Check an OCI image layout on disk: every byte of it is named by a digest, and the signature names the root."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from emitters.oci import blobs
from emitters.oci.signature import check_bundle, load_public_key, unusable_key
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


_MOST_BYTES = 1 << 30
"""What is larger is not read: whoever gave the layout must not fill the memory of who looks at it."""


_ANEW = "get the layout again from where it was published, or write it anew with `floec compile`"
_HINTS = {
    "FLC612": "copy the layout whole: all that is below `blobs`",
    "FLC613": "do not use it: get the layout again, or write it anew with `floec compile`",
    "FLC615": "remove it, or let this user list the folder: what no index names is not covered by the signature",
    "FLC618": "sign it (`floec compile --key`), or verify it without a key",
}
"""What mends what is wrong with a part of a layout, by code; else the whole is to be had anew."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """``digest`` is the manifest's; ``signed`` is True only where the given key's signature over it was checked."""

    digest: str
    signed: bool


@dataclass(slots=True)
class _Reading:
    """One pass over a layout: which files are accounted for, and what is wrong."""

    root: Path
    listed: set[str] = field(default_factory=set)
    problems: list[Diagnostic] = field(default_factory=list)

    def report(self, code: str, message: str, file: str) -> None:
        hint = _HINTS.get(code, _ANEW)
        self.problems.append(Diagnostic(code, message, whole_file(str(self.root / file)), hint=hint))

    def read(self, file: str, code: str, size: int | None = None) -> bytes | None:
        """The content of a regular file; with ``size`` only where it has so many bytes."""
        self.listed.add(file)
        path = self.root / file
        try:
            if path.is_symlink() or not path.is_file():
                self.report(code, f"{file} is missing or not a regular file", file)
                return None
            with open(path, "rb") as opened:
                there = os.fstat(opened.fileno()).st_size
                if size is not None and there != size:
                    self.report("FLC614", f"{file} has {there} bytes where {size} are listed", file)
                    return None
                if there > _MOST_BYTES:
                    self.report("FLC614", f"{file} has {there} bytes: no part of an artifact is that large", file)
                    return None
                return opened.read(_MOST_BYTES + 1)
        except OSError as error:
            self.report(code, f"cannot read {file}: {error.strerror or error}", file)
            return None


def verify_layout(path: Path, public_key_pem: bytes | None) -> Outcome[VerifyReport]:
    """Check the layout in the folder ``path``; a value is returned only where nothing is wrong.

    Without a key digests are checked and what a signature claims, but not who made it.
    FLC610 ``oci-layout``; FLC611 ``index.json``; FLC612 a missing blob, FLC613 its digest, FLC614 its size;
    FLC615 a file that nothing lists; FLC616 a manifest; FLC617 the IR; FLC618 no signature; FLC619 to FLC622
    as in ``check_bundle``.
    """
    reading = _Reading(path)
    if public_key_pem is not None and load_public_key(public_key_pem) is None:
        return Outcome(None, (unusable_key("public"),))
    if not any(os.path.lexists(path / name) for name in ("oci-layout", "index.json")):
        # Each file below would be one that nothing lists: what is wrong is the folder that was named.
        hint = "name the folder of a layout; `floec compile` writes one to `.floe/build`"
        text = f"{path} is no OCI image layout: it has neither `oci-layout` nor `index.json`"
        return Outcome(None, (Diagnostic("FLC610", text, whole_file(str(path)), hint=hint),))
    mark = reading.read("oci-layout", "FLC610")
    if mark is not None and mark != blobs.LAYOUT_FILE:
        reading.report("FLC610", "this is not the mark of an OCI image layout 1.0.0", "oci-layout")
    manifests = _manifests(reading)
    _report_unlisted(reading)
    roots = [(d, m) for d, m in manifests if "subject" not in m]
    if not reading.problems and len(roots) != 1:
        reading.report("FLC611", f"the index lists {len(roots)} artifacts where there must be one", "index.json")
    if reading.problems:
        return Outcome(None, tuple(reading.problems))
    digest, manifest = roots[0]
    _check_artifact(reading, digest, manifest)
    _check_signatures(reading, digest, [m for _, m in manifests if "subject" in m], public_key_pem)
    if reading.problems:
        return Outcome(None, tuple(reading.problems))
    return Outcome(VerifyReport(digest, public_key_pem is not None))


def _manifests(reading: _Reading) -> list[tuple[str, dict[str, object]]]:
    """Each manifest with its digest; all blobs that they list have been read and compared."""
    raw = reading.read("index.json", "FLC611")
    if raw is None:
        return []
    index = _object(raw)
    entries = _list(index.get("manifests"))
    shape = {"schemaVersion": 2, "mediaType": blobs.INDEX_TYPE, "manifests": entries}
    if blobs.canonical_json(index) != blobs.canonical_json(shape):
        reading.report("FLC611", "this is not an OCI image index with nothing but manifests", "index.json")
        return []
    found = []
    for entry in entries:
        data = _blob(reading, entry, "index.json")
        if data is None:
            continue
        file, manifest = _blob_file(blobs.digest_of(data)), _object(data)
        if manifest.get("schemaVersion") != 2 or manifest.get("mediaType") != blobs.MANIFEST_TYPE:
            reading.report("FLC616", "this is not an OCI image manifest", file)
            continue
        if blobs.canonical_json(entry) != blobs.canonical_json(blobs.index_entry(manifest, data)):
            reading.report("FLC611", f"what the index says of {file} is not what is in it", "index.json")
        for part in (manifest.get("config"), *_list(manifest.get("layers"))):
            _blob(reading, part, file)
        found.append((blobs.digest_of(data), manifest))
    return found


def _blob(reading: _Reading, descriptor: object, lister: str) -> bytes | None:
    """The content that ``descriptor`` names, or None where it is not there or is another."""
    known = descriptor if isinstance(descriptor, dict) else {}
    digest, size = known.get("digest"), known.get("size")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or type(size) is not int:
        reading.report("FLC611" if lister == "index.json" else "FLC616", "a descriptor lacks digest or size", lister)
        return None
    file = _blob_file(digest)
    data = reading.read(file, "FLC612", size)
    if data is None:
        return None
    if blobs.digest_of(data) != digest:
        reading.report("FLC613", f"the content of {file} was changed: its digest is {blobs.digest_of(data)}", file)
        return None
    return data


def _report_unlisted(reading: _Reading) -> None:
    def unreadable(error: OSError) -> None:
        # A folder that cannot be listed could hold anything.
        file = os.path.relpath(str(error.filename), reading.root)
        reading.report("FLC615", f"cannot list {file}: {error.strerror or error}", file)

    if not reading.root.is_dir():
        return
    for folder, folders, files in os.walk(reading.root, onerror=unreadable):
        # A link to a folder is not walked into, so it is judged as a file.
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*files, *links]):
            file = (Path(folder) / name).relative_to(reading.root).as_posix()
            if file not in reading.listed:
                reading.report("FLC615", f"{file} is in the layout, but nothing lists it", file)


def _check_artifact(reading: _Reading, digest: str, manifest: dict[str, object]) -> None:
    file = _blob_file(digest)
    if manifest.get("artifactType") not in blobs.ARTIFACT_TYPES.values():
        reading.report("FLC616", "the manifest is neither of a product nor of a platform", file)
    config, annotations = _dict(manifest.get("config")), _dict(manifest.get("annotations"))
    ir_file = _blob_file(str(config["digest"]))
    if config.get("mediaType") != blobs.IR_TYPE or annotations.get(blobs.IR_DIGEST) != config["digest"]:
        reading.report("FLC617", "the config is not the IR whose digest the manifest gives", file)
        return
    ir = _object((reading.root / ir_file).read_bytes())
    if "ir_version" not in ir or ir["ir_version"] != annotations.get(blobs.IR_VERSION):
        reading.report("FLC617", "the config is not an IR of the version that the manifest gives", ir_file)


def _check_signatures(
    reading: _Reading, digest: str, referrers: list[dict[str, object]], public_key_pem: bytes | None
) -> None:
    """With a key one signature by it is enough: others may be by other keys, but none may be for another artifact."""
    size = (reading.root / _blob_file(digest)).stat().st_size
    subject = {"mediaType": blobs.MANIFEST_TYPE, "digest": digest, "size": size}
    found: list[Diagnostic | None] = []
    for manifest in referrers:
        if manifest["subject"] != subject:
            reading.report("FLC620", f"a listed manifest refers to another artifact than {digest}", "index.json")
        elif manifest.get("artifactType") == blobs.BUNDLE_TYPE:
            for layer in _list(manifest.get("layers")):
                file = _blob_file(str(_dict(layer)["digest"]))
                bundle = (reading.root / file).read_bytes()
                found.append(check_bundle(bundle, digest, public_key_pem, whole_file(str(reading.root / file))))
    if public_key_pem is not None and not found and not reading.problems:
        reading.report("FLC618", f"no signature of {digest} is in the layout", "index.json")
    good = public_key_pem is not None and None in found
    reading.problems += [d for d in found if d is not None and not (good and d.code == "FLC619")]


def _blob_file(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _object(data: bytes) -> dict[str, object]:
    """The JSON object in ``data``; empty where it holds none, which no check after it accepts."""
    try:
        value = _dict(json.loads(data, object_pairs_hook=_once))
        # A lone surrogate passes as JSON, but has no UTF-8: refused here, not when it is compared.
        blobs.canonical_json(value)
        return value
    except (ValueError, RecursionError):
        return {}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of which every reader sees the same: of a key given twice some take the first, some the last."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
