"""Small programs: ``rego_programs.txt``, each under ``=== name [| strict] | code:line …`` (or ``ok``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("rego_programs.txt")


@dataclass(frozen=True)
class BadProgram:
    name: str
    strict: bool
    wanted: frozenset[str]
    text: str


def programs() -> list[BadProgram]:
    """All programs of the file, in its order."""
    found = []
    for block in FILE.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, text = block.partition("\n")
        name, *flags, wanted = (part.strip() for part in head.split("|"))
        found.append(BadProgram(name, "strict" in flags, frozenset(wanted.split()) - {"ok"}, text))
    return found
