"""A query's text made so that the value of each of its expressions can be shown, as ``opa eval`` shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source

_VALUE = "floec_value_{}"
_DOCUMENT = re.compile(r"data(?:\.[A-Za-z_]\w*)+", re.ASCII)
_ONLY_HIDDEN = re.compile(r"var floec_value_\d+ is unsafe\Z")
_HIDDEN = re.compile(r"floec_value_\d+, |, floec_value_\d+")


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression as written; ``name`` is bound to its value, None where that is always true."""

    text: str
    line: int
    col: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One solution: the values of the expressions, and the variables bound."""

    values: tuple[Any, ...]
    bindings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """``text`` is what is evaluated; ``inserted`` holds (line, column, width) of what was added to it."""

    text: str
    expressions: tuple[Expression, ...]
    inserted: tuple[tuple[int, int, int], ...]

    def answers(self, found: Sequence[Mapping[str, Any]]) -> tuple[Answer, ...]:
        """The solutions, from the bindings of ``text``."""
        hidden = {expression.name for expression in self.expressions}
        return tuple(
            Answer(
                tuple(True if e.name is None else bindings.get(e.name, True) for e in self.expressions),
                {name: value for name, value in bindings.items() if name not in hidden},
            )
            for bindings in found
        )

    def placed(self, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Diagnostics about ``text`` as ones about the query that the user wrote."""
        return tuple(self._placed(found) for found in diagnostics if not _ONLY_HIDDEN.match(found.message))

    def _placed(self, found: Diagnostic) -> Diagnostic:
        span = found.span
        if span is None or span.file != "<query>":
            return found
        col, end = self._column(span.line, span.col), self._column(span.end_line, span.end_col)
        message = _HIDDEN.sub("", found.message)
        return found._replace(message=message, span=span._replace(col=col, end_col=end))

    def _column(self, line: int, col: int) -> int:
        """A column of ``text`` as one of the query: what was inserted before it does not count."""
        for at, start, width in self.inserted:
            if at == line and col > start:
                col = max(start, col - width)
        return col


def captured(query: str) -> Outcome[Query]:
    """The query with a name for the value of each expression that has one."""
    if _DOCUMENT.fullmatch(query):
        # The commonest query needs no parser, which takes longer to import than the answer does.
        only = Expression(query, 1, 1, _VALUE.format(0))
        insertion = f"{only.name} = "
        return Outcome(Query(insertion + query, (only,), ((1, 1, len(insertion)),)))
    from policy_lang.syntax import ast
    from policy_lang.syntax.parser import parse_query

    parsed = parse_query(Source("<query>", query))
    if parsed.value is None or not parsed.ok:
        return Outcome(None, parsed.diagnostics)
    lines = query.split("\n")
    insertions: list[tuple[int, int, str]] = []
    expressions: list[Expression] = []
    several = len(parsed.value) > 1
    for number, literal in enumerate(parsed.value):
        span = literal.span
        name: str | None = None
        if isinstance(literal, ast.Expr) and not literal.negated and not _binds(literal.term):
            name = _VALUE.format(number)
            insertions.append((span.line, span.col, f"{name} = "))
            if several:
                # A false expression shows itself only where it stands alone.
                insertions.append((span.end_line, span.end_col, f"; {name}"))
        expressions.append(Expression(_slice(lines, span), span.line, span.col, name))
    for line, col, text in reversed(insertions):
        row = lines[line - 1]
        lines[line - 1] = row[: col - 1] + text + row[col - 1 :]
    places = tuple((line, col, len(text)) for line, col, text in insertions)
    return Outcome(Query("\n".join(lines), tuple(expressions), places))


def _binds(term: Any) -> bool:
    """Whether a term has no value of its own: `x := 1`, `x = 1`, `walk(a, x)`, `print(x)`."""
    from policy_lang.runtime.support import arity
    from policy_lang.syntax import ast
    from policy_lang.syntax.write_rego import write_term

    if not isinstance(term, ast.Call):
        return False
    if term.infix is not None:
        return term.infix in (":=", "=")
    name = write_term(term.operator)
    return name == "print" or arity(name) == len(term.args) - 1


def _slice(lines: Sequence[str], span: Any) -> str:
    chosen = list(lines[span.line - 1 : span.end_line])
    chosen[-1] = chosen[-1][: span.end_col - 1]
    chosen[0] = chosen[0][span.col - 1 :]
    return "\n".join(chosen)
