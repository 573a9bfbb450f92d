"""Models that differ only in what they refer to are read once, with the answers that each would have alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.facts.lineage import trace as lineage_trace
from compiler.facts.lineage.model import Answer, Relation
from compiler.facts.lineage.names import Reference, numbered, without_jinja
from compiler.facts.lineage.project import column_lineage
from compiler.facts.lineage.render import render
from compiler.facts.project.read import read_project_files
from compiler.ir.facts_model import Facts

SOURCES = """
sources:
  - name: crm
    tables:
      - {name: people, columns: [{name: id}, {name: email}, {name: ssn}]}
      - {name: clients, columns: [{name: id}, {name: email}, {name: ssn}]}
      - {name: orders, identifier: ORDERS_V2, columns: [{name: order_id}, {name: id}]}
      - {name: unknown}
"""
MACROS = "{% macro below() %}(select * from {{ source('crm', 'orders') }}){% endmacro %}"


def facts_of(folder: Path, models: dict[str, str], sources: str = SOURCES) -> Facts:
    for name in ("models", "macros"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: p")
    (folder / "models" / "sources.yml").write_text(sources)
    (folder / "macros" / "m.sql").write_text(MACROS)
    for name, sql in models.items():
        (folder / "models" / f"{name}.sql").write_text(sql)
    facts = read_project_files(folder, environ={"FLOEC_CACHE_DIR": ""}).value
    assert facts is not None
    return facts


def relations(facts: Facts, project: Path, **options: Any) -> dict[str, Relation]:
    found = column_lineage(facts, project, everything=True, **options).value
    assert found is not None
    return found.relations


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read."""
    texts: list[str] = []
    read = lineage_trace.Tracer._read

    def counted(self: lineage_trace.Tracer, node: Any, text: str, ids: tuple[str, ...]) -> Answer:
        texts.append(text)
        return read(self, node, text, ids)

    monkeypatch.setattr(lineage_trace.Tracer, "_read", counted)
    return texts


def test_models_that_differ_in_their_references_are_one_query(tmp_path: Path, reads: list[str]) -> None:
    text = "select s.id, lower(s.email) as mail from {{{{ source('crm', '{}') }}}} s"
    facts = facts_of(tmp_path, {"a": text.format("people"), "b": text.format("clients"), "c": text.format("unknown")})
    found = relations(facts, tmp_path, folder=tmp_path / "cache")
    assert len(reads) == 2  # nothing is known of the columns of the third
    assert found["model.p.b"].columns["mail"][0].node == "source.p.crm.clients"
    assert found["model.p.c"].open == []
    assert relations(facts, tmp_path, folder=tmp_path / "cache") == found
    assert len(reads) == 2


def test_what_a_query_names_by_hand_is_looked_at_again(tmp_path: Path, reads: list[str]) -> None:
    """A relation that stands in SQL, or that a macro refers to, may get other columns without a word in the query."""
    models = {"a": "select * from crm.orders_v2", "b": "select * from {{ below() }} x"}
    facts = facts_of(tmp_path, models)
    found = relations(facts, tmp_path, folder=tmp_path / "cache")
    assert list(found["model.p.a"].columns) == list(found["model.p.b"].columns) == ["order_id", "id"]
    assert relations(facts, tmp_path, folder=tmp_path / "cache") == found
    assert len(reads) == 2
    facts = facts_of(tmp_path, models, SOURCES.replace("{name: order_id}", "{name: number}"))
    found = relations(facts, tmp_path, folder=tmp_path / "cache")
    assert list(found["model.p.a"].columns) == list(found["model.p.b"].columns) == ["number", "id"]


def test_what_cannot_be_read_is_said_of_each_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "select select from {{{{ source('crm', '{}') }}}} where ("
    facts = facts_of(tmp_path, {"a": text.format("people"), "b": text.format("clients")})
    first = column_lineage(facts, tmp_path, everything=True, folder=tmp_path / "cache").diagnostics
    assert [d.subject for d in first] == ["model a", "model b"]
    monkeypatch.delattr(lineage_trace.Tracer, "_read")
    assert column_lineage(facts, tmp_path, everything=True, folder=tmp_path / "cache").diagnostics == first


@pytest.mark.parametrize("text", ["(" * 30_000 + "1" + ")" * 30_000, "1 from " + "(select * from " * 30_000])
def test_sql_that_is_nested_too_deeply_is_reported(tmp_path: Path, text: str) -> None:
    found = column_lineage(facts_of(tmp_path, {"a": f"select {text}"}), tmp_path, everything=True).diagnostics
    assert [d.message for d in found] == ["the columns of `a` cannot be traced: it is nested too deeply"]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("{{ ref('a') }}", Reference("ref", "a")),
        ('{{ref("a",)}}', Reference("ref", "a")),
        ("{{ ref('p', 'a') }}", Reference("ref", "a", "p")),
        ("{{ ref('a', v=2) }}", Reference("ref", "a", "", "2")),
        ("{{ ref('p', 'a', version='2b') }}", Reference("ref", "a", "p", "2b")),
        ("{{ source('s', \"t\") }}", Reference("source", "s", "t")),
        ('from "db"."raw"."t" x', Reference("name", "raw", "t")),
        ("JOIN db.raw.t", Reference("name", "raw", "t")),
        ("from `a-b`.`raw`.`t`", Reference("name", "raw", "t")),
    ],
)
def test_references_that_are_seen(text: str, reference: Reference) -> None:
    seen: list[Reference] = []

    def number(found: Reference) -> int:
        seen.append(found)
        return 7

    assert "floec_relation__7" in numbered(text, number)
    assert seen == [reference]


@pytest.mark.parametrize(
    "text",
    [
        "{{ ref(name) }}", "{{ ref('a') | lower }}", "{{ ref('a\\'b') }}", "{{- ref('a') -}}", "{% set x = ref('a') %}",
        "{{ source('a') }}", "{{ ref('a', 'b', 'c') }}", "from raw.t", 'from "a"."b"."c"."d"', "from a.b.c(1)",
        "extract(day from a.b.c.d)",
    ],
)  # fmt: skip
def test_references_that_are_left_to_the_parser(text: str) -> None:
    assert numbered(text, lambda found: 7) == text


PIECES = st.sampled_from(
    [
        "{{ config(materialized='view', tags=[\"a\"]) }}", "{{config()}}", "{{ config(meta={'a': 1}) }}",
        "{{ config(x=f(1)) }}", "select 1 ", "'{'", "{{ x }}", "{% if a %}b{% endif %}", "{# c #}", "}}", "a % b\n",
        "{{ config(a='}}') }}", "{{ config(a) ~ 'b' }}", "\n",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES, max_size=5).map("".join))
def test_jinja_that_needs_no_parser_is_as_the_parser_has_it(text: str) -> None:
    plain = without_jinja(text)
    if plain is not None:
        whole = render(text, {}, {}, lone_calls=True)
        assert whole is not None
        assert plain.rstrip("\n") == whole.rstrip("\n")


TABLES = st.sampled_from(
    ["{{ source('crm', 'people') }}", "{{ source('crm', 'clients') }}", "{{ source('crm', 'orders') }}", "cte",
     "{{ source('crm', 'unknown') }}", "{{ ref('first') }}", "{{ ref('p', 'first') }}", "crm.orders_v2",
     "{{ below() }}"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["*", "id", "a.id", "b.email as e", "a.*", "lower(ssn) as s", "md5(a.email) as h", "count(*) as n",
     "people.id as x", "first.email as y", "coalesce(a.email, b.ssn) as z", "(select max(email) from cte) as m",
     "orders_v2.order_id"]
)  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> str:
    values = ", ".join(draw(st.lists(VALUES, min_size=1, max_size=4)))
    join = draw(st.sampled_from(["", " join {} b on a.id = b.id", ", {} b", " left join {} b using (id)"]))
    alias = draw(st.sampled_from([" a", "", " as a"]))
    one = f"select {values} from {draw(TABLES)}{alias}{join.format(draw(TABLES))}"
    tail = draw(st.sampled_from(["", " union all select * from {}", " where id in (select id from {})"]))
    head = draw(st.sampled_from(["", "{{ config(tags='x') }}\n"]))
    return f"{head}with cte as (select * from {draw(TABLES)} c) {one}{tail.format(draw(TABLES))}"


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(queries(), min_size=1, max_size=4))
def test_numbered_queries_give_what_each_gives_alone(tmp_path: Path, texts: list[str]) -> None:
    first = {"first": "select id, email as ssn, x.* from {{ source('crm', 'people') }} x"}
    facts = facts_of(tmp_path, first | {f"m{i}": text for i, text in enumerate(texts)})
    shared = relations(facts, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lineage_trace, "numbered", lambda sql, number: sql)
        assert relations(facts, tmp_path) == shared
    for i in range(len(texts), 4):
        (tmp_path / "models" / f"m{i}.sql").unlink(missing_ok=True)
