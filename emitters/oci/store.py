"""Published manifests in OCI layouts on disk, as a store for references to parents (``compiler.tiers.references``).

A store is a folder with a layout for each version: ``<root>/<host>/<repository>/<any name>/`` (or the repository's
folder is itself the layout of its only version). The tag is the one that the layout's index gives. An artifact's
layer ``manifest.tar`` holds ``manifest.yaml`` as it was written, and its ancestors as ``parent-1.yaml``, ….

Codes: FLC408 an artifact without a manifest, FLC407 no signature by a trusted key; FLC610 to FLC620 as in
``verify_layout``.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compiler.tiers.references import Stored
from emitters.oci import blobs
from emitters.oci.verify import verify_layout
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

MANIFEST_LAYER = "manifest.tar"
_MAX_LAYER = 16 * 1024 * 1024


DEFAULT_STORE = Path(".floe") / "store"


def find_store(start: Path) -> LayoutStore:
    """The store ``.floe/store`` in ``start`` or the nearest folder above that has one; an empty one where none has."""
    folder = start.resolve()
    found = next((f / DEFAULT_STORE for f in (folder, *folder.parents) if (f / DEFAULT_STORE).is_dir()), None)
    return LayoutStore(found or folder / DEFAULT_STORE)


class LayoutStore:
    """The layouts below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def tags(self, repository: str) -> Mapping[str, str] | None:
        """Tag → digest; None where the folder of the repository does not exist. What cannot be read has no tag."""
        folder = self._folder(repository)
        if folder is None or not folder.is_dir():
            return None
        return {tag: digest for layout in _layouts(folder) for tag, digest in _index(layout).items()}

    def manifest(self, repository: str, digest: str, keys: Sequence[bytes]) -> Outcome[Stored]:
        """The manifest of the artifact with ``digest``."""
        folder = self._folder(repository)
        for layout in _layouts(folder) if folder is not None else ():
            if digest in _index(layout).values():
                return _read(layout, f"oci://{repository}@{digest}", keys)
        return Outcome(None, (Diagnostic("FLC406", f"`{repository}` has no artifact {digest[:19]}…"),))

    def manifest_in(self, folder: Path, keys: Sequence[bytes]) -> Outcome[Stored]:
        """The manifest of the artifact in the layout ``folder``, wherever it is."""
        return _read(folder, str(folder), keys)

    def _folder(self, repository: str) -> Path | None:
        parts = repository.split("/")
        return None if ".." in parts or "" in parts else self.root.joinpath(*(p.replace(":", "_") for p in parts))


def _layouts(folder: Path) -> Iterator[Path]:
    if (folder / "oci-layout").is_file():
        yield folder
    elif folder.is_dir():
        yield from (f for f in sorted(folder.iterdir()) if (f / "oci-layout").is_file())


def _index(layout: Path) -> dict[str, str]:
    """Tag → digest of what is tagged in a layout; ``verify_layout`` judges the rest when it is read."""
    value = _json(layout / "index.json")
    entries = value.get("manifests") if isinstance(value, dict) else None
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        annotations = entry.get("annotations") if isinstance(entry, dict) else None
        tag = annotations.get(blobs.REF_NAME) if isinstance(annotations, dict) else None
        if isinstance(tag, str) and isinstance(entry.get("digest"), str):
            found[tag] = entry["digest"]
    return found


def _read(layout: Path, name: str, keys: Sequence[bytes]) -> Outcome[Stored]:
    """Verify a layout whole, and take the manifest out of it."""
    verified = verify_layout(layout, None)
    if verified.value is None:
        return Outcome(None, verified.diagnostics)
    if keys:
        tried = [verify_layout(layout, key) for key in keys]
        if not any(t.value is not None for t in tried):
            text = f"`{name}` is not signed by a key that is trusted here"
            why = "; ".join(dict.fromkeys(d.message for t in tried for d in t.diagnostics))
            hint = "ask who published it, or trust their key"
            return Outcome(None, (Diagnostic("FLC407", text, whole_file(str(layout)), why=why, hint=hint),))
    digest = verified.value.digest
    files = _manifest_files(layout, digest)
    if "manifest.yaml" not in files:
        text = f"the artifact `{name}` holds no manifest.yaml"
        hint = "publish the platform with `floec compile` of this version"
        return Outcome(None, (Diagnostic("FLC408", text, whole_file(str(layout)), hint=hint),))
    parents: list[str] = []
    while (next_name := f"parent-{len(parents) + 1}.yaml") in files:
        parents.append(files[next_name])
    return Outcome(Stored(f"{name}/manifest.yaml", files["manifest.yaml"], digest, tuple(parents)))


def _manifest_files(layout: Path, digest: str) -> dict[str, str]:
    """The texts in the layer ``manifest.tar``; the layout's digests have been checked before."""
    manifest = _json(layout / "blobs" / digest.replace(":", "/"))
    for layer in manifest.get("layers", ()) if isinstance(manifest, dict) else ():
        if layer.get("annotations", {}).get(blobs.TITLE) != MANIFEST_LAYER or layer.get("size", 0) > _MAX_LAYER:
            continue
        data = (layout / "blobs" / layer["digest"].replace(":", "/")).read_bytes()
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                members = [(m.name, tar.extractfile(m)) for m in tar if m.isfile()]
                return {name: file.read().decode() for name, file in members if file is not None}
        except (tarfile.TarError, UnicodeDecodeError):
            return {}
    return {}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
