"""Suite ``hooks``: the whole process as a pre-commit hook runs it, after edits of three files, and on a small project.

The project has 1,000 models, each with its SQL and its properties in files of their own, in a git repository. Before
each run two SQL files and one of properties are edited, each SQL by a column; compiled policies, and what earlier runs
kept of the project, are there.
It is judged by the 19 rules of suite ``dbt`` and by all policies of the standard library, from its files alone and over
the manifest that dbt wrote before the edit. The small project is judged where nothing has changed, where one model
has another column, and anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from benchmarks.dbt import platform_manifest
from benchmarks.process import Command, alternate, floec, tools
from benchmarks.project import write_project
from benchmarks.rows import Row, SkippedError

SIZE = 1_000
RUNS = 5
SMALL = Path(__file__).resolve().parent.parent / "examples/acme/domains/sales/products/orders"
POLICIES = {"19 rules": True, "all policies": False}


def run(n: int = SIZE, runs: int = RUNS) -> list[Row]:
    """CPU seconds (user and system, git's included) and peak memory of each case."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="floec-bench-") as name:
        folder = Path(name)
        cache = {"XDG_CACHE_HOME": str(folder / "cache")}
        for label, rules in POLICIES.items():
            product = _repository(folder / f"files {label}", n, rules=rules)
            rows += _rows(f"3 changed files, no manifest, {label}", n, _after_edits(product, cache), runs)
        try:
            parsed = _parsed(n)
        except SkippedError as reason:
            print(f"  the cases with a manifest are left out: {reason}")
        else:
            for label, rules in POLICIES.items():
                product = _repository(folder / f"manifest {label}", n, rules=rules, manifest=parsed)
                rows += _rows(f"3 changed files, last manifest, {label}", n, _after_edits(product, cache), runs)
        small = folder / "acme"
        shutil.copytree(SMALL.parents[3], small, ignore=shutil.ignore_patterns(".floe"))
        product = small / SMALL.relative_to(SMALL.parents[3])
        models = sum(1 for _ in product.rglob("models/**/*.sql"))
        edited = _edits_of_one(product)
        for case, options, before in (
            ("small project", [], None),
            ("small project, one file edited", [], edited),
            ("small project, judged anew", ["--no-cache"], None),
        ):
            argv = [floec(), "check", str(product), *options]
            command = Command("floec", argv, accept=(0, 1), env=cache, before=before)
            rows += _rows(case, models, command, runs)
    return rows


def _rows(case: str, n: int, command: Command, runs: int) -> list[Row]:
    cpu, peak = alternate([command], runs)["floec"]
    return [Row("hooks", case, n, "floec", "cpu", cpu, "s"), Row("hooks", case, n, "floec", "peak memory", peak, "MiB")]


def _after_edits(product: Path, cache: dict[str, str]) -> Command:
    argv = [floec(), "check", ".", "--changed"]
    return Command("floec", argv, accept=(0, 1), env=cache, folder=product, before=_edits(product))


def _edits(product: Path) -> Callable[[], None]:
    """What edits and stages three files, other ones each time; what was edited before is committed or taken back."""
    models = sorted((product / "models").rglob("*.sql"))
    manifest = product / "target" / "manifest.json"
    numbers = count()

    def edit() -> None:
        if manifest.exists():
            _git(product, "reset", "-q", "--hard")
            os.utime(manifest)  # dbt wrote it after all that is committed
        else:
            _git(product, "commit", "-q", "--allow-empty", "-am", "edited")
        number = next(numbers)
        first, second = models[7 * number % len(models)], models[(7 * number + 3) % len(models)]
        for file in (first, second, second.with_suffix(".yml")):
            _edit(file, number)
        _git(product, "add", "-A")

    return edit


def _edits_of_one(product: Path) -> Callable[[], None]:
    """What gives one model another column, another one each time."""
    models = sorted((product / "models").rglob("*.sql"))
    numbers = count()
    return lambda: _edit(models[(number := next(numbers)) % len(models)], number)


def _edit(file: Path, number: int) -> None:
    """A column more in a query, a comment in properties."""
    text = file.read_text("utf-8")
    if file.suffix == ".yml":
        text += f"# edited {number}\n"
    else:
        last = text.lower().rindex("\nfrom ")
        text = f"{text[:last].rstrip()},\n    {number} as edited_{number}{text[last:]}"
    file.write_text(text, encoding="utf-8")


def _repository(folder: Path, n: int, *, rules: bool, manifest: Path | None = None) -> Path:
    """A committed project; answers the folder of its product."""
    product = write_project(folder, n)
    if rules:
        (folder / "manifest.yaml").write_text(json.dumps(platform_manifest()), encoding="utf-8")
    if manifest is not None:
        (product / "target").mkdir()
        shutil.copy(manifest, product / "target")
    (folder / ".gitignore").write_text("target/\n", encoding="utf-8")
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "generated")
    return product


def _git(folder: Path, *argv: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@acme.example"]
    try:
        subprocess.run(["git", *identity, *argv], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise SkippedError("git is missing") from error


def _parsed(n: int) -> Path:
    """The manifest that dbt writes of the project, made once and kept beside the tools."""
    folder = tools().parent / "bench" / f"hooks-{n}"
    manifest = folder / "product" / "target" / "manifest.json"
    if not manifest.exists():
        dbt = Path(sys.executable).parent / "dbt"
        if not dbt.exists():
            raise SkippedError("dbt is missing: install floec with the extra `dbt`")
        shutil.rmtree(folder, ignore_errors=True)
        product = write_project(folder, n)
        (product / "profiles.yml").write_text(_PROFILE, encoding="utf-8")
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        done = subprocess.run([str(dbt), "parse"], cwd=product, capture_output=True, check=False, env=environment)
        if done.returncode:
            raise SkippedError(f"dbt parse failed on the generated project: {done.stdout.decode(errors='replace')}")
    return manifest


_PROFILE = "bench: {target: dev, outputs: {dev: {type: duckdb, path: bench.duckdb, schema: main}}}\n"
