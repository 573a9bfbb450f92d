"""Runs one test after the other on a compiled program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.analysis.safety import order, variables
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.engine import Program
from policy_lang.plan.lower import grouped
from policy_lang.runtime import session, support
from policy_lang.runtime.limits import DEFAULT, Limits
from policy_lang.runtime.values import UNDEFINED, from_json, to_json
from policy_lang.source import Source, Span
from policy_lang.syntax import ast
from policy_lang.syntax.write_rego import package_path
from policy_lang.testing.collect import CaseTest, RuleTest, Test, terms
from policy_lang.testing.difference import difference
from policy_lang.testing.results import Status, SubCase, TestResult
from policy_lang.trace.evaluate import Env, Evaluator
from policy_lang.trace.record import ExhaustedError, Recorder
from policy_lang.trace.report import explained

Complete = Callable[[Any], Outcome[Any]]
EXPLAINED_LITERALS = 200_000
"""How many literals are looked at to say why a test failed: about two seconds."""


class _Undecided(Exception):
    """A test that cannot be decided; the arguments are the lines that say why."""


@dataclass(slots=True)
class Runner:
    """``complete`` fills an input up and finds its mistakes; ``covering`` sees all that is evaluated, if given;
    ``analysed`` makes the program's rules where an explanation or the coverage asks for them."""

    program: Program
    analysed: Callable[[], tuple[ResolvedRule, ...]]
    sources: dict[str, Source]
    data: Any = None
    complete: Complete | None = None
    covering: Recorder | None = None
    limits: Limits = DEFAULT
    policies: dict[str, list[bool]] = field(default_factory=dict)
    _rules: tuple[ResolvedRule, ...] | None = None
    _groups: dict[Path, list[ResolvedRule]] | None = None

    @property
    def rules(self) -> tuple[ResolvedRule, ...]:
        if self._rules is None:
            self._rules = self.analysed()
        return self._rules

    def _evaluator(self, recorder: Recorder) -> Evaluator:
        if self._groups is None:
            self._groups = grouped(list(self.rules))
        return Evaluator(self._groups, recorder)

    def run(self, test: Test) -> TestResult:
        """The result of a test."""
        package = ".".join(test.package)
        started = time.perf_counter()
        printed: list[str] = []
        try:
            with session.opened(prints=printed.append):
                made = self._case(test, package) if isinstance(test, CaseTest) else self._rule(test)
        except _Undecided as reason:
            made = (Status.ERROR, tuple(reason.args), (), ())
        seconds = time.perf_counter() - started
        name = package_path(test.package)
        return TestResult(name, test.title, made[0], test.span, *made[1:], seconds, tuple(printed))

    # ------------------------------------------------------------- cases

    def _case(
        self, test: CaseTest, package: str
    ) -> tuple[Status, tuple[str, ...], tuple[str, ...], tuple[SubCase, ...]]:
        values = {
            name: self._value((*test.package, test.prefix + name), f"the {name.rstrip('_0123456789')} of this case")
            for name, _ in terms(test.case)
        }
        if self.complete is not None:
            filled = self.complete(values["input"])
            if filled.diagnostics:
                raise _Undecided(*(_mistake(problem, test.case.input) for problem in filled.diagnostics))
            values["input"] = filled.value
        given = {name: values[f"given_{name}"] for name, _ in test.case.given}
        data = {**(self.data or {}), "floec": {"params": {package: given}}}
        violation, subject = (*test.package, "violation"), (*test.package, "subjects", test.policy)
        found = [
            value
            for value in self._value(violation, "violation", values["input"], data)
            if value["name"] == test.policy
        ]
        checked = len(self._value(subject, f"subjects.{test.policy}", values["input"], data))
        detail = difference(test.case, values, found, checked)
        seen = self.policies.setdefault(f"{package}.{test.policy}", [False, False])
        seen[0] |= bool(found)
        seen[1] |= checked > len({to_json(value["at"]) for value in found})
        if self.covering is not None:
            for path in (violation, subject):
                self._trace(path, self.covering, values["input"], data)
        if not detail:
            return Status.PASS, (), (), ()
        recorder = Recorder(budget=EXPLAINED_LITERALS)
        self._trace(violation, recorder, values["input"], data)
        rules = [rule for rule in self.rules if rule.path == violation and self._belongs(rule, test)]
        return Status.FAIL, detail, explained(recorder, rules, self.sources), ()

    def _belongs(self, rule: ResolvedRule, test: CaseTest) -> bool:
        """Whether a `violation` rule is one of the policy's: its record says so."""
        value = rule.branches[0].value
        name = ast.String("name", span=test.span), ast.String(test.policy, span=test.span)
        return isinstance(value, ast.Object) and name in value.items

    def _value(self, path: tuple[str, ...], what: str, given: Any = UNDEFINED, data: Any = None) -> Any:
        """The value at ``path`` as plain JSON; a set is an array."""
        answer = self.program.eval_path(path, input=given, data=data, strict_builtin_errors=True, limits=self.limits)
        if answer.diagnostics:
            raise _Undecided(*(f"{what}: {_said(problem)}" for problem in answer.diagnostics))
        if answer.value is UNDEFINED:
            raise _Undecided(f"{what} is undefined")
        return from_json(to_json(answer.value))

    # ------------------------------------------------------------- rules

    def _rule(self, test: RuleTest) -> tuple[Status, tuple[str, ...], tuple[str, ...], tuple[SubCase, ...]]:
        if test.title.startswith("todo_"):
            return Status.SKIP, (), (), ()
        path = (*test.package, test.title)
        answer = self.program.eval_path(path, data=self.data, limits=self.limits)
        if answer.value is None and answer.diagnostics:
            raise _Undecided(*map(_said, answer.diagnostics))
        if self.covering is not None:
            self._trace(path, self.covering, UNDEFINED, self.data)
        if answer.value is True and not test.keyed:
            return Status.PASS, (), (), ()
        rules = [rule for rule in self.rules if rule.path[: len(path)] == path]
        with session.opened(prints=_again):
            cases = tuple(self._cases(rules, path, answer.value)) if test.keyed else ()
        with_keys = any(variables(rule.keys) for rule in rules)
        if answer.value is True or (with_keys and all(case.passed for case in cases)):
            return Status.PASS, (), (), cases
        recorder = Recorder(budget=EXPLAINED_LITERALS)
        self._trace(path, recorder, UNDEFINED, self.data)
        shown = "undefined" if answer.value is UNDEFINED else to_json(answer.value)
        detail = () if with_keys else (f"expected true, the rule is {shown}",)
        return Status.FAIL, detail, explained(recorder, rules, self.sources), cases

    def _cases(self, rules: Sequence[ResolvedRule], path: tuple[str, ...], value: Any) -> Iterator[SubCase]:
        """The cases of a rule with keys: one for each solution of the literals that its keys need."""
        evaluator = self._evaluator(Recorder(values=False))
        context = support.Context(UNDEFINED, self.data or {})
        seen: set[tuple[str, ...]] = set()
        for rule in rules:
            constant = list(rule.path[len(path) :])
            for env in self._bindings(evaluator, rule, context):
                for keys, _ in evaluator.terms(rule.keys, env, context):
                    found = value
                    for key in (*constant, *keys):
                        found = support.get(found, key)
                    shown = tuple(key if isinstance(key, str) else to_json(key) for key in (*constant, *keys))
                    if shown not in seen:
                        seen.add(shown)
                        yield SubCase(shown, found is True)

    def _bindings(self, evaluator: Evaluator, rule: ResolvedRule, context: support.Context) -> Iterator[Env]:
        branch = rule.branches[0]
        needed = variables(rule.keys)
        literals, _ = order(branch.body, frozenset(), (branch.value, rule.keys))
        for count in range(1, len(literals) + 1):
            _, bound = order(literals[:count], frozenset(), (branch.value, rule.keys))
            if needed and needed <= bound:
                yield from evaluator.body(literals[:count], {}, context, (branch.value, rule.keys))
                return

    def _trace(self, path: tuple[str, ...], recorder: Recorder, given: Any, data: Any) -> None:
        evaluator = self._evaluator(recorder)
        try:
            with session.opened(prints=_again):
                evaluator.document(path, support.Context(given, data or {}))
        except (support.EvalError, DiagnosticError, RecursionError, ExhaustedError):
            return  # the engine has met the same error and said so; what was seen until then is shown


def _again(_line: str) -> None:
    """What an explanation prints, the evaluation has printed before."""


def _said(problem: Diagnostic) -> str:
    place = f" ({problem.span.file}:{problem.span.line})" if problem.span is not None else ""
    return problem.message + place


def _mistake(problem: Diagnostic, given: ast.Term) -> str:
    """A mistake in an input, with the line of the case where it stands."""
    span = _place(given, problem.path)
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"line {span.line}: {problem.message}{hint}"


def _place(term: ast.Term, path: Sequence[str | int]) -> Span:
    """The place in a literal of what a path leads to, or of what is nearest to it."""
    if not path:
        return term.span
    match term:
        case ast.Object():
            for key, value in term.items:
                if isinstance(key, ast.String) and key.value == path[0]:
                    return _place(value, path[1:]) if len(path) > 1 else key.span
        case ast.Array() if isinstance(path[0], int) and path[0] < len(term.items):
            return _place(term.items[path[0]], path[1:])
    return term.span


def policy_names(modules: Sequence[ast.Module]) -> tuple[str, ...]:
    """The policies of modules as ``package.name``."""
    return tuple(f"{'.'.join(module.package.path)}.{policy.name}" for module in modules for policy in module.policies)
