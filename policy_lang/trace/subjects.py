"""What each policy makes of one subject: whether it applies, what it finds, and which literal decided.

A policy's loops that lead to the subject are bound to it (`for model in input.models` becomes
`let model := input.models[3]`); what then remains of the policy is traced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from policy_lang.analysis.desugar import desugar, path_of, policy_rules
from policy_lang.diagnostics import Outcome
from policy_lang.records import NamedTuple
from policy_lang.source import Source
from policy_lang.syntax import ast
from policy_lang.syntax.parser import parse_module
from policy_lang.trace.explain import Traced, traced
from policy_lang.trace.record import ExhaustedError, Recorder
from policy_lang.trace.report import explained

Place = tuple[str | int, ...]
_BUDGET = 500_000
"""So many literals are looked at for one policy: a trace is slow, and a policy may look at a whole project."""
_FOUND, _COUNTED = "why_found_", "why_counted_"


class Judged(NamedTuple):
    """What a policy makes of a subject.

    ``subjects`` is how many it checked there (several where it loops over the subject's parts), ``messages`` are those
    of its violations, ``literals`` says of each literal how often it held, and with which values it failed.
    ``problem`` is why it could not be told.
    """

    id: str
    name: str
    title: str
    subjects: int
    messages: tuple[str, ...]
    literals: tuple[str, ...]
    problem: str = ""

    @property
    def verdict(self) -> str:
        """``undecided``, ``does not apply``, ``violated`` or ``passed``."""
        if self.problem:
            return "undecided"
        if not self.subjects:
            return "does not apply"
        return "violated" if self.messages else "passed"

    @property
    def decisive(self) -> tuple[str, ...]:
        """The first literal that never held, with its values."""
        for number, line in enumerate(self.literals):
            if _STOPS.search(line):
                rest = self.literals[number + 1 :]
                values = [number for number, line in enumerate(rest) if not line.strip().startswith("where ")]
                return (line, *rest[: values[0] if values else len(rest)])
        return ()


_STOPS = re.compile(r": (failed|held 0 of \d+)$")


def judged(
    sources: Sequence[Source],
    ids: Collection[str],
    ir: Any,
    params: Mapping[str, Mapping[str, Any]],
    place: Place,
) -> Outcome[tuple[Judged, ...]]:
    """What the policies among ``ids`` that loop over subjects like that at ``place`` of ``ir`` make of it."""
    modules: list[ast.Module] = []
    asked: list[tuple[ast.Module, ast.Policy]] = []
    for source in sources:
        parsed = parse_module(source)
        plain = desugar(replace(parsed.value, policies=())) if parsed.value is not None else parsed
        if parsed.value is None or plain.value is None:
            return Outcome(None, (*parsed.diagnostics, *plain.diagnostics))
        rules: list[ast.Rule] = []
        for policy in parsed.value.policies:
            bound = _bound(policy, place) if policy.id in ids else None
            if bound is not None:
                rules += _rules(bound)
                asked.append((parsed.value, policy))
        modules.append(replace(plain.value, rules=(*plain.value.rules, *rules)))
    made = traced(modules)
    if made.value is None:
        return Outcome(None, made.diagnostics)
    texts = {source.file: source for source in sources}
    data = {"floec": {"params": {package: dict(values) for package, values in params.items()}}}
    known: dict[Any, Any] = {}  # what policies share, such as tables of all models, is made once
    found = (
        _judged(made.value, module, policy, texts, {"input": ir, "data": data, "strict": True, "known": known})
        for module, policy in asked
    )
    return Outcome(tuple(sorted(found, key=lambda one: one.id)))


def _rules(policy: ast.Policy) -> Iterator[ast.Rule]:
    """The policy's rules under names of their own, so that each can be asked alone."""
    *violations, subjects = policy_rules(policy)
    for rule in violations:
        yield _named(rule, f"{_FOUND}{policy.name}")
    yield _named(subjects, f"{_COUNTED}{policy.name}")


def _named(rule: ast.Rule, name: str) -> ast.Rule:
    ref = ast.Ref(ast.Var(name, span=rule.span), (), span=rule.span)
    return replace(rule, head=replace(rule.head, ref=ref))


# --------------------------------------------------------------------------- binding the loops


def _bound(policy: ast.Policy, place: Place) -> ast.Policy | None:
    """The policy about what is at ``place`` alone; None where its loops do not lead there."""
    paths: dict[str, tuple[ast.Term, ...]] = {"input": ()}
    clauses: list[ast.For | ast.When | ast.Let] = []
    reached: Place = ()
    for number, clause in enumerate(policy.scope):
        if isinstance(clause, ast.Let) and (base := path_of(clause.value, paths)) is not None:
            paths[clause.name.name] = base
        base = path_of(clause.collection, paths) if isinstance(clause, ast.For) else None
        if not isinstance(clause, ast.For) or base is None or len(reached) == len(place):
            clauses.append(clause)
            continue
        here = _unified((*base, ast.Var(f"__at{number}", span=clause.span)), place)
        if here is None:
            return None
        reached = here
        element = _element(here, clause)
        if clause.key is not None and clause.key.name != "_":
            clauses.append(ast.Let(clause.key, _constant(here[-1], clause), span=clause.span))
        if isinstance(clause.value, ast.Var):
            clauses.append(ast.Let(clause.value, element, span=clause.span))
            paths[clause.value.name] = tuple(_constant(part, clause) for part in here)
        else:
            same = ast.Call(ast.Var("eq", span=clause.span), (clause.value, element), infix="=", span=clause.span)
            clauses.append(ast.When((ast.Expr(same, span=clause.span),), span=clause.span))
    if reached != place:
        return None
    return replace(policy, scope=tuple(clauses))


def _unified(path: Sequence[ast.Term], place: Place) -> Place | None:
    """The beginning of ``place`` that a loop's path leads to; a variable in it stands for anything."""
    fits = len(path) <= len(place) and all(
        isinstance(part, ast.Var) or (isinstance(part, ast.String | ast.Number) and _text(part) == str(wanted))
        for part, wanted in zip(path, place, strict=False)
    )
    return place[: len(path)] if fits else None


def _text(term: ast.String | ast.Number) -> str:
    return term.value if isinstance(term, ast.String) else term.text


def _element(place: Place, clause: ast.For) -> ast.Term:
    path = tuple(_constant(part, clause) for part in place)
    return ast.Ref(ast.Var("input", span=clause.span), path, span=clause.span)


def _constant(part: str | int, node: ast.For | ast.Term) -> ast.Term:
    return ast.String(part, span=node.span) if isinstance(part, str) else ast.Number(str(part), span=node.span)


# --------------------------------------------------------------------------- asking


def _judged(
    rules: Traced, module: ast.Module, policy: ast.Policy, texts: Mapping[str, Source], given: dict[str, Any]
) -> Judged:
    recorder = Recorder(budget=_BUDGET)
    place = "data" + "".join(f'["{part}"]' for part in module.package.path)
    about = Judged(policy.id, policy.name, policy.title, 0, (), ())
    try:
        counted = _members(rules.query(f"some x in {place}.{_COUNTED}{policy.name}", recorder, **given))
        recorder = Recorder(budget=_BUDGET)
        query = f"some x in {place}.{_FOUND}{policy.name}"
        found = _members(rules.query(query, recorder, **given))
    except ExhaustedError:
        return about._replace(problem="it looks at too much to be traced")
    problem = next((d.message for d in (*counted.diagnostics, *found.diagnostics)), "")
    path = (*module.package.path, f"{_FOUND}{policy.name}")
    own = [rule for rule in rules.rules if rule.path == path][:1]
    messages = dict.fromkeys(str(one["message"]) for one in found.value or ())
    literals = tuple(dict.fromkeys(explained(recorder, own, texts)))
    return about._replace(
        subjects=len(counted.value or ()), messages=tuple(messages), literals=literals, problem=problem
    )


def _members(answer: Outcome[tuple[tuple[dict[str, Any], ...], ast.Body]]) -> Outcome[tuple[Any, ...]]:
    if answer.value is None:
        return Outcome(None, answer.diagnostics)
    return Outcome(tuple(bindings["x"] for bindings in answer.value[0]))
