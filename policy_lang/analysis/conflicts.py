"""Rules that cannot stand beside each other: kinds, numbers of arguments, defaults, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.diagnostics import Diagnostic, Label
from policy_lang.syntax import ast


def check_conflicts(rules: Sequence[ResolvedRule], modules: Sequence[ast.Module]) -> Iterable[Diagnostic]:
    """``rego_type_error`` for each path whose rules contradict each other."""
    groups: dict[Path, list[ResolvedRule]] = {}
    for rule in rules:
        groups.setdefault(rule.path, []).append(rule)
    for path, group in groups.items():
        yield from _same_path(path, group)
    yield from _below(groups)
    yield from _packages(groups, modules)


def _same_path(path: Path, group: Sequence[ResolvedRule]) -> Iterable[Diagnostic]:
    name = _name(path)
    first = group[0]
    defaults = [rule for rule in group if rule.default]
    if len(defaults) > 1:
        places = ", ".join(f"{rule.span.file}:{rule.span.line}" for rule in defaults)
        message = f"multiple default rules {name} found at {places}"
        yield Diagnostic("rego_type_error", message, defaults[1].span, related=(_label(defaults[0]),))
        return
    shapes: dict[tuple[str, int], ResolvedRule] = {}
    for rule in group:
        shapes.setdefault(_shape(rule), rule)
    free = {shape for shape in shapes if shape[0] == "deep"}
    if len(shapes) - len(free) > 1 or (free and any(shape[0] not in _KEYED for shape in shapes)):
        other = list(shapes.values())[1]
        hint = "rules of one name are all values, all sets, all objects, or all functions of as many arguments"
        message = f"conflicting rules {name} found"
        yield Diagnostic("rego_type_error", message, first.span, hint=hint, related=(_label(other),))


_KEYED = ("object", "object of sets", "deep")


def _shape(rule: ResolvedRule) -> tuple[str, int]:
    """What kind of document a rule makes at its path; ``deep`` ones go with any other object."""
    if len(rule.keys) > 1:
        return ("deep", 0)
    if rule.keys:
        return ("object of sets" if rule.kind == "set" else "object", 0)
    return (rule.kind, len(rule.args))


def _below(groups: dict[Path, list[ResolvedRule]]) -> Iterable[Diagnostic]:
    """A whole value, set or function has no rules below it; a partial object may have."""
    for path, group in groups.items():
        for count in range(1, len(path)):
            above = [rule for rule in groups.get(path[:count], ()) if not rule.keys]
            if above:
                message = f"rule {_name(path[:count])} conflicts with: rule {_name(path)}"
                yield Diagnostic("rego_type_error", message, above[0].span, related=(_label(group[0]),))


def _packages(groups: dict[Path, list[ResolvedRule]], modules: Sequence[ast.Module]) -> Iterable[Diagnostic]:
    seen: set[Path] = set()
    for module in modules:
        package = module.package.path
        for count in range(1, len(package) + 1):
            path = package[:count]
            if path in groups and path not in seen:
                seen.add(path)
                message = (
                    f"package {'.'.join(package)} conflicts with rule {path[-1]} defined at {_place(groups[path][0])}"
                )
                yield Diagnostic("rego_type_error", message, module.package.span, related=(_label(groups[path][0]),))


def _label(rule: ResolvedRule) -> Label:
    return Label(rule.span, "the other rule")


def _place(rule: ResolvedRule) -> str:
    return f"{rule.span.file}:{rule.span.line}"


def _name(path: Path) -> str:
    return ".".join(("data", *path))
