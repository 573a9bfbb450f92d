"""Files with nothing in them but calls of ``ref``, ``source`` and ``config`` with plain literals, as most models are.

They are read without Jinja: to import it takes longer than to read all that a commit changes. What is the least bit
unusual (a tag, a comment, an escape, another name) is left to ``sql_files``, which gives the same answer for the rest.
"""

from __future__ import annotations

import re

from compiler.facts.project.file_facts import Block, FileFacts, Ref
from policy_lang.patterns import Pattern

_TEXT = r"""(?:'[^'"\\{}\n\r]*'|"[^'"\\{}\n\r]*")"""
_VALUE = rf"(?:{_TEXT}|true|false|0|[1-9][0-9]{{0,8}})"
_SETTING = rf"[A-Za-z_][A-Za-z0-9_]*\s*=\s*{_VALUE}"
_CALL = Pattern(
    rf"""\{{\{{-?\s*(?:
        (ref|source)\(\s*({_TEXT})\s*(?:,\s*({_TEXT})\s*)?\)
        | config\(\s*({_SETTING}(?:\s*,\s*{_SETTING})*)\s*,?\s*\)
    )\s*-?\}}\}}""",
    re.VERBOSE,
)
_PAIR = Pattern(rf"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*({_VALUE})")
_NAMES = frozenset(("and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"))


def read_plain(text: str) -> FileFacts | None:
    """Facts of a file of this kind; None for any other."""
    if "{" not in text:
        return FileFacts()
    if "{%" in text or "{#" in text or "{{{" in text:
        return None
    calls = list(_CALL.finditer(text))
    if len(calls) != text.count("{{") or sum(1 for call in calls if call[4]) > 1:
        return None
    block = Block()
    for call in calls:
        if call[4]:
            pairs = _PAIR.findall(call[4])
            names = [name for name, _ in pairs]
            if len(set(names)) < len(names) or not _NAMES.isdisjoint(names):
                return None
            block.config.update((name, _value(given)) for name, given in pairs)
        elif call[1] == "ref":
            names = [given[1:-1] for given in (call[2], call[3]) if given]
            ref = Ref(names[-1], names[0] if len(names) == 2 else None)
            if ref not in block.refs:
                block.refs.append(ref)
        elif not call[3]:
            return None
        elif (table := (call[2][1:-1], call[3][1:-1])) not in block.sources:
            block.sources.append(table)
    return FileFacts(block)


def _value(given: str) -> str | int | bool:
    if given[0] in "'\"":
        return given[1:-1]
    return given == "true" if given in ("true", "false") else int(given)
