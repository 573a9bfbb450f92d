"""Which policies can be judged subject by subject, and that their verdicts then are the same."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.ir.schema import complete, ir_schema
from policy_lang.engine import CompileOptions
from policy_lang.policies import PolicySet, Violation, load_policies
from policy_lang.runtime.values import from_json, from_python, to_json
from policy_lang.source import Source

ROOT = Path(__file__).parents[4]
sys.path.append(str(ROOT / "tests" / "differential"))
HEAD = 'package t\nparam most: number := 3\npolicy p {\n\tid T001\n\ttitle "t"\n\tseverity warn\n'
TAIL = '\n\tmessage "m"\n}\n'
OPTIONS = CompileOptions(ir_schema(), completed=True)


def loaded(*sources: Source) -> PolicySet:
    found = load_policies(list(sources), OPTIONS)
    assert found.value is not None, found.diagnostics
    return found.value


def verdict(body: str, rules: str = "") -> tuple[str, str]:
    one = loaded(Source("p.floe", HEAD + body + TAIL + rules)).slices()[0]
    return one.over, one.why


@pytest.mark.parametrize(
    ("body", "over"),
    [
        ('for model in input.models\nrequire model.description != "x"', "models"),
        ('for model in input.models\nfor column in model.columns\nrequire column.name != "x"', "models"),
        ("for test in input.tests\nrequire count(test.name) > params.most", "tests"),
        ("for model in input.models\nrequire model.owner != input.platform.version", "models"),
    ],
)
def test_what_depends_on_its_subject_alone_is_sliced(body: str, over: str) -> None:
    assert verdict(body) == (over, "")


@pytest.mark.parametrize(
    "at",
    ["model.name", "model.raw_code[words[0]]", "model.columns[count(words) - 1].name", "column", "column[words[0]]"],
)
def test_a_place_that_is_looked_up_and_may_not_be_there_is_one_in_the_subject(at: str) -> None:
    """Where it is not, the finding is at the subject."""
    loops = "for model in input.models\nfor column in model.columns\n"
    body = "forbid {\n\twords := [w | some w in model.tags]\n\tcount(words) > 0\n}"
    one = loaded(Source("p.floe", f'{HEAD}{loops}{body}\n\tmessage "m"\n\tat {at}\n}}\n')).slices()[0]
    assert (one.over, one.why) == ("models", "")


@pytest.mark.parametrize(
    ("body", "rules", "why"),
    [
        ("for model in input.models\nrequire count(input.models) < 9", "", "beyond its subject"),
        ("for model in input.models\nfor other in input.models\nrequire model.name != other.alias", "", "input.models"),
        ("for model in input.models\nfor source in input.sources\nrequire model.name != source.name", "", "sources"),
        ("for model in input.models\nrequire not model.name in names", "names contains s.name if some s in input.seeds",
         "input.seeds.*.name"),
        ("for model in input.models\nrequire model.name != input.tests[0].name", "", "input.tests.*.name"),
        ("for model in input.models\nrequire not f(model)", "f(m) if count(input) > count(m)", "`input.*`"),
        ('for service in input.platform.services\nrequire service != "x"', "", "is not over a list"),
    ],
)  # fmt: skip
def test_what_looks_beyond_its_subject_is_refused_with_the_reason(body: str, rules: str, why: str) -> None:
    over, said = verdict(body, rules)
    assert over == ""
    assert why in said


def stdlib() -> list[Source]:
    files = sorted((ROOT / "stdlib_policies").rglob("*.floe"))
    return [Source(f.name, f.read_text(encoding="utf-8")) for f in files if not f.stem.endswith("_test")]


@pytest.fixture(scope="module")
def shipped() -> PolicySet:
    return loaded(*stdlib())


def parts(ir: dict[str, Any], over: str, size: int) -> list[tuple[int, dict[str, Any]]]:
    """The IR in slices that hold a part of one list and nothing of the others."""
    empty = {key: [] if isinstance(value, list) else value for key, value in ir.items()}
    return [(i, {**empty, over: ir[over][i : i + size]}) for i in range(0, len(ir[over]), size)]


@pytest.mark.parametrize("seed", range(6))
def test_the_sliced_policies_that_ship_find_the_same_slice_by_slice(shipped: PolicySet, seed: int) -> None:
    from random_projects import project

    ir = from_json(to_json(from_python(complete(project(seed)).value)))  # decimals for floats, as from a file
    sliced = {one.policy: one.over for one in shipped.slices() if one.over}
    ids = {policy.id: f"{policy.package}.{policy.name}" for policy in shipped.policies}
    whole = shipped.run(ir).value
    assert whole is not None
    found: list[Violation] = []
    counts = dict.fromkeys((ids[one] for one in sliced), 0)
    for over in sorted(set(sliced.values())):
        own = {ids[one] for one, of in sliced.items() if of == over}
        for start, part in parts(ir, over, 2):
            ran = shipped.run(part)
            assert ran.value is not None, ran.diagnostics
            for v in ran.value.violations:
                if sliced.get(v.policy.id) == over:
                    found.append(_moved(v, start))
            for name, count in ran.value.subjects:
                counts[name] = counts.get(name, 0) + (count if name in own else 0)
    expected = [v for v in whole.violations if v.policy.id in sliced]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    total = dict(whole.subjects)
    assert {n: counts[n] for n in (ids[i] for i in sliced)} == {n: total[n] for n in (ids[i] for i in sliced)}


def _moved(violation: Violation, start: int) -> Violation:
    section, at, *rest = violation.at
    fix = violation.fix
    if fix is not None:
        fix = fix._replace(path=(fix.path[0], int(fix.path[1]) + start, *fix.path[2:]))
    return violation._replace(at=(section, int(at) + start, *rest), fix=fix)
