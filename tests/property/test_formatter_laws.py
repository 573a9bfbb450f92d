"""Formatting changes no meaning, loses no comment, and has nothing to do the second time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from policy_lang.source import Source
from policy_lang.syntax.formatter import format_source
from policy_lang.syntax.meaning import same_meaning
from policy_lang.syntax.parser import parse_module
from policy_lang.syntax.tokens import tokenize

SAMPLES = [
    (path.name, path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "golden" / "formatter").glob("*.in.*"))
]
GAPS = st.sampled_from([" ", "\n", "\n\n", " # c\n", "\n# own line\n", "\n\t\t"])
OPENERS = frozenset("([{,|:") | {":=", "==", "in", "as"}


@st.composite
def relaid(draw: st.DrawFn) -> Source:
    """A sample with other white space and comments where an expression goes on."""
    name, text = draw(st.sampled_from(SAMPLES))
    tokens = [t for t in tokenize(Source(name, text)).tokens if t.type != "NL"]
    lines = [0]
    for line in text.split("\n"):
        lines.append(lines[-1] + len(line) + 1)
    ends = [lines[t.span.end_line - 1] + t.span.end_col - 1 for t in tokens if t.text in OPENERS and t.type != "STRING"]
    places = draw(st.lists(st.sampled_from(ends), max_size=6, unique=True))
    for place in sorted(places, reverse=True):
        text = text[:place] + draw(GAPS) + text[place:]
    return Source(name, text)


@settings(max_examples=50, deadline=None)
@given(source=relaid())
def test_formatting_keeps_the_meaning_and_is_idempotent(source: Source) -> None:
    module = parse_module(source).value
    if module is None:
        assert format_source(source).value is None
        return
    outcome = format_source(source)
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    again = parse_module(Source(source.file, outcome.value)).value
    assert again is not None
    assert same_meaning(module, again)
    assert Counter(c.text.rstrip() for c in module.comments) == Counter(c.text.rstrip() for c in again.comments)
    assert format_source(Source(source.file, outcome.value)).value == outcome.value
