"""`floec check --jobs`: the report is the same in any number of processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.cli.main import run
from policy_lang import parallel

BROKEN = Path(__file__).parents[4] / "examples" / "broken" / "product"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_the_report_is_that_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(parallel, "LEAST_SUBJECTS", 1)
    ran: list[bool] = []
    shared_out = parallel._shared_out

    def noted(*given: object) -> object:
        found = shared_out(*given)  # type: ignore[arg-type]
        ran.append(found is not None)
        return found

    monkeypatch.setattr(parallel, "_shared_out", noted)
    reports = []
    for jobs in ("1", "3", "3"):  # the third time the cache has the code of the parts
        assert run(["check", str(BROKEN), "--no-cache", "--jobs", jobs]) == 1
        reports.append(capsys.readouterr())
    assert ran == [True, True]
    assert reports[0] == reports[1] == reports[2]


def test_a_number_of_processes_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(BROKEN), "--jobs", "-2"]) == 2
    assert run(["check", str(BROKEN), "--jobs", "many"]) == 2
    assert "`many` is no number of processes" in capsys.readouterr().err
