"""Generated modules as they are kept and run: all that is needed without the compiler.

``data`` and ``from_data`` turn one into values that ``marshal`` can write and back, for the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import itemgetter
from types import CodeType
from typing import Any

from policy_lang.records import NamedTuple
from policy_lang.runtime.values import UNDEFINED
from policy_lang.source import Span

Path = tuple[str, ...]
TOGETHER: Path = ("<together>",)
"""The path of the function that evaluates many documents at once."""


_line = itemgetter(0)


class _Shown(NamedTuple):
    """What Python asks for the lines of code that is in no file: tracebacks and profiles show them."""

    source: str

    def get_source(self, _name: str) -> str:
        return self.source


class Generated(NamedTuple):
    """One generated module. ``names`` are the functions by the path of their rule, ``builtins`` maps each
    builtin that it calls to its global and to the module that defines it; ``places`` are the lines (from 1)
    that have a place in the policies in their order, as (line, *span)."""

    file: str
    source: str
    code: CodeType
    names: Mapping[Path, str]
    builtins: Mapping[str, tuple[str, str]]
    constants: Mapping[str, Decimal]
    patterns: Mapping[str, int]
    places: tuple[tuple[Any, ...], ...]

    def place(self, line: int, start: int) -> Span | None:
        """The place in the policies of the last line from ``start`` to ``line`` that has one."""
        from bisect import bisect_right

        number = bisect_right(self.places, line, key=_line) - 1
        if number < 0 or self.places[number][0] < start:
            return None
        return Span(*self.places[number][1:])

    def load(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Runs the module's definitions in a fresh namespace (with ``given`` in it); the namespace."""
        from policy_lang.codegen.scope import scope

        found = scope(self.builtins, self.constants, self.patterns)
        found.update(given)
        found |= {"__name__": self.file, "__loader__": _Shown(self.source)}
        exec(self.code, found)
        return found

    def data(self) -> tuple[Any, ...]:
        constants = tuple((name, str(value)) for name, value in self.constants.items())
        tables = (dict(self.names), dict(self.builtins), constants, dict(self.patterns))
        return (self.file, self.source, self.code, *tables, self.places)


def from_data(data: tuple[Any, ...]) -> Generated:
    """The module that ``data`` was made of."""
    file, source, code, names, builtins, constants, patterns, places = data
    numbers = {name: Decimal(text) for name, text in constants}
    return Generated(file, source, code, names, builtins, numbers, patterns, places)


class Variant:
    """A program's code for one purpose, with its namespace. ``conform`` is the code of the test that an input
    has what typed code relies on, where there is some. ``tree`` are the functions of all documents, nested as their
    paths are, once a program has made it."""

    __slots__ = ("_conforms", "_scope", "conform", "mocked", "module", "tree")

    def __init__(self, module: Generated, mocked: frozenset[str], conform: CodeType | None = None) -> None:
        self.module, self.mocked, self.conform = module, mocked, conform
        self._scope: dict[str, Any] | None = None
        self._conforms: Callable[[Any], bool] | None = None
        self.tree: dict[str, Any] | None = None

    @property
    def scope(self) -> dict[str, Any]:
        if self._scope is None:
            self._scope = self.module.load({})
        return self._scope

    def conforms(self, value: Any) -> bool:
        """Whether the code may run on an input."""
        if self.conform is None:
            return True
        if self._conforms is None:
            self._conforms = conform_function(self.conform)
        return self._conforms(value)

    def data(self) -> tuple[Any, ...]:
        return (self.module.data(), tuple(sorted(self.mocked)), self.conform)


def conform_function(code: CodeType) -> Callable[[Any], bool]:
    """``conforms`` itself; a value without a key that it must have does not conform."""
    found: dict[str, Any] = {"__builtins__": {}, "type": type, "str": str, "bool": bool}
    found |= {"NUMBERS": (int, Decimal), "list": list, "dict": dict, "U": UNDEFINED}
    exec(code, found)
    made: Callable[[Any], bool] = found["conforms"]

    def conforms(value: Any) -> bool:
        try:
            return made(value)
        except KeyError:
            return False

    return conforms


def variant_from_data(data: tuple[Any, ...]) -> Variant:
    """The variant that ``data`` was made of."""
    module, mocked, conform = data
    return Variant(from_data(module), frozenset(mocked), conform)
