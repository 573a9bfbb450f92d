"""Rego's values as plain Python values, with Rego's equality and order.

null, booleans and strings are Python's; numbers are ``int`` or ``Decimal`` (never ``float``); arrays are
lists that nobody changes; objects are dicts with string keys, or ``RegoObject`` where some key is no
string; sets are ``RegoSet``. ``UNDEFINED`` is no value: it never stands inside a collection.

Rego keeps ``true`` and ``1`` apart and takes ``1`` and ``1.0`` for the same; Python's hashes do neither
for booleans. ``freeze`` gives the form that has Rego's equality under Python's ``==`` and ``hash``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from policy_lang.json_text import without_halves

Value = Any
_MOST_DIGITS = 999_999
_READ_DIGITS = 100_000
if 0 < sys.get_int_max_str_digits() < _READ_DIGITS:
    sys.set_int_max_str_digits(_READ_DIGITS)  # Python's own guard is at 4,300; OPA reads and writes longer ones


class _Undefined:
    """The type of ``UNDEFINED``, which is false like what it makes of a statement."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"


class _FrozenBoolean:
    """A boolean as a key: equal to nothing but itself."""

    __slots__ = ("value",)

    def __init__(self, value: bool) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<{str(self.value).lower()}>"


UNDEFINED: Final = _Undefined()
_TRUE, _FALSE = _FrozenBoolean(True), _FrozenBoolean(False)
_ARRAY, _OBJECT, _SET = "array", "object", "set"


class RegoSet(dict[Any, Value]):
    """A set: the frozen form of each element → the element. Made once, never changed after."""

    __slots__ = ()

    @classmethod
    def of(cls, elements: Iterable[Value]) -> RegoSet:
        """The set of ``elements``; equal ones are kept once."""
        made = cls()
        for element in elements:
            made.setdefault(freeze(element), element)
        return made


class RegoObject(dict[Any, Value]):
    """An object with keys of any type: the frozen form of each key → its value."""

    __slots__ = ()


def freeze(value: Value) -> Any:
    """The hashable form of a value; strings, numbers and null are their own."""
    kind = type(value)
    if kind is str or kind is int or kind is Decimal or value is None:
        return value
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is list:
        return (_ARRAY, *map(freeze, value))
    if kind is dict or kind is RegoObject:
        return (_OBJECT, frozenset((key, freeze(item)) for key, item in value.items()))
    if kind is RegoSet:
        return (_SET, frozenset(value))
    raise TypeError(f"not a Rego value: {kind.__name__}")


def thaw(frozen: Any) -> Value:
    """The value of a frozen form."""
    if type(frozen) is _FrozenBoolean:
        return frozen.value
    if type(frozen) is not tuple:
        return frozen
    if frozen[0] == _ARRAY:
        return [thaw(item) for item in frozen[1:]]
    if frozen[0] == _OBJECT:
        return make_object((thaw(key), thaw(item)) for key, item in frozen[1])
    return RegoSet((item, thaw(item)) for item in frozen[1])


def make_object(pairs: Iterable[tuple[Value, Value]]) -> dict[Any, Value]:
    """An object of keys and values; a later value replaces an earlier one of an equal key."""
    made: dict[Any, Value] = {}
    plain = True
    for key, item in pairs:
        plain = plain and type(key) is str
        made[freeze(key)] = item
    return made if plain else RegoObject(made)


def object_items(value: dict[Any, Value]) -> Iterator[tuple[Value, Value]]:
    """Keys and values of an object, keys as values."""
    if type(value) is dict:
        return iter(value.items())
    return ((thaw(key), item) for key, item in value.items())


def equal(left: Value, right: Value) -> bool:
    """Rego's equality."""
    kind = type(left)
    if kind is str or kind is bool or left is None:
        return type(right) is kind and left == right
    if kind is int or kind is Decimal:
        return (type(right) is int or type(right) is Decimal) and left == right
    if kind is list:
        return type(right) is list and len(left) == len(right) and all(map(equal, left, right))
    if kind is RegoSet:
        return type(right) is RegoSet and left.keys() == right.keys()
    if not (type(right) is dict or type(right) is RegoObject) or left.keys() != right.keys():
        return False
    return all(equal(item, right[key]) for key, item in left.items())


_RANK = {type(None): 0, bool: 1, int: 3, Decimal: 3, str: 4, list: 5, dict: 6, RegoObject: 6, RegoSet: 7}


def compare(left: Value, right: Value) -> int:
    """Rego's total order: negative, zero or positive.

    null < false < true < numbers < strings < arrays < objects < sets; arrays item by item; objects by
    their sorted keys, then values; sets by their sorted elements.
    """
    first, second = _RANK[type(left)], _RANK[type(right)]
    if first != second:
        return first - second
    if first <= 4:
        return 0 if left is None else (left > right) - (left < right)
    if first == 5:
        return _compare_lists(left, right)
    if first == 7:
        return _compare_lists(sorted_values(left.values()), sorted_values(right.values()))
    return _compare_objects(left, right)


def _compare_lists(left: list[Value], right: list[Value]) -> int:
    for one, other in zip(left, right, strict=False):
        if order := compare(one, other):
            return order
    return len(left) - len(right)


def _compare_objects(left: dict[Any, Value], right: dict[Any, Value]) -> int:
    left_keys, right_keys = sorted_values(map(thaw, left)), sorted_values(map(thaw, right))
    for one, other in zip(left_keys, right_keys, strict=False):
        if order := compare(one, other):
            return order
        if order := compare(left[freeze(one)], right[freeze(other)]):
            return order
    return len(left_keys) - len(right_keys)


sort_key = functools.cmp_to_key(compare)


def sorted_values(values: Iterable[Value]) -> list[Value]:
    """Values in Rego's order."""
    found = list(values)
    if all(type(v) is str for v in found) or all(type(v) is int for v in found):
        return sorted(found)
    return sorted(found, key=sort_key)


_NAMES = {bool: "boolean", int: "number", Decimal: "number", str: "string", list: "array"}
_NAMES |= {dict: "object", RegoObject: "object", RegoSet: "set", type(None): "null"}


def type_name(value: Value) -> str:
    """null, boolean, number, string, array, object or set."""
    return _NAMES[type(value)]


def from_json(text: str | bytes) -> Value:
    """A JSON text as a value; decimals keep the digits as written.

    Raises:
        ValueError: the text is no JSON (``json.JSONDecodeError``), or holds ``NaN``, ``Infinity`` or a number that
            ``is_too_big``.
    """
    import json  # only where there is JSON to read or to write: many starts have none

    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    try:
        return json.loads(without_halves(text), parse_float=_decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def is_too_big(number: Decimal) -> bool:
    """Whether a number has so many digits written out that no arithmetic on it would end."""
    return bool(number) and abs(number.adjusted()) > _MOST_DIGITS


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if is_too_big(number):
        raise ValueError("number too big")
    return number


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is no JSON")


def from_python(value: Any) -> Value:
    """A value of Python's own types (tuples, floats, sets included) as a Rego value.

    Raises:
        TypeError: a type that has no meaning in Rego.
    """
    if value is None or isinstance(value, (bool, int, str, Decimal)):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else Decimal(repr(value))
    if isinstance(value, (RegoSet, RegoObject)):
        return value
    if isinstance(value, (list, tuple)):
        return [from_python(item) for item in value]
    if isinstance(value, dict):
        return make_object((from_python(key), from_python(item)) for key, item in value.items())
    if isinstance(value, (set, frozenset)):
        return RegoSet.of(map(from_python, value))
    raise TypeError(f"no Rego value: {type(value).__name__}")


def number_text(number: int | Decimal) -> str:
    """A number as JSON, with the digits it was written with."""
    if type(number) is int:
        return str(number)
    text = str(number)
    return text.replace("E+", "e").replace("E", "e")


def to_json(value: Value, *, indent: int = 0) -> str:
    """JSON text: object keys sorted, sets as sorted arrays, keys that are no strings as their JSON text."""
    return _Writer(indent).write(value, 0)


class _Writer:
    def __init__(self, indent: int) -> None:
        import json

        self._indent = indent
        self._quoted = json.JSONEncoder(ensure_ascii=False).encode

    def write(self, value: Value, level: int) -> str:
        kind = type(value)
        if kind is str:
            return self._quoted(value)
        if value is None or kind is bool:
            return {None: "null", True: "true", False: "false"}[value]
        if kind is int or kind is Decimal:
            return number_text(value)
        if kind is list:
            return self._joined("[", [self.write(v, level + 1) for v in value], "]", level)
        if kind is RegoSet:
            members = sorted_values(value.values())
            return self._joined("[", [self.write(v, level + 1) for v in members], "]", level)
        pairs = sorted(((self._key(k), v) for k, v in value.items()), key=_first)
        colon = ": " if self._indent else ":"
        members = [f"{self._quoted(k)}{colon}{self.write(v, level + 1)}" for k, v in pairs]
        return self._joined("{", members, "}", level)

    def _key(self, frozen: Any) -> str:
        return frozen if type(frozen) is str else _Writer(0).write(thaw(frozen), 0)

    def _joined(self, opening: str, members: list[str], closing: str, level: int) -> str:
        if not members or not self._indent:
            return opening + ",".join(members) + closing
        pad = "\n" + " " * self._indent * (level + 1)
        return opening + pad + ("," + pad).join(members) + "\n" + " " * self._indent * level + closing


def _first(pair: tuple[str, Value]) -> str:
    return pair[0]
