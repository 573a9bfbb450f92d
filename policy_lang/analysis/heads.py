"""What references in a head bind, for the body below it: `[input.a[i] | i > 1]`.

A reference in a head comes after the body, except where the body needs what it binds. OPA makes a literal of each such
reference and orders it among the others; we do so where the body cannot run without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from policy_lang.analysis.resolve import Branch, Path, ResolvedRule
from policy_lang.analysis.safety import NONE, arrange, outputs, outside, variables
from policy_lang.runtime.builtins.declarations import declaration
from policy_lang.syntax import ast
from policy_lang.syntax.walk import rewrite

Fresh = Callable[[str], str]


def heads_in_bodies(rule: ResolvedRule, functions: Mapping[Path, int], fresh: Fresh) -> ResolvedRule:
    """The rule, in which heads that a body needs are literals of that body; ``functions`` are the program's, with
    the number of their arguments."""

    def closure(node: Any) -> Any:
        match node:
            case ast.ArrayCompr() | ast.SetCompr():
                body, (term,) = _moved(node.body, (node.term,), NONE, functions, fresh)
                return replace(node, body=body, term=term) if body is not node.body else node
            case ast.ObjectCompr():
                body, (key, value) = _moved(node.body, (node.key, node.value), NONE, functions, fresh)
                return replace(node, body=body, key=key, value=value) if body is not node.body else node
            case _:
                return node

    args = NONE.union(*(variables(arg) for arg in rule.args))
    branches: list[Branch] = list(rewrite(rule.branches, closure))
    for index, branch in enumerate(branches):
        # The keys are those of all branches, so they stay in the head too.
        body, (value, *_) = _moved(branch.body, (branch.value, *rule.keys), args, functions, fresh)
        if body is not branch.body:
            branches[index] = replace(branch, body=body, value=value)
    return replace(rule, branches=tuple(branches))


def _moved(
    body: ast.Body,
    heads: tuple[ast.Term, ...],
    bound: frozenset[str],
    functions: Mapping[Path, int],
    fresh: Fresh,
) -> tuple[ast.Body, tuple[ast.Term, ...]]:
    given = NONE.union(*(outputs(head) for head in heads)) - bound
    if not given:
        return body, heads
    known = outside(body, heads) | bound
    needing = tuple(_without_result(literal, functions) for literal in body)
    _, waiting, _ = arrange(needing, known - given, known)
    if not waiting:
        return body, heads
    literals: list[ast.Literal] = []
    made: list[ast.Term] = []
    for head in heads:
        if outputs(head):
            name = ast.Var(fresh("__local"), span=head.span)
            eq = ast.Call(ast.Var("eq", span=head.span), (name, head), span=head.span)
            literals.append(ast.Expr(eq, span=head.span))
            made.append(name)
        else:
            made.append(head)
    return (*literals, *body), tuple(made)


def _without_result(literal: ast.Literal, functions: Mapping[Path, int]) -> ast.Literal:
    """A call with no operand for its result as a term that binds as little."""
    if not (isinstance(literal, ast.Expr) and isinstance(call := literal.term, ast.Call)):
        return literal
    if isinstance(call.operator, ast.Ref):
        path = tuple(part.value for part in call.operator.path if isinstance(part, ast.String))
        takes = functions.get(path)
    else:
        declared = declaration(call.operator.name)
        takes = None if declared is None or call.operator.name == "eq" else len(declared.args)
    return replace(literal, term=ast.Array(call.args, span=call.span)) if takes == len(call.args) else literal
