"""Files that are read without Jinja say what they say when Jinja reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.facts.project.jinja_values import Values
from compiler.facts.project.plain_jinja import read_plain
from compiler.facts.project.sql_files import read_sql


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "select * from {{ ref('a') }} join {{ ref(\"p\", 'b') }} join {{source('s','t')}} join {{ ref('a') }}",
        "{{ config(materialized='table', enabled=true, x=12, y=0) }}\nselect * from {{- ref( 'a' ) -}} }} {",
        "{{ config(tags='a',) }}",
    ],
)
def test_what_is_plain(text: str) -> None:
    found = read_plain(text)
    assert found is not None
    assert found == read_sql(text, Values({}))


@pytest.mark.parametrize(
    "text",
    [
        "{% if x %}{% endif %}", "{# a #}", "{{ ref(x) }}", "{{ ref('a', v=1) }}", "{{ my(1) }}", "{{ ref('a\\n') }}",
        "{{ source('a') }}", "{{ config(tags=['a']) }}", "{{ config(a=1, a=2) }}", "{{ config(a=1) }}{{ config(b=1) }}",
        "{{ ref('a') | upper }}", "{{ '{{ ref(1) }}' }}", "{{ ref('a')", "{{ config(not=1) }}", "{{ config(a=01) }}",
    ],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    assert read_plain(text) is None


WORDS = st.sampled_from(
    ["{{", "}}", "{", "}", "{{-", "-}}", " ", "ref", "source", "config", "(", ")", "'a'", '"b"', "'it\"s'", ",", "=",
     "x", "enabled", "true", "True", "none", "1", "007", "-1", "1_0", "\n", "select", "{%", "%}", "{#", "'\\''", "~",
     "|", "."]
)  # fmt: skip
CALLS = st.sampled_from(
    ["{{ ref('a') }}", "{{ ref('p', 'a') }}", "{{ source('s', 't') }}", "{{config(x='y',z=1)}}", "{{ config(x=true) }}"]
)


@settings(max_examples=1500)
@given(st.lists(st.one_of(WORDS, CALLS), max_size=14))
def test_anything_that_is_taken_for_plain(parts: list[str]) -> None:
    text = "".join(parts)
    found = read_plain(text)
    assert found is None or found == read_sql(text, Values({}))
