"""A dbt project's YAML to plain values as dbt reads it (YAML 1.1: ``yes`` and ``off`` are booleans), without positions.

libyaml's events are turned into values directly, which takes a third of the time of composing nodes first. Where a
thing stands in such a file is found later, by ``compiler.documents.yaml_loader``, and only for what is reported.
Codes: FLC101 broken YAML, FLC104 tag refused, FLC105 aliases without bound, FLC107 a key that is no string.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from compiler.documents.yaml_document import broken_yaml
from compiler.documents.yaml_library import yaml
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.patterns import Pattern
from policy_lang.runtime.values import is_too_big
from policy_lang.source import Span, whole_file

MAX_DEPTH = 100
MAX_ALIAS_VALUES = 100_000

_BOOL = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
_INT = Pattern(r"[-+]?(0|[1-9][0-9_]{0,4000})\Z")
_OCTAL = Pattern(r"[-+]?0[0-7_]+\Z")
_HEX = Pattern(r"[-+]?0x[0-9a-fA-F_]+\Z")
_FLOAT = Pattern(r"[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]{1,4})?|\.[0-9][0-9_]*([eE][-+][0-9]{1,4})?)\Z")
_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset(_CORE + t for t in ("str", "int", "float", "bool", "null", "seq", "map", "timestamp")) | {"!"}


def load_values(file: str, text: str) -> Outcome[Any]:
    """The one document of ``text``; None as value of an empty one, FLC101 where there is a second one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return Outcome(_Builder(loader, file).document())
    except yaml.MarkedYAMLError as error:
        return broken_yaml(file, error)
    except yaml.YAMLError as error:
        return _refuse("FLC101", f"broken YAML: {str(error).splitlines()[0]}", whole_file(file))
    except DiagnosticError as error:
        return Outcome(None, error.diagnostics)
    finally:
        loader.dispose()


def _refuse(code: str, message: str, span: Span, hint: str = "") -> Outcome[Any]:
    return Outcome(None, (Diagnostic(code, message, span, hint=hint),))


class _Builder:
    """Recursive descent over the parser's events."""

    def __init__(self, loader: Any, file: str) -> None:
        self._next = loader.get_event
        self._file = file
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._expanded = 0
        self._made = 0

    def document(self) -> Any:
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._node(self._next(), 0)
        self._next()
        if not isinstance(second := self._next(), yaml.StreamEndEvent):
            raise self._fail("FLC101", "a second document begins here", second, "keep one document in a file")
        return value

    def _fail(self, code: str, message: str, event: Any, hint: str = "") -> DiagnosticError:
        mark = event.start_mark
        span = Span(self._file, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1)
        return DiagnosticError(Diagnostic(code, message, span, hint=hint))

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if event.tag is not None and event.tag not in _TAGS:
            tag = str(event.tag).replace(_CORE, "!!")
            raise self._fail("FLC104", f"the tag `{tag}` is not allowed", event, "dbt reads plain values only")
        if depth > MAX_DEPTH:
            raise self._fail("FLC101", f"nested more than {MAX_DEPTH} levels deep", event)
        before = self._made
        self._made += 1
        value: Any
        if kind is yaml.ScalarEvent:
            value = _plain(event.value) if event.implicit[0] else str(event.value)
        elif kind is yaml.SequenceStartEvent:
            value = []
            while type(item := self._next()) is not yaml.SequenceEndEvent:
                value.append(self._node(item, depth + 1))
        else:
            value = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._made - before)
        return value

    def _alias(self, event: Any) -> Any:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise self._fail("FLC101", f"broken YAML: found undefined alias `{event.anchor}`", event)
        self._expanded += found[1]
        self._made += found[1]
        if self._expanded > MAX_ALIAS_VALUES:
            text = f"aliases expand to more than {MAX_ALIAS_VALUES} values"
            raise self._fail("FLC105", text, event, "write the values out")
        return found[0]

    def _mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Any] = []
        while type(item := self._next()) is not yaml.MappingEndEvent:
            if type(item) is not yaml.ScalarEvent:
                if type(item) is yaml.AliasEvent and isinstance(self._alias(item), str):
                    result[self._alias(item)] = self._node(self._next(), depth + 1)
                    continue
                raise self._fail("FLC107", "a key must be a string", item)
            value = self._node(self._next(), depth + 1)
            if item.value == "<<" and item.implicit[0]:
                merged.extend(value if isinstance(value, list) else [value])
            else:
                result[item.value] = value
        for one in merged:
            if isinstance(one, dict):
                result = {**one, **result}
        return result


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """A plain scalar by YAML 1.1; a timestamp stays the text that it was written as."""
    if text in ("", "~") or (len(text) == 4 and text in ("null", "Null", "NULL")):
        return None
    lowered = text.lower()
    if lowered in _BOOL and text in (lowered, lowered.upper(), lowered.capitalize()):
        return _BOOL[lowered]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.match(text):
        return int(text.replace("_", ""))
    if _OCTAL.match(text):
        return int(text.replace("_", ""), 8)
    if _HEX.match(text):
        return int(text.replace("_", ""), 16)
    if _FLOAT.match(text):
        number = Decimal(text.replace("_", ""))
        return text if is_too_big(number) else number
    return text
