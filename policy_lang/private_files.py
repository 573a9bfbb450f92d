"""Files of this user's cache, which nobody else can have written.

What is kept holds code and decides what a check says. So a file is read only where its folder and itself belong to
the user, are what they seem (no links) and may be written by nobody else; otherwise it counts as absent. Files are
written whole and moved into place. That one cannot be written costs time and is no error.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PART = ".part"
_LEFT_S = 3600
"""A file that has been written for so long is one that its writer did not live to finish."""


def read_private(path: Path, most: int | None = None) -> bytes:
    """The content of a file; empty where there is none that may be trusted, or one larger than ``most`` bytes."""
    try:
        with open_private(path) as opened:
            return opened.readall() if most is None or os.fstat(opened.fileno()).st_size <= most else b""
    except OSError:
        return b""


def open_private(path: Path) -> FileIO:
    """A file that may be trusted. Raises OSError where there is none."""
    if not _private(os.lstat(path.parent), stat.S_ISDIR):
        raise PermissionError(path.parent)
    # Opened without waiting: what was put there may be a pipe.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    opened = open(file, "rb", buffering=0)  # noqa: SIM115 (the caller closes it)
    if not _private(os.fstat(file), stat.S_ISREG):
        opened.close()
        raise PermissionError(path)
    return opened


def write_private(path: Path, *parts: bytes) -> bool:
    """Write a file, all of it or nothing; whether it was written."""
    part = f"{path}.{os.urandom(6).hex()}{_PART}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _private(os.lstat(path.parent), stat.S_ISDIR):
            return False
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError:
        return False
    try:
        with open(file, "wb") as opened:
            opened.writelines(parts)
        os.replace(part, path)
    except OSError:  # a full disk is no place for half a file
        with contextlib.suppress(OSError):
            os.unlink(part)
        return False
    return True


def make_room(folder: Path, suffix: str, most: int) -> None:
    """Remove the files of a suffix that were written longest ago where there are more than ``most``, and what nobody
    finished writing."""
    with contextlib.suppress(OSError):
        names = [entry.name for entry in os.scandir(folder)]
        before = time.time_ns() - _LEFT_S * 1_000_000_000
        _remove(folder, [n for n in names if n.endswith(_PART)], lambda found: [n for t, n in found if t < before])
        own = [n for n in names if n.endswith(suffix) and not n.endswith(_PART)]
        if len(own) > most:
            _remove(folder, own, lambda found: [n for _, n in sorted(found)[: len(found) - most]])


def _remove(folder: Path, names: list[str], which: Callable[[list[tuple[int, str]]], list[str]]) -> None:
    """Another process may remove the same ones."""
    found: list[tuple[int, str]] = []
    for name in names:
        with contextlib.suppress(OSError):
            found.append((os.stat(folder / name).st_mtime_ns, name))
    for name in which(found):
        with contextlib.suppress(OSError):
            os.unlink(folder / name)


def _private(found: os.stat_result, kind: Callable[[int], bool]) -> bool:
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and kind(found.st_mode) and not found.st_mode & _OTHERS
