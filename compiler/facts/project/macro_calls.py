"""What macros refer to, for those that call them.

dbt renders macros, so a ``ref`` inside of one counts for the node that calls it. Here the texts of the macros tell:
each ``ref`` or ``source`` with constant names in a macro that a node calls, directly or through others.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.facts.project.file_facts import Block, MacroBlock, Ref

LINKS = frozenset({"depends_on", "sources.used_by"})
"""What ``project.unknown`` says of references whose names only dbt can compute."""


class Macros:
    """The macros of all packages by name; a package's own come first for its callers."""

    def __init__(self) -> None:
        self._named: dict[str, list[tuple[str, MacroBlock]]] = {}

    def add(self, package: str, macro: MacroBlock) -> None:
        """Remember one."""
        self._named.setdefault(macro.name, []).append((package, macro))

    def all(self) -> Iterator[tuple[str, MacroBlock]]:
        """Each with its package; those of one name in the order in which they were added."""
        return (one for found in self._named.values() for one in found)

    def find(self, call: str, package: str) -> tuple[str, MacroBlock] | None:
        """The macro that a call means: of the package it names, else of the caller's, else any."""
        owner, _, name = call.rpartition(".")
        found = [m for m in self._named.get(name, ()) if not owner or m[0] == owner]
        return next((m for m in found if m[0] == package), found[0] if found else None)

    def reached(self, block: Block, package: str) -> Iterator[tuple[str, MacroBlock]]:
        """Every macro that a block calls, directly or through others, each once."""
        seen: set[int] = set()
        pending = [(call, package) for call in block.calls]
        while pending:
            found = self.find(*pending.pop())
            if found is not None and id(found[1]) not in seen:
                seen.add(id(found[1]))
                yield found
                pending.extend((call, found[0]) for call in found[1].block.calls)

    def references(self, block: Block, package: str) -> tuple[list[Ref], list[tuple[str, str]]]:
        """The references of a block, its own first, then those that macros make for it."""
        refs, sources = list(block.refs), list(block.sources)
        for _, macro in self.reached(block, package):
            refs.extend(r for r in macro.block.refs if r not in refs)
            sources.extend(s for s in macro.block.sources if s not in sources)
        return refs, sources

    def unknown(self, block: Block, package: str) -> set[str]:
        """Those of ``LINKS`` that lack something, as the block or a macro that it calls computes names."""
        blocks = (block, *(macro.block for _, macro in self.reached(block, package)))
        calls = {call for one in blocks for call in one.computed}
        return set(LINKS if "source" in calls else {"depends_on"} if calls else ())
