"""After any edits, what is kept between runs gives the answer of reading and judging everything."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.cli.main import run
from compiler.facts.project import read as project_files
from compiler.facts.project.read import read_project_files
from compiler.ir.facts_model import LISTS, Facts
from compiler.policies import judged
from tests.property.edited_projects import Edited

PLATFORM = Path(__file__).parents[2] / "examples/broken/manifest.yaml"
PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: shop, version: 1.0.0, owner: shop@acme.example, domain: shop}
platform: {ref: ../manifest.yaml}
transforms: [{type: dbt, path: models}]
"""
JSON = ("--format", "json")
EDITS = st.lists(st.integers(1, 3), min_size=1, max_size=5)


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("FLOEC_CACHE_DIR", raising=False)
        yield


def plain(facts: Facts | None) -> dict[str, Any]:
    assert facts is not None
    return {name: getattr(facts, name) for name in ("project", *LISTS, "sql")}


def checked(product: Path, *options: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["check", str(product), *options])
    return code, out.getvalue(), err.getvalue()


def product_of(folder: Path, seed: int) -> Edited:
    project = Edited(folder / "product", seed)
    shutil.copy(PLATFORM, folder)
    (project.root / "floe.yaml").write_text(PRODUCT)
    return project


@settings(max_examples=40)
@given(st.integers(0, 2**32), EDITS)
def test_facts_after_edits(seed: int, steps: list[int]) -> None:
    with TemporaryDirectory() as name:
        project = Edited(Path(name) / "p", seed)
        environ = {"FLOEC_CACHE_DIR": f"{name}/cache"}
        read_project_files(project.root, environ=environ)
        for edits in steps:
            for _ in range(edits):
                project.edit()
            kept = read_project_files(project.root, environ=environ)
            anew = read_project_files(project.root, environ={"FLOEC_CACHE_DIR": ""}, reuse=False)
            assert kept.diagnostics == anew.diagnostics, project.log
            assert plain(kept.value) == plain(anew.value), project.log


@settings(max_examples=25)
@given(st.integers(0, 2**32), EDITS)
def test_checks_after_edits(seed: int, steps: list[int]) -> None:
    with TemporaryDirectory() as name:
        project = product_of(Path(name), seed)
        checked(project.root)
        for edits in steps:
            for _ in range(edits):
                project.edit()
            # As text, few findings of one policy are shown; as JSON all of them, with their places.
            assert checked(project.root, *JSON) == checked(project.root, *JSON, "--no-cache"), project.log
            project.edit()
            assert checked(project.root) == checked(project.root, "--no-cache"), project.log


def test_most_edits_of_one_file_read_and_judge_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = product_of(tmp_path, 3)
    (project.root / "models/silver/steady.sql").write_text("select id, email from {{ ref('m0') }}\n")
    checked(project.root)

    def refuse(*_: object) -> None:
        raise AssertionError("everything is read or judged again")

    monkeypatch.setattr(project_files, "_whole", refuse)
    monkeypatch.setattr(judged.Judge, "_all", refuse)
    (project.root / "models/silver/steady.sql").write_text("select id, email, 1 as one from {{ ref('m0') }} -- more\n")
    first = checked(project.root)
    monkeypatch.undo()
    assert first == checked(project.root, "--no-cache")


def test_no_policy_runs_where_nothing_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = product_of(tmp_path, 3)
    first = checked(project.root, "-v")  # of what is shown whole no verdict is kept

    def refuse(*_: object) -> None:
        raise AssertionError("policies run")

    monkeypatch.setattr(judged.PolicySet, "run", refuse)
    assert checked(project.root, "-v") == first
