"""Text → syntax tree. The entry functions of the first stage: modules, queries, terms.

``tokens`` reads, ``layout`` arranges, ``grammar/rego.lark`` (LALR) parses, ``transform`` builds the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lark import UnexpectedInput
from lark.common import LexerConf
from lark.exceptions import VisitError
from lark.lexer import Lexer

from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.source import Source, Span, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.check import check_module
from policy_lang.syntax.declarations import declare, inside_declaration
from policy_lang.syntax.floe_transform import FloeToAst
from policy_lang.syntax.layout import arrange
from policy_lang.syntax.metadata import attach
from policy_lang.syntax.tables import grammar
from policy_lang.syntax.tokens import Token, tokenize
from policy_lang.syntax.transform import GrammarToken, ToAst

_LOGICAL = frozenset(("and", "or"))


def parse_module(source: Source) -> Outcome[ast.Module]:
    """One policy file. Errors have the code ``rego_parse_error`` and the span of the offending token;
    in the declarations of a ``.floe`` file the code is ``floe_parse_error``.
    """
    with uncollected():
        parsed = parse_with_tokens(source)
    return Outcome(parsed.value[0] if parsed.value is not None else None, parsed.diagnostics)


def parse_with_tokens(source: Source) -> Outcome[tuple[ast.Module, tuple[Token, ...]]]:
    """As ``parse_module``, with the tokens beside the tree, for tools that look at the text as written.

    Clause words have their own types; a template's token holds its inner tokens in ``parts``.
    """
    floe = source.file.endswith(".floe")
    try:
        lexed = tokenize(source)
        words, not_body = (_LOGICAL, True) if floe else _enabled(lexed.tokens)
        named = declare(lexed.tokens) if floe else lexed.tokens
        tokens = arrange(named, logical=words, not_body=not_body)
        module: ast.Module = _parse(tokens, "module", whole_file(source.file), words, not_body, floe=floe)
        comments = tuple(ast.Comment(c.text, span=c.span) for c in lexed.comments)
        module = attach(replace(module, comments=comments, floe=floe), comments)
    except DiagnosticError as error:
        return Outcome(None, error.diagnostics)
    found = check_module(module)
    return Outcome(None, found) if found else Outcome((module, tuple(tokens)))


def parse_query(source: Source) -> Outcome[ast.Body]:
    """A body without braces: literals separated by ``;`` or line ends."""
    try:
        lexed = tokenize(source)
        body: ast.Body = _parse(_as_query(lexed.tokens), "query", whole_file(source.file), frozenset(), False)
        return Outcome(body)
    except DiagnosticError as error:
        return Outcome(None, error.diagnostics)


def parse_term(source: Source) -> Outcome[ast.Term]:
    """One term."""
    try:
        tokens = arrange(tokenize(source).tokens)
        term: ast.Term = _parse(tokens, "expr", whole_file(source.file), frozenset(), False)
        return Outcome(term)
    except DiagnosticError as error:
        return Outcome(None, error.diagnostics)


def _as_query(tokens: Sequence[Token]) -> list[Token]:
    """Arranged as inside braces, so that line ends separate (those of `else`, which can hold nothing but a body)."""
    place = whole_file(tokens[0].span.file if tokens else "<query>")
    inner = (Token("ELSE", "else", place), Token("LBRACE", "{", place), *tokens, Token("RBRACE", "}", place))
    return [Token("SEMI", t.text, t.span) if t.type == "NL" else t for t in arrange(inner)[2:-1]]


def _enabled(tokens: Sequence[Token]) -> tuple[frozenset[str], bool]:
    """Which of the later keywords the imports turn on: (``and``/``or``, ``not {``)."""
    words: set[str] = set()
    not_body = False
    for index, token in enumerate(tokens):
        if token.type != "IMPORT":
            continue
        path = []
        for part in tokens[index + 1 :]:
            if part.type in ("NL", "AS", "IMPORT"):
                break
            path.append(part.text)
        name = "".join(path)
        if name == "rego.v2" or name == "future.keywords":
            not_body = True
            words |= _LOGICAL
        elif name.startswith("future.keywords."):
            last = path[-1]
            not_body = not_body or last == "not"
            words |= _LOGICAL & {last}
    return frozenset(words), not_body


class _Arranged(Lexer):
    """Hands our tokens to Lark."""

    def __init__(self, conf: LexerConf) -> None:
        """Lark makes the lexer; there is nothing to configure."""

    def lex(self, data: Sequence[Token]) -> Iterator[GrammarToken]:  # type: ignore[override]
        for token in data:
            carrier = GrammarToken(token.type, token.text)
            carrier.token = token
            yield carrier


def _parse(tokens: Any, start: str, place: Span, words: frozenset[str], not_body: bool, *, floe: bool = False) -> Any:
    def hole(inner: Sequence[Token], span: Span) -> ast.Term:
        if not any(t.type != "NL" for t in inner):
            raise DiagnosticError(Diagnostic("rego_parse_error", "a template's `{}` holds one expression", span))
        arranged = arrange([t for t in inner if t.type != "NL"], logical=words, not_body=not_body)
        term: ast.Term = _parse(arranged, "hole", span, words, not_body)
        return term

    try:
        tree: Any = grammar(floe, _Arranged).parse(tokens, start=start)
        return (FloeToAst if floe else ToAst)(hole).transform(tree)
    except RecursionError:
        raise _too_deep(tokens, place) from None
    except UnexpectedInput as error:
        raise DiagnosticError(_unexpected(error, tokens, place)) from None
    except VisitError as error:
        cause: BaseException = error
        while isinstance(cause, VisitError):
            cause = cause.orig_exc
        if isinstance(cause, RecursionError):
            raise _too_deep(tokens, place) from None
        if isinstance(cause, DiagnosticError):
            raise cause from None
        raise


def _too_deep(tokens: Sequence[Token], place: Span) -> DiagnosticError:
    hint = "give parts of it names with `:=`"
    span = tokens[0].span if tokens else place
    return DiagnosticError(Diagnostic("rego_parse_error", "an expression is nested too deep", span, hint=hint))


def _unexpected(error: UnexpectedInput, tokens: Sequence[Token], place: Span) -> Diagnostic:
    carrier = getattr(error, "token", None)
    if isinstance(carrier, GrammarToken):
        token = carrier.token
        shown = "line end" if token.type == "NL" else f"`{token.text}`"
        code = "floe_parse_error" if inside_declaration(tokens, token) else "rego_parse_error"
        return Diagnostic(code, f"unexpected {shown}", token.span)
    end = tokens[-1].span if tokens else place
    span = Span(end.file, end.end_line, end.end_col, end.end_line, end.end_col)
    return Diagnostic("rego_parse_error", "the text ends too early", span)
