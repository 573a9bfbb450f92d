"""From platform, product and facts to the IR: what depends on the platform is filled in, and nothing is missing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from compiler.ir.build import build_ir
from compiler.ir.facts_model import Facts
from compiler.ir.schema import complete, ir_schema
from compiler.pipeline import Job, run

ROOT = Path(__file__).parents[4]


def parts(**given: Any) -> dict[str, Any]:
    value: dict[str, Any] = complete({"product": {}, "project": {}, **given}).value
    return value


def built(given: dict[str, Any], **extra: Any) -> dict[str, Any]:
    lists = {name: given[name] for name in ("models", "seeds", "snapshots", "sources")}
    return build_ir(given["platform"], given["product"], Facts(given["project"], **lists), **extra)


@pytest.mark.parametrize("path", ["examples/acme/domains/sales/products/orders", "examples/broken/product"])
def test_the_ir_of_an_example_is_what_the_schema_says(path: str) -> None:
    report = run(Job(ROOT / path, date(2026, 1, 1), whole=True), "ir").value
    assert report is not None
    assert report.state.ir_digest.startswith("sha256:")
    ir = report.state.ir
    errors = sorted(jsonschema.Draft202012Validator(ir_schema()).iter_errors(_plain(ir)), key=str)
    assert [f"{list(e.absolute_path)}: {e.message}" for e in errors] == []


def _plain(value: Any) -> Any:
    """Decimals as floats, which is what jsonschema knows as numbers."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | bool | int) or value is None else float(value)


def test_layers_and_levels_come_from_the_platform() -> None:
    architecture = {"layers": [{"name": "raw", "rank": 0, "prefixes": ["raw_"]}, {"name": "mart", "rank": 1}]}
    categories = [{"name": "pii", "level": "confidential"}, {"name": "phi", "level": "restricted"}]
    columns = [
        {"name": "a", "classification": "phi"},
        {"name": "b", "tags": ["x", "pii"]},
        {"name": "c", "inherited": {"classification": "pii"}},
        {"name": "d", "classification": "unheard-of"},
    ]
    ir = built(
        parts(
            platform={"data_architecture": architecture, "governance": {"classification": {"categories": categories}}},
            models=[{"name": "raw_x", "path": "models/raw_x.sql", "columns": columns}],
            sources=[{"name": "y", "path": "models/mart/_sources.yml"}],
            seeds=[{"name": "z", "path": "seeds/z.csv"}],
        )
    )
    (model,) = ir["models"]
    assert (model["layer"], model["layer_rank"]) == ("raw", 0)
    assert [c["level"] for c in model["columns"]] == ["restricted", "confidential", None, None]
    assert model["columns"][1]["classification"] == "pii"
    assert model["columns"][2]["inherited"]["level"] == "confidential"
    assert ir["sources"][0]["layer"] == "mart"
    assert (ir["seeds"][0]["layer"], ir["seeds"][0]["layer_rank"]) == (None, None)


def test_a_port_names_its_model_by_name_alias_or_table() -> None:
    models = [
        {"name": "gold_a", "unique_id": "model.p.gold_a"},
        {"name": "b", "alias": "gold_b", "unique_id": "model.p.b"},
    ]
    ports = [{"table": "sales.gold_a"}, {"model": "gold_b"}, {"table": "nothing"}, {}]
    ir = built(parts(models=models, product={"output_ports": ports}))
    assert [p["model"] for p in ir["product"]["output_ports"]] == ["model.p.gold_a", "model.p.b", None, None]


def test_jobs_follow_the_product() -> None:
    schedule = {"cron": "0 6 * * *", "timezone": "UTC", "enabled": True}
    one = built(parts(product={"transforms": [{"path": "models/"}], "schedule": schedule}, seeds=[{"name": "s"}]))
    assert [(j["name"], j["needs"], j["select"]) for j in one["jobs"]] == [
        ("dbt-seed", [], None),
        ("dbt-run", ["dbt-seed"], None),
        ("dbt-test", ["dbt-run"], None),
    ]
    assert all(j["schedule"] == schedule for j in one["jobs"])
    transforms = [
        {"name": "prepare", "path": "dbt/models/staging/"},
        {"name": "publish", "tags": ["mart"], "depends_on": ["prepare"]},
        {"type": "python", "name": "score"},
    ]
    many = built(parts(product={"transforms": transforms, "ingestion": [{"name": "shop"}]}), project="dbt")
    assert [(j["name"], j["kind"], j["needs"], j["select"]) for j in many["jobs"]] == [
        ("ingest-shop", "ingestion", [], None),
        ("dbt-run-prepare", "dbt_run", ["ingest-shop"], "path:models/staging"),
        ("dbt-run-publish", "dbt_run", ["dbt-run-prepare"], "tag:mart"),
        ("dbt-test", "dbt_test", ["dbt-run-prepare", "dbt-run-publish"], None),
    ]


def test_a_manifest_alone_has_no_product_and_no_jobs() -> None:
    ir = build_ir(parts()["platform"], None, None, policies=[{"id": "X"}], params={"floe.x": {"n": 1}})
    assert (ir["product"], ir["project"], ir["jobs"], ir["models"]) == (None, None, [], [])
    assert ir["params"] == {"floe.x": {"n": 1}}


def test_what_installed_packages_bring_is_left_out() -> None:
    models = [
        {"unique_id": "model.shop.orders", "name": "orders", "package": "shop", "depends_on": ["model.fivetran.base"]},
        {"unique_id": "model.fivetran.base", "name": "base", "package": "fivetran"},
    ]
    sources = [{"unique_id": "source.fivetran.raw.t", "name": "t", "source_name": "raw", "package": "fivetran"}]
    ir = built(parts(project={"name": "shop"}, models=models, sources=sources))
    assert [model["unique_id"] for model in ir["models"]] == ["model.shop.orders"]
    assert ir["models"][0]["depends_on"] == ["model.fivetran.base"]
    assert ir["sources"] == []
    unnamed = built(parts(project={"name": ""}, models=models, sources=sources))
    assert len(unnamed["models"]) == 2


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (["test.shop.a", "test.shop.b"], 2),
        (["test.shop.a", "test.shop2.b"], 1),
        (["test.shop.a", "other.shop.b"], 2),
        (["test.shop.a", "test.fivetran.b\ntest.shop.c"], 1),
        (["test.fivetran.b\ntest.shop.c\ntest.shop.d", "test.shop.a", "test.shop.e"], 2),
        (["alone", "test.shop.a", "test.fivetran.b"], 2),
        (["test.alone", "test.fivetran.b"], 1),
        (["test.fivetran.shop.a"], 0),
        ([], 0),
    ],
)
def test_an_entry_is_the_projects_by_its_own_id(ids: list[str], kept: int) -> None:
    facts = Facts({"name": "shop", "source": "manifest"})
    facts.models.append({"unique_id": "model.shop.orders", "name": "orders", "package": "shop"})
    facts.tests.extend({"unique_id": id_, "name": "unique"} for id_ in ids)
    given = parts()
    ir = build_ir(given["platform"], None, facts, needs=frozenset())
    assert len(ir["tests"]) == kept
