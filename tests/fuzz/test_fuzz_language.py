"""Whatever text comes in, parser and compiler give an answer or diagnostics: no traceback, no hang."""

from __future__ import annotations

import time

import pytest
from grammar_programs import broken, modules, noise
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policy_lang.engine import compile_program
from policy_lang.source import Source
from policy_lang.syntax.parser import parse_query, parse_term

QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
few = settings(QUIET, max_examples=60)
many = settings(QUIET, max_examples=10_000, phases=[Phase.generate])
files = st.sampled_from(("p.rego", "p.floe"))


def compiled(text: str, file: str) -> None:
    """Compiles and, where that works, evaluates; every finding has a code, a message and a place."""
    started = time.process_time()
    made = compile_program([Source(file, text)])
    assert (made.value is None) == (not made.ok)
    for one in made.diagnostics:
        assert one.code.endswith("_error")
        assert one.message
        assert one.span is not None
        assert one.span.file == file
    if made.value is not None:
        made.value.eval_path(("p",), input={"x": [1, "a"], "y": {"x": 1}})
    assert time.process_time() - started < 20


@few
@given(modules, files)
def test_programs_of_the_grammar(text: str, file: str) -> None:
    compiled(text, file)


@few
@given(st.one_of(broken(), noise, st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))), files)
def test_broken_programs(text: str, file: str) -> None:
    compiled(text, file)


@few
@given(noise)
def test_queries_and_terms(text: str) -> None:
    for read in (parse_query, parse_term):
        parsed = read(Source("<query>", text))
        assert (parsed.value is None) == bool(parsed.diagnostics)


@pytest.mark.slow
@many
@given(st.one_of(modules, broken()), files)
def test_ten_thousand_programs(text: str, file: str) -> None:
    compiled(text, file)


DEEP = {
    "parentheses": ("(", "1", ")"),
    "arrays": ("[", "1", "]"),
    "sets": ("{", "1", "}"),
    "objects": ('{"a": ', "1", "}"),
    "comprehensions": ("[1 | x := ", "1", "]"),
    "references": ("x[", "1", "]"),
    "calls": ("count(", "1", ")"),
    "additions": ("1 + ", "1", ""),
    "chained references": ("", "x", ".a"),
    "indexes": ("", "x", "[0]"),
    "templates": ('$"{', "1", '}"'),
    "minus": ("- ", "1", ""),
    "members": ("1 in ", "[1]", ""),
}


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("depth", [100, 149, 2_000])
def test_deep_nesting_ends_in_an_answer_or_a_diagnostic(shape: str, depth: int) -> None:
    opening, middle, closing = DEEP[shape]
    compiled(f"package p\np := {opening * depth}{middle}{closing * depth}\n", "p.rego")


@pytest.mark.parametrize("count", [100, 3_000])
def test_long_programs_are_no_deep_ones(count: int) -> None:
    body = "\n".join(f"\tx{i} := {i}" for i in range(count))
    chain = " else ".join(f":= {i} if input.x == {i}" for i in range(min(count, 200)))
    compiled(f"package p\np if {{\n{body}\n}}\nq {chain}\n", "p.rego")
    compiled("package p\n" + "".join(f"r{i} := {i}\n" for i in range(count)), "p.rego")
