"""Finds the tests in modules, and makes the terms of cases into rules that the engine can evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policy_lang.diagnostics import Diagnostic
from policy_lang.source import Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.syntax.write_rego import package_path


@dataclass(frozen=True, slots=True)
class CaseTest:
    """A case of a `test` declaration; its terms are rules named ``prefix…`` in ``package``."""

    package: tuple[str, ...]
    policy: str
    case: ast.TestCase
    prefix: str

    @property
    def title(self) -> str:
        return f"{self.policy}: {self.case.title}"

    @property
    def span(self) -> Span:
        return self.case.span


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A `test_…` rule. ``keyed`` says that it has keys, so that its value is an object of cases."""

    package: tuple[str, ...]
    title: str
    span: Span
    keyed: bool = False


Test = CaseTest | RuleTest


def full_name(test: Test) -> str:
    """The name as ``opa test`` shows it, which ``--run`` is matched against."""
    return f"data.{package_path(test.package)}.{test.title}"


def unknown_names(modules: Sequence[ast.Module]) -> Iterable[Diagnostic]:
    """Tests of policies and params that their package lacks (``floe_test_error``)."""
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
    return Diagnostic("floe_test_error", text, span, hint=did_you_mean(name, sorted(known)))


def prepared(
    module: ast.Module, number: int, seen: dict[tuple[tuple[str, ...], str], int]
) -> tuple[ast.Module, list[Test]]:
    """The desugared module with rules for its cases, and its tests; ``seen`` counts rules of one name."""
    package = tuple(module.package.path)
    tests: list[Test] = []
    rules: list[ast.Rule] = []
    for rule in module.rules:
        name = _test_name(rule)
        if name is not None:
            # As in `opa test`, rules of one name are tests of their own: one must not hide another.
            again = seen[package, name] = seen.get((package, name), -1) + 1
            if again:
                name = f"{name}#{again:02}"
                ref = replace(rule.head.ref, head=ast.Var(name, span=rule.head.span))
                rule = replace(rule, head=replace(rule.head, ref=ref))
            tests.append(RuleTest(package, name, rule.span, keyed=bool(rule.head.ref.path)))
        rules.append(rule)
    for test_number, test in enumerate(module.tests):
        for case_number, case in enumerate(test.cases):
            prefix = f"__case_{number}_{test_number}_{case_number}_"
            rules += [_rule(prefix + name, term) for name, term in terms(case)]
            tests.append(CaseTest(package, test.policy, case, prefix))
    return replace(module, rules=tuple(rules), tests=()), tests


def _test_name(rule: ast.Rule) -> str | None:
    head = rule.head
    if rule.default or not isinstance(head.ref.head, ast.Var):
        return None
    name = head.ref.head.name
    return name if name.startswith(("test_", "todo_test_")) else None


def terms(case: ast.TestCase) -> Iterable[tuple[str, ast.Term]]:
    """The terms of a case by the names of their rules."""
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
