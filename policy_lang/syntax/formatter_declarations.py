"""How ``policy``, ``param`` and ``test`` are laid out: a clause a line, with the values aligned.

A policy has three blocks with an empty line between: what it is, what it requires of which subjects,
and what it tells. Empty lines inside the second stay as written, since authors group with them.
"""

from __future__ import annotations

from collections.abc import Sequence

from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_places import Place
from policy_lang.syntax.formatter_rules import RuleWriter
from policy_lang.syntax.formatter_terms import go_quoted, is_set, leads_with_brace
from policy_lang.syntax.tokens import Token

Declaration = ast.Policy | ast.Param | ast.TestDecl
_HEADER = ("ID", "TITLE", "SEVERITY", "WHY", "DOCS", "TAGS")


class DeclarationWriter(RuleWriter):
    """Writes the declarations of ``.floe`` files."""

    def write_declaration(
        self, declaration: Declaration, following: ast.Import | ast.Rule | Declaration | None
    ) -> None:
        """One declaration; params stay together as they were written."""
        place = self._span(declaration.span)
        self.guarded(declaration, place, place, lambda: self._declaration(declaration, place))
        together = isinstance(declaration, ast.Param) and isinstance(following, ast.Param)
        if not (
            together and isinstance(following, ast.Param) and following.span.line <= self.places.end_row(place) + 1
        ):
            self.blank_line()
        elif self.inline:
            self.end_line()

    def _declaration(self, declaration: Declaration, place: Place) -> None:
        self.start_line()
        match declaration:
            case ast.Policy():
                self._policy(declaration, place)
            case ast.TestDecl():
                self._test(declaration, place)
            case ast.Param():
                self._param(declaration)

    def _span(self, span: Span) -> Place:
        return Place(span.line, *self.places.bounds(span))

    def _at(self, row: int) -> None:
        """Begin the line of what stands at a row of the source."""
        self.insert_comments(Place(row, 0, 0))
        if not self.inline:
            self.start_line()

    # ----------------------------------------------------------------- policy

    def _policy(self, policy: ast.Policy, place: Place) -> None:
        words = {t.type: t for t in self.places.tokens_within(place)}
        self.write(f"policy {policy.name} {{")
        self.end_line()
        self.level += 1
        self._header(policy, words)
        self.write("\n")
        self._scope(policy, words)
        self.write("\n")
        self._texts(policy, words)
        self._close(place)

    def _close(self, place: Place) -> None:
        self.insert_comments(Place(self.places.end_row(place), 0, 0))
        self.level -= 1
        self.start_line()
        self.write("}")

    def _header(self, policy: ast.Policy, words: dict[str, Token]) -> None:
        present = [word for word in _HEADER if word in words]
        width = max(map(len, present))
        for word in present:
            self._at(words[word].span.line)
            value = self.places.token_after(words[word]).text
            if word == "TAGS":
                value = f"[{', '.join(map(go_quoted, policy.tags))}]"
            self.write(f"{word.lower():<{width}} {value}")
            self.end_line()

    def _scope(self, policy: ast.Policy, words: dict[str, Token]) -> None:
        word = words[policy.polarity.upper()]
        last = 0
        for clause in policy.scope:
            self._gap(last, clause.span.line)
            match clause:
                case ast.For(key=key, value=value, collection=collection):
                    self.write("for ")
                    self.write_member((*((key,) if key else ()), value, collection), parentheses=False)
                case ast.When(body=body):
                    self.write("when")
                    self._clause_body(body, clause.span.line, bare=_can_stand_bare(body[0]))
                case ast.Let(name=name, value=value):
                    self.write(f"let {name.name} := ")
                    self.write_term(value)
            self.end_line()
            last = self._end_row(clause)
        self._gap(last, word.span.line)
        self.write(policy.polarity)
        self._clause_body(policy.body, word.span.line, bare=not _reads_as_body(policy.body[0]))
        self.end_line()

    def _gap(self, last: int, row: int) -> None:
        pending = self.pending()
        first = min(row, pending[0].span.line) if pending else row
        if last and first > last + 1:
            self.write("\n")
        self._at(row)

    def _end_row(self, clause: ast.For | ast.When | ast.Let) -> int:
        match clause:
            case ast.For(collection=collection):
                end = self.places.extent(collection)[1]
            case ast.Let(value=value):
                end = self.places.extent(value)[1]
            case ast.When(body=body):
                brace = self.places.brace(body)
                end = self.places.partner(brace) if brace is not None else self.places.literal(body[-1]).end
        return self.places.row_of(end)

    def _clause_body(self, body: ast.Body, row: int, *, bare: bool) -> None:
        """A body after its word: one literal on the same line stays there, without braces if it can."""
        self.write(" ")
        beside = len(body) == 1 and self.places.literal(body[0]).row == row
        if beside and bare:
            self.write_literal(body[0])
            return
        self.mark_leading_union(body[0])
        if beside:
            self.write("{ ")
            self.write_literal(body[0])
            self.write(" }")
            return
        self.write("{")
        self.end_line()
        self.level += 1
        self.write_body(body)
        brace = self.places.brace(body)
        end = self.places.partner(brace) if brace is not None else self.places.literal(body[-1]).end
        self.insert_comments(Place(self.places.row_of(end), 0, 0))
        self.level -= 1
        self.start_line()
        self.write("}")

    def _texts(self, policy: ast.Policy, words: dict[str, Token]) -> None:
        terms = {"MESSAGE": policy.message, "HINT": policy.hint, "AT": policy.at}
        present = [word for word in ("MESSAGE", "HINT", "FIX", "AT") if word in words]
        width = max(map(len, present))
        for word in present:
            self._at(words[word].span.line)
            self.write(f"{word.lower():<{width}} ")
            term = terms.get(word)
            if term is not None:
                self.write_term(term)
            elif policy.fix is not None:
                self._fix(policy.fix)
            self.end_line()

    def _fix(self, fix: ast.FixClause) -> None:
        self.write(f"{fix.action} ")
        self.write_term(fix.path)
        if fix.value is not None:
            self.write(" ")
            self.write_term(fix.value)

    # ----------------------------------------------------------------- param

    def _param(self, param: ast.Param) -> None:
        self.write(f"param {param.name}: {_type(param.type)} := ")
        self.write_term(param.default)
        self.write(f" stricter when {param.stricter}" if param.stricter is not None else "")

    # ----------------------------------------------------------------- test

    def _test(self, test: ast.TestDecl, place: Place) -> None:
        self.write(f"test {test.policy} {{")
        self.end_line()
        self.level += 1
        for group in self._groups(test.cases):
            titles = [self._title(case) for case in group]
            width = max(map(len, titles))
            for case, title in zip(group, titles, strict=True):
                if case is group[0] and case is not test.cases[0]:
                    self._gap(self._case_end(test.cases[test.cases.index(case) - 1]), case.span.line)
                self._at(case.span.line)
                self.write(f"{case.outcome} {title:<{width}} with ")
                self.write_term(case.input)
                self.end_line()
                self._case_rest(case)
        self._close(place)

    def _title(self, case: ast.TestCase) -> str:
        start = self.places.bounds(case.span)[0]
        return self.places.token_after(self.places.by_start[start]).text

    def _case_rest(self, case: ast.TestCase) -> None:
        self.level += 1
        for name, value in case.given:
            self._at(value.span.line)
            self.write(f"given params.{name} := ")
            self.write_term(value)
            self.end_line()
        for expected in case.expects:
            self._at(expected.span.line)
            for index, (word, term) in enumerate((("at", expected.at), ("message", expected.message))):
                if term is not None:
                    self.write(" " if index and expected.at is not None else "")
                    self.write(f"{word} ")
                    self.write_term(term)
            self.end_line()
        self.level -= 1

    def _case_end(self, case: ast.TestCase) -> int:
        last = case.expects[-1] if case.expects else None
        term = (last.message or last.at) if last is not None else case.given[-1][1] if case.given else case.input
        assert term is not None, "an expectation has a place or a message"
        return self.places.row_of(self.places.extent(term)[1])

    def _groups(self, cases: Sequence[ast.TestCase]) -> list[list[ast.TestCase]]:
        """Cases on lines that follow each other, whose inputs are aligned: one of several lines ends a group."""
        groups: list[list[ast.TestCase]] = []
        for case in cases:
            before = groups[-1][-1] if groups else None
            if (
                before is not None
                and not (before.expects or before.given)
                and self._case_end(before) == before.span.line >= case.span.line - 1
            ):
                groups[-1].append(case)
            else:
                groups.append([case])
        return groups


def _type(kind: ast.TypeExpr) -> str:
    if kind.name == "union":
        return " | ".join(map(_type, kind.args))
    return f"{kind.name}[{', '.join(map(_type, kind.args))}]" if kind.args else kind.name


def _reads_as_body(literal: ast.Literal) -> bool:
    """True where a literal alone would be read as a body in braces."""
    if not isinstance(literal, ast.Expr) or literal.negated:
        return False
    return is_set(literal.term) or leads_with_brace(literal.term)


def _can_stand_bare(literal: ast.Literal) -> bool:
    """``when`` takes an expression without braces, but no ``not``, ``some``, ``every`` or ``with``."""
    plain = isinstance(literal, ast.Expr) and not literal.negated and not literal.withs
    return plain and not _reads_as_body(literal)
