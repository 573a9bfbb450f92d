"""What a reference binds for the rest of its own expression, and what comes too late: as OPA decides it."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.values import to_json
from policy_lang.source import Source

INPUT = {"ns": [0, 2, 5], "ss": [["a"], ["b", "c"]], "rows": [{"tags": [1]}, {"tags": []}], "o": {"k": 1}}


@pytest.mark.parametrize(
    "body",
    [
        "input.ns[x] > max([1, x])",
        "input.ns[x] > x + 1",
        "input.ns[x] == count([x | y := 2])",
        "input.ns[x] > sum({x})",
        "y := [abs(x), input.ns[x]]",
    ],
)
def test_a_call_inside_comes_before_what_binds_its_argument(body: str) -> None:
    outcome = compile_program([Source("p.rego", f"package p\n\np if {{ {body} }}\n")])
    assert {found.code for found in outcome.diagnostics} == {"rego_unsafe_var_error"}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("x + input.ns[x] > 2", "[1,2]"),
        ("abs(input.ns[x]) > x", "[1,2]"),
        ("abs(input.ns[x]) > abs(x)", "[1,2]"),
        ("input.ns[x] = count([x, x])", "[1]"),
        ("some y in [1]; input.ns[x] > max([y, 4])", "[2]"),
        ("x == input.ns[x]", "[0]"),
        ("every v in input.rows[x].tags { v == 1; x == 0 }", "[0,1]"),
        ("every v in input.rows[x].tags { v > x }", "[0,1]"),
        ("z := [x, input.ns[x]]; z[1] > 4", "[2]"),
    ],
)
def test_what_a_reference_binds_may_be_used_beside_it(body: str, value: str) -> None:
    program = compile_program([Source("p.rego", f"package p\n\np contains x if {{ {body} }}\n")])
    assert program.value is not None, program.diagnostics
    assert to_json(program.value.eval_path(("p", "p"), input=INPUT).value) == value
