"""The values that the parts of a failed literal had, and where an undefined one stops being defined."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from policy_lang.analysis.safety import pattern_variables
from policy_lang.runtime import support
from policy_lang.runtime.values import UNDEFINED, to_json
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.syntax.write_rego import write_term

if TYPE_CHECKING:
    from policy_lang.runtime.support import Context
    from policy_lang.trace.evaluate import Env, Evaluator

WIDTH = 100
_UNIQUE = re.compile(r"\b(\w+)\$\d+")


def observed(evaluator: Evaluator, literal: ast.Literal, env: Env, context: Context) -> tuple[tuple[str, str], ...]:
    """Text and value of each part of a literal, the parts of a part first."""
    changes = next(evaluator.changes(getattr(literal, "withs", ()), env, context), [])
    inner = context.derive(changes) if changes else context
    shown: dict[str, str] = {}
    for term in _parts(evaluator, literal):
        for part in _below(term):
            if not (isinstance(part, ast.Var) and pattern_variables(part) - frozenset(env)):
                shown.setdefault(_named(evaluator, part), _value(evaluator, part, env, inner))
    shown |= _bound_within(evaluator, literal, env, inner)
    return tuple(shown.items())


def _bound_within(evaluator: Evaluator, literal: ast.Literal, env: Env, context: Context) -> dict[str, str]:
    """What a `not` found although it should not, or the element for which an `every` failed."""
    found: Env | None = None
    if isinstance(literal, ast.NotBody):
        found = next(evaluator.body(literal.body, env, context), None)
    elif isinstance(literal, ast.Every):
        for domain, bound in evaluator.term(literal.domain, env, context):
            found = found or next(evaluator.exceptions(literal, domain, bound, context), None)
    names = sorted((found or {}).keys() - env.keys())
    return {named(name): shortened(to_json((found or {})[name])) for name in names if not name.startswith("_")}


def _named(evaluator: Evaluator, term: ast.Term) -> str:
    """A term's text with the names as they were written."""

    def original(match: re.Match[str]) -> str:
        moved = evaluator.moved.get(match[0])
        return match[1] if moved is None else _named(evaluator, moved)

    return _UNIQUE.sub(original, write_term(term))


def named(text: str) -> str:
    """A variable's name as it was written."""
    return _UNIQUE.sub(r"\1", text)


def shortened(text: str) -> str:
    """A value's text, cut where it is long."""
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _parts(evaluator: Evaluator, literal: ast.Literal) -> Iterator[ast.Term]:
    match literal:
        case ast.Expr(term=ast.Call() as call) if call.infix is None and evaluator.with_output(call):
            yield replace(call, args=call.args[:-1])
            yield call.args[-1]
        case ast.Expr():
            yield literal.term
        case ast.SomeIn():
            yield literal.collection
        case ast.Every():
            yield literal.domain
        case _:
            return


def _below(term: ast.Term) -> Iterator[ast.Term]:
    """A term's parts that may be of interest: names, references and calls, not closures."""
    match term:
        case ast.Call():
            for arg in term.args:
                yield from _below(arg)
            moved = isinstance(term.operator, ast.Var) and term.operator.name == "eq"
            if term.infix in tuple("+-*/%&|") or (term.infix is None and not moved):
                yield term
        case ast.Array() | ast.SetTerm():
            for item in term.items:
                yield from _below(item)
        case ast.Object():
            for _, value in term.items:
                yield from _below(value)
        case ast.Ref():
            for part in term.path:
                if isinstance(part, ast.Ref | ast.Call | ast.Var):
                    yield from _below(part)
            yield term
        case ast.Var() | ast.ArrayCompr() | ast.SetCompr() | ast.ObjectCompr() | ast.Template():
            yield term
        case _:
            return


def _value(evaluator: Evaluator, term: ast.Term, env: Env, context: Context) -> str:
    strict = context.in_strictness()
    try:
        found = []
        for value, _ in evaluator.term(term, env, strict):
            found.append(shortened(to_json(value)))
            if len(found) == 3:
                break
    except support.EvalError as error:
        return f"undefined ({error})"
    if found:
        return " | ".join(found)
    return "undefined" + _why(evaluator, term, env, context)


def _why(evaluator: Evaluator, term: ast.Term, env: Env, context: Context) -> str:
    """`` (input.a has no `b`)`` for a reference, else nothing; why a rule has no value is told where it stands."""
    if not isinstance(term, ast.Ref):
        return ""
    constant = takewhile(lambda part: isinstance(part, ast.String), term.path)
    path = tuple(part.value for part in constant if isinstance(part, ast.String))
    below_data = isinstance(term.head, ast.Var) and term.head.name == "data"
    if below_data and any(path[:count] in evaluator.groups for count in range(len(path) + 1)):
        return ""
    for count in range(len(term.path) - 1, -1, -1):
        before: ast.Term = replace(term, path=term.path[:count]) if count else term.head
        package = evaluator.names_in(path[:count], context) if below_data and count <= len(path) else {}
        # To evaluate all rules of a package only to say what it lacks could take longer than every test.
        value: Any = package or next((v for v, _ in evaluator.term(before, env, context)), UNDEFINED)
        if value is UNDEFINED:
            continue
        key = next((k for k, _ in evaluator.term(term.path[count], env, context)), UNDEFINED)
        if key is UNDEFINED:
            return f" ({_named(evaluator, before)} has no such element)"
        names = [k for k in value if isinstance(k, str)] if isinstance(value, dict) else []
        hint = did_you_mean(key, names) if isinstance(key, str) else ""
        missing = key if isinstance(key, str) else to_json(key)
        return f" ({_named(evaluator, before)} has no `{missing}`{': ' + hint if hint else ''})"
    return f" ({_named(evaluator, term.head)} is undefined)"
