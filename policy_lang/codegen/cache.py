"""Compiled programs on disk, by the content of what they were made of.

A kept program is code, so nothing is read that another user could have written: the folder and the file have
to belong to the user, and be writable by nobody else. A file that is damaged counts as not there. That the
cache cannot be written is no error: the program is compiled again next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_lang.source import Source

if TYPE_CHECKING:
    from policy_lang.engine import CompileOptions

MOST_FILES = 256
_MAGIC = b"floec-program-1\n"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def folder() -> Path:
    """``programs`` in floec's folder below ``XDG_CACHE_HOME`` (``~/.cache``)."""
    home = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home and os.path.isabs(home) else Path.home() / ".cache"
    return base / "floec" / "programs"


def key(kind: str, sources: Sequence[Source], options: CompileOptions) -> str:
    """The name of what is made of these: a digest of the compiler, of Python, of all texts and options."""
    import json

    digest = hashlib.sha256()
    settings = [options.input_schema, options.strict, options.capabilities, sorted(options.without), options.completed]
    parts = [kind, _compiler(), sys.version, json.dumps(settings, sort_keys=True, default=str)]
    for text in (*parts, *(part for source in sources for part in (source.file, source.text))):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _compiler() -> str:
    """What tells one state of the compiler from another: the sizes and times of its files."""
    found: list[str] = []
    for name in ("policy_lang", "grammar"):
        home = Path(__file__).parents[2] / name
        found += _stamps(home)
    return "\n".join(sorted(found))


def _stamps(home: Path) -> Iterator[str]:
    for entry in os.scandir(home):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _stamps(Path(entry.path))
        elif entry.name.endswith((".py", ".lark")):
            found = entry.stat()
            yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"


def read(key: str) -> Any:
    """What is kept under a key; None where nothing is, or nothing that may be trusted."""
    home = folder()
    try:
        if not _private(os.lstat(home), stat.S_ISDIR):
            return None
        # Opened without waiting: what was put there may be a pipe.
        file = os.open(home / key, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with open(file, "rb") as opened:
            if not _private(os.fstat(file), stat.S_ISREG):
                return None
            content = opened.read()
    except OSError:
        return None
    start = len(_MAGIC) + 32
    payload = content[start:]
    if content[:start] != _MAGIC + hashlib.sha256(payload).digest():
        return None
    return marshal.loads(payload)


def _private(found: os.stat_result, kind: Any) -> bool:
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and kind(found.st_mode) and not found.st_mode & _WRITABLE_BY_OTHERS


def write(key: str, value: Any) -> None:
    """Keeps a value of ``marshal``'s types under a key; all of it or nothing."""
    import tempfile

    payload = marshal.dumps(value)
    home = folder()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _private(os.lstat(home), stat.S_ISDIR):
            return
        _make_room(home)
        file, name = tempfile.mkstemp(dir=home)
    except OSError:
        return  # a cache that cannot be written costs time only
    try:
        with open(file, "wb") as opened:
            opened.write(_MAGIC + hashlib.sha256(payload).digest() + payload)
        os.replace(name, home / key)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)


def _make_room(home: Path) -> None:
    """Removes the files that were written longest ago where there are too many."""
    files = sorted((entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(home))
    for _, path in files[: max(0, len(files) - MOST_FILES + 1)]:
        with contextlib.suppress(OSError):
            os.unlink(path)
