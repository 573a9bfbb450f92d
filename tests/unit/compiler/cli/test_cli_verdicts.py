"""A kept verdict is the one that judging anew would give, and it is only kept for as long as that is so."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import compiler.pipeline
from compiler.cli import verdicts
from compiler.cli.main import run
from compiler.cli.verdicts import Inputs, Verdict
from compiler.documents import yaml_loader
from compiler.documents.kept import document_of
from compiler.facts.kept import file_cache
from compiler.facts.kept import files as kept_files
from compiler.facts.kept.values import kept_values
from compiler.facts.project import yaml_values
from compiler.file_states import changed_since, contents
from compiler.pipeline import Job
from compiler.policies import bundles
from policy_lang.codegen import cache
from policy_lang.diagnostics import Diagnostic, Fix, Label, Severity
from policy_lang.source import Source, Span

ROOT = Path(__file__).parents[4]
POLICY = """\
package acme.short

policy short {
	id       OWN001
	title    "Names are short"
	severity warn

	for model in input.models
	require count(model.name) < 16

	message $"{model.name} is long"
	at      model.name
}
"""


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(ROOT / "examples/broken", tmp_path / "broken", ignore=shutil.ignore_patterns(".floe"))
    manifest = tmp_path / "broken" / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "\npolicies:\n  - use: own\n")
    (tmp_path / "broken" / "own").mkdir()
    (tmp_path / "broken" / "own" / "short.floe").write_text(POLICY)
    return tmp_path / "broken" / "product"


def check(product: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    code = run(["check", str(product), *options])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows by one with each run of the stages."""
    runs: list[bool] = []
    stages = compiler.pipeline.run

    def run_stages(*given: object, **more: object) -> object:
        runs.append(True)
        return stages(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(compiler.pipeline, "run", run_stages)
    return runs


def test_what_has_not_changed_is_not_judged_again(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = counted(monkeypatch)
    first = check(product, capsys)
    assert "OWN001" in first[2]
    assert check(product, capsys) == check(product, capsys) == first
    assert len(runs) == 1
    assert check(product, capsys, "--no-cache") == first
    assert len(runs) == 2
    for file in product.rglob("*.sql"):
        os.utime(file)
    assert check(product, capsys) == first
    assert len(runs) == 2, "times alone are no change"


CHANGES: dict[str, Callable[[Path], object]] = {
    "a model's SQL": lambda p: (p / "models/silver/stg_regions.sql").write_text("select 2 as id\n"),
    "a model's YAML": lambda p: _replace(p / "models/gold/_gold.yml", "gold_customers", "gold_customer"),
    "a new model": lambda p: (p / "models/gold/gold_a_very_long_name.sql").write_text("select 1\n"),
    "a model that is gone": lambda p: (p / "models/silver/stg_regions.sql").unlink(),
    "a new folder": lambda p: shutil.copytree(p / "models/gold", p / "models/platin"),
    "floe.yaml": lambda p: _replace(p / "floe.yaml", "version: 1.0.0", "version: 1.0.x"),
    "the manifest": lambda p: _replace(p.parent / "manifest.yaml", "use: own", "use: stdlib/naming"),
    "a policy": lambda p: _replace(p.parent / "own/short.floe", "16", "12"),
    "a new policy": lambda p: (p.parent / "own/other.floe").write_text(
        POLICY.replace("short", "other").replace("OWN001", "OWN002")
    ),
    "a manifest of dbt": lambda p: _broken_target(p),
    "a contract": lambda p: (p / "datacontract.yaml").write_text("apiVersion: v3.1.0\nkind: DataContract\n"),
}


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _broken_target(product: Path) -> None:
    (product / "target").mkdir()
    (product / "target/manifest.json").write_text("{}")


@pytest.mark.parametrize("change", list(CHANGES))
def test_any_change_of_what_it_can_see_is_judged_anew(
    change: str, product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check(product, capsys)
    runs = counted(monkeypatch)
    CHANGES[change](product)
    assert check(product, capsys) == check(product, capsys, "--no-cache")
    assert len(runs) == 2


def test_a_change_that_keeps_size_and_time_is_seen(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check(product, capsys)
    runs = counted(monkeypatch)
    file = product / "models/silver/silver_orphans.sql"
    before = file.stat()
    file.write_text(file.read_text().replace("bronze_orders", "bronze_ordesr"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    check(product, capsys)
    assert len(runs) == 1


@pytest.mark.parametrize("name", ["logs", "venv", "node_modules", ".venv"])
def test_models_in_a_folder_named_as_those_of_tools_are_seen(
    name: str, product: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (product / "models" / name).mkdir()
    check(product, capsys)
    for text in ("select 1 as a\n", "select 1 as a from raw.public.orders\n"):
        (product / "models" / name / "visits.sql").write_text(text)
        assert check(product, capsys) == check(product, capsys, "--no-cache")


def test_models_where_tools_put_things_cannot_be_told(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = product / "dbt_project.yml"
    config.write_text(config.read_text().replace("model-paths: [models]", "model-paths: [models, logs]"))
    (product / "logs").mkdir()
    (product / "logs/visits.sql").write_text("select 1 as a\n")
    runs = counted(monkeypatch)
    check(product, capsys)
    check(product, capsys)
    assert len(runs) == 2


@pytest.fixture
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed libraries, among which there is an old sqlglot."""
    folder = tmp_path / "site-packages"
    (folder / "sqlglot-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))
    _look_again()
    yield folder
    _look_again()


def _look_again() -> None:
    cache.installed.cache_clear()
    file_cache._code_signature.cache_clear()


def test_with_other_libraries_nothing_counts_that_they_helped_to_find(libraries: Path) -> None:
    before = (verdicts.key_of("a"), kept_files.program(), file_cache._code_signature())
    (libraries / "some_plugin-1.0.dist-info").mkdir()
    _look_again()
    plugin = (verdicts.key_of("a"), kept_files.program(), file_cache._code_signature())
    assert [was == now for was, now in zip(before, plugin, strict=True)] == [False, False, True]
    (libraries / "sqlglot-1.0.dist-info").rename(libraries / "sqlglot-2.0.dist-info")
    _look_again()
    assert file_cache._code_signature() != before[2]


def test_with_another_parser_yaml_is_read_again(libraries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(libraries / "cache"))
    read: list[str] = []

    def noted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            read.append(real.__name__)
            return real(*given)

        return call

    monkeypatch.setattr(yaml_values, "load_values", noted(yaml_values.load_values))
    monkeypatch.setattr(yaml_loader, "load_yaml", noted(yaml_loader.load_yaml))

    def ask() -> list[str]:
        read.clear()
        assert kept_values("a.yml", "a: 1").value == {"a": 1}
        assert document_of(Source("manifest.yaml", (ROOT / "examples/broken/manifest.yaml").read_text())).ok
        return list(read)

    assert (ask(), ask()) == (["load_values", "load_yaml"], [])
    (libraries / "sqlglot-1.0.dist-info").rename(libraries / "pyyaml-9.0.dist-info")
    _look_again()
    assert ask() == ["load_values", "load_yaml"]


def test_another_environment_or_option_is_another_question(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdicts.key_of("a", None, "2026-01-01") != verdicts.key_of("a", None, "2026-01-02")
    assert verdicts.key_of("a", None) != verdicts.key_of("b", None)
    check(product, capsys)
    runs = counted(monkeypatch)
    monkeypatch.setenv("DBT_TARGET", "prod")
    check(product, capsys)
    assert len(runs) == 1


def test_what_lies_behind_a_linked_folder_cannot_be_told(
    product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (product / "models/linked").symlink_to(tmp_path / "elsewhere")
    runs = counted(monkeypatch)
    check(product, capsys)
    check(product, capsys)
    assert len(runs) == 2


def keep(key: str, inputs: Inputs, started: int, verdict: Verdict) -> None:
    stamps = inputs.stamps()
    assert stamps is not None
    verdicts.keep(key, inputs, stamps, started, verdict, {})


def test_what_changes_while_it_is_judged_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    stamps = Inputs(files=(str(tmp_path / "a"),)).stamps()
    assert stamps is not None
    assert changed_since(stamps.values(), 1)
    (tmp_path / "a").write_text("another")
    assert contents(stamps, stamps) is None


def test_a_finding_comes_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    span = Span("a.yml", 1, 2, 3, 4)
    fix = Fix(span, "new", "replace", safe=False)
    one = Diagnostic(
        "X1", "text", span, Severity.WARN, "label", (Label(span, "there"),), "why", "hint", "docs", (fix,), span,
        ("models", 3), "model a", "because",
    )  # fmt: skip
    verdict = Verdict((one, Diagnostic("X2", "bare")), ("a line",))
    (tmp_path / "input").write_text("x")
    os.utime(tmp_path / "input", ns=(0, 0))
    inputs = Inputs(files=(str(tmp_path / "input"), str(tmp_path / "absent")))
    later = (tmp_path / "input").stat().st_ctime_ns + 10**10
    keep("1" * 64, inputs, later, verdict)
    assert verdicts.recall("1" * 64) == verdict
    (tmp_path / "absent").write_text("now it is there")
    assert verdicts.recall("1" * 64) is None
    (kept,) = (tmp_path / "cache").rglob("1" * 64)
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert verdicts.recall("1" * 64) is None


def test_of_a_large_file_only_the_times_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    small, large = tmp_path / "small", tmp_path / "large"
    for file, text in ((small, "a"), (large, "a" * 2**21)):
        file.write_text(text)
        os.utime(file, (1_000_000_000, 1_000_000_000))
    verdict = verdicts.Verdict((), ("said",))
    later = time.time_ns() + 10_000_000_000  # long after the files were written
    inputs = Inputs(files=(str(small), str(large)))
    keep("key", inputs, later, verdict)
    assert verdicts.recall("key") == verdict
    os.utime(small)
    assert verdicts.recall("key") == verdict  # its content is the same
    keep("key", inputs, later, verdict)
    os.utime(large)
    assert verdicts.recall("key") is None
    keep("fresh", inputs, time.time_ns(), verdict)  # its times say nothing yet: its content does
    os.utime(large, (1_000_000_001, 1_000_000_001))
    assert verdicts.recall("fresh") == verdict


def test_true_is_not_one(product: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = product.parent / "own/short.floe"
    policy.write_text(POLICY.replace("count(model.name) < 16", "not model.meta.extra == true"))
    file = product / "models/extra.yml"
    (product / "models/extra.sql").write_text("select 1 as a\n")
    for given, found in (("1", False), ("true", True), ("1", False)):
        file.write_text(f"models:\n  - name: extra\n    meta: {{extra: {given}}}\n")
        assert ("OWN001" in check(product, capsys, "-v")[2]) == found


@pytest.fixture
def timed(product: Path) -> Path:
    """A product with a policy that asks for the time."""
    policy = product.parent / "own/short.floe"
    policy.write_text(POLICY.replace("is long", "is long {time.now_ns()}").replace("< 16", "> 99"))
    return product


def test_what_asks_for_the_time_is_judged_anew(timed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = check(timed, capsys, "--format", "json")
    assert "is long" in first[1]
    assert check(timed, capsys, "--format", "json") != first


def test_what_is_judged_on_another_day_is_judged_anew(timed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies that come with floec ask for the day."""
    monkeypatch.setattr(bundles, "moving", lambda sources: False)

    def found(day: int) -> list[str]:
        done = compiler.pipeline.run(Job(timed, date(2026, 1, day)), "policies")
        return [d.message for d in done.diagnostics if d.code == "OWN001"]

    first = found(1)
    assert first
    assert found(1) == first
    assert set(found(2)).isdisjoint(first)


def test_times_are_no_change_in_a_large_project_either(
    product: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after `git checkout` of another branch and back; also where little was read again for the verdict."""
    monkeypatch.setattr(verdicts, "is_fresh", lambda state, started: False)
    (product / "dbt_packages/util").mkdir(parents=True)
    (product / "dbt_packages/util/dbt_project.yml").write_text("name: util\nversion: 1.0.0\n")
    for i in range(verdicts._FEW + 1):
        (product / f"models/silver/more_{i}.sql").write_text("select 1 as a\n")
    files = [file for file in product.parent.rglob("*") if file.is_file()]
    for edit in ("", "-- more\n"):
        sql = product / "models/silver/stg_regions.sql"
        sql.write_text(sql.read_text() + edit)
        first = check(product, capsys)
        runs = counted(monkeypatch)
        for file in files:
            os.utime(file)
        assert check(product, capsys) == first
        assert not runs
