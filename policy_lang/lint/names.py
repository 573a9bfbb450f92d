"""What lint rules ask about names and bodies, answered from the tree alone.

Scopes are taken a rule or policy at a time: a name is looked at everywhere in it. So a second variable
of the same name in another scope can hide a finding, and never makes one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policy_lang.lint.registry import File
from policy_lang.syntax import ast
from policy_lang.syntax.walk import walk

Unit = ast.Rule | ast.Policy
_DECISION = re.compile(r"(deny|violation|warn|block|reject)(_|\Z)")


@dataclass(frozen=True, slots=True)
class Declared:
    """A local name where it is declared; ``how`` is some, in, key, assign, every, for, let or argument."""

    var: ast.Var
    how: str


def units(file: File) -> tuple[Unit, ...]:
    """The rules and policies of a file."""
    return (*file.module.rules, *file.module.policies)


def name_of(rule: ast.Rule) -> str:
    """The first name of a rule's head."""
    return rule.head.ref.head.name if isinstance(rule.head.ref.head, ast.Var) else ""


def is_decision(name: str) -> bool:
    """True for the names by which tools find a policy's findings: ``deny``, ``warn_…``, ``violation``."""
    return _DECISION.match(name) is not None


def dotted(term: ast.Term) -> str:
    """``input.a.b`` for a name, or a reference of constant steps; else an empty string."""
    match term:
        case ast.Var(name=name):
            return name
        case ast.Ref(head=ast.Var(name=name), path=path) if all(isinstance(p, ast.String) for p in path):
            return ".".join([name, *(p.value for p in path if isinstance(p, ast.String))])
    return ""


def called(term: object, *names: str) -> bool:
    """True for a call of one of the builtins."""
    return isinstance(term, ast.Call) and dotted(term.operator) in names


def calls(node: Any) -> Iterator[tuple[ast.Call, str]]:
    """All calls below a node, with their names."""
    for found in walk(node):
        if isinstance(found, ast.Call):
            yield found, dotted(found.operator)


def compared(literal: object, *symbols: str) -> tuple[ast.Term, ast.Term, str] | None:
    """The operands of a literal that is one comparison, with its symbol."""
    match literal:
        case ast.Expr(term=ast.Call(infix=symbol, args=(left, right)), negated=False) if symbol in symbols:
            return left, right, symbol
    return None


def bodies(node: Any) -> Iterator[ast.Body]:
    """All bodies below a node, outer ones first."""
    for found in walk(node):
        match found:
            case ast.Logical(left=left, right=right):
                yield left
                yield right
            case (
                ast.Rule(body=body)
                | ast.Else(body=body)
                | ast.ArrayCompr(body=body)
                | ast.SetCompr(body=body)
                | ast.ObjectCompr(body=body)
                | ast.Every(body=body)
                | ast.NotBody(body=body)
                | ast.When(body=body)
                | ast.Policy(body=body)
            ):
                if body:
                    yield body


def literals(node: Any) -> Iterator[ast.Literal]:
    """All literals below a node."""
    for body in bodies(node):
        yield from body


def variables(term: Any) -> Iterator[ast.Var]:
    """The names in a term, without those of called functions."""
    operators = {id(call.operator) for call, _ in calls(term)}
    heads = {id(op.head) for call, _ in calls(term) if isinstance(op := call.operator, ast.Ref)}
    for node in walk(term):
        if isinstance(node, ast.Var) and id(node) not in operators and id(node) not in heads:
            yield node


def pattern(term: ast.Term) -> Iterator[ast.Var]:
    """The names that a pattern binds."""
    match term:
        case ast.Var():
            yield term
        case ast.Array(items=items):
            for item in items:
                yield from pattern(item)
        case ast.Object(items=pairs):
            for _, value in pairs:
                yield from pattern(value)


def declared(unit: Unit) -> Iterator[Declared]:
    """The local names of a rule or policy."""
    if isinstance(unit, ast.Rule):
        for argument in unit.head.args or ():
            yield from (Declared(v, "argument") for v in pattern(argument))
    for node in walk(unit):
        match node:
            case ast.SomeDecl(names=names):
                yield from (Declared(v, "some") for v in names)
            case ast.SomeIn(key=key, value=value):
                yield from (Declared(v, "key") for v in (pattern(key) if key else ()))
                yield from (Declared(v, "in") for v in pattern(value))
            case ast.Every(key=key, value=value):
                yield from (Declared(v, "key") for v in (key,) if v is not None)
                yield Declared(value, "every")
            case ast.For(key=key, value=value):
                yield from (Declared(v, "key") for v in (key,) if v is not None)
                yield from (Declared(v, "for") for v in pattern(value))
            case ast.Let(name=name):
                yield Declared(name, "let")
            case ast.Call(operator=ast.Var(name="assign"), args=(target, _)):
                yield from (Declared(v, "assign") for v in pattern(target))


def occurrences(unit: Any) -> Counter[str]:
    """How often each name stands in a rule or policy, the head included."""
    return Counter(v.name for v in walk(unit) if isinstance(v, ast.Var))


def is_constant(term: ast.Term) -> bool:
    """True for a literal value without names, calls or comprehensions."""
    match term:
        case ast.Null() | ast.Boolean() | ast.Number() | ast.String():
            return True
        case ast.Array(items=items) | ast.SetTerm(items=items):
            return all(map(is_constant, items))
        case ast.Object(items=pairs):
            return all(is_constant(k) and is_constant(v) for k, v in pairs)
    return False


def walks(term: ast.Term) -> bool:
    """True for a reference that iterates: ``xs[_]``."""
    return isinstance(term, ast.Ref) and any(isinstance(p, ast.Var) and p.name == "_" for p in term.path)


def iterates(literal: ast.Literal) -> bool:
    """True for a literal that can have many solutions."""
    if isinstance(literal, ast.SomeIn):
        return True
    if not isinstance(literal, ast.Expr) or literal.negated:
        return False
    return any(isinstance(n, ast.Ref) and walks(n) for n in walk(literal.term))
