"""Every module, query and term of OPA's own cases parses."""

from __future__ import annotations

import pytest
from cases import FOLDER, cases

from policy_lang.diagnostics import Outcome
from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module, parse_query, parse_term


@pytest.mark.conformance
@pytest.mark.skipif(
    not FOLDER.is_dir(), reason="OPA's cases are in neither FLOEC_CONFORMANCE nor ../shared/conformance"
)
def test_every_source_parses() -> None:
    failed = set()
    count = 0
    for key, case in cases():
        parsed: list[Outcome[object]] = [parse_query(Source("<query>", case["query"]))]
        parsed += [parse_module(Source(f"test-{i}.rego", m)) for i, m in enumerate(case.get("modules") or ())]
        if "input_term" in case:
            parsed.append(parse_term(Source("<input>", case["input_term"])))
        count += len(parsed)
        if any(p.value is None for p in parsed):
            failed.add(key.partition(" ")[2])
    assert failed == set()
    assert count > 4_000
