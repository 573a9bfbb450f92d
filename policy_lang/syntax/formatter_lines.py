"""The page that the formatter writes on: lines, indentation, and where comments go.

Comments are held in the order of the source. Before a node is written, those of earlier rows are put
on lines of their own, and one on the node's row waits for the end of the line.
"""

from __future__ import annotations

from collections.abc import Sequence

from policy_lang.records import NamedTuple
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_places import Place, Places


class CrowdedLine(Exception):
    """Two comments want the end of one line, or a comment stands where a line would be joined."""


class Mark(NamedTuple):
    """A state of the page to return to."""

    chunks: int
    level: int
    comments: int
    inline: bool
    waiting: ast.Comment | None


class Lines:
    """Text under construction."""

    def __init__(self, places: Places, comments: Sequence[ast.Comment]) -> None:
        self.places = places
        self.level = 0
        self.inline = False
        self.comments = list(comments)
        self._next = 0
        self._chunks: list[str] = []
        self._waiting: ast.Comment | None = None
        self._delayed = False
        self.kept: Place | None = None
        """What was last written as it stood."""

    def text(self) -> str:
        """All that was written, with one line end at the end."""
        text = "".join(self._chunks)
        return text.rstrip("\n") + "\n" if text.endswith("\n") else text

    def write(self, text: str) -> None:
        """Add text to the line."""
        self._chunks.append(text)

    def start_line(self) -> None:
        """Begin a line with its indentation."""
        self.inline = True
        self.write("\t" * self.level)

    def end_line(self) -> None:
        """End the line, with the comment that waits for it."""
        self.inline = False
        if self._waiting is not None and not self._delayed:
            self.write(" " + _shown(self._waiting))
            self._waiting = None
        self._delayed = False
        self.write("\n")

    def blank_line(self) -> None:
        """End the line if one was begun, and add an empty one."""
        if self.inline:
            self.end_line()
        self.write("\n")

    def break_line(self) -> None:
        """Go on in the next line."""
        self.end_line()
        self.start_line()

    def delay_comment(self) -> None:
        """Let the waiting comment pass the next line end: it moves to the first element of a broken list."""
        self._delayed = True

    # ----------------------------------------------------------------- comments

    @property
    def comment_waits(self) -> bool:
        """True where a comment waits for the end of the line."""
        return self._waiting is not None

    def pending(self) -> Sequence[ast.Comment]:
        """The comments not written yet."""
        return self.comments[self._next :]

    def take_comments_of(self, rows: frozenset[int]) -> dict[int, ast.Comment]:
        """Take the comments of some rows out of the order (imports are sorted, and keep theirs)."""
        taken = {c.span.line: c for c in self.pending() if c.span.line in rows}
        self.comments = [c for c in self.pending() if c.span.line not in rows]
        self._next = 0
        return taken

    def insert_comments(self, place: Place) -> None:
        """Write the comments of rows before ``place``; one on its row waits for the line's end.

        Raises:
            CrowdedLine: another comment waits already.
        """
        before = self._take_before(place.row)
        self.write_comments(before)
        if before and place.row - before[-1].span.line > 1:
            self.blank_line()
        here = None
        while self._next < len(self.comments) and self.comments[self._next].span.line == place.row:
            here = self.comments[self._next]
            self._next += 1
        self._wait(here)

    def insert_earlier_comments(self, place: Place) -> None:
        """Write the comments of rows before ``place``, and no other."""
        before = self._take_before(place.row)
        self.write_comments(before)
        if before and place.row - before[-1].span.line > 1:
            self.blank_line()

    def take_before(self, row: int) -> list[ast.Comment]:
        """Take the comments of rows before ``row``."""
        return self._take_before(row)

    def _take_before(self, row: int) -> list[ast.Comment]:
        start = self._next
        while self._next < len(self.comments) and self.comments[self._next].span.line < row:
            self._next += 1
        return self.comments[start : self._next]

    def _wait(self, comment: ast.Comment | None) -> None:
        if self._waiting is not None and comment is not None:
            self._waiting = None
            raise CrowdedLine
        self._waiting = self._waiting or comment

    def write_comments(self, comments: Sequence[ast.Comment]) -> None:
        """Each on a line of its own, with the empty lines between them as written (one at most)."""
        in_metadata = False
        for index, comment in enumerate(comments):
            if index:
                rows = comment.span.line - comments[index - 1].span.line
                if rows > 1:
                    self.blank_line()
                    in_metadata = False
                elif in_metadata and is_metadata(comment):
                    self.blank_line()
            in_metadata = in_metadata or is_metadata(comment)
            self.write_line(_shown(comment))

    def write_line(self, text: str) -> None:
        """A whole line."""
        if not self.inline:
            self.start_line()
        self.write(text)
        self.end_line()

    # ----------------------------------------------------------------- as written

    def mark(self) -> Mark:
        """The state, for ``rewind``."""
        return Mark(len(self._chunks), self.level, self._next, self.inline, self._waiting)

    def rewind(self, mark: Mark) -> None:
        """Forget what was written since ``mark``."""
        del self._chunks[mark.chunks :]
        self._waiting, self.inline = mark.waiting, mark.inline
        self.level, self._next = mark.level, mark.comments

    def since(self, mark: Mark) -> str:
        """What was written since ``mark``, with the comment that waits."""
        waiting = " " + _shown(self._waiting) if self._waiting is not None else ""
        return "".join(self._chunks[mark.chunks :]) + waiting

    def write_as_it_stood(self, place: Place, *, with_last_comment: bool) -> None:
        """The text of a place unchanged; the comments inside are part of it."""
        self.kept = place
        text = self.places.written(place)
        last = place.row + text.count("\n")
        if self._waiting is not None and place.row <= self._waiting.span.line <= last:
            self._waiting = None
        self.write(text)
        while self._next < len(self.comments):
            comment = self.comments[self._next]
            if comment.span.line == last and with_last_comment:
                self.write(" " + _shown(comment))
            elif comment.span.line >= last:
                break
            self._next += 1


def is_metadata(comment: ast.Comment) -> bool:
    """True for the first line of a metadata block."""
    return comment.span.col == 1 and comment.text[1:].strip().startswith("METADATA")


def _shown(comment: ast.Comment) -> str:
    return comment.text.rstrip()
