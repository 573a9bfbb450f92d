"""Exported, the policies find in a stock OPA what they find here, on the inputs of all their own tests."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.schema import complete
from policy_lang.engine import Program, compile_modules
from policy_lang.export import export
from policy_lang.runtime.values import from_json, to_json
from policy_lang.source import Source
from policy_lang.testing.collect import CaseTest, prepared

OPA = Path.home() / ".cache/floec/tools/opa"
ROOT = Path(__file__).resolve().parents[3] / "stdlib_policies"
FILES = sorted(ROOT.rglob("*.floe"))
HARNESS = """package harness

found[i] := violations if {
	some i, case in data.cases
	violations := data.floe[case["package"]].violation with input as case.input with data.floec.params as case.params
}
"""


def _source(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def _value(program: Program, path: tuple[str, ...], **given: Any) -> Any:
    answer = program.eval_path(path, strict_builtin_errors=True, **given)
    assert not answer.diagnostics, (path, answer.diagnostics)
    return from_json(to_json(answer.value))


def _cases() -> tuple[Program, list[tuple[CaseTest, dict[str, Any]]]]:
    """The compiled policies and tests, and each case with its completed input and the params that it gives."""
    from policy_lang.analysis.desugar import desugar
    from policy_lang.syntax.parser import parse_module

    plain, tests = [], []
    for number, path in enumerate(FILES):
        module = parse_module(_source(path)).value
        made = desugar(module).value if module is not None else None
        assert made is not None, path
        ready, own = prepared(made, number, {})
        plain.append(ready)
        tests += [test for test in own if isinstance(test, CaseTest)]
    program = compile_modules(plain).value
    assert program is not None
    cases = []
    for test in tests:
        terms = {name: _value(program, (*test.package, test.prefix + f"given_{name}")) for name, _ in test.case.given}
        given = _value(program, (*test.package, test.prefix + "input"))
        case = {"package": test.package[-1], "input": complete(given).value, "params": {".".join(test.package): terms}}
        cases.append((test, case))
    return program, cases


def _exported(folder: Path) -> None:
    policies = {p.relative_to(ROOT).as_posix(): _source(p) for p in FILES if not p.stem.endswith("_test")}
    made = export(policies)
    assert made.value is not None, made.diagnostics
    for file in made.value:
        if file.path.endswith(".rego"):
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.text, encoding="utf-8")


def _in_opa(folder: Path, cases: list[dict[str, Any]]) -> dict[str, Any]:
    _exported(folder)
    (folder / "harness.rego").write_text(HARNESS, encoding="utf-8")
    numbered = {str(number): case for number, case in enumerate(cases)}
    (folder / "data.json").write_text(to_json({"cases": numbered}), encoding="utf-8")
    command = [str(OPA), "eval", "--strict-builtin-errors", "-f", "values", "-d", str(folder), "data.harness.found"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout, parse_float=Decimal)[0]
    return answer


def _comparable(violations: list[Any]) -> list[str]:
    return sorted(to_json(violation) for violation in violations)


@pytest.mark.opa
@pytest.mark.skipif(not OPA.exists(), reason=f"needs {OPA}, which scripts/external_tools.sh builds")
def test_exported_policies_find_the_same_in_opa(tmp_path: Path) -> None:
    program, cases = _cases()
    found = _in_opa(tmp_path, [case for _, case in cases])
    assert len(found) == len(cases) > 3 * 75
    for number, (test, case) in enumerate(cases):
        ours = _value(
            program,
            (*test.package, "violation"),
            input=case["input"],
            data={"floec": {"params": case["params"]}},
        )
        assert _comparable(ours) == _comparable(found[str(number)]), f"{test.package[-1]}.{test.title}"


@pytest.mark.opa
@pytest.mark.skipif(not OPA.exists(), reason=f"needs {OPA}, which scripts/external_tools.sh builds")
def test_opa_has_nothing_to_say_of_exported_policies(tmp_path: Path) -> None:
    _exported(tmp_path)
    for command in (["check", "--strict", "--bundle"], ["fmt", "--list"]):
        done = subprocess.run([OPA, *command, tmp_path], capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
