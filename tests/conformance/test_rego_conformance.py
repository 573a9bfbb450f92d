"""OPA's own cases: a ratchet. ``expected_failures.txt`` names what is known to fail, and nothing else may."""

from __future__ import annotations

import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_lang.diagnostics import Diagnostic
from policy_lang.engine import CompileOptions, compile_program
from policy_lang.runtime.values import UNDEFINED, freeze, from_json, from_python, sorted_values, to_json
from policy_lang.source import Source

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("FLOEC_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "rego" / "v1"
CAPABILITIES = json.loads((CASES.parent / "capabilities.json").read_text("utf-8")) if CASES.is_dir() else None
KNOWN = Path(__file__).with_name("expected_failures.txt")


def as_json(bindings: dict[str, Any], *, sort: bool) -> Any:
    """One answer as OPA's runner sees it: sets are arrays in Rego's order, keys are text; ``sort`` orders
    the bound arrays themselves, for cases that collect in no particular order."""
    seen = {name: from_json(to_json(value)) for name, value in bindings.items()}
    if sort:
        seen = {name: sorted_values(v) if isinstance(v, list) else v for name, v in seen.items()}
    return freeze(seen)


def _told(found: Diagnostic) -> str:
    """A finding as OPA writes it: place, code, message."""
    place = f"{found.span.file}:{found.span.line}: " if found.span is not None else ""
    return f"{place}{found.code}: {found.message}"


def passes(case: dict[str, Any]) -> bool:
    sources = [Source(f"test-{i}.rego", text) for i, text in enumerate(case.get("modules") or [])]
    program = compile_program(sources, CompileOptions(capabilities=CAPABILITIES))
    diagnostics = program.diagnostics
    answer = None
    if program.value is not None:
        given = case.get("input", UNDEFINED)
        if "input_term" in case:
            term = program.value.eval_query("x = " + case["input_term"])
            given = term.value[0]["x"] if term.value else UNDEFINED
        elif given is not UNDEFINED:
            given = from_python(given)
        data = from_python(case.get("data") or {})
        strict = bool(case.get("strict_error"))
        found = program.value.eval_query(case["query"], input=given, data=data, strict_builtin_errors=strict)
        diagnostics, answer = found.diagnostics, found.value
    if "want_error_code" in case or "want_error" in case:
        codes = {d.code for d in diagnostics}
        said = any(case.get("want_error", "") in _told(d) for d in diagnostics)
        return case["want_error_code"] in codes if "want_error_code" in case else said
    if answer is None:
        return False
    wanted = case.get("want_result")
    if wanted is None:
        return True
    sort = bool(case.get("sort_bindings"))
    hidden = "__local" if case.get("ignore_generated_vars") else None
    shown = [{k: v for k, v in b.items() if hidden is None or not k.startswith(hidden)} for b in answer]
    return {as_json(b, sort=sort) for b in shown} == {as_json(from_python(b), sort=sort) for b in wanted}


def outcomes() -> dict[str, bool]:
    found: dict[str, bool] = {}
    for file in sorted(CASES.glob("*.json")):
        for position, case in enumerate(json.loads(file.read_text("utf-8"), parse_float=Decimal)):
            name = f"{file.stem}:{position} {case['note']}"
            try:
                found[name] = passes(case)
            except Exception:  # noqa: BLE001 - a crash in one case is that case's failure
                found[name] = False
    return found


@pytest.mark.conformance
@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason="OPA's cases are not at FLOEC_CONFORMANCE or ../shared/conformance")
def test_only_the_known_cases_fail() -> None:
    known = set(KNOWN.read_text("utf-8").splitlines())
    found = outcomes()
    failing = {name for name, passed in found.items() if not passed}
    by_category = Counter(name.partition(":")[0] for name in failing)
    print(f"{len(found) - len(failing)} of {len(found)} pass; failing: {dict(sorted(by_category.items()))}")
    assert sorted(failing - known) == []
    assert sorted(known - failing) == [], "these pass now: take them off the list"


if __name__ == "__main__":  # rewrites the list after the engine got better: run it, then read the diff
    failed = sorted(name for name, passed in outcomes().items() if not passed)
    KNOWN.write_text("".join(f"{name}\n" for name in failed), "utf-8")
    print(f"{len(failed)} known failures")
