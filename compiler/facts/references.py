"""``ref('x')`` and ``source('a', 'b')`` written as text in YAML (exposures, snapshots, tests' arguments)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from compiler.facts.file_facts import Ref


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Ref | tuple[str, str] | None:
    from compiler.facts.jinja_values import Values
    from compiler.facts.sql_files import read_sql

    bare = text.strip().removeprefix("{{").removesuffix("}}").strip()
    block = read_sql("{{ " + bare + " }}", Values({})).main
    return block.refs[0] if block.refs else block.sources[0] if block.sources else None


def reference(text: Any) -> Ref | tuple[str, str] | None:
    """The call that a text of YAML is; None where it is none."""
    return _parsed(text) if isinstance(text, str) and ("ref" in text or "source" in text) else None
