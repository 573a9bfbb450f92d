"""The names of what a ``with`` replaces: builtins by their names, ``input``, and paths below ``data``."""

from __future__ import annotations

Path = tuple[str, ...]


def mocked_name(path: Path) -> str:
    """The name of what is at ``data.<path>`` among what a ``with`` replaces; a dot in a part is no division."""
    return ".".join(("data", *(part.replace("%", "%25").replace(".", "%2E") for part in path)))


def mocked_path(name: str) -> Path | None:
    """The path of a name, None for ``input`` and builtins."""
    head, *parts = name.split(".")
    return tuple(part.replace("%2E", ".").replace("%25", "%") for part in parts) if head == "data" else None
