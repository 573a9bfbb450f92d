"""Plain values as bytes for this user's cache, and back; decoded only where they are looked at."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from compiler.facts.kept.file_cache import MAX_PACK_BYTES, read_pack, write_pack
from policy_lang.private_files import open_private


def encoded(value: Any) -> bytes:
    """``value``, with the sharing that is in it."""
    try:
        return b"m" + marshal.dumps(value)
    except ValueError:  # a decimal number, which `marshal` does not write
        import pickle

        return b"p" + pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def decoded(data: bytes) -> Any:
    """What ``encoded`` was given; the cache holds nothing that others could write."""
    if data[:1] == b"m":
        return marshal.loads(memoryview(data)[1:])
    import pickle

    return pickle.loads(memoryview(data)[1:])


def write_packed(path: Path, form: bytes, value: tuple[Any, ...]) -> None:
    """Keep a value of ``marshal``'s types under a name; ``form`` tells its shape from others."""
    payload = marshal.dumps(value)
    if len(payload) > MAX_PACK_BYTES:
        return  # it would not be read
    write_pack(path, form, zlib.crc32(payload).to_bytes(4, "big"), payload)


def read_packed(path: Path, form: bytes) -> tuple[Any, ...] | None:
    """What ``write_packed`` wrote; None where there is nothing, or something damaged."""
    data = read_pack(path)
    head = len(form) + 4
    payload = memoryview(data)[head:]
    if data[: len(form)] != form or zlib.crc32(payload).to_bytes(4, "big") != data[len(form) : head]:
        return None
    found: tuple[Any, ...] = marshal.loads(payload)
    return found


def write_parts(path: Path, form: bytes, token: bytes, parts: Sequence[bytes]) -> None:
    """Keep parts of which few are read later; ``token`` (of any length) tells this writing from others."""
    if sum(map(len, parts)) <= MAX_PACK_BYTES:
        head = marshal.dumps((token, [(len(part), zlib.crc32(part)) for part in parts]))
        write_pack(path, form, zlib.crc32(head).to_bytes(4, "big"), len(head).to_bytes(4, "big"), head, *parts)


def read_parts(path: Path, form: bytes, token: bytes, numbers: Iterable[int]) -> dict[int, bytes] | None:
    """Those of the parts that ``write_parts`` wrote with this token; None where they are not there or damaged."""
    try:
        with open_private(path) as file:
            start = file.read(len(form) + 8)
            head = file.read(int.from_bytes(start[-4:], "big"))
            if start != form + zlib.crc32(head).to_bytes(4, "big") + len(head).to_bytes(4, "big"):
                return None
            kept, sizes = marshal.loads(head)
            if kept != token:
                return None
            at = list(accumulate((length for length, _ in sizes), initial=len(start) + len(head)))
            found: dict[int, bytes] = {}
            for number in sorted({*numbers}):
                length, checksum = sizes[number]
                file.seek(at[number])
                found[number] = file.read(length)
                if zlib.crc32(found[number]) != checksum:
                    return None
            return found
    except OSError:
        return None
