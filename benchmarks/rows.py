"""The result of every benchmark: rows, written as JSON and printed as a table, engines side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value: ``n`` is the number of models, ``unit`` that of ``value``."""

    suite: str
    case: str
    n: int
    engine: str
    metric: str
    value: float
    unit: str


class SkippedError(Exception):
    """A suite cannot run here; the message says what is missing and how it can be had."""


def save(rows: Iterable[Row], path: Path = RESULTS) -> None:
    """Write the rows; those of suites that did not run now are kept."""
    fresh = [asdict(row) for row in rows]
    ran = {row["suite"] for row in fresh}
    kept = [row for row in load(path) if row["suite"] not in ran]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept + fresh, indent=1) + "\n", encoding="utf-8")


def load(path: Path = RESULTS) -> list[dict[str, object]]:
    """The rows of the last runs, ``[]`` before the first."""
    if not path.exists():
        return []
    loaded: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def table(rows: Iterable[Row]) -> str:
    """One line a measurement, one column an engine, the engines in the order in which they come."""
    rows = list(rows)
    engines = list(dict.fromkeys(row.engine for row in rows))
    lines: dict[tuple[str, str, int, str, str], dict[str, float]] = {}
    for row in rows:
        lines.setdefault((row.suite, row.case, row.n, row.metric, row.unit), {})[row.engine] = row.value
    head = ["suite", "case", "n", "metric", "unit", *engines]
    body = [[*map(str, key), *(_number(values.get(engine)) for engine in engines)] for key, values in lines.items()]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in [head, *body]
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
