"""Universally unique identifiers (RFC 4122, DCE 1.1): what an identifier says of itself."""

from __future__ import annotations

import re
from typing import Any

from policy_lang.runtime.builtins.registry import builtin
from policy_lang.runtime.values import UNDEFINED

# 100 ns steps between the UUID epoch (1582-10-15) and 1970-01-01
_EPOCH = 0x01B21DD213814000
_DASHED = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", re.ASCII | re.IGNORECASE
)
_PLAIN = re.compile(r"[0-9a-f]{32}", re.ASCII | re.IGNORECASE)
_DOMAINS = ("Person", "Group", "Org")


@builtin("uuid.parse", "string")
def parse(text: str) -> Any:
    """Version and variant; of versions 1 and 2 also time (ns since 1970), node and clock sequence.

    Takes the dashed form, with ``urn:uuid:`` before it, between a pair of any characters, or 32 digits; all
    else is undefined.
    """
    value = _octets(text)
    if value is None:
        return UNDEFINED
    version = value[6] >> 4
    found: dict[str, Any] = {"version": version, "variant": _variant(value[8])}
    if version in (1, 2):
        steps = int.from_bytes(value[:4]) | int.from_bytes(value[4:6]) << 32
        steps |= (int.from_bytes(value[6:8]) & 0x0FFF) << 48
        found["time"] = (steps - _EPOCH) * 100
        found["nodeid"] = value[10:].hex("-")
        found["macvariables"] = _mac_kind(value[10])
        found["clocksequence"] = int.from_bytes(value[8:10]) & 0x3FFF
    if version == 2:
        found["id"] = int.from_bytes(value[:4])
        found["domain"] = _DOMAINS[value[9]] if value[9] < len(_DOMAINS) else f"Domain{value[9]}"
    return found


def _octets(text: str) -> bytes | None:
    if _PLAIN.fullmatch(text):
        return bytes.fromhex(text)
    if len(text) == 45 and text[:9].lower() == "urn:uuid:":
        text = text[9:]
    elif len(text) == 38:
        text = text[1:-1]
    match = _DASHED.fullmatch(text)
    if match is None:
        return None
    return bytes.fromhex("".join(match.groups()))


def _variant(octet: int) -> str:
    if octet & 0xC0 == 0x80:
        return "RFC4122"
    if octet & 0xE0 == 0xC0:
        return "Microsoft"
    return "Future" if octet & 0xE0 == 0xE0 else "Reserved"


def _mac_kind(octet: int) -> str:
    return f"{'local' if octet & 2 else 'global'}:{'multicast' if octet & 1 else 'unicast'}"
