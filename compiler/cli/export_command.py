"""``floec export PATH ... -o FOLDER``: policies as a bundle of plain Rego v1 for a stock OPA."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.cli.documents import read_value
from compiler.cli.files import policy_files, read_source
from compiler.cli.main import EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.source import Source, whole_file

if TYPE_CHECKING:
    from policy_lang.export import ExportedFile


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="policies (.floe, .rego), or folders of them")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the bundle's folder; it is replaced")
    parser.add_argument("--params", metavar="FILE", help="JSON or YAML: package, then parameter, then value")
    parser.add_argument(
        "--severity",
        action="append",
        default=[],
        metavar="ID=SEVERITY",
        type=_severity,
        help="another severity for a policy: block, warn or notify",
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    sources = _named_sources(options.paths)
    params = _params(options.params)
    diagnostics = [*sources.diagnostics, *params.diagnostics]
    made: Outcome[tuple[ExportedFile, ...]] = Outcome(None)
    if not blocking(diagnostics) and not sources.value:
        text = f"there are no policies in {', '.join(options.paths)}: nothing is exported"
        diagnostics.append(Diagnostic("FLC421", text, whole_file(options.paths[0])))
    if not blocking(diagnostics):
        from policy_lang.export import export

        made = export(sources.value or {}, params.value, dict(options.severity))
        place = whole_file(options.params or options.paths[0])
        diagnostics += [d if d.span is not None else d._replace(span=place) for d in made.diagnostics]
    if made.value is not None and not blocking(diagnostics):
        diagnostics += _write(Path(options.output), made.value)
    show(diagnostics, "text")
    if made.value is None or blocking(diagnostics):
        return exit_code(diagnostics)
    print(f"{len(made.value)} files written to {options.output}")
    return EXIT_OK


def _severity(text: str) -> tuple[str, Severity]:
    id, _, name = text.partition("=")
    if not id or name not in set(Severity):
        raise argparse.ArgumentTypeError(f"{text!r} is not ID=block, ID=warn or ID=notify")
    return id, Severity(name)


def _params(file: str | None) -> Outcome[dict[str, dict[str, Any]]]:
    if file is None:
        return Outcome({})
    read = read_value(file)
    value = read.value
    if blocking(read.diagnostics) or (isinstance(value, dict) and all(isinstance(v, dict) for v in value.values())):
        return read
    text, hint = f"{file}: parameters are objects by package", 'write `{"acme.naming": {"suffix": "_id"}}`'
    return Outcome(None, (Diagnostic("FLC109", text, whole_file(file), hint=hint),))


def _named_sources(paths: Sequence[str]) -> Outcome[dict[str, Source]]:
    """Sources by their path below the folder that was named, so that the bundle does not show where they lay."""
    named: dict[str, Source] = {}
    found: list[Diagnostic] = []
    for path in paths:
        files = policy_files((path,))
        found += files.diagnostics
        for file in files.value or ():
            read = read_source(file)
            found += read.diagnostics
            key = str(file.relative_to(path)) if file != Path(path) else file.name
            if key in named and named[key].file != str(file):
                text = f"{file} and {named[key].file} would have the same name in the bundle"
                hint = "rename one of them, or export the folder that is above both"
                found.append(Diagnostic("FLC601", text, whole_file(str(file)), hint=hint))
            elif read.value is not None:
                named[key] = read.value
    return Outcome(named, tuple(found))


def _write(folder: Path, files: Sequence[ExportedFile]) -> tuple[Diagnostic, ...]:
    """Writes the folder as a whole or not at all; a folder that holds something else is left alone."""
    if folder.exists() and not (folder / ".manifest").is_file() and (not folder.is_dir() or any(folder.iterdir())):
        text = f"{folder} exists and is no exported bundle"
        return (Diagnostic("FLC601", text, whole_file(str(folder)), hint="name a new folder, or remove this one"),)
    work = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
        for file in files:
            target = work / "new" / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.text, encoding="utf-8")
        if folder.exists():
            os.rename(folder, work / "old")
        os.rename(work / "new", folder)
    except OSError as error:
        text = f"cannot write {folder}: {error.strerror or error}"
        hint = "let this user write there, and see that the disk has room"
        return (Diagnostic("FLC602", text, whole_file(str(folder)), hint=hint),)
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
    return ()
