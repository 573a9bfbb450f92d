"""Edits that policies propose, as replacements of text in the project's YAML; nothing else in a file changes.

Only ``set`` of a value that stands in a file as a scalar has a place that is certain: the text there must read as
the value that the policy saw. Other edits stay hints.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from policy_lang.diagnostics import Diagnostic, Fix
from policy_lang.policies import Edit
from policy_lang.source import Span


def proposed(edit: Edit, ir: Any, span: Span) -> tuple[Fix, ...]:
    """The replacement for an edit whose path stands at ``span``, if it is certain to be that."""
    from compiler.documents.yaml_library import yaml

    if edit.action != "set" or isinstance(edit.value, dict | list) or span.line != span.end_line:
        return ()
    current = ir
    for part in edit.path:
        try:
            current = current[part]
        except (KeyError, IndexError, TypeError):
            return ()
    try:
        lines = _lines(Path(span.file))
        written = yaml.safe_load(lines[span.line - 1][span.col - 1 : span.end_col - 1])
    except (OSError, ValueError, IndexError, yaml.YAMLError):  # ValueError: no UTF-8, or a date that is none
        return ()
    if written is None or written != current:
        return ()
    text = yaml.safe_dump(edit.value, allow_unicode=True, width=2**31).removesuffix("...\n").strip()
    return (Fix(span, text, f"set it to {text}"),) if "\n" not in text else ()


def _lines(path: Path) -> list[str]:
    """The lines as they stand: a file whose lines end otherwise has one, in which no place is found."""
    return path.read_bytes().decode("utf-8").split("\n")


def apply(diagnostics: Iterable[Diagnostic]) -> tuple[str, ...]:
    """Makes the replacements of all findings that are not exempted, the last in a file first; the files changed.

    Where two overlap only the first is made. Raises OSError where a file cannot be written.
    """
    by_file: dict[str, dict[tuple[int, int, int], str]] = {}
    for found in diagnostics:
        for fix in found.fixes if not found.suppressed else ():
            place = (fix.span.line, fix.span.col, fix.span.end_col)
            by_file.setdefault(fix.span.file, {}).setdefault(place, fix.replacement)
    for file, edits in by_file.items():
        path = Path(file)
        lines = _lines(path)
        taken: tuple[int, int] | None = None
        for (line, col, end), text in sorted(edits.items(), reverse=True):
            if taken is not None and taken[0] == line and end > taken[1]:
                continue
            row = lines[line - 1]
            lines[line - 1] = row[: col - 1] + text + row[end - 1 :]
            taken = (line, col)
        path.write_bytes("\n".join(lines).encode("utf-8"))
    return tuple(sorted(by_file))
