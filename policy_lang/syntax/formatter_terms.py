"""How terms are laid out: operators, calls, references, collections, comprehensions, templates.

A collection stays on the lines on which its author put its elements; one broken anywhere has its
brackets on lines of their own and a comma after the last element.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from policy_lang.syntax import ast
from policy_lang.syntax.formatter_lines import CrowdedLine, Lines
from policy_lang.syntax.formatter_places import Place, Places
from policy_lang.syntax.tokens import CONSTANTS, KEYWORDS, Token
from policy_lang.syntax.walk import rewrite, walk

E = TypeVar("E")

_INFIX = {
    "eq": "=",
    "assign": ":=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "neq": "!=",
    "equal": "==",
    "plus": "+",
    "minus": "-",
    "mul": "*",
    "div": "/",
    "rem": "%",
    "and": "&",
    "or": "|",
}
_MEMBER = {"internal.member_2": 2, "internal.member_3": 3}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED = KEYWORDS | CONSTANTS
LOGICAL = frozenset(("and", "or"))
_ESCAPES = {
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    '"': '\\"',
    "\\": "\\\\",
}


def operator_name(call: ast.Call) -> str:
    """The dotted name of what is called."""
    if isinstance(call.operator, ast.Var):
        return call.operator.name
    head = call.operator.head
    parts = [p.value for p in call.operator.path if isinstance(p, ast.String)]
    return ".".join([head.name if isinstance(head, ast.Var) else "", *parts])


def infix_symbol(call: ast.Call) -> str | None:
    """The symbol between two operands, for operators and for builtins that have one (``plus(x, y)``)."""
    return _INFIX.get(operator_name(call))


def is_set(term: ast.Term) -> bool:
    """True for ``{x, …}`` and ``set()``."""
    return isinstance(term, ast.SetTerm) or is_empty_set(term)


def is_empty_set(term: ast.Term) -> bool:
    """True for ``set()``."""
    return isinstance(term, ast.Call) and not term.args and operator_name(term) == "set"


def is_union(term: ast.Term) -> bool:
    """True for ``x | y``, which in braces reads as a comprehension and so is put in parentheses."""
    return isinstance(term, ast.Call) and operator_name(term) == "or"


def leads_with_brace(term: ast.Term) -> bool:
    """True where the term's text begins with ``{``, which after ``not``, ``and`` or ``or`` opens a body."""
    match term:
        case ast.SetTerm() | ast.Object() | ast.SetCompr() | ast.ObjectCompr():
            return True
        case ast.Ref(head=head):
            return leads_with_brace(head)
        case ast.Call(args=(first, _)) if infix_symbol(term):
            return leads_with_brace(first)
        case ast.Call(args=(_, _, result)) if infix_symbol(term):
            return leads_with_brace(result)
    return False


class TermWriter(Lines):
    """Writes terms."""

    def __init__(self, places: Places, comments: Sequence[ast.Comment]) -> None:
        super().__init__(places, comments)
        self.comment_on_last_line = False
        self.reserved = RESERVED
        """The names that are keywords in this module."""
        self.in_parentheses: ast.Term | None = None
        """A term that is to be put in parentheses when it is written next."""

    @abstractmethod
    def write_literal(self, literal: ast.Literal, place: Place | None = None) -> None:
        """One literal of a body; ``place`` where it is not its own."""

    @abstractmethod
    def write_body(self, body: ast.Body) -> None:
        """The literals of a body, a line each."""

    def write_term(self, term: ast.Term, place: Place | None = None) -> None:
        """A term; as it stood where its comments have no place in the layout. ``place`` replaces its own.

        Raises:
            CrowdedLine: it was written as it stood (callers may have more to do then).
        """
        if not self.pending():
            self.write_operand(term, place=place)
            return
        self.insert_earlier_comments(place or self.places.term(term))
        mark = self.mark()
        try:
            self.write_operand(term, place=place)
        except CrowdedLine:
            self.rewind(mark)
            self.write_as_it_stood(self.places.term(term), with_last_comment=self.comment_on_last_line)
            raise

    def write_operand(self, term: ast.Term, *, parentheses: bool = False, place: Place | None = None) -> None:
        """A term that stands in another one: an infix operator is put in ``parentheses``."""
        if self.in_parentheses is term:
            self.in_parentheses, parentheses = None, True
        self.insert_comments(place or self.places.term(term))
        if not self.inline:
            self.start_line()
        self._write_kind(term, parentheses, place or self.places.term(term))
        if not self.inline:
            self.start_line()

    def _write_kind(self, term: ast.Term, parentheses: bool, place: Place) -> None:
        match term:
            case ast.Ref():
                self.write_ref(term)
            case ast.Object():
                self._collection("{", term.items, self._item_place, place, self._pair)
            case ast.Array():
                self._collection("[", term.items, self.places.term, place, self._element)
            case ast.SetTerm():
                self._collection("{", _distinct(term.items), self.places.term, place, self._element)
            case ast.ArrayCompr():
                self._comprehension("[", term.term, term.body, place)
            case ast.SetCompr():
                self._comprehension("{", term.term, term.body, place)
            case ast.ObjectCompr():
                self._object_comprehension(term, place)
            case ast.Call():
                self._call(term, parentheses, place)
            case ast.Template():
                self._template(term)
            case _:
                self.write(self.plain(term))

    def plain(self, term: ast.Term) -> str:
        """A term without parts: a name, a number, a string as written."""
        match term:
            case ast.Var(name=name):
                return name
            case ast.Number(text=text):
                return text
            case ast.Boolean(value=value):
                return "true" if value else "false"
            case ast.String():
                start, end = self.places.bounds(term.span)
                return self.places.text[start:end]
            case _:
                return "null"

    # ----------------------------------------------------------------- references and calls

    def write_ref(self, ref: ast.Ref) -> None:
        """``head.name[index]…``."""
        head = ref.head
        opened = isinstance(head, ast.Call) and self.places.written(self.places.term(head)).startswith("(")
        self.write_operand(head, parentheses=opened)
        for part in ref.path:
            match part:
                case ast.String():
                    self.write(self.step(part))
                case ast.Var(name=name):
                    self.write(f"[{name}]")
                case _:
                    self._index(part)

    def _index(self, part: ast.Term) -> None:
        self.write("[")
        try:
            self.write_term(part)
        except CrowdedLine:
            self.write("\n")  # the part may end in a comment, which must not swallow the bracket
        self.write("]")

    def step(self, part: ast.String) -> str:
        """``.name`` or ``["any text"]``; a keyword keeps the form that it was written in."""
        start, _ = self.places.bounds(part.span)
        quoted = self.places.text[start : start + 1] == '"'
        if not _NAME.match(part.value) or (quoted and part.value in self.reserved):
            return f"[{go_quoted(part.value)}]"
        return f".{part.value}"

    def _call(self, call: ast.Call, parentheses: bool, place: Place) -> None:
        if is_empty_set(call):
            self.write("set()")
            self.insert_comments(self.places.closing("(", place))
            return
        if _MEMBER.get(operator_name(call)) == len(call.args):
            self.write_member(call.args, parentheses=True)
            return
        symbol = infix_symbol(call)
        if symbol is None or len(call.args) != 2:
            self.write_plain_call(call)
            return
        self.write("(" if parentheses else "")
        self.write_side(call.args[0])
        self.write(f" {symbol} ")
        self.write_side(call.args[1])
        self.write(")" if parentheses else "")

    def write_side(self, term: ast.Term, *, parentheses: bool = True) -> None:
        """An operand, infix ones in ``parentheses``; `x in xs` has them always, though OPA drops them: `in` binds less
        than any operator around it, so what is said would be another thing."""
        member = isinstance(term, ast.Call) and _MEMBER.get(operator_name(term)) == len(term.args) == 2
        self.write("(" if member else "")
        if parentheses:
            self.write_operand(term, parentheses=True)
        else:
            self.write_term(term)
        self.write(")" if member else "")

    def write_plain_call(self, call: ast.Call) -> None:
        """``name(arguments)``."""
        if isinstance(call.operator, ast.Ref):
            self.write_ref(call.operator)
        else:
            self.write(call.operator.name)
        place = self._operator_place(call)
        self.write("(")
        try:
            self.write_elements(call.args, self.places.term, place, self.places.closing("(", place), self.argument)
        finally:
            self.write(")")

    def _operator_place(self, call: ast.Call) -> Place:
        if self.places.is_pinned:
            return self.places.term(call)
        start, end = self.places.bounds(call.operator.span)
        return Place(call.operator.span.line, start, end)

    def write_member(self, operands: Sequence[ast.Term], *, parentheses: bool) -> None:
        """``x in xs`` and ``k, x in xs``; only the second is ever put in parentheses."""
        three = len(operands) == 3
        self.write("(" if three and parentheses else "")
        for index, operand in enumerate(operands):
            if index:
                self.write(" in " if index == len(operands) - 1 else ", ")
                self.write_side(operand)
            else:
                self.write_operand(operand, parentheses=True)
        self.write(")" if three and parentheses else "")

    # ----------------------------------------------------------------- collections

    def _collection(
        self, opening: str, items: Sequence[E], where: Callable[[E], Place], place: Place, write: Callable[[E], None]
    ) -> None:
        self.write(opening)
        try:
            self.write_elements(items, where, place, self.places.closing(opening, place), write)
        finally:
            self.write("]" if opening == "[" else "}")

    def write_elements(
        self, items: Sequence[E], where: Callable[[E], Place], start: Place, close: Place, write: Callable[[E], None]
    ) -> None:
        """Elements between brackets, on the lines on which they were written.

        Raises:
            CrowdedLine: the elements would come to stand on one line, and a comment between them.
        """
        lines = grouped(items, where, start)
        broken = len(lines) > 1
        if not broken:
            if any(start.row < c.span.line < close.row for c in self.pending()):
                raise CrowdedLine
            broken = bool(items) and self._opens_on_next_line(start, where(items[0]))
        if broken:
            self.delay_comment()
            self.end_line()
            self.level += 1
            self.start_line()
        for line in lines[:-1]:
            self._element_line(line, write)
            self.write(",")
            self.break_line()
        self._element_line(lines[-1], write)
        if broken:
            self.write(",")
            self.end_line()
            self.insert_comments(close)
            self.level -= 1
            self.start_line()

    def _opens_on_next_line(self, start: Place, first: Place) -> bool:
        text = self.places.written(start)
        cut = text.find(self.places.written(first))
        return cut > 0 and text[:cut].find("\n") > 0

    def _element_line(self, items: Sequence[E], write: Callable[[E], None]) -> None:
        for index, item in enumerate(items):
            if index:
                self.write(", ")
            write(item)

    def argument(self, term: ast.Term) -> None:
        """An argument of a call or of a rule's head."""
        self._enclosed(term, is_union(term) and self.places.in_parentheses(term))

    def _element(self, term: ast.Term) -> None:
        self._enclosed(term, is_union(term))

    def _item_place(self, item: tuple[ast.Term, ast.Term]) -> Place:
        return self.places.term(item[0])

    def _pair(self, item: tuple[ast.Term, ast.Term]) -> None:
        self._enclosed(item[0], is_union(item[0]))
        self.write(": ")
        self._enclosed(item[1], is_union(item[1]))

    def _enclosed(self, term: ast.Term, parentheses: bool) -> None:
        self.write("(" if parentheses else "")
        try:
            self.write_term(term)
        finally:
            self.write(")" if parentheses else "")

    # ----------------------------------------------------------------- comprehensions

    def _comprehension(self, opening: str, term: ast.Term, body: ast.Body, place: Place) -> None:
        self.write(opening)
        try:
            self._comprehension_rest(opening, term, self.places.term(term), body, place)
        finally:
            self.write("]" if opening == "[" else "}")

    def _object_comprehension(self, term: ast.ObjectCompr, place: Place) -> None:
        self.write("{")
        try:
            self._enclosed(term.key, is_union(term.key))
            self.write(": ")
            # The value stays beside its key, wherever it was written.
            beside = self.places.term(term.value)._replace(row=place.row)
            self._comprehension_rest("{", term.value, beside, term.body, place)
        finally:
            self.write("}")

    def _comprehension_rest(self, opening: str, term: ast.Term, where: Place, body: ast.Body, place: Place) -> None:
        if where.row > place.row:
            self.break_line()
        opened = isinstance(term, ast.Call) and (is_union(term) or self.places.written(where).startswith("("))
        self.write_operand(term, parentheses=opened, place=where)
        self.write(" |")
        self.write_inner_body(opening, body, where, place)

    def write_inner_body(self, opening: str, body: ast.Body, after: Place, place: Place) -> None:
        """The literals inside a term's or literal's braces: on one line if they were, else a line each."""
        lines = grouped(body, self.places.literal, after)
        broken = self.places.literal(body[0]).row > after.row or len(lines) > 1
        if broken:
            self.end_line()
            self.level += 1
        try:
            if broken:
                self.write_body(body)
            else:
                self.write(" ")
                for index, literal in enumerate(body):
                    self.write("; " if index else "")
                    self.write_literal(literal)
            self.insert_comments(self.places.closing(opening, place))
        finally:
            if broken:
                self.level -= 1
                self.start_line()

    # ----------------------------------------------------------------- templates

    def _template(self, template: ast.Template) -> None:
        token = self.places.by_start[self.places.bounds(template.span)[0]]
        quote = "`" if template.raw else '"'
        self.write("$" + quote)
        for index, part in enumerate(template.parts):
            if isinstance(part, str):
                self.write(self._template_text(part, template.raw))
            elif isinstance(part, ast.String | ast.Number | ast.Boolean | ast.Null) and not self._commented(part):
                # A constant in a hole is text.
                shown = part.value if isinstance(part, ast.String) else self.plain(part)
                self.write(self._template_text(shown, template.raw))
            else:
                following = template.parts[index + 1] if index + 1 < len(template.parts) else None
                self._hole(part, token, following)
        self.write(quote)

    def _template_text(self, text: str, raw: bool) -> str:
        if not text:
            return ""
        shown = text if raw else go_quoted(text)
        escaped = "".join("\\{" if c == "{" and (i == 0 or shown[i - 1] != "\\") else c for i, c in enumerate(shown))
        return escaped if raw else escaped[1:-1]

    def _commented(self, term: ast.Term) -> bool:
        place = self.places.term(term)
        return any(c.span.line <= place.row for c in self.pending())

    def _hole(self, term: ast.Term, token: Token, following: str | ast.Term | None) -> None:
        literal = _in_hole(term)
        start, end = self.places.extent(literal.term)
        end = self.places.with_(literal.withs[-1]).end if literal.withs else end
        place = Place(self.places.row_of(start), start, end)
        self.write("{")
        self.level += 1
        if self.comment_waits:
            self.break_line()
        elif before := self.take_before(place.row):
            self.write(" ")
            self.inline = True
            self.write_comments(before)
        self.write_literal(literal, place)
        if following is not None:
            closing = self._hole_end(end) if isinstance(following, str) else self.places.term(following).row
            if after := self.take_before(closing):
                self.end_line()
                self.write_comments(after)
                self.start_line()
        self.write("}")
        self.level -= 1

    def _hole_end(self, offset: int) -> int:
        """The row of the ``}`` that closes a hole whose term ends at ``offset``."""
        rest = re.compile(r"(?:\s|#[^\n]*)*").match(self.places.text, offset)
        return self.places.row_of(rest.end() if rest else offset)


def _in_hole(term: ast.Term) -> ast.Expr:
    """What stands in a template's hole; the parser makes one with ``with`` into a comprehension."""
    match term:
        case ast.Ref(
            head=ast.ArrayCompr(
                term=ast.Var(name="__hole"),
                body=(ast.Expr(term=ast.Call(args=(_, inner)), withs=withs),),
            )
        ):
            return ast.Expr(inner, withs=withs, span=term.span)
    return ast.Expr(term, span=term.span)


def grouped(items: Sequence[E], where: Callable[[E], Place], start: Place) -> list[list[E]]:
    """The items by line; always at least one line."""
    lines: list[list[E]] = [[]]
    row = start.row
    for index, item in enumerate(items):
        place = where(item)
        if index and place.row > row:
            lines.append([])
        row = place.row
        lines[-1].append(item)
    return lines


def _distinct(items: Sequence[ast.Term]) -> list[ast.Term]:
    """The members of a set, each once; a wildcard is a new variable at each place."""
    kept: list[ast.Term] = []
    seen: list[ast.Term] = []
    for item in items:
        valued = rewrite(item, by_value)
        if valued not in seen or any(isinstance(n, ast.Var) and n.name == "_" for n in walk(item)):
            kept.append(item)
            seen.append(valued)
    return kept


def by_value(node: Any) -> Any:
    """A number by its value, whatever its spelling (``1.50``, ``15e-1``)."""
    if isinstance(node, ast.Number):
        sign, digits, exponent = Decimal(node.text).as_tuple()
        shown = "".join(map(str, digits)).lstrip("0")
        stripped = shown.rstrip("0")
        power = int(exponent) + len(shown) - len(stripped) if stripped else 0
        return replace(node, text=f"{'-' * (sign if stripped else 0)}{stripped or '0'}e{power}")
    return node


def go_quoted(text: str) -> str:
    """A string literal as Go's ``strconv.Quote`` writes it; what JSON cannot read back is written as JSON."""
    if not all(c.isprintable() or c in "\b\f\n\r\t" for c in text):
        return json.dumps(text)
    return '"' + "".join(_ESCAPES.get(c, c) for c in text) + '"'
