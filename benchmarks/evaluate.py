"""One engine's evaluation in a process of its own, so its memory can be told from the others'.

usage: python -m benchmarks.evaluate ENGINE POLICY INPUT QUERY REPETITIONS

ENGINE is ``floec`` (a Rego package), ``floec-policies`` (a ``.floe`` file; QUERY is not used) or ``regorus`` (its
Python wheel). Prints what ``opa_bench`` prints: ``{"cpu_ms": [one number a repetition], "found": N, "prepare_ms": x}``.
This module must run where only regorus is installed: floec is imported on use.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

Evaluation = Callable[[], int]
"""One evaluation; answers how many violations there are."""


def main(argv: list[str]) -> int:
    """Prepare, evaluate, print."""
    engine, policy, document, query, repetitions = argv
    prepare = {"floec": _floec, "floec-policies": _policies, "regorus": _regorus}[engine]
    before = time.process_time()
    evaluate = prepare(Path(policy), Path(document), query)
    prepared = time.process_time() - before
    spent, found = [], 0
    for _ in range(int(repetitions)):
        before = time.process_time()
        found = evaluate()
        spent.append((time.process_time() - before) * 1e3)
    print(json.dumps({"cpu_ms": spent, "found": found, "prepare_ms": prepared * 1e3}))
    return 0


def _floec(policy: Path, document: Path, query: str) -> Evaluation:
    from policy_lang.engine import compile_program
    from policy_lang.source import Source

    compiled = compile_program([Source(policy.name, policy.read_text(encoding="utf-8"))])
    program = compiled.value
    if program is None:
        raise SystemExit(f"floec cannot compile {policy.name}: {compiled.diagnostics[0].message}")
    given, path = _load(document), tuple(query.split(".")[1:])

    def evaluate() -> int:
        found = program.eval_path(path, input=given)
        if found.value is None:
            raise SystemExit(f"floec cannot evaluate {query}: {found.diagnostics[0].message}")
        return len(found.value)

    return evaluate


def _policies(policy: Path, document: Path, _query: str) -> Evaluation:
    from policy_lang.engine import CompileOptions
    from policy_lang.policies import load_policies
    from policy_lang.source import Source

    schema = json.loads(policy.with_suffix(".schema.json").read_text(encoding="utf-8"))
    sources = [Source(policy.name, policy.read_text(encoding="utf-8"))]
    loaded = load_policies(sources, CompileOptions(input_schema=schema))
    policies = loaded.value
    if policies is None:
        raise SystemExit(f"floec cannot compile {policy.name}: {loaded.diagnostics[0].message}")
    policies = policies.prepared()
    given = _load(document)
    models = given["models"]

    def evaluate() -> int:
        ran = policies.run(given)
        if ran.value is None:
            raise SystemExit(f"floec cannot run {policy.name}: {ran.diagnostics[0].message}")
        # Models that share a name are one subject in the Rego package and two for policies.
        return len({(v.policy.id, models[v.at[1]]["name"], v.message) for v in ran.value.violations})

    return evaluate


def _regorus(policy: Path, document: Path, query: str) -> Evaluation:
    from regorus import Engine  # type: ignore[import-not-found]

    engine = Engine()
    engine.add_policy(policy.name, policy.read_text(encoding="utf-8"))
    engine.set_input_json(document.read_text(encoding="utf-8"))

    def evaluate() -> int:
        # The engine keeps what it has evaluated; a clone does not have it yet.
        return len(json.loads(engine.clone().eval_rule_as_json(query)))

    return evaluate


def _load(document: Path) -> Any:
    return json.loads(document.read_text(encoding="utf-8"), parse_float=Decimal)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
