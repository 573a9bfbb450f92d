"""All policies together take time that grows as the project does; counted in calls, which no load changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from compiler.ir.schema import complete, ir_schema
from policy_lang.engine import CompileOptions
from policy_lang.policies import PolicySet, load_policies
from policy_lang.source import Source

ROOT = Path(__file__).resolve().parents[3] / "stdlib_policies"


def _project(number: int) -> Any:
    """Sources, models on them and models on those, in groups as they are in projects, with tests."""
    column = {"name": "customer_id", "description": "whose", "type": "int", "tests": ["not_null"]}
    sources = [
        {"unique_id": f"source.p.raw.s{i}", "name": f"s{i}", "source_name": "raw", "used_by": [f"model.p.stg_{i}"]}
        for i in range(number)
    ]
    models: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    for i in range(number):
        below = (("stg", f"source.p.raw.s{i}"), ("fct", f"model.p.stg_{i}"))
        for kind, parent in below:
            id_ = f"model.p.{kind}_{i}"
            users = [f"model.p.fct_{i}"] if kind == "stg" else []
            columns = [{**column, "name": name} for name in (f"{kind}_{i}_id", "customer_id", "amount", "created_at")]
            models.append({"unique_id": id_, "name": f"{kind}_{i}", "path": f"models/{kind}/{kind}_{i}.sql"})
            models[-1] |= {"depends_on": [parent], "used_by": users, "columns": columns, "materialized": "view"}
            models[-1] |= {"primary_key": [f"{kind}_{i}_id"], "raw_code": "select 1", "schema": kind}
            tests.append({"unique_id": f"test.p.t_{kind}_{i}", "name": f"t_{kind}_{i}", "kind": "generic"})
            tests[-1] |= {"test": "not_null", "column": "customer_id", "attached_to": id_, "severity": "error"}
    made = complete({"models": models, "sources": sources, "tests": tests, "project": {"name": "p"}})
    assert not made.diagnostics
    return made.value


def _calls(policies: PolicySet, ir: Any) -> int:
    count = 0

    def seen(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        found = policies.run(ir)
    finally:
        sys.setprofile(None)
    assert found.value is not None, found.diagnostics
    return count


def test_policies_take_twice_as_long_for_twice_the_models() -> None:
    files = [path for path in sorted(ROOT.rglob("*.floe")) if not path.stem.endswith("_test")]
    options = CompileOptions(ir_schema(), completed=True)
    policies = load_policies([Source(str(path), path.read_text(encoding="utf-8")) for path in files], options).value
    assert policies is not None
    policies.run(_project(1))  # what is compiled and imported once
    small, large = (_calls(policies, _project(number)) for number in (60, 240))
    assert small > 60 * 100
    assert large < 4 * 1.1 * small
