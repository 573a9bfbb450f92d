"""What can be counted in the text of a model with Jinja left in it: lines, joins, stars, relations written by hand."""

from __future__ import annotations

import re
from functools import lru_cache

from compiler.structs import Struct
from policy_lang.patterns import Pattern

_JINJA = Pattern(r"\{#.*?#\}|\{%.*?%\}", re.DOTALL)
_EXPRESSION = Pattern(r"\{\{.*?\}\}", re.DOTALL)
_COMMENT = Pattern(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_JOIN = Pattern(r"\bjoin\b")
_STAR = Pattern(
    r"\bselect\s+(?:distinct\s+|all\s+)?(?:\w+\s*\.\s*)?\*|,\s*(?:\w+\.)?\*\s*(?=,|\bfrom\b|\bexcept\b|\bexclude\b)",
    re.IGNORECASE,
)
_NAME = r"(?:[A-Za-z_][\w$-]*|\"[^\"\n]+\"|`[^`\n]+`|\[[^\]\n]+\])"
_DOTTED = Pattern(rf"\b(?:from|join)\s+((?:{_NAME}\s*\.\s*){{1,3}}{_NAME}|`[^`\n]*\.[^`\n]*`)\s*(\()?")
_FUNCTION = Pattern(r"\b(?:extract|trim|substring|overlay|position)\s*\([^()]*\Z", re.IGNORECASE)
_LOCAL = Pattern(rf"(?:\bas\s+|\}}\}}\s+)({_NAME})|({_NAME})\s+as\s*\(", re.IGNORECASE)
_QUOTES = Pattern(r"[\s`\"\[\]]")


class SqlText(Struct, array_like=True, frozen=True):
    """The counts of one text; ``hard_coded`` holds the names with a dot after ``from`` and ``join``, sorted."""

    code_lines: int
    joins: int
    select_star: bool
    hard_coded: list[str]


def measure(raw_code: str) -> SqlText:
    """Count in a model's text as written; comments, strings and Jinja's statements are left out of it."""
    text = raw_code.strip()
    lines = text.count("\n") + 1 if text else 0
    plain = _COMMENT.sub(" ", _EXPRESSION.sub("{{}}", _JINJA.sub(" ", text)))
    # Words are looked for in small letters, which takes a third of the time of looking for them in any.
    small = _small(plain)
    star = "*" in plain and _STAR.search(plain) is not None
    return SqlText(lines, len(_JOIN.findall(small)) if "join" in small else 0, star, _hard_coded(plain, small))


_CAPITALS = str.maketrans({chr(letter): chr(letter + 32) for letter in range(ord("A"), ord("Z") + 1)})


def _small(text: str) -> str:
    """The text with the Latin letters small, so that each character stands where it stood."""
    return text.lower() if text.isascii() else text.translate(_CAPITALS)


@lru_cache(maxsize=8)
def measure_cached(raw_code: str) -> SqlText:
    """``measure``, remembered for the next fields of the same node."""
    return measure(raw_code)


def _hard_coded(plain: str, small: str) -> list[str]:
    """Table functions, ``extract(… from a.b)`` and columns of a table named in the text are no relations."""
    found = [
        _QUOTES.sub("", plain[m.start(1) : m.end(1)])
        for m in _DOTTED.finditer(small)
        if not m[2] and not _FUNCTION.search(plain, max(0, m.start() - 200), m.start())
    ]
    if not found:
        return []
    local = {_QUOTES.sub("", m[1] or m[2]).lower() for m in _LOCAL.finditer(plain)}
    return sorted({name for name in found if name.split(".")[0].lower() not in local})
