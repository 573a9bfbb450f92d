"""``floec compile``: all stages, then write ``.floe/`` beside the document: an OCI layout, a dbt overlay, manifests."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from compiler.cli.check_command import add_stages
from compiler.cli.keys import signing_key
from compiler.cli.output import add_format, exit_code, show
from compiler.emit import OUTPUT
from compiler.pipeline import Job, Report, run
from emitters.write import FOLDERS
from policy_lang.diagnostics import Diagnostic, Outcome, blocking


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("path", metavar="PATH", help="floe.yaml, manifest.yaml, or a folder that holds one")
    parser.add_argument("--key", metavar="FILE", type=Path, help="sign with this private key (P-256, PEM)")
    add_stages(parser)
    add_format(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    done = compile_document(options.path, options.key, options.manifest, options.stop_after or "emit")
    report, diagnostics = done.value, done.diagnostics
    digest = written_digest(report, diagnostics) if report is not None else ""
    show(diagnostics, options.format, extra={"digest": digest} if digest else None)
    if report is not None:
        if options.timings:
            from compiler.cli.stages import print_timings

            print_timings(report)
        if options.format == "text":
            tell(report, diagnostics, options.verbose)
    return exit_code(diagnostics)


def written_digest(report: Report, diagnostics: Sequence[Diagnostic]) -> str:
    """The digest of the OCI layout that was written; empty where nothing was."""
    artifacts = report.state.artifacts
    return artifacts[0].digest if artifacts and not blocking(diagnostics) else ""


def compile_document(
    path: str, key: Path | None = None, manifest: Path | None = None, stop_after: str = "emit"
) -> Outcome[Report]:
    """Run the stages and write what they made; where anything blocks, nothing is written."""
    created = _created()
    if created.value is None and created.diagnostics:
        return Outcome(None, created.diagnostics)
    job = Job(
        Path(path),
        datetime.now(UTC).date(),
        whole=True,
        manifest=manifest,
        created=created.value,
        key=lambda: signing_key(key),
    )
    done = run(job, stop_after)
    if done.value is None or blocking(done.diagnostics) or not done.value.state.artifacts:
        return done
    from emitters.write import write_artifacts

    state = done.value.state
    written = write_artifacts(state.folder / OUTPUT, state.artifacts)
    return Outcome(done.value, (*done.diagnostics, *written.diagnostics))


def _created() -> Outcome[str]:
    """The time in the artifact: SOURCE_DATE_EPOCH (seconds) as RFC 3339, none where it is not set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return Outcome(None)
    try:
        return Outcome(datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    except (ValueError, OverflowError, OSError):
        text = f"SOURCE_DATE_EPOCH is {epoch!r}, not a number of seconds"
        return Outcome(None, (Diagnostic("FLC892", text, hint="set it to seconds since 1970, or unset it"),))


def tell(report: Report, diagnostics: Sequence[Diagnostic], verbose: bool = False) -> None:
    """Stage by stage what was read, checked, found and written; the digest stands last."""
    from compiler.cli.stages import describe, idle_policies
    from compiler.report.text import summary

    for stage, text in describe(report):
        print(f"{stage:<9} {text}")
        if stage == "policies" and (note := idle_policies(report.state.checked, verbose)):
            print(f"{'':<9} {note}")
    print(f"{'found':<9} {summary(diagnostics)}")
    state = report.state
    digest = written_digest(report, diagnostics)
    if not digest:
        print(f"{'written':<9} nothing")
        return
    for artifact in state.artifacts:
        print(f"{'written':<9} {state.folder / OUTPUT / FOLDERS[artifact.kind]} ({len(artifact.files)} files)")
    if state.signer is not None:
        made = "made now, " if state.signer.fresh else ""
        public = f"; public key: {state.signer.public}" if state.signer.public is not None else ""
        print(f"{'signed':<9} with {state.signer.file} ({made}ECDSA P-256){public}")
    print(digest)
