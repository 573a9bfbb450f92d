"""Shapes: what a document may hold, declared once as plain values.

From one declaration come the check of a document, its canonical spelling, the order in which each field is
inherited, the JSON Schema for editors and the words for "did you mean". Shapes are cheap to build, so that a
command which reads a ten-line file does not pay for a class builder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from policy_lang.spell import did_you_mean

Keys = tuple[str | int, ...]


class Problem:
    """One thing that is wrong at ``path`` (canonical); ``on_key`` says that the key is meant, not its value.

    ``block`` is false where the document can be used all the same.
    """

    __slots__ = ("block", "code", "hint", "message", "on_key", "path")

    def __init__(
        self, code: str, path: Keys, message: str, hint: str = "", on_key: bool = False, block: bool = True
    ) -> None:
        self.code, self.path, self.message, self.hint, self.on_key = code, path, message, hint, on_key
        self.block = block


class Log:
    """What a reading found: problems, and the places that the canonical form moved."""

    __slots__ = ("moves", "problems")

    def __init__(self, moves: dict[Keys, Keys]) -> None:
        self.moves = moves
        self.problems: list[Problem] = []

    def wrong(self, path: Keys, message: str, hint: str = "") -> None:
        """FLC202: a value that is not what the field takes."""
        name = dotted(path)
        self.problems.append(Problem("FLC202", path, f"`{name}`: {message}" if name else message, hint))

    def move(self, to: Keys, written: Keys) -> None:
        """Say that the canonical place ``to`` stands at ``written`` in the file."""
        if to != written:
            self.moves[to] = written

    def written(self, path: Keys) -> Keys:
        """The place in the file of a canonical path."""
        return written(self.moves, path)


def written(moves: Mapping[Keys, Keys], path: Keys) -> Keys:
    """The place in the file of a canonical path: the longest prefix that was moved decides."""
    for cut in range(len(path), 0, -1):
        if path[:cut] in moves:
            return moves[path[:cut]] + path[cut:]
    return path


def dotted(path: Keys) -> str:
    """``governance.levels[2].name``."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


class Shape:
    """What a value may be. ``kinds`` are the Python types that it takes, for choosing among several shapes."""

    __slots__ = ()
    kinds: tuple[type, ...] = (object,)
    what: str = "a value"

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        """The canonical value; all that is wrong goes to ``log``."""
        return value

    def rank(self, value: Any) -> Any:
        """A comparable value, greater where the value is stricter under ``stricter_up``."""
        return value


class Anything(Shape):
    """Any value; ``x-`` keys included."""

    __slots__ = ()


class Text(Shape):
    """A string; ``check`` answers what is wrong with it, or an empty string."""

    __slots__ = ("check", "form", "longest", "pattern", "shortest")
    kinds = (str,)
    what = "a string"

    def __init__(
        self,
        check: Callable[[str], str] | None = None,
        *,
        pattern: str = "",
        form: str = "",
        longest: int = 0,
        shortest: int = 0,
    ) -> None:
        self.check, self.pattern, self.form, self.longest, self.shortest = check, pattern, form, longest, shortest

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if not isinstance(value, str):
            scalar = isinstance(value, bool | int | Decimal)
            log.wrong(path, f"must be a string, not {kind_of(value)}", "write it in quotes" if scalar else "")
            return value
        if len(value) < self.shortest:
            log.wrong(path, "must not be empty")
        elif self.longest and len(value) > self.longest:
            log.wrong(path, f"has {len(value)} characters; at most {self.longest} are allowed")
        elif self.check is not None and (problem := self.check(value)):
            log.wrong(path, problem)
        return value


class Choice(Shape):
    """One of some words, the weakest first where the field has an order; ``spellings`` are other words for them."""

    __slots__ = ("spellings", "values")
    kinds = (str,)
    what = "a word"

    def __init__(self, *values: str, **spellings: str) -> None:
        self.values, self.spellings = values, spellings

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if isinstance(value, str):
            value = self.spellings.get(value, value)
            if value in self.values:
                return value
        listed = ", ".join(f"`{v}`" for v in self.values)
        shown = f"`{value}`" if isinstance(value, str) else kind_of(value)
        hint = did_you_mean(value, self.values) if isinstance(value, str) else "write one of the words"
        log.wrong(path, f"must be one of {listed}, not {shown}", hint)
        return value

    def rank(self, value: Any) -> Any:
        return self.values.index(value) if value in self.values else -1


class KnownWord(Choice):
    """One of some words, or another one of the form ``other``: that is kept, with a warning.

    A word that is close to a known one is refused as a slip of the pen, where ``other`` takes any word.
    """

    __slots__ = ("other", "taken")

    def __init__(self, *values: str, other: str = "", taken: str = "", **spellings: str) -> None:
        super().__init__(*values, **spellings)
        self.other, self.taken = other, taken

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        known = value in self.values or value in self.spellings if isinstance(value, str) else True
        slip = not self.other and isinstance(value, str) and did_you_mean(value, (*self.values, *self.spellings))
        if known or slip or not value or not re.fullmatch(self.other or ".*", value):
            return super().read(value, path, log)
        text = f"`{dotted(path)}`: `{value}` is none of {', '.join(f'`{v}`' for v in self.values)}; {self.taken}"
        log.problems.append(Problem("FLC202", path, text, block=False))
        return value


class Flag(Shape):
    """true or false."""

    __slots__ = ()
    kinds = (bool,)
    what = "true or false"

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if not isinstance(value, bool):
            yes = {"yes": "true", "on": "true", "no": "false", "off": "false"}
            hint = f"write `{yes[value.lower()]}`" if isinstance(value, str) and value.lower() in yes else ""
            log.wrong(path, f"must be true or false, not {kind_of(value)}", hint)
        return value


class Number(Shape):
    """A number within bounds, ``whole`` or not; ``percent`` also takes ``99.9%``."""

    __slots__ = ("high", "low", "percent", "whole")
    kinds = (int, Decimal)
    what = "a number"

    def __init__(
        self, low: int | None = None, high: int | None = None, *, whole: bool = False, percent: bool = False
    ) -> None:
        self.low, self.high, self.whole, self.percent = low, high, whole, percent

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if self.percent and isinstance(value, str) and value.endswith("%"):
            text = value[:-1].strip()
            if text.isascii() and text.replace(".", "", 1).isdigit() and text[0] != "." and text[-1] != ".":
                value = Decimal(text) if "." in text else int(text)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            numeric = isinstance(value, str) and value.replace(".", "", 1).isdigit()
            log.wrong(
                path, f"must be {self._words()}, not {kind_of(value)}", "write it without quotes" if numeric else ""
            )
        elif self.whole and value != int(value):
            log.wrong(path, f"must be a whole number, not {value}")
        elif (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            log.wrong(path, f"must be {self._words()}, not {value}")
        return value

    def _words(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.high is not None:
            return f"{kind} from {self.low} to {self.high}"
        return kind if self.low is None else f"{kind} of {self.low} or more"


class ListOf(Shape):
    """A list of one shape; where ``lone`` is set a single value stands for a list of one."""

    __slots__ = ("item", "lone")
    kinds = (list,)
    what = "a list"

    def __init__(self, item: Shape, *, lone: bool = False) -> None:
        self.item, self.lone = item, lone

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if not isinstance(value, list):
            short = isinstance(self.item, Record) and self.item.short and isinstance(value, str)
            if self.lone and (short or isinstance(value, self.item.kinds)):
                log.move((*path, 0), log.written(path))
                return [self.item.read(value, (*path, 0), log)]
            log.wrong(path, f"must be a list, not {kind_of(value)}", "begin each entry with `- `")
            return value
        return [self.item.read(v, (*path, i), log) for i, v in enumerate(value)]


class MapOf(Shape):
    """A mapping from free keys to one shape; ``order`` is that of its values where they are leaves."""

    __slots__ = ("check", "item", "order")
    kinds = (dict,)
    what = "a mapping"

    def __init__(self, item: Shape, *, order: str = "override", check: Callable[[str], str] | None = None) -> None:
        self.item, self.order, self.check = item, order, check

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if not isinstance(value, dict):
            log.wrong(path, f"must be a mapping, not {kind_of(value)}")
            return value
        result = {}
        for key, one in value.items():
            if key.startswith("x-"):
                continue
            if self.check is not None and (problem := self.check(key)):
                log.problems.append(Problem("FLC202", (*path, key), f"`{key}`: {problem}", on_key=True))
            if one is not None or isinstance(self.item, Anything):
                result[key] = self.item.read(one, (*path, key), log)
        return result


class Keyed(Shape):
    """Records that one of their fields names: written as a list, or as a mapping from that name; canonical: a mapping.

    ``value`` is the field that stands alone (a grant's ``access``): then the mapping is from name to its value.
    ``ranked`` says that the order of the entries has a meaning, which a child may not change.
    """

    __slots__ = ("key", "order", "ranked", "record", "value")
    kinds = (list, dict)
    what = "a list"

    def __init__(
        self, record: Record, key: str = "name", *, order: str = "override", value: str = "", ranked: bool = False
    ) -> None:
        self.record, self.key, self.order, self.value, self.ranked = record, key, order, value, ranked

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if isinstance(value, dict):
            return {k: self._entry(v, (*path, k), log, k) for k, v in value.items() if not k.startswith("x-")}
        if not isinstance(value, list):
            log.wrong(path, f"must be a list, not {kind_of(value)}", "begin each entry with `- `")
            return value
        result: dict[str, Any] = {}
        for i, one in enumerate(value):
            name = one.get(self.key) if isinstance(one, dict) else one
            there = (*log.written(path), i)
            if not isinstance(name, str):
                log.move((*path, f"[{i}]"), there)
                if isinstance(one, dict) and self.key not in one:
                    problem = f"`{self.key}` is missing in entry {i + 1} of `{dotted(path)}`"
                    log.problems.append(Problem("FLC203", (*path, f"[{i}]"), problem))
                else:
                    log.wrong((*path, f"[{i}]"), f"`{self.key}` must be a string, not {kind_of(name)}")
            elif name in result:
                log.move((*path, f"[{i}]"), there)
                log.wrong((*path, f"[{i}]"), f"`{name}` is listed twice", "remove one of the two")
            else:
                log.move((*path, name), there)
                result[name] = self._entry(one if isinstance(one, dict) else {}, (*path, name), log, name)
        return result

    def _entry(self, value: Any, path: Keys, log: Log, name: str) -> Any:
        if self.value and not isinstance(value, dict):
            return self.record.fields[self.value].shape.read(value, path, log)
        entry = {} if value is None else value
        if isinstance(entry, dict):
            entry = {self.key: name, **entry}
            if entry[self.key] != name:
                log.wrong((*path, self.key), f"must be `{name}`, as the mapping says")
        read = self.record.read(entry, path, log)
        if not isinstance(read, dict):
            return read
        if self.value:
            log.move(path, (*log.written(path), self.value))
            return read.get(self.value, self.record.fields[self.value].default)
        read.pop(self.key, None)
        return read


class Field:
    """A field of a record: its shape, what it is for, and how a child's value joins with its parent's.

    ``also`` are other spellings; a field's camelCase spelling is always read. ``default`` is what holds where
    nobody says anything; None: nothing does.
    """

    __slots__ = ("also", "default", "doc", "order", "required", "shape")

    def __init__(
        self,
        shape: Shape,
        doc: str = "",
        *,
        order: str = "override",
        required: bool = False,
        also: tuple[str, ...] = (),
        default: Any = None,
    ) -> None:
        self.shape, self.doc, self.order = shape, doc, order
        self.required, self.also, self.default = required, also, default


class Record(Shape):
    """A mapping with known keys. ``short`` is the field that a bare string fills; ``rest`` takes unknown keys.

    ``standard`` names the standard that lists the keys: an unknown one is kept, and a warning says so (FLC210), since
    the standard goes on and other tools add to it, while a slip of the pen in ``required`` must not pass in silence.
    """

    __slots__ = ("fields", "name", "rest", "short", "standard")
    kinds = (dict,)
    what = "a mapping"

    def __init__(
        self,
        name: str,
        fields: Mapping[str, Field],
        *,
        short: str = "",
        rest: Shape | None = None,
        standard: str = "",
    ) -> None:
        self.name, self.fields, self.short = name, fields, short
        self.rest, self.standard = Anything() if standard else rest, standard

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        if self.short and isinstance(value, str):
            log.move((*path, self.short), log.written(path))
            return {self.short: self.fields[self.short].shape.read(value, (*path, self.short), log)}
        if not isinstance(value, dict):
            log.wrong(path, f"must be a mapping, not {kind_of(value)}")
            return value
        result: dict[str, Any] = {}
        for key, one in value.items():
            if key.startswith("x-"):
                continue
            name = self.field_named(key)
            if name is None:
                if self.rest is None:
                    self._unknown(key, path, log)
                    continue
                if self.standard:
                    self._stray(key, path, log)
                if one is not None:
                    result[key] = self.rest.read(one, (*path, key), log)
                continue
            there = (*log.written(path), key)
            log.move((*path, name), there)
            if name in result:
                text = f"`{key}` is given twice: it is another spelling of `{name}`"
                log.problems.append(Problem("FLC207", (*path, name), text, "remove one of the two", on_key=True))
            elif one is not None:
                result[name] = self.fields[name].shape.read(one, (*path, name), log)
        for name, field in self.fields.items():
            if field.required and name not in result:
                problem = f"`{dotted((*path, name))}` is missing"
                log.problems.append(Problem("FLC203", (*path, name), problem, field.doc))
        return result

    def field_named(self, key: str) -> str | None:
        """The field that ``key`` means, in any of its spellings."""
        if key in self.fields:
            return key
        snake = snake_case(key)
        if snake in self.fields:
            return snake
        return next((name for name, field in self.fields.items() if key in field.also), None)

    def _unknown(self, key: str, path: Keys, log: Log) -> None:
        where = f" in `{dotted(path)}`" if path else ""
        hint = did_you_mean(key, self.words()) or self._elsewhere(key) or "own keys begin with `x-`"
        log.problems.append(Problem("FLC201", (*path, key), f"unknown key `{key}`{where}", hint, on_key=True))

    def _stray(self, key: str, path: Keys, log: Log) -> None:
        text = f"unknown key `{key}` in `{dotted(path)}`: {self.standard} has none of that name"
        hint = did_you_mean(key, self.words()) or self._elsewhere(key) or "own keys belong in `customProperties`"
        log.problems.append(Problem("FLC210", (*path, key), text, hint, on_key=True, block=False))

    def words(self) -> Iterable[str]:
        """All keys that are read here."""
        for name, field in self.fields.items():
            yield name
            yield from field.also

    def _elsewhere(self, key: str) -> str:
        for name, field in self.fields.items():
            if isinstance(field.shape, Record) and field.shape.field_named(key):
                return f"it belongs in `{name}`"
        return ""


class Either(Shape):
    """The first shape that takes the value's type."""

    __slots__ = ("shapes",)

    def __init__(self, *shapes: Shape) -> None:
        self.shapes = shapes

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        for shape in self.shapes:
            if isinstance(value, shape.kinds) and not (isinstance(value, bool) and bool not in shape.kinds):
                return shape.read(value, path, log)
        words = " or ".join(shape.what for shape in self.shapes)
        log.wrong(path, f"must be {words}, not {kind_of(value)}")
        return value

    def rank(self, value: Any) -> Any:
        for shape in self.shapes:
            if isinstance(value, shape.kinds):
                return shape.rank(value)
        return value


class Switchable(Shape):
    """A record with a field ``enabled``; a lone true, false or a word for them fills it."""

    __slots__ = ("record",)
    kinds = (bool, str, dict)
    what = "true, false or a mapping"
    words: ClassVar = {"enabled": True, "on": True, "required": True, "disabled": False, "off": False}

    def __init__(self, record: Record) -> None:
        self.record = record

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        lone = self.words.get(value) if isinstance(value, str) else value
        if isinstance(lone, bool):
            log.move((*path, "enabled"), log.written(path))
            return {"enabled": lone}
        return self.record.read(value, path, log)


class Later(Shape):
    """A shape that is declared further down, for shapes that hold themselves."""

    __slots__ = ("get", "kinds", "what")

    def __init__(self, get: Callable[[], Shape], kinds: tuple[type, ...], what: str) -> None:
        self.get = get
        self.kinds, self.what = kinds, what

    def read(self, value: Any, path: Keys, log: Log) -> Any:
        return self.get().read(value, path, log)


def snake_case(word: str) -> str:
    """``outputPorts`` as ``output_ports``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in word).lstrip("_")


def kind_of(value: Any) -> str:
    """A value's kind in words, with its text where that is short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return f"the number {value}"
    if isinstance(value, str):
        return f"`{value}`" if len(value) <= 40 else "a string"
    return "a list" if isinstance(value, list) else "a mapping"
