"""What a check is about that stands in no file of its documents and its project: nothing that is kept outlives it."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from compiler.cli.main import run
from tests.unit.compiler.cli.test_cli_rejudge import manifest, models_of, project, write
from tests.unit.compiler.cli.test_cli_verdicts import POLICY, ROOT

Step = Callable[[Path], object]
JSON = ("--format", "json")


@pytest.fixture(scope="module", autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The policies are compiled once for all tests here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("FLOEC_CACHE_DIR", raising=False)
        yield


@pytest.fixture
def product(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples/broken", tmp_path / "broken", ignore=shutil.ignore_patterns(".floe"))
    return tmp_path / "broken" / "product"


def check(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = run(["check", str(path), *options])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def stays_true(path: Path, change: Step, capsys: pytest.CaptureFixture[str], *options: str) -> None:
    """What is kept before a change is not told after it, twice in a row."""
    for more in ((), JSON):
        check(path, capsys, *options, *more)
        check(path, capsys, *options, *more)
    before = check(path, capsys, *options, "--no-cache")
    change(path)
    for more in ((), JSON):
        anew = check(path, capsys, *options, *more, "--no-cache")
        assert check(path, capsys, *options, *more) == check(path, capsys, *options, *more) == anew
    assert check(path, capsys, *options) != before, "the change was to make a difference"


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def append(file: Path, text: str) -> None:
    file.write_text((file.read_text() if file.exists() else "") + text)


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def use(what: str) -> Step:
    return lambda p: append(p.parent / "manifest.yaml", f"\npolicies:\n  - use: {what}\n")


def in_logs(key: str) -> Step:
    def prepare(product: Path) -> None:
        (product / "logs").mkdir()
        config = product / "dbt_project.yml"
        config.write_text(config.read_text().replace("model-paths: [models]\n", ""))
        append(config, f"\n{key}: [{'models, ' if key == 'model-paths' else ''}logs]\n")

    return prepare


def packages_at(folder: str) -> Step:
    def prepare(product: Path) -> None:
        put(product / folder / "util/dbt_project.yml", "name: util\nversion: 1.0.0\n")
        put(product / folder / "util/models/u1.sql", "select 1 as id\n")
        append(product / "dbt_project.yml", f"\npackages-install-path: {folder}\n")
        put(product / "models/gold/used.sql", "select * from {{ ref('u1') }}\n")

    return prepare


def no_models(product: Path) -> None:
    (product / "models2").mkdir()
    replace(product / "dbt_project.yml", "model-paths: [models]", "model-paths: [models2]")
    replace(product / "floe.yaml", "models/", "models2/")


def nothing(product: Path) -> None:
    pass


def policies_beside(product: Path) -> None:
    """A platform's manifest in the product's own folder."""
    shutil.copy(product.parent / "manifest.yaml", product)
    append(product / "manifest.yaml", "\npolicies:\n  - use: .\n")
    replace(product / "floe.yaml", "../manifest.yaml", "manifest.yaml")
    put(product / "short.floe", POLICY)


CHANGES: dict[str, tuple[Step, Step]] = {
    "a folder of policies that was named before it was there": (
        use("own"), lambda p: put(p.parent / "own/short.floe", POLICY)),
    "a file of policies that was named before it was there": (
        use("own.floe"), lambda p: put(p.parent / "own.floe", POLICY)),
    "a policy in a folder of tools": (
        policies_beside, lambda p: put(p / "logs/more.floe", POLICY.replace("short", "s2").replace("N001", "N002"))),
    "the first test in a folder of tools": (
        in_logs("test-paths"), lambda p: put(p / "logs/odd.sql", "select 1\n")),
    "the first model in a folder of tools": (
        in_logs("model-paths"), lambda p: put(p / "logs/visits.sql", "select * from raw.x.y\n")),
    "a package outside of the product": (
        packages_at("../packages"), lambda p: shutil.rmtree(p.parent / "packages/util")),
    "a package in a folder of tools": (
        packages_at("target/packages"), lambda p: shutil.rmtree(p / "target/packages/util")),
    "a link that leads nowhere": (nothing, lambda p: (p / "models/lost.sql").symlink_to("nowhere")),
    "a pipe": (nothing, lambda p: os.mkfifo(p / "models/pipe.sql")),
    "the folder for models, which was empty": (no_models, lambda p: (p / "models2").rmdir()),
}  # fmt: skip


@pytest.mark.parametrize("change", list(CHANGES))
def test_of_what_is_beside_the_project(change: str, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare, make = CHANGES[change]
    prepare(product)
    stays_true(product, make, capsys)


def test_of_a_lock_beside_a_manifest(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stays_true(product.parent / "manifest.yaml", lambda p: put(p.with_name("floe.lock"), "broken"), capsys)


def test_of_a_store_that_appears(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(product / "floe.yaml", "ref: ../manifest.yaml", 'ref: "oci://acme/platform:1.0.0"')
    stays_true(product, lambda p: (p.parent / ".floe/store/acme/platform/x").mkdir(parents=True), capsys)


def test_of_what_stands_beside_a_manifest_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = manifest(1)
    product = project(tmp_path, given)
    (product / "target").rename(tmp_path / "artifacts")
    catalog = {"metadata": {}, "sources": {}, "nodes": {models_of(given)[0]["unique_id"]: {
        "columns": {"more": {"name": "more", "type": "int", "index": 1}}, "stats": {}}}}  # fmt: skip
    named = str(tmp_path / "artifacts/manifest.json")
    stays_true(
        product, lambda p: put(tmp_path / "artifacts/catalog.json", json.dumps(catalog)), capsys, "--manifest", named
    )


def _gone(product: Path, given: dict[str, Any]) -> None:
    (product / "target/manifest.json").unlink()


def _known_after_all(product: Path, given: dict[str, Any]) -> None:
    """A model of which the manifest said nothing is said to be disabled."""
    given["disabled"] = {"model.shop.unknown": [{"original_file_path": "models/unknown.sql", "name": "unknown"}]}
    write(product, given)


def _newer(product: Path, given: dict[str, Any]) -> None:
    """As a checkout does, which gives a file its content of before."""
    os.utime(product / "models/more.yml", ns=(2**61, 2**61))


@pytest.mark.parametrize("change", [_gone, _known_after_all, _newer])
def test_of_the_manifest_of_dbt(
    change: Callable[[Path, dict[str, Any]], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = manifest(1)
    product = project(tmp_path, given, ("naming",))
    put(product / "models/unknown.sql", "select 1")
    put(product / "models/more.yml", "version: 2\n")
    os.utime(product / "models/more.yml", (1_000_000_000, 1_000_000_000))
    check(product, capsys)
    given["sources"]["source.shop.raw.t0"]["description"] = "Before the base."
    write(product, given)
    stays_true(product, lambda p: change(p, given), capsys)


@pytest.mark.parametrize("by", ["path", "reference"])
def test_of_a_parent_that_was_published(by: str, product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is in no file that bears its name; facts and findings are kept all the same."""
    platform = product.parent
    layout = platform / ".floe/build" if by == "path" else platform / ".floe/store/acme.example/platform/1"

    def publish(enforced: str) -> None:
        manifest = platform / "manifest.yaml"
        manifest.write_text(
            re.sub("require_descriptions: .*", f"require_descriptions: {enforced}", manifest.read_text())
        )
        shutil.rmtree(layout, ignore_errors=True)
        assert run(["compile", str(platform)]) == 0
        if by == "reference":
            shutil.move(platform / ".floe/build", layout)
        capsys.readouterr()

    layout.parent.mkdir(parents=True)
    publish("true")
    named = "../.floe/build" if by == "path" else "oci://acme.example/platform:1.*"
    replace(product / "floe.yaml", "ref: ../manifest.yaml", f"ref: '{named}'")
    stays_true(product, lambda p: publish("false"), capsys)


def test_of_a_plugin_of_others(product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As while somebody writes one: it is installed from its folder, and its version stays."""
    folder = tmp_path / "plugins"
    put(folder / "floe_meter-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: floe-meter\nVersion: 1.0\n")
    put(folder / "floe_meter-1.0.dist-info/entry_points.txt", "[floec.plugins.compute]\nmeter = floe_meter:Meter\n")
    code = "class Meter:\n    def config_schema(self):\n        return {'type': 'object', 'minProperties': %d}\n"
    put(folder / "floe_meter.py", code % 0)
    replace(product.parent / "manifest.yaml", "type: duckdb", "type: meter\n    config: {a: 1}")

    def changed(_: Path) -> None:
        put(folder / "floe_meter.py", code % 2)
        sys.modules.pop("floe_meter", None)
        importlib.invalidate_caches()
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        stays_true(product, changed, capsys)
    sys.modules.pop("floe_meter", None)
