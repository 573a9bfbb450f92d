"""``strings.render_template``: Go's text templates with fields, ``if``, ``range`` and ``with``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure
from policy_lang.runtime.values import RegoSet, number_text, object_items, sorted_values

_NAME = "strings.render_template"
_ACTION = re.compile(r"\{\{(?P<left>-\s)?\s*(?P<inner>/\*.*?\*/|.*?)\s*(?P<right>\s-)?\}\}", re.DOTALL)
_PATH = re.compile(r"\$?(?:\.|(?:\.[A-Za-z_]\w*)+)|\$")
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|nil')
_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Block:
    """``word`` is if, range or with; its two bodies hold texts, expressions (as ``("=", text)``) and blocks."""

    word: str
    expression: str
    body: tuple[Any, ...]
    otherwise: tuple[Any, ...]


@builtin(_NAME, "string", "object")
def render_template(template: str, variables: dict[Any, Any]) -> str:
    """The text; a key that is missing shows as ``<undefined>``."""
    parts, stop = _parsed(list(_pieces(template))[::-1])
    if stop:
        raise failure(_NAME, f"unexpected {{{{{stop}}}}}")
    return "".join(_shown(parts, variables, variables))


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    """Texts and actions in turn, white space trimmed where an action asks for it."""
    last, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[last : match.start()]
        text = text.lstrip() if trim else text
        yield "text", text.rstrip() if match["left"] else text
        yield "action", "" if match["inner"].startswith("/*") else match["inner"]
        last, trim = match.end(), bool(match["right"])
    rest = template[last:]
    if "{{" in rest:
        raise failure(_NAME, "unclosed action")
    yield "text", rest.lstrip() if trim else rest


def _parsed(pieces: list[tuple[str, str]]) -> tuple[tuple[Any, ...], str]:
    """The parts up to an ``else`` or ``end``, and that word; ``pieces`` are taken from their end."""
    parts: list[Any] = []
    while pieces:
        kind, text = pieces.pop()
        word, _, rest = text.partition(" ")
        if kind == "text" or not text:
            parts.append(text)
        elif word in ("end", "else"):
            return tuple(parts), text
        elif word in ("if", "range", "with"):
            parts.append(_block(word, rest.strip(), pieces))
        else:
            parts.append(("=", _checked(text)))
    return tuple(parts), ""


def _block(word: str, expression: str, pieces: list[tuple[str, str]]) -> _Block:
    body, stop = _parsed(pieces)
    otherwise: tuple[Any, ...] = ()
    if stop.startswith("else if "):
        otherwise = (_block("if", stop.removeprefix("else if ").strip(), pieces),)
        stop = "end"
    elif stop == "else":
        otherwise, stop = _parsed(pieces)
    if stop != "end":
        raise failure(_NAME, f"{{{{{word}}}}} has no {{{{end}}}}")
    return _Block(word, _checked(expression), body, otherwise)


def _checked(expression: str) -> str:
    if not (_PATH.fullmatch(expression) or _CONSTANT.fullmatch(expression)):
        raise failure(_NAME, f"function or syntax not supported: {expression}")
    return expression


def _shown(parts: tuple[Any, ...], dot: Any, root: Any) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, tuple):
            value = _value(part[1], dot, root)
            yield "<undefined>" if value is _MISSING or value is None else _text(value)
        else:
            yield from _ran(part, dot, root)


def _ran(block: _Block, dot: Any, root: Any) -> Iterator[str]:
    value = _value(block.expression, dot, root)
    number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    if value is _MISSING or not (value or number):  # OPA hands numbers over as texts, which are never empty
        yield from _shown(block.otherwise, dot, root)
    elif block.word == "range":
        for item in _items(value):
            yield from _shown(block.body, item, root)
    else:
        yield from _shown(block.body, value if block.word == "with" else dot, root)


def _items(value: Any) -> list[Any]:
    if type(value) is RegoSet:
        return sorted_values(value.values())
    if isinstance(value, dict):
        return [item for _, item in sorted(object_items(value), key=lambda pair: str(pair[0]))]
    if type(value) is list:
        return value
    raise failure(_NAME, "range cannot iterate over this value")


def _value(expression: str, dot: Any, root: Any) -> Any:
    if _CONSTANT.fullmatch(expression):
        from policy_lang.runtime.values import from_json

        return None if expression == "nil" else from_json(expression)
    value = root if expression.startswith("$") else dot
    for name in expression.lstrip("$").split("."):
        if not name:
            continue
        if value is _MISSING or not isinstance(value, dict):
            raise failure(_NAME, f"can't evaluate field {name}")
        value = value.get(name, _MISSING)
    return value


def _text(value: Any) -> str:
    """As Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return number_text(value)
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and type(value) is not RegoSet:
        pairs = sorted((_text(key), _text(item)) for key, item in object_items(value))
        return f"map[{' '.join(f'{key}:{item}' for key, item in pairs)}]"
    return f"[{' '.join(map(_text, _items(value)))}]"
