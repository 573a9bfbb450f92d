"""The LALR tables of the grammar, kept in the user's cache: making them takes longer than reading most policies."""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

STARTS = ["module", "query", "expr", "hole"]


@functools.cache
def grammar(floe: bool, lexer: type[Any]) -> Lark:
    """The parser of Rego, or of Rego with the policy layer; ``lexer`` hands it our tokens."""
    import lark

    from policy_lang.codegen import cache

    files = ("rego.lark", "floe.lark") if floe else ("rego.lark",)
    text = "\n".join(resources.files("grammar").joinpath(f).read_text(encoding="utf-8") for f in files)
    key = cache.key_of("grammar", lark.__version__, text)
    kept = cache.read(key)
    if kept is not None:
        return _loaded(kept, lexer)
    made = lark.Lark(text, parser="lalr", lexer=lexer, start=STARTS, maybe_placeholders=True)
    cache.write(key, _plain(_saved(made)))
    return made


def _saved(made: Lark) -> dict[str, Any]:
    """What ``Lark.save`` pickles."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = made.memo_serialize([TerminalDef, Rule])
    return {"data": data, "memo": memo}


def _plain(value: Any) -> Any:
    """Of types that ``marshal`` knows; the lexer's class, the one thing it cannot keep, as None."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value)) if type(value) in (list, tuple) else list(map(_plain, value))
    if isinstance(value, str):
        return str(value)
    return None if isinstance(value, type) else value


def _loaded(kept: dict[str, Any], lexer: type[Any]) -> Lark:
    import lark

    kept["data"]["options"]["lexer"] = lexer
    kept["data"]["parser"]["lexer_conf"]["lexer_type"] = lexer
    return lark.Lark.__new__(lark.Lark)._load(kept)
