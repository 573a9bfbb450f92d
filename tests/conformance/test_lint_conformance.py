"""Lint rules answer on every source that parses, whatever it says."""

from __future__ import annotations

import pytest
from cases import FOLDER, cases

from policy_lang.lint.run import lint
from policy_lang.source import Source

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no conformance cases"),
]


def test_no_rule_fails_on_any_source() -> None:
    texts = [text for _, case in cases() for text in case.get("modules") or ()]
    sources = [Source(f"{number}.rego", text) for number, text in enumerate(texts)]
    assert len(sources) > 2000
    found = lint(sources)
    assert {d.code[:3] for d in found} <= {"LNT", "reg"}
    assert all(d.span is not None and d.span.line > 0 for d in found)
