"""The canonical bytes of the IR (RFC 8785) and the digest over them."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a plain value; numbers are written as ECMAScript writes the nearest double.

    Raises TypeError for what is not JSON, ValueError for a number that no double holds and for a text that is no
    Unicode (``unfit`` says where).
    """
    return _text(value).encode()


def digest(value: Any) -> str:
    """``sha256:`` and the hexadecimal digest of the canonical bytes."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def unfit(value: Any) -> tuple[str | int, ...] | None:
    """The path to a number that no double holds, or to a text that is no Unicode; None where there is none."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [((*path, key), inner) for key, inner in reversed(one.items())]
            one = "".join(one)
        elif isinstance(one, (list, tuple)):
            waiting += [((*path, i), inner) for i, inner in reversed(list(enumerate(one)))]
            continue
        try:
            canonical(one)
        except ValueError:
            return path
    return None


def _text(value: Any) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float, Decimal)):
        try:
            return _number(float(value))
        except OverflowError as error:
            raise ValueError("no double holds this number") from error
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _number(number: float) -> str:
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("JSON has no such number")
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    if 0 < point <= 21:
        text = text.ljust(point, "0") if len(text) <= point else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{point - 1:+d}"
    return "-" + text if sign else text
