"""OPA and its input: where they are found, and a clear word where they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.process import tools
from benchmarks.rows import SkippedError

ROOT = Path(__file__).resolve().parent.parent
QUERY = "data.floe.policies.deny"


def bench_folder() -> Path:
    """The folder with ``gen.py`` and ``policy.rego``: FLOEC_BENCH, else ``../shared/bench``."""
    folder = Path(os.environ.get("FLOEC_BENCH") or ROOT.parent / "shared" / "bench")
    if not (folder / "gen.py").exists() or not (folder / "policy.rego").exists():
        raise SkippedError(
            "the benchmark's input is missing: set FLOEC_BENCH to the folder with gen.py and policy.rego"
        )
    return folder


def opa() -> str:
    """The OPA binary that ``scripts/external_tools.sh opa`` builds."""
    binary = tools() / "opa"
    if not os.access(binary, os.X_OK):
        raise SkippedError("OPA is missing: run scripts/external_tools.sh opa (needs Go)")
    return str(binary)


def generate_input(n: int, target: Path) -> Path:
    """Write the input of ``n`` models as JSON."""
    with target.open("wb") as out:
        subprocess.run([sys.executable, str(bench_folder() / "gen.py"), str(n)], stdout=out, check=True)
    return target


def opa_bench() -> str:
    """Our program on OPA's API (prepared query, evaluation only), built once into the tools' cache."""
    binary = tools() / "floec-opa-bench"
    source = Path(__file__).parent / "opa_bench"
    if not binary.exists() or binary.stat().st_mtime < (source / "main.go").stat().st_mtime:
        try:
            subprocess.run(
                ["go", "build", "-mod=mod", "-o", str(binary), "."], cwd=source, check=True, capture_output=True
            )
        except FileNotFoundError as error:
            raise SkippedError("Go is missing: OPA's evaluation alone cannot be measured") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()
            raise SkippedError(f"OPA's benchmark did not build: {said[-1] if said else 'no message'}") from error
    return str(binary)


def peer_python() -> str:
    """The interpreter of the environment with the peers that are Python packages (regorus, dbt-bouncer, dbt-score)."""
    python = tools() / "peers" / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise SkippedError("the Python peers are missing: run scripts/external_tools.sh peers")
    return str(python)
