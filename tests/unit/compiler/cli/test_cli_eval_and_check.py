"""``floec eval`` and ``floec check`` called in-process, on good input and on bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.cli.main import run

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("1 + 1", "2"),
        ("x := [1, 2][_]", "true\ntrue"),
        ("not false", "true"),
        ("data.t.p", "from policy"),
        ("data.limit", "3"),
        ("input.name", "orders"),
        ("data.nothing", ""),
    ],
)
def test_eval(query: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.rego").write_text('package t\np := "from policy"\n')
    (tmp_path / "d.yaml").write_text("limit: 3\n")
    (tmp_path / "i.json").write_text('{"name": "orders"}')
    files = ["-d", str(tmp_path / "p.rego"), "-d", str(tmp_path / "d.yaml"), "-i", str(tmp_path / "i.json")]
    assert run(["eval", query, *files, "-f", "raw"]) == 0
    assert capsys.readouterr().out.strip() == shown


def test_eval_prints_what_opa_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "x := 1.50"]) == 0
    result = json.loads(capsys.readouterr().out)["result"]
    place = {"row": 1, "col": 1}
    assert result == [
        {"bindings": {"x": 1.5}, "expressions": [{"text": "x := 1.50", "value": True, "location": place}]}
    ]
    assert run(["eval", '"text"', "-f", "raw"]) == 0
    assert capsys.readouterr().out == "text\n"


def test_eval_exit_codes_follow_the_answer() -> None:
    assert run(["eval", "data.none", "--fail"]) == 1
    assert run(["eval", "1", "--fail"]) == 0
    assert run(["eval", "1", "--fail-defined"]) == 1


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("p.rego", "package t\np := ", "rego_parse_error"),
        ("p.rego", "package t\np if x > 1", "rego_unsafe_var_error"),
        ("d.json", "{", "FLC109"),
        ("d.json", "[1]", "FLC109"),
        ("d.yaml", "a: 1\na: 2", "FLC103"),
    ],
)
def test_eval_on_bad_files(name: str, text: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text(text)
    assert run(["eval", "data", "-d", str(tmp_path / name)]) == 1
    shown = capsys.readouterr()
    assert f"error[{code}]" in shown.err
    assert f"{name}:" in shown.err
    assert shown.out == ""


def test_eval_on_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "1", "-d", str(tmp_path / "gone")]) == 1
    assert run(["eval", "1", "-i", str(tmp_path / "gone.json")]) == 1
    assert run(["eval", "1 +"]) == 1
    assert "<query>:1" in capsys.readouterr().err


def test_eval_strict_builtin_errors() -> None:
    assert run(["eval", "1 / 0"]) == 0
    assert run(["eval", "1 / 0", "--strict-builtin-errors"]) == 1


def test_check_accepts_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(ROOT / "examples/acme/domains/sales/products/orders")]) == 0
    shown = capsys.readouterr().out
    assert "14 models" in shown
    assert "1 checked: " in shown


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github"])
def test_check_in_every_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(ROOT / "examples/broken_documents/misspelt_key"), "--format", form]) == 1
    shown = capsys.readouterr()
    assert "FLC201" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize("folder", sorted(p.name for p in (ROOT / "examples/broken_documents").iterdir() if p.is_dir()))
def test_check_refuses_each_broken_document_at_a_line(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(ROOT / "examples/broken_documents" / folder)]) == 1
    shown = capsys.readouterr().err
    assert "error[FLC" in shown
    assert ".yaml:" in shown


def test_check_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(tmp_path)]) == 1
    assert run(["check", str(tmp_path / "gone.yaml")]) == 1
    assert "neither floe.yaml nor manifest.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--run", "zz"], "no test's name matches 'zz'"),
        (["--threshold", "100"], "33.33 % of the lines are covered, 100 % are asked for"),
        ([], ""),
    ],
)
def test_why_tests_that_pass_are_not_enough_is_said(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.rego").write_text("package p\n\na := 1\n\nb := 2 if {\n\tinput.x\n}\n")
    (tmp_path / "p_test.rego").write_text("package p\n\ntest_a if a == 1\n")
    assert run(["test", str(tmp_path), *options]) == (1 if said else 0)
    assert said in capsys.readouterr().err


def test_nothing_to_export_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "there are no policies in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wanted", ["101", "-1", "nan", "most"])
def test_a_threshold_that_nothing_can_reach_is_wrong_usage(wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", "policies", f"--threshold={wanted}"]) == 2
    assert "no percentage from 0 to 100" in capsys.readouterr().err
