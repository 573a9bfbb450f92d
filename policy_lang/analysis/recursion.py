"""Refuses rules that depend on themselves."""

from __future__ import annotations

from collections.abc import Iterable

from policy_lang.analysis.resolve import Path, ResolvedRule, error
from policy_lang.syntax import ast


def _references(node: object) -> Iterable[Path]:
    if isinstance(node, ast.Ref) and isinstance(node.head, ast.Var) and node.head.name == "data":
        path: Path = ()
        for part in node.path:
            if not isinstance(part, ast.String):
                break
            path = (*path, part.value)
        yield path
    if isinstance(node, tuple):
        for item in node:
            yield from _references(item)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            if name not in ("span", "target"):
                yield from _references(getattr(node, name))


def check_recursion(groups: dict[Path, list[ResolvedRule]]) -> None:
    """Raises DiagnosticError with ``rego_recursion_error`` at the first cycle."""
    edges: dict[Path, set[Path]] = {}
    for path, rules in groups.items():
        used = {r for rule in rules for r in _references((rule.keys, rule.args, rule.branches))}
        edges[path] = {p for p in groups for u in used if p[: len(u)] == u or u[: len(p)] == p}
    state: dict[Path, bool] = {}

    def visit(path: Path) -> None:
        state[path] = False
        for following in sorted(edges[path]):
            if state.get(following) is False:
                rule = groups[following][0]
                raise error("rego_recursion_error", f"rule data.{'.'.join(following)} is recursive", rule.span)
            if following not in state:
                visit(following)
        state[path] = True

    for path in sorted(groups):
        if path not in state:
            visit(path)
