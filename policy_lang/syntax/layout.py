"""Tokens → tokens that an LALR grammar can read: the second half of lexing.

Rego is written for a hand-made parser with look-ahead. Four of its habits are decided here, each by
looking at the tokens around, so that the grammar itself stays free of conflicts:

- **Line ends** separate literals only directly inside ``{…}`` and ``[…]``, and not where the
  expression goes on: before an infix operator, after a comma, and so on. Everywhere else they vanish.
- **Braces**: one after ``if``, ``else`` or a finished term opens a body (``LBRACE_BODY``), unless what
  is in it can only be an object or a comprehension; all others open a term.
- **Bars**: the first ``|`` directly inside ``[`` or ``{`` after its first term is the bar of a
  comprehension (``BAR``); every other is a union.
- **Keywords** after ``.`` and ``package``, or glued to a following ``.``, are names.

A bracket after a rule's name belongs to it even behind a space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.syntax.declarations import CLAUSES
from policy_lang.syntax.tokens import CONSTANTS, KEYWORDS, MAX_DEPTH, Token

_OPEN = {
    "LPAR": "RPAR",
    "LPAR_G": "RPAR",
    "LSQB": "RSQB",
    "LSQB_G": "RSQB",
    "LBRACE": "RBRACE",
    "LBRACE_DECL": "RBRACE",
}
_CLOSE = frozenset(("RPAR", "RSQB", "RBRACE"))
_INFIX = frozenset(
    ("ASSIGN", "UNIFY", "EQUAL", "NEQ", "LTE", "GTE", "LT", "GT", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT")
) | {"AMP", "PIPE", "IN", "AND", "OR"}
_OPENERS = {"LBRACE", "LBRACE_DECL", "LBRACE_BODY", "LPAR", "LPAR_G", "LSQB", "LSQB_G"}
_WORDS = {"IF", "NOT", "SOME", "EVERY", "WITH", "AS", "CONTAINS"}
_NO_NL_AFTER = _INFIX | _OPENERS | _WORDS | {"COMMA", "COLON", "BAR", "SEMI", "NL"} | CLAUSES
_NO_NL_BEFORE = _INFIX | {"RPAR", "RSQB", "COMMA", "COLON", "BAR", "SEMI", "WITH", "AS", "ELSE", "IF"} | CLAUSES
_ENDS_TERM = frozenset(
    ("NAME", "NUMBER", "STRING", "RAW", "TEMPLATE", "TEMPLATE_RAW", "TRUE", "FALSE", "NULL", "RPAR", "RSQB", "RBRACE")
)
_NOT_A_HEAD = frozenset(["ASSIGN", "UNIFY", "SEMI", "NL", "COMMA", "NOT", "SOME", "EVERY", "WITH"])


def arrange(tokens: Sequence[Token], *, logical: frozenset[str] = frozenset(), not_body: bool = False) -> list[Token]:
    """The tokens for the grammar. ``logical`` holds ``and``/``or`` where they are keywords, ``not_body``
    says that ``not {`` opens a body (``import rego.v2``, the future keywords, and ``.floe`` files).

    Raises:
        DiagnosticError: a bracket without its partner, or too deep a nesting (``rego_parse_error``).
    """
    named = _keywords(tokens, logical)
    match = _brackets(named)
    barred = _bars(named, match, not_body=not_body)
    return _lines(_braces(barred, match, not_body=not_body))


def _keywords(tokens: Sequence[Token], logical: frozenset[str]) -> list[Token]:
    out: list[Token] = []
    words = KEYWORDS | CONSTANTS
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.type in _OPEN) - (token.type in _CLOSE)
        after = tokens[index + 1].type if index + 1 < len(tokens) else ""
        if out and out[-1].type == "DOT_G" and (token.type == "NL" or _apart(out[-1], token)):
            raise _error(token, "a name follows its `.` without a space")
        if token.text in words and token.type != "NAME":
            part = out and out[-1].type in ("DOT_G", "PACKAGE")
            call = token.text == "contains" and after == "LPAR_G"
            # `default["x"]` is a reference, but `x in[1]` and `p if[x]` keep their keyword.
            head = after == "DOT_G" or (after == "LSQB_G" and (not out or out[-1].type not in _ENDS_TERM))
            if part or call or head:
                token = replace(token, type="NAME")
        elif token.type == "NAME" and token.text in logical and not _is_name(after, out[-1].type if out else ""):
            token = replace(token, type=token.text.upper())
        if token.type in ("LPAR_G", "LSQB_G", "DOT_G") and (not out or out[-1].type not in _ENDS_TERM):
            token = replace(token, type=token.type.removesuffix("_G"))
        elif token.type in ("LPAR", "LSQB") and depth == 1 and _names_a_rule(out, tokens, index):
            token = replace(token, type=f"{token.type}_G")
        out.append(token)
    return out


def _apart(one: Token, other: Token) -> bool:
    return (one.span.end_line, one.span.end_col) != (other.span.line, other.span.col)


def _names_a_rule(before: Sequence[Token], tokens: Sequence[Token], index: int) -> bool:
    """True after the name at the beginning of a rule with a body (or a default), where `f (x)` is `f(x)`."""
    if not before or before[-1].type != "NAME":
        return False
    led = _type(before, len(before) - 2)
    if led == "DEFAULT":
        return True
    if led != "NL" or _type(before, len(before) - 3) in _NO_NL_AFTER - {"NL"}:
        return False
    # Without a body OPA reads the head as an expression, and in one a space ends a name.
    depth = 0
    for at in range(index, len(tokens)):
        kind = tokens[at].type
        depth += (kind in _OPEN) - (kind in _CLOSE)
        if depth == 0 and (kind in ("IF", "CONTAINS") or (kind == "NL" and not _continues(tokens, at))):
            return kind != "NL"
    return False


def _is_name(after: str, before: str) -> bool:
    """True where ``and`` and ``or`` are no operators: in a reference, and called where a term begins."""
    return "DOT_G" in (after, before) or (after == "LPAR_G" and before not in _ENDS_TERM)


def _brackets(tokens: Sequence[Token]) -> dict[int, int]:
    """Index of each opening bracket → index of its closing one."""
    match: dict[int, int] = {}
    stack: list[int] = []
    for index, token in enumerate(tokens):
        if token.type in _OPEN:
            stack.append(index)
            if len(stack) > MAX_DEPTH:
                raise _error(token, "brackets are nested too deep")
        elif token.type in _CLOSE:
            if not stack or _OPEN[tokens[stack[-1]].type] != token.type:
                raise _error(token, f"unexpected `{token.text}`")
            match[stack.pop()] = index
    if stack:
        raise _error(tokens[stack[-1]], f"`{tokens[stack[-1]].text}` is not closed")
    return match


def _bars(tokens: list[Token], match: dict[int, int], *, not_body: bool) -> list[Token]:
    out = list(tokens)
    terms = _ifs_of_rules(tokens)
    for start, end in match.items():
        if tokens[start].type not in ("LSQB", "LBRACE"):
            continue
        # After the `if` of a rule's head OPA reads a term where it can; every other body is a body.
        body = tokens[start].type == "LBRACE" and _in_body_position(tokens, start, not_body)
        if body and _before_newlines(tokens, start) not in terms:
            continue
        index = start + 1
        operators = False
        while index < end:
            kind = tokens[index].type
            operators = kind != "COLON" and (operators or (kind in _INFIX - {"PIPE"} and not _leads(tokens, index)))
            if kind == "PIPE":
                if not operators and not _listed(tokens, index, end, match):
                    out[index] = replace(tokens[index], type="BAR")
                break
            if kind in _NOT_A_HEAD and not (kind == "NL" and _continues(tokens, index)):
                break
            index = match.get(index, index) + 1
    return out


def _listed(tokens: Sequence[Token], bar: int, end: int, match: dict[int, int]) -> bool:
    """True where what follows a bar is no body because of a comma: `[a | b, c]` holds two terms."""
    word, commas = _type(tokens, _after_newlines(tokens, bar + 1)), 0
    index = bar + 1
    while index < end:
        kind = tokens[index].type
        if kind in ("SEMI", "NL") and not (kind == "NL" and _continues(tokens, index)):
            if commas:
                return True
            word = _type(tokens, _after_newlines(tokens, index + 1))
        commas += kind == "COMMA" and word not in ("SOME", "EVERY")
        if kind == "IN" and commas == 1:  # `k, v in xs`
            commas = 0
        index = match.get(index, index) + 1
    return commas > 0


def _before_newlines(tokens: Sequence[Token], index: int) -> int:
    """The index of the last token before ``index`` that is no line end."""
    index -= 1
    while index >= 0 and tokens[index].type == "NL":
        index -= 1
    return index


def _after_newlines(tokens: Sequence[Token], index: int) -> int:
    """The index of the first token from ``index`` on that is no line end."""
    while index < len(tokens) and tokens[index].type == "NL":
        index += 1
    return index


def _type(tokens: Sequence[Token], index: int) -> str:
    """The type of a token; empty outside of the text."""
    return tokens[index].type if 0 <= index < len(tokens) else ""


def _ifs_of_rules(tokens: Sequence[Token]) -> frozenset[int]:
    """Where an ``if`` stands that is not the one of an ``else``."""
    found = set()
    depth = 0
    after_else = False
    for index, token in enumerate(tokens):
        depth += (token.type in _OPEN) - (token.type in _CLOSE)
        if depth == 0 and token.type == "ELSE":
            after_else = True
        elif depth == 0 and token.type == "NL" and not _continues(tokens, index):
            after_else = False
        elif token.type == "IF" and depth == 0:
            if not after_else:
                found.add(index)
            after_else = False
    return frozenset(found)


def _leads(tokens: Sequence[Token], index: int) -> bool:
    """True for the minus of a term: where it stands first, after a bracket or a colon."""
    before = _type(tokens, _before_newlines(tokens, index))
    return tokens[index].type == "MINUS" and before in _OPENERS | {"COLON"}


def _continues(tokens: Sequence[Token], index: int) -> bool:
    """True where the line end at ``index`` stands inside an expression that goes on."""
    after = _type(tokens, _after_newlines(tokens, index))
    return tokens[index - 1].type in _NO_NL_AFTER or after in _NO_NL_BEFORE


def _braces(tokens: list[Token], match: dict[int, int], *, not_body: bool) -> list[Token]:
    out = list(tokens)
    for start, end in match.items():
        if tokens[start].type != "LBRACE":
            continue
        before = tokens[start - 1].type if start else ""
        if not_body and before == "NOT":  # whatever follows: a set or an object needs parentheses here
            out[start] = replace(tokens[start], type="LBRACE_BODY")
            continue
        operand = _is_operand(tokens, start, end)
        forced = before in _ENDS_TERM
        if not operand and not forced and (_goes_on(tokens, end) or not _in_body_position(tokens, start, not_body)):
            continue
        inside = {tokens[i].type for i in _direct(start, end, match)}
        empty = not inside - {"NL"}
        if forced or not (empty or inside & {"COLON", "BAR"}):
            out[start] = replace(tokens[start], type="LBRACE_BODY")
    return out


def _is_operand(tokens: Sequence[Token], start: int, end: int) -> bool:
    """True for a whole side of `and` or `or`: what stands in braces there is a body."""
    before = _type(tokens, _before_newlines(tokens, start))
    after = _type(tokens, _after_newlines(tokens, end + 1))
    return before in ("AND", "OR") or (after in ("AND", "OR") and before not in _INFIX)


def _goes_on(tokens: Sequence[Token], end: int) -> bool:
    """True where an expression goes on after the brace at ``end``: what the braces hold is a term."""
    if end + 1 < len(tokens) and tokens[end + 1].type in ("DOT_G", "LSQB_G"):
        return True
    return _type(tokens, _after_newlines(tokens, end + 1)) in _INFIX - {"AND", "OR"}


def _in_body_position(tokens: Sequence[Token], start: int, not_body: bool) -> bool:
    index = start - 1
    while index >= 0 and tokens[index].type == "NL" and tokens[index - 1].type in ("IF", "ELSE", "NL"):
        index -= 1
    if index < 0:
        return False
    kind = tokens[index].type
    return kind in ("IF", "ELSE", "WHEN", "REQUIRE", "FORBID") or kind in _ENDS_TERM or (not_body and kind == "NOT")


def _direct(start: int, end: int, match: dict[int, int]) -> list[int]:
    found = []
    index = start + 1
    while index < end:
        found.append(index)
        index = match.get(index, index) + 1
    return found


def _lines(tokens: Sequence[Token]) -> list[Token]:
    out: list[Token] = []
    brackets: list[str] = []
    closed = ""
    for index, token in enumerate(tokens):
        if token.type == "NL":
            inside = bool(brackets) and not brackets[-1].startswith("LPAR")
            if inside and closed == "LBRACE_BODY" and _before(tokens, index) == "MINUS":
                out.append(token)  # nothing is taken from a body: the minus is that of the next literal's number
                closed = ""
                continue
            if not inside or _continues_after(out) or _before(tokens, index) in _NO_NL_BEFORE | {"RBRACE"}:
                continue
        elif token.type in _CLOSE:
            closed = brackets.pop()
            out.append(token)
            continue
        elif token.type in _OPEN or token.type == "LBRACE_BODY":
            brackets.append(token.type)
        closed = ""
        out.append(token)
    return out


def _continues_after(out: Sequence[Token]) -> bool:
    return not out or out[-1].type in _NO_NL_AFTER


def _before(tokens: Sequence[Token], index: int) -> str:
    return _type(tokens, _after_newlines(tokens, index))


def _error(token: Token, message: str) -> DiagnosticError:
    return DiagnosticError(Diagnostic("rego_parse_error", message, token.span))
