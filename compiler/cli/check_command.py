"""``floec check``: read, validate and join documents; report, and write nothing."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from compiler.cli.output import add_format, exit_code, show
from policy_lang.diagnostics import Diagnostic, blocking
from policy_lang.source import whole_file

_DOCUMENTS = ("floe.yaml", "manifest.yaml")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="floe.yaml, manifest.yaml, or a folder that holds one")
    add_format(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    found: dict[Diagnostic, None] = {}
    for path in options.paths:
        found.update(dict.fromkeys(_check(Path(path))))
    diagnostics = list(found)
    show(diagnostics, options.format)
    if options.format == "text":
        from compiler.report.text import summary

        print(f"{len(options.paths)} checked: {summary(diagnostics)}")
    return exit_code(diagnostics)


def _check(path: Path) -> tuple[Diagnostic, ...]:
    document = _document(path)
    if document is None:
        message = f"{path} holds neither floe.yaml nor manifest.yaml" if path.is_dir() else f"no such file: {path}"
        return (Diagnostic("FLC100", message, whole_file(str(path))),)
    from compiler.inherit import inherit
    from compiler.resolve import exemptions, load_chain

    chain = load_chain(document)
    if chain.value is None or blocking(chain.diagnostics):
        return chain.diagnostics  # values of wrong types have no order to join by
    resolved = inherit(chain.value.manifests)
    diagnostics = (*chain.diagnostics, *resolved.diagnostics)
    if resolved.value is not None:
        diagnostics += exemptions(resolved.value, datetime.now(UTC).date()).diagnostics
    return diagnostics


def _document(path: Path) -> Path | None:
    if path.is_dir():
        return next((path / name for name in _DOCUMENTS if (path / name).is_file()), None)
    return path if path.is_file() else None
