"""``floec run``: compile, then let dbt load the seeds, build the models and run the tests, through the overlay.

Codes: FLC801 a step of dbt failed, FLC893 dbt is not there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from compiler.cli.compile_command import compile_document, tell
from compiler.cli.output import exit_code, show
from compiler.emit import OUTPUT
from compiler.pipeline import State
from emitters.write import FOLDERS
from policy_lang.diagnostics import Diagnostic, blocking
from policy_lang.source import whole_file

STEPS = ("deps", "seed", "run", "test")
DATABASE = "floe.duckdb"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("path", metavar="PATH", help="floe.yaml, or the folder that holds it")
    parser.add_argument("--key", metavar="FILE", type=Path, help="sign with this private key (P-256, PEM)")
    parser.add_argument("--manifest", metavar="FILE", type=Path, help="dbt's manifest.json to read the project from")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    done = compile_document(options.path, options.key, options.manifest)
    diagnostics = list(done.diagnostics)
    show(diagnostics, "text")
    if done.value is not None:
        tell(done.value, done.diagnostics)
        sys.stdout.flush()
    if done.value is None or blocking(diagnostics):
        return exit_code(diagnostics)
    failed = list(_run(done.value.state))
    show(failed, "text")
    return exit_code(failed)


def _run(state: State) -> Iterator[Diagnostic]:
    overlay = (state.folder / OUTPUT / FOLDERS["dbt"]).resolve()
    if state.project is None:
        text, hint = f"{state.job.path} has no dbt project to run", "name the folder of a product"
        yield Diagnostic("FLC801", text, whole_file(str(state.job.path)), hint=hint)
        return
    dbt = _dbt()
    if dbt is None:
        hint = "install it beside floec: pip install 'floec[dbt]'"
        yield Diagnostic("FLC893", "dbt is not installed here", hint=hint)
        return
    database = overlay.parent / DATABASE
    environment = {"FLOE_DUCKDB_PATH": str(database), **os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    for step in STEPS:
        argv = [dbt, step, "--project-dir", str(overlay), "--profiles-dir", str(overlay)]
        if step != "deps":
            # The guard of the overlay stops a run for another IR than the compiled one.
            argv += ["--vars", f'{{"floe_ir_digest": "{state.ir_digest}"}}']
        if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
            argv.insert(1, "--no-use-colors")
        print(f"run       dbt {step}", flush=True)
        code = subprocess.run(argv, env=environment, cwd=overlay, check=False).returncode
        if code:
            hint = "dbt says above what failed" if step != "deps" else "dbt could not install the packages"
            yield Diagnostic("FLC801", f"`dbt {step}` ended with exit code {code}", hint=hint)
            return
    print(f"run       done; the data is in {environment['FLOE_DUCKDB_PATH']}")


def _dbt() -> str | None:
    """The ``dbt`` of this environment, else the first on the path."""
    beside = Path(sys.executable).parent / "dbt"
    return str(beside) if beside.is_file() else shutil.which("dbt")
