"""``floec check --changed``: findings on what changed and on what depends on it, and on nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from compiler.cli.main import run

ROOT = Path(__file__).parents[4]


def git(folder: Path, *argv: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", "-C", str(folder), *identity, *argv], check=True, capture_output=True)


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(ROOT / "examples/broken", tmp_path / "broken", ignore=shutil.ignore_patterns(".floe"))
    for argv in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "x")):
        git(tmp_path / "broken", *argv)
    return tmp_path / "broken/product"


def found(product: Path, capsys: pytest.CaptureFixture[str], *options: str) -> set[tuple[str, str]]:
    run(["check", str(product), "--format", "json", *options])
    return {(d["code"], d.get("subject", "")) for d in json.loads(capsys.readouterr().out)["diagnostics"]}


def test_nothing_changed_nothing_is_said(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(product), "--changed"]) == 0
    shown = capsys.readouterr()
    assert "findings on what did not change are not shown" in shown.out
    assert "error[" not in shown.err


def test_a_changed_model_and_what_depends_on_it(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = found(product, capsys)
    sql = product / "models/silver/silver_customers.sql"
    sql.write_text(sql.read_text() + "-- changed\n")
    narrowed = found(product, capsys, "--changed")
    assert narrowed < everything
    assert ("MET001", "model silver_customers") in narrowed
    assert ("TST001", "model gold_customers") in {(c, s.split(" layer")[0]) for c, s in narrowed}
    assert not any("stg_regions" in subject or "silver_orphans" in subject for _, subject in narrowed)


def test_a_new_file_counts_and_a_commit_can_be_named(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (product / "models/silver/silver_new.sql").write_text("select 1 as id\n")
    new = found(product, capsys, "--changed")
    assert any("silver_new" in subject for _, subject in new)
    git(product, "add", "-A")
    git(product, "commit", "-qm", "new")
    assert found(product, capsys, "--changed") == set()
    assert found(product, capsys, "--changed", "HEAD~1") == new


def test_a_changed_manifest_concerns_everything(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = product.parent / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "# changed\n")
    assert found(product, capsys, "--changed") == found(product, capsys)


@pytest.mark.parametrize("commit", ["no-such-commit", "--output=x"])
def test_a_commit_that_is_none(commit: str, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(product), f"--changed={commit}"]) == 2
    assert "FLC896" in capsys.readouterr().err
    assert not (product / "x").exists()


def test_outside_of_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str], product: Path) -> None:
    shutil.rmtree(product.parent / ".git")
    assert run(["check", str(product), "--changed"]) == 3
    assert "FLC895" in capsys.readouterr().err


def test_findings_that_are_not_shown_are_not_placed(
    product: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from compiler.ir.provenance import Locator

    placed: list[tuple[str | int, ...]] = []
    locate = Locator.locate
    monkeypatch.setattr(Locator, "locate", lambda self, path: placed.append(path) or locate(self, path))
    everything = found(product, capsys, "--no-cache")
    before = len(placed)
    placed.clear()
    sql = product / "models/silver/silver_customers.sql"
    sql.write_text(sql.read_text() + "-- changed\n")
    assert found(product, capsys, "--changed") < everything
    assert 0 < len(placed) < before


def test_a_changed_file_behind_a_link(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = product / "models/silver/silver_customers.sql"
    target = product.parent / "shared.sql"
    link.rename(target)
    link.symlink_to(target)
    git(product, "add", "-A")
    git(product, "commit", "-qm", "link")
    assert found(product, capsys, "--changed") == set()
    target.write_text(target.read_text() + "-- changed\n")
    assert ("MET001", "model silver_customers") in found(product, capsys, "--changed")


@pytest.mark.parametrize("linked", [False, True])
def test_in_a_git_hook(
    linked: bool, product: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """git names its folder (in a linked worktree) and its index to hooks, which run at the top of the repository."""
    top = product.parent
    if linked:
        git(top, "worktree", "add", "-q", str(top.parent / "linked"))
        top = top.parent / "linked"
        monkeypatch.setenv("GIT_DIR", str(product.parent / ".git/worktrees/linked"))
    else:
        monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    monkeypatch.chdir(top)
    sql = top / "product/models/silver/silver_customers.sql"
    sql.write_text(sql.read_text() + "-- changed\n")
    narrowed = found(top / "product", capsys, "--changed")
    assert ("MET001", "model silver_customers") in narrowed
    assert not any("silver_orphans" in subject for _, subject in narrowed)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_model_that_is_gone_concerns_those_that_used_it(
    renamed: bool, product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = product / "models/silver/silver_customers.sql"
    git(product, *(("mv", str(sql), str(sql.with_stem("silver_people"))) if renamed else ("rm", str(sql))))
    narrowed = found(product, capsys, "--changed")
    assert any("gold_customers" in subject for _, subject in narrowed)
    assert not any("silver_orphans" in subject for _, subject in narrowed)  # it has lacked its own all along
    assert any("silver_people" in subject for _, subject in narrowed) == renamed


@pytest.mark.parametrize("name", ["dbt_project.yml", "packages.yml"])
def test_what_is_said_of_the_whole_project_concerns_everything(
    name: str, product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (product / name).open("a") as file:
        file.write("# changed\n")
    assert found(product, capsys, "--changed") == found(product, capsys)


def test_a_macro_concerns_the_models_that_call_it(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (product / "macros").mkdir()
    inner, outer = product / "macros/inner.sql", product / "macros/outer.sql"
    inner.write_text("{% macro lowered(c) %}lower({{ c }}){% endmacro %}\n")
    outer.write_text("{% macro mail(c) %}{{ lowered(c) }}{% endmacro %}\n")
    sql = product / "models/silver/stg_regions.sql"
    sql.write_text(sql.read_text() + "-- {{ mail('x') }}\n")
    git(product, "add", "-A")
    git(product, "commit", "-qm", "macros")
    assert found(product, capsys, "--changed") == set()
    inner.write_text("{% macro lowered(c) %}lower(trim({{ c }})){% endmacro %}\n")
    subjects = {subject for _, subject in found(product, capsys, "--changed")}
    assert any("stg_regions" in subject for subject in subjects)
    assert not any("silver_orphans" in subject or "gold_customers" in subject for subject in subjects)


def test_several_products_of_one_commit(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = product.with_name("another product")
    shutil.copytree(product, other)
    git(product, "add", "-A")
    git(product, "commit", "-qm", "another")
    for folder in (product, other):
        sql = folder / "models/silver/silver_customers.sql"
        sql.write_text(sql.read_text() + "-- changed\n")
    one, two = found(product, capsys, "--changed"), found(other, capsys, "--changed")
    assert one == two != set()
    run(["check", str(product), str(other), "--changed", "--format", "json"])
    both = json.loads(capsys.readouterr().out)["diagnostics"]
    assert {str(product / "models") in json.dumps(d) for d in both} == {True, False}
    assert len(both) == 2 * len(one)


def test_a_file_of_the_project_is_no_document(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """pre-commit names the files that are committed where nobody has told it not to."""
    assert run(["check", "--changed=HEAD", str(product / "models/silver/silver_customers.sql")]) == 1
    said = capsys.readouterr().err
    assert "FLC100" in said
    assert "pass_filenames" in said


def test_a_commit_is_named_as_it_was_given(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(product, "branch", "-f", "somewhere")
    for name in ("nowhere", "some-where", "nowhere...", "somewhere..nowhere"):
        assert run(["check", str(product), f"--changed={name}"]) == 2
        said = capsys.readouterr().err
        assert "FLC896" in said
        assert f"`{name.removesuffix('...')}`" in said
        assert ("did you mean `somewhere`?" in said) is (name == "some-where")
