"""``floec test PATH ...``: run the tests of policies."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compiler.cli.documents import DATA_SUFFIXES, POLICY_SUFFIXES, load, read_value
from compiler.cli.limits import limit_arguments, limits_of
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from compiler.cli.test_output import FORMATS, rendered
from policy_lang.diagnostics import Outcome, blocking

_PAUSE = 0.3
"""Seconds between two looks at the files that are watched."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="policies, their tests and their data, or folders of them")
    add("-r", "--run", type=_pattern, metavar="REGEX", help="only tests whose name (data.PACKAGE.NAME) matches")
    add("-v", "--verbose", action="store_true", help="show what passed too, and how long each test took")
    add("-f", "--format", choices=FORMATS, default="pretty", help="form of the results (default: pretty)")
    add("-c", "--coverage", action="store_true", help="say which lines and policies the tests do not reach")
    add(
        "--threshold", type=_percent, metavar="PERCENT", help="exit 1 where fewer lines are covered; implies --coverage"
    )
    add("--capabilities", metavar="FILE", help="JSON in OPA's form: the builtins that policies may use")
    add("-p", "--parallel", type=_jobs, default=1, metavar="N", help="run the tests in N processes (default: 1)")
    limit_arguments(parser, "1m", "a test")
    add("-w", "--watch", action="store_true", help="run again whenever a file changes")
    add(
        "--fail-on-empty",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="exit 1 where no test ran: a misspelt name must not look like success (default: yes)",
    )
    add(
        "--schema",
        choices=("ir", "none"),
        default="ir",
        help="ir: complete the inputs of cases with the defaults of the IR's fields, and refuse others (default: ir)",
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.watch:
        return watch(options.paths, lambda: _once(options))
    return _once(options)


def _once(options: argparse.Namespace) -> int:
    loaded = load(options.paths)
    if loaded.value is None or blocking(loaded.diagnostics):
        show(loaded.diagnostics, "text")
        return exit_code(loaded.diagnostics)
    capabilities: Outcome[Any] = Outcome(None)
    if options.capabilities is not None:
        capabilities = read_value(options.capabilities)
        if blocking(capabilities.diagnostics):
            show(capabilities.diagnostics, "text")
            return exit_code(capabilities.diagnostics)
    from compiler.ir.schema import ir_schema
    from policy_lang.engine import RUN_ONCE, CompileOptions
    from policy_lang.testing.runner import TestOptions, run_tests
    from policy_lang.trace.coverage import percentage

    coverage = options.coverage or options.threshold is not None
    chosen = TestOptions(
        run=options.run,
        data=loaded.value.data,
        complete=_complete if options.schema == "ir" else None,
        compile=CompileOptions(
            ir_schema() if options.schema == "ir" else None,
            capabilities=capabilities.value,
            without=RUN_ONCE,
            cache=True,
        ),
        coverage=coverage,
        jobs=options.parallel,
        limits=limits_of(options),
    )
    outcome = run_tests(loaded.value.sources, chosen)
    show((*loaded.diagnostics, *outcome.diagnostics), "text")
    if outcome.value is None:
        return exit_code(outcome.diagnostics)
    print(rendered(outcome.value, options.format, verbose=options.verbose, coverage=coverage), flush=True)
    short = options.threshold is not None and percentage(outcome.value.lines) < options.threshold
    empty = options.fail_on_empty and not outcome.value.results
    if empty:
        what = f"no test's name matches {options.run!r}" if options.run else f"no tests in {', '.join(options.paths)}"
        print(f"floec test: {what} (--no-fail-on-empty lets that pass)", file=sys.stderr)
    if short:
        text = f"{percentage(outcome.value.lines):g} % of the lines are covered, {options.threshold:g} % are asked for"
        print(f"floec test: {text}", file=sys.stderr)
    return EXIT_OK if outcome.value.ok and not short and not empty else EXIT_BLOCKED


def _complete(value: Any) -> Outcome[Any]:
    from compiler.ir.schema import complete

    return complete(value)


def watch(paths: Sequence[str], run: Callable[[], int], sleep: Callable[[float], None] = time.sleep) -> int:
    """Runs ``run`` now and after each change below ``paths``, until it is interrupted; the last exit code."""
    while True:
        seen = _snapshot(paths)
        code = run()
        print("watching for changes", flush=True)
        try:
            while _snapshot(paths) == seen:
                sleep(_PAUSE)
        except KeyboardInterrupt:
            return code


def _snapshot(paths: Sequence[str]) -> dict[str, int]:
    """The files that a run reads, with the time of their last change."""
    found: dict[str, int] = {}
    for path in map(Path, paths):
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.suffix in (*DATA_SUFFIXES, *POLICY_SUFFIXES) or not path.is_dir():
                try:
                    found[str(file)] = file.stat().st_mtime_ns
                except OSError:
                    continue  # it went away meanwhile, which is a change too
    return found


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None
    return text


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 100")
    return value


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes from 1 to 256")
    return int(text)
