"""SQL that no parser understands: where it breaks, and what is wrong there in plain words.

Only what looks odd (``sql_shape``) is parsed, with its Jinja made blank (``blank_jinja``). It is broken where it cannot
be parsed in any dialect and under any guess at what only dbt knows, and where all guesses break at the same place, far
enough from what a macro may have written. A feature that one parser does not know must not alarm a team. Codes: FLC130
(warn).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from compiler.facts.project.file_facts import BrokenSql
from compiler.facts.sql.blank_jinja import GUESSES, NAME, Blanked, blanked, spaces
from compiler.facts.sql.shape import DOUBLED, ODD, UNFINISHED, Oddity, oddity
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple
from policy_lang.source import Span

DIALECTS = {
    "athena": "athena", "bigquery": "bigquery", "clickhouse": "clickhouse", "databricks": "databricks",
    "doris": "doris", "dremio": "dremio", "duckdb": "duckdb", "exasol": "exasol", "fabric": "fabric",
    "glue": "spark", "greenplum": "postgres", "hive": "hive", "impala": "hive", "materialize": "materialize",
    "mysql": "mysql", "oracle": "oracle", "postgres": "postgres", "presto": "presto", "redshift": "redshift",
    "risingwave": "risingwave", "singlestore": "singlestore", "snowflake": "snowflake", "spark": "spark",
    "sqlite": "sqlite", "sqlserver": "tsql", "starrocks": "starrocks", "synapse": "tsql",
    "teradata": "teradata", "trino": "trino", "vertica": "postgres",
}  # fmt: skip
"""dbt's adapter → sqlglot's dialect; SQL of an adapter that is not here is read as sqlglot's own dialect."""
_OTHERS = ("", "snowflake", "bigquery", "postgres", "duckdb", "trino", "databricks", "clickhouse", "tsql", "redshift",
           "mysql", "athena", "oracle")  # fmt: skip
_STRICT = frozenset(("postgres", "greenplum", "sqlserver", "fabric", "synapse", "mysql", "oracle", "sqlite"))
"""Adapters of databases that refuse a comma before ``from``."""
_WORD = Pattern(r"[A-Za-z_]\w*|\S")
_WORDS = Pattern(r"(?<![\w.'\"`])[A-Za-z]\w*(?![\w.('\"`])")
"""Words that are neither quoted, nor parts of a name, nor functions."""
_COMMENT = Pattern(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|`[^`]*`", re.DOTALL)
_KEYWORDS = ("select", "from", "where", "group", "order", "having", "join", "union", "when", "then", "else", "end",
             "case", "partition", "over", "distinct", "with", "values", "limit", "qualify", "inner", "outer", "left",
             "right", "between")  # fmt: skip
_NEAR = 3
"""So many words before the place may be the cause, and so far from a macro's call a place is certain."""


PARSER_FAILS = (ValueError, TypeError, AttributeError, LookupError)
"""What sqlglot itself fails with on SQL that it did not expect (`cast(a as decimal())`, say)."""
MAX_DEPTH = 500
"""Parentheses in parentheses: a parser that is compiled to C crashes where there are tens of thousands."""
QUERIES = frozenset(("view", "table", "incremental", "ephemeral", "snapshot", "materialized_view", "dynamic_table"))
"""Materializations of which it is known that a model's text is a query."""


class _Failure(NamedTuple):
    offset: int
    length: int
    reason: str


def broken_sql(text: str, adapter: Callable[[], str | None]) -> BrokenSql | None:
    """Where the SQL of a model, snapshot or test breaks; None where it is whole, or where that cannot be told.

    ``adapter`` is asked only where something looks odd.
    """
    taken = blanked(text)
    odd = None if taken is None else _oddity(taken.text, tuple(hole.start for hole in taken.holes))
    if taken is None or odd is None or not _has_words(taken.text):
        return None
    used = adapter()
    certain = _certainly(text, odd, used)
    if certain:
        reason = f"`{text[odd.offset : odd.offset + odd.length]}` {certain}"
        return BrokenSql(*_line_and_col(text, odd.offset), odd.length, reason, "write what is missing, or take it out")
    failure = _failure(text, taken, used)
    if failure is None or not _certain(taken, failure):
        return None
    return _said(taken.text, odd, failure)


_oddity = lru_cache(maxsize=512)(oddity)
"""Staging models differ in their names only."""


def _certainly(text: str, odd: Oddity, adapter: str | None) -> str:
    """What no database understands, though sqlglot does: a comma too much, a list after which nothing comes; else
    empty. ``from`` after a comma is right for some databases."""
    word = text[odd.offset : odd.offset + odd.length]
    if odd.reason == UNFINISHED:
        return UNFINISHED if word != "," and text.rstrip().endswith(word) else ""
    if not text[: odd.offset].rstrip().endswith(","):
        return ""
    if odd.reason == DOUBLED:
        return DOUBLED
    return "follows a comma" if adapter in _STRICT and word.lower() == "from" else ""


def _line_and_col(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def sql_diagnostic(file: str, subject: str, broken: BrokenSql) -> Diagnostic:
    """FLC130 (warn), on the file that holds the SQL."""
    span = Span(file, broken.line, broken.col, broken.line, broken.col + broken.length)
    message = f"the SQL of {subject} cannot be parsed: {broken.reason}"
    return Diagnostic("FLC130", message, span, Severity.WARN, hint=broken.hint, subject=subject)


def _has_words(sql: str) -> bool:
    """False where Jinja writes all of the SQL."""
    return any(found[0].strip(f"{NAME}_;") for found in _WORD.finditer(_without_comments(sql)))


def _without_comments(sql: str) -> str:
    """As long, comments blank."""
    return _COMMENT.sub(lambda found: found[0] if found[0][0] in "'\"`" else spaces(found[0]), sql)


def _failure(text: str, taken: Blanked, adapter: str | None) -> _Failure | None:
    """Where all guesses break; None where one can be read, or where they break at several places."""
    first: _Failure | None = None
    seen: set[str] = set()
    for guess in GUESSES:
        guessed = taken if guess is GUESSES[0] else blanked(text, guess)
        if guessed is None or guessed.text in seen:
            continue
        seen.add(guessed.text)
        failure = _unread(guessed.text, adapter)
        if failure is None or (first is not None and failure.offset != first.offset):
            return None
        first = first or failure
    return first


def _unread(sql: str, adapter: str | None) -> _Failure | None:
    """Where the parsers break: that of the adapter, else the one that came farthest; None where one reads all."""
    import logging

    import sqlglot
    from sqlglot.errors import SqlglotError

    if too_deep(sql):
        return None
    sql = sql.replace("\r", " ")  # which counts as a line of its own to sqlglot
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    own = DIALECTS.get(adapter or "")
    failures: list[_Failure] = []
    for dialect in dict.fromkeys((*([own] if own else []), *_OTHERS)):
        try:
            trees = sqlglot.parse(sql, dialect=dialect)
        except SqlglotError as error:
            failures.append(_place(sql, error))
            continue
        except RecursionError:
            return None
        except PARSER_FAILS:
            continue
        if _is_query(trees):
            return None
        failures.append(_Failure(*_first_word(sql), "begins no query"))
    if not failures:
        return None
    return failures[0] if own else max(failures, key=lambda failure: failure.offset)


def too_deep(sql: str) -> bool:
    """Whether parentheses stand deeper in each other than ``MAX_DEPTH``."""
    if sql.count("(") <= MAX_DEPTH:
        return False
    depth = 0
    for found in re.finditer(r"[()]", sql):
        depth += 1 if found[0] == "(" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _is_query(trees: Sequence[Any]) -> bool:
    """False where what was read is a lone value: `selec a` is a column with an alias to a parser."""
    from sqlglot import exp

    lone = (exp.Alias, exp.Column, exp.Binary, exp.Literal, exp.Identifier, exp.Tuple, exp.Paren)
    return not any(isinstance(tree, lone) for tree in trees)


def _first_word(sql: str) -> tuple[int, int]:
    """Where it stands, and its length."""
    found = _WORD.search(_without_comments(sql))
    return (found.start(), len(found[0])) if found else (0, 0)


def _place(sql: str, error: Any) -> _Failure:
    """Of sqlglot's errors the first; ``col`` is there where a word ends."""
    found = getattr(error, "errors", None)
    if not found:
        return _Failure(len(sql), 0, "cannot be split into words")
    said: dict[str, Any] = found[0]
    word = str(said.get("highlight") or "")
    start = 0
    for _ in range(int(said.get("line") or 1) - 1):
        start = sql.find("\n", start) + 1
    offset = min(max(start + int(said.get("col") or 1) - max(len(word), 1), 0), max(len(sql) - 1, 0))
    return _Failure(offset, len(word), _reason(str(said.get("description") or ""), word))


_EXPECTING = Pattern(r"(?:Expecting|Expected) (\S+)\Z")


def _reason(description: str, word: str) -> str:
    """sqlglot's description in our words, of the word at the place."""
    expected = _EXPECTING.match(description)
    if expected is not None:
        return f"stands where a `{expected[1]}` is missing"
    for start, reason in _REASONS:
        if description.startswith(start):
            return reason
    return ODD


_REASONS = (
    ("Expected table name", "has no table after it"),
    ("Required keyword", "lacks a part, before it or after it"),
    ("Failed to parse any statement following CTE", "is followed by no query"),
    ("Expected CTE to have alias", "stands where a common table expression has its name"),
    ("Expected END after CASE", "stands where the `end` of a `case` is missing"),
    ("Expected AS after CAST", "stands where the `as` of a `cast` is missing"),
    ("Expected type", "stands where a type is missing"),
)
"""How sqlglot's descriptions begin → what is said of the word at the place."""


def _certain(taken: Blanked, failure: _Failure) -> bool:
    """Whether nothing that only dbt knows can be the cause: no tag that may stand for anything comes before, and no
    macro's call that has lines to itself is near."""
    if taken.opaque is not None and taken.opaque <= failure.offset:
        return False
    for hole in taken.holes:
        if hole.alone:
            first, last = (hole.end, failure.offset) if hole.start <= failure.offset else (failure.offset, hole.start)
            if len(_WORD.findall(taken.text[first:last])) < _NEAR:
                return False
    return True


def _said(sql: str, odd: Oddity, failure: _Failure) -> BrokenSql:
    """The finding: at a word that seems to be misspelt near the place, else at a bracket or quote that is the cause,
    else where the parser broke."""
    offset, length, reason = failure
    misspelt = _misspelt(sql, min(odd.offset, offset), offset + length)
    hint = "try the query in the warehouse as `dbt compile` writes it to target/compiled"
    start, long = _first_word(sql)
    if odd.reason != ODD:
        offset, length, reason = odd
    elif misspelt is not None:
        offset, length, meant = misspelt
        reason, hint = ODD, f"did you mean `{meant}`?"
    elif odd.offset == start:
        offset, length, reason = start, long, "begins no query"
    word = sql[offset : offset + length].strip().partition("\n")[0]
    shown = f"`{word}` {reason}" if word else f"it {reason}"
    return BrokenSql(*_line_and_col(sql, offset), len(word), shown, hint)


def _misspelt(sql: str, first: int, last: int) -> tuple[int, int, str] | None:
    """A word up to a few before the place that is nearly a keyword: where, how long, and which keyword."""
    from policy_lang.spell import nearest

    sql = _without_comments(sql)
    words = [found for found in _WORDS.finditer(sql, max(0, first - 120), last + 1) if found.end() <= last + 1]
    near = [found for found in words if found.end() > first or len(_WORD.findall(sql[found.end() : first])) < _NEAR]
    for found in near:
        word = found[0].lower()
        if len(word) < 3 or word in _KEYWORDS:
            continue
        meant = next((keyword for keyword in _KEYWORDS if keyword.startswith(word)), None) or nearest(word, _KEYWORDS)
        if meant is not None:
            return found.start(), len(word), meant
    return None
