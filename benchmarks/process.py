"""Measuring whole processes: CPU seconds and peak memory as the kernel counts them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    """One finished process: user and system CPU in seconds, peak resident memory in MiB."""

    exit_code: int
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure; ``accept`` are the exit codes of a run that did its work, ``before`` is called before
    each run and is not measured."""

    engine: str
    argv: Sequence[str]
    accept: tuple[int, ...] = (0,)
    env: Mapping[str, str] | None = None
    folder: Path | None = None
    before: Callable[[], object] | None = None


def measure(command: Command) -> Usage:
    """Run it once, its output thrown away. Raises RuntimeError where it ends with another exit code."""
    return measure_output(command)[0]


def measure_output(command: Command) -> tuple[Usage, bytes]:
    """As ``measure``, with what the process printed."""
    if command.before is not None:
        command.before()
    # What is measured is installed: it finds its bytecode, whatever the shell that measures says of writing it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(command.env or {})
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command.argv,
            stdout=printed,
            stderr=subprocess.DEVNULL,
            cwd=command.folder,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in command.accept:
            raise RuntimeError(f"{command.engine}: exit code {process.returncode} from {' '.join(command.argv)}")
        printed.seek(0)
        output = printed.read()
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return Usage(process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale), output


def alternate(commands: Sequence[Command], runs: int) -> dict[str, tuple[float, float]]:
    """Median CPU seconds and peak MiB by engine. The commands take turns, so a busy machine hits all alike.

    One run of each before the measured ones fills the caches.
    """
    for command in commands:
        measure(command)
    usages: dict[str, list[Usage]] = {command.engine: [] for command in commands}
    for _ in range(runs):
        for command in commands:
            usages[command.engine].append(measure(command))
    return {
        engine: (statistics.median(u.cpu for u in found), statistics.median(u.peak for u in found))
        for engine, found in usages.items()
    }


def floec() -> str:
    """The console script beside the running interpreter."""
    return str(Path(sys.executable).parent / "floec")


def tools() -> Path:
    """Where ``scripts/external_tools.sh`` puts what it builds."""
    return Path(os.environ.get("FLOEC_TOOLS") or Path.home() / ".cache" / "floec" / "tools")
