from __future__ import annotations

from pathlib import Path

import pytest

from emitters.artifact import Artifact, File
from emitters.write import write_artifacts


def test_a_second_write_removes_what_is_stale_and_leaves_no_temporary(tmp_path: Path) -> None:
    write_artifacts(tmp_path, [Artifact("dbt", (File("a/old.sql", b"1"),))])
    outcome = write_artifacts(tmp_path, [Artifact("dbt", (File("new.sql", b"2"),))])
    assert outcome.value is not None
    assert outcome.value.written == ("dbt/new.sql",)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == [
        ".gitignore",
        "dbt",
        "dbt/new.sql",
    ]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a\\b"])
def test_paths_that_escape_are_refused_before_anything_is_written(tmp_path: Path, path: str) -> None:
    outcome = write_artifacts(tmp_path, [Artifact("dbt", (File("ok", b""), File(path, b"")))])
    assert [d.code for d in outcome.diagnostics] == ["FLC601"]
    assert list(tmp_path.iterdir()) == []


def test_a_linked_output_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dbt").symlink_to(tmp_path / "elsewhere")
    assert not write_artifacts(tmp_path, [Artifact("dbt", (File("x", b""),))]).ok
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_failure_keeps_the_former_content(tmp_path: Path) -> None:
    write_artifacts(tmp_path, [Artifact("dbt", (File("x", b"1"),))])
    outcome = write_artifacts(tmp_path, [Artifact("dbt", (File("x", b"2"), File("x/y", b"3")))])
    assert [d.code for d in outcome.diagnostics] == ["FLC602"]
    assert (tmp_path / "dbt" / "x").read_bytes() == b"1"
    assert sorted(p.name for p in tmp_path.iterdir()) == [".gitignore", "dbt"]
