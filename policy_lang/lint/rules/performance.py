"""What costs more than it needs to. floec's own engine mends some of it; a stock OPA does not."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import bodies, compared, dotted, is_constant, iterates, name_of, units, variables
from policy_lang.lint.registry import File, Finding, file_rule
from policy_lang.syntax import ast
from policy_lang.syntax.walk import walk


@file_rule("LNT050", "nested-search", Severity.NOTIFY, "a search through a collection for each member of another")
def nested_search(file: File) -> Iterator[Finding]:
    """Two loops joined by ``==``: their lengths multiply."""
    if file.module.floe:
        return  # compiled to a hash join
    for body in (found for unit in units(file) for found in bodies(unit)):
        loops = [literal for literal in body if isinstance(literal, ast.SomeIn)]
        for position, inner in enumerate(loops[1:], start=1):
            names = {v.name for v in variables(inner.value)}
            outer = {v.name for loop in loops[:position] for v in variables(loop.value)}
            if outer & {v.name for v in variables(inner.collection)}:
                continue
            if any(_joins(literal, outer, names) for literal in body):
                hint = "make an object of it once, by the compared value, and look up in that"
                yield Finding(inner.span, "the whole collection is searched for each member of the other", hint)


def _joins(literal: ast.Literal, outer: set[str], inner: set[str]) -> bool:
    operands = compared(literal, "==", "=")
    if operands is None:
        return False
    left, right = ({v.name for v in variables(o)} for o in operands[:2])
    return bool((left & outer and right & inner) or (left & inner and right & outer))


@file_rule("LNT051", "partial-rule-in-loop", Severity.NOTIFY, "a rule by key, looked up for each member")
def partial_rule_in_loop(file: File) -> Iterator[Finding]:
    """``found[x]`` in a loop, where ``found[k] := v if …`` has a loop itself."""
    if file.module.floe:
        return  # evaluated once for all keys
    partial = {
        name_of(rule)
        for rule in file.module.rules
        if rule.head.ref.path and not is_constant(rule.head.ref.path[0]) and any(map(iterates, rule.body))
    }
    for body in (found for unit in units(file) for found in bodies(unit)):
        looping = False
        for literal in body:
            for node in walk(literal) if looping else ():
                if isinstance(node, ast.Ref) and dotted(node.head) in partial and _by_variable(node):
                    message = f"OPA evaluates {dotted(node.head)} anew for each key"
                    yield Finding(node.span, message, "make it a comprehension, or look up before the loop")
            looping = looping or iterates(literal)


def _by_variable(ref: ast.Ref) -> bool:
    return bool(ref.path) and not is_constant(ref.path[0])


@file_rule("LNT052", "with-in-loop", Severity.NOTIFY, "`with` for each member of a collection")
def with_in_loop(file: File) -> Iterator[Finding]:
    """``with`` after a loop: nothing can be kept from one evaluation to the next."""
    if file.is_test:
        return
    for body in (found for unit in units(file) for found in bodies(unit)):
        looping = False
        for literal in body:
            withs = () if isinstance(literal, ast.SomeDecl) else literal.withs
            if looping and withs:
                hint = "pass the value as an argument of a function"
                yield Finding(withs[0].span, "everything below is evaluated anew for each member", hint)
            looping = looping or iterates(literal)
