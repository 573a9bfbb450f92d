"""Broken SQL in a whole check: one finding a file, the rest is still checked, and a commit's files are looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "FLOEC_CACHE_DIR": str(folder / ".cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "floec.py"), "check", *options]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@acme.example"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_rest_is_checked_and_a_commit_is_told_of_its_own_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "acme", tmp_path / "acme")
    product = tmp_path / "acme" / "domains" / "sales" / "products" / "orders"
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "acme")
    git(tmp_path, "commit", "-qm", "all")
    model = product / "models" / "gold" / "gold_customer_value.sql"
    model.write_text(model.read_text().replace("where orders", "wher orders"))
    name = str(product.relative_to(tmp_path))
    for options in ([name], [name], ["--no-cache", name], ["--changed", "HEAD", name]):
        done = check(tmp_path, *options)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("FLC130") == 1
        assert "FLC128" not in done.stderr
        assert "gold_customer_value.sql:9:5" in done.stderr
        assert "did you mean `where`?" in done.stderr
    assert "1 warning" in done.stdout
    git(tmp_path, "commit", "-qam", "broken")
    other = product / "models" / "gold" / "gold_daily_revenue.sql"
    other.write_text(other.read_text() + "\n-- more\n")
    assert "FLC130" not in check(tmp_path, "--changed", "HEAD", name).stderr
    assert "FLC130" in check(tmp_path, name).stderr
