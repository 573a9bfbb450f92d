"""What is read as plain SQL: sqlglot reads it too, in each dialect, and the columns come to the same."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.dialects.dialect import Dialect

from compiler.facts.lineage.model import COPY, Breakers, Edge, Named, Relation
from compiler.facts.lineage.plain import read_columns
from compiler.facts.lineage.sql import read_sql
from compiler.facts.sql import plain as plain_sql
from compiler.facts.sql.plain import DIALECTS, FUNCTIONS, NEEDS_WINDOW, RESERVED, TYPES, WINDOWED, parse_plain
from tests.property.plain_queries import Writer

_COLUMNS = ("a", "b", "c", "id", "email", "Amount", "name", "date", "user_id", "key", "year", "Q")
_Asked = set[tuple[str, str, str]]
each_dialect = pytest.mark.parametrize("dialect", sorted(DIALECTS))


class _Warehouse:
    """Knows a part of all relations, some of them with columns that nobody names."""

    def __init__(self) -> None:
        self.asked: _Asked = set()

    def __call__(self, catalog: str, schema: str, name: str) -> Named | None:
        self.asked.add((catalog, schema, name))
        known = int(hashlib.sha256(f"{catalog}.{schema}.{name}".encode()).hexdigest(), 16)
        if known % 7 == 0:
            return None
        columns = {c: [Edge(name, c, COPY)] for i, c in enumerate(_COLUMNS) if known >> i & 1}
        return Named(Relation(columns, [name] if known % 3 else []), (name.lower(), f"also_{name.lower()}"))


def _plain(sql: str, dialect: str) -> tuple[Relation, _Asked] | None:
    query = parse_plain(sql, dialect)
    warehouse = _Warehouse()
    return None if query is None else (read_columns(query, warehouse), warehouse.asked)


def _by_sqlglot(sql: str, dialect: str) -> tuple[Relation | str, _Asked]:
    warehouse = _Warehouse()
    return read_sql(sql, dialect, warehouse, Breakers()), warehouse.asked


def _alike(sql: str, dialect: str) -> bool:
    """Whether it was plain SQL. Raises AssertionError where the two readers differ."""
    found = _plain(sql, dialect)
    if found is None:
        return False
    relation, asked = found
    wanted, also_asked = _by_sqlglot(sql, dialect)
    assert relation == wanted, sql
    assert isinstance(wanted, Relation)
    assert list(relation.columns) == list(wanted.columns), sql
    assert asked == also_asked, sql
    return True


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0), st.sampled_from(sorted(DIALECTS)))
def test_queries_come_to_the_same(seed: int, dialect: str) -> None:
    _alike(Writer(seed).query(), dialect)


@settings(max_examples=250, deadline=None)
@given(st.integers(min_value=0), st.sampled_from(sorted(DIALECTS)))
def test_what_a_slip_makes_of_a_query_comes_to_the_same_or_is_left(seed: int, dialect: str) -> None:
    writer = Writer(seed)
    _alike(writer.slip(writer.query()), dialect)


@each_dialect
def test_most_queries_are_read(dialect: str) -> None:
    texts = [Writer(seed).query() for seed in range(60)]
    assert sum(parse_plain(text, dialect) is not None for text in texts) > (10 if dialect in _OTHERWISE else 40)


_OTHERWISE = plain_sql.QUOTED_ARE_TEXTS


@each_dialect
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_do_to_their_values_what_sqlglot_says(name: str, dialect: str) -> None:
    _, least, most = FUNCTIONS[name]
    window = " over (partition by a order by b)" if name in NEEDS_WINDOW else ""
    for number in range(least, min(most, least + 2) + 1):
        given = ", ".join(("email", "t.name", "c || id", "key")[:number])
        given = "'month', t.date" if name == "date_trunc" else given
        texts = [f"select {name}({given}){window} as x, {name.upper()}({given}){window} y from t"]
        texts += [f"select {name}({given}) over (order by c) as x from t"] if name in WINDOWED else []
        assert all(_alike(text, dialect) for text in texts) or (name, dialect) == ("date_trunc", "bigquery")


@each_dialect
def test_types_are_read_in_every_dialect(dialect: str) -> None:
    for name in TYPES:
        assert _alike(f"select cast(email as {name}) as a, id::{name} as b, try_cast(c as {name}) d from t", dialect)


_PLACES = (
    "select {0}, a.b as {0}, b {0} from t a",
    "select a from t as {0} where {0} = 1 and c > {0} order by {0} desc",
    "select {0}.c as d from x.{0} left join u as {0} on {0}.a = u.{0} group by {0}",
    "select case when {0} is null then {0} else {0} end as c, sum({0}) as d, {0} + 1 as e from t {0}",
    "select case {0} when {0} then {0} end {0} from t",
    "with {0} as (select {0} from x) select {0}.{0} as y, -{0} as z from {0} union all select {0}, c from {0}",
    "select cast({0} as int) as d, ({0}) as f from t where not {0} and a in ({0}, b) or c between {0} and {0}",
)


@each_dialect
def test_words_that_no_dialect_reserves_are_names_in_all_places(dialect: str) -> None:
    tokenizer, parser = Dialect.get_or_raise(dialect).tokenizer_class, Dialect.get_or_raise(dialect).parser_class
    words = {word.lower() for word in tokenizer.KEYWORDS}
    words |= {str(word).lower() for word in parser.NO_PAREN_FUNCTION_PARSERS}
    words |= {kind.name.lower() for kind in parser.NO_PAREN_FUNCTIONS}
    names = {word for word in words if word.isidentifier() and word.isascii()} - RESERVED
    assert len(names) > 60
    for word in names:
        for place in _PLACES:
            assert _alike(place.format(word), dialect), (place, word)


@pytest.mark.parametrize(
    "sql",
    [
        "", "select", "select case when a then b", "select case when a then b else", "select (a", "with t as (select a",
        "select a from t join u on case when a then b",
        "select a.b.c.d from t", 'select "a from t', "select a[1] from t", "select $1 from t",
        "select a -> b from t", "select f(a) from t", "select lower(a, b) as c from t", "select lower(a) from t",
        "select a from t, u", "select a from t join u", "select a from (select a from t)", "select a from f(x)",
        "select * except (a) from t", "select a from t qualify b", "select a from t /*+ hint */", "select a:b from t",
        "select /* /* */ */ a from t", "select a b c from t", "select a, from t", "select a from t where",
        "select a from t; select b from t", "insert into t select a from u", "select a and b as c from t", "(select a)",
        "select row_number() as n from t", r"select 'it\'s' as a from t", "select x'ab' as a from t", "select 0x1 as a",
        "select rank() over (order by a rows unbounded preceding) as b from t", "select 1e5 as a", "select 1_0 as a",
        "select " + "(" * 60 + "a" + ")" * 60 + " as b from t", "select a from t where b = 'c' 'd'", "select é from t",
    ],
)  # fmt: skip
def test_what_is_left_to_the_parser(sql: str) -> None:
    assert all(parse_plain(sql, dialect) is None for dialect in DIALECTS)


def test_a_dialect_that_was_not_tried_is_left_to_the_parser() -> None:
    assert parse_plain("select a from t", "mysql") is None
    assert parse_plain("select a from t", "duckdb") is not None


def test_comments_are_no_part_of_a_query() -> None:
    text = "-- it's\nselect a, /* b, */ c -- d\nfrom t /**/ where a > 1 -- e"
    assert _alike(text, "duckdb")
    assert parse_plain(text, "duckdb") == parse_plain("select a, c from t where a > 1", "duckdb")
