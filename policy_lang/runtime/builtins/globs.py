"""Glob patterns: ``*`` and ``?`` stop at delimiters, ``**`` does not; ``[a-c]``, ``[!abc]``, ``{one,two}``."""

from __future__ import annotations

import functools
import re
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure

_TOKEN = re.compile(r"(?P<escaped>\\.)|\[(?P<no>!?)(?P<list>[^\]]+)\]|(?P<wild>\*\*|\*|\?)|(?P<plain>.)", re.DOTALL)
_META = frozenset("*?\\[]{}")


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str, delimiters: tuple[str, ...]) -> Any:
    """The pattern as an RE2 one: linear time whatever the text is."""
    import re2

    inside = "[^" + "".join(map(_literal, delimiters)) + "]" if delimiters else "."
    wild = {"**": ".*", "*": f"{inside}*", "?": inside}
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(pattern):
        if token["wild"]:
            parts.append(wild[token["wild"]])
        elif token["list"]:
            parts.append(f"[{'^' if token['no'] else ''}{_members(token['list'])}]")
        elif token["escaped"]:
            parts.append(_literal(token["escaped"][1]))
        elif token["plain"] == "{":
            depth += 1
            parts.append("(?:")
        elif token["plain"] == "}" and depth:
            depth -= 1
            parts.append(")")
        elif token["plain"] == "," and depth:
            parts.append("|")
        elif token["plain"] in "[\\":
            raise failure("glob.match", f"unexpected end of pattern {pattern!r}")
        else:
            parts.append(_literal(token["plain"]))
    if depth:
        raise failure("glob.match", f"unclosed alternatives in pattern {pattern!r}")
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile("".join(parts), options)
    except re2.error as error:
        raise failure("glob.match", f"pattern {pattern!r}: {error}") from None


def _members(text: str) -> str:
    """The inside of a list: a range of two characters, or each character for itself."""
    if len(text) == 3 and text[1] == "-":
        return f"{_literal(text[0])}-{_literal(text[2])}"
    return "".join(map(_literal, text))


def _literal(character: str) -> str:
    return character if character.isalnum() or character == "_" else f"\\x{{{ord(character):x}}}"


@builtin("glob.match", "string", "null|array", "string")
def match(pattern: str, delimiters: list[Any] | None, text: str) -> bool:
    """Whether the whole text matches. No delimiters where null is given, ``.`` where the array is empty."""
    if delimiters is None:
        found: tuple[str, ...] = ()
    else:
        if not all(type(d) is str and len(d) == 1 for d in delimiters):
            raise BuiltinError("eval_type_error", "glob.match: operand 2 must be array of single characters")
        found = tuple(delimiters) or (".",)
    return _compiled(pattern, found).fullmatch(text) is not None


@builtin("glob.quote_meta", "string")
def quote_meta(text: str) -> str:
    """The pattern that matches the text itself."""
    return "".join(f"\\{c}" if c in _META else c for c in text)
