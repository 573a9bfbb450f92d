"""What the shapes of plugins' configurations share."""

from __future__ import annotations

from compiler.documents.shape import Anything, Field, MapOf, Number, Shape, Text

Fields = dict[str, Field]
Named = dict[str, tuple[Fields, str]]
"""Plugins of a category: name → the fields of its configuration, and what floec generates for it."""

OPEN = MapOf(Anything())
PORT = Number(1, 65535, whole=True)
SECONDS = Number(0)


def _url(value: str) -> str:
    from urllib.parse import urlsplit

    if value.startswith(("${", "{{")):
        return ""
    try:
        parts = urlsplit(value)
        good = bool(parts.scheme) and (bool(parts.netloc) or parts.scheme == "file") and parts.port != 0
    except ValueError:
        good = False
    return "" if good else f"`{value}` is not a URL such as https://host:8181/path"


URL = Text(_url)


def field(shape: Shape, doc: str, *also: str) -> Field:
    """A field of a configuration."""
    return Field(shape, doc, also=also)
