"""Edits of policies as replacements of YAML scalars: certain ones only, and nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.documents.yaml_loader import load_yaml
from compiler.policies.fixes import apply, proposed
from policy_lang.diagnostics import Diagnostic, Fix
from policy_lang.policies import Edit
from policy_lang.source import Source, Span

TEXT = "# kept\nmodels:\n  - name: 'orders'   # why\n    tags: [a, b]\n    level: public\n    note: >\n      folded\n"
IR = {"models": [{"name": "orders", "level": "public", "tags": ["a", "b"], "note": "folded\n"}]}


def spans(file: Path) -> dict[str, Span]:
    document = load_yaml(Source(str(file), TEXT)).value
    assert document is not None
    return {key: document.span(("models", 0, key)) for key in ("name", "level", "tags", "note")}


def test_scalars_are_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    file.write_text(TEXT)
    at = spans(file)
    found = []
    for key, value in (("name", "slv_orders"), ("level", "yes: no")):
        fixes = proposed(Edit("set", ("models", 0, key), value), IR, at[key])
        assert len(fixes) == 1
        found.append(Diagnostic("NAM001", "m", at[key], fixes=fixes))
    assert apply(found) == (str(file),)
    assert file.read_text() == TEXT.replace("'orders'", "slv_orders").replace("public", "'yes: no'")


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (Edit("set", ("models", 0, "name"), "x"), "level"),
        (Edit("set", ("models", 0, "tags"), ["x"]), "tags"),
        (Edit("set", ("models", 0, "gone"), "x"), "name"),
        (Edit("set", ("models", 0, "note"), "x"), "note"),
        (Edit("remove", ("models", 0, "name"), None), "name"),
        (Edit("set", ("models", 0, "name"), {"a": 1}), "name"),
    ],
)
def test_an_edit_that_is_not_certain_is_no_fix(edit: Edit, place: str, tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    file.write_text(TEXT)
    assert proposed(edit, IR, spans(file)[place]) == ()


def test_exempted_findings_and_overlaps_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a: one\r\n")
    span = Span(str(file), 1, 4, 1, 7)
    fix = Fix(span, "two", "")
    assert apply([Diagnostic("X", "m", span, fixes=(fix,), suppressed="because")]) == ()
    assert apply([Diagnostic("X", "m", span, fixes=(fix, Fix(span, "three", "")))]) == (str(file),)
    assert file.read_bytes() == b"a: two\r\n"


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r"), TEXT.replace("'orders'", "2020-13-45")])
def test_lines_that_end_otherwise_and_dates_that_are_none_are_left_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "schema.yml"
    file.write_bytes(text.encode())
    at = Span(str(file), 3, 11, 3, 21 if "2020" in text else 19)
    assert proposed(Edit("set", ("models", 0, "name"), "slv_orders"), IR, at) == ()
