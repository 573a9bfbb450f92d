"""Personal data on its way from a source to gold: found with its whole path where nothing masks it, and not where
something does; through the command, with the policies that ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.cli.main import run

MANIFEST = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: plat, version: 1.0.0, owner: a@b.example}
plugins: {compute: {type: duckdb}}
data_architecture:
  pattern: medallion
  layers:
    bronze: {prefix: bronze_}
    silver: {prefix: silver_}
    gold: {prefix: gold_}
governance:
  classification:
    levels:
      - public
      - {name: confidential, allowed_layers: [bronze, silver]}
    categories:
      pii: {level: confidential}
policies: [{use: stdlib/classification}]
"""
PRODUCT = """\
apiVersion: floe.dev/v1
kind: DataProduct
metadata: {name: orders, version: 1.0.0, owner: a@b.example, domain: sales}
platform: {ref: manifest.yaml}
transforms: [{type: dbt, path: models}]
"""
SOURCES = """\
version: 2
sources:
  - name: shop
    tables:
      - name: people
        columns:
          - name: id
          - name: mail
            meta: {classification: pii}
      - name: orders
        columns: [{name: id}, {name: person}, {name: amount}]
"""
BRONZE = "select id as person_id, mail as contact from {{ source('shop', 'people') }}"
SILVER = """\
with people as (
    select person_id, contact as reach_at from {{ ref('bronze_people') }}
),
orders as (
    select id as order_id, person, amount from {{ source('shop', 'orders') }}
)
select orders.order_id, orders.amount, people.reach_at
from orders
left join people on people.person_id = orders.person
"""
GOLD = "select * from {{ ref('silver_orders') }}"


def findings(folder: Path, gold: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What CLS005 says of the gold model."""
    models = folder / "models"
    models.mkdir()
    (folder / "manifest.yaml").write_text(MANIFEST)
    (folder / "floe.yaml").write_text(PRODUCT)
    (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (models / "_sources.yml").write_text(SOURCES)
    (models / "bronze_people.sql").write_text(BRONZE)
    (models / "silver_orders.sql").write_text(SILVER)
    (models / "gold_orders.sql").write_text(gold)
    run(["check", str(folder), "--format", "json"])
    said = json.loads(capsys.readouterr().out)
    found = said["diagnostics"] if isinstance(said, dict) else said
    assert not [d for d in found if d["code"].startswith("FLC")]
    return [d for d in found if d["code"] == "CLS005"]


def test_bare_personal_data_in_gold_is_found_with_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(tmp_path, GOLD, capsys)
    (one,) = found
    assert one["severity"] == "block"
    way = ["people.mail", "bronze_people.contact", "silver_orders.reach_at"]
    places = [one["message"].index(step) for step in way]
    assert places == sorted(places)
    assert any("_sources.yml" in json.dumps(place) for place in one["labels"] if not place["primary"])


def test_what_is_hashed_masked_or_counted_may_stand_in_gold_and_what_only_dresses_the_value_may_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = {
        "hashed": "sha256(reach_at)",
        "digest": "md5(lower(trim(reach_at)))",
        "masked": "{{ mask_email('reach_at') }}",
        "counted": "count(distinct reach_at)",
        "reachable": "reach_at is not null",
    }
    carried = {
        "upper_case": "upper(reach_at)",
        "filled": "coalesce(reach_at, 'none')",
        "chosen": "case when amount > 10 then reach_at end",
        "any_one": "any_value(reach_at)",
        "longer": "reach_at || ''",
    }
    columns = ", ".join(f"{sql} as {name}" for name, sql in {**stopped, **carried}.items())
    found = findings(tmp_path, f"select {columns} from {{{{ ref('silver_orders') }}}}", capsys)
    assert sorted(one["message"].split()[1] for one in found) == sorted(carried)
