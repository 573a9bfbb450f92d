"""The forms in which ``floec eval`` shows its answers: those of ``opa eval``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.cli.eval_query import Answer, Query

FORMATS = ("json", "values", "bindings", "pretty", "raw", "discard")


def rendered(query: Query, answers: Sequence[Answer], form: str, extra: dict[str, Any]) -> str:
    """The text of the answers; ``extra`` (metrics, profile, coverage) is part of the JSON forms only."""
    from policy_lang.runtime.values import to_json

    if form == "json":
        rows = [_row(query, answer) for answer in answers]
        return to_json({**({"result": rows} if rows else {}), **extra}, indent=2)
    if form == "discard":
        return to_json({**({"result": "discarded"} if answers else {}), **extra}, indent=2)
    if form == "values":
        return "\n".join(to_json(list(answer.values), indent=2) for answer in answers)
    if form == "bindings":
        return "\n".join(to_json(answer.bindings, indent=2) for answer in answers)
    if form == "raw":
        return "\n".join(" ".join(v if isinstance(v, str) else to_json(v) for v in a.values) for a in answers)
    return _pretty(query, answers)


def _row(query: Query, answer: Answer) -> dict[str, Any]:
    expressions = [
        {"value": value, "text": expression.text, "location": {"row": expression.line, "col": expression.col}}
        for expression, value in zip(query.expressions, answer.values, strict=True)
    ]
    return {"expressions": expressions, **({"bindings": answer.bindings} if answer.bindings else {})}


def _pretty(query: Query, answers: Sequence[Answer]) -> str:
    from policy_lang.runtime.values import to_json

    if not answers:
        return "undefined"
    # Beside variables, expressions that are true in all answers say nothing.
    columns = [n for n, _ in enumerate(query.expressions) if any(answer.values[n] is not True for answer in answers)]
    names = sorted({name for answer in answers for name in answer.bindings})
    if len(answers) == 1 and not names and len(query.expressions) == 1:
        return to_json(answers[0].values[0], indent=2)
    if not names and not columns:
        return "true"
    if not names:
        columns = list(range(len(query.expressions)))
    header = [*(query.expressions[n].text for n in columns), *names]
    rows = [
        [*(to_json(a.values[n]) for n in columns), *(to_json(a.bindings[k]) if k in a.bindings else "" for k in names)]
        for a in answers
    ]
    return table(header, rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A box of lines; the header is centred."""
    widths = [max(len(row[n]) for row in [header, *rows]) for n in range(len(header))]
    bars = ["─" * (width + 2) for width in widths]
    head = "│".join(f" {_centred(text, width)} " for text, width in zip(header, widths, strict=True))
    body = ["│" + "│".join(f" {t:<{w}} " for t, w in zip(row, widths, strict=True)) + "│" for row in rows]
    top, middle, bottom = "┌" + "┬".join(bars) + "┐", "├" + "┼".join(bars) + "┤", "└" + "┴".join(bars) + "┘"
    return "\n".join([top, f"│{head}│", middle, *body, bottom])


def _centred(text: str, width: int) -> str:
    left = (width - len(text)) // 2
    return " " * left + text + " " * (width - len(text) - left)
