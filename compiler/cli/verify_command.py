"""``floec verify``: check every digest of a compiled artifact, and its signature."""

from __future__ import annotations

import argparse
from pathlib import Path

from compiler.cli.keys import read_key
from compiler.cli.output import add_format, exit_code, show
from policy_lang.diagnostics import Diagnostic, blocking
from policy_lang.source import whole_file


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("layout", metavar="LAYOUT", help="the folder of an OCI image layout, for example .floe/build")
    parser.add_argument("--key", metavar="FILE", help="the public key (PEM) that the signature must be of")
    add_format(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from emitters.oci.verify import verify_layout

    key: bytes | None = None
    diagnostics: list[Diagnostic] = []
    if options.key is not None:
        try:
            key = read_key(Path(options.key))
        except OSError as error:
            message = f"cannot read the public key: {error.strerror}"
            diagnostics.append(Diagnostic("FLC100", message, whole_file(options.key), hint="check the path"))
    if not diagnostics:
        report = verify_layout(Path(options.layout), key)
        diagnostics += report.diagnostics
        if options.format == "text" and report.value is not None and not blocking(diagnostics):
            print(
                f"verified {report.value.digest}"
                + (", signed by the key" if report.value.signed else "; its signature was not looked at: no --key")
            )
    show(diagnostics, options.format)
    return exit_code(diagnostics)
