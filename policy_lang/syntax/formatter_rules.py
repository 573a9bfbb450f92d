"""How rules are laid out: heads, bodies, ``else``, and the empty lines between rules."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from policy_lang.syntax import ast
from policy_lang.syntax.formatter_bodies import BodyWriter
from policy_lang.syntax.formatter_lines import CrowdedLine
from policy_lang.syntax.formatter_places import Place
from policy_lang.syntax.formatter_terms import go_quoted, is_set

Guarded = ast.Rule | ast.Policy | ast.Param | ast.TestDecl


@dataclass(frozen=True, slots=True)
class Branch:
    """A rule, or one of its ``else``: both are laid out alike. ``head`` is None for an ``else``."""

    head: ast.Head | None
    value: ast.Term | None
    body: ast.Body
    place: Place
    head_place: Place
    elses: tuple[ast.Else, ...] = ()
    default: bool = False
    chained: bool = False
    pinned: bool = False
    """The body stands, for the layout, where the whole branch does: an ``else`` without braces."""

    @property
    def is_constant(self) -> bool:
        """True where the body says nothing: none, or just ``true``."""
        if not self.body:
            return True
        first = self.body[0]
        alone = len(self.body) == 1 and not self.elses and isinstance(first, ast.Expr)
        return alone and isinstance(first, ast.Expr) and not first.negated and not first.withs and _is_true(first.term)

    @property
    def partial_object(self) -> bool:
        """True for ``p[x] if …``, whose key is kept with the value."""
        head = self.head
        if head is None or head.key is not None or head.args is not None or not self.body or self.default:
            return False
        return len(head.ref.path) == 1 and not _is_ground(head.ref.path[0])

    @property
    def shows_value(self) -> bool:
        """Whether ``:= value`` is written: ``true`` goes without saying where a body follows."""
        if self.head is not None and self.head.key is not None:
            return False
        if self.value is None:
            bare = self.head is not None and not self.body
            return self.is_constant and not bare
        return self.default or self.is_constant or self.partial_object or not _is_true(self.value)


class RuleWriter(BodyWriter):
    """Writes rules."""

    accepts: Callable[[Guarded, str], bool] | None = None
    """Tells whether a statement's new text may stand."""
    heads_as_refs = False
    """Some rule of the module needs a reference as its head: then all are written as ``p.q``, not ``p["q"]``."""

    def write_rules(self, rules: Sequence[ast.Rule]) -> None:
        """Rules, with an empty line between all but one-liners that stood together."""
        for index, rule in enumerate(rules):
            branch = self._branch(rule)
            # A further body of a rule has no text of its own that could stay.
            whole = None if branch.chained else self._whole(rule, branch)
            self.guarded(rule, branch.place, whole, functools.partial(self.write_branch, branch))
            following = rules[index + 1] if index + 1 < len(rules) else None
            together = following is not None and self._stands_together(rule, following)
            if not together:
                self.blank_line()

    def _stands_together(self, rule: ast.Rule, following: ast.Rule) -> bool:
        rows = self._branch(following).place.row - self._branch(rule).place.row
        return rows == 1 and _is_one_liner(rule) and _is_one_liner(following)

    def guarded(self, statement: Guarded, place: Place, whole: Place | None, write: Callable[[], None]) -> None:
        """Write a statement; where its new text may not stand (``accepts``), leave it as it was at ``whole``."""
        self.insert_earlier_comments(place)
        mark = self.mark()
        self.insert_comments(Place(place.row, 0, 0))
        try:
            write()
        except CrowdedLine:
            self.level = 0
        if whole is not None and self.accepts is not None and not self.accepts(statement, self.since(mark)):
            self.rewind(mark)
            self.start_line()
            self.write_as_it_stood(whole, with_last_comment=True)
            self.end_line()

    def _whole(self, rule: ast.Rule, branch: Branch) -> Place:
        return branch.place._replace(end=branch.head_place.end) if rule.default else branch.place

    # ----------------------------------------------------------------- branches

    def _branch(self, rule: ast.Rule) -> Branch:
        head = rule.head
        start, end = self.places.bounds(rule.span)
        if head.value is not None and not rule.body:
            end = self.places.extent(head.value)[1]
        elif head.key is not None and not rule.body:
            end = self.places.extent(head.key)[1]
        elif rule.elses:
            end = self._else_end(rule.elses[-1])
        elif rule.body:
            end = self._body_end(rule.body)
        name = self.places.bounds(head.ref.span)[0]
        place = Place(rule.span.line, start, end)
        chained = not rule.default and name < start
        head_place = place if chained else Place(head.ref.span.line, name, self._head_end(head))
        if rule.default:
            place = Place(rule.span.line, start, start + len("default"))
        elses, default = rule.elses, rule.default
        return Branch(head, head.value, rule.body, place, head_place, elses, default, chained)

    def _head_end(self, head: ast.Head) -> int:
        last = head.value if head.value is not None else head.key
        return self.places.extent(last)[1] if last is not None else self.places.bounds(head.span)[1]

    def _body_end(self, body: ast.Body) -> int:
        brace = self.places.brace(body)
        return self.places.partner(brace) + 1 if brace is not None else self.places.literal(body[-1]).end

    def _else_end(self, branch: ast.Else) -> int:
        if branch.body:
            return self._body_end(branch.body)
        return self.places.extent(branch.value)[1] if branch.value else self.places.bounds(branch.span)[1]

    def _else_branch(self, elses: tuple[ast.Else, ...]) -> Branch:
        first = elses[0]
        start = self.places.bounds(first.span)[0]
        place = Place(first.span.line, start, self._else_end(elses[-1]))
        head_end = self.places.extent(first.value)[1] if first.value is not None else start + len("else")
        pinned = bool(first.body) and self.places.brace(first.body) is None
        head_place = Place(first.span.line, start, head_end)
        return Branch(None, first.value, first.body, place, head_place, elses[1:], pinned=pinned)

    def write_branch(self, branch: Branch) -> None:
        """A rule or an ``else``; the rest of an ``else`` chain follows it."""
        if branch.head is not None:
            self.start_line()
        self.write("default " if branch.default else "")
        self.comment_on_last_line = branch.is_constant
        with self.places.pinned(branch.place) if branch.chained else nullcontext():
            try:
                self._head(branch)
            except CrowdedLine:
                self.level = 0  # the head was written as it stood; the body goes on
        if branch.is_constant:
            self.end_line()
            return
        self.comment_on_last_line = True
        self.write(" if")
        with self.places.pinned(branch.place) if branch.pinned else nullcontext():
            first = self.places.literal(branch.body[0])
            beside = len(branch.body) == 1 and first.row == self.places.end_row(branch.head_place)
            if beside and not _is_set_literal(branch.body[0]):
                self._body_beside(branch.body[0])
            else:
                self._body_below(branch)
        if branch.elses:
            self._else(branch)

    def _body_beside(self, literal: ast.Literal) -> None:
        self.write(" ")
        place = self.places.literal(literal)
        mark = self.mark()
        try:
            self.write_literal(literal)
        except CrowdedLine:
            self.keep_if_whole(literal, place, mark)
        self.end_line()

    def _body_below(self, branch: Branch) -> None:
        self.write(" {")
        self.end_line()
        if branch.head is not None:
            self.mark_leading_union(branch.body[0])
        self.level += 1
        self.write_body(branch.body)
        skip = ""
        if branch.head is not None and branch.head.args:
            skip = "("
        elif branch.head is not None and (branch.head.key is not None or branch.partial_object):
            skip = "["
        self.insert_comments(self.places.closing("{", branch.place, skip))
        self.level -= 1
        self.start_line()
        self.write("}")

    def _else(self, branch: Branch) -> None:
        following = self._else_branch(branch.elses)
        lines = self.places.written(branch.place).split("\n")
        row = following.place.row - branch.place.row
        on_brace_line = 0 < row < len(lines) and not lines[row].strip().startswith("else")
        pending = self.pending()
        commented = self.comment_waits or bool(pending and pending[0].span.line < following.place.row)
        if on_brace_line and not commented:
            self.write(" ")
        else:
            self.blank_line()
            self.start_line()
        self.insert_comments(following.head_place)
        if commented and not on_brace_line:
            self.start_line()
        self.write_branch(following)

    # ----------------------------------------------------------------- heads

    def _head(self, branch: Branch) -> None:
        if branch.head is None:
            self.write("else")
        elif not self._head_ref(branch.head, branch.head_place):
            return
        if branch.head is not None and branch.head.args is not None:
            self.write("(")
            close = self.places.closing("(", branch.head_place)
            try:
                self.write_elements(branch.head.args, self.places.term, branch.head_place, close, self.argument)
            finally:
                self.write(")")
        if branch.head is not None and branch.head.key is not None:
            self.write(" contains ")
            self.write_term(branch.head.key)
        if branch.shows_value:
            self.write(" := ")
            if branch.value is None:
                self.write("true")
            else:
                self.write_term(branch.value, branch.head_place if branch.head is None else None)

    def _head_ref(self, head: ast.Head, place: Place) -> bool:
        """The name; False where the whole head was written as it stood."""
        if self.heads_as_refs or len(head.ref.path) != 1:
            self.write_ref(head.ref)
            return True
        part = head.ref.path[0]
        pending = self.pending()
        if pending and pending[0].span.line == self.places.term(part).row:
            self.write_as_it_stood(place, with_last_comment=self.comment_on_last_line)
            return False
        name = head.ref.head
        self.write(f"{name.name if isinstance(name, ast.Var) else ''}[{self._as_text(part)}]")
        return True

    def _as_text(self, term: ast.Term) -> str:
        """A term on one line without regard to how it was written."""
        match term:
            case ast.String(value=value):
                return go_quoted(value)
            case ast.Ref(head=ast.Var(name=name), path=path):
                return name + "".join(
                    self.step(p) if isinstance(p, ast.String) else f"[{self._as_text(p)}]" for p in path
                )
            case ast.Call(infix=None, operator=operator, args=args):
                return f"{self._as_text(operator)}({', '.join(map(self._as_text, args))})"
            case ast.Array(items=items):
                return f"[{', '.join(map(self._as_text, items))}]"
            case _:
                start, end = self.places.extent(term)
                return self.places.text[start:end]


def needs_ref(rule: ast.Rule) -> bool:
    """True for a head that cannot be written as ``name[key]``."""
    length = len(rule.head.ref.path)
    return length > 1 or (length == 1 and rule.head.key is not None)


def _is_one_liner(rule: ast.Rule) -> bool:
    if len(rule.body) > 1 or rule.default or rule.elses:
        return False
    return not (rule.body and _is_set_literal(rule.body[0]))


def _is_set_literal(literal: ast.Literal) -> bool:
    return isinstance(literal, ast.Expr) and not literal.negated and is_set(literal.term)


def _is_true(term: ast.Term) -> bool:
    return isinstance(term, ast.Boolean) and term.value


def _is_ground(term: ast.Term) -> bool:
    return isinstance(term, ast.String | ast.Number | ast.Boolean | ast.Null)
