from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compiler.facts.positions import ProjectPositions
from compiler.facts.project.read import read_project_files
from compiler.facts.sql.positions import quoted
from compiler.ir.facts_model import Facts
from policy_lang.source import Span

PROJECT = Path(__file__).parent / "projects" / "rich"


@pytest.fixture(scope="module")
def facts() -> Facts:
    found = read_project_files(PROJECT, environ={"FLOEC_CACHE_DIR": ""}).value
    assert found is not None
    return found


def entry(facts: Facts, section: str, name: str, version: str | None = None) -> dict[str, Any]:
    named = [e for e in getattr(facts, section) if e["name"] == name and e.get("version") in (version, None)]
    return named[0]


@pytest.mark.parametrize(
    ("section", "name", "rest", "expected"),
    [
        ("models", "mart", ("refs", 0), "models/marts/mart.sql:5:14 ref('rich', 'codes')"),
        ("models", "mart", ("refs", 2), "models/marts/mart.sql:3:52 ref('cust', v=2)"),
        ("models", "stg_orders", ("source_refs", 0), "models/staging/stg_orders.sql:1:38 source('shop', 'orders')"),
        ("models", "stg_orders", ("depends_on", 0), "models/staging/stg_orders.sql:1:38 source('shop', 'orders')"),
        ("models", "py", ("refs", 0), "models/marts/py.py:3:16 ref(\"mart\")"),
        ("models", "mart", ("hard_coded_relations", 0), "models/marts/mart.sql:6:6 main.other.table_x"),
        ("models", "mart", ("hard_coded_relations",), "models/marts/mart.sql:6:6 main.other.table_x"),
        ("models", "mart", ("select_star",), "models/marts/mart.sql:3:8 a.*"),
        ("models", "mart", ("raw_code", "b.new from"), "models/marts/mart.sql:3:13 b.new from"),
        ("models", "mart", ("raw_code", "on true\njoin"), "models/marts/mart.sql:5:40 …"),
        ("models", "mart", ("raw_code", "ref('nope')"), "models/marts/mart.sql:2:12 ref('nope')"),
        ("macros", "test_is_even", ("raw_code", "select 1"), "macros/even.sql:5:1 select 1"),
        ("macros", "helper", ("raw_code", "said nowhere"), "macros/even.sql:1:1 {% macro helper"),
        ("models", "mart", ("materialized",), "models/marts/mart.sql:1:11 materialized"),
        ("models", "mart", ("name",), "models/marts/marts.yml:2:11 mart"),
        ("models", "mart", (), "models/marts/marts.yml:2:11 mart"),
        ("models", "mart", ("access",), "models/marts/marts.yml:3:13 public"),
        ("models", "mart", ("columns", 0, "name"), "models/marts/marts.yml:7:22 id"),
        ("models", "mart", ("columns", 0, "description"), "models/marts/marts.yml:7:22 id"),
        ("models", "stg_orders", ("meta", "owner"), "models/staging/_stg.yml:30:21 owner"),
        ("models", "stg_orders", ("owner",), "models/staging/_stg.yml:30:14 meta"),
        ("models", "stg_orders", ("columns", 0, "type"), "models/staging/_stg.yml:34:20 bigint"),
        ("models", "stg_orders", ("contract_enforced",), "models/staging/_stg.yml:30:58 contract"),
        ("sources", "orders", ("columns", 1, "classification"), "models/staging/_stg.yml:20:27 meta"),
        ("sources", "orders", ("identifier",), "models/staging/_stg.yml:15:21 orders_v2"),
        ("sources", "orders", ("loader",), "models/staging/_stg.yml:8:13 fivetran"),
        ("exposures", "dash", ("owner",), "models/staging/_stg.yml:55:35 owner"),
        ("groups", "finance", (), "models/staging/_stg.yml:3:12 finance"),
        ("seeds", "codes", ("columns", 0, "name"), "seeds/seeds.yml:4:22 code"),
        ("seeds", "codes", ("columns", 1, "name"), "seeds/seeds.yml:2:11 codes"),
        ("snapshots", "old_snap", ("snapshot_strategy",), "snapshots/old.sql:2:51 strategy"),
        ("macros", "helper", (), "macros/even.sql:1:1 {% macro helper"),
        ("macros", "test_is_even", (), "macros/even.sql:4:1 {% test is_even"),
    ],
)  # fmt: skip
def test_things_are_found_where_they_are_written(
    facts: Facts, section: str, name: str, rest: tuple[Any, ...], expected: str
) -> None:
    span = ProjectPositions(PROJECT, "rich").locate(section, entry(facts, section, name), rest)
    assert span is not None
    path = Path(span.file)
    line = path.read_text().splitlines()[span.line - 1]
    text = line[span.col - 1 : span.end_col - 1] if span.line == span.end_line else "…"
    assert f"{path.relative_to(PROJECT)}:{span.line}:{span.col} {text}" == expected


def test_each_test_is_found_where_yaml_states_it(facts: Facts) -> None:
    positions = ProjectPositions(PROJECT, "rich")
    found = {t["unique_id"].split(".")[2]: positions.locate("tests", t, ()) for t in facts.tests}
    at = {name: f"{Path(s.file).name}:{s.line}" for name, s in found.items() if s}
    assert at["singular"] == "singular.sql:1"
    assert at["my_values"] == "_stg.yml:39"
    assert at["unique_cust_v2_new"] == "_stg.yml:49"
    assert at["source_unique_shop_orders_id"] == "_stg.yml:19"
    assert at["is_even_mart_id"] == "marts.yml:9"
    model = entry(facts, "models", "stg_orders")
    index = [t["name"] for t in model["tests"]].index("relationships")
    span = positions.locate("models", model, ("tests", index))
    assert span is not None
    assert (Path(span.file).name, span.line) == ("_stg.yml", 38)


def test_what_is_said_of_the_project_stands_in_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("name: p\nflags: {}\n")
    positions = ProjectPositions(tmp_path, "p")

    def place(*rest: str) -> str:
        span = positions.locate("project", {"name": "p"}, rest)
        assert span is not None
        return f"{Path(span.file).name}:{span.line}"

    assert [place("flags"), place("vars"), place(), place("packages")] == [
        "dbt_project.yml:2", "dbt_project.yml:1", "dbt_project.yml:1", "dbt_project.yml:1",
    ]  # fmt: skip
    (tmp_path / "dependencies.yml").write_text("packages: []\n")
    assert place("packages") == "dependencies.yml:1"


def test_a_description_in_the_configuration_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.sql").write_text("select 1\n{{ config(description='x', alias='y') }}\n")
    model = {"unique_id": "model.p.m", "package": "p", "name": "m", "path": "m.sql", "patch_path": ""}
    found = [ProjectPositions(tmp_path, "p").locate("models", model, (key,)) for key in ("description", "alias")]
    assert [span.line for span in found if span is not None] == [1, 2]


def test_files_that_are_gone_give_the_file_as_a_whole(tmp_path: Path) -> None:
    model = {
        "unique_id": "model.p.m",
        "package": "p",
        "name": "m",
        "path": "m.sql",
        "patch_path": "m.yml",
        "refs": [{}],
    }
    positions = ProjectPositions(tmp_path, "p")
    for rest in ((), ("refs", 0), ("description",), ("select_star",)):
        span = positions.locate("models", model, rest)
        assert span is not None
        assert (span.file, span.line) == (str(tmp_path / "m.sql"), 1)


def test_a_table_without_a_description_is_not_found_at_the_description_of_its_source(tmp_path: Path) -> None:
    tables = "    tables:\n      - name: told\n        description: Rows.\n      - name: bare\n"
    (tmp_path / "s.yml").write_text(f"sources:\n  - name: raw\n    description: All.\n{tables}")
    positions = ProjectPositions(tmp_path, "p")
    found = {
        (name, field): positions.locate("sources", {"source_name": "raw", "name": name, "path": "s.yml"}, (field,))
        for name in ("told", "bare")
        for field in ("description", "source_description")
    }
    lines = {asked: span.line for asked, span in found.items() if span is not None}
    assert lines == {
        ("told", "description"): 6,
        ("told", "source_description"): 3,
        ("bare", "description"): 7,
        ("bare", "source_description"): 3,
    }


def _calls(action: Callable[[], object]) -> int:
    """How many functions, of Python and of C, an action calls."""
    count = 0

    def seen(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def test_placing_a_finding_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def placing(number: int) -> int:
        tables = "".join(f"      - {{name: t{i}, columns: [{{name: id}}]}}\n" for i in range(number))
        file = tmp_path / f"s{number}.yml"
        file.write_text(f"sources:\n  - name: raw\n    tables:\n{tables}")
        entry = {"package": "p", "path": file.name, "source_name": "raw", "name": f"t{number - 1}"}
        entry["columns"] = [{"name": "id"}]
        positions = ProjectPositions(tmp_path, "p")
        first = positions.locate("sources", entry, ("columns", 0, "name"))
        assert first is not None
        assert first.line == 3 + number
        return _calls(lambda: positions.locate("sources", entry, ("columns", 0, "type")))

    assert placing(200) == placing(20)


@pytest.mark.parametrize("root", [".", "shop", "/data/shop", "../shop"])
@pytest.mark.parametrize("path", ["models/a.sql", "./models/a.sql", "models/./a.sql", "models//a.sql", "/x/a.sql", ""])
def test_files_are_named_as_the_folder_was_given(root: str, path: str) -> None:
    positions = ProjectPositions(Path(root), "shop")
    assert positions.file({"package": "shop"}, path) == str(Path(root) / path)


def test_files_of_an_installed_package_are_below_it(tmp_path: Path) -> None:
    file = tmp_path / "dbt_packages" / "utils" / "models" / "a.sql"
    file.parent.mkdir(parents=True)
    file.write_text("select 1", encoding="utf-8")
    positions = ProjectPositions(tmp_path, "shop")
    assert positions.file({"package": "utils"}, "models/a.sql") == str(file)
    assert positions.file({"package": "shop"}, "models/a.sql") == str(tmp_path / "models" / "a.sql")


def test_words_stand_in_a_comment_only_where_the_code_has_none() -> None:
    assert quoted("m.sql", "select 1 -- AKIA\n, 'AKIA'", "AKIA") == Span("m.sql", 2, 4, 2, 8)
    assert quoted("m.sql", "select 1 -- AKIA\n", "AKIA") == Span("m.sql", 1, 13, 1, 17)
    assert quoted("m.sql", "select 1", "AKIA") is None
