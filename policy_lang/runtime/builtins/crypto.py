"""Digests and keyed digests of text, as hexadecimal digits."""

from __future__ import annotations

import hashlib
import hmac

from policy_lang.runtime.builtins.registry import builtin


@builtin("crypto.md5", "string")
def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@builtin("crypto.sha1", "string")
def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@builtin("crypto.sha256", "string")
def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@builtin("crypto.hmac.md5", "string", "string")
def hmac_md5(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), "md5").hexdigest()


@builtin("crypto.hmac.sha1", "string", "string")
def hmac_sha1(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha1").hexdigest()


@builtin("crypto.hmac.sha256", "string", "string")
def hmac_sha256(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


@builtin("crypto.hmac.sha512", "string", "string")
def hmac_sha512(text: str, key: str) -> str:
    return hmac.new(key.encode(), text.encode(), "sha512").hexdigest()


@builtin("crypto.hmac.equal", "string", "string")
def hmac_equal(left: str, right: str) -> bool:
    """Equality in a time that tells nothing of the place of the first difference."""
    return hmac.compare_digest(left.encode(), right.encode())
