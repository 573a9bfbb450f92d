"""The lowest layer: spans, severities, outcomes and “did you mean”."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome, Severity, blocking
from policy_lang.source import Source, Span, whole_file
from policy_lang.spell import did_you_mean, nearest


def test_spans_join_and_shrink() -> None:
    first, last = Span("f", 1, 2, 1, 4), Span("f", 3, 1, 3, 9)
    assert first.to(last) == Span("f", 1, 2, 3, 9)
    assert last.start() == Span("f", 3, 1, 3, 1)
    assert whole_file("f") == Span("f", 1, 1, 1, 1)


def test_source_lines_count_from_one() -> None:
    source = Source("f", "a\nb")
    assert [source.line(n) for n in (0, 1, 2, 3)] == ["", "a", "b", ""]


def test_severities_have_the_order_of_strictness() -> None:
    assert sorted(Severity, key=lambda s: s.rank) == [Severity.NOTIFY, Severity.WARN, Severity.BLOCK]


def test_an_outcome_is_ok_only_with_a_value_and_nothing_blocking() -> None:
    block, warn = Diagnostic("X", "m"), Diagnostic("X", "m", severity=Severity.WARN)
    assert Outcome(1, (warn,)).ok
    assert not Outcome(1, (block,)).ok
    assert not Outcome(None).ok
    assert not blocking([Diagnostic("X", "m", suppressed="reason")])
    assert DiagnosticError(block, warn).diagnostics == (block, warn)


def test_did_you_mean() -> None:
    known = ["owner", "description", "minimum_test_coverage"]
    assert nearest("onwer", known) == "owner"
    assert nearest("minimumTestCoverage", known) == "minimum_test_coverage"
    assert nearest("zebra", known) is None
    assert did_you_mean("descripton", known) == "did you mean `description`?"
    assert did_you_mean("zebra", known) == ""


@given(st.text(min_size=1), st.lists(st.text(), max_size=5))
def test_a_known_word_is_nearest_to_itself(word: str, others: list[str]) -> None:
    found = nearest(word, [word, *others])
    assert found is not None
    assert found.lower().replace("-", "").replace("_", "") == word.lower().replace("-", "").replace("_", "")
