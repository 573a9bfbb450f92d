"""What a check loads where little has changed: a start is mostly imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SMALL = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: acme, version: 1.0.0, owner: team@acme.example}
plugins: {compute: {type: duckdb}}
governance:
  classification: {levels: [public, confidential], categories: {pii: {level: confidential}}}
policies: [{use: ./policies}]
"""
PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: shop, version: 1.0.0, owner: shop@acme.example, domain: shop}
platform: {ref: ../manifest.yaml}
transforms: [{type: dbt, path: models}]
"""
POLICY = """\
package acme.classes

policy lost {
	id       ACM001
	title    "No class arrives"
	severity warn
	why      "A reader must know."

	for model in input.models
	for column in model.columns
	forbid {
		is_object(column.inherited)
	}

	message $"{column.name} of {model.name} comes from {column.inherited.classification}"
	at      column
}
"""
HEAVY = ("argparse", "csv", "dataclasses", "hashlib", "inspect", "jinja2", "logging", "sqlglot", "tempfile", "yaml")
CODE = """\
import sys
from policy_lang.later import begin
begin()
from compiler.cli.main import run
run(["check", "product", *sys.argv[1:]])
print("loaded", *sys.modules)
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    models = tmp_path / "product" / "models"
    models.mkdir(parents=True)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/lost.floe").write_text(POLICY)
    (tmp_path / "manifest.yaml").write_text(SMALL)
    (models.parent / "floe.yaml").write_text(PRODUCT)
    (models.parent / "dbt_project.yml").write_text("name: shop\nversion: '1'\n")
    (models / "_models.yml").write_text(
        "models: [{name: a, columns: [{name: email, meta: {floe: {classification: pii}}}]}]\n"
    )
    (models / "a.sql").write_text("select 'x' as email, 1 as id\n")
    (models / "b.sql").write_text("select email as mail, id from {{ ref('a') }}\n")
    return tmp_path


def loaded(folder: Path, *options: str) -> tuple[set[str], str]:
    environment = {k: v for k, v in os.environ.items() if k != "FLOEC_CACHE_DIR"}
    environment |= {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *options], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    said, _, names = done.stdout.partition("loaded ")
    return set(names.split()), done.stderr + said


def test_an_edit_of_plain_sql_loads_no_parser(product: Path) -> None:
    assert loaded(product)[0] >= {"yaml"}
    before, _ = loaded(product)
    (product / "product/models/b.sql").write_text("select lower(email) as mail, id from {{ ref('a') }} where id > 1\n")
    names, said = loaded(product)
    assert not names.intersection(HEAVY)
    assert not before.intersection(HEAVY)
    assert "mail of b comes from pii" in said
    assert loaded(product, "--no-cache")[1] == said


def test_a_hook_loads_no_parser(product: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@acme.example"]
    if shutil.which("git") is None:
        pytest.skip("git is missing")
    (product / ".gitignore").write_text("cache/\n")
    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *argv], cwd=product, check=True)
    loaded(product, "--changed")
    names, said = set[str](), ""
    for number in range(2):  # at first the origin of the class is placed, which takes a parser of YAML
        with open(product / "product/models/b.sql", "a") as file:
            file.write(f"-- more {number}\n")
        names, said = loaded(product, "--changed")
    assert not names.intersection(HEAVY)
    assert "mail of b comes from pii" in said
