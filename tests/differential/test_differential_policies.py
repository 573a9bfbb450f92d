"""The policies that ship find the same in floec and, exported, in a stock OPA, on generated projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opa_server import BINARY, MISSING, Opa, running
from random_projects import project

from compiler.ir.schema import complete
from policy_lang.analysis.desugar import desugar
from policy_lang.engine import compile_modules
from policy_lang.export import export
from policy_lang.policies import PolicySet, load_policies
from policy_lang.runtime.values import from_json, from_python, to_json
from policy_lang.source import Source
from policy_lang.syntax.parser import parse_module
from policy_lang.testing.collect import CaseTest, prepared

ROOT = Path(__file__).resolve().parents[2] / "stdlib_policies"
PROJECTS = 200
pytestmark = [
    pytest.mark.opa,
    pytest.mark.slow,
    pytest.mark.skipif(not BINARY.is_file(), reason=MISSING),
]


def sources() -> dict[str, Source]:
    files = [path for path in sorted(ROOT.rglob("*.floe")) if not path.stem.endswith("_test")]
    names = [path.relative_to(ROOT).as_posix() for path in files]
    return {name: Source(name, path.read_text(encoding="utf-8")) for name, path in zip(names, files, strict=True)}


def written(files: dict[str, Source], folder: Path) -> None:
    """The exported policies as a bundle in a folder."""
    bundle = export(files)
    assert bundle.value is not None, bundle.diagnostics
    for file in bundle.value:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.text)


Found = tuple[list[str], dict[str, int]]


def found_by_opa(opa: Opa, packages: set[str], given: Any) -> Found:
    """The violations as JSON texts, sorted, and the number of subjects by ``package.name``; of an evaluation
    that an error ended, the error's code alone."""
    body = to_json(from_python({"input": given}))
    status, said = opa.request("POST", "/v1/data/floec/violation?strict-builtin-errors=true", body)
    if status != 200:
        return [said["errors"][0]["code"]], {}
    subjects: dict[str, int] = {}
    for package in packages:
        road = package.replace(".", "/")
        status, counted = opa.request("POST", f"/v1/data/{road}/subjects?strict-builtin-errors=true", body)
        assert status == 200, counted
        subjects |= {f"{package}.{name}": len(keys) for name, keys in counted["result"].items()}
    return sorted(map(to_json, said["result"])), subjects


def found_by_floec(policies: PolicySet, given: Any) -> Found:
    run = policies.run(from_json(to_json(from_python(given))))
    if run.value is None:
        return [run.diagnostics[0].code], {}
    records = []
    for v in run.value.violations:
        record: dict[str, Any] = {"id": v.policy.id, "name": v.policy.name, "severity": str(v.severity)}
        record |= {"message": v.message, "hint": v.hint, "at": list(v.at), "subject": v.subject}
        if v.fix is not None:
            record["fix"] = [{"action": v.fix.action, "path": list(v.fix.path), "value": v.fix.value}]
        records.append(to_json(record))
    return sorted(records), dict(run.value.subjects)


def case_inputs() -> Iterator[tuple[str, Any, Any]]:
    """The package, the completed input and the parameters of each of the library's own test cases."""
    modules, tests = [], []
    for number, path in enumerate(sorted(ROOT.rglob("*.floe"))):
        module = parse_module(Source(path.name, path.read_text(encoding="utf-8"))).value
        assert module is not None
        plain = desugar(module).value
        assert plain is not None
        ready, own = prepared(plain, number, {})
        modules.append(ready)
        tests += [test for test in own if isinstance(test, CaseTest)]
    program = compile_modules(modules).value
    assert program is not None
    for test in tests:
        names = ["input", *(f"given_{name}" for name, _ in test.case.given)]
        values = [program.eval_path((*test.package, test.prefix + name)).value for name in names]
        given = {name: value for (name, _), value in zip(test.case.given, values[1:], strict=True)}
        package = ".".join(test.package)
        completed = from_python(complete(from_json(to_json(values[0]))).value)
        yield package, completed, from_json(to_json({package: given} if given else {}))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PolicySet, Opa]]:
    files, folder = sources(), tmp_path_factory.mktemp("bundle")
    policies = load_policies(tuple(files.values())).value
    assert policies is not None
    written(files, folder)
    with running({}, folder) as opa:
        yield policies, opa


def fired(policies: PolicySet, opa: Opa, inputs: Iterable[Any]) -> set[str]:
    """The ids of the policies that found something, the same on both sides."""
    ids: set[str] = set()
    packages = {policy.package for policy in policies.policies}
    for number, given in enumerate(inputs):
        theirs, ours = found_by_opa(opa, packages, given), found_by_floec(policies, given)
        assert ours[1] == theirs[1], number
        assert ours[0] == theirs[0], number
        assert ours[1], f"project {number} ends the whole run in {ours[0]}"
        ids |= {from_json(record)["id"] for record in ours[0]}
    return ids


def test_the_same_violations_on_generated_projects(both: tuple[PolicySet, Opa]) -> None:
    ids = fired(*both, (project(seed) for seed in range(PROJECTS)))
    # Projects that break no policy would prove nothing.
    assert len(ids) >= 0.6 * len(both[0].policies)


def test_the_same_violations_in_the_cases_of_the_policies(both: tuple[PolicySet, Opa]) -> None:
    policies, opa = both
    ids: set[str] = set()
    for package, given, params in case_inputs():
        path = (*package.split("."), "violation")
        data = {"floec": {"params": params}}
        ours = policies.program.eval_path(path, input=given, data=data, strict_builtin_errors=True).value
        query = f"x = data.{package}.violation with data.floec.params as {to_json(params)}"
        status, said = opa.request("POST", "/v1/query", to_json({"query": query, "input": given}))
        assert status == 200, said
        theirs = said["result"][0]["x"]
        assert sorted(map(to_json, ours.values())) == sorted(map(to_json, theirs)), package
        ids |= {record["id"] for record in ours.values()}
    assert len(ids) >= 0.9 * len(policies.policies), {policy.id for policy in policies.policies} - ids
