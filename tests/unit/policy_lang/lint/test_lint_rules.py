"""Lint rules where the page's examples do not reach: near misses, several files, comments that switch off."""

from __future__ import annotations

import pytest

from policy_lang.diagnostics import Diagnostic, blocking
from policy_lang.lint.run import lint
from policy_lang.source import Source


def found(text: str, file: str = "a.rego", **others: str) -> list[Diagnostic]:
    sources = [Source(file, f"package a\n\n{text}")]
    sources += [Source(f"{name}.floe", f"package a\n\n{body}") for name, body in others.items()]
    return list(lint(sources))


def codes(text: str, file: str = "a.rego", **others: str) -> list[str]:
    return [d.code for d in found(text, file, **others) if not d.suppressed]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p contains x if some x in input.xs", []),
        ("p := [y | some x in input.xs; y := x + 1]", []),
        ("p if every k, v in input.xs { v > 1 }", ["LNT001"]),
        ("p := $`{input.x}` if y := 1", ["LNT001"]),
        ('p := $"{y}" if y := input.y', []),
        ("import data.b\n\np if input.x with data.b as 1", ["LNT002"]),
        ("import data.b\n\np if input.x with b.c as 1", []),
        ("import data.b as c\n\nf(x) := c.d(x)", []),
        ("f(x, x) if input.y", []),
        ('p := sprintf("%5.2f%% of %[1]v", [input.x])', []),
        ('p := sprintf("%*d", [1])', ["LNT020"]),
        ('p := sprintf("%d", input.xs)', []),
        ("p := all(input.xs)\n\nall(x) if x", ["LNT010"]),
        ('p if input.x != "a"', []),
        ('deny contains "m" if {\n\tinput.x\n\tinput.x != "a"\n}', ["LNT044"]),
        ("p if input.xs[0] != 1", []),
        ("p := 1 if input.x else := 2", []),
        ("p if 1 == 1", ["LNT015"]),
        ("p if input.xs[_] == input.xs[_]", []),
        ('p if "a" in {"a": "a"}', []),
        ('p if count(input.xs) == "1"', ["LNT016"]),
        ("p if 0 < count({x | some x in input.xs; x > 1})", ["LNT034", "LNT035"]),
        ("p if count(input.xs) == 0", []),
        ("p if count(input.xs) > 1", []),
        ("p if regex.match(`\\d`, input.x)", []),
        ("p if [x, y] = input.xs", []),
        ("p := x if {\n\tsome y in input.ys\n\tsome x in y.xs\n\tx.k == y.k\n}", []),
        ("test_a if {\n\tdata.a.p\n}", ["LNT073"]),
        ("p if count(input.xs)", ["LNT025"]),
        ("p if count(input.xs, n)", []),
        ("p if startswith(input.x, input.y)", []),
        ("p if to_number(input.x)", []),
        ('q contains "a" if input.x\n\np if q', ["LNT026"]),
        ('q contains "a" if input.x\n\np if not data.a.q', ["LNT026"]),
        ('q contains "a" if input.x\n\np if q.a', []),
        ('q contains "a" if input.x\n\np if {\n\tq := input.z\n\tq\n}', ["LNT011"]),
        ('q := "a" if input.x\n\np if not q', []),
        ("test_a if {\n\tx := data.a.p\n\tprint(x)\n}", ["LNT073", "LNT023"]),
    ],
)
def test_rego(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_a_rule_is_told_where_it_stands() -> None:
    (only,) = found("p if {\n\tsome i, x in input.xs\n\tx > 1\n}")
    assert (only.code, only.span and (only.span.line, only.span.col)) == ("LNT001", (4, 7))
    assert only.message == "variable i is never used"
    assert "`_`" in only.hint


POLICY = """policy named {
	id       NAM001
	title    "t"
	severity warn
	why      "w"

	for model in input.models
	require model.name != params.none

	message $"{model.name}"
}
"""
TEST = 'test named {\n\tpass "p" with {}\n\tfail "f" with {}\n}\n'


def test_files_of_a_package_are_looked_at_together() -> None:
    assert codes('param none: string := ""', "a.floe", policy=POLICY, policy_test=TEST) == []
    assert codes('param none: string := ""', "a.floe", policy_test=TEST) == ["LNT004"]
    assert codes("p := 1", "a.floe", policy=POLICY) == ["LNT070"]


def test_a_duplicate_names_the_other_place() -> None:
    (one,) = (d for d in found("p := 1", "a.floe", b=POLICY, c=POLICY.replace("named", "other")) if d.code == "LNT062")
    assert "named at b.floe:3" in one.message
    assert blocking([one])


@pytest.mark.parametrize(
    "text",
    [
        "p if input.x = 1 # floec:ignore LNT030 as it is",
        "# floec:ignore LNT030 as it is\np if input.x = 1",
        "# floec:ignore LNT030 as it is\n# more\np if input.x = 1",
        "p if input.x = 1\n\n# floec:ignore-file LNT030,LNT040 as it is",
    ],
)
def test_a_comment_switches_a_rule_off(text: str) -> None:
    (hidden,) = (d for d in found(text) if d.code == "LNT030")
    assert hidden.suppressed == "as it is"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p := 1 # floec:ignore LNT030 why", "LNT030 finds nothing here"),
        ("p if input.x = 1 # floec:ignore LNT030", "LNT030 is switched off without a reason"),
        ("p := 1 # floec:ignore LNT999 why", "there is no lint rule LNT999"),
        ("p if {\n\tinput.x = 1\n\tinput.y # floec:ignore LNT030 the wrong line\n}", "LNT030 finds nothing here"),
    ],
)
def test_a_comment_that_is_wrong_is_a_finding(text: str, message: str) -> None:
    assert [d.message for d in found(text) if d.code == "LNT000"] == [message]


def test_a_file_that_does_not_parse_is_reported_and_the_rest_goes_on() -> None:
    diagnostics = lint([Source("a.rego", "package a\np if {"), Source("b.rego", "package b\np = 1")])
    assert [d.code for d in diagnostics] == ["rego_parse_error", "LNT031"]
