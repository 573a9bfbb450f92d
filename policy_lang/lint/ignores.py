"""Comments that switch a rule off: ``# floec:ignore LNT012 reason`` and ``# floec:ignore-file LNT012 reason``.

The first covers its own line, or the next one where it stands alone. Several codes are joined by
commas. A reason is required: a silence that nobody can explain later is a finding itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from policy_lang.source import Span
from policy_lang.syntax import ast

_COMMENT = re.compile(
    r"#+\s*floec:ignore(?P<file>-file)?\s+(?P<codes>[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)\s*(?P<reason>.*)"
)


@dataclass(frozen=True, slots=True)
class Ignore:
    """One code switched off: on a line, or with ``line`` None in the whole file."""

    code: str
    line: int | None
    reason: str
    span: Span

    def covers(self, code: str, span: Span) -> bool:
        """Whether a finding of this file is covered."""
        return self.code == code and self.line in (None, span.line)


def ignores(text: str, comments: Iterable[ast.Comment]) -> tuple[Ignore, ...]:
    """All that a file's comments switch off."""
    lines = text.split("\n")
    found = []
    for comment in comments:
        match = _COMMENT.match(comment.text)
        if match is None:
            continue
        line: int | None = comment.span.line
        if match["file"]:
            line = None
        elif not lines[comment.span.line - 1][: comment.span.col - 1].strip():
            line = _next_code(lines, comment.span.line)
        codes = re.split(r"\s*,\s*", match["codes"])
        found += [Ignore(code, line, match["reason"].strip(" :-"), comment.span) for code in codes]
    return tuple(found)


def _next_code(lines: list[str], line: int) -> int:
    """The first line after ``line`` that is no comment."""
    while line < len(lines) and lines[line].strip().startswith("#"):
        line += 1
    return line + 1
