"""``floec check``: judge documents and the dbt project behind them by the policies in force; write nothing."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from compiler.cli.output import add_format, exit_code, show
from policy_lang.diagnostics import Diagnostic

_LAST = "policies"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="floe.yaml, manifest.yaml, or a folder that holds one")
    add_stages(parser)
    add_format(parser)


def add_stages(parser: argparse.ArgumentParser) -> None:
    """The options of every command that runs the stages."""
    from compiler.pipeline import STAGE_NAMES

    parser.add_argument("--manifest", metavar="FILE", type=Path, help="dbt's manifest.json to read the project from")
    parser.add_argument("--stop-after", metavar="STAGE", choices=STAGE_NAMES, help=" | ".join(STAGE_NAMES))
    parser.add_argument("--timings", action="store_true", help="say what each stage took")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from compiler.cli.stages import describe, idle_policies, print_timings
    from compiler.pipeline import Job, run

    last = options.stop_after if options.stop_after not in (None, "emit") else _LAST
    found: dict[Diagnostic, None] = {}
    lines: list[str] = []
    idle: list[str] = []
    for path in options.paths:
        outcome = run(Job(Path(path), datetime.now(UTC).date(), manifest=options.manifest), last)
        found.update(dict.fromkeys(outcome.diagnostics))
        if (report := outcome.value) is None:
            continue
        said = dict(describe(report))
        reached = [said[stage] for stage in ("facts", _LAST) if stage in said]
        lines.append(f"{path}: {'; '.join(reached) or 'not judged'}")
        idle += [note] if (note := idle_policies(report.state)) else []
        if options.timings:
            print_timings(report)
    diagnostics = list(found)
    show(diagnostics, options.format)
    if options.format == "text":
        from compiler.report.text import summary

        for line in (*lines, *dict.fromkeys(idle)):
            print(line)
        print(f"{len(options.paths)} checked: {summary(diagnostics)}")
    return exit_code(diagnostics)
