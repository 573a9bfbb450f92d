from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.lineage.model import Breakers
from compiler.facts.lineage.project import column_lineage, propagate
from compiler.facts.manifest.read import read_manifest
from compiler.facts.project.read import read_project_files
from compiler.ir.facts_model import Facts

SOURCES = """
sources:
  - name: crm
    tables:
      - name: people
        columns:
          - {name: id}
          - {name: email, meta: {classification: pii}}
          - {name: ssn, meta: {floe: {classification: secret}}}
          - {name: phone, meta: {classification: pii, masked: true}}
      - {name: orders, columns: [{name: order_id}, {name: person_id}]}
"""
MACROS = """
{% macro own(column, more='x') %}trim({{ column }}) || '{{ more }}'{% endmacro %}
{% macro mask_own(column) %}left({{ column }}, 3){% endmacro %}
{% macro whole() %}select email from {{ source('crm', 'people') }}{% endmacro %}
"""
RANKS = {"internal": 1, "restricted": 2}
LEVELS = {"pii": "internal", "secret": "restricted"}


def facts_of(folder: Path, models: dict[str, str], yaml: str = SOURCES) -> Facts:
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: p\nvars: {cols: [email, ssn]}")
    (folder / "models" / "sources.yml").write_text(yaml)
    for name, sql in models.items():
        (folder / "models" / f"{name}.sql").write_text(sql)
    facts = read_project_files(folder, environ={"FLOEC_CACHE_DIR": ""}).value
    assert facts is not None
    for entry in [*facts.sources, *facts.models]:
        for column in entry["columns"]:
            column["level"] = LEVELS.get(column["classification"])
    return facts


def inherited(facts: Facts, folder: Path, **options: Any) -> dict[str, dict[str, Any]]:
    outcome = column_lineage(facts, folder, **options)
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    propagate(facts, outcome.value, RANKS)
    return {f"{m['name']}.{c['name']}": c["inherited"] for m in facts.models for c in m["columns"] if c["inherited"]}


def test_sql_on_which_the_parser_itself_fails_is_reported(tmp_path: Path) -> None:
    sql = """select cast(email as varchar("")) as email from {{ source('crm', 'people') }}"""
    facts = facts_of(tmp_path, {"a": sql, "b": "select email from {{ source('crm', 'people') }}"})
    outcome = column_lineage(facts, tmp_path)
    assert [(d.code, d.subject) for d in outcome.diagnostics] == [("FLC128", "model a")]
    assert outcome.value is not None
    assert "model.p.b" in outcome.value.traced


def test_pii_is_found_through_renames_a_cte_a_join_and_a_star(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "stg_people": "select id as person_id, lower(email) as mail from {{ source('crm', 'people') }}",
            "int_orders": """
                with people as (select * from {{ ref('stg_people') }}),
                orders as (select * from {{ source('crm', 'orders') }})
                select o.order_id, p.mail as contact from orders o left join people p using (person_id)
            """,
            "gold": "select * from {{ ref('int_orders') }}",
            "safe": "select md5(contact) as a, count(contact) as b, mask_email(contact) as c, contact is null as d"
            " from {{ ref('int_orders') }}",
        },
    )
    found = inherited(facts, tmp_path)
    assert sorted(found) == ["gold.contact", "int_orders.contact", "stg_people.mail"]
    assert found["gold.contact"]["classification"] == "pii"
    assert [(s["node"], s["column"], s["transform"]) for s in found["gold.contact"]["path"]] == [
        ("source.p.crm.people", "email", "declared"),
        ("model.p.stg_people", "mail", "expression"),
        ("model.p.int_orders", "contact", "rename"),
        ("model.p.gold", "contact", "copy"),
    ]


@pytest.mark.parametrize(
    ("sql", "reached"),
    [
        ("select email from {0}", ["email"]),
        ("select * from {0}", ["email", "ssn"]),
        ("select * exclude (email) from {0}", ["ssn"]),
        ("select * replace (sha256(email) as email) from {0}", ["ssn"]),
        ("select p.*, 1 as x from {0} p join {1} o on o.person_id = p.id", ["email", "ssn"]),
        ("select phone from {0}", []),
        ("select email from {0} union all select 'x' from {1}", ["email"]),
        ("select 'x' as a from {1} union all select email from {0}", ["a"]),
        ("select (select ssn from {0} limit 1) as s from {1}", ["s"]),
        ("select case when email = 'a' then 1 end as c, coalesce(ssn, '') as d from {0}", ["d"]),
        ("select contains(email, '@') as a, starts_with(ssn, '1') as b, isNull(email) as c, coalesce(ssn, '') as d"
         " from {0}", ["d"]),
        ("{{% set parts = [] %}}{{% for c in ['email', 'id'] %}}{{% set q %}}select {{{{ c }}}} as v from {0}"
         "{{% endset %}}{{% do parts.append(q) %}}{{% endfor %}}with u as ({{{{ parts | join(' union all ') }}}})"
         " select v as w from u", ["w"]),
        ("{{% set cols = ['id', 'ssn'] %}}select {{{{ cols | join(', ') }}}} from {0}", ["ssn"]),
        ("select upper(md5(email)) as a, md5(email || id) as b from {0}", []),
        ("select any_value(email) as a, min(email) as b, array_agg(ssn) as c, max(ssn) over () as d from {0}",
         ["a", "b", "c", "d"]),
        ("select count(distinct email) as a, sum(ssn) as b, avg(ssn) as c, approx_count_distinct(email) as d,"
         " median(ssn) as e, stddev(ssn) as f, bool_or(email) as g from {0}", []),
        ("select count(*) as a, count(people.email) over (partition by id) as b from {0}", []),
        ("select people.email as a, p.ssn as b from {0}, {0} p", ["a", "b"]),
        ("select people.* from {0} join {1} on orders.person_id = people.id", ["email", "ssn"]),
        ("select orders.*, (select max(people.email) from {0} where people.id = orders.person_id) as m from {1}",
         ["m"]),
        ("select to_json(p) as a, p is null as b from {0} p", ["a"]),
        ("select json_object(*) as a from {0}", ["a"]),
        ("select u.* from (select array_agg(p order by id)[1] as u from {0} p group by id)", ["email", "ssn"]),
        ("select * from (select id, email from {0}) union all by name select ssn, 'x' as email from {0}",
         ["email", "ssn"]),
        ("select * from {0} unpivot (v for k in (email, ssn))", ["v"]),
        ("select * from (select id, email from {0}) pivot (max(email) for id in (1 as a, 2 as b))", ["a", "b"]),
        ("select * from (select id, email from {0}) pivot (count(email) for id in (1 as a, 2 as b))", []),
        ("select email from {0} qualify row_number() over (partition by email order by id) = 1", ["email"]),
        ("select x.e from {0} cross join unnest([email, ssn]) as x(e)", ["e"]),
        ("select row_number() over (order by email) as a, lag(email) over (order by id) as b from {0}", ["b"]),
        ("select string_agg(email, ',' order by id) as a, listagg(ssn, ',') within group (order by id) as b,"
         " array_agg(id order by email) as c, count(email) filter (where true) as d from {0}", ["a", "b"]),
        ("select 1, email as b from {0} union all select ssn, 'x' from {0}", ["1", "b"]),
        ("select e.* from (select *, row_number() over (order by ssn) as n from {0}) e where n = 1", ["email", "ssn"]),
        ("{{{{ dbt_utils.deduplicate(relation=source('crm', 'people'), partition_by='id', order_by='id') }}}} -- {0}",
         ["email", "ssn"]),
        ("with x as (select email as e from {0}), y as ({{{{ dbt_utils.deduplicate('x', 'e', 'e') }}}})"
         " select * from y", ["e"]),
        ("with d as ({{{{ dbt_utils.date_spine('day', '2020', '2021') }}}}) select date_day, email from d, {0}",
         ["email"]),
        ("{{{{ dbt_utils.union_relations(relations=[source('crm', 'orders'), source('crm', 'people')]) }}}} -- {0} {1}",
         ["email", "ssn"]),
        ("{{{{ dbt_utils.unpivot(relation=source('crm', 'people'), exclude=['id', 'ssn'], value_name='v') }}}} -- {0}",
         ["ssn", "v"]),
        ("select {{{{ dbt.safe_cast('email', api.Column.translate_type('string')) }}}} as e from {0}", ["e"]),
        ("select email.domain as a, try_cast(ssn as int) as b from {0}", ["a", "b"]),
        ("select x.e as y from (select email from {0}) as x(e)", ["y"]),
        ("with recursive r as (select email from {0} union all select email from r) select email as z from r", ["z"]),
        ("select email as a, a || '!' as b from {0}", ["a", "b"]),
        ("select {{{{ dbt_utils.generate_surrogate_key(['email', 'ssn']) }}}} as k from {0}", []),
        ("select {{{{ tidy('email') }}}} as k from {0}", ["k"]),
        ("select {{% for c in var('cols') %}}{{{{ c }}}} as {{{{ c }}}}_x{{% if not loop.last %}}, {{% endif %}}"
         "{{% endfor %}} from {0}", ["email_x", "ssn_x"]),
        ("{{{{ config(tags='x') }}}} select {{{{ dbt_utils.star(from=ref('m')) }}}} from {0}", ["email", "ssn"]),
        ("select {{{{ own('email') }}}} as k, {{{{ mask_own('ssn') }}}} as l from {0}", ["k"]),
        ("{{{{ cte() }}}}\nselect cast(email as {{{{ dbt.type_string() }}}}) as k from {0}", ["k"]),
        ("{{{{ whole() }}}}", ["email"]),
        ("select email from {0} {{% if is_incremental() %}} where x > {{{{ this }}}} {{% endif %}}",
         ["email"]),
    ],
)  # fmt: skip
def test_what_carries_a_value_and_what_stops_it(tmp_path: Path, sql: str, reached: list[str]) -> None:
    people, orders = "{{ source('crm', 'people') }}", "{{ source('crm', 'orders') }}"
    (tmp_path / "macros").mkdir()
    (tmp_path / "macros" / "m.sql").write_text(MACROS)
    facts = facts_of(tmp_path, {"m": sql.format(people, orders)})
    assert sorted(inherited(facts, tmp_path)) == [f"m.{name}" for name in reached]


def test_the_highest_level_counts_and_breakers_are_data(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"m": "select email || ssn as both, md5(ssn) as h from {{ source('crm', 'people') }}"})
    found = inherited(facts, tmp_path, breakers=Breakers(hashing=("nothing",)))
    assert (found["m.both"]["classification"], found["m.both"]["level"]) == ("secret", "restricted")
    assert found["m.h"]["classification"] == "secret"


def test_sql_that_no_parser_understands_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        {
            "bad": "select select from from {{ source('crm', 'people') }} where (",
            "odd": "create table x (a int)\n-- {{ source('crm', 'people') }}",
            "good": "select email from {{ source('crm', 'people') }}",
            "below": "select email from {{ ref('bad') }}",
        },
    )
    outcome = column_lineage(facts, tmp_path)
    assert outcome.value is not None
    assert {d.subject: (d.code, d.severity.value) for d in outcome.diagnostics} == {
        "model bad": ("FLC128", "notify"),
        "model odd": ("FLC128", "notify"),
    }
    assert list(outcome.value.relations["model.p.good"].columns) == ["email"]


def test_the_cache_gives_the_same_and_notices_what_a_star_stands_for(tmp_path: Path) -> None:
    folder, cache = tmp_path / "p", tmp_path / "cache"
    folder.mkdir()
    models = {"m": "select * from {{ source('crm', 'people') }}"}
    first = column_lineage(facts_of(folder, models), folder, folder=cache).value
    again = column_lineage(facts_of(folder, models), folder, folder=cache).value
    assert first is not None
    assert again is not None
    assert first.relations == again.relations
    more = column_lineage(facts_of(folder, models, SOURCES.replace("{name: id}", "{name: key}")), folder, folder=cache)
    assert more.value is not None
    assert "key" in more.value.relations["model.p.m"].columns


def test_lineage_over_a_manifest_that_was_read_for_it_alone(tmp_path: Path) -> None:
    """Compiled code names relations of the warehouse; sources are needed though no policy reads them."""
    common = {"package_name": "p", "database": "db", "resource_type": "model", "schema": "main"}
    source = {**common, "unique_id": "source.p.crm.people", "name": "people", "source_name": "crm", "schema": "raw"}
    source |= {"identifier": "PEOPLE_V2", "columns": {"email": {"name": "email", "meta": {"classification": "pii"}}}}
    first = {**common, "unique_id": "model.p.a", "name": "a", "alias": "a_table", "raw_code": "{{ not_used() }}"}
    first |= {"compiled_code": 'select * from "db"."raw"."PEOPLE_V2"', "depends_on": {"nodes": ["source.p.crm.people"]}}
    second = {**common, "unique_id": "model.p.b", "name": "b", "depends_on": {"nodes": ["model.p.a"]}}
    second |= {"compiled_code": 'select email as mail from "db"."main"."a_table"'}
    metadata = {"dbt_schema_version": "x/manifest/v12.json", "project_name": "p", "adapter_type": "duckdb"}
    value = {
        "metadata": metadata,
        "nodes": {n["unique_id"]: n for n in (first, second)},
        "sources": {"source.p.crm.people": source},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(value))
    needs = frozenset([("models", "*", "columns", "*", "inherited")])
    facts = read_manifest(tmp_path, tmp_path / "manifest.json", needs).value
    assert facts is not None
    assert sorted(inherited(facts, tmp_path)) == ["a.email", "b.mail"]


def test_a_ring_of_models_ends(tmp_path: Path) -> None:
    models = {
        "a": "select * from {{ ref('b') }}",
        "b": "select email from {{ ref('a') }}, {{ source('crm', 'people') }}",
    }
    facts = facts_of(tmp_path, models)
    assert facts.project["cycles"] == [["model.p.a", "model.p.b"]]
    assert "a.email" in inherited(facts, tmp_path)


def test_texts_that_are_no_unicode_are_traced_and_kept_all_the_same(tmp_path: Path) -> None:
    """Jinja reads escapes in its texts, half a surrogate pair too."""
    sql = """select email as "{{ "\\ud800" }}" from {{ source('crm', 'people') }} join {{ ref("\\ud800", v="1") }}"""
    facts = facts_of(tmp_path, {"a": sql, "b": "select email from {{ source('crm', 'people') }}"})
    for folder in (None, tmp_path / "cache", tmp_path / "cache"):
        outcome = column_lineage(facts, tmp_path, folder=folder)
        assert outcome.value is not None
        assert "model.p.b" in outcome.value.traced
    assert list((tmp_path / "cache").rglob("*.pack"))
