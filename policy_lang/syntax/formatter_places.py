"""Where nodes stand in the text as written: the half of formatting that reads the source.

The tree drops what has no meaning (parentheses, the braces of operands), but the layout keeps to how
the author broke lines. So a place is looked up from a node's span and the tokens around it. Rows and
texts follow OPA's own notion of a location, since its formatter decides by them: a term in
parentheses stands on the row of its first inner token, while its text begins at the parenthesis.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from policy_lang.records import NamedTuple
from policy_lang.source import Source, Span
from policy_lang.syntax import ast
from policy_lang.syntax.layout import arrange
from policy_lang.syntax.tokens import Token

_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Place(NamedTuple):
    """``row`` counts from 1; ``start`` and ``end`` are offsets into the text, in code points."""

    row: int
    start: int
    end: int


NOWHERE = Place(-1, 0, 0)


class Places:
    """Answers for one parsed source."""

    def __init__(self, source: Source, tokens: Iterable[Token]) -> None:
        self.text = source.text
        self._lines = [0]
        for index, char in enumerate(source.text):
            if char == "\n":
                self._lines.append(index + 1)
        self._before: dict[int, Token] = {}
        self._after: dict[int, Token] = {}
        self._partner: dict[int, int] = {}
        self.by_start: dict[int, Token] = {}
        self._pinned: Place | None = None
        self._extents: dict[int, tuple[ast.Term, tuple[int, int]]] = {}
        self._index(list(tokens))

    def _index(self, tokens: list[Token]) -> None:
        tokens = [t for t in tokens if t.type != "NL"]
        stack: list[Token] = []
        for before, token in zip([None, *tokens], tokens, strict=False):
            start = self.bounds(token.span)[0]
            self.by_start[start] = token
            if before is not None:
                self._before[start] = before
                self._after[self.bounds(before.span)[1]] = token
            if token.text in _CLOSERS and token.type != "STRING":
                stack.append(token)
            elif token.text in (")", "]", "}"):
                opening = stack.pop()
                self._partner[self.bounds(opening.span)[0]] = start
            for part in token.parts:
                if not isinstance(part, str):
                    self._index(arrange(part))

    def offset(self, line: int, col: int) -> int:
        """The offset of a line and column."""
        return self._lines[line - 1] + col - 1

    def bounds(self, span: Span) -> tuple[int, int]:
        """A span as offsets."""
        return self.offset(span.line, span.col), self.offset(span.end_line, span.end_col)

    def row_of(self, offset: int) -> int:
        """The row of an offset."""
        return bisect_right(self._lines, offset)

    def before(self, offset: int) -> Token | None:
        """The token before the one that starts at ``offset``."""
        return self._before.get(offset)

    def token_after(self, token: Token) -> Token:
        """The token after one that is not the last."""
        return self._after[self.bounds(token.span)[1]]

    def tokens_within(self, place: Place) -> Iterator[Token]:
        """The tokens that start inside a place."""
        return (token for start, token in self.by_start.items() if place.start <= start < place.end)

    def partner(self, opening: Token) -> int:
        """Where the bracket that closes ``opening`` stands."""
        return self._partner[self.bounds(opening.span)[0]]

    def written(self, place: Place) -> str:
        """The text at a place."""
        return self.text[place.start : place.end]

    @contextmanager
    def pinned(self, place: Place) -> Iterator[None]:
        """While this holds, every node stands at ``place``: for parts that OPA gives their parent's location."""
        outer, self._pinned = self._pinned, place
        try:
            yield
        finally:
            self._pinned = outer

    @property
    def is_pinned(self) -> bool:
        """True inside ``pinned``."""
        return self._pinned is not None

    # ----------------------------------------------------------------- nodes

    def term(self, term: ast.Term) -> Place:
        """A term, with the parentheses around it."""
        if self._pinned is not None:
            return self._pinned
        start, end = self.extent(term)
        if isinstance(term, ast.Number) and term.text.startswith("-"):
            end = start + 1
        return Place(term.span.line, start, end)

    def extent(self, term: ast.Term) -> tuple[int, int]:
        """Offsets of a term with the parentheses around it and around its outer operands."""
        known = self._extents.get(id(term))
        if known is not None:
            return known[1]
        start, end = self.bounds(term.span)
        if isinstance(term, ast.Call) and term.infix is not None:
            start, end = self.extent(term.args[0])[0], self.extent(term.args[-1])[1]
        elif isinstance(term, ast.Logical):
            right = self.operand(term.right)
            start, end = self.operand(term.left, right[0])[0], right[1]
        found = self.outward(start, end)
        # The term is kept beside its answer, so that its id cannot come to mean another one.
        self._extents[id(term)] = (term, found)
        return found

    def outward(self, start: int, end: int) -> tuple[int, int]:
        """The same stretch with all parentheses that hold just it."""
        while True:
            before, after = self._before.get(start), self._after.get(end)
            if before is None or after is None or before.type != "LPAR" or after.text != ")":
                return start, end
            opening = self.bounds(before.span)[0]
            if self._partner.get(opening) != self.bounds(after.span)[0]:
                return start, end
            start, end = opening, self.bounds(after.span)[1]

    def in_parentheses(self, term: ast.Term) -> bool:
        """Whether parentheses hold the whole term, and not just its first operand."""
        start, end = self.extent(term)
        return self._pinned is None and self._partner.get(start) == end - 1 and self.text[start] == "("

    def operand(self, body: ast.Body, limit: int | None = None) -> tuple[int, int]:
        """Offsets of one side of ``and``/``or``, with its braces or parentheses; ``limit`` as in ``brace``."""
        start, end = self._stretch(body[0])[0], self._stretch(body[-1])[1]
        brace = self.brace(body, limit)
        if brace is not None:
            return self.outward(self.bounds(brace.span)[0], self.partner(brace) + 1)
        return self.outward(start, end)

    def brace(self, body: ast.Body, limit: int | None = None) -> Token | None:
        """The ``{`` of a body that was written with braces of its own.

        The left side of ``and``/``or`` may stand at the beginning of another body: its own brace closes
        before ``limit``, where the right side starts.
        """
        before = self._before.get(self._stretch(body[0])[0])
        if before is None or before.type != "LBRACE_BODY":
            return None
        return before if limit is None or self.partner(before) < limit else None

    def literal(self, literal: ast.Literal) -> Place:
        """A literal, with what follows it as ``with``."""
        if self._pinned is not None:
            return self._pinned
        start, end = self._stretch(literal)
        return Place(self.row_of(start), start, end)

    def _stretch(self, literal: ast.Literal) -> tuple[int, int]:
        start, end = self.bounds(literal.span)
        match literal:
            case ast.Expr(term=term):
                inner = self.extent(term)
                start, end = (start if literal.negated else inner[0]), inner[1]
            case ast.NotBody(body=body):
                brace = self.brace(body)
                end = self.partner(brace) + 1 if brace is not None else end
            case ast.SomeIn(collection=collection):
                end = self.extent(collection)[1]
        if not isinstance(literal, ast.SomeDecl) and literal.withs:
            end = self.with_(literal.withs[-1]).end
        return start, end

    def terms_end_row(self, literal: ast.Expr | ast.NotBody | ast.SomeIn | ast.Every) -> int:
        """The row where a literal's own terms end, before any ``with``."""
        place = self.literal(literal)
        end = self.bounds(literal.withs[0].span)[0] if literal.withs else place.end
        text = self.text[place.start : end].rstrip(" \t\r\n")
        return place.row + text.count("\n")

    def with_(self, clause: ast.With) -> Place:
        """A ``with … as …``."""
        if self._pinned is not None:
            return self._pinned
        return Place(clause.span.line, self.bounds(clause.span)[0], self.extent(clause.value)[1])

    def end_row(self, place: Place) -> int:
        """The row of a place's last character."""
        return place.row + self.text.count("\n", place.start, place.end)

    def closing(self, opening: str, place: Place, skip: str = "") -> Place:
        """The row of the bracket that closes the first ``opening`` in a place's text.

        Brackets are counted as characters, in strings and comments too, as OPA counts them. ``skip`` is a
        bracket whose first pair is passed over first.
        """
        text = self.written(place)
        at = rows = 0
        if skip:
            at, rows = _past(text, skip)
        at = text.find(opening, at)
        if at < 0:
            return NOWHERE
        depth = 1
        while depth:
            at += 1
            if at >= len(text):
                return NOWHERE
            rows += text[at] == "\n"
            depth += (text[at] == opening) - (text[at] == _CLOSERS[opening])
        return Place(place.row + rows, 0, 0)


def _past(text: str, opening: str) -> tuple[int, int]:
    """Where the first pair of a bracket ends, and how many line ends stand inside it."""
    at = text.find(opening)
    if at < 0:
        return len(text), 0
    depth, rows = 1, 0
    while depth:
        at += 1
        if at >= len(text):
            return at, rows
        rows += text[at] == "\n"
        depth += (text[at] == opening) - (text[at] == _CLOSERS[opening])
    return at, rows
