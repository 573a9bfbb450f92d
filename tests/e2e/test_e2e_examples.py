"""The examples are what they say: the good ones load and run, the bad ones are refused at a line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.documents.yaml_loader import load_file

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROFILE = """\
acme_orders:
  target: test
  outputs:
    test: {type: duckdb, path: 'DATABASE', threads: 1}
"""


def documents(name: str) -> list[Path]:
    found = [p for p in (EXAMPLES / name).rglob("*.y*ml") if not {".floe", "target"} & set(p.parts)]
    assert found
    return sorted(found)


@pytest.mark.parametrize("name", ["acme", "broken"])
def test_the_yaml_of_an_example_loads(name: str) -> None:
    assert [d for file in documents(name) for d in load_file(file).diagnostics] == []


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("broken_yaml", "FLC101", 13),
        ("duplicate_key", "FLC103", 6),
        ("python_object", "FLC104", 6),
        ("billion_laughs", "FLC105", 10),
    ],
)
def test_a_dangerous_or_broken_document_is_refused_at_its_line(name: str, code: str, line: int) -> None:
    (found,) = load_file(EXAMPLES / "broken_documents" / name / "floe.yaml").diagnostics
    assert found.span is not None
    assert (found.code, found.span.line) == (code, line)


def test_the_table_of_planted_violations_points_at_existing_lines() -> None:
    rows = [r.split("|") for r in (EXAMPLES / "broken" / "EXPECTED.md").read_text().splitlines() if r.startswith("| `")]
    assert {row[3].strip() for row in rows} == {"NAM", "CLS", "TST", "DOC", "MET", "LAY"}
    for row in rows:
        file = EXAMPLES / "broken" / "product" / row[1].strip(" `")
        assert file.read_text().splitlines()[int(row[2]) - 1].strip()


@pytest.mark.slow
@pytest.mark.dbt
def test_dbt_builds_the_example(tmp_path: Path) -> None:
    dbt = Path(sys.executable).parent / "dbt"
    if not dbt.exists():
        pytest.skip("dbt is not installed (extra: dbt)")
    project = tmp_path / "orders"
    source = EXAMPLES / "acme/domains/sales/products/orders"
    shutil.copytree(source, project, ignore=shutil.ignore_patterns(".floe", "target", "logs"))
    (tmp_path / "profiles.yml").write_text(PROFILE.replace("DATABASE", str(tmp_path / "acme.duckdb")))
    argv = [dbt, "--no-use-colors", "build", "--project-dir", project, "--profiles-dir", tmp_path]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "WARN=0 ERROR=0 SKIP=0" in done.stdout
