from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.project.read import read_project_files
from compiler.ir.facts_model import Facts
from policy_lang.diagnostics import Severity

PROJECT = """
name: shop
version: '1.0'
models:
  +meta: {team: base}
  shop:
    staging: {+materialized: view, +tags: [raw]}
    marts: {+materialized: table, materialized: table}
data_tests: {+severity: warn}
vars: {wide: true, shop: {table: customers}}
"""


SNAPSHOT = "{% snapshot snap %}{{ config(strategy='timestamp') }} {{ ref('cust') }}{% endsnapshot %}"
ODD = "models: 3\nsources: {a: b}\nexposures: [1, {name: x, depends_on: 7, owner: me}]\nmetrics: x"


def project(folder: Path, **files: str) -> Path:
    """Files by path, with ``__`` for ``/`` and a dot before the suffix's last underscore."""
    (folder / "dbt_project.yml").write_text(files.pop("dbt_project", PROJECT))
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def facts_of(folder: Path) -> Facts:
    outcome = read_project_files(folder, environ={"FLOEC_CACHE_DIR": ""})
    assert outcome.value is not None
    assert outcome.diagnostics == ()
    return outcome.value


def one(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    [found] = [e for e in entries if e["name"] == name]
    return found


def test_references_are_read_in_jinjas_tree_and_resolved(tmp_path: Path) -> None:
    sql = """
    {{ config(materialized='incremental', tags='hourly', meta={'team': 'own'}, unique_key=['a', 'b']) }}
    {# {{ ref('commented') }} #}
    {% set names = ['a', 'b'] %}
    {% for n in names %} select * from {{ ref('stg_' ~ n) }} union all {% endfor %}
    select '{{ "ref(1)" }}' from {{ source('raw', var('table')) }} {{ ref('other', 'gone', v=3) }}
    {% if is_incremental() %} {{ ref('never') }} {% endif %}
    """
    yaml = "sources: [{name: raw, tables: [{name: customers}]}]"
    facts = facts_of(
        project(
            tmp_path,
            models__marts__m_DOT_sql=sql,
            models__staging__stg_a_DOT_sql="select 1",
            models__staging__stg_b_DOT_sql="select 1",
            models__s_DOT_yml=yaml,
        )
    )
    model = one(facts.models, "m")
    assert [(r["name"], r["package"], r["version"], r["unique_id"]) for r in model["refs"]] == [
        ("gone", "other", "3", None),
        ("stg_a", None, None, "model.shop.stg_a"),
        ("stg_b", None, None, "model.shop.stg_b"),
    ]
    assert model["depends_on"] == ["model.shop.stg_a", "model.shop.stg_b", "source.shop.raw.customers"]
    assert (model["materialized"], model["tags"], model["unique_key"]) == ("incremental", ["hourly"], ["a", "b"])
    assert model["meta"] == {"team": "own"}
    assert one(facts.models, "stg_a")["used_by"] == ["model.shop.m"]
    assert facts.sources[0]["used_by"] == ["model.shop.m"]


def test_folders_give_configuration_and_disabled_nodes_are_left_out(tmp_path: Path) -> None:
    yaml = """
    models:
      - name: a
        config: {meta: {owner: {name: Ann}}, tags: [own]}
        columns:
          - name: id
            data_tests: [unique, {not_null: {config: {severity: error}}}]
            config: {meta: {floe: {masked: true}}}
      - {name: gone, config: {enabled: "{{ not var('wide') }}"}, columns: [{name: id, data_tests: [unique]}]}
    """
    facts = facts_of(
        project(
            tmp_path,
            models__staging__a_DOT_sql="select 1 as id",
            models__staging__gone_DOT_sql="select 1 as id",
            models__marts__b_DOT_sql="select * from {{ ref('gone') }}",
            models__x_DOT_yml=yaml,
        )
    )
    assert [m["name"] for m in facts.models] == ["a", "b"]
    a, b = facts.models
    assert (a["meta"], a["owner"], a["tags"]) == ({"team": "base", "owner": {"name": "Ann"}}, "Ann", ["own", "raw"])
    assert (a["columns"][0]["tests"], a["columns"][0]["masked"], a["primary_key"]) == (
        ["not_null", "unique"],
        True,
        ["id"],
    )
    assert [t["severity"] for t in facts.tests] == ["error", "warn"]
    assert (b["refs"][0]["unique_id"], b["select_star"]) == (None, True)


def test_versions_seeds_snapshots_and_python_models(tmp_path: Path) -> None:
    yaml = """
    models:
      - name: cust
        latest_version: 1
        columns: [{name: id}, {name: old, data_tests: [unique]}]
        versions: [{v: 1, defined_in: one}, {v: 2, columns: [{include: all, exclude: [old]}, {name: new}]}]
    snapshots: [{name: y, relation: ref('codes'), config: {strategy: check, unique_key: id}}]
    """
    facts = facts_of(
        project(
            tmp_path,
            models__one_DOT_sql="select 1",
            models__cust_v2_DOT_sql="select 1",
            models__p_DOT_py="def model(dbt, s):\n    return dbt.ref('cust', v=2)\n",
            models__x_DOT_yml=yaml,
            seeds__codes_DOT_csv="id,name\n1,a\n",
            snapshots__s_DOT_sql=SNAPSHOT,
        )
    )
    assert [m["unique_id"] for m in facts.models] == ["model.shop.cust.v1", "model.shop.cust.v2", "model.shop.p"]
    assert [c["name"] for c in facts.models[1]["columns"]] == ["id", "new"]
    python = facts.models[2]
    assert (python["language"], python["materialized"], python["depends_on"]) == (
        "python",
        "table",
        ["model.shop.cust.v2"],
    )
    assert [(c["name"], c["declared"]) for c in facts.seeds[0]["columns"]] == [("id", False), ("name", False)]
    assert facts.seeds[0]["size"] == {"rows": 1, "bytes": 12}
    assert [(s["name"], s["snapshot_strategy"], s["depends_on"]) for s in facts.snapshots] == [
        ("snap", "timestamp", ["model.shop.cust.v1"]),
        ("y", "check", ["seed.shop.codes"]),
    ]
    assert facts.tests[0]["attached_to"] == "model.shop.cust.v1"


def test_what_is_broken_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    project(
        tmp_path,
        models__bad_DOT_sql="select 1\n{% if %}",
        models__good_DOT_sql="select 1",
        models__bad_DOT_yml="models:\n  - name: [",
        models__worse_DOT_py="def model(:",
        models__odd_DOT_yml=ODD,
        models__a__good_DOT_sql="select 2",
        models__maybe_DOT_sql="{{ config(enabled=target.name == 'prod', schema=f()) }}",
    )
    (tmp_path / "models" / "utf_DOT_sql".replace("_DOT_", ".")).write_bytes(b"select '\xff'")
    os.symlink("..", tmp_path / "models" / "ring")
    outcome = read_project_files(tmp_path, environ={"FLOEC_CACHE_DIR": ""})
    assert outcome.value is not None
    assert {m["name"] for m in outcome.value.models} == {"bad", "good", "worse", "maybe"}
    found = {(d.code, d.span.file.rpartition("/")[2], d.span.line) for d in outcome.diagnostics if d.span}
    assert found == {
        ("FLC122", "bad.sql", 2),
        ("FLC101", "bad.yml", 3),
        ("FLC125", "odd.yml", 1),
        ("FLC122", "worse.py", 1),
        ("FLC108", "utf.sql", 1),
        ("FLC123", "ring", 1),
        ("FLC126", "good.sql", 1),
        ("FLC127", "maybe.sql", 1),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [(None, "FLC120"), ("a: [", "FLC101"), ("[]", "FLC121"), ("name: 3", "FLC121"), ("\xff", "FLC108")],
)
def test_without_a_project_file_it_is_refused_and_with_a_broken_one_the_rest_is_read(
    tmp_path: Path, text: str | None, code: str
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1 as a")
    if text is not None:
        (tmp_path / "dbt_project.yml").write_text(text, encoding="latin-1")
    outcome = read_project_files(tmp_path, environ={"FLOEC_CACHE_DIR": ""})
    assert [(d.code, d.severity) for d in outcome.diagnostics] == [(code, Severity.BLOCK)]
    read = None if outcome.value is None else [m["name"] for m in outcome.value.models]
    assert read == (None if text is None else ["a"])


def test_the_cache_gives_the_same_facts_and_survives_damage(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = tmp_path / "p"
    folder.mkdir()
    yaml = "models: [{name: a, meta: {n: 1.50, when: 2020-01-01, off: no}}]"
    project(folder, models__a_DOT_sql="{{ config(meta={'f': 0.5}) }} select 1", models__y_DOT_yml=yaml)
    environ = {"FLOEC_CACHE_DIR": str(cache)}
    cold = read_project_files(folder, environ=environ, reuse=False)
    [pack] = cache.glob("facts/*.pack")
    warm = read_project_files(folder, environ=environ, reuse=False)
    assert cold == warm
    assert repr(cold.value.models[0]["meta"]) == repr(warm.value.models[0]["meta"])  # type: ignore[union-attr]
    data = bytearray(pack.read_bytes())
    data[-20] ^= 1
    pack.write_bytes(bytes(data))
    assert read_project_files(folder, environ=environ, reuse=False) == cold
    os.chmod(pack, 0o666)
    (folder / "models" / "a.sql").write_text("select 2 as b")
    changed = read_project_files(folder, environ=environ, reuse=False).value
    assert changed is not None
    assert "f" not in changed.models[0]["meta"]
    assert pack.stat().st_mode & 0o777 == 0o600


def test_a_pipe_in_place_of_the_cache_is_not_waited_for(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = tmp_path / "p"
    folder.mkdir()
    project(folder, models__a_DOT_sql="select 1")
    environ = {"FLOEC_CACHE_DIR": str(cache)}
    cold = read_project_files(folder, environ=environ, reuse=False)
    [pack] = cache.glob("facts/*.pack")
    pack.unlink()
    os.mkfifo(pack)
    assert read_project_files(folder, environ=environ, reuse=False) == cold


def test_metrics_as_they_were_written_before_dbt_1_6(tmp_path: Path) -> None:
    yaml = """
    metrics:
      - {name: revenue, label: Revenue, model: "ref('m')", calculation_method: sum, expression: amount}
      - {name: double, label: D, calculation_method: derived, expression: "{{ metric('revenue') }} * 2"}
    """
    facts = facts_of(project(tmp_path, models__m_DOT_sql="select 1", models__m_DOT_yml=yaml))
    assert [(m["name"], m["type"], m["depends_on"]) for m in facts.metrics] == [
        ("double", "derived", ["metric.shop.revenue"]),
        ("revenue", "sum", ["model.shop.m"]),
    ]


def test_hooks_of_all_levels_add_up_and_those_that_are_known_count(tmp_path: Path) -> None:
    sql = "{{ config(post_hook=['c', made()], pre_hook=made()) }} select 1"
    yaml = "models: [{name: m, config: {post-hook: b, pre_hook: {sql: x}}}]"
    levels = PROJECT + "models: {shop: {+post-hook: [a]}}\n"
    facts = facts_of(project(tmp_path, dbt_project=levels, models__m_DOT_sql=sql, models__m_DOT_yml=yaml))
    assert one(facts.models, "m")["config"] == {"post_hook": ["a", "b"], "pre_hook": ["x"]}


def test_tests_that_need_a_disabled_model_are_disabled_with_it(tmp_path: Path) -> None:
    """So does dbt; a node that is not there at all may be one of a package that is not installed."""
    yaml = """
    models:
      - name: m
        columns:
          - name: id
            data_tests:
              - relationships: {arguments: {to: "ref('off')", field: id}}
              - relationships: {arguments: {to: "ref('elsewhere')", field: id}}
    """
    facts = facts_of(
        project(
            tmp_path,
            models__m_DOT_sql="select 1 as id",
            models__off_DOT_sql="{{ config(enabled=false) }} select 1 as id",
            models__m_DOT_yml=yaml,
            tests__needs_off_DOT_sql="select * from {{ ref('off') }}",
            tests__needs_m_DOT_sql="select * from {{ ref('m') }}",
        )
    )
    assert [t["name"] for t in facts.tests] == ["needs_m", "relationships_m_id__id__ref_elsewhere_"]


def test_a_type_of_several_lines_ends_where_dbt_ends_it(tmp_path: Path) -> None:
    yaml = "models:\n  - name: m\n    columns:\n      - name: a\n        data_type: |\n          array<int>\n"
    facts = facts_of(project(tmp_path, models__m_DOT_sql="select 1 as a", models__m_DOT_yml=yaml))
    assert one(facts.models, "m")["columns"][0]["type"] == "array<int>"


@pytest.mark.parametrize(
    ("model", "macro", "unknown"),
    [
        ("{{ ref('a') }} {{ source('s', 't') }}", "", set()),
        (
            "{{ all_of('x') }}",
            "{% macro all_of(x) %}{{ source('s', x) }}{% endmacro %}",
            {"depends_on", "sources.used_by"},
        ),
        ("{{ all_of('x') }}", "{% macro all_of(x) %}{{ ref(x) }}{% endmacro %}", {"depends_on"}),
        ("{{ ref(env_var('X')) }}", "", {"depends_on"}),
        ("select 1", "{% macro all_of(x) %}{{ source('s', x) }}{% endmacro %}", set()),
        ("{% for t in ['a', 'b'] %}{{ ref(t) }}{% endfor %}", "", set()),
    ],
)
def test_references_that_only_dbt_can_compute_are_said_to_be_unknown(
    model: str, macro: str, unknown: set[str], tmp_path: Path
) -> None:
    files = {"models__m_DOT_sql": model, "models__a_DOT_sql": "select 1", "models__b_DOT_sql": "select 1"}
    yaml = "sources: [{name: s, tables: [{name: t}]}]"
    project(tmp_path, **files, models__s_DOT_yml=yaml, macros__m_DOT_sql=macro)
    found = facts_of(tmp_path).project["unknown"]
    assert {"depends_on", "sources.used_by"} & set(found) == unknown


def test_references_of_a_python_model_that_only_dbt_can_compute(tmp_path: Path) -> None:
    project(tmp_path, models__m_DOT_py="def model(dbt, session):\n    return dbt.source('s', dbt.config.get('t'))")
    assert {"depends_on", "sources.used_by"} <= set(facts_of(tmp_path).project["unknown"])
