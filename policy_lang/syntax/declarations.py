"""Tells the contextual words of the policy layer from names: a step between ``tokens`` and ``layout``.

A clause word is one only directly inside a declaration's braces and where an expression cannot go
on: after a finished term or at the opening brace. Everywhere else it stays an ordinary name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from policy_lang.syntax.tokens import Token

_SCOPE = frozenset(("for", "when", "let", "require", "forbid"))
_POLICY = _SCOPE | {"id", "title", "severity", "why", "docs", "tags", "message", "hint", "fix", "at"}
_TEST = frozenset(("pass", "fail", "skip", "given", "at", "message"))
CLAUSES = frozenset(word.upper() for word in _POLICY | _TEST)
_ENDS = frozenset(
    ("NAME", "NUMBER", "STRING", "RAW", "TEMPLATE", "TEMPLATE_RAW", "TRUE", "FALSE", "NULL", "RPAR", "RSQB", "RBRACE")
)


def declare(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens, with ``POLICY``, ``PARAM``, ``TEST``, ``LBRACE_DECL`` and the clause words named."""
    out: list[Token] = []
    words: frozenset[str] = frozenset()
    depth = 0
    for index, token in enumerate(tokens):
        before = next((t.type for t in reversed(out) if t.type != "NL"), "LBRACE_DECL")
        if token.type == "NAME" and depth == 0:
            token = _top(tokens, index, out)
        elif token.type == "NAME" and depth == 1 and token.text in words and before in _ENDS | {"LBRACE_DECL"}:
            token = replace(token, type=token.text.upper())
        if token.type in ("LBRACE", "LPAR", "LPAR_G", "LSQB", "LSQB_G"):
            if depth == 0 and len(out) > 1 and out[-2].type in ("POLICY", "TEST"):
                token = replace(token, type="LBRACE_DECL")
                words = _POLICY if out[-2].type == "POLICY" else _TEST
            elif depth == 0:
                words = frozenset()
            depth += 1
        elif token.type in ("RBRACE", "RPAR", "RSQB"):
            depth -= 1
        out.append(token)
    return out


def _top(tokens: Sequence[Token], index: int, out: Sequence[Token]) -> Token:
    """A name outside of all brackets: the word that begins a declaration, or a name."""
    token = tokens[index]
    after = [t.type for t in tokens[index + 1 : index + 3]]
    if token.text in ("policy", "test") and after == ["NAME", "LBRACE"]:
        return replace(token, type=token.text.upper())
    if token.text == "param" and after == ["NAME", "COLON"]:
        return replace(token, type="PARAM")
    following = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if token.text == "stricter" and following == "when":
        return replace(token, type="STRICTER")
    if token.text == "when" and out and out[-1].type == "STRICTER":
        return replace(token, type="WHEN")
    return token


def inside_declaration(tokens: Sequence[Token], place: Token) -> bool:
    """True where ``place`` stands between a declaration's first word and its end."""
    opened = False
    depth = 0
    for token in tokens:
        if token.type in ("POLICY", "TEST", "PARAM"):
            opened = True
        if token is place:
            return opened
        depth += token.type in ("LBRACE_DECL", "LBRACE", "LBRACE_BODY", "LPAR", "LPAR_G", "LSQB", "LSQB_G")
        if token.type in ("RBRACE", "RPAR", "RSQB"):
            depth -= 1
            opened = opened and depth > 0
    return opened
