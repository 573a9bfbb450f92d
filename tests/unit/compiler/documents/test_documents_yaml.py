"""YAML by the core schema of YAML 1.2, with places, and within bounds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from compiler.documents.yaml_document import MAX_BYTES
from compiler.documents.yaml_loader import load_file, load_yaml
from compiler.facts.project.yaml_values import load_values
from policy_lang.source import Source


def value(text: str) -> Any:
    loaded = load_yaml(Source("t.yaml", text))
    assert loaded.diagnostics == ()
    assert loaded.value is not None
    return loaded.value.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("No", "No"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("012", 12), ("+12", 12), ("-0", 0), ("0o14", 12), ("0x1F", 31), ("0b11", "0b11"), ("1_000", "1_000"),
        ("12:30:45", "12:30:45"), ("190:20", "190:20"), ("2026-01-31", "2026-01-31"), ("1.10", Decimal("1.10")),
        ("1e3", Decimal("1e3")), (".5", Decimal(".5")), ("1.", Decimal("1.")), (".inf", ".inf"), ("1.2.3", "1.2.3"),
        ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"),
        ("!!int 12", 12), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars(text: str, expected: Any) -> None:
    found = value(f"a: {text}\n")["a"]
    assert found == expected
    assert type(found) is type(expected)


def test_keys_are_strings_as_written() -> None:
    assert value("on: 1\n12: 2\nnull: 3\n2026-01-01: 4\n") == {"on": 1, "12": 2, "null": 3, "2026-01-01": 4}


def test_anchors_and_merges() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {z: 9}\na: {<<: *b, y: 3}\nc: {<<: [*b, *m], x: 0}\n"
    assert value(text)["a"] == {"y": 3, "x": 1}
    assert value(text)["c"] == {"x": 0, "y": 2, "z": 9}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", "FLC103", 2),
        ("a: 1\n'a': 2\n", "FLC103", 2),
        ("a: !!binary aGVsbG8=\n", "FLC104", 1),
        ("a: !custom {b: 1}\n", "FLC104", 1),
        ("? [a, b]\n: 1\n", "FLC107", 1),
        ("a: {<<: 1}\n", "FLC101", 1),
        ("a: *missing\n", "FLC101", 1),
        ("a:\n\t- b\n", "FLC101", 2),
        ("a: " + "[" * 250 + "]" * 250 + "\n", "FLC101", 1),
        ("[" * 100_000, "FLC101", 1),
        ("a: " + "9" * 5000 + "\n", None, 1),
        ("a: \0\n", "FLC101", 1),
    ],
)
def test_what_is_refused_at_its_line(text: str, code: str | None, line: int) -> None:
    found = load_yaml(Source("t.yaml", text)).diagnostics
    assert [d.code for d in found] == ([code] if code else [])
    assert all(d.span is not None and d.span.line == line for d in found)


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("a: 1\nb: [1\nc: 2\n", (2, 4)),
        ("a: 1\nb: {c: 2\n", (2, 4)),
        ("b: 'text\nc: 2\n", (1, 4)),
        ('b: "text\n', (1, 4)),
        ("a:\n - x\n b: 1\n", None),
        ("a: b: c\n", None),
    ],
)
def test_what_nothing_closes_is_shown_where_it_was_opened(text: str, opened: tuple[int, int] | None) -> None:
    for found in (load_yaml(Source("t.yaml", text)).diagnostics, load_values("t.yaml", text).diagnostics):
        assert [d.code for d in found] == ["FLC101"]
        assert [(label.span.line, label.span.col) for label in found[0].related] == ([opened] if opened else [])


def test_bytes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\N{BYTE ORDER MARK}a: é\r\nb: 2\r\n".encode())
    loaded = load_file(path).value
    assert loaded is not None
    assert loaded.value == {"a": "é", "b": 2}
    assert loaded.span(("b",))[1:3] == (2, 4)
    path.write_bytes(b"a: \xff\n")
    (bad,) = load_file(path).diagnostics
    assert (bad.code, bad.span and bad.span[1:3]) == ("FLC108", (1, 4))
    assert [d.code for d in load_file(tmp_path).diagnostics] == ["FLC100"]
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert [d.code for d in load_file(path).diagnostics] == ["FLC106"]


def test_every_value_has_a_place() -> None:
    loaded = load_yaml(Source("t.yaml", "a:\n  - b: 1\n    c: [x, y]\n")).value
    assert loaded is not None
    assert loaded.span(("a", 0, "c", 1))[1:3] == (3, 12)
    assert loaded.key_span(("a", 0, "b"))[1:3] == (2, 5)
    assert loaded.span(("a", 7, "nothing")) == loaded.span(("a",)) == loaded.key_span(("a",))
    assert loaded.span(("a",))[1:] == (1, 1, 1, 2)
    assert loaded.span(("a", 0))[1:3] == (2, 5)
