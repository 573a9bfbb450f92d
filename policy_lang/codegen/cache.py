"""Compiled programs on disk, by the content of what they were made of.

A kept program is code, so nothing is read that another user could have written (``policy_lang.private_files``). A file
that is damaged counts as not there. That the cache cannot be written is no error: the program is compiled again next
time.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_lang.digests import digest_of
from policy_lang.private_files import make_room, read_private, write_private
from policy_lang.source import Source

if TYPE_CHECKING:
    from policy_lang.engine import CompileOptions

MOST_FILES = 1024
_MAGIC = b"floec-program-2\n"
_PROGRAM = (".py", ".lark", ".floe", ".rego")
_TESTS = ("_test.floe", "_test.rego")


def folder() -> Path:
    """``programs`` in floec's folder below ``XDG_CACHE_HOME`` (``~/.cache``)."""
    home = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home and os.path.isabs(home) else Path.home() / ".cache"
    return base / "floec" / "programs"


def key(kind: str, sources: Sequence[Source], options: CompileOptions) -> str:
    """The name of what is made of these: a digest of the compiler, of Python, of all texts and options."""
    global _last
    rooms = tuple(program("policy_lang", "grammar"))
    if _last is None or _last[0] is not sources or _last[1] is not options or _last[2] != rooms:
        texts = (part for source in sources for part in (source.file, source.identity))
        made = key_of(*rooms, _settings(options), *texts)
        if not isinstance(sources, tuple):  # it may be another one tomorrow
            return key_of(kind, made)
        _last = (sources, options, rooms, made)
    return key_of(kind, _last[3])


_last: tuple[Sequence[Source], CompileOptions, tuple[str, ...], str] | None = None
"""What was asked for last, and its digest: policies are asked for their declarations, then for their code."""


def _settings(options: CompileOptions) -> str:
    settings: Any = (options.schema_identity, options.strict, options.capabilities, sorted(options.without))
    try:
        # Of this version no byte depends on what else refers to a value; it takes a tenth of the time of `repr`.
        return marshal.dumps((settings, options.completed), 2).hex()
    except ValueError:  # a number in a schema that is neither an integer nor a float
        return repr((settings, options.completed))


def key_of(*parts: str) -> str:
    """The name of what is made of ``parts`` by this Python."""
    digest = digest_of()
    for text in (sys.version, *parts):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d " % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()


def program(*rooms: str) -> Iterator[str]:
    """What tells one state of this program's ``rooms`` from another: the names, sizes and times of its files."""
    return map(_digest_of_room, rooms)


@lru_cache(maxsize=1)
def installed() -> tuple[str, ...]:
    """The libraries that are installed, with their versions, by what installers leave of them: what this program
    answers by their help can be another with the next version, or with one more plugin."""
    found: set[str] = set()
    for folder in sys.path:
        if folder.endswith("-packages"):
            with contextlib.suppress(OSError):
                found.update(name for name in os.listdir(folder) if name.endswith(".dist-info"))
    return tuple(sorted(found))


@lru_cache(maxsize=8)
def _digest_of_room(room: str) -> str:
    home = str(Path(__file__).parents[2] / room)
    lines = "\n".join(f"{path[len(home) :]} {stamp}" for path, stamp in stamps(home).items())
    return digest_of(lines.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=8)
def stamps(folder: str) -> dict[str, str]:
    """The size and time of each file of a program below ``folder``, by path; looked at once."""
    return dict(sorted(_below(folder)))


def _below(folder: str) -> Iterator[tuple[str, str]]:
    for entry in os.scandir(folder):
        name = entry.name
        if name.endswith(_PROGRAM):
            if not name.endswith(_TESTS):
                found = entry.stat()
                yield entry.path, f"{found.st_size} {found.st_mtime_ns}"
        elif "." not in name and name != "__pycache__" and entry.is_dir():
            yield from _below(entry.path)


def read(key: str) -> Any:
    """What is kept under a key; None where nothing is, or nothing that may be trusted."""
    content = read_private(folder() / key)
    start = len(_MAGIC) + 8
    payload = memoryview(content)[start:]
    return marshal.loads(payload) if content[:start] == _MAGIC + _checksum(payload) else None


def holds(key: str) -> bool:
    """Whether something is kept under a key, to be trusted or not."""
    return os.path.exists(folder() / key)


def write(key: str, value: Any) -> None:
    """Keeps a value of ``marshal``'s types under a key; all of it or nothing."""
    payload = marshal.dumps(value)
    home = folder()
    if write_private(home / key, _MAGIC, _checksum(payload), payload):
        make_room(home, "", MOST_FILES)


def _checksum(payload: Any) -> bytes:
    """What tells that a file is damaged. A digest takes eight times as long, and nobody else can have written it."""
    return zlib.crc32(payload, 1).to_bytes(4, "big") + (len(payload) & 0xFFFFFFFF).to_bytes(4, "big")
