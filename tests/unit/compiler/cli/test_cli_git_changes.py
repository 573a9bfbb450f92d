"""What git is asked: every file that differs from a commit, in whatever state the repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from compiler.cli.git_changes import Question
from policy_lang.diagnostics import Diagnostic


def git(folder: Path, *argv: str) -> None:
    settings = ["user.name=a", "user.email=a@b.example", "protocol.file.allow=always", "init.defaultBranch=main"]
    options = [part for setting in settings for part in ("-c", setting)]
    subprocess.run(["git", "-C", str(folder), *options, *argv], check=True, capture_output=True)


def repository(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"{file}\n", encoding="utf-8")
    if files:
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "first")
    return folder.resolve()


@pytest.fixture(autouse=True)
def _no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


def changed(folder: Path, since: str = "HEAD", top: Path | None = None) -> set[str]:
    with closing(Question(folder, since)) as question:
        found = question.answer()
    assert found.value is not None, found.diagnostics
    return {os.path.relpath(file, top or folder) for file in found.value}


def refused(folder: Path, since: str = "HEAD") -> Diagnostic:
    with closing(Question(folder, since)) as question:
        found = question.answer()
    assert found.value is None
    (one,) = found.diagnostics
    assert one.hint
    return one


def _edited(top: Path) -> set[str]:
    (top / "b.sql").write_text("other\n")
    return {"b.sql"}


def _staged(top: Path) -> set[str]:
    (top / "b.sql").write_text("other\n")
    git(top, "add", "b.sql")
    return {"b.sql"}


def _staged_and_undone(top: Path) -> set[str]:
    before = (top / "b.sql").read_text()
    _staged(top)
    (top / "b.sql").write_text(before)
    return set()


def _staged_and_gone(top: Path) -> set[str]:
    (top / "new.sql").write_text("new\n")
    git(top, "add", "new.sql")
    (top / "new.sql").unlink()
    return set()


def _new(top: Path) -> set[str]:
    (top / "folder").mkdir()
    (top / "folder/new.sql").write_text("new\n")
    return {"folder/new.sql"}


def _meant_to_be_added(top: Path) -> set[str]:
    (top / "new.sql").write_text("new\n")
    git(top, "add", "-N", "new.sql")
    return {"new.sql"}


def _ignored(top: Path) -> set[str]:
    (top / ".git/info/exclude").write_text("*.tmp\n")
    (top / "x.tmp").write_text("x\n")
    return set()


def _deleted(top: Path) -> set[str]:
    (top / "b.sql").unlink()
    return {"b.sql"}


def _deleted_and_staged(top: Path) -> set[str]:
    git(top, "rm", "-q", "b.sql")
    return {"b.sql"}


def _renamed(top: Path) -> set[str]:
    git(top, "mv", "b.sql", "c.sql")
    return {"b.sql", "c.sql"}


def _touched(top: Path) -> set[str]:
    os.utime(top / "b.sql", (1, 1))
    return set()


def _odd_names(top: Path) -> set[str]:
    names = {"with space.sql", "grün/Übung.sql", 'quote".sql', "two\nlines.sql", "-dash.sql", "tab\t.sql"}
    for name in names:
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text("x\n")
    git(top, "add", "--", "with space.sql")
    return names


def _no_text(top: Path) -> set[str]:
    try:
        (top / "\udcff.sql").write_text("x\n")
    except OSError:
        pytest.skip("the file system wants names to be UTF-8")
    return {"\udcff.sql"}


@pytest.mark.parametrize(
    "change",
    [
        _edited, _staged, _staged_and_undone, _staged_and_gone, _new, _meant_to_be_added, _ignored, _deleted,
        _deleted_and_staged, _renamed, _touched, _odd_names, _no_text,
    ],
)  # fmt: skip
@pytest.mark.parametrize("detached", [False, True])
def test_what_differs_on_disk(change: Callable[[Path], set[str]], detached: bool, tmp_path: Path) -> None:
    top = repository(tmp_path / "a repository", "a.sql", "b.sql")
    if detached:
        git(top, "checkout", "-q", "--detach")
    expected = change(top)
    assert changed(top) == expected


def test_all_of_the_repository_is_looked_at_from_a_folder_in_it(tmp_path: Path) -> None:
    top = repository(tmp_path, "product/a.sql", "platform/manifest.yaml")
    (top / "product/a.sql").write_text("x\n")
    (top / "platform/manifest.yaml").write_text("x\n")
    (top / "platform/new.yaml").write_text("x\n")
    (top / "product/new.sql").write_text("x\n")
    expected = {"product/a.sql", "platform/manifest.yaml", "platform/new.yaml", "product/new.sql"}
    assert changed(top / "product", top=top) == expected
    assert changed(top / "product/a.sql", top=top) == expected


@pytest.mark.parametrize(
    "setting", ["diff.renames=copies", "diff.relative=true", "diff.noprefix=true", "core.quotePath=true"]
)
def test_settings_of_the_user_do_not_matter(setting: str, tmp_path: Path) -> None:
    top = repository(tmp_path, "folder/a.sql", "b.sql")
    git(top, "config", *setting.split("="))
    git(top, "mv", "b.sql", "ü.sql")
    assert changed(top / "folder", top=top) == {"b.sql", "ü.sql"}


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    top = repository(tmp_path)
    (top / "a.sql").write_text("x\n")
    (top / "b.sql").write_text("x\n")
    git(top, "add", "a.sql")
    assert changed(top) == {"a.sql", "b.sql"}
    assert "no commit" in refused(top, "HEAD~1").message


def test_since_another_branch_was_left(tmp_path: Path) -> None:
    top = repository(tmp_path, "a.sql")
    git(top, "branch", "-M", "main")
    git(top, "checkout", "-qb", "topic")
    (top / "ours.sql").write_text("x\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "ours")
    git(top, "checkout", "-q", "main")
    (top / "theirs.sql").write_text("x\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "theirs")
    git(top, "checkout", "-q", "topic")
    (top / "new.sql").write_text("x\n")
    assert changed(top, "main...") == changed(top, "main...HEAD") == {"ours.sql", "new.sql"}
    assert changed(top, "main") == changed(top, "main..") == {"ours.sql", "new.sql", "theirs.sql"}
    assert "on disk" in refused(top, "main...topic").message
    assert "on disk" in refused(top, "...main").message
    assert refused(top, "nowhere...").code == "FLC896"


def test_a_clone_that_is_too_shallow(tmp_path: Path) -> None:
    origin = repository(tmp_path / "origin", "a.sql")
    git(origin, "branch", "-M", "main")
    git(origin, "checkout", "-qb", "topic")
    for name in ("b.sql", "c.sql"):
        (origin / name).write_text("x\n")
        git(origin, "add", "-A")
        git(origin, "commit", "-qm", name)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", "--branch=topic", f"file://{origin}", str(clone))
    (clone / "b.sql").write_text("other\n")
    assert changed(clone.resolve()) == {"b.sql"}
    assert "unshallow" in refused(clone, "origin/main...").hint
    assert changed(clone.resolve(), "origin/main") == {"b.sql", "c.sql"}


def test_inside_of_submodules(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", "a.sql", "b.sql", "c.sql")
    top = repository(tmp_path / "outer", "x.sql")
    git(top, "submodule", "--quiet", "add", str(inner), "shared")
    git(top, "commit", "-qm", "shared")
    assert changed(top) == set()
    (top / "shared/a.sql").write_text("edited\n")
    (top / "shared/new.sql").write_text("new\n")
    assert changed(top) == {"shared/a.sql", "shared/new.sql"}
    (top / "shared/b.sql").write_text("committed\n")
    git(top / "shared", "add", "b.sql")
    git(top / "shared", "commit", "-qm", "b")
    assert changed(top) == {"shared/a.sql", "shared/b.sql", "shared/new.sql"}
    assert changed(top / "shared") == {"a.sql", "new.sql"}


def test_a_submodule_in_a_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = repository(tmp_path / "inner", "a.sql")
    top = repository(tmp_path / "outer", "x.sql")
    git(top, "submodule", "--quiet", "add", str(inner), "shared")
    git(top, "commit", "-qm", "shared")
    (top / "shared/a.sql").write_text("edited\n")
    monkeypatch.chdir(top)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert changed(top) == {"shared/a.sql"}


def test_repositories_that_are_no_submodules(tmp_path: Path) -> None:
    top = repository(tmp_path, "x.sql")
    repository(top / "inside", "a.sql")
    (top / "inside/new.sql").write_text("x\n")
    assert changed(top) == {"inside/a.sql", "inside/new.sql"}


def test_outside_of_a_repository_and_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert "not a git repository" in refused(tmp_path).message
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git cannot be run" in refused(tmp_path).message


def test_a_question_that_nobody_wants_answered_ends(tmp_path: Path) -> None:
    top = repository(tmp_path, "a.sql")
    question = Question(top, "HEAD")
    question.close()
    assert all(process.returncode is not None for process in question._asked)


def test_what_files_were_before(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", "deep.sql")
    top = repository(tmp_path / "outer", "a.sql", "b.sql", "c.sql", "same.sql")
    (top / "link.sql").symlink_to("same.sql")
    git(top, "submodule", "--quiet", "add", str(inner), "shared")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "second")
    (top / "a.sql").write_text("other\n")
    (top / "b.sql").unlink()
    git(top, "mv", "c.sql", "d.sql")
    (top / "link.sql").unlink()
    (top / "link.sql").symlink_to("a.sql")
    (top / "new.sql").write_text("new\n")
    (top / "shared/deep.sql").write_text("other\n")
    with closing(Question(top, "HEAD")) as question:
        found = question.answer().value
        assert found is not None
        was = question.before([*found, str(top / "same.sql")])
    assert {os.path.relpath(file, top): text for file, text in was.items()} == {
        "a.sql": b"a.sql\n", "b.sql": b"b.sql\n", "c.sql": b"c.sql\n", "shared/deep.sql": b"deep.sql\n",
    }  # fmt: skip


def test_a_sparse_checkout(tmp_path: Path) -> None:
    top = repository(tmp_path, "here/a.sql", "there/b.sql")
    git(top, "sparse-checkout", "set", "here")
    assert not (top / "there").exists()
    assert changed(top) == set()
    (top / "here/a.sql").write_text("other\n")
    assert changed(top) == {"here/a.sql"}


def test_the_merge_of_a_branch_into_its_target(tmp_path: Path) -> None:
    """What a pull request checks out."""
    top = repository(tmp_path, "a.sql")
    git(top, "branch", "-M", "main")
    for branch, name in (("topic", "ours.sql"), ("main", "theirs.sql")):
        git(top, "checkout", "-q", *(["-b"] if branch == "topic" else []), branch)
        (top / name).write_text("x\n")
        git(top, "add", "-A")
        git(top, "commit", "-qm", name)
    git(top, "checkout", "-q", "--detach", "main")
    git(top, "merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert changed(top, "main...") == changed(top, "main") == {"ours.sql"}
