"""Check the plugins that a manifest chooses: their names, and their configuration by the plugin's own schema.

Codes: FLC220 a plugin or a category that nobody knows, FLC221 a wrong configuration, FLC222 an installed plugin that
cannot be used, FLC223 a plugin without a schema. Unknown and missing keys are FLC201 to FLC203, as everywhere.

What floec knows itself is found in a table. Only another name makes the installed distributions be searched for an
entry point ``floec.plugins.<category>``, because that takes as long as all the rest.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from compiler.documents.plugins.known import categories, known, names
from compiler.documents.shape import Keys, Log, dotted
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.spell import did_you_mean

if TYPE_CHECKING:
    from compiler.documents.models import Document

GROUP = "floec.plugins."


def check_plugins(document: Document) -> list[Diagnostic]:
    """All that is wrong with ``plugins`` and the names in ``approved_plugins``."""
    found: list[Diagnostic] = []
    plugins, approved = document.data.get("plugins"), document.data.get("approved_plugins")
    for category, plugin in plugins.items() if isinstance(plugins, dict) else ():
        if isinstance(plugin, dict):
            found += _check(document, category, plugin)
    for category, listed in approved.items() if isinstance(approved, dict) else ():
        for i, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str) and known(category, name) is None and name not in installed(category):
                # It may be installed where the product is built, so it does not block.
                path: Keys = ("approved_plugins", category, i)
                found.append(_unknown(document, category, name, path, Severity.WARN))
    return found


def check_inherited(document: Document, category: str, name: str, config: dict[str, Any]) -> list[Diagnostic]:
    """What is wrong with the part ``config`` that ``document`` adds to a plugin whose type an ancestor chose.

    Only what is there is judged: what is missing may stand above.
    """
    path: Keys = ("plugins", category)
    own = known(category, name)
    part = {"type": name, "config": config}
    if own is not None:
        return _by_shape(document, own.config, part, path)
    point = installed(category).get(name)
    found = _by_schema(document, point, name, part, path) if point is not None else []
    return [d for d in found if d.code == "FLC201" or (d.code == "FLC221" and len(d.path) > len(path) + 1)]


def installed(group: str) -> dict[str, Any]:
    """The entry points of ``floec.plugins.<group>`` by name, not loaded yet."""
    return _installed(GROUP + group, tuple(sys.path))


@cache
def _installed(group: str, path: tuple[str, ...]) -> dict[str, Any]:
    """``path`` is where distributions are looked for: another one has other plugins."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=group)}


def _check(document: Document, category: str, plugin: dict[str, Any]) -> list[Diagnostic]:
    name, path = plugin.get("type"), ("plugins", category)
    if not isinstance(name, str):
        # The configuration is that of the plugin which a parent chooses: judged where the two are joined.
        return [] if category in categories() or installed(category) else [_unknown_category(document, category)]
    own = known(category, name)
    if own is not None:
        return _by_shape(document, own.config, plugin, path)
    points = installed(category)
    if name in points:
        return _by_schema(document, points[name], name, plugin, path)
    if category not in categories() and not points:
        return [_unknown_category(document, category)]
    return [_unknown(document, category, name, (*path, "type"), Severity.BLOCK)]


def _unknown(document: Document, category: str, name: str, path: Keys, severity: Severity) -> Diagnostic:
    choices = [*names(category), *installed(category)]
    hint = did_you_mean(name, choices) or ("known are: " + ", ".join(sorted(choices)) if choices else "install it")
    text = f"no plugin `{name}` for {category.replace('_', ' ')} is known or installed"
    return Diagnostic("FLC220", text, document.span(path), severity, hint=hint, path=path)


def _unknown_category(document: Document, category: str) -> Diagnostic:
    path: Keys = ("plugins", category)
    hint = did_you_mean(category, categories()) or "categories are: " + ", ".join(categories())
    return Diagnostic("FLC220", f"no plugins for `{category}`", document.key_span(path), hint=hint, path=path)


def _by_shape(document: Document, shape: Any, plugin: dict[str, Any], path: Keys) -> list[Diagnostic]:
    from compiler.documents.models import diagnostic

    config = plugin.get("config")
    if not isinstance(config, dict):
        return []
    log = Log(dict(document.moves))
    shape.read(config, (*path, "config"), log)
    return [diagnostic(document, problem, log.moves) for problem in log.problems]


def _by_schema(document: Document, point: Any, name: str, plugin: dict[str, Any], path: Keys) -> list[Diagnostic]:
    """The configuration by the JSON Schema that an installed plugin declares."""
    span = document.span((*path, "type"))
    try:
        schema = _schema_of(point.load())
    except Exception as error:  # noqa: BLE001 - a plugin is foreign code: whatever it raises is told, not passed on
        text = f"the plugin `{name}` ({point.value}) cannot be loaded: {error}"
        return [Diagnostic("FLC222", text, span, hint="reinstall it, or choose another", path=path)]
    if schema is None:
        text = f"the plugin `{name}` ({point.value}) declares no `config_schema`; its configuration is not checked"
        return [Diagnostic("FLC223", text, span, Severity.WARN, path=path)]
    import jsonschema

    try:
        validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
        validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        text = f"the plugin `{name}` ({point.value}) declares a wrong schema: {error.message}"
        return [Diagnostic("FLC222", text, span, path=path)]
    config = plugin.get("config") or {}
    errors = sorted(
        validator(schema).iter_errors(_for_jsonschema(config)), key=lambda e: list(map(str, e.absolute_path))
    )
    return [_schema_error(document, error, (*path, "config")) for error in errors]


def _schema_of(target: Any) -> dict[str, Any] | None:
    """A plugin is a mapping (the schema itself), or has ``config_schema``: a mapping, or what answers one."""
    schema = target if isinstance(target, dict) else getattr(target, "config_schema", None)
    if callable(schema):
        schema = target().config_schema() if isinstance(target, type) else schema()
    return schema if isinstance(schema, dict) else None


def _for_jsonschema(value: Any) -> Any:
    """Decimal is no number for jsonschema."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {k: _for_jsonschema(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_for_jsonschema(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value


def _schema_error(document: Document, error: Any, base: Keys) -> Diagnostic:
    path: Keys = (*base, *error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        allowed = error.schema.get("properties", {})
        extra = next((k for k in error.instance if k not in allowed), None)
        if extra is not None:
            hint = did_you_mean(extra, allowed) or "its keys are: " + ", ".join(sorted(allowed))
            span = document.key_span((*path, extra))
            text = f"unknown key `{extra}` in `{dotted(path)}`"
            return Diagnostic("FLC201", text, span, hint=hint, path=(*path, extra))
    return Diagnostic("FLC221", f"`{dotted(path)}`: {error.message}", document.span(path), path=path)
