"""OPA's own cases: a ratchet. ``expected_failures.txt`` names what is known to fail, and nothing else may."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.values import UNDEFINED, RegoObject, RegoSet, from_python, to_json
from policy_lang.source import Source

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(os.environ.get("FLOEC_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "rego" / "v1"
KNOWN = Path(__file__).with_name("expected_failures.txt")


def canonical(value: Any, sort: bool = False) -> Any:
    """JSON's view of a value, comparable with ``==`` of its text."""
    if isinstance(value, RegoSet):
        return sorted((canonical(v) for v in value.values()), key=repr)
    if isinstance(value, list):
        made = [canonical(v) for v in value]
        return sorted(made, key=repr) if sort else made
    if isinstance(value, RegoObject):
        return canonical(json.loads(to_json(value), parse_float=Decimal))
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in sorted(value.items())}
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return ("s", repr(value))
    return ("n", str(Decimal(str(value)).normalize()))


def order(value: Any) -> Any:
    """Arrays of a set come sorted in another order than ours: sort both sides at every level."""
    if isinstance(value, list):
        return sorted((order(v) for v in value), key=repr)
    return {k: order(v) for k, v in value.items()} if isinstance(value, dict) else value


def passes(case: dict[str, Any]) -> bool:
    sources = [Source(f"test-{i}.rego", text) for i, text in enumerate(case.get("modules") or [])]
    program = compile_program(sources)
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
        return bool(codes) and ("want_error_code" not in case or case["want_error_code"] in codes)
    if answer is None:
        return False
    wanted = case.get("want_result")
    if wanted is None:
        return True
    sort = bool(case.get("sort_bindings"))
    ours = {repr({k: canonical(v, sort) for k, v in sorted(b.items())}) for b in answer}
    theirs = {repr({k: canonical(from_python(v), sort) for k, v in sorted(b.items())}) for b in wanted}
    if ours == theirs:
        return True
    loose = [{repr(order({k: canonical(v) for k, v in b.items()})) for b in side} for side in (answer, wanted)]
    return any("{" in m for m in case.get("modules") or []) and loose[0] == loose[1]


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
    print(f"{len(found) - len(failing)} of {len(found)} pass")
    assert sorted(failing - known) == []
    assert sorted(known - failing) == [], "these pass now: take them off the list"
