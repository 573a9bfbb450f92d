"""docs/policies.md names the policies that ship, as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_index_of_policies_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts/policy_index.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_index_covers_the_rules_of_other_linters() -> None:
    page = (ROOT / "docs/policies.md").read_text(encoding="utf-8")
    rows = page.split("## Rules that other linters")[1].splitlines()[4:]
    assert len(rows) == 84
    missing = [row for row in rows if row.endswith("| – |")]
    assert not missing
