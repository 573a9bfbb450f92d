"""``python -m benchmarks SUITE …``: run suites (``all``: every one), print a table, write the rows."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from benchmarks.rows import RESULTS, Row, SkippedError, save, table

SUITES = {
    "check": "whole process: floec check against opa eval on 1,000 models",
    "dbt": "whole process: floec check, dbt-bouncer and dbt-score with 19 equivalent rules on dbt manifests",
    "hooks": "whole process: floec check --changed as a pre-commit hook after an edit of 3 files in 1,000 models",
    "engine": "evaluation only: the same checks in floec, OPA and regorus; a cold start",
}


def main(argv: Sequence[str]) -> int:
    """Exit code 0, also where a suite is skipped (the reason is printed); 2 for an unknown suite."""
    wanted = list(SUITES) if not argv or "all" in argv else list(argv)
    if unknown := [name for name in wanted if name not in SUITES]:
        print(f"unknown suite: {', '.join(unknown)} (known: all, {', '.join(SUITES)})", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in wanted:
        print(f"{name}: {SUITES[name]}", flush=True)
        try:
            rows += importlib.import_module(f"benchmarks.{name}").run()
        except SkippedError as reason:
            print(f"{name}: skipped, {reason}")
    if rows:
        save(rows)
        print(f"\n{table(rows)}\n\nwritten: {RESULTS}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
