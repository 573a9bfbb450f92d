"""The terminal's form: message, source line with a caret, related places, why, hint."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

from compiler.policies.quota import More
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span

_WORD = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTIFY: "note"}
_COLOUR = {Severity.BLOCK: "\x1b[1;31m", Severity.WARN: "\x1b[1;33m", Severity.NOTIFY: "\x1b[1;36m"}
_RESET = "\x1b[0m"
_MAX_LINE = 160
"""Longer source lines are cut around the caret: a minified file must not flood the terminal."""
_HEAD = 64 * 1024
"""As many bytes are read of a file whose first line is shown."""


class Lines:
    """Reads source lines for snippets. ``texts`` overrides files (``<query>``)."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self._texts = dict(texts or {})
        # Findings come by file: only what many of them relate to is worth keeping.
        self._lines = lru_cache(maxsize=64)(self._read)
        self.related: dict[tuple[Span, str, int], list[str]] = {}
        """Snippets of related places by place, label and width: many findings share them."""

    def line(self, span: Span) -> str | None:
        """The line at the span's start, or None where the text cannot be read any more."""
        lines = self._lines(span.file, span.line == 1 and span.end_col < _HEAD // 8)
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None

    def _read(self, file: str, first: bool) -> list[str]:
        """The file's lines; ``first``: the start of the first is enough, as a manifest may be one line of megabytes."""
        if file in self._texts:
            return self._texts[file].splitlines()
        if not os.path.isfile(file):  # a device or a pipe may have no end
            return []
        try:
            with open(file, "rb") as opened:
                text = opened.read(_HEAD) if first else opened.read()
        except (OSError, ValueError):
            return []
        return text.decode("utf-8", "replace").splitlines()


def render(diagnostics: Iterable[Diagnostic], lines: Lines | None = None, *, colour: bool = False) -> str:
    """All diagnostics by place, each as a block of lines, with an empty line between."""
    lines = lines or Lines()
    return "\n\n".join(_one(d, lines, colour) for d in sorted(diagnostics, key=Diagnostic.sort_key))


_NAMED = 8
"""So many policies are named of those that have more findings than are shown."""


def not_shown(more: Iterable[More]) -> str:
    """How many findings there are beside those that are shown, and of which policies most."""
    counts: dict[str, int] = {}
    for one in more:
        counts[one.code] = counts.get(one.code, 0) + one.findings
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count} {code}" for code, count in ordered[:_NAMED]]
    others = f" and those of {len(ordered) - _NAMED} other policies" if len(ordered) > _NAMED else ""
    return f"{sum(counts.values())} findings more are not shown (-v shows them): {', '.join(named)}{others}"


def summary(diagnostics: Iterable[Diagnostic], more: Iterable[More] = ()) -> str:
    """``2 errors, 1 warning``; ``no findings`` where there are none. ``more`` are counted with them."""
    counts = dict.fromkeys((Severity.BLOCK, Severity.WARN, Severity.NOTIFY), 0)
    exempted = 0
    for diagnostic in diagnostics:
        if diagnostic.suppressed:
            exempted += 1
        else:
            counts[diagnostic.severity] += 1
    for one in more:
        if one.severity:
            counts[Severity(one.severity)] += one.findings
        else:
            exempted += one.findings
    parts = [f"{n} {_WORD[s]}{'' if n == 1 else 's'}" for s, n in counts.items() if n]
    if exempted:
        parts.append(f"{exempted} exempted")
    return ", ".join(parts) or "no findings"


def _one(diagnostic: Diagnostic, lines: Lines, colour: bool) -> str:
    word = _WORD[diagnostic.severity]
    head = f"{word}[{diagnostic.code}]"
    if colour:
        head = f"{_COLOUR[diagnostic.severity]}{head}{_RESET}"
    out = [f"{head}: {_plain(diagnostic.message)}"]
    places = [diagnostic.span, *(related.span for related in diagnostic.related)]
    width = max((len(str(span.line)) for span in places if span), default=1)
    if diagnostic.span is not None:
        out += _snippet(diagnostic.span, _plain(diagnostic.label), "^", width, lines)
    for related in diagnostic.related:
        key = (related.span, related.text, width)
        if key not in lines.related:
            lines.related[key] = _snippet(related.span, _plain(related.text), "-", width, lines)
        out += lines.related[key]
    pad = " " * width
    notes = [
        ("why", diagnostic.why),
        ("help", diagnostic.hint),
        ("exempted", diagnostic.suppressed),
        ("docs", diagnostic.docs),
        ("more", f"`floec explain {diagnostic.code}`" if diagnostic.code.startswith("LNT") else ""),
        ("policy", f"{diagnostic.policy.file}:{diagnostic.policy.line}" if diagnostic.policy else ""),
    ]
    out += [f"{pad} = {name}: {_plain(text)}" for name, text in notes if text]
    return "\n".join(out)


def _snippet(span: Span, label: str, mark: str, width: int, lines: Lines) -> list[str]:
    pad = " " * width
    arrow = "-->" if mark == "^" else ":::"
    out = [f"{pad}{arrow} {span.file}:{span.line}:{span.col}"]
    text = lines.line(span)
    if text is None or "\0" in text:  # not readable, or no text at all: a blob of an archive
        return out
    start = min(span.col - 1, len(text))
    end = span.end_col - 1 if span.end_line == span.line else len(text)
    point = (span.line, span.col) == (span.end_line, span.end_col)
    length = _word_at(text, start) if point else max(1, min(end, len(text)) - start)
    if len(text) > _MAX_LINE:
        cut = max(0, start - _MAX_LINE // 3)
        text, start = text[cut : cut + _MAX_LINE], start - cut
        length = min(length, max(1, len(text) - start))
    caret = " " * start + mark * length
    out += [
        f"{pad} |",
        f"{span.line:>{width}} | {_plain(text).rstrip()}",
        f"{pad} | {caret}{' ' + label if label else ''}",
    ]
    return out


def _word_at(text: str, start: int) -> int:
    """The length of the word at ``start``, at least 1: a place without an extent is marked by its whole word."""
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] in "_$.-"):
        end += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return max(1, end - start)


def _plain(text: str) -> str:
    """Control characters would let a document repaint the terminal: show them as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n" else (" " if c == "\t" else repr(c)[1:-1]) for c in text)
