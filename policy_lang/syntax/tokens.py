"""Source text → tokens: numbers, strings, template strings, names, symbols, comments, line ends.

Gluing is decided here, because Rego gives white space before ``(``, ``[`` and ``.`` a meaning:
``q[0]`` is a reference, ``q [0]`` is not. Which line ends separate literals, and which braces open a
rule's body, is decided by the next stage, ``layout``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.json_text import without_halves
from policy_lang.source import Source, Span

KEYWORDS = frozenset(
    ("package", "import", "default", "else", "if", "contains", "some", "every", "in", "not", "with", "as")
)
CONSTANTS = frozenset(("true", "false", "null"))
MAX_DEPTH = 150
"""Brackets and templates may nest this deep: beyond it a recursive descent of the tree could overflow."""

_NO_NUMBER = re.compile(r"[A-Za-z_0-9]|\.(?![A-Za-z_])")
_JSON = json.JSONDecoder(strict=False)
_PATTERN = re.compile(
    r"""
    (?P<space>[ \t\r]+)
  | (?P<newline>\n)
  | (?P<comment>\#[^\n]*)
  | (?P<template>\$["`])
  | (?P<number>(?<![\w\])}])\.[0-9]+ | (?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
  | (?P<raw>`[^`]*`)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<symbol>:=|==|!=|<=|>=|[-+*/%&|<>=.,;:(){}\[\]])
    """,
    re.VERBOSE,
)
_GLUED = {"(": "LPAR_G", "[": "LSQB_G", ".": "DOT_G"}
SYMBOLS = {
    ":=": "ASSIGN",
    "=": "UNIFY",
    "==": "EQUAL",
    "!=": "NEQ",
    "<=": "LTE",
    ">=": "GTE",
    "<": "LT",
    ">": "GT",
    "+": "PLUS",
    "-": "MINUS",
    "*": "STAR",
    "/": "SLASH",
    "%": "PERCENT",
    "&": "AMP",
    "|": "PIPE",
    ".": "DOT",
    ",": "COMMA",
    ";": "SEMI",
    ":": "COLON",
    "(": "LPAR",
    ")": "RPAR",
    "{": "LBRACE",
    "}": "RBRACE",
    "[": "LSQB",
    "]": "RSQB",
}


@dataclass(frozen=True, slots=True)
class Token:
    """``type`` is the terminal's name in the grammar; ``text`` as written; ``parts`` only for templates."""

    type: str
    text: str
    span: Span
    parts: tuple[str | tuple[Token, ...], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Lexed:
    tokens: tuple[Token, ...]
    comments: tuple[Token, ...]


def tokenize(source: Source) -> Lexed:
    """All tokens of a text, line ends (``NL``) included, comments apart.

    Raises:
        DiagnosticError: a character or literal that begins no token (``rego_parse_error``).
    """
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: Source) -> None:
        self.file = source.file
        self.text = source.text
        self.at = 0
        self.line = 1
        self.line_start = 0
        self.comments: list[Token] = []
        self.depth = 0

    def run(self) -> Lexed:
        return Lexed(tuple(self._until(None)), tuple(self.comments))

    def _until(self, end: str | None) -> list[Token]:
        """Tokens up to the end of the text, or to the ``}`` that closes a template's hole."""
        tokens: list[Token] = []
        braces = 0
        while self.at < len(self.text):
            match = _PATTERN.match(self.text, self.at)
            if match is None:
                raise self._unexpected()
            kind, text = match.lastgroup, match.group()
            if end is not None and kind == "symbol":
                if text == end and braces == 0:
                    return tokens
                braces += (text == "{") - (text == "}")
            if kind == "template":
                tokens.append(self._template(raw=text[1] == "`"))
                continue
            token = self._token(kind or "", text, glued=bool(tokens) and self._glues(tokens[-1]))
            if token is not None:
                tokens.append(token)
        if end is not None:
            raise self._error("the template's `{` is not closed", 1)
        return tokens

    def _glues(self, before: Token) -> bool:
        """True where no space stands between the previous token and here."""
        return before.span.end_line == self.line and before.span.end_col == self.at - self.line_start + 1

    def _token(self, kind: str, text: str, *, glued: bool) -> Token | None:
        start = (self.line, self.at - self.line_start + 1)
        if kind == "number" and _NO_NUMBER.match(self.text, self.at + len(text)):
            raise self._error("this is no number", len(text) + 1, hint="no leading zeros, no hexadecimal, no bare `1.`")
        self._advance(text)
        span = Span(self.file, start[0], start[1], self.line, self.at - self.line_start + 1)
        if kind == "space":
            return None
        if kind == "comment":
            self.comments.append(Token("COMMENT", text, span))
            return None
        if kind == "newline":
            return Token("NL", text, span._replace(end_line=start[0], end_col=start[1] + 1))
        if kind == "symbol":
            return Token(_GLUED[text] if glued and text in _GLUED else SYMBOLS[text], text, span)
        if kind == "name":
            return Token(text.upper() if text in KEYWORDS or text in CONSTANTS else "NAME", text, span)
        if kind == "string":
            _check_escapes(text, span)
        return Token({"number": "NUMBER", "string": "STRING", "raw": "RAW"}[kind], text, span)

    def _template(self, *, raw: bool) -> Token:
        start = Span(self.file, self.line, self.at - self.line_start + 1, 1, 1)
        quote = "`" if raw else '"'
        self._advance("$" + quote)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error("templates are nested too deep", 1)
        parts: list[str | tuple[Token, ...]] = []
        text = ""
        while True:
            char = self.text[self.at : self.at + 1]
            if not char or (char == "\n" and not raw):
                raise self._error("the template string is not closed", 1)
            if char == quote:
                self._advance(char)
                break
            if char == "{":
                parts.append(_decoded(text, raw, start))
                text = ""
                self._advance(char)
                parts.append(tuple(self._until("}")))
                self._advance("}")
                continue
            length = 2 if char == "\\" and (not raw or self.text[self.at + 1 : self.at + 2] in ("{", "}")) else 1
            piece = self.text[self.at : self.at + length]
            text += piece[1] if piece in (r"\{", r"\}") else piece
            self._advance(piece)
        parts.append(_decoded(text, raw, start))
        self.depth -= 1
        end = Span(self.file, self.line, 1, self.line, self.at - self.line_start + 1)
        return Token("TEMPLATE_RAW" if raw else "TEMPLATE", "", start.to(end), tuple(parts))

    def _advance(self, text: str) -> None:
        lines = text.count("\n")
        self.at += len(text)
        if lines:
            self.line += lines
            self.line_start = self.at - (len(text) - text.rindex("\n") - 1)

    def _unexpected(self) -> DiagnosticError:
        char = self.text[self.at]
        if char in '"`':
            return self._error("the string is not closed", 1)
        return self._error(f"unexpected character {char!r}", 1)

    def _error(self, message: str, length: int, hint: str = "") -> DiagnosticError:
        column = self.at - self.line_start + 1
        span = Span(self.file, self.line, column, self.line, column + length)
        return DiagnosticError(Diagnostic("rego_parse_error", message, span, hint=hint))


def decode_string(text: str) -> str:
    """The value of a string as written, quotes included.

    Raises:
        ValueError: an escape that JSON does not know.
    """
    decoded: str = _JSON.decode(without_halves(text)) if "\\" in text else text[1:-1]
    return decoded


def _check_escapes(text: str, span: Span) -> None:
    try:
        decode_string(text)
    except ValueError:
        message = "a string has an escape that JSON does not know"
        raise DiagnosticError(
            Diagnostic("rego_parse_error", message, span, hint="write a regular expression in back-quotes")
        ) from None


def _decoded(text: str, raw: bool, span: Span) -> str:
    if raw:
        return text
    try:
        decoded = decode_string(f'"{text}"')
    except ValueError:
        message = "a template string has an escape that JSON does not know"
        raise DiagnosticError(Diagnostic("rego_parse_error", message, span)) from None
    return decoded
