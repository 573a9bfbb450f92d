"""``floec lint PATH ...``: find what is legal in policies, and most likely not meant."""

from __future__ import annotations

import argparse

from compiler.cli.files import read_sources
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK, EXIT_USAGE
from compiler.cli.output import add_format, exit_code, show
from compiler.cli.stages import counted
from policy_lang.diagnostics import Severity, blocking


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="policies and their tests, or folders of them")
    parser.add_argument(
        "--disable", action="append", default=[], metavar="CODE", help="leave a rule out; several are joined by commas"
    )
    parser.add_argument(
        "--fail-on",
        choices=[str(s) for s in Severity],
        default=str(Severity.BLOCK),
        help="the least severity that makes the command exit 1 (default: block)",
    )
    parser.add_argument("--rules", action="store_true", help="list the rules")
    add_format(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from policy_lang.lint.registry import rules
    from policy_lang.lint.run import IGNORE_CODE, lint

    known = rules()
    if options.rules:
        for rule in known.values():
            print(f"{rule.code}  {rule.severity:<6}  {rule.name:<26}  {rule.title}")
        return EXIT_OK
    disabled = frozenset(code.strip() for codes in options.disable for code in codes.split(",") if code.strip())
    if unknown := sorted(disabled - {*known, IGNORE_CODE}):
        return _usage(f"there is no lint rule {unknown[0]}: `floec lint --rules` lists them")
    if not options.paths:
        return _usage("name the files or folders to lint")
    sources = read_sources(options.paths)
    found = [*sources.diagnostics, *lint(sources.value or (), disabled)]
    shown = [d for d in found if not d.suppressed] if options.format == "text" else found
    show(shown, options.format, texts={s.file: s.text for s in sources.value or ()})
    if options.format == "text":
        from compiler.report.text import summary

        print(f"{counted(len(sources.value or ()), 'file')}: {summary(found)}")
    if blocking(found):
        return exit_code(found)
    least = Severity(options.fail_on).rank
    failing = any(d.severity.rank >= least and not d.suppressed for d in found)
    return EXIT_BLOCKED if failing else EXIT_OK


def _usage(message: str) -> int:
    import sys

    print(f"floec lint: {message}", file=sys.stderr)
    return EXIT_USAGE
