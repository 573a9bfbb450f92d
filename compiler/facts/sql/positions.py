"""Where calls, words and blocks stand in the text of a SQL file; comments are looked past."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policy_lang.patterns import Pattern
from policy_lang.source import Span, whole_file

_COMMENT = Pattern(r"\{#.*?#\}", re.DOTALL)
_SQL_COMMENT = Pattern(r"\{#.*?#\}|--[^\n]*|/\*.*?\*/", re.DOTALL)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _span(file: str, text: str, start: int, end: int) -> Span:
    line, last = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    return Span(
        file, line, start - (text.rfind("\n", 0, start) + 1) + 1, last, end - (text.rfind("\n", 0, end) + 1) + 1
    )


def _first(file: str, text: str, pattern: str, flags: int = 0) -> Span | None:
    found = re.search(pattern, text, flags)
    return None if found is None else _span(file, text, found.start(1), found.end(1))


def reference(file: str, text: str, ref: Mapping[str, Any]) -> Span | None:
    """The ``ref`` or ``source`` call that names the same, also in Python."""
    if "source" in ref:
        first, second = re.escape(str(ref["source"])), re.escape(str(ref["table"]))
        pattern = rf"\b(source\s*\(\s*['\"]{first}['\"]\s*,\s*['\"]{second}['\"]\s*\))"
    else:
        pattern = rf"\b(ref\s*\(\s*(?:['\"]\w+['\"]\s*,\s*)?['\"]{re.escape(str(ref['name']))}['\"]"
        rest = rf"\s*,\s*v(?:ersion)?\s*=\s*['\"]?{re.escape(str(ref['version']))}\b" if ref.get("version") else r"\s*"
        exact = _first(file, _COMMENT.sub(_blank, text), rf"{pattern}{rest}['\"]?\s*\))")
        return exact or _first(file, _COMMENT.sub(_blank, text), rf"{pattern}[^)]*\))")
    return _first(file, _COMMENT.sub(_blank, text), pattern)


def relation(file: str, text: str, name: str) -> Span | None:
    """A relation that is written by hand; quotes around its parts do not matter."""
    parts = r"[\"`\]]?\s*\.\s*[\"`\[]?".join(re.escape(p) for p in name.split("."))
    return _first(file, _SQL_COMMENT.sub(_blank, text), rf"([\"`\[]?{parts}[\"`\]]?)", re.IGNORECASE)


def word(file: str, text: str, wanted: str) -> Span:
    """The first ``join``, or the star of a ``select``; the whole file where there is none."""
    pattern = r"\bselect\s+(?:distinct\s+)?((?:\w+\s*\.\s*)?\*)" if wanted == "*" else rf"\b({wanted})\b"
    return _first(file, _SQL_COMMENT.sub(_blank, text), pattern, re.IGNORECASE) or whole_file(file)


def quoted(file: str, text: str, words: str, start: Span | None = None) -> Span | None:
    """Where the text first says these words, from ``start`` on, with any blanks between; in a comment if need be."""
    before = 0 if start is None else len("".join(text.splitlines(keepends=True)[: start.line - 1]))
    said = Pattern(r"\s+".join(re.escape(part) for part in words.split()))
    found = said.search(_SQL_COMMENT.sub(_blank, text), before) or said.search(text, before)
    return None if found is None else _span(file, text, found.start(), found.end())


def config(file: str, text: str, key: str) -> Span | None:
    """The argument of the ``config`` call of that name."""
    if "config" not in text:  # as in most files: nothing is compiled for them
        return None
    clean = _COMMENT.sub(_blank, text)
    call = re.search(r"\bconfig\s*\(", clean)
    if call is None:
        return None
    found = Pattern(rf"\b({re.escape(key)})\s*=|['\"]({re.escape(key)})['\"]\s*:").search(clean, call.end())
    return (
        None if found is None else _span(file, text, found.start(found.lastindex or 0), found.end(found.lastindex or 0))
    )


def macro(file: str, text: str, name: str) -> Span:
    """The first tag of a macro, generic test or materialization, by the name that dbt gives it."""
    bare = re.escape(re.sub(r"\Atest_", "", name))
    pattern = rf"(\{{%-?\s*(?:macro\s+{re.escape(name)}|(?:data_)?test\s+{bare})\b)"
    return _first(file, text, pattern) or whole_file(file)
