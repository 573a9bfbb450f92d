"""The state of a file as its times tell it, and when these cannot be trusted.

A file that was changed shortly before it was read may be changed again without a trace in its times: then its content
says whether it is the same.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from collections.abc import Iterable

from policy_lang.digests import digest_of

Stamp = tuple[int, int, int, int]
"""Size, times of change of content and of the entry (nanoseconds), inode."""
FOLDER: Stamp = (-2, -1, -1, -1)
NO_FILE: Stamp = (-1, -1, -1, -1)
"""What is neither a file nor a folder: a pipe, a link that leads nowhere."""
FRESH_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000
_PART_BYTES = 1 << 20
_DIGEST_BYTES = 16


def now() -> int:
    """The time (nanoseconds) at which something begins to look at files."""
    return time.time_ns()


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells that a file has changed, without reading it."""
    if stat.S_ISREG(status.st_mode):
        return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return FOLDER if stat.S_ISDIR(status.st_mode) else NO_FILE


def is_fresh(stamp: Stamp | None, started: int) -> bool:
    """Whether the times of a file are too fresh at ``started`` to be trusted."""
    return stamp is not None and max(stamp[1:3]) > started - FRESH_NS


def changed_since(stamps: Iterable[Stamp | None], started: int) -> bool:
    """Whether a file was changed after ``started`` (``now``).

    The clock of file systems may be some milliseconds behind. That is sooner than anything is read after a start, while
    the last write of an editor may be that close before.
    """
    return any(stamp is not None and _last(stamp) >= started for stamp in stamps)


def _last(stamp: Stamp) -> int:
    """The latest time at which a file may have been changed: some file systems know seconds only."""
    last = max(stamp[1:3])
    return last if last % _SECOND_NS else last + FRESH_NS


def content_digest(data: bytes) -> bytes:
    """What tells the contents of two files apart."""
    return digest_of(data, _DIGEST_BYTES).digest()


def content(file: str) -> bytes:
    """``content_digest`` of what is in a file, or the kind of error that its reading ends in."""
    try:
        # Opened without waiting: what was put there may be a pipe.
        with open(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return b"no file"
            digest = digest_of(size=_DIGEST_BYTES)
            while part := opened.read(_PART_BYTES):
                digest.update(part)
            return digest.digest()
    except OSError as error:
        return type(error).__name__.encode()


def checksum(file: str) -> bytes:
    """What tells one writing of a manifest from the next: its beginning, where dbt puts the time and the id of its run,
    by digest, and all of it by checksum and length. It takes a quarter of what ``content`` takes; empty where the file
    cannot be read."""
    part = memoryview(bytearray(_PART_BYTES // 4))
    length = found = 0
    head = b""
    try:
        with open(file, "rb", buffering=0) as opened:
            while count := opened.readinto(part):
                head = head or content_digest(bytes(part[:count]))
                found = zlib.crc32(part[:count], found)
                length += count
    except OSError:
        return b""
    return head + found.to_bytes(4, "big") + length.to_bytes(8, "big")


def contents(files: Iterable[str], stamps: dict[str, Stamp | None]) -> dict[str, bytes] | None:
    """``content`` of each file; None where one is in another state than ``stamps`` say when it has been read."""
    found = {file: content(file) for file in files}
    return found if all(stamp(file) == stamps[file] for file in found) else None


def stamp(file: str) -> Stamp | None:
    """The state of a file, None where there is nothing. Raises OSError where that cannot be told."""
    try:
        return stamp_of(os.stat(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
