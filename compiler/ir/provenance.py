"""From a path into the IR to the place in a file that said so.

The IR holds no positions; a ``Locator`` finds them when something is reported. It asks those who know: the joined
manifest for ``platform``, the product's document for ``product``, and ``Positions`` for what the project's files say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from policy_lang.source import Span

Path = tuple[str | int, ...]
Finder = Callable[[Path], Span | None]
"""From a path inside one part of the IR to its place; None where it is a default that nobody wrote."""


class Positions(Protocol):
    """Where the facts of a project stand (``compiler.facts.positions``)."""

    def locate(self, section: str, entry: dict[str, Any], rest: Path) -> Span | None:
        """The place of ``rest`` (a path inside ``entry``, which is of the IR's list ``section``)."""


class Locator:
    """``platform`` and ``product`` find places inside these parts; ``top`` is the place of last resort."""

    def __init__(
        self,
        ir: dict[str, Any],
        top: Span,
        platform: Finder,
        product: Finder | None = None,
        positions: Positions | None = None,
    ) -> None:
        self._ir = ir
        self._top = top
        self._platform = platform
        self._product = product
        self._positions = positions

    def locate(self, path: Path) -> Span:
        """The span of what ``path`` leads to, or of the nearest enclosing thing that has one."""
        head = path[0] if path else ""
        if head == "platform":
            return self._platform(path[1:]) or self._top
        if head in ("product", "jobs") and self._product is not None:
            inside = path[1:] if head == "product" else ("schedule" if "schedule" in path else "transforms",)
            return self._product(inside) or self._top
        section = self._ir.get(str(head))
        if head == "project" and isinstance(section, dict):
            return self._in_project("project", section, path[1:])
        if isinstance(section, list) and len(path) > 1 and isinstance(path[1], int) and path[1] < len(section):
            return self._in_project(str(head), section[path[1]], path[2:])
        return self._top

    def _in_project(self, section: str, entry: Any, rest: Path) -> Span:
        found = self._positions.locate(section, entry, rest) if self._positions is not None else None
        return found or self._top
