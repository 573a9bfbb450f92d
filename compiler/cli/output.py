"""How commands show diagnostics: the option ``--format`` and the one place that prints them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from compiler.cli.main import EXIT_BLOCKED, EXIT_ENVIRONMENT, EXIT_OK, EXIT_USAGE
from policy_lang.diagnostics import Diagnostic, blocking

if TYPE_CHECKING:
    import argparse

FORMATS = ("text", "json", "sarif", "junit", "github")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--format`` to a command."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are written (default: text)")


def show(
    diagnostics: Sequence[Diagnostic],
    form: str,
    *,
    texts: Mapping[str, str] | None = None,
    extra: dict[str, object] | None = None,
) -> None:
    """Print the findings: text to standard error, the formats for programs to standard output."""
    if form == "text":
        if diagnostics:
            from compiler.report import text

            print(text.render(diagnostics, text.Lines(texts), colour=_colour()), file=sys.stderr)
    elif form == "json":
        from compiler.report import json_report

        print(json_report.render(diagnostics, extra))
    elif form == "sarif":
        from compiler.report import sarif
        from compiler.report.codes import titles
        from compiler.report.roots import root_of
        from floec import __version__

        print(sarif.render(diagnostics, __version__, root_of(os.getcwd()), titles()))
    elif form == "junit":
        from compiler.report import junit

        print(junit.render(diagnostics))
    else:
        from compiler.report import github
        from compiler.report.roots import root_of

        print(github.render(diagnostics, root_of(os.getcwd())))


def exit_code(diagnostics: Sequence[Diagnostic]) -> int:
    """0 where nothing blocks; 2 where the command was called wrongly (FLC896); 3 where only the environment is to blame
    (FLC602, FLC7xx, FLC89x); else 1."""
    if not blocking(diagnostics):
        return EXIT_OK
    worst = [d for d in diagnostics if blocking((d,))]
    if any(d.code == "FLC896" for d in worst):
        return EXIT_USAGE
    environment = all(d.code.startswith(("FLC602", "FLC7", "FLC89")) for d in worst)
    return EXIT_ENVIRONMENT if environment else EXIT_BLOCKED


def _colour() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ
