"""``not`` of ``import rego.v2``: each verdict is that of `opa check` 1.22.2."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.source import Source

IMPORTS = pytest.mark.parametrize("imported", ["rego.v2", "future.keywords.not"])


def codes(imported: str, rule: str) -> list[str]:
    compiled = compile_program([Source("t.rego", f"package t\n\nimport {imported}\n\n{rule}\n")])
    return [one.code for one in compiled.diagnostics]


@IMPORTS
@pytest.mark.parametrize(
    "rule",
    [
        "p if not input.x[_]",
        "p if not input.x[k] > 1",
        "p if {\n\tsome k\n\tnot input.x[k]\n}",
        "p := [1 | not input.x[_]]",
        "p if not {\n\tinput.x[y]\n\tnot input.z[_]\n}",
    ],
)
def test_a_negation_without_braces_binds_nothing(imported: str, rule: str) -> None:
    assert codes(imported, rule) == ["rego_unsafe_var_error"]


@IMPORTS
@pytest.mark.parametrize(
    "rule",
    [
        "p if not { input.x[_] }",
        "p if not { input.x[k] > 1 }",
        "p if {\n\tnot x > 1\n\tinput.x[x]\n}",
        "p if not count([x | x := input.x[_]])",
        "p if not input.a with input.b as input.c[_]",
        "p if not { {1} < input.x }",
        "p if not ({1} < input.x)",
        "p if not { every x in [1] { x }; true }",
        "p if {\n\tevery x in [1] { x }\n\t-1 == input.y\n}",
        "p if {\n\tnot { input.x }\n\t-1 == input.y\n}",
    ],
)
def test_negations_that_hold_or_not(imported: str, rule: str) -> None:
    assert codes(imported, rule) == []


@IMPORTS
@pytest.mark.parametrize(
    "rule",
    [
        "p if not {1} != input.x",
        "p if not {1, 2}",
        'p if not {"a": 1}',
        'p if not {"a": 1} < input.x',
        "p if not {} == input.x",
        "p if not {1} | {2}",
        "p if not {1} in input.x",
        "p if not {input.a}[1]",
    ],
)
def test_a_brace_after_not_opens_a_body(imported: str, rule: str) -> None:
    assert codes(imported, rule) == ["rego_parse_error"]
