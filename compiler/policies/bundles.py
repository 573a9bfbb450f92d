"""Which policy bundles the manifests put in force, and the files of each.

A bundle is named by ``use``: ``stdlib`` (all of the standard library), ``stdlib/<family>``, or a path from the
manifest's folder to a policy file or a folder of them. Where no manifest has ``policies``, all of the standard
library is in force. Codes: FLC420 unknown family, FLC421 a path without policies, FLC422 a bundle in a registry.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from functools import cache as cached
from functools import lru_cache
from pathlib import Path
from typing import Any

import stdlib_policies
from compiler.documents.models import Document
from compiler.documents.shape import Keys
from policy_lang.codegen import cache
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple
from policy_lang.source import Source, Span
from policy_lang.spell import did_you_mean

STDLIB = Path(stdlib_policies.__file__).parent
_LIBRARY = "lib"
"""The folder of what the families share; it has no policies of its own."""
_SUFFIXES = (".floe", ".rego")
_TESTS = ("_test.floe", "_test.rego")


_MOVING = Pattern(r"\b(?:time\s*\.\s*now_ns|rand\s*\.\s*intn|uuid\s*\.\s*rfc4122|decode_verify)\b")
"""Builtins whose answer is another one the next time."""
_MOST_ENTRIES = 50_000
"""No bundle is that large: it is the root of a disk, or a home folder, named by mistake."""


class _TooManyError(Exception):
    """A folder has more entries than any bundle."""


class Bundle(NamedTuple):
    """One entry of ``policies``: ``document`` and ``number`` say where it stands (None for the built-in default)."""

    use: str
    tier: str
    files: tuple[str, ...]
    document: Document | None = None
    number: int = 0

    def setting(self, field: str) -> dict[str, Any]:
        """What the entry says under ``severity`` or ``params``."""
        if self.document is None:
            return {}
        value: dict[str, Any] = self.document.data["policies"][self.number].get(field, {})
        return value

    def span(self, *keys: str) -> Span | None:
        """Where ``keys`` of the entry stand."""
        if self.document is None:
            return None
        path: Keys = ("policies", self.number, *keys)
        return self.document.span(path)

    def key_span(self, *keys: str) -> Span | None:
        """Where the last of ``keys`` itself is written, for what is wrong with the name and not with the value."""
        return self.document.key_span(("policies", self.number, *keys)) if self.document is not None else None


def bundles_in_force(manifests: Sequence[Document]) -> Outcome[tuple[Bundle, ...]]:
    """The bundles of a chain of manifests, the topmost tier's first."""
    found: list[Diagnostic] = []
    bundles: list[Bundle] = []
    named = False
    for document in manifests:
        for i, entry in enumerate(document.data.get("policies", ())):
            named = True
            files = _files(entry["use"], document, i, found)
            if files:
                bundles.append(Bundle(entry["use"], document.scope, files, document, i))
    if not named:
        bundles.append(Bundle("stdlib", "built-in", tuple(_policy_files(STDLIB))))
    return Outcome(tuple(bundles), tuple(found))


def read_policies(bundles: Sequence[Bundle]) -> Outcome[tuple[Source, ...]]:
    """The texts of all files, each once."""
    found: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    shipped = cache.stamps(str(STDLIB))
    for path in (file for bundle in bundles for file in bundle.files):
        if path in sources:
            continue
        stamp = shipped.get(path)
        if stamp is not None:
            sources[path] = ShippedSource(path, stamp)
            continue
        try:
            sources[path] = Source(path, _text(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            found.append(Diagnostic("FLC421", f"cannot read the policy file `{path}`: {reason}"))
    return Outcome(tuple(sources.values()), tuple(found))


class ShippedSource(Source):
    """A policy file that comes with this program, told by its size and time as the program's own modules are; it is
    read where its text is asked for, which is where the cache does not know what is made of it."""

    __slots__ = ()

    @property
    def identity(self) -> str:
        return self[1]

    @property
    def text(self) -> str:
        return _shipped(self.file)


def moving(sources: Sequence[Source]) -> bool:
    """Whether policies may find something else in the same input: one of the project's own asks for the time, or for
    chance. Those that come with this program do not ask for more than the day."""
    return any(not isinstance(source, ShippedSource) and _MOVING.search(source.text) for source in sources)


@cached
def _shipped(path: str) -> str:
    return _text(path)


def _text(path: str) -> str:
    """Opened without waiting, because it may be a pipe. Raises OSError and UnicodeDecodeError."""
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is a pipe" if stat.S_ISFIFO(found.st_mode) else "it is no file")
        with open(opened, "rb", buffering=0, closefd=False) as file:
            raw = file.readall()
    finally:
        os.close(opened)
    text = raw.removeprefix(codecs.BOM_UTF8).decode()
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _files(use: str, document: Document, index: int, found: list[Diagnostic]) -> tuple[str, ...]:
    path: Keys = ("policies", index, "use")
    span = document.span(path)
    if use == "stdlib" or use.startswith("stdlib/"):
        family = use.removeprefix("stdlib").strip("/")
        if family and family not in families():
            text = f"the standard library has no family `{family}`"
            hint = did_you_mean(family, families()) or "it has: " + ", ".join(families())
            found.append(Diagnostic("FLC420", text, span, hint=hint, path=path))
            return ()
        if not family:
            return tuple(_policy_files(STDLIB))
        folders = tuple(f"{STDLIB}{os.sep}{name}{os.sep}" for name in (family, _LIBRARY))
        return tuple(file for folder in folders for file in cache.stamps(str(STDLIB)) if file.startswith(folder))
    if "://" in use:
        text = f"the policies of `{use}` are in a registry, which is not read here: they cannot be judged by"
        hint = "pull them into a folder, and name that folder"
        found.append(Diagnostic("FLC422", text, span, hint=hint, path=path))
        return ()
    # Normal, so that two tiers that name one folder name the same files.
    target = Path(os.path.normpath(Path(document.file).parent / use))
    try:
        files = (str(target),) if target.is_file() else tuple(_policy_files(target))
    except _TooManyError:
        text = f"the policy bundle `{use}` is a folder of more than {_MOST_ENTRIES:,} files"
        found.append(Diagnostic("FLC421", text, span, hint="name a folder that holds policies only", path=path))
        return ()
    if not files:
        what = "holds no policy file (.floe, .rego)" if target.is_dir() else "does not exist"
        hint = f"the path is relative to `{document.file}`"
        found.append(Diagnostic("FLC421", f"the policy bundle `{use}` {what}", span, hint=hint, path=path))
    return files


@lru_cache(maxsize=1024)
def named(span: Span) -> Span:
    """A place in the standard library under the name that a manifest has for it, the same on every machine."""
    inside = span.file.removeprefix(f"{STDLIB}{os.sep}")
    return span if inside == span.file else span._replace(file=f"stdlib/{Path(inside).as_posix()}")


def families() -> list[str]:
    """The families of the standard library: its folders."""
    folders = (entry.name for entry in os.scandir(STDLIB) if entry.is_dir() and entry.name[0] not in "._")
    return sorted(name for name in folders if name != _LIBRARY)


def _policy_files(folder: Path) -> Iterator[str]:
    """Policy files below a folder, sorted; tests are none. Links to folders are not followed, so rings end."""
    entries = 0
    for root, folders, names in os.walk(folder):
        entries += len(folders) + len(names)
        if entries > _MOST_ENTRIES:
            raise _TooManyError
        folders[:] = sorted(f for f in folders if not f.startswith((".", "_")))
        yield from (os.path.join(root, n) for n in sorted(names) if n.endswith(_SUFFIXES) and not n.endswith(_TESTS))
