"""Base64 as Go reads it: line breaks count for nothing, all else has to be right, and an error names its byte."""

from __future__ import annotations

import base64
import re

_WHOLE = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_SWAP = bytes.maketrans(b"-_+/", b"+/-_")
_BREAKS = b"\r\n"


def decode(text: str, *, url: bool = False) -> bytes:
    """The bytes that a text stands for; ``url`` takes the alphabet of URLs.

    Raises:
        ValueError: the text is no base64.
    """
    raw = text.encode(errors="surrogatepass")
    if url:
        raw = raw.translate(_SWAP)
    plain = raw.translate(None, _BREAKS)
    if _WHOLE.fullmatch(plain) is None:
        raise ValueError(f"illegal base64 data at input byte {_wrong(raw)}")
    return base64.b64decode(plain)


def decode_url(text: str) -> bytes:
    """``decode`` with the alphabet of URLs, where the padding may be missing.

    Raises:
        ValueError: the text is no base64.
    """
    if not text.endswith("="):
        rest = len(text.encode(errors="surrogatepass")) % 4
        if rest == 1:
            raise ValueError(f"illegal base64url string: {text}")
        text += "=" * (-rest % 4)
    return decode(text, url=True)


def _wrong(raw: bytes) -> int:
    """The byte at which reading four by four ends."""
    at = 0
    while True:
        for place in range(4):
            while at < len(raw) and raw[at] in _BREAKS:
                at += 1
            if at == len(raw):
                return at - place
            if raw[at] not in _LETTERS:
                return _padding(raw, at, place)
            at += 1


def _padding(raw: bytes, at: int, place: int) -> int:
    """The same where the letter at ``at``, in ``place`` of its four, is none."""
    if raw[at] != ord("=") or place < 2:
        return at
    at += 1
    if place == 2:
        while at < len(raw) and raw[at] in _BREAKS:
            at += 1
        if at == len(raw) or raw[at] != ord("="):
            return at if at == len(raw) else at - 1
        at += 1
    while at < len(raw) and raw[at] in _BREAKS:
        at += 1
    return at
