"""``floec fmt``: format policy files in place, or say which would change."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from pathlib import Path

from compiler.cli.files import read_sources
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import blocking
from policy_lang.source import Source


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, or - for standard input")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file would change")
    group.add_argument("--diff", action="store_true", help="write nothing; print what would change")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.paths == ["-"]:
        return _standard_input()
    read = read_sources(options.paths)
    diagnostics = list(read.diagnostics)
    changed = False
    for source in read.value or ():
        from policy_lang.syntax.format import format_source

        formatted = format_source(source)
        diagnostics += formatted.diagnostics
        if formatted.value is None or blocking(formatted.diagnostics) or formatted.value == source.text:
            continue
        changed = True
        if options.diff:
            sys.stdout.writelines(_diff(source, formatted.value))
        else:
            print(source.file)
            if not options.check:
                _replace(Path(source.file), formatted.value)
    show(diagnostics, "text")
    if code := exit_code(diagnostics):
        return code
    return EXIT_BLOCKED if changed and options.check else EXIT_OK


def _standard_input() -> int:
    from policy_lang.syntax.format import format_source

    source = Source("<stdin>", sys.stdin.read())
    formatted = format_source(source)
    show(formatted.diagnostics, "text", texts={source.file: source.text})
    if formatted.value is not None and not blocking(formatted.diagnostics):
        sys.stdout.write(formatted.value)
    return exit_code(formatted.diagnostics)


def _diff(source: Source, formatted: str) -> list[str]:
    before, after = source.text.splitlines(keepends=True), formatted.splitlines(keepends=True)
    return list(difflib.unified_diff(before, after, source.file, source.file))


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename, so that an interruption leaves one of the two whole."""
    mode = path.stat().st_mode
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(name, mode)
    os.replace(name, path)
