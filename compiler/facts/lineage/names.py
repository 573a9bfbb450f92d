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
    return kind + "__of__".join(part.encode("utf-8", "surrogatepass").hex() for part in parts)


def relation_parts(name: str, kind: str) -> list[str] | None:
    """What ``relation_name`` was given; None for any other name."""
    if not name.startswith(kind):
        return None
    try:
        return [bytes.fromhex(part).decode("utf-8", "surrogatepass") for part in name[len(kind) :].split("__of__")]
    except ValueError:
        return None


def numbered(sql: str, number: Callable[[Reference], int]) -> str:
    """The SQL with numbers in place of the relations that it names with literal calls (as dbt compiles them, else)."""
    if "{" not in sql:
        return _COMPILED.sub(lambda m: f"{m[1]}{m[2]}{NUMBER}{number(_compiled(m))}", sql)
    return _REFERENCE.sub(lambda m: f"{NUMBER}{number(_called(m.groups()))}", sql)


def number_of(name: str) -> str | None:
    """The number of a relation that ``numbered`` has named; None for any other name."""
    return name[len(NUMBER) :] if name.startswith(NUMBER) else None


def without_jinja(sql: str) -> str | None:
    """The SQL where it has no Jinja but ``config``; None where it has, which takes a parser."""
    text = _CONFIG.sub("", sql)
    return None if "{{" in text or "{%" in text or "{#" in text else text


def _called(given: tuple[str | None, ...]) -> Reference:
    """The call that ``_REFERENCE`` found, by its groups: of those of one argument, one is there."""
    first, first_, second, second_, version, version_, number, source, source_, table, table_ = given
    if source is not None or source_ is not None:
        return Reference("source", source or source_ or "", table or table_ or "")
    name, package = first or first_ or "", ""
    if second is not None or second_ is not None:
        name, package = second or second_ or "", name
    return Reference("ref", name, package, version or version_ or number or "")


def _compiled(found: re.Match[str]) -> Reference:
    return Reference("name", *(part.strip('"`') for part in found.groups()[3:5]))
