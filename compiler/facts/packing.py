"""Plain values as bytes for this user's cache, and back; decoded only where they are looked at."""

from __future__ import annotations

import marshal
import zlib
from pathlib import Path
from typing import Any

from compiler.facts.file_cache import MAX_PACK_BYTES, read_pack, write_pack


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
