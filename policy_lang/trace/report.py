"""A recorder's notes as text: for each rule that was tried, which literal stopped it, and with which values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from policy_lang.analysis.resolve import ResolvedRule
from policy_lang.source import Source, Span
from policy_lang.syntax import ast
from policy_lang.trace.evaluate import is_moved
from policy_lang.trace.record import Note, Recorder
from policy_lang.trace.values import shortened


def render(
    recorder: Recorder,
    rules: Sequence[ResolvedRule],
    sources: Mapping[str, Source],
    query: ast.Body,
    *,
    full: bool = False,
) -> str:
    """One block for each rule that was tried, in the order of the files.

    A rule that gave a result is one line, unless ``full``.
    """
    blocks = []
    asked = _literals(recorder, query, sources, 1, False)
    if asked:
        blocks.append("\n".join(["query", *asked]))
    for rule in rules:
        notes = [recorder.branches.get((id(rule), index)) for index in range(len(rule.branches))]
        given = any(note is not None and note.held for note in notes)
        for index, (branch, note) in enumerate(zip(rule.branches, notes, strict=True)):
            # Of a chain of `else`, what comes before the one that held is of no interest.
            if note is not None and (full or note.held or not given):
                blocks.append("\n".join(_branch(recorder, rule, index, branch.body, note, sources, full)))
    return "\n\n".join(blocks)


def _branch(
    recorder: Recorder,
    rule: ResolvedRule,
    index: int,
    body: ast.Body,
    note: Note,
    sources: Mapping[str, Source],
    full: bool,
) -> Iterator[str]:
    result = (
        f"held {note.held} of {note.reached}"
        if rule.kind == "function"
        else "has a result"
        if note.held
        else "no result"
    )
    title = _text(rule.span, sources, first_line=True) or ".".join(rule.path)
    part = f" (else {index})" if index else ""
    yield f"{rule.span.file}:{rule.span.line}: {title}{part}: {result}"
    if full or note.held < note.reached:
        yield from _literals(recorder, body, sources, 1, full)


def _literals(recorder: Recorder, body: ast.Body, sources: Mapping[str, Source], level: int, full: bool) -> list[str]:
    lines = []
    for literal in sorted(body, key=lambda literal: (literal.span.line, literal.span.col)):
        note = recorder.literals.get(id(literal))
        pad = "  " * level
        if _is_moved(literal) and (note is None or note.held == note.reached):
            continue
        if note is None:
            if full:
                lines.append(f"{pad}{_place(literal.span)}{_text(literal.span, sources)}: not reached")
            continue
        count = f"held {note.held} of {note.reached}" if note.reached > 1 else "held" if note.held else "failed"
        text = _text(literal.span, sources)
        if isinstance(literal, ast.NotBody) and not text.startswith("not"):
            text = f"not {{ {text} }}"  # of a `require`
        lines.append(f"{pad}{_place(literal.span)}{text}: {count}")
        stops = note.held == 0 or full
        for failure in note.failures if stops else ():
            if failure:
                lines.append(f"{pad}    where " + ", ".join(f"{name} = {value}" for name, value in failure))
        for inner in _inside(recorder, literal):
            lines += _literals(recorder, inner, sources, level + 2, full)
    return lines


def _is_moved(literal: ast.Literal) -> bool:
    """Whether the compiler has moved a literal out of the `not` that follows, where it is shown."""
    return (
        isinstance(literal, ast.Expr)
        and isinstance(literal.term, ast.Call)
        and bool(literal.term.args)
        and is_moved(literal.term.args[0])
    )


def _inside(recorder: Recorder, literal: ast.Literal) -> Iterator[ast.Body]:
    if isinstance(literal, ast.NotBody | ast.Every):
        yield literal.body


def _place(span: Span) -> str:
    return "" if span.file == "<query>" else f"{span.line}: "


def _text(span: Span, sources: Mapping[str, Source], *, first_line: bool = False) -> str:
    """The text at a span on one line, cut where it is long."""
    source = sources.get(span.file)
    if source is None:
        return ""
    lines = source.text.splitlines()[span.line - 1 : span.line if first_line else span.end_line]
    if not lines:
        return ""
    if span.end_line == span.line or not first_line:
        lines[-1] = lines[-1][: span.end_col - 1]
    lines[0] = lines[0][span.col - 1 :]
    return shortened(" ".join(" ".join(lines).split()).removesuffix("{").strip())


def explained(recorder: Recorder, rules: Sequence[ResolvedRule], sources: Mapping[str, Source]) -> tuple[str, ...]:
    """The literals of ``rules`` that stopped an evaluation, with their values."""
    lines: list[str] = []
    for rule in rules:
        for index, branch in enumerate(rule.branches):
            if (id(rule), index) in recorder.branches:
                lines += _literals(recorder, branch.body, sources, 0, True)
    return tuple(lines)
