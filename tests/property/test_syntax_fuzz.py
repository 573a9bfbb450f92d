"""No text makes the parser raise: it answers with a module or with diagnostics that have a place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module

PIECES = st.sampled_from(
    [
        *("p", " ", "\n", "{", "}", "[", "]", "(", ")", "|", ":=", "if", "not ", ".", ",", '"', "`", '$"', "1", "-"),
        *("policy x ", "for ", "at ", "id ", "param q:", "test x ", "\\", "\x00", "é", "some ", "every ", "in "),
    ]
)


@pytest.mark.parametrize("file", ["a.rego", "a.floe"])
@settings(max_examples=150, deadline=None)
@given(text=st.lists(PIECES, max_size=25).map("".join) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_any_text_gives_an_answer(file: str, text: str) -> None:
    outcome = parse_module(Source(file, "package a\n" + text))
    assert (outcome.value is None) == bool(outcome.diagnostics)
    assert all(d.span is not None for d in outcome.diagnostics)


@pytest.mark.parametrize("text", ["[" * 5000, "1+" * 5000 + "1", "-" * 5000 + "1", '$"{' * 5000])
def test_deep_nesting_is_a_diagnostic_or_a_tree(text: str) -> None:
    outcome = parse_module(Source("a.rego", f"package a\np := {text}"))
    assert outcome.value is not None or outcome.diagnostics[0].code == "rego_parse_error"
