"""How relations are called in SQL whose Jinja is made away with, so that they can be found again."""

from __future__ import annotations

import re
from collections.abc import Callable

from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

REF, SOURCE, NUMBER, THIS = "floec_ref__", "floec_source__", "floec_relation__", "floec_this"
_TEXT = r"(?:'([^'\\]*)'|\"([^\"\\]*)\")"
_REFERENCE = Pattern(
    r"\{\{\s*(?:"
    rf"ref\(\s*{_TEXT}(?:\s*,\s*{_TEXT})?(?:\s*,\s*v(?:ersion)?\s*=\s*(?:{_TEXT}|(\d+)))?\s*,?\s*\)"
    rf"|source\(\s*{_TEXT}\s*,\s*{_TEXT}\s*,?\s*\)"
    r")\s*\}\}"
)
"""A call with literal arguments, as nearly all are; any other is left to the renderer of Jinja."""
_PART = r"(\"[^\"]+\"|`[^`.]+`|[A-Za-z_]\w*)"
_COMPILED = Pattern(rf"\b(from|join)(\s+){_PART}\.{_PART}\.{_PART}(?![\w.\"`(])", re.IGNORECASE)
"""A relation as dbt writes it into compiled SQL."""
_CONFIG = Pattern(r"\{\{\s*config\((?:[^'\"{}()\\]|'[^'{}\\]*'|\"[^\"{}\\]*\")*\)\s*\}\}")


class Reference(NamedTuple):
    """What a query says of a relation: ``ref`` (``first`` is the model), ``source`` (and table), or schema and name."""

    kind: str
    first: str
    second: str = ""
    version: str = ""


def relation_name(kind: str, *parts: str) -> str:
    """A name for SQL that holds the parts of a reference."""
    return kind + "__of__".join(part.encode().hex() for part in parts)


def relation_parts(name: str, kind: str) -> list[str] | None:
    """What ``relation_name`` was given; None for any other name."""
    if not name.startswith(kind):
        return None
    try:
        return [bytes.fromhex(part).decode() for part in name[len(kind) :].split("__of__")]
    except ValueError:
        return None


def numbered(sql: str, number: Callable[[Reference], int]) -> str:
    """The SQL with numbers in place of the relations that it names with literal calls (as dbt compiles them, else)."""
    if "{" not in sql:
        return _COMPILED.sub(lambda m: f"{m[1]}{m[2]}{NUMBER}{number(_compiled(m))}", sql)
    return _REFERENCE.sub(lambda m: f"{NUMBER}{number(_called(m))}", sql)


def number_of(name: str) -> str | None:
    """The number of a relation that ``numbered`` has named; None for any other name."""
    return name[len(NUMBER) :] if name.startswith(NUMBER) else None


def without_jinja(sql: str) -> str | None:
    """The SQL where it has no Jinja but ``config``; None where it has, which takes a parser."""
    text = _CONFIG.sub("", sql)
    return None if "{{" in text or "{%" in text or "{#" in text else text


def _called(found: re.Match[str]) -> Reference:
    given = found.groups()
    source = given[7] if given[7] is not None else given[8]
    if source is not None:
        return Reference("source", source, _either(given[9:11]))
    first, second = _either(given[0:2]), _either(given[2:4])
    name, package = (second, first) if given[2] is not None or given[3] is not None else (first, "")
    return Reference("ref", name, package, _either(given[4:7]))


def _either(given: tuple[str | None, ...]) -> str:
    return next((text for text in given if text is not None), "")


def _compiled(found: re.Match[str]) -> Reference:
    return Reference("name", *(part.strip('"`') for part in found.groups()[3:5]))
