from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from emitters.dbt.overlay import emit_overlay
from emitters.write import write_artifacts

DIGEST = "sha256:" + "cd" * 32
ORDERS = Path(__file__).parents[3] / "examples/acme/domains/sales/products/orders"
DBT = Path(sys.executable).parent / "dbt"


def ir(**changes: Any) -> dict[str, Any]:
    layers = [{"name": n, "catalog_namespace": f"lake_{n}"} for n in ("bronze", "silver", "gold")]
    return {
        "platform": {
            "plugins": {"compute": {"type": "duckdb", "config": {"threads": 2}}},
            "data_architecture": {"layers": layers},
        },
        "product": {"name": "orders"},
        "project": {"name": "acme_orders"},
        "models": [
            {
                "unique_id": f"model.acme_orders.{path.stem}",
                "name": path.stem,
                "package": "acme_orders",
                "path": path.relative_to(ORDERS).as_posix(),
                "layer": path.parent.name,
                "meta": {"floe": {"owner": "x"}},
            }
            for path in sorted(ORDERS.glob("models/*/*.sql"))
        ],
        **changes,
    }


def files(document: dict[str, Any]) -> dict[str, str]:
    artifact = emit_overlay(document, "../team", DIGEST).value
    assert artifact is not None
    return {f.path: f.data.decode() for f in artifact.files}


def test_tags_and_meta_are_set_by_layer_and_keep_what_the_team_wrote() -> None:
    project = yaml.safe_load(files(ir())["dbt_project.yml"])
    assert project["name"] == "floe_orders"
    node = project["models"]["acme_orders"]["gold"]["gold_daily_revenue"]
    assert node == {"+tags": ["floe_layer_gold"], "+meta": {"floe": {"layer": "gold", "owner": "x"}}}


def test_packages_profile_and_selectors() -> None:
    found = files(ir())
    assert yaml.safe_load(found["packages.yml"]) == {"packages": [{"local": "../team"}]}
    output = yaml.safe_load(found["profiles.yml"])["floe"]["outputs"]["floe"]
    assert output == {"type": "duckdb", "path": "{{ env_var('FLOE_DUCKDB_PATH', 'floe.duckdb') }}", "threads": 2}
    names = [s["name"] for s in yaml.safe_load(found["selectors.yml"])["selectors"]]
    assert names == ["layer_bronze", "layer_silver", "layer_gold"]
    assert "selectors.yml" not in files(ir(models=[]))
    assert emit_overlay(ir(), "../team", DIGEST) == emit_overlay(ir(), "../team", DIGEST)


@pytest.mark.parametrize(
    ("document", "team", "digest", "code"),
    [
        (ir(product=None), "../team", DIGEST, "FLC634"),
        (ir(), "{{ env_var('HOME') }}", DIGEST, "FLC634"),
        (ir(), "../team", "latest", "FLC634"),
        (ir(platform={"data_architecture": {"layers": [{"name": 'a"b'}]}}, models=[]), "../team", DIGEST, "FLC634"),
        (ir(platform={}), "../team", DIGEST, "FLC634"),
        (ir(platform={"plugins": {"compute": {"type": "snowflake"}}}, models=[]), "../team", DIGEST, "FLC635"),
    ],
)
def test_what_cannot_be_made_is_a_diagnostic(document: dict[str, Any], team: str, digest: str, code: str) -> None:
    outcome = emit_overlay(document, team, digest)
    assert outcome.value is None
    assert [d.code for d in outcome.diagnostics] == [code]


def dbt(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FLOE_DUCKDB_PATH": str(root / "test.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    command = [str(DBT), "--no-use-colors", *arguments, "--profiles-dir", "."]
    return subprocess.run(command, cwd=root / "dbt", env=env, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.dbt
@pytest.mark.slow
@pytest.mark.skipif(not DBT.exists(), reason="dbt is not installed (extra: dbt)")
def test_the_overlay_builds_the_untouched_project_and_guards_the_digest(tmp_path: Path) -> None:
    shutil.copytree(ORDERS, tmp_path / "team")
    artifact = emit_overlay(ir(), "../team", DIGEST).value
    assert artifact is not None
    assert write_artifacts(tmp_path, [artifact]).ok
    for step in (["deps"], ["build"]):
        done = dbt(tmp_path, *step)
        assert done.returncode == 0, done.stdout + done.stderr
    nodes = json.loads((tmp_path / "dbt/target/manifest.json").read_text())["nodes"]
    models = {n["name"]: n["schema"] for n in nodes.values() if n["resource_type"] == "model"}
    assert models == {p.stem: f"lake_{p.parent.name}" for p in ORDERS.glob("models/*/*.sql")}
    listed = dbt(tmp_path, "--quiet", "ls", "--selector", "layer_gold", "--resource-type", "model", "--output", "name")
    assert sorted(listed.stdout.split()) == sorted(p.stem for p in ORDERS.glob("models/gold/*.sql"))
    originals = {p.relative_to(ORDERS): p.read_bytes() for p in ORDERS.rglob("*") if p.is_file()}
    team = tmp_path / "team"
    assert {p.relative_to(team): p.read_bytes() for p in team.rglob("*") if p.is_file()} == originals
    refused = dbt(tmp_path, "run", "--vars", '{"floe_ir_digest": "sha256:00"}')
    assert refused.returncode != 0
    assert "this run asks for IR sha256:00" in refused.stdout


def test_a_project_whose_paths_leave_its_folder_is_told_to_dbt_by_their_places_from_the_package() -> None:
    written = {
        "name": "acme_orders",
        "macro-paths": ["../macros", "/srv/macros", "{{ env_var('MACROS') }}"],
        "target-path": "out",
        "models": {"acme_orders": {"+materialized": "view"}},
    }
    packages = {"packages": [{"local": "../lib"}, {"package": "dbt-labs/dbt_utils", "version": "1.3.0"}]}
    artifact = emit_overlay(ir(), "../..", DIGEST, written, packages).value
    assert artifact is not None
    found = {f.path: yaml.safe_load(f.data) for f in artifact.files if f.path.endswith(".yml")}
    assert found["packages.yml"] == {"packages": [{"local": "team/acme_orders"}]}
    project = found["team/acme_orders/dbt_project.yml"]
    assert project["macro-paths"] == ["../../../../../macros", "/srv/macros", "{{ env_var('MACROS') }}"]
    assert project["model-paths"] == ["../../../../models"]
    assert project["models"] == {"acme_orders": {"+materialized": "view"}}
    assert "target-path" not in project
    assert found["team/acme_orders/packages.yml"]["packages"] == [
        {"local": "../../../../../lib"},
        packages["packages"][1],
    ]


def test_a_project_that_stays_in_its_folder_is_taken_as_it_is() -> None:
    artifact = emit_overlay(ir(), "../..", DIGEST, {"name": "acme_orders", "macro-paths": ["macros"]}).value
    assert artifact is not None
    assert not [f.path for f in artifact.files if f.path.startswith("team/")]
