"""JSON Schema: whether a schema is one, and where a document departs from it. The words of the findings are
those that OPA's users know."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin
from policy_lang.runtime.values import from_json, to_json, type_name

_TYPES = ("array", "boolean", "integer", "number", "null", "object", "string")


@builtin("json.verify_schema", "any")
def verify_schema(schema: Any) -> list[Any]:
    """``[true, null]``, or ``[false, why]``."""
    if type_name(schema) not in ("string", "object"):
        return [False, "jsonschema: wrong type, expected string or object"]
    try:
        _schema(schema)
    except ValueError as error:
        return [False, f"jsonschema: {error}"]
    return [True, None]


@builtin("json.match_schema", "string|object", "string|object")
def match_schema(document: Any, schema: Any) -> list[Any]:
    """``[whether it matches, the findings]``; each finding has ``error``, ``field``, ``type`` and ``desc``."""
    try:
        validator = _schema(schema)
        value = _plain(from_json(document) if type(document) is str else document)
    except ValueError as error:
        raise BuiltinError("eval_builtin_error", f"json.match_schema: {error}") from None
    from referencing.exceptions import Unresolvable

    try:
        found = [_finding(error) for error in _told(validator.iter_errors(value))]
    except Unresolvable as error:
        text = f"json.match_schema: the reference {error.ref} leads nowhere, or out of the schema"
        raise BuiltinError("eval_builtin_error", text) from None
    return [not found, found]


_FIRST = (
    "anyOf",
    "oneOf",
    "allOf",
    "not",
    "dependencies",
    "if",
    "type",
    "const",
    "enum",
    "required",
    "minLength",
    "multipleOf",
    "minItems",
)


def _told(errors: Iterable[Any]) -> Iterator[Any]:
    """Place by place in OPA's order; after an ``anyOf`` or ``oneOf`` what keeps its nearest part from holding."""

    def order(error: Any) -> tuple[list[str], int, str]:
        rank = _FIRST.index(error.validator) if error.validator in _FIRST else len(_FIRST)
        return [str(step) for step in error.absolute_path], rank, str(error.validator)

    for error in sorted(errors, key=order):
        yield error
        if error.validator in ("anyOf", "oneOf") and error.context:
            parts: dict[Any, list[Any]] = {}
            for inner in error.context:
                parts.setdefault(inner.schema_path[0], []).append(inner)
            nearest: list[Any] = min(parts.values(), key=_distance)
            yield from _told(nearest)


def _distance(errors: list[Any]) -> tuple[bool, int]:
    """How far a value is from one part: another type is farther than any mistake in the right one."""
    return any(error.validator == "type" and not error.relative_path for error in errors), len(errors)


_MOMENT = re.compile(r"(?:(\d{4}-\d\d-\d\d)T)?(\d\d:\d\d:\d\d(?:[.,]\d+)?)(Z|[+-]\d\d:\d\d)?", re.ASCII)


def _is_moment(value: object) -> bool:
    """What OPA takes for a ``date-time``: RFC 3339, a date alone, or a time with or without its zone."""
    if not isinstance(value, str):
        return True
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            return bool(date.fromisoformat(value))
        found = _MOMENT.fullmatch(value)
        if found is None or (found[1] and not found[3]):
            return False
        if found[1]:
            date.fromisoformat(found[1])
        return bool(time.fromisoformat(found[2][:8]))
    except ValueError:
        return False


def _plain(value: Any) -> Any:
    return json.loads(to_json(value))


def _schema(schema: Any) -> Any:
    """A validator.

    Raises:
        ValueError: no schema.
    """
    return _validator(schema if type(schema) is str else to_json(schema))


@lru_cache(maxsize=64)
def _validator(text: str) -> Any:
    """A validator: one for each text, because holding a schema to its own takes longer than most documents.

    Raises:
        ValueError: no schema.
    """
    from jsonschema import Draft7Validator, FormatChecker
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("invalid JSON string") from None
    _check_types(value)
    try:
        Draft7Validator.check_schema(value)
    except SchemaError as error:
        raise ValueError(error.message) from None
    formats = FormatChecker()
    formats.checkers = {**formats.checkers, "date-time": (_is_moment, ())}
    # A registry of nothing: by default the library fetches what a `$ref` names, from the network and from files.
    return Draft7Validator(value, registry=Registry(), format_checker=formats)


def _check_types(schema: Any) -> None:
    if isinstance(schema, list):
        for item in schema:
            _check_types(item)
    if not isinstance(schema, dict):
        return
    named = schema.get("type")
    for name in named if isinstance(named, list) else [named]:
        if isinstance(name, str) and name not in _TYPES:
            known = " ".join(_TYPES)
            raise ValueError(
                f"has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{known}]"
            )
    for key, below in schema.items():
        if key in ("properties", "patternProperties", "definitions", "$defs") and isinstance(below, dict):
            for one in below.values():
                _check_types(one)
        elif key not in ("enum", "const", "default", "examples", "type"):
            _check_types(below)


def _finding(error: Any) -> dict[str, Any]:
    path = ".".join(map(str, error.absolute_path))
    kind, describe = _WORDS.get(error.validator, (error.validator, lambda found: found.message))
    field = path or "(Root)"
    description = describe(error)
    return {"error": f"{field}: {description}", "field": field, "type": kind, "desc": description}


def _given(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", Decimal: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return names[type(value)]


def _expected(error: Any) -> str:
    wanted = error.validator_value
    return f"[{','.join(wanted)}]" if isinstance(wanted, list) else str(wanted)


def _missing(error: Any) -> str:
    return str(next(name for name in error.validator_value if f"{name!r} is a required" in error.message))


def _additional(error: Any) -> str:
    known = set(error.schema.get("properties", {}))
    return str(next(name for name in sorted(error.instance) if name not in known))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _twins(items: list[Any]) -> str:
    """The places of the first two equal elements."""
    pairs = ((i, j) for j in range(len(items)) for i in range(j) if items[i] == items[j])
    return "{},{}".format(*next(pairs, (0, 0)))


def _field(error: Any) -> str:
    return ".".join(map(str, error.absolute_path)) or "(Root)"


def _limit(text: str) -> Callable[[Any], str]:
    return lambda error: text.format(error.validator_value)


_WORDS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "type": (
        "invalid_type",
        lambda e: f"Invalid type. Expected: {_expected(e)}, given: {_given(e.instance)}",
    ),
    "required": ("required", lambda e: f"{_missing(e)} is required"),
    "additionalProperties": (
        "additional_property_not_allowed",
        lambda e: f"Additional property {_additional(e)} is not allowed",
    ),
    "enum": (
        "enum",
        lambda e: f"{_field(e)} must be one of the following: {', '.join(map(_json, e.validator_value))}",
    ),
    "const": ("const", lambda e: f"{_field(e)} does not match: {_json(e.validator_value)}"),
    "pattern": ("pattern", _limit("Does not match pattern '{}'")),
    "format": ("format", _limit("Does not match format '{}'")),
    "minLength": ("string_gte", _limit("String length must be greater than or equal to {}")),
    "maxLength": ("string_lte", _limit("String length must be less than or equal to {}")),
    "minimum": ("number_gte", _limit("Must be greater than or equal to {}")),
    "exclusiveMinimum": ("number_gt", _limit("Must be greater than {}")),
    "maximum": ("number_lte", _limit("Must be less than or equal to {}")),
    "exclusiveMaximum": ("number_lt", _limit("Must be less than {}")),
    "multipleOf": ("multiple_of", _limit("Must be a multiple of {}")),
    "minItems": ("array_min_items", _limit("Array must have at least {} items")),
    "maxItems": ("array_max_items", _limit("Array must have at most {} items")),
    "uniqueItems": ("unique", lambda e: f"array items[{_twins(e.instance)}] must be unique"),
    "minProperties": ("array_min_properties", _limit("Must have at least {} properties")),
    "maxProperties": ("array_max_properties", _limit("Must have at most {} properties")),
    "dependencies": ("missing_dependency", lambda e: f"Has a dependency on {e.message.split(chr(39))[1]}"),
    "anyOf": ("number_any_of", lambda e: "Must validate at least one schema (anyOf)"),
    "oneOf": ("number_one_of", lambda e: "Must validate one and only one schema (oneOf)"),
    "not": ("number_not", lambda e: "Must not validate the schema (not)"),
}
