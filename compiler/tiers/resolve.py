"""Follow a document's references to its parents.

Codes: FLC401 missing parent, FLC402 cycle, FLC403 a parent of the wrong kind or scope, FLC404 a reference
into a registry that nothing here can look up, FLC405 an exemption that has expired; and those of
``compiler.tiers.references``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from compiler.documents.kept import document_of, read_document
from compiler.documents.models import Document
from compiler.documents.shape import Keys
from compiler.documents.values import file_path
from compiler.tiers.inherit import Resolved
from compiler.tiers.platform_ir import platform_ir, product_ir
from compiler.tiers.references import LOCK_NAME, Locked, ManifestStore, Stored, choose, parse_reference, read_lock
from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity
from policy_lang.records import NamedTuple
from policy_lang.source import Source, Span

__all__ = ["Chain", "exemptions", "load_chain", "platform_ir", "product_ir"]

_MAX_TIERS = 16


class Chain(NamedTuple):
    """The product, where one was read, and the manifests above it, the topmost first.

    ``locked`` is what each reference into a registry was found to be: the content of the lock. ``stored`` says that
    parents were looked up in a store, found or not: more was read then than the documents.
    """

    product: Document | None
    manifests: tuple[Document, ...]
    locked: Mapping[str, Locked] = MappingProxyType({})
    stored: bool = False

    def texts(self) -> dict[str, str]:
        """The text of every document by its name: those of a store are in no file that could be read again."""
        documents = (*self.manifests, *(() if self.product is None else (self.product,)))
        return {d.file: d.yaml.source.text for d in documents}


def load_chain(
    path: Path | str,
    *,
    registry: Severity = Severity.NOTIFY,
    store: Callable[[], ManifestStore] | None = None,
    trusted_keys: Sequence[bytes] = (),
    use_lock: bool = True,
) -> Outcome[Chain]:
    """Read ``path`` and all that it refers to.

    ``registry`` is the severity of FLC404; ``store`` opens what looks up references into a registry, once one is met;
    with ``trusted_keys`` (PEM), or keys that the referring document trusts, what comes from the store must be signed
    by one of them; the lock beside ``path`` is obeyed unless ``use_lock`` is False.
    """
    found: list[Diagnostic] = []
    first = _read(Path(path), found)
    if first is None:
        return Outcome(None, tuple(found))
    product = first if first.kind == "DataProduct" else None
    manifests = [] if product is not None else [first]
    lock: Mapping[str, Locked] = {}
    if use_lock and store is not None:
        read = read_lock(Path(path).parent / LOCK_NAME)
        found += read.diagnostics
        lock = read.value or {}
    walk = _Walk(found, registry, store, trusted_keys, lock, {str(Path(path).resolve())})
    current: Document | None = first
    while current is not None and len(manifests) < _MAX_TIERS:
        current = walk.parent(current)
        if current is not None:
            manifests.append(current)
    return Outcome(Chain(product, tuple(reversed(manifests)), walk.locked, walk.looked_up), tuple(found))


def _read(path: Path, found: list[Diagnostic]) -> Document | None:
    read = read_document(path)
    found.extend(read.diagnostics)
    return read.value


def _reference(document: Document) -> tuple[Keys, str] | None:
    for holder in ("parent",) if document.kind == "Manifest" else ("domain", "platform"):
        value = document.data.get(holder)
        if isinstance(value, dict) and isinstance(value.get("ref"), str):
            ref = value["ref"]
            version = value.get("version")
            if ref.startswith("oci://") and isinstance(version, str) and ":" not in ref.rpartition("/")[2]:
                ref = f"{ref}:{version}"
            return (holder, "ref"), ref
    return None


def trusted_keys(document: Document) -> Iterator[tuple[Keys, str]]:
    """The public keys, as files, one of which must have signed the parent: where each is named, and its path."""
    for holder in ("parent", "domain", "platform"):
        value = document.data.get(holder)
        if isinstance(value, dict) and isinstance(value.get("public_key"), str):
            yield (holder, "public_key"), value["public_key"]
    if document.kind != "Manifest":
        return
    for i, file in enumerate(document.data.get("security", {}).get("trusted_keys", ())):
        yield ("security", "trusted_keys", i), file
    verification = document.data.get("artifacts", {}).get("signing", {}).get("verification", {})
    if verification.get("enabled") is False:
        return
    at: Keys = ("artifacts", "signing", "verification")
    if isinstance(verification.get("public_key", {}).get("path"), str):
        yield (*at, "public_key", "path"), verification["public_key"]["path"]
    for i, key in enumerate(verification.get("public_keys", ())):
        if isinstance(key.get("path"), str):
            yield (*at, "public_keys", i, "path"), key["path"]


class _Walk:
    """The way up from one document, and what was met on it."""

    def __init__(
        self,
        found: list[Diagnostic],
        registry: Severity,
        store: Callable[[], ManifestStore] | None,
        keys: Sequence[bytes],
        lock: Mapping[str, Locked],
        seen: set[str],
    ) -> None:
        self.found, self.registry, self.keys, self.lock, self.seen = found, registry, keys, lock, seen
        self._open = store
        self._store: ManifestStore | None = None
        self.locked: dict[str, Locked] = {}
        self.published: dict[str, tuple[str, ...]] = {}

    @property
    def looked_up(self) -> bool:
        """Whether the store was needed."""
        return self._store is not None

    @property
    def store(self) -> ManifestStore | None:
        """The store, opened where it is needed."""
        if self._store is None and self._open is not None:
            self._store = self._open()
        return self._store

    def parent(self, child: Document) -> Document | None:
        reference = _reference(child)
        if reference is None:
            return None
        keys, ref = reference
        span = child.span(keys)
        if "://" in ref:
            parent = self._stored(ref, span, self._trusted(child))
        elif child.file in self.published:
            parent = self._beside(child, ref, span)
        else:
            parent = self._on_disk(child, ref, span)
        if parent is None:
            return None
        wrong = parent.kind != "Manifest" or (child.kind == "Manifest" and parent.scope != "enterprise")
        if wrong:
            text = f"`{ref}` cannot be a parent: it is a {parent.kind} of scope {parent.scope}"
            related = (Label(parent.span(("kind",)), "declared here"),)
            hint = (
                "the parent of a domain is a manifest of scope enterprise"
                if child.kind == "Manifest"
                else "name a manifest"
            )
            self.found.append(Diagnostic("FLC403", text, span, path=keys, related=related, hint=hint))
        return parent if parent.kind == "Manifest" else None

    def _on_disk(self, child: Document, ref: str, span: Span) -> Document | None:
        if file_path(ref):
            return None  # validation has said why; no file system could look it up
        # Normal, because reports name the file, and not every reader of theirs understands `..`.
        target = Path(os.path.normpath(Path(child.file).parent / ref))
        if (target / "oci-layout").is_file():
            return self._in_layout(target, ref, span, self._trusted(child))
        if target.is_dir():
            target = target / "manifest.yaml"
        if not target.is_file():
            hint = f"the path is relative to `{child.file}`"
            self.found.append(Diagnostic("FLC401", f"the parent `{ref}` does not exist", span, hint=hint))
            return None
        return None if self._again(str(target.resolve()), ref, span) else _read(target, self.found)

    def _in_layout(self, folder: Path, ref: str, span: Span, keys: Sequence[bytes]) -> Document | None:
        if self.store is None:
            self._unknown(ref, span)
            return None
        if self._again(str(folder.resolve()), ref, span):
            return None
        stored = self.store.manifest_in(folder, keys)
        self.found.extend(_at(stored.diagnostics, span))
        return None if stored.value is None else self._published(stored.value)

    def _stored(self, ref: str, span: Span, keys: Sequence[bytes]) -> Document | None:
        reference = parse_reference(ref)
        if reference is None or self.store is None:
            self._unknown(ref, span)
            return None
        chosen = choose(reference, self.store, self.lock, span)
        self.found.extend(chosen.diagnostics)
        if chosen.value is None:
            if not chosen.diagnostics:
                self._unknown(ref, span)
            return None
        if self._again(f"{reference.repository}@{chosen.value.digest}", ref, span):
            return None
        self.locked[reference.text] = chosen.value
        stored = self.store.manifest(reference.repository, chosen.value.digest, keys)
        self.found.extend(_at(stored.diagnostics, span))
        return None if stored.value is None else self._published(stored.value)

    def _published(self, stored: Stored) -> Document | None:
        self.published[stored.file] = stored.parents
        return self._validated(stored.file, stored.text)

    def _beside(self, child: Document, ref: str, span: Span) -> Document | None:
        """The parent of a published manifest that was named by a path: published together with it."""
        parents = self.published[child.file]
        if not parents:
            hint = "publish it again, with its parents"
            text = f"the parent `{ref}` was not published with `{child.file}`"
            self.found.append(Diagnostic("FLC401", text, span, hint=hint))
            return None
        folder = child.file.rpartition("/")[0]
        file = f"{folder}/parent-{len(self.published)}.yaml"
        self.published[file] = parents[1:]
        return self._validated(file, parents[0])

    def _validated(self, file: str, text: str) -> Document | None:
        read = document_of(Source(file, text))
        self.found.extend(read.diagnostics)
        return read.value

    def _trusted(self, child: Document) -> list[bytes]:
        """The keys of the caller and those that the referring document trusts; FLC409 where one cannot be read."""
        keys = list(self.keys)
        for path, file in trusted_keys(child):
            try:
                keys.append((Path(child.file).parent / file).read_bytes())
            except OSError as error:
                text = f"cannot read the public key `{file}`: {error.strerror}"
                hint = f"the path is relative to `{child.file}`"
                self.found.append(Diagnostic("FLC409", text, child.span(path), hint=hint, path=path))
        return keys

    def _again(self, identity: str, ref: str, span: Span) -> bool:
        if identity in self.seen:
            self.found.append(
                Diagnostic("FLC402", f"`{ref}` closes a cycle of parents", span, hint="cut one reference")
            )
            return True
        self.seen.add(identity)
        return False

    def _unknown(self, ref: str, span: Span) -> None:
        hint = (
            "name a path to the manifest, or a folder of OCI layouts, to judge this document together with its parents"
        )
        text = f"`{ref}` is in a registry, which is not read here"
        self.found.append(Diagnostic("FLC404", text, span, self.registry, hint=hint))


def _at(diagnostics: Sequence[Diagnostic], span: Span) -> list[Diagnostic]:
    """What a store found, shown where the reference stands, with the store's own place beside it."""
    return [
        Diagnostic(d.code, d.message, span, d.severity, hint=d.hint,
                   related=(*d.related, *((Label(d.span, "found here"),) if d.span is not None else ())))
        for d in diagnostics
    ]  # fmt: skip


def published_files(manifests: Sequence[Document]) -> dict[str, str]:
    """The layer by which others refer to a platform: its ``manifest.yaml`` as written, ``parent-1.yaml``, …"""
    names = ["manifest.yaml", *(f"parent-{i}.yaml" for i in range(1, len(manifests)))][: len(manifests)]
    return {name: d.yaml.source.text for name, d in zip(names, reversed(manifests), strict=True)}


def exemptions(resolved: Resolved, today: date) -> Outcome[list[dict[str, Any]]]:
    """The exemptions in force, and FLC405 for each that has expired (its last day is still in force)."""
    found: list[Diagnostic] = []
    for document in resolved.chain:
        for i, item in enumerate(document.data.get("exemptions", ())):
            if item["expires"][:10] < today.isoformat():
                text = f"the exemption from {item['policy']} expired on {item['expires'][:10]}"
                path: Keys = ("exemptions", i, "expires")
                hint = "fix the cause, or renew it with a new date"
                found.append(Diagnostic("FLC405", text, document.span(path), hint=hint, path=path))
    return Outcome(list(resolved.data.get("exemptions", ())), tuple(found))
