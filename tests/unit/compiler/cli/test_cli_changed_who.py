"""The table of docs/hooks.md: of what differs in git, which nodes are reported on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.cli.main import run
from tests.unit.compiler.cli.test_cli_changed import git

POLICIES = """\
package acme.seen

policy seen_{0} {{
	id       {1}
	title    "Everything is found"
	severity warn

	for one in input.{0}
	require one.name == "-"

	message "seen"
	at      one.name
}}
"""
SECTIONS = ("models", "seeds", "snapshots", "sources", "tests", "exposures")
EVERYTHING = {"stg_a", "stg_b", "fct", "dim", "uses", "s", "snap", "a", "b", "board", "lonely", "single"}
FILES = {
    ".gitignore": "ignored.sql\ntarget/\n",
    "manifest.yaml": "apiVersion: floe.dev/v1\nkind: Manifest\n"
    "metadata: {name: p, version: 1.0.0, owner: a@b.example}\nplugins: {compute: {type: duckdb}}\n"
    "policies: [{use: own}]\n",
    "product/floe.yaml": "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: shop, version: 1.0.0, "
    "owner: a@b.example, domain: d}\nplatform: {ref: ../manifest.yaml}\ntransforms: [{type: dbt, path: models}]\n",
    "product/dbt_project.yml": "name: shop\nversion: 1.0.0\n",
    "product/packages.yml": "packages: []\n",
    "product/models/stg_a.sql": "select {{ clean('id') }} from {{ source('raw', 'a') }}\n",
    "product/models/stg_b.sql": "select id from {{ source('raw', 'b') }}\n",
    "product/models/fct.sql": "{{ config(group='g') }}select id from {{ ref('stg_a') }}\n",
    "product/models/dim.sql": "select id from {{ ref('stg_b') }} join {{ ref('s') }} using (id)\n",
    "product/models/uses.sql": "select * from {{ ref('util', 'u') }}\n",
    "product/models/lonely.sql": "select 1 as id\n",
    "product/models/_fct.yml": "models:\n  - name: fct\n    description: \"{{ doc('facts') }}\"\n",
    "product/models/_dim.yml": "models:\n  - name: dim\n    data_tests: [odd]\n    description: d\n",
    "product/models/_sources.yml": "sources:\n  - name: raw\n    tables: [{name: a}, {name: b}]\n",
    "product/models/_groups.yml": "groups: [{name: g, owner: {name: x}}]\n",
    "product/models/_board.yml": "exposures:\n  - {name: board, type: dashboard, owner: {name: x}, "
    "depends_on: [\"ref('fct')\"]}\n",
    "product/models/docs.md": "{% docs facts %}Facts.{% enddocs %}\n{% docs others %}Others.{% enddocs %}\n",
    "product/macros/clean.sql": "{% macro clean(c) %}trim({{ inner(c) }}){% endmacro %}\n",
    "product/macros/inner.sql": "{% macro inner(c) %}{{ c }}{% endmacro %}\n",
    "product/tests/generic/odd.sql": "{% test odd(model) %}select 1 from {{ model }}{% endtest %}\n",
    "product/tests/single.sql": "select * from {{ ref('dim') }}\n",
    "product/seeds/s.csv": "id\n1\n",
    "product/snapshots/snap.sql": "{% snapshot snap %}select * from {{ ref('stg_b') }}{% endsnapshot %}\n",
    "product/dbt_packages/util/dbt_project.yml": "name: util\nversion: 1.0.0\n",
    "product/dbt_packages/util/models/u.sql": "select 1 as id\n",
}


EDGES = {
    "model.shop.stg_a": ["source.shop.raw.a"],
    "model.shop.stg_b": ["source.shop.raw.b"],
    "model.shop.fct": ["model.shop.stg_a"],
    "model.shop.dim": ["model.shop.stg_b", "seed.shop.s"],
    "model.shop.uses": ["model.util.u"],
    "model.shop.lonely": [],
    "model.util.u": [],
    "seed.shop.s": [],
    "snapshot.shop.snap": ["model.shop.stg_b"],
    "test.shop.odd_dim_.1": ["model.shop.dim"],
    "test.shop.single": ["model.shop.dim"],
}


def _node(id_: str, above: list[str]) -> dict[str, object]:
    kind, package, name, *_ = id_.split(".")
    path = {"seed": f"seeds/{name}.csv", "snapshot": "snapshots/snap.sql", "test": f"tests/{name}.sql"}
    found: dict[str, object] = {
        "unique_id": id_, "name": name, "resource_type": kind, "package_name": package,
        "original_file_path": path.get(kind, f"models/{name}.sql"), "depends_on": {"nodes": above, "macros": []},
    }  # fmt: skip
    if name in ("fct", "dim"):
        found["patch_path"] = f"shop://models/_{name}.yml"
    if name == "fct":
        found["config"] = {"group": "g", "enabled": True}
    if name == "odd_dim_":
        found |= {"attached_node": above[0], "original_file_path": "models/_dim.yml",
                  "test_metadata": {"name": "odd", "kwargs": {}}}  # fmt: skip
    return found


MANIFEST = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "project_name": "shop"},
    "nodes": {id_: _node(id_, above) for id_, above in EDGES.items()},
    "sources": {
        f"source.shop.raw.{name}": {
            "unique_id": f"source.shop.raw.{name}", "name": name, "source_name": "raw", "package_name": "shop",
            "resource_type": "source", "original_file_path": "models/_sources.yml",
        } for name in "ab"
    },
    "exposures": {
        "exposure.shop.board": {
            "unique_id": "exposure.shop.board", "name": "board", "package_name": "shop", "type": "dashboard",
            "original_file_path": "models/_board.yml", "depends_on": {"nodes": ["model.shop.fct"]},
            "owner": {"name": "x"}, "resource_type": "exposure",
        }
    },
    "groups": {
        "group.shop.g": {
            "unique_id": "group.shop.g", "name": "g", "package_name": "shop", "resource_type": "group",
            "original_file_path": "models/_groups.yml", "owner": {"name": "x"},
        }
    },
    "macros": {
        f"macro.shop.{name}": {
            "unique_id": f"macro.shop.{name}", "name": name, "package_name": "shop", "resource_type": "macro",
            "original_file_path": f"macros/{name}.sql", "macro_sql": FILES[f"product/macros/{name}.sql"],
        } for name in ("clean", "inner")
    },
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def product(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name, text in FILES.items():
        put(tmp_path / name, text)
    for i, section in enumerate(SECTIONS):
        put(tmp_path / f"own/{section}.floe", POLICIES.format(section, f"OWN{i:03}"))
    for argv in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "first")):
        git(tmp_path, *argv)
    return tmp_path / "product"


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def append(name: str, text: str = "-- more\n") -> Callable[[Path], None]:
    return lambda p: put(p / name, (p / name).read_text() + text)


def swap(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(product: Path) -> None:
        text = (product / name).read_text()
        assert old in text
        (product / name).write_text(text.replace(old, new))

    return change


def gone(name: str) -> Callable[[Path], None]:
    return lambda p: (p / name).unlink()


def seen(product: Path, capsys: pytest.CaptureFixture[str], *options: str) -> set[str]:
    """The names of what is reported on."""
    run(["check", str(product), "--format", "json", "--no-cache", *options])
    report = json.loads(capsys.readouterr().out)
    return {d["subject"].split()[-1].rpartition(".")[2] for d in report["diagnostics"] if d["code"].startswith("OWN")}


ROWS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "nothing": (lambda p: None, set()),
    "a file that git ignores": (lambda p: put(p / "models/ignored.sql", "select 1"), set()),
    "a model, and what depends on it": (append("models/stg_a.sql"), {"stg_a", "fct", "board"}),
    "a new model": (lambda p: put(p / "models/new.sql", "select 1"), {"new"}),
    "a model that is gone": (gone("models/stg_a.sql"), {"fct", "board"}),
    "a model that is renamed": (
        lambda p: git(p, "mv", "models/stg_a.sql", "models/stg_c.sql"), {"stg_c", "fct", "board"}),
    "a model that is moved": (
        lambda p: ((p / "models/m").mkdir(), git(p, "mv", "models/stg_a.sql", "models/m/stg_a.sql"))[1],
        {"stg_a", "fct", "board"}),
    "properties": (append("models/_dim.yml", "# more\n"), {"dim"}),
    "properties that are gone": (gone("models/_dim.yml"), {"dim"}),
    "a model that its properties describe no more": (swap("models/_dim.yml", "name: dim", "name: other"), {"dim"}),
    "a source": (append("models/_sources.yml", "# more\n"),
                 {"a", "b", "stg_a", "stg_b", "fct", "dim", "snap", "board"}),
    "a source that is gone": (swap("models/_sources.yml", ", {name: b}", ""),
                              {"a", "stg_a", "stg_b", "fct", "dim", "snap", "board"}),
    "a seed": (append("seeds/s.csv", "2\n"), {"s", "dim"}),
    "a snapshot": (append("snapshots/snap.sql"), {"snap"}),
    "a macro, and macros that call it": (swap("macros/inner.sql", "{{ c }}", "{{ c }} + 1"), {"stg_a", "fct", "board"}),
    "another macro in its file": (append("macros/inner.sql", "{% macro more() %}1{% endmacro %}\n"), set()),
    "a macro that is gone": (gone("macros/clean.sql"), {"stg_a", "fct", "board"}),
    "a macro that dbt calls for all": (
        lambda p: put(p / "macros/names.sql", "{% macro generate_alias_name(c, n) %}x{% endmacro %}"), EVERYTHING),
    "a generic test": (swap("tests/generic/odd.sql", "select 1", "select 2"), {"dim"}),
    "a generic test that is gone": (gone("tests/generic/odd.sql"), {"dim"}),
    "a singular test": (append("tests/single.sql"), {"single"}),
    "a block of documentation": (swap("models/docs.md", "Facts.", "All facts."), {"fct", "board"}),
    "another block in its file": (swap("models/docs.md", "Others.", "More."), set()),
    "documentation that is gone": (gone("models/docs.md"), {"fct", "board"}),
    "a group": (swap("models/_groups.yml", "name: x", "name: y"), {"fct", "board"}),
    "an exposure": (append("models/_board.yml", "# more\n"), {"board"}),
    "a package": (append("dbt_packages/util/models/u.sql"), {"uses"}),
    "a package that is gone": (lambda p: shutil.rmtree(p / "dbt_packages/util"), {"uses"}),
    "dbt_project.yml": (append("dbt_project.yml", "# more\n"), EVERYTHING),
    "packages.yml": (append("packages.yml", "# more\n"), EVERYTHING),
    "profiles.yml": (lambda p: put(p / "profiles.yml", "shop: {}\n"), EVERYTHING),
    "floe.yaml": (append("floe.yaml", "# more\n"), EVERYTHING),
    "the platform's manifest": (append("../manifest.yaml", "# more\n"), EVERYTHING),
    "a policy": (append("../own/models.floe", "# more\n"), EVERYTHING),
    "a policy that is gone": (gone("../own/exposures.floe"), EVERYTHING - {"board"}),
    "a lock": (lambda p: put(p / "floe.lock", '{"lock_version": 1, "references": {}}'), EVERYTHING),
}  # fmt: skip


@pytest.mark.parametrize("row", list(ROWS))
@pytest.mark.parametrize("state", ["on disk", "staged", "committed", "beside a manifest of dbt"])
def test_who_is_reported_on(state: str, row: str, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, expected = ROWS[row]
    if state == "beside a manifest of dbt":
        put(product / "target/manifest.json", json.dumps(MANIFEST))
    change(product)
    if state in ("staged", "committed"):
        git(product.parent, "add", "-A")
    if state == "committed":
        git(product.parent, "commit", "-q", "--allow-empty", "-m", "change")
    found = seen(product, capsys, "--changed=HEAD~1" if state == "committed" else "--changed")
    assert found - {"odd_dim_"} == expected  # the test on a model that is reported on


def test_a_manifest_of_dbt_that_is_committed(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(product, "rm", "-q", "--cached", "../.gitignore")
    put(product.parent / ".gitignore", "")
    put(product / "target/manifest.json", json.dumps(MANIFEST))
    git(product.parent, "add", "-A")
    git(product.parent, "commit", "-qm", "manifest")
    assert seen(product, capsys, "--changed") == set()
    put(product / "target/manifest.json", json.dumps(MANIFEST, indent=1))
    assert seen(product, capsys, "--changed") >= EVERYTHING
