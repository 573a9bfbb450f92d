"""Suite ``check``: the whole process, warm, ``floec check`` on a dbt project against ``opa eval`` on its JSON.

Both judge 1,000 models of ten columns. floec finds its facts in YAML and SQL files; OPA gets them
ready-made as one JSON document, so what is compared is what a user waits for, not the same bytes.
floec keeps verdicts while nothing changes, so three cases are told apart: nothing has changed, one model has, and
the whole is judged anew (``--no-cache``: facts of files and compiled policies are kept even then). OPA keeps nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

from benchmarks import peer
from benchmarks.process import Command, alternate, floec
from benchmarks.project import write_project
from benchmarks.rows import Row, SkippedError

SIZE = 1_000
RUNS = 5


def run(n: int = SIZE, runs: int = RUNS) -> list[Row]:
    """CPU seconds and peak memory of both, and OPA's time over floec's."""
    with tempfile.TemporaryDirectory(prefix="floec-bench-") as name:
        folder = Path(name)
        product = str(write_project(folder / "project", n))
        _judges(product)
        model = next((folder / "project").rglob("silver_*.sql"))
        commands = [
            Command("floec", [floec(), "check", product], accept=(0, 1)),
            Command("floec, one model changed", _after_a_change(model, product), accept=(0, 1)),
            Command("floec, judged anew", [floec(), "check", product, "--no-cache"], accept=(0, 1)),
            Command("opa", _opa_eval(folder, n)),
        ]
        measured = alternate(commands, runs)
    rows = []
    for engine, (cpu, peak) in measured.items():
        rows.append(Row("check", "whole process, warm", n, engine, "cpu", cpu, "s"))
        rows.append(Row("check", "whole process, warm", n, engine, "peak memory", peak, "MiB"))
    ratio = measured["opa"][0] / measured["floec"][0]
    rows.append(Row("check", "whole process, warm", n, "floec", "times faster than opa", ratio, "ratio"))
    return rows


def _after_a_change(model: Path, product: str) -> list[str]:
    """A check after one more comment in one model; the shell that writes it costs a millisecond."""
    script = 'echo "-- changed" >> "$0"; exec "$1" check "$2"'
    return ["sh", "-c", script, str(model), floec(), product]


def _judges(product: str) -> None:
    """A check that finds nothing in a project with planted defects has not done the work that is timed."""
    done = subprocess.run([floec(), "check", product, "--format", "json"], capture_output=True, check=False)
    try:
        found = json.loads(done.stdout)["diagnostics"]
    except (ValueError, KeyError) as error:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SkippedError(f"floec check gives no report: {said[-1] if said else 'no message'}") from error
    policies = {
        d["code"] for d in found if re.fullmatch(r"[A-Z]{3}\d{3}", d["code"]) and not d["code"].startswith("FLC")
    }
    if not policies:
        raise SkippedError("floec check ran no policy on the generated project")


def _opa_eval(folder: Path, n: int) -> list[str]:
    document = peer.generate_input(n, folder / "input.json")
    policy = peer.bench_folder() / "policy.rego"
    return [peer.opa(), "eval", "-d", str(policy), "-i", str(document), peer.QUERY]
