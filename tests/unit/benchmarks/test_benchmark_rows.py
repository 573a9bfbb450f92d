from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.engine import POLICIES
from benchmarks.evaluate import main as evaluate
from benchmarks.process import Command, alternate, measure, measure_output
from benchmarks.project import write_project
from benchmarks.rows import Row, load, save, table

OURS = Row("check", "warm", 10, "floec", "cpu", 0.5, "s")
THEIRS = Row("check", "warm", 10, "opa", "cpu", 1.25, "s")


def test_a_run_replaces_only_the_rows_of_its_suites(tmp_path: Path) -> None:
    file = tmp_path / "results" / "latest.json"
    save([OURS, Row("engine", "x", 1, "floec", "cpu", 1.0, "ms")], file)
    save([THEIRS], file)
    assert [(row["suite"], row["engine"]) for row in load(file)] == [("engine", "floec"), ("check", "opa")]
    assert set(load(file)[0]) == {"suite", "case", "n", "engine", "metric", "value", "unit"}


def test_engines_stand_side_by_side() -> None:
    head, line = table([OURS, THEIRS]).splitlines()
    assert head.split()[-2:] == ["floec", "opa"]
    assert line.split()[-2:] == ["0.5", "1.25"]


def test_a_missing_value_is_a_dash() -> None:
    lines = table([OURS, THEIRS, Row("check", "warm", 10, "floec", "ratio", 2.5, "ratio")]).splitlines()
    assert lines[-1].split()[-2:] == ["2.5", "-"]


def test_cpu_time_and_peak_memory_are_those_of_the_process() -> None:
    usage = measure(Command("python", [sys.executable, "-c", "x = bytearray(60_000_000); sum(range(3_000_000))"]))
    assert usage.cpu > 0.01
    assert usage.peak > 55


def test_a_failed_process_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        alternate([Command("python", [sys.executable, "-c", "raise SystemExit(3)"])], 1)


def test_an_unknown_suite_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chekc"]) == 2
    assert "known: all, check, dbt, hooks, engine" in capsys.readouterr().err


def test_the_generated_project_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (write_project(tmp_path / name, 80) for name in ("a", "b"))
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert len([p for p in files if p.suffix == ".sql"]) == 80
    assert all((first / p).read_bytes() == (second / p).read_bytes() for p in files)


def test_output_and_usage_of_one_process() -> None:
    usage, printed = measure_output(Command("python", [sys.executable, "-c", "print(6 * 7)"]))
    assert (usage.exit_code, printed.strip()) == (0, b"42")
    assert usage.peak > 1


def test_the_benchmarks_policies_find_what_is_planted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    column = {"name": "email", "type": "blob", "classification": "public", "tests": [], "description": "", "meta": {}}
    model = {"name": "gold_x", "layer": "gold", "schema": "gold", "columns": [column], "meta": {}, "tags": []}
    rest = {"owner": "a", "materialized": "table", "description": "long enough to pass", "depends_on": ["absent"]}
    config = {"naming": {"gold": "^gold_"}, "coverage": {"gold": 80}, "forbidden_types": ["blob"], "teams": ["a"]}
    layers = {"materialized": {"gold": ["table"]}, "rank": {"gold": 2}, "domains": ["d"], "masked": ["pii"]}
    given = {"config": {**config, **layers}, "models": [model | rest]}
    (tmp_path / "input.json").write_text(json.dumps(given), encoding="utf-8")
    assert evaluate(["floec-policies", str(POLICIES), str(tmp_path / "input.json"), "", "1"]) == 0
    # C001 T002 D002 X001 L002 G001
    assert json.loads(capsys.readouterr().out)["found"] == 6
