"""What files of a project said last time, by content: one pack a project under the user's cache folder.

A pack is read only where nobody else can have written it (``policy_lang.private_files``), its digest is right and its
values have the expected types; otherwise it counts as absent. It holds plain values (JSON), never code, and what this
run did not use is not written again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from compiler.facts.project.file_facts import FileFacts
from compiler.facts.sql.text import SqlText
from compiler.structs import Struct
from policy_lang.codegen import cache
from policy_lang.digests import digest_of, name_of
from policy_lang.private_files import make_room, read_private, write_private

FORMAT = b"floec-facts-1\n"
MAX_PACK_BYTES = 256 * 1024 * 1024
MAX_PACKS = 64
_ROOT = Path(__file__).parents[3]
_READERS = (
    "compiler/documents/shape", "compiler/documents/yaml_document", "compiler/documents/yaml_library",
    "compiler/facts/entries", "compiler/facts/kept/file_cache", "compiler/facts/kept/packing",
    "compiler/facts/kept/values", "compiler/facts/lineage/macros", "compiler/facts/lineage/model",
    "compiler/facts/lineage/names", "compiler/facts/lineage/plain", "compiler/facts/lineage/render",
    "compiler/facts/lineage/scope", "compiler/facts/lineage/sql", "compiler/facts/lineage/trace",
    "compiler/facts/project/config", "compiler/facts/project/file_facts", "compiler/facts/project/ignored",
    "compiler/facts/project/jinja_values", "compiler/facts/project/plain_jinja", "compiler/facts/project/profile",
    "compiler/facts/project/scan", "compiler/facts/project/seed_files", "compiler/facts/project/sql_files",
    "compiler/facts/project/variables", "compiler/facts/project/yaml_values", "compiler/facts/sql/blank_jinja",
    "compiler/facts/sql/check", "compiler/facts/sql/plain", "compiler/facts/sql/shape", "compiler/facts/sql/syntax",
    "compiler/facts/sql/text", "compiler/file_states", "compiler/ir/facts_model", "compiler/structs",
    "policy_lang/codegen/cache", "policy_lang/diagnostics", "policy_lang/digests", "policy_lang/json_text",
    "policy_lang/later", "policy_lang/patterns", "policy_lang/private_files", "policy_lang/records",
    "policy_lang/runtime/values", "policy_lang/source", "policy_lang/spell",
)  # fmt: skip
"""The modules that make what is cached, with all that they import of this program."""
_LIBRARIES = ("jinja2-", "pyyaml-", "sqlglot")


class Known(Struct, array_like=True):
    """What one content says: the facts of a file with Jinja, Python or CSV in it, or the values of a YAML file."""

    facts: FileFacts | None = None
    text: SqlText | None = None
    yaml: Any = None


_ENCODER = msgspec.json.Encoder(decimal_format="number")
T = TypeVar("T")


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """``FLOEC_CACHE_DIR``, else floec's folder under ``XDG_CACHE_HOME`` or ``~/.cache``; None where switched off."""
    given = environ.get("FLOEC_CACHE_DIR")
    if given is not None:
        return Path(given) if given else None
    home = environ.get("XDG_CACHE_HOME", "")
    return Path(home if os.path.isabs(home) else os.path.join(os.path.expanduser("~"), ".cache")) / "floec"


class FileCache(Generic[T]):
    """Answers by content; ``save`` writes what was asked for since it was made."""

    def __init__(self, folder: Path | None, key: str, kind: type[T]) -> None:
        """``key`` names the project and all that the answers depend on beside the content and the reading code."""
        name = name_of(key, _code_signature())
        self._path = None if folder is None else folder / "facts" / f"{name}.pack"
        self._known: dict[str, T] = {} if self._path is None else _load(self._path, kind)
        self._used: dict[str, T] = {}
        self._new = False

    def get(self, content: bytes, kind: str) -> tuple[str, T | None]:
        """The key of a file's content, and what is known of it."""
        digest = digest_of(kind.encode(), 16)
        digest.update(b"\0")
        digest.update(content)
        key = digest.hexdigest()
        found = self._known.get(key)
        if found is not None:
            self._used[key] = found
        return key, found

    def put(self, key: str, known: T) -> None:
        """Remember what a content says."""
        self._used[key] = known
        self._new = True

    def save(self) -> None:
        """Write the pack where something is new; a cache folder that cannot be written costs time only."""
        if self._path is None or not (self._new or len(self._used) < len(self._known) // 2):
            return
        try:
            payload = _ENCODER.encode(self._used)
        except UnicodeEncodeError:  # a text that is no Unicode, as SQL may make with escapes: found anew each time
            payload = _ENCODER.encode({key: known for key, known in self._used.items() if _writable(known)})
        if len(payload) <= MAX_PACK_BYTES:
            write_pack(self._path, FORMAT + digest_of(payload).digest(), payload)


def _writable(known: object) -> bool:
    try:
        _ENCODER.encode(known)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=1)
def _code_signature() -> str:
    """Changes with the modules that make what is cached (with their texts, so that an installation changes nothing)
    and with the versions of the libraries that they ask."""
    digest = digest_of()
    for name in _READERS:
        digest.update((_ROOT / f"{name}.py").read_bytes())
    for name in cache.installed():
        if name.lower().startswith(_LIBRARIES):
            digest.update(name.encode())
    return digest.hexdigest()


def read_pack(path: Path) -> bytes:
    """What ``write_pack`` wrote; empty where there is nothing that may be trusted."""
    return read_private(path, MAX_PACK_BYTES + 1024)


def write_pack(path: Path, *parts: bytes) -> None:
    """Keep a file for later runs; of each suffix there are so many at most."""
    if write_private(path, *parts):
        make_room(path.parent, path.suffix, MAX_PACKS)


def _load(path: Path, kind: type[T]) -> dict[str, T]:
    try:
        data = read_pack(path)
        start = len(FORMAT) + 32
        payload = memoryview(data)[start:]
        if data[: len(FORMAT)] != FORMAT or digest_of(payload).digest() != data[len(FORMAT) : start]:
            return {}
        return msgspec.json.Decoder(dict[str, kind], float_hook=Decimal).decode(payload)  # type: ignore[valid-type]
    except (msgspec.MsgspecError, RecursionError):
        return {}
