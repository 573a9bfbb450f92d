"""Runs the tests of policies: `test` declarations of `.floe` files and the `test_…` rules of Rego.

The terms of a case (input, params, expectations) become rules of the test's own package, so that a
case may use the imports and rules of its file, and is evaluated by the engine that runs policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.engine import Program, compile_modules
from policy_lang.runtime.values import UNDEFINED, from_json, to_json
from policy_lang.source import Source, Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast


class Status(StrEnum):
    """``error``: the test could not be decided, which counts as failed."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TestResult:
    """One case or rule; ``detail`` says, line by line, how what was found differs from what was expected."""

    __test__ = False

    name: str
    status: Status
    span: Span
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestReport:
    """The results in the order of the files."""

    __test__ = False

    results: tuple[TestResult, ...]

    @property
    def ok(self) -> bool:
        """True where no test failed or ended in an error."""
        return not any(result.status in (Status.FAIL, Status.ERROR) for result in self.results)

    def count(self, status: Status) -> int:
        """How many tests ended with ``status``."""
        return sum(result.status is status for result in self.results)


@dataclass(frozen=True, slots=True)
class _Case:
    """A case whose terms are rules named ``prefix…`` in ``package``."""

    package: tuple[str, ...]
    policy: str
    case: ast.TestCase
    prefix: str

    @property
    def name(self) -> str:
        return f"{'.'.join(self.package)}.{self.policy}: {self.case.title}"


@dataclass(frozen=True, slots=True)
class _RuleTest:
    package: tuple[str, ...]
    rule: str
    span: Span
    keyed: bool = False

    @property
    def name(self) -> str:
        return f"{'.'.join(self.package)}.{self.rule}"


class _Undecided(Exception):
    """A test that cannot be decided; the text says why."""


def run_tests(sources: Sequence[Source], run_filter: str | None = None) -> Outcome[TestReport]:
    """Runs the tests in ``sources`` whose name contains ``run_filter``.

    There is no report where the files do not compile, or where a test names a policy or parameter
    that its package lacks (``floe_test_error``).
    """
    from policy_lang.analysis.desugar import desugar
    from policy_lang.syntax.parser import parse_module

    found: list[Diagnostic] = []
    modules: list[ast.Module] = []
    for source in sources:
        parsed = parse_module(source)
        found += parsed.diagnostics
        if parsed.value is not None and parsed.ok:
            modules.append(parsed.value)
    found += _unknown_names(modules)
    tests: list[_Case | _RuleTest] = []
    plain: list[ast.Module] = []
    seen: dict[tuple[tuple[str, ...], str], int] = {}
    for number, module in enumerate(modules):
        made = desugar(module)
        found += made.diagnostics
        if made.value is not None:
            prepared, own = _prepared(made.value, number, seen)
            plain.append(prepared)
            tests += own
    if blocking(found):
        return Outcome(None, tuple(found))
    compiled = compile_modules(plain)
    found += compiled.diagnostics
    if compiled.value is None:
        return Outcome(None, tuple(found))
    chosen = [test for test in tests if run_filter is None or run_filter in test.name]
    return Outcome(TestReport(tuple(_run(compiled.value, test) for test in chosen)), tuple(found))


# --------------------------------------------------------------------------- preparing


def _unknown_names(modules: Iterable[ast.Module]) -> Iterable[Diagnostic]:
    modules = list(modules)
    for module in modules:
        package = [other for other in modules if other.package.path == module.package.path]
        policies = {policy.name for other in package for policy in other.policies}
        params = {param.name for other in package for param in other.params}
        for test in module.tests:
            if test.policy not in policies:
                yield _unknown("policy", test.policy, policies, test.span)
            for case in test.cases:
                for name, term in case.given:
                    if name not in params:
                        yield _unknown("param", name, params, term.span)


def _unknown(kind: str, name: str, known: set[str], span: Span) -> Diagnostic:
    text = f"the package of this test has no {kind} {name}"
    return Diagnostic("floe_test_error", text, span, hint=did_you_mean(name, sorted(known)) or "")


def _prepared(
    module: ast.Module, number: int, seen: dict[tuple[tuple[str, ...], str], int]
) -> tuple[ast.Module, list[_Case | _RuleTest]]:
    """The module with the rules for its cases, and its tests."""
    package = tuple(module.package.path)
    tests: list[_Case | _RuleTest] = []
    rules: list[ast.Rule] = []
    for rule in module.rules:
        name = _test_name(rule)
        if name is not None:
            # As in `opa test`, rules of one name are tests of their own: one must not hide another.
            again = seen[package, name] = seen.get((package, name), -1) + 1
            if again and not rule.head.ref.path:
                name = f"{name}#{again:02}"
                ref = replace(rule.head.ref, head=ast.Var(name, span=rule.head.span))
                rule = replace(rule, head=replace(rule.head, ref=ref))
            tests.append(_RuleTest(package, name, rule.span, keyed=bool(rule.head.ref.path)))
        rules.append(rule)
    for test_number, test in enumerate(module.tests):
        for case_number, case in enumerate(test.cases):
            prefix = f"__case_{number}_{test_number}_{case_number}_"
            rules += [_rule(prefix + name, term) for name, term in _terms(case)]
            tests.append(_Case(package, test.policy, case, prefix))
    return replace(module, rules=tuple(rules), tests=()), tests


def _test_name(rule: ast.Rule) -> str | None:
    head = rule.head
    if head.args is not None or not isinstance(head.ref.head, ast.Var):
        return None
    name = head.ref.head.name
    return name if name.startswith(("test_", "todo_test_")) else None


def _terms(case: ast.TestCase) -> Iterable[tuple[str, ast.Term]]:
    yield "input", case.input
    for name, term in case.given:
        yield f"given_{name}", term
    for number, expected in enumerate(case.expects):
        if expected.at is not None:
            yield f"at_{number}", expected.at
        if expected.message is not None:
            yield f"message_{number}", expected.message


def _rule(name: str, term: ast.Term) -> ast.Rule:
    ref = ast.Ref(ast.Var(name, span=term.span), (), span=term.span)
    holds = ast.Expr(ast.Boolean(True, span=term.span), span=term.span)
    return ast.Rule(ast.Head(ref, value=term, assign=":=", span=term.span), (holds,), span=term.span)


# --------------------------------------------------------------------------- running


def _run(program: Program, test: _Case | _RuleTest) -> TestResult:
    span = test.case.span if isinstance(test, _Case) else test.span
    try:
        status, detail = _run_case(program, test) if isinstance(test, _Case) else _run_rule(program, test)
    except _Undecided as reason:
        status, detail = Status.ERROR, (str(reason),)
    return TestResult(test.name, status, span, detail)


def _run_rule(program: Program, test: _RuleTest) -> tuple[Status, tuple[str, ...]]:
    if test.rule.startswith("todo_"):
        return Status.SKIP, ()
    if test.keyed:
        # The keys that should have been there are known only to a trace; silence would look like success.
        raise _Undecided("a test rule with keys cannot be decided: write one rule for each case")
    answer = program.eval_path((*test.package, test.rule))
    if answer.value is None and answer.diagnostics:
        raise _Undecided("; ".join(d.message for d in answer.diagnostics))
    if answer.value is True:
        return Status.PASS, ()
    shown = "undefined" if answer.value is UNDEFINED else to_json(answer.value)
    return Status.FAIL, (f"expected true, the rule is {shown}",)


def _run_case(program: Program, test: _Case) -> tuple[Status, tuple[str, ...]]:
    terms = {
        name: _value(program, (*test.package, test.prefix + name), f"the {name.rstrip('_0123456789')} of this case")
        for name, _ in _terms(test.case)
    }
    given = {name: terms[f"given_{name}"] for name, _ in test.case.given}
    data = {"floec": {"params": {".".join(test.package): given}}}
    places = []
    for path in (("violation",), ("subjects", test.policy)):
        places.append(_value(program, (*test.package, *path), ".".join(path), terms["input"], data))
    violations = [found for found in places[0] if found["name"] == test.policy]
    detail = _difference(test.case, terms, violations, len(places[1]))
    return (Status.FAIL if detail else Status.PASS), detail


def _value(program: Program, path: tuple[str, ...], what: str, given: Any = UNDEFINED, data: Any = None) -> Any:
    """The value at ``path`` as plain JSON; a set is an array."""
    answer = program.eval_path(path, input=given, data=data, strict_builtin_errors=True)
    if answer.diagnostics:
        raise _Undecided(f"{what}: " + "; ".join(d.message for d in answer.diagnostics))
    if answer.value is UNDEFINED:
        raise _Undecided(f"{what} is undefined")
    return from_json(to_json(answer.value))


def _difference(
    case: ast.TestCase, terms: dict[str, Any], violations: list[dict[str, Any]], subjects: int
) -> tuple[str, ...]:
    """Lines that say what differs; none where the case holds."""
    shown = tuple(f"+ found    {_shown(v)}" for v in violations)
    if case.outcome == "skip":
        return (f"expected no subject, {subjects} checked",) if subjects else shown
    if not subjects and not violations:
        return ("no subject was checked",)
    if case.outcome == "pass":
        return shown
    if not violations:
        return ("expected a violation, found none",)
    wanted = [(terms.get(f"at_{n}"), terms.get(f"message_{n}")) for n in range(len(case.expects))]
    if not wanted or (len(wanted) == len(violations) and _paired(wanted, violations, terms["input"])):
        return ()
    return (*(f"- expected {_wanted(at, message)}" for at, message in wanted), *shown)


def _paired(wanted: list[tuple[Any, Any]], violations: list[dict[str, Any]], given: Any) -> bool:
    """Whether each expectation can be given a violation of its own."""
    if not wanted:
        return True
    at, message = wanted[0]
    for index, found in enumerate(violations):
        fits = (at is None or _is_at(at, found, given)) and (message is None or str(message) in found["message"])
        if fits and _paired(wanted[1:], violations[:index] + violations[index + 1 :], given):
            return True
    return False


def _is_at(at: Any, found: dict[str, Any], given: Any) -> bool:
    """``at`` is the path into the input, or the value at that path, or the name of the subject."""
    if at == found["at"] or at == found["subject"]:
        return True
    value = given
    for part in found["at"]:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and not isinstance(part, str) and 0 <= int(part) < len(value):
            value = value[int(part)]
        else:
            return False
    return bool(value == at or (isinstance(value, dict) and value.get("name") == at))


def _wanted(at: Any, message: Any) -> str:
    parts = [f"at {to_json(at)}"] if at is not None else []
    return " ".join([*parts, f"message {to_json(message)}"] if message is not None else parts)


def _shown(found: dict[str, Any]) -> str:
    return f"at {to_json(found['at'])} message {to_json(found['message'])}"
