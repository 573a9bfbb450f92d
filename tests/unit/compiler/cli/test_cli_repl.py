"""A session of ``floec repl``, line by line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from compiler.cli.main import run
from compiler.cli.repl_session import Quit, Session


def test_rules_queries_and_input() -> None:
    session = Session()
    assert session.feed("1 + 1") == "2"
    assert session.feed('print("x", 1)') == "x 1\ntrue"
    assert session.feed("limit := 3") == "defined limit"
    assert session.feed("limit * 2") == "6"
    assert session.feed("double(n) := n * limit") == "defined double"
    assert session.feed("double(2)") == "6"
    assert session.feed("limit := 4") == "defined limit"
    assert session.feed("double(2)") == "8"
    assert session.feed("odd contains n if { some n in [1, 2, 3]; n % 2 == 1 }") == "defined odd"
    assert session.feed("odd contains 7") == "defined odd"
    assert session.feed("some n in odd; n > 2").splitlines()[1] == "│ n │"
    assert session.feed(':input {"user": {"name": "a"}}') == "input is set"
    assert session.feed("input.user.name") == '"a"'
    assert session.feed(":input off") == "no input"
    assert session.feed("input.user") == "undefined"
    assert session.feed(":forget limit").startswith("error[rego_")
    assert session.feed("limit") == "4"
    assert session.feed(":forget") == "forgotten"
    assert session.feed(":rules") == "no rules"


def test_a_line_with_open_brackets_goes_on() -> None:
    session = Session()
    assert session.feed("allow if {") == ""
    assert session.feed('\tinput.role == "admin # }"') == ""
    assert session.pending
    assert session.feed("}") == "defined allow"
    assert not session.pending
    assert session.feed("count([1,") == ""
    assert session.feed("  2])") == "2"
    assert session.feed("p if {") == ""
    assert "error[rego_parse_error]" in session.feed("")
    assert session.feed("1") == "1"


def test_why_says_what_stopped_a_rule() -> None:
    session = Session()
    session.feed(':input {"user": {"name": "a"}}')
    session.feed('allow if input.user.nme == "a"')
    said = session.feed(":why allow")
    assert "<session>:3: allow if" in said
    assert "input.user has no `nme`: did you mean `name`?" in said


def test_mistakes_are_told_and_forgotten() -> None:
    session = Session()
    assert "error[rego_unsafe_var_error]: var x is unsafe" in session.feed("x > 1")
    assert "error[rego_" in session.feed("p if q")
    assert session.rules == []
    assert session.feed(":lod x") == "no command :lod; did you mean `load`?"
    assert "error[FLC100]" in session.feed(":load /no/such/folder")
    assert "error[FLC109]" in session.feed(":input {")
    assert "floec_value" not in session.feed("1 == 1; y")
    assert session.feed("1 / 0") == "undefined"
    session.feed(":strict")
    assert "error[eval_builtin_error]" in session.feed("1 / 0")
    with pytest.raises(Quit):
        session.feed(":q")


def test_policies_and_data_are_loaded_and_read_again(tmp_path: Path) -> None:
    policy = tmp_path / "p.rego"
    policy.write_text("package p\n\nq := 1\n")
    (tmp_path / "d.yaml").write_text("limit: 3\n")
    session = Session()
    assert session.feed(f":load {tmp_path}") == "1 policy file, data: limit"
    assert session.feed("data.p.q + data.limit") == "4"
    policy.write_text("package p\n\nq := 2\n")
    session.feed(":load")
    assert session.feed("data.p.q") == "2"
    policy.write_text("package p\n\nq := x\n")
    assert "error[rego_unsafe_var_error]" in session.feed(":load")
    assert session.feed("data.p.q") == "2"


def test_the_command_reads_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "i.json").write_text('{"a": 1}')
    monkeypatch.setattr("sys.stdin", io.StringIO("input.a\n:quit\nnever\n"))
    assert run(["repl", "-i", str(tmp_path / "i.json")]) == 0
    assert capsys.readouterr().out == "input is set\n1\n"
    assert run(["repl", str(tmp_path / "gone")]) == 1
