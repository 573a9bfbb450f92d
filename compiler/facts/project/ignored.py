"""What the ``.dbtignore`` of a project leaves out: patterns as in ``.gitignore``, for paths from its folder.

Codes: FLC132 (warn) the file cannot be read, or a pattern is none; it leaves nothing out then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span, whole_file

IGNORE_FILE = ".dbtignore"
_HINT = "patterns are those of .gitignore, one a line"


def ignored_in(root: Path) -> Callable[[str], bool]:
    """Says of a path from ``root`` whether dbt leaves it out."""
    return read_ignored(root)[0]


def read_ignored(root: Path) -> tuple[Callable[[str], bool], list[Diagnostic]]:
    """The same, with what is wrong with the file."""
    file = root / IGNORE_FILE
    try:
        if not file.is_file():  # a pipe would be waited for
            return _nothing, []
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        return _nothing, [
            _wrong(f"cannot read `{file}`: {error.strerror}", whole_file(str(file)), "check who may read it")
        ]
    except UnicodeDecodeError:
        return _nothing, [_wrong(f"`{file}` is not UTF-8", whole_file(str(file)), "save the file as UTF-8")]
    import pathspec  # few projects have such a file

    patterns: list[Any] = []
    found: list[Diagnostic] = []
    for number, line in enumerate(lines, 1):
        try:
            patterns += pathspec.PathSpec.from_lines("gitwildmatch", [line]).patterns
        except (ValueError, re.error):
            span = Span(str(file), number, 1, number, len(line) + 1)
            found.append(_wrong(f"`{line.strip()}` in `{file}` is no pattern: it leaves nothing out", span, _HINT))
    return pathspec.PathSpec(patterns).match_file, found


def _nothing(path: str) -> bool:
    return False


def _wrong(text: str, span: Span, hint: str) -> Diagnostic:
    return Diagnostic("FLC132", text, span, Severity.WARN, hint=hint)
