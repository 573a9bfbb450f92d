"""A digest of 32 bytes for caches, from the module that holds it: ``hashlib`` loads all of OpenSSL before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b
    except ImportError:  # another Python than CPython may have it elsewhere
        from hashlib import blake2b


def digest_of(content: Any = b"") -> blake2b:
    """BLAKE2b over ``content`` and what it is updated with."""
    return blake2b(content, digest_size=32)
