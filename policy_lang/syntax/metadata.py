"""``# METADATA`` comments: blocks of YAML that annotate the package or rule that follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policy_lang.diagnostics import Diagnostic, DiagnosticError
from policy_lang.source import Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast

_SCOPES = ("rule", "document", "package", "subpackages")
_MARK = "METADATA"
_TEXTS = ("title", "description")
_LISTS = ("organizations", "authors", "related_resources", "schemas")


@dataclass(frozen=True, slots=True)
class _Block:
    lines: tuple[ast.Comment, ...]

    @property
    def span(self) -> Span:
        return self.lines[0].span.to(self.lines[-1].span)


def attach(module: ast.Module, comments: Sequence[ast.Comment]) -> ast.Module:
    """The module with its annotations on its package and rules.

    Raises:
        DiagnosticError: a block that is no YAML, has a field of a wrong type, or annotates nothing that its
            scope is for (``rego_parse_error``).
    """
    blocks = list(_blocks(comments))
    if not blocks:
        return module
    found: dict[int, list[ast.Annotations]] = {}
    targets = _targets(module)
    for block in blocks:
        number = _following(block, targets)
        annotations = _annotations(block, targets[number])
        found.setdefault(number, []).append(annotations)
    made: dict[int, Any] = {n: replace(targets[n], annotations=tuple(many)) for n, many in found.items()}
    by_identity = {id(targets[n]): target for n, target in made.items()}
    rules = tuple(by_identity.get(id(rule), rule) for rule in module.rules)
    return replace(module, package=by_identity.get(id(module.package), module.package), rules=rules)


def _targets(module: ast.Module) -> list[Any]:
    statements: list[Any] = [*module.imports, *module.rules, *module.policies, *module.params, *module.tests]
    return [module.package, *sorted(statements, key=lambda one: (one.span.line, one.span.col))]


def _blocks(comments: Sequence[ast.Comment]) -> Iterator[_Block]:
    lines: list[ast.Comment] = []
    for comment in comments:
        first = comment.text[1:].strip() == _MARK
        if lines and not first and comment.span.col == 1 and comment.span.line == lines[-1].span.line + 1:
            lines.append(comment)
            continue
        if lines:
            yield _Block(tuple(lines))
        lines = [comment] if first and comment.span.col == 1 else []
    if lines:
        yield _Block(tuple(lines))


def _following(block: _Block, targets: Sequence[Any]) -> int:
    line = block.span.line
    for number, target in enumerate(targets):
        if target.span.line > line:
            return number
        if target.span.line <= line <= target.span.end_line:
            break
    hint = "it stands directly above a package or a rule, outside of bodies"
    raise _error("a metadata block annotates nothing", block.span, hint)


def _annotations(block: _Block, target: Any) -> ast.Annotations:
    values = _yaml(block)
    scope = values.pop("scope", None)
    kind = "package" if isinstance(target, ast.Package) else "rule" if isinstance(target, ast.Rule) else "import"
    if scope is None:
        scope = "document" if kind == "rule" and values.get("entrypoint") is True else kind
    if kind == "import" and not isinstance(target, ast.Import):
        scope = "rule"
    elif scope not in _SCOPES:
        message = f"invalid annotation scope '{scope}'. Use one of 'rule', 'document', 'package', or 'subpackages'"
        raise _error(message, block.span, did_you_mean(str(scope), _SCOPES))
    elif (kind == "package") != (scope in ("package", "subpackages")):
        wanted = "package" if kind == "rule" else "rule"
        raise _error(f"annotation scope '{scope}' must be applied to {wanted} (have {kind})", block.span)
    if values.get("entrypoint") is True and scope not in ("document", "package"):
        message = f"annotation entrypoint applied to non-document or package scope '{scope}'"
        raise _error(message, block.span)
    return ast.Annotations(tuple(sorted(values.items())), scope, span=block.span)


def _yaml(block: _Block) -> dict[str, Any]:
    import yaml

    text = "\n".join(line.text[1:] for line in block.lines[1:])
    if not text.strip():
        raise _error("expected METADATA block, found whitespace", block.span)
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = block.lines[min(len(block.lines) - 1, 1 + (mark.line if mark is not None else 0))]
        message = f"a metadata block is no YAML: {getattr(error, 'problem', None) or error}"
        raise _error(message, line.span) from None
    except ValueError as error:  # PyYAML on a date that no calendar has
        raise _error(f"a metadata block is no YAML: {error}", block.span) from None
    if not isinstance(found, dict):
        raise _error("a metadata block is a YAML mapping", block.span)
    return {name: value for name, value in _fields(found, block.span) if value}


def _fields(found: dict[Any, Any], span: Span) -> Iterator[tuple[str, Any]]:
    """The known fields in OPA's form; unknown ones are left out, as OPA does."""
    for name in ("scope", *_TEXTS):
        value = found.get(name)
        if isinstance(value, (list, dict)):
            raise _error(f"metadata: {name} is a text", span)
        if value is not None:
            yield name, str(value)
    for name in _LISTS:
        value = found.get(name)
        if value is not None and not isinstance(value, list):
            raise _error(f"metadata: {name} is a list", span)
        yield name, [_ITEMS[name](item, span) for item in value or ()]
    for name in ("custom", "labels"):
        value = found.get(name)
        if value is not None and not isinstance(value, dict):
            raise _error(f"metadata: {name} is a mapping", span)
        yield name, _plain(value)
    if not isinstance(found.get("entrypoint", False), bool):
        raise _error("metadata: entrypoint is true or false", span)
    yield "entrypoint", found.get("entrypoint")


def _plain(value: Any) -> Any:
    """YAML's values as JSON's: keys are texts, times are written out."""
    from datetime import UTC, date, datetime

    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else "null" if key is None else str(key)


def _organization(item: Any, span: Span) -> Any:
    return str(item)


def _author(item: Any, span: Span) -> Any:
    if isinstance(item, str) and item.strip():
        *names, last = item.split()
        if last.startswith("<") and last.endswith(">"):
            return {"email": last[1:-1]} | ({"name": " ".join(names)} if names else {})
        return {"name": item.strip()}
    if isinstance(item, dict) and (item.get("name") or item.get("email")):
        return {key: str(item[key]) for key in ("email", "name") if item.get(key)}
    raise _error("metadata: an author is a text, or has a name or an email", span)


def _resource(item: Any, span: Span) -> Any:
    if isinstance(item, str):
        return {"ref": item}
    if isinstance(item, dict) and item.get("ref"):
        return {key: str(item[key]) for key in ("description", "ref") if item.get(key)}
    raise _error("metadata: a related resource is a text, or has a ref", span)


_STEP = re.compile(r"""(\.?[^\s.\["]+)|\["([^"]*)"\]""")
"""A step of a reference: ``schema``, ``.name``, ``["name"]``."""


def _schema(item: Any, span: Span) -> Any:
    if not isinstance(item, dict) or len(item) != 1:
        raise _error("metadata: schemas is a list of one path: schema each", span)
    ((path, schema),) = item.items()
    names = str(path).split(".")
    if names[0] not in ("input", "data"):
        raise _error(f"metadata: invalid document reference {path}: it begins with input or data", span)
    if isinstance(schema, str):
        steps = _STEP.findall(schema)
        if not steps or steps[0][0] != "schema" or "".join(name or f'["{key}"]' for name, key in steps) != schema:
            raise _error(f"metadata: invalid schema reference {schema}: it begins with schema", span)
        return {"path": names, "schema": [name.removeprefix(".") or key for name, key in steps]}
    return {"path": names, "definition": _plain(schema)}


_ITEMS = {
    "organizations": _organization,
    "authors": _author,
    "related_resources": _resource,
    "schemas": _schema,
}


def _error(message: str, span: Span, hint: str = "") -> DiagnosticError:
    return DiagnosticError(Diagnostic("rego_parse_error", message, span, hint=hint))
