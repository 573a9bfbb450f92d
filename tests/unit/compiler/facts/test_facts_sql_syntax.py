from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.project.file_facts import BrokenSql
from compiler.facts.project.read import read_project_files
from compiler.facts.sql import check as sql_check
from compiler.facts.sql.blank_jinja import Guess, blanked
from compiler.facts.sql.check import broken_in_manifest
from compiler.facts.sql.shape import oddity
from compiler.facts.sql.syntax import broken_sql
from compiler.ir.facts_model import Facts, Origin
from policy_lang.diagnostics import Diagnostic, Severity


def broken(text: str, adapter: str | None = None) -> tuple[int, int, str, str] | None:
    found = broken_sql(text, lambda: adapter)
    if found is None:
        return None
    line = text.split("\n")[found.line - 1]
    return found.line, found.col, line[found.col - 1 : found.col - 1 + found.length], found.hint


@pytest.mark.parametrize(
    ("sql", "line", "col", "word"),
    [
        ("selec a frm b", 1, 1, "selec"),
        ("select a frm b where x", 1, 10, "frm"),
        ("select *\nfrm b", 2, 1, "frm"),
        ("select a\nfrom b\nwher c = 1", 3, 1, "wher"),
        ("with x as (select 1) selec * from x", 1, 22, "selec"),
        ("select a,, b from c", 1, 10, ","),
        ("select a from", 1, 10, "from"),
        ("select a from b where", 1, 17, "where"),
        ("select * from a join b on a.id = b.id group by", 1, 45, "by"),
        ("select 1 +", 1, 10, "+"),
        ("select 'abc from x", 1, 8, "'"),
        ("select a from b where id in (1, 2", 1, 29, "("),
        ("select a)) from b", 1, 9, ")"),
        ("select a from b where c = (1]", 1, 29, "]"),
        ("with a as (select 1), select * from a", 1, 23, "select"),
        ("with a as (select 1)", 1, 20, ")"),
        ("lorem ipsum dolor", 1, 1, "lorem"),
        ("select 'é', x\r\nfrom b c d", 2, 10, "d"),
    ],
)
def test_the_place_is_where_the_sql_breaks(sql: str, line: int, col: int, word: str) -> None:
    found = broken(sql)
    assert found is not None
    assert found[:3] == (line, col, word)
    assert found[3]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select a, b, from c",  # BigQuery, Snowflake, DuckDB
        "from a select b",
        "select * exclude (a) from b qualify row_number() over (partition by a order by b) = 1",
        "select a:b.c::int from t, lateral flatten(input => t.x) f",
        "select array_agg(a ignore nulls order by b) from c",
        "select percentile_cont(0.5) within group (order by a) from b",
        "select cast(null as array<bigint>) as a from b",
        "select case when a then 'it''s' else \"b\" end, `c d` from e /* ( */ -- )",
        "select interval '1 day' + date '2020-01-01', interval 1 day",
        "(select 1) union all (select 2) order by 1",
        "select a from b where c is distinct from d and e not in (select f from g)",
        "select extract(day from a), substring(b from 1 for 2) from c",
        "select r'^(\\d+)$', 'a\\'b' from c",
        "select top 10 [a b] from [dbo].[c]",
        "with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select * from t",
        "select quantile(0.5)(x) from t",
    ],
)
def test_what_some_database_understands_is_whole(sql: str) -> None:
    assert broken(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "{{ config(materialized='table') }}\n{{ a_macro(ref('a')) }}",
        "{{ ref('a') }}\n{{ ref('b') }}",
        "with a as (\n{{ whole() }}\n)\n, {{ more_ctes() }}\nselect * from a",
        "select a\n{{ columns() }}\nfrom {{ ref('a') }}",
        "select * from {{ ref('a') }}\n{% if target.name == 'ci' %} limit 10 {% endif %}",
        "{% for x in xs %}{% if not loop.first %}union all{% endif %} select {{ x }} from t{% endfor %}",
        "select {% for x in xs %}{{ x }}{{ ', ' if not loop.last }}{% endfor %} from {{ ref('a') }}",
        "select a from {{ ref('a') }} {% if is_incremental() %} where b > (select max(b) from {{ this }}) {% endif %}",
        "{% if is_incremental() %} select 1 {% else %} select 2 {% endif %}",
        "{% set q %} selec nonsense ( {% endset %} select 1",
        "{% macro m() %} ) {% endmacro %} select 1",
        "{# ( #} select 1 -- {{ note('(') }}",
        "select 1 as a left join{{ ref('b') }} on true",
        "select{{ m() }} as a from b",
        "select prefix_{{ x }}, '{{ y }}', {{ schema }}.{{ table }}.c from {{ d }}.e",
        "select a from b limit {{ n }}",
        "select decimal({{ p }}, {{ s }}) from b",
        "{% call statement('x') %} {% endcall %} union all select 1",
        "{% raw %} {{ ( {% endraw %}",
        "{% snapshot a %}{{ config(x={'a': {'b': 1}}) }} select 1 from {{ ref('b') }}{% endsnapshot %}\n"
        "{% snapshot c %} select 2 from {{ ref('b') }}{% endsnapshot %}",
    ],
)
def test_jinja_that_only_dbt_knows_is_no_broken_sql(sql: str) -> None:
    assert broken(sql) is None


def test_sql_around_jinja_is_looked_at() -> None:
    model = "{{ config() }}\n\nselect\n    {{ key(['a', 'b']) }} as id,\n    {{ b }}\n    , c\nform {{ ref('x') }}\n"
    assert broken(model) == (7, 1, "form", "did you mean `from`?")
    snapshot = "{% snapshot s %}\n{{ config(unique_key='a') }}\nselec a from {{ source('b', 'c') }}\n{% endsnapshot %}"
    assert broken(snapshot) == (3, 1, "selec", "did you mean `select`?")
    assert broken("select a{% if x %}, b{% endif %}\nfrom {{ ref('y') }} as z zz") == (
        2,
        26,
        "zz",
        "try the query in the warehouse as `dbt compile` writes it to target/compiled",
    )


def test_a_comma_before_from_is_broken_where_the_database_is_known_to_refuse_it() -> None:
    assert broken("select a,\nfrom b", "postgres") == (2, 1, "from", "write what is missing, or take it out")
    assert broken("select a,\nfrom b", "bigquery") is None


def test_what_the_parser_itself_fails_on_is_no_traceback() -> None:
    assert broken('select cast(a as varchar("")) as b c d from e') is not None
    assert broken("select " + "(" * 100_000) is None


def test_blank_jinja_keeps_every_place() -> None:
    text = "a {{ ref('x') }}\n{# é\n#}{{ m(\n  1) }} {% if y %}b{% else %}c{% endif %}{{ config({'k': '}}'}) }}d"
    for guess in (Guess(), Guess(alone=False), Guess(holds=False), Guess(number=True)):
        made = blanked(text, guess)
        assert made is not None
        assert len(made.text) == len(text)
        assert [len(line) for line in made.text.split("\n")] == [len(line) for line in text.split("\n")]
        assert made.text[-1] == "d"
        assert ("b" in made.text) is guess.holds
    assert blanked("{% if x %}") is None
    assert blanked("{{ open") is None
    assert blanked("{% endif %}") is None


def test_sql_that_does_not_look_odd_is_not_parsed() -> None:
    script = (
        "import sys\n"
        "from compiler.facts.sql.syntax import broken_sql\n"
        "assert broken_sql(\"select a.b, count(*) as n from {{ ref('x') }} a group by 1\", lambda: None) is None\n"
        "assert 'sqlglot' not in sys.modules and 'jinja2' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_word_beside_a_hole_may_be_anything() -> None:
    assert oddity("J_ select 1", [0]) is None
    assert oddity("J_ select 1") is not None


PROJECT = "name: p\nmodels:\n  p:\n    off: {+enabled: false}\n    odd: {+materialized: semantic_view}\n"


def project(folder: Path, files: dict[str, str]) -> list[Diagnostic]:
    (folder / "dbt_project.yml").write_text(PROJECT)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    environ = {"FLOEC_CACHE_DIR": str(folder / "cache")}
    return [d for d in read_project_files(folder, environ=environ).diagnostics if d.code == "FLC130"]


def places(found: list[Diagnostic], folder: Path) -> list[tuple[str, int, int]]:
    spans = [d.span for d in found if d.span is not None]
    return [(str(Path(s.file).relative_to(folder)), s.line, s.col) for s in spans]


def test_each_enabled_query_of_the_project_is_looked_at_once(tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select 1\nfom b c",
        "models/good.sql": "select 1 as a",
        "models/off/b.sql": "selec 1 frm b",
        "models/odd/c.sql": "TABLES(a AS b) DIMENSIONS(c.d AS e)",
        "models/d.py": "def model(dbt, session):\n    return selec",
        "snapshots/s.sql": "{% snapshot s %}selec a frm b{% endsnapshot %}\n{% snapshot t %}select 1{% endsnapshot %}",
        "tests/t.sql": "select * frm {{ ref('a') }}",
        "macros/m.sql": "{% macro m() %} selec frm ( {% endmacro %}",
        "analyses/q.sql": "selec a frm b",
        "dbt_packages/other/dbt_project.yml": "name: other",
        "dbt_packages/other/models/o.sql": "selec a frm b",
    }
    expected = [("models/a.sql", 2, 1), ("snapshots/s.sql", 1, 17), ("tests/t.sql", 1, 10)]
    for _ in range(2):  # read, and kept
        found = project(tmp_path, files)
        assert places(found, tmp_path) == expected
    assert {d.severity for d in found} == {Severity.WARN}
    assert [d.subject for d in found] == ["model a", "snapshot s", "test t"]


def test_a_finding_goes_when_the_file_is_mended_and_comes_when_it_is_broken(tmp_path: Path) -> None:
    many = {f"models/m{i}.sql": f"select {i} as a" for i in range(5)}
    assert project(tmp_path, many) == []
    assert places(project(tmp_path, {"models/m3.sql": "selec 3 as a frm b"}), tmp_path) == [("models/m3.sql", 1, 1)]
    assert places(project(tmp_path, {"models/m4.sql": "select 5 as a"}), tmp_path) == [("models/m3.sql", 1, 1)]
    assert project(tmp_path, {"models/m3.sql": "select 3 as a"}) == []


def test_the_adapter_of_the_profile_counts_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "profiles.yml").write_text("q: {target: t, outputs: {t: {type: bigquery}}}")
    files = {"models/a.sql": "select a,\nfrom b"}
    assert project(tmp_path, files) == []
    (tmp_path / "dbt_project.yml").write_text("name: p\nprofile: q\n")
    environ = {"FLOEC_CACHE_DIR": str(tmp_path / "cache")}
    assert not read_project_files(tmp_path, environ=environ).diagnostics
    (tmp_path / "profiles.yml").write_text("q: {target: t, outputs: {t: {type: postgres}}}")
    assert [d.code for d in read_project_files(tmp_path, environ=environ).diagnostics] == ["FLC130"]


def manifest(folder: Path, raw: str, compiled: str | None = None, **config: object) -> list[Diagnostic]:
    from compiler.facts.manifest.read import read_manifest

    node = {
        "unique_id": "model.p.a", "name": "a", "resource_type": "model", "package_name": "p", "path": "a.sql",
        "original_file_path": "models/a.sql", "raw_code": raw.strip(), "language": "sql",
        "config": config or {"materialized": "view"},
        "depends_on": {"nodes": [], "macros": []}, "columns": {}, "fqn": ["p", "a"], "alias": "a", "schema": "s",
        "database": "d", "checksum": {"name": "sha256", "checksum": ""},
    }  # fmt: skip
    if compiled is not None:
        node["compiled_code"] = compiled
    version = "https://schemas.getdbt.com/dbt/manifest/v12.json"
    written = {
        "metadata": {"dbt_schema_version": version, "project_name": "p", "adapter_type": "duckdb"},
        "nodes": {"model.p.a": node},
        "sources": {},
        "macros": {},
    }
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "a.sql").write_text(raw)
    (folder / "manifest.json").write_text(json.dumps(written))
    facts = read_manifest(folder, folder / "manifest.json").value
    assert facts is not None
    return broken_in_manifest(facts, folder, folder / "cache")


def test_in_a_manifest_the_place_is_that_of_the_file(tmp_path: Path) -> None:
    found = manifest(tmp_path, "\n\n  select a\n  frm b c\n")
    assert places(found, tmp_path) == [("models/a.sql", 4, 3)]
    assert manifest(tmp_path, "\n\n  select a\n  from b c\n") == []
    assert manifest(tmp_path, "TABLES(a AS b) DIMENSIONS(c.d AS e)", materialized="semantic_view") == []


def test_of_a_manifest_that_is_kept_only_what_was_touched_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    known = sql_check._known

    def counted(sql: str, *given: Any) -> BrokenSql | None:
        read.append(sql)
        return known(sql, *given)

    monkeypatch.setattr(sql_check, "_known", counted)
    broken, whole = "select a frm b c", "select a from b c"
    entry = {"unique_id": "model.p.a", "name": "a", "package": "p", "language": "sql", "materialized": "view"}
    entry |= {"resource_type": "model", "path": "models/a.sql"}
    project = {"name": "p", "dialect": "duckdb", "packages": []}
    other = entry | {"unique_id": "model.p.b", "name": "b", "path": "models/b.sql"}

    def looked(a: str, b: str, origin: Origin) -> list[str]:
        facts = Facts(project, models=[entry, other], sql={"model.p.a": a, "model.p.b": b}, origin=origin)
        read.clear()
        return [d.subject for d in broken_in_manifest(facts, tmp_path, tmp_path / "cache")]

    assert looked(broken, whole, Origin("1", frozenset(["model.p.b"]))) == ["model a"]
    assert read == [broken, whole]
    assert looked(broken, broken, Origin("1", frozenset(["model.p.b"]))) == ["model a", "model b"]
    assert read == [broken]
    assert looked(whole, whole, Origin("1", frozenset(["model.p.a"]))) == []
    assert read == [whole, whole]  # of the second nothing is known: it was touched when the first was looked at
    assert looked(broken, whole, Origin("2")) == ["model a"]
    assert looked(broken, whole, Origin("2")) == ["model a"]
    assert read == []
    assert looked(broken, broken, Origin("")) == ["model a", "model b"]
    assert read == [broken, broken]


def test_what_dbt_compiled_is_shown_in_the_file_it_comes_from(tmp_path: Path) -> None:
    raw = "{{ config() }}\nselect a\nfrom {{ ref('x') }}\n  where b = c d\n"
    compiled = '\n\nselect a\nfrom "d"."s"."x"\nwhere b = c d'
    assert places(manifest(tmp_path, raw, compiled), tmp_path) == [("models/a.sql", 4, 15)]
    hidden = manifest(tmp_path, "select a\nfrom b\n{{ clause() }}\n", "select a\nfrom b\nwhere b = c d e")
    assert places(hidden, tmp_path) == [("models/a.sql", 2, 1)]
    assert "in what dbt compiles it to" in hidden[0].message
    assert manifest(tmp_path, "selec {{ clause() }}", "select 1") == []
