"""What the ``.dbtignore`` of a project leaves out: patterns as in ``.gitignore``, for paths from its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

IGNORE_FILE = ".dbtignore"


def ignored_in(root: Path) -> Callable[[str], bool]:
    """Says of a path from ``root`` whether dbt leaves it out; a file that cannot be read leaves nothing out."""
    try:
        lines = (root / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return lambda path: False
    import pathspec  # few projects have such a file

    return pathspec.PathSpec.from_lines("gitwildmatch", lines).match_file
