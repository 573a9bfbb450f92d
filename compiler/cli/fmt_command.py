"""``floec fmt PATH ...``: lay out policy files, as ``opa fmt`` does for Rego; respell manifests and products."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from compiler.cli.files import policy_files, read_source, read_standard_input
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.source import Source, whole_file


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="policy files, or folders of them; manifests and floe.yaml by name; none or - reads standard input",
    )
    parser.add_argument("-w", "--write", action="store_true", help="write the result to the files")
    parser.add_argument("--check", action="store_true", help="list files that would change, and exit 1 if any would")
    parser.add_argument("--diff", action="store_true", help="show what would change")
    parser.add_argument(
        "--stdin-name",
        default="<stdin>",
        metavar="FILE",
        help="what standard input is: NAME.floe, NAME.yaml or NAME.rego (default)",
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if not options.paths or options.paths == ["-"]:
        given = read_standard_input(options.stdin_name)
        return _run(options, [given.value] if given.value is not None else [], given.diagnostics)
    files = policy_files(options.paths)
    sources, found = [], list(files.diagnostics)
    for path in files.value or ():
        read = read_source(path, newline="")
        found += read.diagnostics
        if read.value is not None:
            sources.append(read.value)
    return _run(options, sources, found)


def _run(options: argparse.Namespace, sources: Iterable[Source], found: Iterable[Diagnostic]) -> int:
    diagnostics = list(found)
    texts = {}
    changed = False
    for source in sources:
        formatted = _formatted(source)
        diagnostics += formatted.diagnostics
        if formatted.value is None:
            texts[source.file] = source.text
            continue
        if _differs(source, formatted.value):
            changed = True
            diagnostics += _change(options, source, formatted.value).diagnostics
        elif not (options.check or options.diff or options.write):
            sys.stdout.write(formatted.value)
    show(diagnostics, "text", texts=texts)
    if blocking(diagnostics):
        return exit_code(diagnostics)
    return EXIT_BLOCKED if changed and options.check else EXIT_OK


def _formatted(source: Source) -> Outcome[str]:
    """A policy file is laid out; a manifest or floe.yaml keeps its layout, and gets the canonical spelling."""
    if source.file.endswith((".yaml", ".yml")):
        from compiler.documents.respell import respell

        return respell(source)
    from policy_lang.syntax.formatter import format_source

    return format_source(source)


def _differs(source: Source, text: str) -> bool:
    """Whether the file is not laid out so already; a byte-order mark counts."""
    path = Path(source.file)
    return path.read_bytes() != text.encode() if path.is_file() else source.text != text


def _change(options: argparse.Namespace, source: Source, text: str) -> Outcome[None]:
    """Show or write one file that is not laid out so already."""
    if options.diff:
        sys.stdout.write(_difference(source, text))
    elif options.check or (options.write and source.file != options.stdin_name):
        print(source.file)
    else:
        sys.stdout.write(text)
    if options.write and not options.check and source.file != options.stdin_name:
        return write_in_place(Path(source.file), text)
    return Outcome(None)


def _difference(source: Source, text: str) -> str:
    import difflib

    before, after = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, source.file, source.file)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def write_in_place(path: Path, text: str) -> Outcome[None]:
    """Replace a file at once, keeping its mode; a link is followed, so that it stays one.

    Error: ``FLC891``, with the system's reason; the file is then as it was.
    """
    import tempfile

    target = path.resolve()
    temporary = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as handle:
            temporary = handle.name
            handle.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, target)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        message = f"cannot write {path}: {error.strerror}"
        return Outcome(None, (Diagnostic("FLC891", message, whole_file(str(path))),))
    return Outcome(None)
