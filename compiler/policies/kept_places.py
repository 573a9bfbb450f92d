"""Where findings stand, as found by earlier runs: to place one means to read its file, and a check may have hundreds.

A place holds while its entry is that of the facts' base (``compiler.ir.facts_model.Origin``): all entries that a
changed file says something about are touched.
"""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

from compiler.facts.kept.packing import read_packed, write_packed
from compiler.ir.facts_model import Origin
from compiler.policies.check import Path, Places
from policy_lang.digests import name_of
from policy_lang.source import Span

_FORM = b"floec-places-1\n"
_LISTS = ("models", "seeds", "snapshots", "sources", "tests")
"""The lists of the IR in which an id stands for one entry, and an entry for the files that it comes from."""


class KeptPlaces:
    """Asks ``places`` for what is not known yet of the IR ``ir``; ``document`` tells what is checked from all else."""

    def __init__(self, places: Places, ir: dict[str, Any], origin: Origin, document: str, folder: File) -> None:
        self._places = places
        self._ir = ir
        self._origin = origin
        self._file = folder / "facts" / f"{name_of(document)}.places"
        kept = read_packed(self._file, _FORM)
        self._known: dict[Path, tuple[Any, ...]] = kept[1] if kept is not None and kept[0] == origin.base else {}
        self._more = False

    def locate(self, path: Path) -> Span:
        """As ``places`` would say."""
        name = self._name(path)
        if name is None:
            return self._places.locate(path)
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = tuple(self._places.locate(path))
            self._more = True
        return Span(*found)

    def save(self) -> None:
        """Keep what was found."""
        if self._more:
            write_packed(self._file, _FORM, (self._origin.base, self._known))

    def _name(self, path: Path) -> Path | None:
        """The path with the entry's id for its index; None where it leads to no entry of the base."""
        if len(path) < 2 or path[0] not in _LISTS or not isinstance(path[1], int):
            return None
        id_ = self._ir[str(path[0])][path[1]]["unique_id"]
        return None if id_ in self._origin.touched else (path[0], id_, *path[2:])
