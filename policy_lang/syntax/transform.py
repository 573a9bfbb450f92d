"""Reductions of the grammar → nodes of the syntax tree. Each method answers to one rule of rego.lark.

Infix operators become calls of OPA's builtin names; the symbol is kept for the formatter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lark import Token as LarkToken
from lark import Transformer, v_args

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.check import number_is_too_big
from policy_lang.syntax.tokens import Token, decode_string

_OPERATOR = {
    ":=": "assign",
    "=": "eq",
    "==": "equal",
    "!=": "neq",
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
    "+": "plus",
    "-": "minus",
    "*": "mul",
    "/": "div",
    "%": "rem",
    "&": "and",
    "|": "or",
    "in": "internal.member_2",
}


@dataclass(frozen=True, slots=True)
class _Scoped:
    """``(term with …)``, which may stand beside ``and`` and ``or`` and as a literal."""

    term: ast.Term
    withs: tuple[ast.With, ...]
    span: Span


class GrammarToken(LarkToken):
    """Lark's token with ours inside: Lark looks at ``type`` only."""

    token: Token


def fail(message: str, span: Span, hint: str = "") -> DiagnosticError:
    """The error for something that the grammar lets through and the language does not."""
    return DiagnosticError(Diagnostic("rego_parse_error", message, span, hint=hint))


def operator(name: str, span: Span) -> ast.Var | ast.Ref:
    """The operator of a builtin by its dotted name."""
    head, *rest = name.split(".")
    var = ast.Var(head, span=span)
    return ast.Ref(var, tuple(ast.String(part, span=span) for part in rest), span=span) if rest else var


@functools.cache
def _inlined(of: type) -> tuple[str, ...]:
    return tuple(name for name in dir(of) if hasattr(getattr(of, name), "visit_wrapper"))


@v_args(inline=True)
class ToAst(Transformer[Any, Any]):
    """``parse_hole`` parses the tokens of one ``{…}`` of a template string."""

    def __init__(self, parse_hole: Callable[[Sequence[Token], Span], ast.Term]) -> None:
        super().__init__()
        for name in _inlined(type(self)):
            setattr(self, name, getattr(self, name))  # Lark would make the bound method anew for each node
        self._parse_hole = parse_hole

    # ----------------------------------------------------------------- terms

    def var(self, name: GrammarToken) -> ast.Var:
        return ast.Var(str(name), span=name.token.span)

    def number(self, token: GrammarToken) -> ast.Number:
        if number_is_too_big(str(token)):
            raise fail("number too big", token.token.span)
        return ast.Number(str(token), span=token.token.span)

    def string(self, token: GrammarToken) -> ast.String:
        return ast.String(decode_string(str(token)), span=token.token.span)

    def raw(self, token: GrammarToken) -> ast.String:
        return ast.String(str(token)[1:-1], raw=True, span=token.token.span)

    def boolean(self, token: GrammarToken) -> ast.Boolean:
        return ast.Boolean(str(token) == "true", span=token.token.span)

    def null(self, token: GrammarToken) -> ast.Null:
        return ast.Null(span=token.token.span)

    def template(self, token: GrammarToken) -> ast.Template:
        span = token.token.span
        parts = tuple(p if isinstance(p, str) else self._parse_hole(p, span) for p in token.token.parts)
        return ast.Template(tuple(p for p in parts if p != ""), raw=token.type == "TEMPLATE_RAW", span=span)

    def group(self, opening: GrammarToken, term: ast.Term, closing: GrammarToken) -> ast.Term:
        return replace(term, grouped=True) if isinstance(term, ast.Logical) else term

    @v_args(inline=False)
    def scoped(self, children: list[Any]) -> _Scoped:
        opening, term, *withs, closing = children
        return _Scoped(term, tuple(withs), _from(opening, closing))

    def grouped(
        self, opening: GrammarToken, inner: tuple[ast.Body, Span], closing: GrammarToken
    ) -> tuple[ast.Body, Span]:
        return (inner[0], _from(opening, closing))

    def hole(self, term: ast.Term, *withs: ast.With) -> ast.Term:
        if not withs:
            return term
        span = term.span.to(withs[-1].span)
        value = ast.Var("__hole", span=term.span)
        bind = ast.Call(operator("assign", term.span), (value, term), infix=":=", span=term.span)
        found = ast.ArrayCompr(value, (ast.Expr(bind, withs=withs, span=span),), span=span)
        return ast.Ref(found, (ast.Number("0", span=span),), span=span)

    def array(self, opening: GrammarToken, items: tuple[ast.Term, ...] | None, closing: GrammarToken) -> ast.Array:
        return ast.Array(items or (), span=_from(opening, closing))

    def empty_object(self, opening: GrammarToken, closing: GrammarToken) -> ast.Object:
        return ast.Object((), span=_from(opening, closing))

    def set(self, opening: GrammarToken, items: tuple[ast.Term, ...], closing: GrammarToken) -> ast.SetTerm:
        return ast.SetTerm(items, span=_from(opening, closing))

    def object(self, opening: GrammarToken, pairs: Any, closing: GrammarToken) -> ast.Object:
        return ast.Object(pairs, span=_from(opening, closing))

    @v_args(inline=False)
    def array_compr(self, children: list[Any]) -> ast.ArrayCompr:
        opening, term, _, body, closing = children
        return ast.ArrayCompr(term, body, span=_from(opening, closing))

    @v_args(inline=False)
    def set_compr(self, children: list[Any]) -> ast.SetCompr:
        opening, term, _, body, closing = children
        return ast.SetCompr(term, body, span=_from(opening, closing))

    @v_args(inline=False)
    def object_compr(self, children: list[Any]) -> ast.ObjectCompr:
        opening, key, _, value, _, body, closing = children
        return ast.ObjectCompr(key, value, body, span=_from(opening, closing))

    @v_args(inline=False)
    def items(self, children: list[Any]) -> tuple[ast.Term, ...]:
        return tuple(c for c in children if not isinstance(c, GrammarToken))

    pairs = items

    def pair(self, key: ast.Term, colon: GrammarToken, value: ast.Term) -> tuple[ast.Term, ast.Term]:
        return (key, value)

    def dot(self, head: ast.Term, dot: GrammarToken, name: GrammarToken) -> ast.Ref:
        span = name.token.span
        return _extended(head, ast.String(str(name), span=span), head.span.to(span))

    def bracket(self, head: ast.Term, opening: GrammarToken, key: ast.Term, closing: GrammarToken) -> ast.Ref:
        return _extended(head, key, head.span.to(closing.token.span))

    @v_args(inline=False)
    def call(self, children: list[Any]) -> ast.Call:
        function, _, items, closing = children
        if not isinstance(function, (ast.Var, ast.Ref)):
            raise fail("only a name can be called", function.span)
        return ast.Call(function, items or (), span=function.span.to(closing.token.span))

    def infix(self, left: ast.Term, symbol: GrammarToken, right: ast.Term) -> ast.Call:
        name = operator(_OPERATOR[str(symbol)], symbol.token.span)
        return ast.Call(name, (left, right), infix=str(symbol), span=left.span.to(right.span))

    def member_pair(self, key: ast.Term, comma: GrammarToken, rest: ast.Term) -> ast.Call:
        if not (isinstance(rest, ast.Call) and rest.infix == "in" and len(rest.args) == 2):
            raise fail("unexpected `,`", comma.token.span, hint="did you mean `key, value in collection`?")
        name = operator("internal.member_3", rest.operator.span)
        return ast.Call(name, (key, *rest.args), infix="in", span=key.span.to(rest.span))

    def logical(self, left: Any, symbol: GrammarToken, right: Any) -> ast.Logical:
        (first, start), (second, end) = _as_body(left), _as_body(right)
        return ast.Logical(str(symbol), first, second, braced=isinstance(left, tuple), span=start.to(end))

    @v_args(inline=False)
    def negated(self, children: list[Any]) -> tuple[ast.Body, Span]:
        word, operand = children
        body, end = _as_body(operand)
        span = word.token.span.to(end)
        if isinstance(operand, tuple):
            return ((ast.NotBody(body, span=span),), span)
        return ((ast.Expr(operand, negated=True, span=span),), span)

    def minus(self, symbol: GrammarToken, term: ast.Term) -> ast.Term:
        span = symbol.token.span.to(term.span)
        if isinstance(term, ast.Number) and not term.text.startswith("-"):
            return ast.Number(f"-{term.text}", span=span)
        if isinstance(term, (ast.Var, ast.Ref)):
            zero = ast.Number("0", span=symbol.token.span)
            return ast.Call(operator("minus", symbol.token.span), (zero, term), span=span)
        raise fail("`-` stands before a number or a reference only", symbol.token.span)

    # ----------------------------------------------------------------- literals

    @v_args(inline=False)
    def query(self, children: list[Any]) -> ast.Body:
        return tuple(c for c in children if not isinstance(c, GrammarToken))

    @v_args(inline=False)
    def with_clause(self, children: list[Any]) -> ast.With:
        word, target, _, value = children
        if not isinstance(target, (ast.Var, ast.Ref)):
            raise fail("`with` replaces input, data or a function", target.span)
        return ast.With(target, value, span=word.token.span.to(value.span))

    def statement_expr(self, term: ast.Term | _Scoped, *withs: ast.With) -> ast.Expr:
        term, withs = _unscoped(term, withs)
        return ast.Expr(term, withs=withs, span=term.span.to((withs or (term,))[-1].span))

    def not_expr(self, word: GrammarToken, term: ast.Term | _Scoped, *withs: ast.With) -> ast.Expr | ast.NotBody:
        if isinstance(term, _Scoped) and not isinstance(term.term, ast.Logical):
            body, span = _as_body(term)
            return ast.NotBody(body, withs, span=word.token.span.to(withs[-1].span if withs else span))
        term, withs = _unscoped(term, withs)
        span = word.token.span.to((withs or (term,))[-1].span)
        if isinstance(term, ast.Logical) and not term.grouped:
            return ast.Expr(_negate_leftmost(term, span), withs=withs, span=span)
        return ast.Expr(term, negated=True, withs=withs, span=span)

    def not_body(self, word: GrammarToken, body: tuple[ast.Body, Span], *withs: ast.With) -> ast.NotBody:
        return ast.NotBody(body[0], withs, span=word.token.span.to(body[1]))

    @v_args(inline=False)
    def some(self, children: list[Any]) -> ast.SomeDecl | ast.SomeIn:
        start = children[0].token.span
        withs = tuple(c for c in children if isinstance(c, ast.With))
        terms = [c for c in children if not isinstance(c, (GrammarToken, ast.With))]
        last = terms[-1]
        if isinstance(last, ast.Call) and last.infix == "in" and len(last.args) == 2:
            if len(terms) > 2:
                raise fail("`some … in` takes a value, or a key and a value", last.span)
            key = terms[0] if len(terms) == 2 else None
            span = start.to((withs or (last,))[-1].span)
            return ast.SomeIn(key, last.args[0], last.args[1], withs, span=span)
        for term in terms:
            if not isinstance(term, ast.Var):
                raise fail("`some` declares names", term.span, hint="to iterate, write `some x in xs`")
        if withs:
            raise fail("unexpected `with`", withs[0].span)
        return ast.SomeDecl(tuple(terms), span=start.to(last.span))

    @v_args(inline=False)
    def every(self, children: list[Any]) -> ast.Every:
        word, first, _, second, _, domain, (body, end), *withs = children
        if not body:
            raise fail("the body of `every` is empty", domain.span)
        names = [ast.Var(str(t), span=t.token.span) for t in (first, second) if t is not None]
        for name in names:
            if name.name in ("input", "data"):
                raise fail(f"a variable must not be named {name.name}", name.span)
        span = word.token.span.to(withs[-1].span if withs else end)
        return ast.Every(names[0] if second is not None else None, names[-1], domain, body, tuple(withs), span=span)

    def body(self, opening: GrammarToken, query: ast.Body | None, closing: GrammarToken) -> tuple[ast.Body, Span]:
        span = _from(opening, closing)
        if query is None:
            raise fail("the body is empty", span)
        return (query, span)

    # ----------------------------------------------------------------- rules

    def head_bare(self, head: ast.Term) -> ast.Head:
        return _head(head, head.span)

    def head_value(self, head: ast.Term, assign: GrammarToken, value: ast.Term) -> ast.Head:
        return _head(head, head.span.to(value.span), value=value, assign=str(assign))

    def head_contains(self, head: ast.Term, word: GrammarToken, key: ast.Term) -> ast.Head:
        return _head(head, head.span.to(key.span), key=key)

    def bodies(self, *bodies: tuple[ast.Body, Span]) -> tuple[tuple[ast.Body, Span], ...]:
        return bodies

    @v_args(inline=False)
    def if_body(self, children: list[Any]) -> tuple[tuple[ast.Body, Span], ...]:
        bodies: tuple[tuple[ast.Body, Span], ...] = children[-1]
        if len(children) == 1:
            hint = "write `if {` (and `p contains x` for `p[x]`); `opa fmt --v0-v1 --write` does so in files of Rego v0"
            raise fail("`if` is missing before the rule's body", bodies[0][1].start(), hint=hint)
        return bodies

    def if_literal(self, word: GrammarToken, literal: ast.Literal) -> tuple[tuple[ast.Body, Span], ...]:
        return (((literal,), literal.span),)

    def else_value(self, assign: GrammarToken, value: ast.Term) -> ast.Term:
        return value

    @v_args(inline=False)
    def else_clause(self, children: list[Any]) -> ast.Else:
        word, value, bodies = children
        if bodies is not None and len(bodies) > 1:
            raise fail("an `else` has one body", bodies[1][1])
        end = bodies[0][1] if bodies else value.span if value is not None else word.token.span
        return ast.Else(value, bodies[0][0] if bodies else (), span=word.token.span.to(end))

    @v_args(inline=False)
    def rule(self, children: list[Any]) -> tuple[ast.Rule, ...]:
        head, bodies, *elses = children
        if bodies is None and head.value is None and head.key is None and not head.args:
            _check_bare(head)
        if not bodies:
            end = elses[-1].span if elses else head.span
            return (ast.Rule(head, (), tuple(elses), span=head.span.to(end)),)
        if len(bodies) > 1 and elses:
            raise fail("`else` does not go with several bodies", elses[0].span)
        end = elses[-1].span if elses else bodies[0][1]
        first = ast.Rule(head, bodies[0][0], tuple(elses), span=head.span.to(end))
        return (first, *(ast.Rule(head, body, span=span) for body, span in bodies[1:]))

    @v_args(inline=False)
    def default_rule(self, children: list[Any]) -> tuple[ast.Rule, ...]:
        word, head, assign, value = children
        span = word.token.span.to(head.span if value is None else value.span)
        sign = None if assign is None else str(assign)
        return (ast.Rule(_head(head, span, value=value, assign=sign), default=True, span=span),)

    def default_set(self, word: GrammarToken, *head: Any) -> tuple[ast.Rule, ...]:
        made = self.head_contains(*head)
        return (ast.Rule(made, default=True, span=word.token.span.to(made.span)),)

    @v_args(inline=False)
    def import_(self, children: list[Any]) -> ast.Import:
        word, path, _, alias = children
        ref = path if isinstance(path, ast.Ref) else ast.Ref(path, (), span=path.span)
        end = alias.token.span if alias is not None else path.span
        return ast.Import(ref, str(alias) if alias is not None else None, span=word.token.span.to(end))

    def package(self, word: GrammarToken, path: ast.Term) -> ast.Package:
        head = path.head if isinstance(path, ast.Ref) else path
        rest = path.path if isinstance(path, ast.Ref) else ()
        if not isinstance(head, ast.Var) or not all(isinstance(p, ast.String) for p in rest):
            raise fail("a package's name is names joined by dots", path.span)
        names = tuple(p.value for p in rest if isinstance(p, ast.String))
        return ast.Package((head.name, *names), span=word.token.span.to(path.span))

    @v_args(inline=False)
    def module(self, children: list[Any]) -> ast.Module:
        package, *statements = children
        last = statements[-1] if statements else package
        return ast.Module(
            package,
            tuple(s for s in statements if isinstance(s, ast.Import)),
            tuple(rule for s in statements if isinstance(s, tuple) for rule in s),
            tuple(s for s in statements if isinstance(s, ast.Policy)),
            tuple(s for s in statements if isinstance(s, ast.Param)),
            tuple(s for s in statements if isinstance(s, ast.TestDecl)),
            span=package.span.to((last[-1] if isinstance(last, tuple) else last).span),
        )


# `import` is a keyword of Python's, so the method for that rule cannot be defined under its name.
setattr(ToAst, "import", ToAst.import_)


def _from(opening: GrammarToken, closing: GrammarToken) -> Span:
    return opening.token.span.to(closing.token.span)


def _extended(head: ast.Term, key: ast.Term, span: Span) -> ast.Ref:
    if isinstance(head, ast.Ref):
        return ast.Ref(head.head, (*head.path, key), span=span)
    return ast.Ref(head, (key,), span=span)


def _negate_leftmost(term: ast.Logical, span: Span) -> ast.Logical:
    """``not a and b`` is ``(not a) and b``: the grammar read ``not`` before the whole."""
    first = term.left[0]
    plain = isinstance(first, ast.Expr) and not term.braced and not first.withs
    inner = first.term if isinstance(first, ast.Expr) and plain else None
    if isinstance(inner, ast.Logical) and not inner.grouped:
        negated: ast.Literal = ast.Expr(_negate_leftmost(inner, span), span=span)
    elif inner is not None:
        negated = ast.Expr(inner, negated=True, span=span)
    else:
        negated = ast.NotBody(term.left, span=span)
    return replace(term, left=(negated,))


def _unscoped(term: ast.Term | _Scoped, withs: tuple[ast.With, ...]) -> tuple[ast.Term, tuple[ast.With, ...]]:
    if not isinstance(term, _Scoped):
        return term, withs
    if not isinstance(term.term, ast.Logical):
        raise fail("unexpected `with`", term.withs[0].span, hint="write it after the closing parenthesis")
    return term.term, (*withs, *term.withs)


def _as_body(operand: Any) -> tuple[ast.Body, Span]:
    """An operand of ``and``/``or``: what ``body`` made of ``{…}``, or a term as a body of one literal."""
    if isinstance(operand, tuple):
        return operand
    if isinstance(operand, _Scoped):
        return ((ast.Expr(operand.term, withs=operand.withs, span=operand.span),), operand.span)
    return ((ast.Expr(operand, span=operand.span),), operand.span)


def _head(
    term: ast.Term,
    span: Span,
    *,
    key: ast.Term | None = None,
    value: ast.Term | None = None,
    assign: str | None = None,
) -> ast.Head:
    args: tuple[ast.Term, ...] | None = None
    if isinstance(term, ast.Call) and term.infix is None:
        args, term = term.args, term.operator
    ref = ast.Ref(term, (), span=term.span) if isinstance(term, ast.Var) else term
    if not isinstance(ref, ast.Ref) or not isinstance(ref.head, ast.Var):
        raise fail("a rule begins with its name", term.span)
    if args is not None and key is not None:
        raise fail("a function cannot be a partial set", span)
    return ast.Head(ref, args, key, value, assign, span=span)


def _check_bare(head: ast.Head) -> None:
    """A head alone is a rule only as a partial one (``p["x"]`` is not, in v1)."""
    raise fail("a rule has a value or a body", head.span, hint="write `:= value`, `if …` or `contains …`")
