"""Judging the changed nodes of a manifest alone gives what judging the whole gives, byte for byte."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compiler.cli import rejudge
from compiler.cli.main import run
from compiler.facts.kept import manifest as kept_manifest
from policy_lang.policies import PolicySet

MODELS = 14
FAMILIES = ("naming", "documentation", "metadata", "layers", "sources")
MORE = (*FAMILIES, "testing")
Manifest = dict[str, Any]
Change = Callable[[Manifest, random.Random], None]


@pytest.fixture(scope="module", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The policies are compiled once for all tests here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def node(kind: str, name: str, rng: random.Random, **more: Any) -> dict[str, Any]:
    return {
        "unique_id": f"{kind}.shop.{name}",
        "name": name,
        "resource_type": kind,
        "package_name": "shop",
        "original_file_path": f"models/{name}.sql",
        "description": rng.choice(["", "What it holds.", "x"]),
        "tags": rng.sample(["daily", "pii", "Core"], rng.randint(0, 2)),
        "config": {"materialized": rng.choice(["view", "table", "incremental"]), "enabled": True},
        "created_at": 1795611803.99,
        **more,
    }


def model(i: int, rng: random.Random) -> dict[str, Any]:
    name = rng.choice(["stg_", "int_", "fct_", "Bad"]) + str(i)
    columns = {c: {"name": c, "description": rng.choice(["", "It."])} for c in rng.sample(["id", "Total", "at"], 2)}
    upstream = [f"source.shop.raw.t{i % 2}"]
    meta = {"owner": "team"} if rng.random() < 0.5 else {}
    found = node("model", name, rng, columns=columns, meta=meta, depends_on={"nodes": upstream, "macros": []})
    return {
        **found,
        "raw_code": "select * from raw.t",
        "access": rng.choice(["protected", "public"]),
        "language": "sql",
    }


def manifest(seed: int) -> Manifest:
    rng = random.Random(seed)
    models = [model(i, rng) for i in range(MODELS)]
    for i in range(3, MODELS):
        models[i]["depends_on"]["nodes"] = [m["unique_id"] for m in rng.sample(models[:i], 2)]
    sources = [
        node("source", f"t{i}", rng, unique_id=f"source.shop.raw.t{i}", source_name="raw", columns={}) for i in (0, 1)
    ]
    tests = [
        node("test", f"not_null_{i}", rng, attached_node=models[i]["unique_id"], column_name="id",
             test_metadata={"name": rng.choice(["not_null", "unique"]), "kwargs": {"column_name": "id"}},
             depends_on={"nodes": [models[i]["unique_id"]]})
        for i in range(0, MODELS, 2)
    ]  # fmt: skip
    exposure = node("exposure", "board", rng, depends_on={"nodes": [models[-1]["unique_id"]]}, owner={"name": "Ann"})
    return {
        "metadata": {
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
            "project_name": "shop",
            "generated_at": "2026-01-01",
        },
        "nodes": {n["unique_id"]: n for n in (*models, *tests)},
        "sources": {s["unique_id"]: s for s in sources},
        "exposures": {"exposure.shop.board": exposure},
        "macros": {},
    }


def project(folder: Path, given: Manifest, families: tuple[str, ...] = FAMILIES) -> Path:
    product = folder / "product"
    (product / "target").mkdir(parents=True)
    (product / "models").mkdir()
    uses = "".join(f"  - use: stdlib/{family}\n" for family in families)
    (folder / "manifest.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: {name: p, version: 1.0.0, owner: a@b.example}\n"
        f"plugins: {{compute: {{type: duckdb}}}}\npolicies:\n{uses}"
    )
    (product / "floe.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: DataProduct\nmetadata: {name: shop, version: 1.0.0, owner: a@b.example,"
        " domain: d}\nplatform: {ref: ../manifest.yaml}\ntransforms:\n  - {type: dbt, path: models/}\n"
    )
    (product / "dbt_project.yml").write_text("name: shop\nversion: 1.0.0\nmodel-paths: [models]\n")
    for one in models_of(given):
        (product / one["original_file_path"]).write_text(one["raw_code"])
    write(product, given)
    return product


def models_of(given: Manifest) -> list[dict[str, Any]]:
    return [n for n in given["nodes"].values() if n["resource_type"] == "model"]


def write(product: Path, given: Manifest) -> None:
    (product / "target" / "manifest.json").write_text(json.dumps(given))


def picked(given: Manifest, rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = rng.choice(models_of(given))
    return found


def described(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["description"] = f"Other words {rng.random()}." if rng.random() < 0.7 else ""


def recoloured(given: Manifest, rng: random.Random) -> None:
    one = picked(given, rng)
    one["columns"] = {f"C{i}": {"name": f"C{i}", "description": ""} for i in range(rng.randint(0, 4))}


def owned(given: Manifest, rng: random.Random) -> None:
    one = picked(given, rng)
    one["meta"] = {} if one["meta"] else {"owner": "others"}


def configured(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["config"]["materialized"] = rng.choice(["view", "table", "ephemeral"])


def recoded(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["raw_code"] = rng.choice(["select 1", "select a from b join c using (d) join e using (f)"])


def source_described(given: Manifest, rng: random.Random) -> None:
    rng.choice(list(given["sources"].values()))["description"] = f"{rng.random()}"


def rewritten(given: Manifest, rng: random.Random) -> None:
    """As dbt does with each parse."""
    given["metadata"]["generated_at"] = str(rng.random())
    for one in given["nodes"].values():
        one["created_at"] = 1795611804.5


def moved(given: Manifest, rng: random.Random) -> None:
    """As dbt does with what it parses again."""
    one = given["nodes"].pop(picked(given, rng)["unique_id"])
    given["nodes"][one["unique_id"]] = {**one, "description": f"{rng.random()}"}


def disabled(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["config"]["enabled"] = False


def rewired(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["depends_on"]["nodes"] = ["source.shop.raw.t0", picked(given, rng)["unique_id"]]


def removed(given: Manifest, rng: random.Random) -> None:
    del given["nodes"][picked(given, rng)["unique_id"]]


def added(given: Manifest, rng: random.Random) -> None:
    one = model(rng.randint(100, 999), rng)
    given["nodes"][one["unique_id"]] = one


def renamed(given: Manifest, rng: random.Random) -> None:
    one = given["nodes"].pop(picked(given, rng)["unique_id"])
    one["name"] += "_new"
    one["unique_id"] += "_new"
    given["nodes"][one["unique_id"]] = one


def called_otherwise(given: Manifest, rng: random.Random) -> None:
    picked(given, rng)["name"] = "same"


def retested(given: Manifest, rng: random.Random) -> None:
    tests = [n for n in given["nodes"].values() if n["resource_type"] == "test"]
    rng.choice(tests)["test_metadata"]["name"] = "unique"
    tests[0]["attached_node"] = picked(given, rng)["unique_id"]


def exposed(given: Manifest, rng: random.Random) -> None:
    given["exposures"]["exposure.shop.board"]["owner"] = {}


LOCAL: tuple[Change, ...] = (described, recoloured, owned, recoded, source_described, rewritten, moved)
OTHERS: tuple[Change, ...] = (
    configured, disabled, rewired, removed, added, renamed, called_otherwise, retested, exposed,
)  # fmt: skip


def check(product: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = run(["check", str(product), *options])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def based(product: Path, given: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    """Two checks with a change between them: the second leaves a base."""
    check(product, capsys)
    given["sources"]["source.shop.raw.t0"]["description"] = "Before the base."
    write(product, given)
    check(product, capsys)


def equal(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = check(product, capsys), check(product, capsys, "--format", "json")
    assert alone == (check(product, capsys, "--no-cache"), check(product, capsys, "--format", "json", "--no-cache"))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each attempt to judge the changed nodes alone gave a verdict."""
    found: list[bool] = []
    real = rejudge.rejudged

    def judged(*given: Any) -> Any:
        verdict = real(*given)
        found.append(verdict is not None)
        return verdict

    monkeypatch.setattr(rejudge, "rejudged", judged)
    return found


@pytest.mark.parametrize("change", LOCAL)
def test_a_change_that_only_its_node_shows_is_judged_alone(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = counted(monkeypatch)
    given = manifest(1)
    # DOC012 looks for the columns of other models.
    product = project(tmp_path, given, ("naming", "metadata") if change is recoloured else FAMILIES)
    based(product, given, capsys)
    rng = random.Random(3)
    for _ in range(3):
        change(given, rng)
        write(product, given)
        equal(product, capsys)
    assert alone
    assert all(alone)


@pytest.mark.parametrize("change", OTHERS)
def test_any_other_change_has_the_same_answer(
    change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = manifest(2)
    product = project(tmp_path, given, MORE)
    based(product, given, capsys)
    change(given, random.Random(4))
    write(product, given)
    equal(product, capsys)


@pytest.mark.parametrize("seed", range(4))
def test_changes_of_all_kinds_one_after_another(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(seed)
    given = manifest(seed)
    product = project(tmp_path, given)
    based(product, given, capsys)
    for _ in range(4):
        for change in rng.sample([*LOCAL, *OTHERS], 2) if rng.random() < 0.5 else rng.sample(LOCAL, 3):
            change(given, rng)
        write(product, given)
        equal(product, capsys)


def _lengthened(product: Path, given: Manifest) -> None:
    """All places in the file move down."""
    code = product / models_of(given)[0]["original_file_path"]
    code.write_text(f"-- more\n\n{code.read_text()}")


def _described_elsewhere(product: Path, given: Manifest) -> None:
    """What properties say has another place, of nodes that the manifest has as before, too."""
    names = "".join(f"  - name: {one['name']}\n    meta: {{}}\n" for one in models_of(given))
    (product / "models/all.yml").write_text(f"# more\n\nmodels:\n{names}")


def _unread(product: Path, given: Manifest) -> None:
    (product / "models/all.yml").write_text("models: [")


@pytest.mark.parametrize("change", [_lengthened, _described_elsewhere, _unread])
def test_files_that_change_as_well(
    change: Callable[[Path, Manifest], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As they do where somebody edits a model and lets dbt write the manifest again."""
    alone = counted(monkeypatch)
    given = manifest(1)
    for one in models_of(given):
        one["patch_path"] = "shop://models/all.yml"
    product = project(tmp_path, given)
    (product / "models/all.yml").write_text("models: []\n")
    based(product, given, capsys)
    described(given, random.Random(1))
    for _ in range(2):
        change(product, given)
        write(product, given)
        equal(product, capsys)
        models_of(given)[2]["description"] += " More."
    assert alone
    assert all(alone)


@pytest.mark.parametrize("file", ["dbt_project.yml", "floe.yaml", "../manifest.yaml", "seeds/s.csv"])
def test_files_that_say_more_than_places(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = counted(monkeypatch)
    given = manifest(1)
    product = project(tmp_path, given)
    (product / "seeds").mkdir()
    (product / "seeds/s.csv").write_text("id\n")
    based(product, given, capsys)
    described(given, random.Random(1))
    (product / file).write_text((product / file).read_text() + "\n")
    write(product, given)
    equal(product, capsys)
    assert not alone


def test_a_file_that_is_newer_than_the_manifest_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = manifest(1)
    product = project(tmp_path, given)
    based(product, given, capsys)
    described(given, random.Random(1))
    write(product, given)
    os.utime(product / "target" / "manifest.json", ns=(10**18, 10**18))
    code, shown, _ = check(product, capsys, "--format", "json")
    assert "FLC116" in shown
    assert (code, shown) == check(product, capsys, "--format", "json", "--no-cache")[:2]


def test_an_edit_beside_a_manifest_runs_no_policy_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = manifest(1)
    product = project(tmp_path, given, MORE)
    for file in (product / "target/manifest.json", product / "dbt_project.yml"):
        os.utime(file, ns=(10**18, 10**18))
    monkeypatch.setattr(kept_manifest, "is_fresh", lambda state, started: False)
    code = product / models_of(given)[0]["original_file_path"]
    for text in ("select 2", "select 3"):
        check(product, capsys)
        code.write_text(text)
    check(product, capsys)
    code.write_text("-- moved\nselect 4")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("policies run")

    with monkeypatch.context() as patch:
        patch.setattr(PolicySet, "run", refuse)
        found = check(product, capsys)
    assert found == check(product, capsys, "--no-cache")
    given["nodes"].pop(models_of(given)[3]["unique_id"])
    write(product, given)
    equal(product, capsys)
