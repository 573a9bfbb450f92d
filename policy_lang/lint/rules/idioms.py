"""Forms that have a clearer one."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import called, compared, is_constant, literals, name_of, units
from policy_lang.lint.registry import File, Finding, file_rule
from policy_lang.syntax import ast

_MIRROR = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@file_rule("LNT030", "unification", Severity.NOTIFY, "`=` where `:=` or `==` is meant")
def unification(file: File) -> Iterator[Finding]:
    """``=`` assigns or compares, whichever fits: the reader cannot tell which was meant."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, "=")
        if operands is not None and not any(isinstance(o, ast.Array | ast.Object) for o in operands[:2]):
            yield Finding(literal.span, "`=` both assigns and compares", "write `:=` to assign, `==` to compare")


@file_rule("LNT031", "head-unification", Severity.NOTIFY, "a rule's value after `=`")
def head_unification(file: File) -> Iterator[Finding]:
    """``p = 1`` instead of ``p := 1``."""
    for rule in file.module.rules:
        if rule.head.assign == "=":
            yield Finding(rule.head.span, f"the value of {name_of(rule)} follows `=`", "write `:=`")


@file_rule("LNT032", "prefer-some-in", Severity.NOTIFY, "iteration by an index that is not used")
def prefer_some_in(file: File) -> Iterator[Finding]:
    """``x := xs[_]`` instead of ``some x in xs``."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, ":=", "=")
        if operands is None or not isinstance(operands[0], ast.Var) or not _ends_in_wildcard(operands[1]):
            continue
        yield Finding(literal.span, f"{operands[0].name} takes each member", f"write `some {operands[0].name} in …`")


@file_rule("LNT033", "prefer-in", Severity.NOTIFY, "membership by comparison with each member")
def prefer_in(file: File) -> Iterator[Finding]:
    """``x == xs[_]`` instead of ``x in xs``."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, "==")
        if operands is not None and sum(map(_ends_in_wildcard, operands[:2])) == 1:
            yield Finding(literal.span, "a value is compared with each member", "write `… in …`")


def _ends_in_wildcard(term: ast.Term) -> bool:
    last = term.path[-1] if isinstance(term, ast.Ref) and term.path else None
    return isinstance(last, ast.Var) and last.name == "_"


@file_rule("LNT034", "count-for-emptiness", Severity.NOTIFY, "members made and counted to learn whether there are any")
def count_for_emptiness(file: File) -> Iterator[Finding]:
    """``count([… | …]) > 0`` and its kin."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, *_MIRROR)
        if operands is None:
            continue
        left, right, symbol = operands
        if isinstance(left, ast.Number):
            left, right, symbol = right, left, _MIRROR[symbol]
        number = right.text if isinstance(right, ast.Number) else ""
        empty = (symbol, number) in {("==", "0"), ("<", "1"), ("<=", "0")}
        some = (symbol, number) in {(">", "0"), (">=", "1"), ("!=", "0")}
        counted = left.args[0] if called(left, "count") and isinstance(left, ast.Call) else None
        if (empty or some) and isinstance(counted, ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr):
            hint = "write `not` before a rule with the comprehension's body" if empty else "write the body with `some`"
            yield Finding(literal.span, "all members are made and counted to learn whether there are any", hint)


@file_rule("LNT035", "constant-first", Severity.NOTIFY, "a comparison that begins with the constant")
def constant_first(file: File) -> Iterator[Finding]:
    """``"a" == x`` instead of ``x == "a"``."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, *_MIRROR)
        if operands is not None and is_constant(operands[0]) and not is_constant(operands[1]):
            symbol = _MIRROR[operands[2]]
            yield Finding(literal.span, "the constant stands first", f"write it second, after `{symbol}`")
