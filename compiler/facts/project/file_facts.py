"""The facts that one file of a dbt project states by itself, as they are cached."""

from __future__ import annotations

from typing import Any, Final

import msgspec


class Unknown:
    """The type of ``UNKNOWN``."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __reduce__(self) -> str:
        return "UNKNOWN"  # there is one


UNKNOWN: Final = Unknown()
"""The value of an expression that only dbt can compute."""


class Ref(msgspec.Struct, frozen=True, array_like=True):
    """One ``ref`` call."""

    name: str
    package: str | None = None
    version: str | None = None


class Block(msgspec.Struct, array_like=True):
    """What a model file, or one ``{% snapshot %}`` block, says."""

    name: str = ""
    line: int = 1
    refs: list[Ref] = []
    sources: list[tuple[str, str]] = []
    config: dict[str, Any] = {}
    opaque: list[str] = []
    """Configurations whose value only dbt can compute."""
    body: str = ""
    """The text of a snapshot block."""
    calls: list[str] = []
    """Names of macros that are called, with their package where it is written."""
    computed: list[str] = []
    """``ref`` and ``source`` where a call of it has a name that only dbt can compute."""


class MacroBlock(msgspec.Struct, array_like=True):
    """One macro, generic test or materialization; ``block`` holds what it refers to and calls."""

    name: str
    line: int
    arguments: list[str]
    block: Block
    raw_code: str = ""


class BrokenSql(msgspec.Struct, frozen=True, array_like=True):
    """A place (from 1, in code points) of ``length`` characters, what is wrong there, and what may mend it."""

    line: int
    col: int
    length: int
    reason: str
    hint: str


class FileFacts(msgspec.Struct, array_like=True):
    """All that one file says; ``broken`` is (line, message) where its Jinja, Python or CSV cannot be parsed, and
    ``broken_sql`` says the same of the SQL of a query."""

    main: Block = msgspec.field(default_factory=Block)
    snapshots: list[Block] = []
    macros: list[MacroBlock] = []
    tests: list[str] = []
    columns: list[str] = []
    rows: int | None = None
    size: int | None = None
    broken: tuple[int, str] | None = None
    broken_sql: BrokenSql | None = None
