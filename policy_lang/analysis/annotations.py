"""``rego.metadata.rule()`` and ``rego.metadata.chain()``: constants that the annotations give each rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy_lang.diagnostics import Diagnostic, Label
from policy_lang.source import Span
from policy_lang.syntax import ast

Path = tuple[str, ...]


@dataclass(slots=True)
class AnnotationSet:
    """The annotations of a program by scope and path; paths are those below ``data``."""

    by_scope: dict[str, dict[Path, ast.Annotations]] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, annotations: ast.Annotations, path: Path) -> None:
        kept = self.by_scope.setdefault(annotations.scope, {})
        first = kept.get(path)
        if first is not None and annotations.scope != "rule":
            message = f"{annotations.scope} annotation redeclared: {first.span.file}:{first.span.line}"
            related = (Label(first.span, "the first one"),)
            self.found.append(Diagnostic("rego_type_error", message, annotations.span, related=related))
        kept.setdefault(path, annotations)

    def constants(self, package: Path, rule: ast.Rule) -> Mapping[str, ast.Term]:
        """What the two builtins give inside ``rule``, as terms."""
        path = rule_path(package, rule)
        own = next((a for a in rule.annotations if a.scope == "rule"), None)
        chain: list[Any] = [_entry(path, own)]
        for above, scope in self._levels(package, path):
            annotations = self.by_scope.get(scope, {}).get(above)
            if annotations is not None:
                chain.append(_entry(above, annotations))
        given = _values(own) if own is not None else {}
        return {
            "rego.metadata.rule": _term(given, rule.span),
            "rego.metadata.chain": _term(chain, rule.span),
        }

    def _levels(self, package: Path, path: Path) -> Iterable[tuple[Path, str]]:
        yield path, "document"
        yield package, "package"
        for count in range(len(package), 0, -1):
            yield package[:count], "subpackages"


def collect(modules: Sequence[ast.Module]) -> AnnotationSet:
    """All annotations; ``found`` holds ``rego_type_error`` for each that is declared twice."""
    made = AnnotationSet()
    for module in modules:
        for one in module.package.annotations:
            made.add(one, module.package.path)
        for rule in module.rules:
            for one in rule.annotations:
                made.add(one, rule_path(module.package.path, rule))
    return made


def rule_path(package: Path, rule: ast.Rule) -> Path:
    """The place of a rule below ``data``, up to its first key that is no name."""
    ref = rule.head.ref
    assert isinstance(ref.head, ast.Var)
    names: list[str] = []
    for part in ref.path:
        if not isinstance(part, ast.String):
            break
        names.append(part.value)
    return (*package, ref.head.name, *names)


def _entry(path: Path, annotations: ast.Annotations | None) -> dict[str, Any]:
    return {"path": list(path)} | ({"annotations": _values(annotations)} if annotations is not None else {})


def _values(annotations: ast.Annotations) -> dict[str, Any]:
    return {**dict(annotations.values), "scope": annotations.scope}


def _term(value: Any, span: Span) -> ast.Term:
    """A plain value as a term."""
    if isinstance(value, Mapping):
        pairs = ((ast.String(str(key), span=span), _term(item, span)) for key, item in value.items())
        return ast.Object(tuple(pairs), span=span)
    if isinstance(value, (list, tuple)):
        return ast.Array(tuple(_term(item, span) for item in value), span=span)
    if isinstance(value, bool):
        return ast.Boolean(value, span=span)
    if value is None:
        return ast.Null(span=span)
    if isinstance(value, str):
        return ast.String(value, span=span)
    return ast.Number(repr(value), span=span)
