"""Bytes as text: base64 in its alphabets, and hexadecimal digits."""

from __future__ import annotations

import base64
from typing import Any

from policy_lang.json_text import GO
from policy_lang.runtime.builtins import go_base64
from policy_lang.runtime.builtins.registry import builtin, failure


@builtin("base64.encode", "string")
def base64_encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@builtin("base64.decode", "string")
def base64_decode(text: str) -> str:
    return _decoded("base64.decode", go_base64.decode, text)


@builtin("base64.is_valid", "any")
def base64_is_valid(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        go_base64.decode(text)
    except ValueError:
        return False
    return True


@builtin("base64url.encode", "string")
def base64url_encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@builtin("base64url.encode_no_pad", "string")
def base64url_encode_no_pad(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@builtin("base64url.decode", "string")
def base64url_decode(text: str) -> str:
    return _decoded("base64url.decode", go_base64.decode_url, text)


@builtin("hex.encode", "string")
def hex_encode(text: str) -> str:
    return text.encode().hex()


@builtin("hex.decode", "string")
def hex_decode(text: str) -> str:
    return _decoded("hex.decode", _hex_bytes, text)


def _hex_bytes(text: str) -> bytes:
    """The bytes of pairs of digits.

    Raises:
        ValueError: there is something else, named as Go names it.
    """
    raw = text.encode(errors="surrogatepass")
    wrong = next((byte for byte in raw if byte not in b"0123456789abcdefABCDEF"), None)
    if wrong is not None:
        shown = f" {chr(wrong)!r}" if chr(wrong).isprintable() else ""
        raise ValueError(f"encoding/hex: invalid byte: U+{wrong:04X}{shown}")
    if len(raw) % 2:
        raise ValueError("encoding/hex: odd length hex string")
    return bytes.fromhex(text)


def _decoded(name: str, decode: Any, text: str) -> str:
    try:
        found: bytes = decode(text)
    except ValueError as error:
        raise failure(name, str(error)) from None
    return found.decode(errors=GO)
