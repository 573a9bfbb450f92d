"""How bodies are laid out: literals, ``with``, ``some``, ``every``, ``not``, ``and`` and ``or``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from policy_lang.records import NamedTuple
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_lines import CrowdedLine, Mark
from policy_lang.syntax.formatter_places import Place
from policy_lang.syntax.formatter_terms import TermWriter, infix_symbol, is_union, leads_with_brace, operator_name


class Operand(NamedTuple):
    """One side of ``and``/``or``; ``braces`` says that it is a body of its own."""

    body: ast.Body
    braces: bool
    parentheses: bool
    start: int
    end: int


class Step(NamedTuple):
    """An operator with its right side; ``left_end`` is the offset where all left of it ends."""

    symbol: str
    right: Operand
    left_end: int


class BodyWriter(TermWriter):
    """Writes literals. ``not_is_body`` says that ``not {`` opens a body (``rego.v2``, ``.floe``)."""

    not_is_body = False
    logical_in_parentheses: ast.Literal | None = None
    """A literal whose terms are to be put in parentheses when it is written next."""

    def write_body(self, body: ast.Body) -> None:
        """The literals, a line each, with the empty lines between them as written (one at most)."""
        self.insert_comments(self.places.literal(body[0]))
        for index, literal in enumerate(body):
            place = self.places.literal(literal)
            if index and place.row > self.places.end_row(self.places.literal(body[index - 1])) + 1:
                self.blank_line()
            self.start_line()
            self._literal_or_as_it_stood(literal, place)
            self.end_line()

    def _literal_or_as_it_stood(self, literal: ast.Literal, place: Place) -> None:
        """A literal; where its last term had to stay as written, so does all before it."""
        self.insert_earlier_comments(place)
        mark = self.mark()
        try:
            self.write_literal(literal)
        except CrowdedLine:
            self.keep_if_whole(literal, place, mark)

    def keep_if_whole(self, literal: ast.Literal, place: Place, mark: Mark) -> None:
        """After a term was written as it stood: keep that if nothing but brackets follows it in the literal."""
        self.level = mark.level
        end = place.end if self.places.is_pinned else self.places.literal(literal).end
        lost = self.kept is None or self.places.text[self.kept.end : end].strip(" \t\n)]},")
        if lost and not self.places.is_pinned:
            self.rewind(mark)
            self.write_as_it_stood(place, with_last_comment=True)

    def write_literal(self, literal: ast.Literal, place: Place | None = None) -> None:
        """One literal of a body; ``place`` where it is not its own."""
        parentheses = self.logical_in_parentheses is literal
        if parentheses:
            self.logical_in_parentheses = None
        self.insert_comments(place or self.places.literal(literal))
        if not self.inline:
            self.start_line()
        match literal:
            case ast.Expr():
                self._expression(literal, parentheses)
            case ast.NotBody():
                self._not_body(literal)
            case ast.SomeDecl():
                self._some_names(literal)
            case ast.SomeIn():
                self._some_in(literal)
            case ast.Every():
                self._every(literal)
        if not isinstance(literal, ast.SomeDecl):
            self._withs(literal)

    # ----------------------------------------------------------------- expressions

    def _expression(self, literal: ast.Expr, parentheses: bool) -> None:
        term = literal.term
        if literal.negated:
            self.write("not ")
            parentheses = isinstance(term, ast.Logical) or (self.not_is_body and leads_with_brace(term))
            if self.not_is_body:
                self.insert_comments(self.places.literal(literal))
        self.write("(" if parentheses else "")
        if isinstance(term, ast.Logical):
            self._logical(term)
        elif isinstance(term, ast.Call):
            self._statement_call(term)
        else:
            self.write_term(term)
        self.write(")" if parentheses else "")

    def _statement_call(self, call: ast.Call) -> None:
        """A call as a statement: its operands need no parentheses, and a third one is the result."""
        name, symbol = operator_name(call), infix_symbol(call)
        if name == f"internal.member_{len(call.args)}":
            self.write_member(call.args, parentheses=False)
            return
        if name == "set" or (symbol is None) or len(call.args) not in (2, 3) or _is_assignment(call):
            (self.write_term if name == "set" and not call.args else self.write_plain_call)(call)
            return
        operands = list(call.args)
        if len(operands) == 3:
            self.write_term(operands.pop())
            self.write(" = ")
        write = self.write_term if symbol in (":=", "=") else partial(self.write_side, parentheses=False)
        write(operands[0])
        self.write(f" {symbol} ")
        write(operands[1])

    def _withs(self, literal: ast.Expr | ast.NotBody | ast.SomeIn | ast.Every) -> None:
        """The modifiers: the first stays on the line if it was there, others on lines of their own stay so."""
        withs = list(literal.withs)
        if not withs:
            return
        row = self.places.terms_end_row(literal)
        if self.places.with_(withs[0]).row == row:
            self._with(withs.pop(0), indented=False)
        indented = False
        for clause in withs:
            own_line = self.places.with_(clause).row > row
            if own_line:
                self.level += not indented
                indented = True
                self.break_line()
                row = self.places.with_(clause).row
            self._with(clause, indented=own_line)
        self.level -= indented

    def _with(self, clause: ast.With, *, indented: bool) -> None:
        self.insert_comments(self.places.with_(clause))
        self.write("with " if indented else " with ")
        self.write_term(clause.target)
        self.write(" as ")
        try:
            self.write_term(clause.value)
        except CrowdedLine:
            return  # the value was written as it stood, and is the last of the clause

    # ----------------------------------------------------------------- some, every, not

    def _keyword(self, literal: ast.Literal) -> Place:
        if self.places.is_pinned:
            return self.places.literal(literal)
        return Place(literal.span.line, *self.places.bounds(literal.span))

    def _some_names(self, literal: ast.SomeDecl) -> None:
        self.insert_comments(self._keyword(literal))
        self.write("some ")
        row = self._keyword(literal).row
        for index, name in enumerate(literal.names):
            here = self.places.term(name).row
            if here > row:
                self.break_line()
                self.write("\t")
                row = here
            elif index:
                self.write(" ")
            self.write_term(name)
            if index < len(literal.names) - 1:
                self.write(",")

    def _some_in(self, literal: ast.SomeIn) -> None:
        self.insert_comments(self._keyword(literal))
        self.write("some ")
        keys = (literal.key,) if literal.key is not None else ()
        self.write_member((*keys, literal.value, literal.collection), parentheses=False)

    def _every(self, literal: ast.Every) -> None:
        place = self.places.literal(literal)
        self.insert_comments(place)
        self.write("every ")
        if literal.key is not None:
            self.write_term(literal.key)
            self.write(", ")
        self.write_term(literal.value)
        self.write(" in ")
        self.write_term(literal.domain)
        self.write(" ")
        self._braced(literal.body, place, spaced=len(literal.body) == 1)

    def _not_body(self, literal: ast.NotBody) -> None:
        place = self.places.literal(literal)
        self.insert_comments(place)
        self.write("not ")
        if len(literal.body) == 1 and self.places.brace(literal.body) is None:
            self.write("(")
            self.write_literal(literal.body[0], place)
            self.write(")")
            return
        if _is_union_literal(literal.body[0]):
            self.logical_in_parentheses = literal.body[0]
        self._braced(literal.body, place)

    def _braced(self, body: ast.Body, place: Place, *, spaced: bool = True) -> None:
        self.write("{")
        try:
            self.write_inner_body("{", body, place, place)
        except CrowdedLine:
            self.write("")
        if spaced and self.places.literal(body[-1]).row == place.row:
            self.write(" ")
        self.write("}")

    # ----------------------------------------------------------------- and, or

    def _logical(self, term: ast.Logical) -> None:
        first, steps = self._chain(term)
        self._operand(first)
        indented = False
        for step in steps:
            self.write(f" {step.symbol}")
            if self.places.row_of(step.right.start) > self.places.row_of(step.left_end - 1):
                self.level += not indented
                indented = True
                self.break_line()
            else:
                self.write(" ")
            self._operand(step.right)
        self.level -= indented

    def _chain(self, term: ast.Logical) -> tuple[Operand, list[Step]]:
        """``a and b and c`` as its first operand and the steps after it, on one level of indentation."""
        right = self._side(term.right, term.op, None, right=True)
        left = self._side(term.left, term.op, right.start, right=False)
        inner = _sole_logical(term.left)
        if inner is not None and not left.braces and not left.parentheses:
            first, steps = self._chain(inner)
            return first, [*steps, Step(term.op, right, left.end)]
        return left, [Step(term.op, right, left.end)]

    def _side(self, body: ast.Body, parent: str, limit: int | None, *, right: bool) -> Operand:
        start, end = self.places.operand(body, limit)
        if len(body) > 1 or self.places.brace(body, limit) is not None:
            return Operand(body, True, False, start, end)
        return Operand(body, False, _needs_parentheses(body[0], parent, right=right), start, end)

    def _operand(self, operand: Operand) -> None:
        if not operand.braces:
            self.write("(" if operand.parentheses else "")
            self.write_literal(operand.body[0])
            self.write(")" if operand.parentheses else "")
            return
        if _is_union_literal(operand.body[0]):
            self.logical_in_parentheses = operand.body[0]
        self._braced(operand.body, Place(self.places.row_of(operand.start), operand.start, operand.end))

    def mark_leading_union(self, literal: ast.Literal) -> None:
        """Have a union that begins a rule's body put in parentheses: after ``{`` it reads as a comprehension."""
        if not isinstance(literal, ast.Expr) or literal.negated:
            return
        term = literal.term
        if isinstance(term, ast.Logical):
            first, _ = self._chain(term)
            if not first.braces and not first.parentheses:
                self.mark_leading_union(first.body[0])
        elif _is_union_literal(literal):
            self.logical_in_parentheses = literal
        elif isinstance(term, ast.Call) and infix_symbol(term) is not None and len(term.args) in (2, 3):
            lead = term.args[0] if len(term.args) == 2 else term.args[2]
            if is_union(lead):
                self.in_parentheses = lead


def _is_assignment(call: ast.Call) -> bool:
    """``eq`` and ``assign`` have no third operand."""
    return len(call.args) == 3 and operator_name(call) in ("eq", "assign")


def _is_union_literal(literal: ast.Literal) -> bool:
    return isinstance(literal, ast.Expr) and isinstance(literal.term, ast.Call) and _plain_union(literal.term)


def _plain_union(call: ast.Call) -> bool:
    return is_union(call) and len(call.args) == 2


def _sole_logical(body: Sequence[ast.Literal]) -> ast.Logical | None:
    literal = body[0]
    plain = len(body) == 1 and isinstance(literal, ast.Expr) and not literal.negated and not literal.withs
    return literal.term if plain and isinstance(literal, ast.Expr) and isinstance(literal.term, ast.Logical) else None


def _needs_parentheses(literal: ast.Literal, parent: str, *, right: bool) -> bool:
    """Whether an operand would be read otherwise without them."""
    if not isinstance(literal, ast.Expr):
        return False
    if literal.withs:
        return True
    if isinstance(literal.term, ast.Logical) and not literal.negated:
        if literal.term.op == "or":
            return parent == "and" or right
        return parent == "and" and right
    return not literal.negated and leads_with_brace(literal.term)
