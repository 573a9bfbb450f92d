"""Suite ``engine``: evaluation alone, policies compiled and input decoded before the clock starts.

The package of 17 checks (``policy.rego``) on generated projects; floec through ``Program.eval_path``,
OPA through its Go API with a prepared query. Values are CPU milliseconds, the median of the runs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import peer
from benchmarks.rows import Row, SkippedError
from policy_lang.source import Source

SIZES = (100, 1_000)
RUNS = 7
_PATH = tuple(peer.QUERY.split(".")[1:])


def run(sizes: Sequence[int] = SIZES, runs: int = RUNS) -> list[Row]:
    """CPU milliseconds of one evaluation by each engine, and OPA's over floec's."""
    rows = []
    policy = peer.bench_folder() / "policy.rego"
    with tempfile.TemporaryDirectory(prefix="floec-bench-") as folder:
        for n in sizes:
            document = peer.generate_input(n, Path(folder) / f"{n}.json")
            ours, our_count = _floec(policy, document, runs)
            floec = statistics.median(ours)
            rows.append(Row("engine", "policy.rego", n, "floec", "cpu", floec, "ms"))
            try:
                theirs, their_count = _opa(policy, document, runs)
            except SkippedError as reason:
                print(f"engine: without OPA's figures, {reason}")
                continue
            if our_count != their_count:
                raise RuntimeError(
                    f"floec finds {our_count} violations, OPA {their_count}: there is nothing to compare"
                )
            opa = statistics.median(theirs)
            rows.append(Row("engine", "policy.rego", n, "opa", "cpu", opa, "ms"))
            rows.append(Row("engine", "policy.rego", n, "floec", "times faster than opa", opa / floec, "ratio"))
    return rows


def _floec(policy: Path, document: Path, runs: int) -> tuple[list[float], int]:
    from policy_lang.engine import compile_program

    compiled = compile_program([Source(policy.name, policy.read_text(encoding="utf-8"))])
    if compiled.value is None:
        raise RuntimeError(f"floec cannot compile {policy.name}: {compiled.diagnostics[0].message}")
    program, given = compiled.value, _load(document)
    spent, count = [], 0
    for _ in range(runs + 1):
        before = time.process_time()
        found = program.eval_path(_PATH, input=given)
        spent.append((time.process_time() - before) * 1e3)
        if found.value is None:
            raise RuntimeError(f"floec cannot evaluate {peer.QUERY}: {found.diagnostics[0].message}")
        count = len(found.value)
    return spent[1:], count


def _load(document: Path) -> Any:
    from decimal import Decimal

    return json.loads(document.read_text(encoding="utf-8"), parse_float=Decimal)


def _opa(policy: Path, document: Path, runs: int) -> tuple[list[float], int]:
    argv = [peer.opa_bench(), str(policy), str(document), peer.QUERY, str(runs)]
    done = subprocess.run(argv, capture_output=True, check=True)
    printed = json.loads(done.stdout)
    return printed["cpu_ms"], printed["found"]
