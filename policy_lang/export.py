"""Policies as a bundle of plain Rego v1 that a stock OPA runs with the same violations.

A `.floe` file becomes a `.rego` file with `import rego.v2` (whose `not` is that of `.floe` files); a
`.rego` file is kept as it is. `floec/main.rego` collects the violations of all packages under
`data.floec.violation`; `data.json` holds the parameters that were set.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast
from policy_lang.syntax.walk import map_children, rewrite

if TYPE_CHECKING:
    from policy_lang.policies import Declarations


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """``path`` is relative to the bundle's folder, with ``/``."""

    path: str
    text: str


def export(
    sources: Mapping[str, Source],
    params: Mapping[str, Mapping[str, Any]] | None = None,
    severities: Mapping[str, Severity] | None = None,
    loaded: Declarations | None = None,
) -> Outcome[tuple[ExportedFile, ...]]:
    """The files of the bundle, by path.

    ``sources`` are the policy files by their path in the bundle; ``params`` is package (dotted) → name →
    value; ``severities`` is id → severity. Policies that do not compile are not exported; ``loaded`` is
    what they declare, where they are known to compile.
    """
    from policy_lang.policies import load_policies
    from policy_lang.syntax.parser import parse_module
    from policy_lang.syntax.write_rego import write_module

    found: list[Diagnostic] = []
    if loaded is None:
        made = load_policies(tuple(sources.values()))
        found += made.diagnostics
        loaded = made.value.declarations if made.value is not None else None
    if loaded is None or blocking(found):
        return Outcome(None, tuple(found))
    found += loaded.check_params(params or {})
    found += loaded.check_severities(severities or {})
    files = {"data.json": _data(params or {}), ".manifest": _manifest()}
    packages: set[tuple[str, ...]] = set()
    for path, source in sources.items():
        target = str(PurePosixPath(path).with_suffix(".rego"))
        module = parse_module(source).value
        if target in files or module is None:
            message = f"{source.file} and another file would both be exported as {target}"
            found.append(Diagnostic("floe_export_error", message, whole_file(source.file)))
        elif module.floe:
            plain = _plain(module, severities or {})
            if plain.rules:
                files[target] = _laid_out(target, write_module(plain))
        else:
            files[target] = source.text
        if module is not None and module.policies:
            packages.add(module.package.path)
    if blocking(found):
        return Outcome(None, tuple(found))
    files["floec/main.rego"] = _laid_out("floec/main.rego", _collected(packages))
    return Outcome(tuple(ExportedFile(path, text) for path, text in sorted(files.items())), tuple(found))


def _plain(module: ast.Module, severities: Mapping[str, Severity]) -> ast.Module:
    """The module as rules; each policy's first rule carries its metadata as an annotation."""
    from policy_lang.analysis.desugar import desugar

    policies = tuple(replace(p, severity=severities.get(p.id, p.severity)) for p in module.policies)
    plain = desugar(replace(module, policies=policies), strict=True).value
    assert plain is not None, "load_policies has accepted it"
    by_span = {policy.span: policy for policy in policies}
    rules: list[ast.Rule] = []
    for rule in plain.rules:
        policy = by_span.pop(rule.span, None)
        rules.append(rule if policy is None else replace(rule, annotations=(_metadata(policy),)))
    return replace(plain, rules=tuple(_bound_templates(rule) for rule in rules), tests=())


def _bound_templates(rule: ast.Rule) -> ast.Rule:
    """The rule with the templates in heads of comprehensions bound in their bodies.

    OPA 1.22 refuses one that uses the body's names and is not the whole head (`[[$"{x}"] | some x in xs]`).
    """
    numbers = itertools.count()

    def bound(node: Any) -> Any:
        if not isinstance(node, _COMPREHENSIONS):
            return node
        found: list[ast.Literal] = []

        def named(term: Any) -> Any:
            if isinstance(term, _COMPREHENSIONS):
                return term
            term = map_children(term, named)
            if not isinstance(term, ast.Template):
                return term
            name = ast.Var(f"__template{next(numbers)}", span=term.span)
            assign = ast.Call(ast.Var("assign", span=term.span), (name, term), infix=":=", span=term.span)
            found.append(ast.Expr(assign, span=term.span))
            return name

        heads = ("key", "value") if isinstance(node, ast.ObjectCompr) else ("term",)
        changed = {name: named(getattr(node, name)) for name in heads}
        return replace(node, **changed, body=(*node.body, *found))

    changed: ast.Rule = rewrite(rule, bound)
    return changed


_COMPREHENSIONS = (ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr)


def _laid_out(path: str, text: str) -> str:
    """The text as ``opa fmt`` would write it."""
    from policy_lang.syntax.formatter import format_source

    formatted = format_source(Source(path, text)).value
    return text if formatted is None else formatted


def _metadata(policy: ast.Policy) -> ast.Annotations:
    values: list[tuple[str, object]] = [("title", policy.title)]
    if policy.why:
        values.append(("description", policy.why))
    if policy.docs:
        values.append(("related_resources", [{"ref": policy.docs}]))
    custom = {"id": policy.id, "name": policy.name, "severity": policy.severity, "tags": list(policy.tags)}
    return ast.Annotations((*values, ("custom", custom)), "rule", span=policy.span)


def _collected(packages: Iterable[tuple[str, ...]]) -> str:
    from policy_lang.syntax.write_rego import package_path

    rules = [
        f"violation contains found if some found in data.{package_path(package)}.violation"
        for package in sorted(packages)
    ]
    deny = 'deny contains found.message if {\n\tsome found in violation\n\tfound.severity == "block"\n}'
    return "\n\n".join(["package floec", *rules, *([deny] if rules else [])]) + "\n"


def _data(params: Mapping[str, Mapping[str, Any]]) -> str:
    from policy_lang.runtime.values import to_json

    values = {package: dict(given) for package, given in params.items()}
    return to_json({"floec": {"params": values}}, indent=2) + "\n"


def _manifest() -> str:
    from policy_lang.runtime.values import to_json

    return to_json({"roots": [""], "rego_version": 1}, indent=2) + "\n"
