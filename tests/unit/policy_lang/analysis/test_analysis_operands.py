"""What is demanded of a call's operands, part by part: each verdict is that of `opa check` 1.22.2."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.source import Source


def complaints(rules: str) -> list[str]:
    compiled = compile_program([Source("t.rego", f"package t\n\n{rules}\n")])
    return [f"{one.code}: {one.message}" for one in compiled.diagnostics]


@pytest.mark.parametrize(
    ("rules", "function"),
    [
        pytest.param("p := intersection({{1}, [2]})", "intersection", id="a member of a set, one of several types"),
        pytest.param('p := intersection({{1}, {"a": 2}})', "intersection", id="an object among sets"),
        pytest.param("p if {\n\tx := [1]\n\tunion({x, set()})\n}", "union", id="a variable among sets"),
        pytest.param("p if {\n\t[x, 1] = input.a\n\tsum([x, true])\n}", "sum", id="beside what may be anything"),
        pytest.param("p if {\n\tx := {1: [1]}\n\tconcat(``, [x[1]])\n}", "concat", id="a reference in an array"),
        pytest.param(
            "f(x) := intersection({x, {1}}) == (x % 2)", "rem", id="an argument in a composite has the members' type"
        ),
        pytest.param(
            "f(x) if x != ({1} | x)\n\np := f(true)", "data.t.f", id="what a nested call demands of an argument"
        ),
        pytest.param("p if {\n\tx := `a`\n\tjson.filter({}, [x])\n\tx + 1\n}", "plus", id="widened, and still wrong"),
    ],
)
def test_an_operand_of_which_a_part_does_not_fit(rules: str, function: str) -> None:
    assert complaints(rules) == [f"rego_type_error: {function}: invalid argument(s)"]


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param("p := intersection({{1}, input.x})", id="a member of any type"),
        pytest.param("p if {\n\tx := `a`\n\tis_array([x])\n\tx + 1\n}", id="within an operand of any type"),
        pytest.param("p if {\n\tx := {1}\n\tcount(union({x, set(), {y | y := `a`}})) == 2\n}", id="sets of all kinds"),
        pytest.param("f(x) if {\n\tcount({x, [x]}) == 2\n\tx > 1\n}\n\np := f(`a`)", id="an argument in a mixed set"),
    ],
)
def test_an_operand_that_may_fit(rules: str) -> None:
    assert complaints(rules) == []


def test_nested_comprehensions_in_operands_are_checked_once() -> None:
    """Twice on each level would be 2 to the power of twenty-five times."""
    rules = "p := " + "count({[x | x := " * 25 + "1" + "]})" * 25
    assert complaints(rules) == []
