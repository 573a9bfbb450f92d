"""docs/lint.md is the test of the lint rules: each section's bad example has its finding, the good one has not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from policy_lang.lint.registry import rules
from policy_lang.lint.run import IGNORE_CODE, lint
from policy_lang.source import Source

PAGE = Path(__file__).parents[4] / "docs" / "lint.md"
_SECTION = re.compile(r"^## (LNT\d+) (\S+)\n\n(\w+)\.", re.MULTILINE)
_EXAMPLE = re.compile(r"^```(rego|floe) (bad|good)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    code: str
    kind: str
    source: Source


def sections() -> dict[str, tuple[str, str, str]]:
    """Code → (name, severity, text)."""
    text = PAGE.read_text(encoding="utf-8")
    heads = list(_SECTION.finditer(text))
    ends = [*(h.start() for h in heads[1:]), len(text)]
    return {h[1]: (h[2], h[3], text[h.start() : end]) for h, end in zip(heads, ends, strict=True)}


def examples() -> list[Example]:
    found = []
    for code, (_, _, text) in sections().items():
        for language, kind, file, body in _EXAMPLE.findall(text):
            whole = body if body.startswith("package") else f"package a\n\n{body}"
            found.append(Example(code, kind, Source(file or f"a.{language}", whole)))
    return found


def test_the_page_has_a_section_for_each_rule() -> None:
    known = {code: (rule.name, str(rule.severity)) for code, rule in rules().items()}
    assert {code: found[:2] for code, found in sections().items() if code != IGNORE_CODE} == known


def test_each_section_has_both_examples() -> None:
    kinds = {(e.code, e.kind) for e in examples()}
    assert kinds == {(code, kind) for code in rules() for kind in ("bad", "good")}


@pytest.mark.parametrize("example", examples(), ids=lambda e: f"{e.code}-{e.kind}")
def test_example(example: Example) -> None:
    found = lint([example.source])
    assert not any(d.code.endswith("_error") for d in found)
    assert (example.code in {d.code for d in found}) == (example.kind == "bad")
    assert all(d.title == rules()[d.code].title for d in found)
