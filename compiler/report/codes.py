"""What each diagnostic code means: the sections of ``codes.md``."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).with_name("codes.md")
_HEADING = re.compile(r"^## (\S+) (.+)$", re.MULTILINE)


def titles() -> dict[str, str]:
    """Code → the title of its section."""
    return {heading[1]: heading[2] for heading in _HEADING.finditer(_PAGE.read_text(encoding="utf-8"))}


def explanations() -> dict[str, str]:
    """Code → its section as Markdown, the title first."""
    text = _PAGE.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {
        heading[1]: f"# {heading[1]}: {heading[2]}\n\n{text[heading.end() : end].strip()}\n"
        for heading, end in zip(headings, ends, strict=True)
    }
