"""Digests from the modules that hold them: ``hashlib`` loads all of OpenSSL before it answers.

BLAKE2b with 32 bytes is for caches; MD5 and SHA-256 are what others (dbt) name and compare things by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:  # another Python than CPython may have it elsewhere
        from hashlib import blake2b


def digest_of(content: Any = b"", size: int = 32) -> blake2b:
    """BLAKE2b of ``size`` bytes over ``content`` and what it is updated with."""
    return blake2b(content, digest_size=size)


def name_of(*parts: str) -> str:
    """A file's name in a cache for what these texts tell; they may hold what is no UTF-8 in a path."""
    text = "\n".join(parts).encode("utf-8", "surrogateescape")
    return digest_of(text, 16).hexdigest()


def md5_hex(content: bytes) -> str:
    """MD5 in hexadecimal digits."""
    try:
        from _md5 import md5  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import md5
    return str(md5(content, usedforsecurity=False).hexdigest())


def sha256_hex(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
    except ImportError:  # Python 3.12 has another module
        from hashlib import sha256
    return str(sha256(content).hexdigest())
