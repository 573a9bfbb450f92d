"""Suite ``dbt``: the whole process on dbt manifests, floec beside dbt-bouncer and dbt-score, with 19 equivalent rules.

The manifests are made as the peers' figures were: a generated project of 100 models, parsed by dbt once and
multiplied (10 columns a model; 135 MB at 10,000). floec is measured four times: with nothing cached but the compiled
policies, the same with all policies of the standard library in force, with everything cached, and with everything
cached but one model of the manifest changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import peer
from benchmarks.process import Command, alternate, floec, measure, tools
from benchmarks.rows import Row, SkippedError

SIZES = (100, 1_000, 10_000)
RUNS = 5
BASE = 100
POLICIES = Path(__file__).resolve().parent.parent / "stdlib_policies"
RULES: dict[str, dict[str, dict[str, object]]] = {
    "naming": {
        "NAM003": {"column_pattern": "^[a-z][a-z0-9_]*$"},
        "NAM004": {
            "model_name_patterns": {
                "^models/staging": "^stg_",
                "^models/intermediate": "^int_",
                "^models/marts": "^(fct|dim)_",
            }
        },
    },
    "documentation": {"DOC001": {}, "DOC002": {}},
    "contracts": {"CON003": {}},
    "testing": {"TST002": {}, "TST003": {}},
    "metadata": {"MET002": {"model_meta_keys": ["owner"]}, "MET010": {"exposure_owner_fields": ["name", "email"]}},
    "layers": {
        "LAY005": {"upstream_path_patterns": {"^models/marts": "^models/(intermediate|marts)"}},
        "LAY007": {},
        "LAY008": {"maximum_upstream_models": 5, "maximum_upstream_sources": 1, "maximum_upstream_macros": 10},
        "LAY009": {"maximum_fan_out": 10},
        "LAY014": {
            "materializations_by_path": {"^models/marts": ["table", "incremental"], "^models/staging": ["view"]}
        },
    },
    "sources": {"SRC001": {}, "SRC002": {}},
}
"""Family, policy and parameters: what ``dbt-bouncer.yml`` asks for (its 19 checks are 16 policies, of which two have a
pattern for each folder)."""


def run(sizes: Sequence[int] = SIZES, runs: int = RUNS) -> list[Row]:
    """CPU seconds and peak memory of all, and the peers' times over floec's."""
    parsed = _parsed_project()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="floec-bench-") as name:
        compiled = Path(name) / "compiled"
        small = _project(parsed, BASE, Path(name) / "small")
        for product in ("product", "everything"):
            measure(_floec(small, product, compiled))
        for n in sizes:
            folder = _project(parsed, n, Path(name) / str(n))
            rows += _measured(folder, n, runs, compiled)
            shutil.rmtree(folder)
    return rows


def _measured(folder: Path, n: int, runs: int, compiled: Path) -> list[Row]:
    """``compiled`` is a cache that knows the policies and nothing of this project."""
    cache = folder / "cache"

    def forget() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(compiled, cache)

    rows = _rows("from nothing", n, alternate([_floec(folder, "product", cache, forget), *_peers(folder)], runs))
    rows += _rows("all policies", n, alternate([_floec(folder, "everything", cache, forget)], runs))
    rows += _rows("nothing changed", n, alternate([_floec(folder, "product", cache)], runs))
    rows += _rows("one model changed", n, alternate([_changed(folder, cache)], runs))
    return rows


def _rows(case: str, n: int, measured: dict[str, tuple[float, float]]) -> list[Row]:
    rows = []
    for engine, (cpu, peak) in measured.items():
        rows.append(Row("dbt", case, n, engine, "cpu", cpu, "s"))
        rows.append(Row("dbt", case, n, engine, "peak memory", peak, "MiB"))
    for engine in measured.keys() - {"floec"}:
        ratio = measured[engine][0] / measured["floec"][0]
        rows.append(Row("dbt", case, n, "floec", f"times faster than {engine}", ratio, "ratio"))
    return rows


def _floec(folder: Path, product: str, cache: Path, before: Callable[[], object] | None = None) -> Command:
    argv = [floec(), "check", str(folder / product)]
    return Command("floec", argv, accept=(0, 1), env={"XDG_CACHE_HOME": str(cache)}, before=before)


def _changed(folder: Path, cache: Path) -> Command:
    """Before each run the description of one more model is another."""
    manifest = folder / "product" / "target" / "manifest.json"

    def change() -> None:
        manifest.write_bytes(manifest.read_bytes().replace(b'"Model ', b'"Table ', 1))

    return _floec(folder, "product", cache, change)


def _peers(folder: Path) -> list[Command]:
    try:
        binaries = Path(peer.peer_python()).parent
    except SkippedError as reason:
        print(f"  the peers are left out: {reason}")
        return []
    rules = peer.bench_folder() / "dbt"
    where = folder / "product"
    shutil.copy(rules / "dbt-bouncer.yml", where)
    bouncer = [str(binaries / "dbt-bouncer"), "--config-file", "dbt-bouncer.yml"]
    score = [str(binaries / "dbt-score"), "lint", "--manifest", "target/manifest.json", "-n", "dbtscore_rules"]
    return [
        Command("dbt-bouncer", bouncer, accept=(0, 1), folder=where),
        Command("dbt-score", score, accept=(0, 1), folder=where, env={"PYTHONPATH": str(rules)}),
    ]


def _parsed_project() -> Path:
    """The generated project of 100 models with dbt's manifest, made once and kept beside the tools."""
    folder = tools().parent / "bench" / "dbt-100"
    if not (folder / "target" / "manifest.json").exists():
        generator = peer.bench_folder() / "dbt" / "gen_project.py"
        subprocess.run([sys.executable, str(generator), str(BASE), str(folder)], check=True, stdout=subprocess.DEVNULL)
        dbt = Path(sys.executable).parent / "dbt"
        if not dbt.exists():
            raise SkippedError("dbt is missing: install floec with the extra `dbt`")
        environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        done = subprocess.run(
            [str(dbt), "parse"], cwd=folder, capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode:
            raise SkippedError(f"dbt parse failed on the generated project: {done.stdout.strip().splitlines()[-1:]}")
    return folder


def _project(parsed: Path, n: int, folder: Path) -> Path:
    """Products ``product`` (the 19 rules) and ``everything`` (all policies) over one manifest of ``n`` models."""
    product = folder / "product"
    shutil.copytree(parsed, product, ignore=shutil.ignore_patterns("target", "logs"))
    (product / "target").mkdir()
    clone = peer.bench_folder() / "dbt" / "clone.py"
    source, target = parsed / "target" / "manifest.json", product / "target" / "manifest.json"
    argv = [sys.executable, str(clone), str(source), str(n // BASE), str(target)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    (product / "floe.yaml").write_text(_PRODUCT, encoding="utf-8")
    (folder / "rules.yaml").write_text(json.dumps(platform_manifest()), encoding="utf-8")
    everything = folder / "everything"
    shutil.copytree(product, everything)
    (everything / "floe.yaml").write_text(_PRODUCT.replace("rules.yaml", "all.yaml"), encoding="utf-8")
    (folder / "all.yaml").write_text(json.dumps(_MANIFEST), encoding="utf-8")
    return folder


def platform_manifest() -> dict[str, object]:
    """A platform manifest with the 19 rules in force."""
    return _MANIFEST | {"policies": _rules()}


def _rules() -> list[dict[str, object]]:
    """The manifest's ``policies``: of each family only what the peers judge too."""
    uses: list[dict[str, object]] = []
    for family, wanted in RULES.items():
        texts = [f.read_text("utf-8") for f in sorted((POLICIES / family).glob("*.floe"))]
        ids = {found[1] for text in texts for found in re.finditer(r"^\s+id +([A-Z]{3}\d{3})$", text, re.MULTILINE)}
        params = {name: value for given in wanted.values() for name, value in given.items()}
        severity = dict.fromkeys(sorted(ids - wanted.keys()), "off") | dict.fromkeys(wanted, "block")
        uses.append({"use": f"stdlib/{family}", "severity": severity, "params": params})
    return uses


_MANIFEST = {
    "apiVersion": "floe.dev/v1",
    "kind": "Manifest",
    "metadata": {"name": "bench", "version": "1.0.0", "owner": "bench@acme.example"},
    "plugins": {"compute": {"type": "duckdb"}},
}
_PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: synth, version: 1.0.0, owner: bench@acme.example, domain: bench}
platform: {ref: ../rules.yaml}
transforms:
  - {type: dbt, path: models/}
"""
