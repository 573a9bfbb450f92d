"""Source text and positions in it: the lowest layer, shared by the language and the compiler."""

from __future__ import annotations

from policy_lang.records import NamedTuple


class Span(NamedTuple):
    """A stretch of a text. Lines and columns count from 1 in code points; the end is exclusive.

    ``file`` is the path as the user gave it (relative paths stay relative), or a name in angle
    brackets (``<query>``) for text that no file holds.
    """

    file: str
    line: int
    col: int
    end_line: int
    end_col: int

    def to(self, end: Span) -> Span:
        """The span from the start of this one to the end of ``end`` (in the same file)."""
        return Span(self.file, self.line, self.col, end.end_line, end.end_col)

    def start(self) -> Span:
        """The empty span at this one's start."""
        return Span(self.file, self.line, self.col, self.line, self.col)


def whole_file(file: str) -> Span:
    """A span for messages about a file as a whole: its first character."""
    return Span(file, 1, 1, 1, 1)


class Source(NamedTuple):
    """A named text, for example one policy file or one YAML document."""

    file: str
    text: str

    @property
    def identity(self) -> str:
        """What tells this text from another of the same name, for caches."""
        return self.text

    def line(self, number: int) -> str:
        """Line ``number`` (from 1) without its line end; empty beyond the text."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""
