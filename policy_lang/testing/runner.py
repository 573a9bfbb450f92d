"""Runs the tests of policies: `test` declarations of `.floe` files and the `test_…` rules of Rego.

The terms of a case (input, params, expectations) become rules of the test's own package, so that a
case may use the imports and rules of its file, and is evaluated by the engine that runs policies.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from policy_lang.analysis.resolve import ResolvedRule
from policy_lang.diagnostics import Outcome, blocking
from policy_lang.engine import CompileOptions, Program, compile_modules, front_of_modules, kept_or_made
from policy_lang.runtime.limits import DEFAULT, Limits
from policy_lang.source import Source
from policy_lang.syntax import ast
from policy_lang.testing.collect import Test, full_name, prepared, unknown_names
from policy_lang.testing.parsed import parsed
from policy_lang.testing.results import PolicyCoverage, Status, TestReport, TestResult
from policy_lang.testing.run import Complete, Runner, policy_names
from policy_lang.trace.coverage import FileCoverage, coverage, merged
from policy_lang.trace.record import Recorder

__all__ = ["Status", "TestOptions", "TestReport", "TestResult", "run_tests"]


@dataclass(frozen=True, slots=True)
class TestOptions:
    """``run`` is a regular expression for names; ``data`` the base document; ``complete`` fills inputs up and
    finds their mistakes; ``compile`` says what to check; ``jobs`` is a number of processes; ``limits`` are
    those of each evaluation."""

    __test__ = False

    run: str | None = None
    data: Mapping[str, Any] | None = None
    complete: Complete | None = None
    compile: CompileOptions | None = None
    coverage: bool = False
    jobs: int = 1
    limits: Limits = DEFAULT


def run_tests(sources: Sequence[Source], options: TestOptions | None = None) -> Outcome[TestReport]:
    """Runs the tests in ``sources``.

    There is no report where the files do not compile, or where a test names a policy or parameter
    that its package lacks (``floe_test_error``).
    """
    options = options or TestOptions()
    compiling = options.compile or CompileOptions()
    made = _prepare(sources, cached=compiling.cache)
    if made.value is None:
        return Outcome(None, made.diagnostics)
    modules, plain, tests = made.value
    runner = _runner(sources, plain, options, compiling)
    if runner.value is None:
        return Outcome(None, (*made.diagnostics, *runner.diagnostics))
    chosen = [test for test in tests if options.run is None or re.search(options.run, full_name(test))]
    parts = _in_parts(runner.value, chosen, options)
    results = tuple(result for part in parts for result in part.results)
    if not options.coverage:
        return Outcome(TestReport(results), made.diagnostics)
    seen = [part.policies for part in parts]
    policies = tuple(
        PolicyCoverage(
            name,
            any(part.get(name, (False, False))[0] for part in seen),
            any(part.get(name, (False, False))[1] for part in seen),
        )
        for name in policy_names(modules)
    )
    return Outcome(TestReport(results, merged([part.lines for part in parts]), policies), made.diagnostics)


Prepared = tuple[list[ast.Module], list[ast.Module], list[Test]]


def _prepare(sources: Sequence[Source], *, cached: bool) -> Outcome[Prepared]:
    """The modules as written, the modules to compile, and the tests."""
    files = parsed(sources, cached=cached)
    found = [one for file in files for one in file.diagnostics]
    modules = [file.module for file in files if file.module is not None]
    found += unknown_names(modules)
    tests: list[Test] = []
    plain: list[ast.Module] = []
    seen: dict[tuple[tuple[str, ...], str], int] = {}
    for number, file in enumerate(files):
        if file.plain is not None:
            ready, own = prepared(file.plain, number, seen)
            plain.append(ready)
            tests += own
    return Outcome(None if blocking(found) else (modules, plain, tests), tuple(found))


def _runner(
    sources: Sequence[Source], plain: Sequence[ast.Module], options: TestOptions, compiling: CompileOptions
) -> Outcome[Runner]:
    compiled = _compiled(sources, plain, compiling)
    if compiled.value is None or blocking(compiled.diagnostics):
        return Outcome(None, compiled.diagnostics)
    program = compiled.value

    def rules() -> tuple[ResolvedRule, ...]:
        if not program.kept:
            return program.compiler().rules
        from policy_lang.compiling import rules_again

        return rules_again(plain, compiling)

    by_file = {source.file: source for source in sources}
    covering = Recorder(values=False) if options.coverage else None
    runner = Runner(program, rules, by_file, options.data, options.complete, covering, options.limits)
    return Outcome(runner, compiled.diagnostics)


def _compiled(sources: Sequence[Source], plain: Sequence[ast.Module], options: CompileOptions) -> Outcome[Program]:
    """The program of the policies and their tests, from the user's cache where it is there."""
    return kept_or_made(
        "tests",
        sources,
        options,
        lambda: compile_modules(plain, options),
        lambda: front_of_modules(plain, options),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    results: tuple[TestResult, ...]
    lines: tuple[FileCoverage, ...]
    policies: dict[str, list[bool]]


_forked: list[tuple[Runner, Sequence[Test]]] = []
"""What the processes of one run share: they are forked after it was set, and compile nothing again."""


def _in_parts(runner: Runner, tests: Sequence[Test], options: TestOptions) -> list[_Part]:
    jobs = min(options.jobs, len(tests))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return [_part(runner, tests)]
    _forked.append((runner, tests))
    try:
        size = -(-len(tests) // jobs)
        ranges = [(start, min(start + size, len(tests))) for start in range(0, len(tests), size)]
        with ProcessPoolExecutor(len(ranges), mp_context=multiprocessing.get_context("fork")) as pool:
            return list(pool.map(_forked_part, ranges))
    finally:
        _forked.pop()


def _forked_part(bounds: tuple[int, int]) -> _Part:
    runner, tests = _forked[-1]
    return _part(runner, tests[bounds[0] : bounds[1]])


def _part(runner: Runner, tests: Sequence[Test]) -> _Part:
    results = tuple(runner.run(test) for test in tests)
    lines: tuple[FileCoverage, ...] = ()
    if runner.covering is not None:
        rules = [rule for rule in runner.rules if not any(name.startswith(_OF_TESTS) for name in rule.path)]
        lines = coverage(runner.covering, rules)
    return _Part(results, lines, runner.policies)


_OF_TESTS = ("test_", "todo_test_", "__case_")
