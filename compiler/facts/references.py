"""``ref('x')`` and ``source('a', 'b')`` written as text in YAML (exposures, snapshots, tests' arguments)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from compiler.facts.project.file_facts import Ref


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Ref | tuple[str, str] | None:
    bare = text.strip().removeprefix("{{").removesuffix("}}").strip()
    return _plain(bare) or _jinja(bare)


def _plain(call: str) -> Ref | tuple[str, str] | None:
    """A call whose arguments are all texts and numbers: Jinja's syntax and Python's are the same for it."""
    import ast  # few files have such texts

    try:
        node = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    keywords = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
    if len(names) != len(node.args) or len(keywords) != len(node.keywords):
        return None
    if node.func.id == "source" and len(names) == 2:
        return names[0], names[1]
    if node.func.id == "ref" and len(names) in (1, 2) and keywords.keys() <= {"v", "version"}:
        version = next((str(v) for v in keywords.values()), None)
        return Ref(names[-1], names[0] if len(names) == 2 else None, version)
    return None


def _jinja(bare: str) -> Ref | tuple[str, str] | None:
    from compiler.facts.project.jinja_values import Values
    from compiler.facts.project.sql_files import read_sql

    block = read_sql("{{ " + bare + " }}", Values({})).main
    return block.refs[0] if block.refs else block.sources[0] if block.sources else None


def reference(text: Any) -> Ref | tuple[str, str] | None:
    """The call that a text of YAML is; None where it is none."""
    return _parsed(text) if isinstance(text, str) and ("ref" in text or "source" in text) else None
