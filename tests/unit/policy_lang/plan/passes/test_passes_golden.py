"""What each pass makes of a plan, held to a file a pass. Run this file to write them again.

A pass's program is ``tests/golden/passes/PASS.rego``, or ``.floe`` for passes that need types: policies run together,
typed by the benchmark's schema. ``PASS.txt`` has the functions that it changes, before and after.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy_lang import compiling
from policy_lang.engine import CompileOptions
from policy_lang.plan.nodes import Plan
from policy_lang.plan.passes import PASSES
from policy_lang.plan.pretty import pretty
from policy_lang.plan.verify import problems
from policy_lang.source import Source

ROOT = Path(__file__).resolve().parents[5]
GOLDEN = ROOT / "tests" / "golden" / "passes"
SCHEMA = json.loads((ROOT / "benchmarks" / "policies" / "checks.schema.json").read_text("utf-8"))


def plan(name: str) -> Plan:
    """The plan of a pass's program before all passes."""
    path = next(p for p in (GOLDEN / f"{name}.rego", GOLDEN / f"{name}.floe") if p.exists())
    parsed = compiling.parsed([Source(path.name, path.read_text("utf-8"))]).value
    assert parsed is not None
    typed = path.suffix == ".floe"
    front = compiling.front(parsed, CompileOptions(input_schema=SCHEMA if typed else None)).value
    assert front is not None
    return compiling.joint_plan(front, *compiling.policy_documents(front.plan), typed=True) if typed else front.plan


def changes(name: str) -> str:
    """The functions that a pass changes, as text, before and after."""
    before = plan(name)
    for one in list(PASSES)[: list(PASSES).index(name)]:
        before = PASSES[one](before)
    after = PASSES[name](before)
    assert problems(after) == []
    found: list[str] = []
    for old, new in zip(pretty(before).split("\n\n"), pretty(after).split("\n\n"), strict=True):
        if old.strip() != new.strip():
            found.append(f"before\n{old.strip()}\n\nafter\n{new.strip()}\n")
    return "\n".join(found)


@pytest.mark.parametrize("name", list(PASSES))
def test_the_pass_makes_of_the_plan_what_the_file_says(name: str) -> None:
    wanted = (GOLDEN / f"{name}.txt").read_text("utf-8")
    assert wanted.count("\nafter\n") >= 1
    assert changes(name) == wanted


if __name__ == "__main__":
    for one in PASSES:
        (GOLDEN / f"{one}.txt").write_text(changes(one), encoding="utf-8")
