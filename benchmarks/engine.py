"""Suite ``engine``: evaluation alone (policies compiled and input decoded before the clock starts), and cold starts.

The package of 17 checks (``policy.rego``) on generated projects, the same package as one would first write
it (``policy_natural.rego``: quadratic in OPA), and the same checks as policies of our own
(``policies/checks.floe``). OPA runs through its Go API with a prepared query, regorus through its Python
wheel. Each engine has a process of its own; values are CPU milliseconds, the median of the repetitions,
and the peak memory of the process.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import peer
from benchmarks.process import Command, alternate, floec, measure_output
from benchmarks.rows import Row, SkippedError

SIZES = (100, 1_000, 10_000)
RUNS = 5
# Past this size one evaluation of the natural package takes OPA minutes.
NATURAL = 1_000
POLICIES = Path(__file__).parent / "policies" / "checks.floe"
_TRIVIAL = 'package trivial\n\nallow if input.user == "ann"\n'


def run(sizes: Sequence[int] = SIZES, runs: int = RUNS) -> list[Row]:
    """The rows of all cases, engines side by side, and OPA's time over floec's."""
    folder = peer.bench_folder()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="floec-bench-") as name:
        for n in sizes:
            document = peer.generate_input(n, Path(name) / f"{n}.json")
            rows += _case("policy.rego", n, _engines(folder / "policy.rego", document, runs))
            theirs = _commands(folder / "policy.rego", document, runs, ("opa",))
            ours = {"floec": _command("floec-policies", POLICIES, document, runs)}
            rows += _case("as .floe policies", n, ours | theirs)
            if n <= NATURAL:
                rows += _case("policy_natural.rego", n, _engines(folder / "policy_natural.rego", document, runs))
            else:
                ours = {"floec": _command("floec", folder / "policy_natural.rego", document, runs)}
                rows += _case("policy_natural.rego", n, ours)
        rows += _cold(Path(name))
    return rows


def _engines(policy: Path, document: Path, runs: int) -> dict[str, list[str]]:
    return {"floec": _command("floec", policy, document, runs), **_commands(policy, document, runs, ("opa", "regorus"))}


def _command(engine: str, policy: Path, document: Path, runs: int, python: str = sys.executable) -> list[str]:
    return [python, "-m", "benchmarks.evaluate", engine, str(policy), str(document), peer.QUERY, str(runs)]


def _commands(policy: Path, document: Path, runs: int, engines: Sequence[str]) -> dict[str, list[str]]:
    """The peers that are there; the reason is printed for one that is not."""
    found: dict[str, list[str]] = {}
    for engine in engines:
        try:
            if engine == "opa":
                found[engine] = [peer.opa_bench(), str(policy), str(document), peer.QUERY, str(runs)]
            else:
                found[engine] = _command(engine, policy, document, runs, peer.peer_python())
        except SkippedError as reason:
            print(f"engine: without the figures of {engine}, {reason}")
    return found


def _case(case: str, n: int, commands: dict[str, list[str]]) -> list[Row]:
    cpu: dict[str, float] = {}
    count: dict[str, int] = {}
    rows: list[Row] = []
    for engine, argv in commands.items():
        usage, output = measure_output(Command(engine, argv, env={"PYTHONPATH": str(peer.ROOT)}))
        said = json.loads(output)
        cpu[engine], count[engine] = statistics.median(said["cpu_ms"]), said["found"]
        rows.append(Row("engine", case, n, engine, "cpu", cpu[engine], "ms"))
        rows.append(Row("engine", case, n, engine, "peak memory", usage.peak, "MiB"))
        if "prepare_ms" in said:
            rows.append(Row("engine", case, n, engine, "parse, compile and decode", said["prepare_ms"], "ms"))
    if len(set(count.values())) > 1:
        raise RuntimeError(f"{case}, {n} models: the engines disagree on the number of violations: {count}")
    rows += [
        Row("engine", case, n, "floec", f"times faster than {engine}", value / cpu["floec"], "ratio")
        for engine, value in cpu.items()
        if engine != "floec"
    ]
    return rows


def _cold(folder: Path) -> list[Row]:
    """The whole process on a policy of one rule, caches warm."""
    policy = folder / "trivial.rego"
    policy.write_text(_TRIVIAL, encoding="utf-8")
    given = folder / "input.json"
    given.write_text('{"user": "ann"}', encoding="utf-8")
    arguments = ["eval", "-d", str(policy), "-i", str(given), "data.trivial.allow"]
    commands = [Command("floec", [floec(), *arguments])]
    try:
        commands.append(Command("opa", [peer.opa(), *arguments]))
    except SkippedError as reason:
        print(f"engine: without OPA's start, {reason}")
    return [
        Row("engine", "trivial policy, whole process", 1, engine, metric, value, unit)
        for engine, (cpu, peak) in alternate(commands, 7).items()
        for metric, value, unit in (("cpu", cpu * 1e3, "ms"), ("peak memory", peak, "MiB"))
    ]
