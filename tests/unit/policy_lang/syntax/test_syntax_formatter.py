"""The layout of source files, held by golden files (``NAME.in.rego`` → ``NAME.out.rego``) and by its laws."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy_lang.source import Source
from policy_lang.syntax.formatter import format_source

GOLDEN = Path(__file__).parents[3] / "golden" / "formatter"
SAMPLES = sorted(GOLDEN.glob("*.in.*"))


def formatted(text: str, file: str = "a.rego") -> str:
    outcome = format_source(Source(file, text))
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    return outcome.value


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_golden(path: Path) -> None:
    text = formatted(path.read_text(encoding="utf-8"), path.name)
    assert text == path.with_name(path.name.replace(".in.", ".out.")).read_text(encoding="utf-8")
    assert formatted(text, path.name) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("package a\np:=1\nq:=2", "package a\n\np := 1\nq := 2\n"),
        ("package a\np := (1 in [1])==true", "package a\n\np := (1 in [1]) == true\n"),
        ("package a\np if { ((1 in [1])) != false }", "package a\n\np if (1 in [1]) != false\n"),
        ("package a\np if { x := 1 in (2 in [3]) }", "package a\n\np if x := 1 in (2 in [3])\n"),
        ("package a\np if { x := ((1 in [1]) in [2]) }", "package a\n\np if x := 1 in [1] in [2]\n"),
        ("package a\np := [ {1}|{2},3]", "package a\n\np := [({1} | {2}), 3]\n"),
        ("package a\nf (x) if x", "package a\n\nf(x) if x\n"),
        ("package a\n\n\n\n# x\n\n\n# y\n", "package a\n\n# x\n# y\n"),
        (
            "package a\nimport data.b\nimport data.a\n\nimport data.c",
            "package a\n\nimport data.a\nimport data.b\n\nimport data.c\n",
        ),
        ("package a\np if {\n\n\nx\n\n\n\ny}", "package a\n\np if {\n\tx\n\n\ty\n}\n"),
        ('package a\np := $"a{1}{input.x}\\{"', 'package a\n\np := $"a1{input.x}\\{"\n'),
        ("package a\np if { {1} }", "package a\n\np if {\n\t{1}\n}\n"),
    ],
)  # fmt: skip
def test_small(before: str, after: str) -> None:
    assert formatted(before) == after


def test_a_text_that_does_not_parse_is_left_alone() -> None:
    outcome = format_source(Source("a.rego", "package a\np if {"))
    assert outcome.value is None
    assert [d.code for d in outcome.diagnostics] == ["rego_parse_error"]


def test_a_rule_stays_as_it_is_where_a_comment_has_no_line_to_go_to() -> None:
    rule = "p if {\n   x[# first\ny# second\n]  ==   1\n}"
    assert formatted(f"package a\n\n{rule}\nq:=1") == f"package a\n\n{rule}\n\nq := 1\n"


def test_modifiers_and_comments_after_an_unformatted_term_are_kept() -> None:
    text = 'package a\n\np if {\n\tx == f({ # one\n\t"a": { # two\n\t\t"b": 1}}) with input.y as 1\n}\n\n# last\n'
    after = formatted(text)
    assert "with input.y as 1" in after
    assert "# last" in after


def test_the_page_shows_what_the_formatter_gives() -> None:
    page = (Path(__file__).parents[4] / "docs" / "fmt.md").read_text(encoding="utf-8")
    example = page.split("```floe\n")[1].split("```")[0]
    assert formatted(f"package a\n\n{example}", "a.floe") == f"package a\n\n{example}"
