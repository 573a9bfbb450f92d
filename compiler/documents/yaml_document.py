"""The text of a YAML document, and what it says: plain values, and the span of every key and value.

Apart from the loader, because what the cache knows of a text needs no YAML parser. Codes: FLC100 the file cannot be
read, FLC106 too large, FLC108 not UTF-8.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiler.documents.shape import Keys
from policy_lang.diagnostics import Diagnostic, Label, Outcome
from policy_lang.records import NamedTuple
from policy_lang.source import Source, Span, whole_file

MAX_BYTES = 64 * 1024 * 1024


class YamlDocument(NamedTuple):
    """One YAML document: its plain value, and where each key and value stands."""

    source: Source
    value: Any
    key_spans: dict[Keys, Span]
    value_spans: dict[Keys, Span]

    @property
    def file(self) -> str:
        """The path as the user gave it."""
        return self.source.file

    def span(self, path: Keys) -> Span:
        """The span of the value at ``path``, or of the nearest enclosing thing that has one.

        Of a mapping or list in block style it is that of its key: its first line says nothing of the whole.
        """
        while path and path not in self.value_spans:
            path = path[:-1]
        span = self.value_spans.get(path, whole_file(self.source.file))
        if (span.line, span.col) == (span.end_line, span.end_col):  # a block collection, or nothing after the key
            return self.key_spans.get(path, span)
        return span

    def key_span(self, path: Keys) -> Span:
        """The span of the key that holds ``path``; that of the value where no key does."""
        return self.key_spans.get(path) or self.span(path)


def read_source(path: Path | str) -> Outcome[Source]:
    """Read a file as UTF-8. FLC100 where it cannot be read, FLC106 where it is too large, FLC108 where not UTF-8."""
    file = str(path)
    try:
        size = Path(path).stat().st_size
        if size > MAX_BYTES:
            return refuse("FLC106", f"`{file}` has {size} bytes; at most {MAX_BYTES} are read", whole_file(file))
        raw = Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return refuse("FLC100", f"cannot read `{file}`: {reason}", whole_file(file), "check the path")
    try:
        return Outcome(Source(file, raw.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        col = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        span = Span(file, line, col, line, col + 1)
        return refuse("FLC108", f"`{file}` is not UTF-8 (byte {error.start})", span, "save the file as UTF-8")


_OPENED = ("flow sequence", "flow mapping", "quoted")
"""What begins with a bracket or a quote; of a "flow node" the parser gives the place where it is missing."""


def broken_yaml(file: str, error: Any) -> Outcome[Any]:
    """FLC101 for a ``yaml.MarkedYAMLError``, with the place where a bracket or quote was opened that nothing closes.

    The parser notices it at the next key, or at the file's end, where there is nothing to be seen.
    """
    mark, begun = error.problem_mark or error.context_mark, error.context_mark
    at = _mark_span(file, mark) if mark is not None else whole_file(file)
    opened = begun is not None and any(kind in (error.context or "") for kind in _OPENED)
    text = f"broken YAML: {error.problem or error.context or 'cannot be parsed'}"
    related = (Label(_mark_span(file, begun), "opened here"),) if opened else ()
    hint = "check indentation, quotes and colons here"
    return Outcome(None, (Diagnostic("FLC101", text, at, related=related, hint=hint),))


def _mark_span(file: str, mark: Any) -> Span:
    return Span(file, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1)


def refuse(code: str, message: str, span: Span, hint: str = "") -> Outcome[Any]:
    return Outcome(None, (Diagnostic(code, message, span, hint=hint),))
