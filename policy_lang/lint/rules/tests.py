"""Rules about tests, of both kinds: ``test_…`` rules and ``test`` declarations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import called, is_constant, name_of
from policy_lang.lint.registry import File, Finding, Project, file_rule, project_rule
from policy_lang.syntax import ast


@project_rule("LNT070", "policy-without-test", Severity.WARN, "a policy without a test")
def policy_without_test(project: Project) -> Iterator[Finding]:
    """Policies for which no linted file has a ``test``: give the command the folder of the tests too."""
    for files in project.packages().values():
        tested = {test.policy for file in files for test in file.module.tests}
        for file in files:
            for policy in file.module.policies:
                if policy.name not in tested:
                    message = f"policy {policy.name} has no test"
                    yield Finding(policy.span.start(), message, f"write `test {policy.name} {{ … }}`")


@file_rule("LNT071", "test-cannot-fail", Severity.BLOCK, "a test that cannot fail")
def test_cannot_fail(file: File) -> Iterator[Finding]:
    """Tests that hold whatever the policies say."""
    for rule in file.module.rules:
        if name_of(rule).startswith("test_") and all(map(_always_holds, rule.body)):
            yield Finding(
                rule.head.ref.span, f"{name_of(rule)} asks nothing of the policies", "compare with what is expected"
            )
    for test in file.module.tests:
        if not test.cases:
            yield Finding(test.span.start(), f"the test of {test.policy} has no case", "add `pass` and `fail` cases")


def _always_holds(literal: ast.Literal) -> bool:
    if isinstance(literal, ast.SomeDecl):
        return True
    if not isinstance(literal, ast.Expr) or literal.negated:
        return False
    match literal.term:
        case ast.Call(operator=ast.Var(name="assign"), args=(ast.Var(), value)):
            return is_constant(value) or isinstance(value, ast.ArrayCompr | ast.SetCompr | ast.ObjectCompr)
        case ast.Boolean(value=value):
            return value
    return called(literal.term, "print") or is_constant(literal.term)


@file_rule("LNT072", "todo-test", Severity.WARN, "a test that is switched off")
def todo_test(file: File) -> Iterator[Finding]:
    """``todo_test_…`` rules, which are skipped."""
    for rule in file.module.rules:
        if name_of(rule).startswith("todo_test_"):
            yield Finding(rule.head.ref.span, f"{name_of(rule)} is skipped", "make it pass, or remove it")


@file_rule("LNT073", "test-outside-test-file", Severity.NOTIFY, "a test in a file of policies")
def test_outside_test_file(file: File) -> Iterator[Finding]:
    """Tests are found, and left out of what is shipped, by the file's name."""
    if PurePath(file.source.file).stem.endswith("_test"):
        return
    for rule in file.module.rules:
        if name_of(rule).startswith("test_"):
            yield Finding(rule.head.ref.span, f"{name_of(rule)} is in a file of policies", "move it to a file `…_test`")
    for test in file.module.tests:
        yield Finding(
            test.span.start(), f"the test of {test.policy} is in a file of policies", "move it to a file `…_test`"
        )


@file_rule("LNT074", "duplicate-case", Severity.WARN, "two cases of one title")
def duplicate_case(file: File) -> Iterator[Finding]:
    """A report could not tell them apart."""
    for test in file.module.tests:
        seen: set[str] = set()
        for case in test.cases:
            if case.title in seen:
                yield Finding(case.span, f"there is a case {case.title!r} already", "say what is different")
            seen.add(case.title)


@project_rule("LNT075", "test-without-fail", Severity.WARN, "a test that never shows a violation")
def test_without_fail(project: Project) -> Iterator[Finding]:
    """A policy that finds nothing at all passes such a test."""
    for files in project.packages().values():
        failing = {
            test.policy for file in files for test in file.module.tests for case in test.cases if case.outcome == "fail"
        }
        for file in files:
            for test in file.module.tests:
                if test.cases and test.policy not in failing:
                    message = f"no case shows a violation of {test.policy}"
                    yield Finding(test.span.start(), message, "add a `fail` case")
