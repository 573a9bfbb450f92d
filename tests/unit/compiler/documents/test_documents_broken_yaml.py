"""Where YAML breaks, and where a bracket or quote was opened that nothing closes: only there."""

from __future__ import annotations

import pytest

from compiler.facts.project.yaml_values import load_values


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("a: [1,\nb: 2\n", (1, 4)),
        ("a: {b: 1,\nc: 2\nd: 3\n", (1, 4)),
        ("a: 'x\nb: 2\n", (1, 4)),
        ("columns: [\n  - name: a\n", None),
        ("a: b: c\n", None),
    ],
)
def test_what_was_opened_is_shown(text: str, opened: tuple[int, int] | None) -> None:
    (found,) = load_values("a.yml", text).diagnostics
    assert found.code == "FLC101"
    assert [(label.span.line, label.span.col) for label in found.related] == ([opened] if opened else [])
