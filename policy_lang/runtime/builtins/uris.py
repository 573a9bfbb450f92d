"""URIs, read as Go reads them (RFC 3986 with Go's liberties), so that a policy sees what OPA shows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from policy_lang.json_text import GO
from policy_lang.runtime.builtins.registry import BuiltinError, builtin
from policy_lang.runtime.values import to_json

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*", re.ASCII)
_PORT = re.compile(r"(:[0-9]*)?", re.ASCII)
_HOST = re.compile(r"""[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>"\x80-\U0010ffff]""", re.ASCII)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_UNESCAPED_PATH = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~$&+,/:;=@")


class _Invalid(ValueError):
    """Why a text is no URI."""


@builtin("uri.parse", "string")
def parse(text: str) -> dict[str, str]:
    """Its parts, those that are empty left out."""
    try:
        return _parse(text)
    except _Invalid as error:
        message = f"uri.parse: parse {to_json(text)}: {error}"
        raise BuiltinError("eval_builtin_error", message) from None


@builtin("uri.is_valid", "any")
def is_valid(text: Any) -> bool:
    if type(text) is not str or not text:
        return False
    try:
        _parse(text)
    except _Invalid:
        return False
    return True


def _parse(text: str) -> dict[str, str]:
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise _Invalid("net/url: invalid control character in URL")
    rest, _, fragment = text.partition("#")
    found = {"fragment": _unescaped(fragment)}
    if scheme := _SCHEME.match(rest):
        found["scheme"] = scheme[1].lower()
        rest = rest[scheme.end() :]
    elif rest.startswith(":"):
        raise _Invalid("missing protocol scheme")
    rest, _, found["raw_query"] = rest.partition("?")
    if not rest.startswith("/"):
        if "scheme" in found:  # opaque, as in mailto:
            return {name: part for name, part in found.items() if part}
        if ":" in rest.partition("/")[0]:
            raise _Invalid("first path segment in URL cannot contain colon")
    if rest.startswith("//") and ("scheme" in found or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        found |= _authority(authority)
        rest = slash + path
    found["path"] = _unescaped(rest)
    # Go keeps the path as written only where escaping it anew would not give the same.
    found["raw_path"] = found["path"] if rest == _escaped(found["path"]) else rest
    return {name: part for name, part in sorted(found.items()) if part}


def _authority(text: str) -> dict[str, str]:
    user, at, host = text.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise _Invalid("net/url: invalid userinfo")
    _unescaped(user)
    if host.startswith("["):
        end = host.rfind("]")
        if end < 0:
            raise _Invalid("missing ']' in host")
        name, port = host[1:end], host[end + 1 :]
    else:
        colon = host.rfind(":")
        name, port = (host, "") if colon < 0 else (host[:colon], host[colon:])
    if not _PORT.fullmatch(port):
        raise _Invalid(f"invalid port {to_json(port)} after host")
    return {"hostname": _host(name), "port": port[1:]}


def _host(text: str) -> str:
    """A host's name: only bytes beyond ASCII (and ``%25`` of a zone) may be escaped in it."""
    for match in re.finditer("%(..)?", text):
        digits = match[1]
        if not digits or not re.fullmatch("[0-9A-Fa-f]{2}", digits) or (int(digits, 16) < 0x80 and digits != "25"):
            raise _Invalid(f"invalid URL escape {to_json(match[0])}")
    for character in re.sub("%..", "", text):
        if not _HOST.fullmatch(character):
            raise _Invalid(f"invalid character {to_json(character)} in host name")
    return unquote_to_bytes(text).decode(errors=GO)


def _unescaped(text: str) -> str:
    if bad := _ESCAPE.search(text):
        raise _Invalid(f"invalid URL escape {to_json(bad[0])}")
    return unquote_to_bytes(text).decode(errors=GO)


def _escaped(path: str) -> str:
    return "".join(chr(byte) if byte in _UNESCAPED_PATH else f"%{byte:02X}" for byte in path.encode())
