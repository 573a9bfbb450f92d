"""``floec test PATH ...``: run the tests of policies."""

from __future__ import annotations

import argparse

from compiler.cli.files import read_sources
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import blocking


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="policies and their tests, or folders of them")
    parser.add_argument("--run", metavar="TEXT", help="only tests whose name contains TEXT")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    sources = read_sources(options.paths)
    if sources.value is None or blocking(sources.diagnostics):
        show(sources.diagnostics, "text")
        return exit_code(sources.diagnostics)

    from policy_lang.testing.runner import Status, run_tests

    outcome = run_tests(sources.value, options.run)
    show((*sources.diagnostics, *outcome.diagnostics), "text")
    if outcome.value is None:
        return exit_code(outcome.diagnostics)
    for result in outcome.value.results:
        place = f" ({result.span.file}:{result.span.line})" if result.detail else ""
        print(f"{result.status.upper():<5} {result.name}{place}")
        for line in result.detail:
            print(f"      {line}")
    counts = {status: outcome.value.count(status) for status in Status}
    print(
        f"{len(outcome.value.results)} tests: " + ", ".join(f"{n} {s}" for s, n in counts.items() if n or s == "pass")
    )
    # No test at all is no proof: a misspelt --run or folder must not look like success.
    return EXIT_OK if outcome.value.ok and outcome.value.results else EXIT_BLOCKED
