"""Calls of rules that take no arguments: ``limit()`` for the value of ``limit := input.limit``.

To OPA a head ``limit()`` is the head ``limit``. A call of it is let through where the type checker knows nothing of
the rule's value (``any``), and is an undefined function where it does; ``opa fmt`` leaves such calls behind, because
it takes the parentheses off the head alone. Here they become references, and the checker is told of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.walk import rewrite


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A call of the rule at ``path``, and where its name stands."""

    path: Path
    operator: ast.Ref

    @property
    def span(self) -> Span:
        return self.operator.span


def plain_calls(
    rules: Iterable[ResolvedRule], functions: Mapping[Path, int]
) -> tuple[list[ResolvedRule], tuple[PlainCall, ...]]:
    """The rules with references instead of such calls, and the calls; the calls' arguments have been checked."""
    found: list[PlainCall] = []

    def change(node: object) -> object:
        if not (isinstance(node, ast.Call) and isinstance(node.operator, ast.Ref)):
            return node
        path = tuple(part.value for part in node.operator.path if isinstance(part, ast.String))
        if path in functions:
            return node
        found.append(PlainCall(path, node.operator))
        if not node.args:
            return replace(node.operator, span=node.span)
        # As a statement, `limit(x)` unifies x with the value.
        return replace(node, operator=ast.Var("eq", span=node.operator.span), args=(node.operator, *node.args))

    return [replace(rule, branches=rewrite(rule.branches, change)) for rule in rules], tuple(found)
