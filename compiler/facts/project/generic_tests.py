"""Generic data tests as YAML states them: their name, arguments, configuration and dbt's ``unique_id``.

dbt names a test after its kind, its target and its arguments, and adds the first digits of a hash over them; both are
computed here so that a test has the same id whether it was read from a manifest or from the project's files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from compiler.structs import Struct
from policy_lang.digests import md5_hex
from policy_lang.patterns import Pattern

_CONFIG = (
    "severity", "tags", "enabled", "where", "limit", "warn_if", "error_if", "fail_calc", "store_failures",
    "store_failures_as", "meta", "database", "schema", "alias",
)  # fmt: skip
_NAME = Pattern(r"(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)")
_PLAIN = Pattern(r"[A-Za-z_]\w*")
_NO_WORD = Pattern("[^0-9a-zA-Z_]+")
_REFERENCE = Pattern(r"\s*(ref|source)\s*\(.+\)\s*\Z", re.DOTALL)


class Target(Struct, frozen=True):
    """What a test stands on: ``relation`` is its ``ref`` or ``source`` call, ``prefix`` is ``source_`` for sources."""

    name: str
    relation: str
    prefix: str = ""


class GenericTest(Struct, frozen=True):
    """One test; ``test`` is its kind with its package, ``references`` the ``ref``/``source`` calls in its arguments."""

    name: str
    test: str
    digest: str
    config: dict[str, Any]
    arguments: dict[str, Any]
    description: str
    references: tuple[str, ...]


def generic_test(given: Any, target: Target, column: str | None) -> GenericTest | None:
    """The test that one item of ``data_tests`` states; None where it states none."""
    if type(given) is str and column is not None and _PLAIN.fullmatch(given):
        return _plain(given, target, column)
    named = _named(given)
    if named is None:
        return None
    kind, arguments = named
    match = _NAME.match(kind)
    if match is None:
        return None
    namespace, short = match[1], match[2]
    nested = arguments.pop("arguments", None)
    if isinstance(nested, dict):
        arguments.update(nested)
    config = _take_config(arguments)
    description, own_name = arguments.pop("description", None), arguments.pop("name", None)
    keywords = {k: _float(v) for k, v in arguments.items()}
    if column is not None:
        keywords["column_name"] = column
    prefix = (f"{namespace}_" if namespace else "") + target.prefix
    name = own_name if isinstance(own_name, str) else _synthetic_name(prefix + short, target.name, keywords)
    keywords["model"] = _where(target)
    hashed = _hashed(namespace, short, keywords)
    return GenericTest(
        name,
        f"{namespace}.{short}" if namespace else short,
        _digest(name, hashed),
        config,
        arguments,
        description if isinstance(description, str) else "",
        tuple(v for v in arguments.values() if isinstance(v, str) and _REFERENCE.match(v.strip("{} "))),
    )


def _plain(kind: str, target: Target, column: str) -> GenericTest:
    """A test of a column of which only the kind is given: as nearly all are, so it is made without a detour."""
    name = f"{target.prefix}{kind}_{target.name}_{_NO_WORD.sub('_', column)}"
    hashed = _hashed(None, kind, {"column_name": column, "model": _where(target)})
    return GenericTest(name, kind, _digest(name, hashed), {}, {}, "", ())


def _where(target: Target) -> str:
    return f"{{{{ get_where_subquery({target.relation}) }}}}"


def _digest(name: str, hashed: str) -> str:
    return md5_hex((name + hashed).encode("utf-8", "surrogatepass"))[-10:]


def _named(given: Any) -> tuple[str, dict[str, Any]] | None:
    """``unique``, ``{unique: {…}}`` or ``{test_name: unique, …}``; other keys beside the first one are its own."""
    if isinstance(given, str):
        return given, {}
    if not isinstance(given, dict) or not given:
        return None
    if isinstance(given.get("test_name"), str):
        return given["test_name"], {k: v for k, v in given.items() if k != "test_name"}
    kind, arguments = next(iter(given.items()))
    if not isinstance(arguments, dict | None):
        return None
    return kind, {**(arguments or {}), **{k: v for k, v in given.items() if k != kind}}


def _take_config(arguments: dict[str, Any]) -> dict[str, Any]:
    if not arguments:
        return {}
    found = {key: arguments.pop(key) for key in _CONFIG if key in arguments}
    given = arguments.pop("config", None)
    if isinstance(given, Mapping):
        found.update(given)
    return {k: v for k, v in found.items() if v is not None}


def _synthetic_name(kind: str, target: str, arguments: Mapping[str, Any]) -> str:
    flat: list[str] = []
    for key in sorted(arguments):
        value = arguments[key]
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        flat.extend(_NO_WORD.sub("_", str(part)) for part in parts)
    return f"{kind}_{target}_{'__'.join(flat)}"


def _float(value: Any) -> Any:
    """dbt writes numbers with a fraction as Python shows floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {k: _float(v) for k, v in value.items()}
    return [_float(v) for v in value] if isinstance(value, list) else value


def _hashed(namespace: str | None, short: str, keywords: dict[str, Any]) -> str:
    if all(type(value) is str for value in keywords.values()):  # as nearly all are: not worth a look at each
        plain = {key: keywords[key] for key in sorted(keywords)}
        return repr({"kwargs": plain, "name": short, "namespace": str(namespace)})
    return repr(_hashable({"namespace": namespace, "name": short, "kwargs": keywords}))


def _hashable(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _hashable(value[k]) for k in sorted(value)}
    if isinstance(value, list):
        return [_hashable(v) for v in value]
    return str(value)
