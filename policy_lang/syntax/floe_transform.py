"""Reductions of grammar/floe.lark → nodes of the policy layer."""

from __future__ import annotations

from typing import Any

from lark import v_args

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.transform import GrammarToken, ToAst

_SEVERITIES = ("block", "warn", "notify")
_ORDERS = ("higher", "lower", "larger", "smaller", "fixed")
_EDITS = ("set", "add", "remove")


def _fail(message: str, span: Span, hint: str = "") -> DiagnosticError:
    return DiagnosticError(Diagnostic("floe_parse_error", message, span, hint=hint))


def _one_of(token: GrammarToken, allowed: tuple[str, ...]) -> str:
    if str(token) not in allowed:
        raise _fail(f"unexpected `{token}`", token.token.span, hint=f"write one of {', '.join(allowed)}")
    return str(token)


class FloeToAst(ToAst):
    """Adds ``policy``, ``param`` and ``test`` to the nodes of Rego."""

    @v_args(inline=False)
    def text_clause(self, children: list[Any]) -> str:
        word, token = children
        if token.type == "STRING":
            return self.string(token).value
        if token.type == "RAW":
            return self.raw(token).value
        return _one_of(token, _SEVERITIES) if word.type == "SEVERITY" else str(token)

    @v_args(inline=False)
    def tags_clause(self, children: list[Any]) -> tuple[str, ...]:
        term = children[1]
        items = term.items if isinstance(term, ast.Array) else ()
        names = tuple(i.value for i in items if isinstance(i, ast.String))
        if not names or len(names) != len(items):
            raise _fail("`tags` takes an array of strings", term.span)
        return names

    @v_args(inline=False)
    def scope(self, children: list[Any]) -> tuple[ast.For | ast.When | ast.Let, ...]:
        return tuple(ast.When(c[1], span=c[2]) if isinstance(c, tuple) else c for c in children)

    @v_args(inline=False)
    def for_clause(self, children: list[Any]) -> ast.For:
        word, first, _, second = children
        last = second if second is not None else first
        if not (isinstance(last, ast.Call) and last.infix == "in" and len(last.args) == 2):
            raise _fail("`for` takes `name in collection`", last.span)
        if second is not None and not isinstance(first, ast.Var):
            raise _fail("the key of `for` is a name", first.span)
        key = first if second is not None else None
        return ast.For(key, last.args[0], last.args[1], span=word.token.span.to(last.span))

    @v_args(inline=False)
    def body_clause(self, children: list[Any]) -> tuple[str, ast.Body, Span]:
        word, what = children
        if isinstance(what, tuple):
            return (str(word), what[0], word.token.span.to(what[1]))
        statement = isinstance(what, (ast.Expr, ast.NotBody, ast.SomeDecl, ast.SomeIn, ast.Every))
        literal = what if statement else ast.Expr(what, span=what.span)
        return (str(word), (literal,), word.token.span.to(literal.span))

    @v_args(inline=False)
    def let_clause(self, children: list[Any]) -> ast.Let:
        word, name, _, value = children
        return ast.Let(ast.Var(str(name), span=name.token.span), value, span=word.token.span.to(value.span))

    @v_args(inline=False)
    def term_clause(self, children: list[Any]) -> ast.Term:
        term: ast.Term = children[1]
        return term

    @v_args(inline=False)
    def fix_clause(self, children: list[Any]) -> ast.FixClause:
        word, action, path, value = children
        edit = _one_of(action, _EDITS)
        if (value is None) != (edit == "remove"):
            raise _fail(f"`fix {edit}` takes a path{'' if edit == 'remove' else ' and a value'}", path.span)
        end = value if value is not None else path
        return ast.FixClause(edit, path, value, span=word.token.span.to(end.span))

    @v_args(inline=False)
    def policy(self, children: list[Any]) -> ast.Policy:
        word, name, _, code, title, severity, why, docs, tags, scope, rule, message, hint, fix, at, end = children
        return ast.Policy(
            str(name), code, title, severity, scope, rule[0], rule[1], message,
            why=why or "", docs=docs or "", tags=tags or (), hint=hint, fix=fix, at=at,
            span=word.token.span.to(end.token.span),
        )  # fmt: skip

    @v_args(inline=False)
    def type_part(self, children: list[Any]) -> ast.TypeExpr:
        name = children[0]
        args = tuple(c for c in children if isinstance(c, ast.TypeExpr))
        end = children[-1].token.span if args else name.token.span
        return ast.TypeExpr(str(name), args, span=name.token.span.to(end))

    @v_args(inline=False)
    def type(self, children: list[Any]) -> ast.TypeExpr:
        parts = tuple(c for c in children if isinstance(c, ast.TypeExpr))
        return parts[0] if len(parts) == 1 else ast.TypeExpr("union", parts, span=parts[0].span.to(parts[-1].span))

    @v_args(inline=False)
    def param(self, children: list[Any]) -> ast.Param:
        word, name, _, kind, _, default, _, _, order = children
        stricter = _one_of(order, _ORDERS) if order is not None else None
        end = order.token.span if order is not None else default.span
        return ast.Param(str(name), kind, default, stricter, span=word.token.span.to(end))

    @v_args(inline=False)
    def given(self, children: list[Any]) -> tuple[str, ast.Term]:
        _, path, _, value = children
        plain = isinstance(path, ast.Ref) and path.head == ast.Var("params", span=path.span) and len(path.path) == 1
        if not plain or not isinstance(path.path[0], ast.String):
            raise _fail("`given` sets `params.name`", path.span)
        return (path.path[0].value, value)

    @v_args(inline=False)
    def expect_at(self, children: list[Any]) -> ast.Expectation:
        word, at, _, message = children
        end = message if message is not None else at
        return ast.Expectation(at, message, span=word.token.span.to(end.span))

    @v_args(inline=False)
    def expect_message(self, children: list[Any]) -> ast.Expectation:
        word, message = children
        return ast.Expectation(None, message, span=word.token.span.to(message.span))

    @v_args(inline=False)
    def test_case(self, children: list[Any]) -> ast.TestCase:
        word, title, _, given_input, *rest = children
        given = tuple(r for r in rest if isinstance(r, tuple))
        expects = tuple(r for r in rest if isinstance(r, ast.Expectation))
        if expects and str(word) != "fail":
            raise _fail(f"a `{word}` case expects no violation", expects[0].span)
        end = (expects[-1] if expects else given[-1][1] if given else given_input).span
        span = word.token.span.to(end)
        return ast.TestCase(str(word), self.string(title).value, given_input, given, expects, span=span)

    @v_args(inline=False)
    def test(self, children: list[Any]) -> ast.TestDecl:
        word, name, *rest = children
        cases = tuple(c for c in rest if isinstance(c, ast.TestCase))
        return ast.TestDecl(str(name), cases, span=word.token.span.to(rest[-1].token.span))
