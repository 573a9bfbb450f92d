"""``floec fmt`` as a command: what it prints, writes and returns."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from compiler.cli.main import run

UGLY = "package a\np:=1"
NEAT = "package a\n\np := 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ugly.rego").write_text(UGLY)
    (tmp_path / "neat.rego").write_text(NEAT)
    return tmp_path


def test_check_lists_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--check", str(folder)]) == 1
    assert capsys.readouterr().out == f"{folder / 'ugly.rego'}\n"
    assert (folder / "ugly.rego").read_text() == UGLY
    assert run(["fmt", "--check", str(folder / "neat.rego")]) == 0


def test_write_keeps_the_mode_and_the_link(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ugly = folder / "ugly.rego"
    ugly.chmod(0o640)
    link = folder / "sub"
    link.mkdir()
    (link / "link.rego").symlink_to(ugly)
    assert run(["fmt", "-w", str(link / "link.rego")]) == 0
    assert ugly.read_text() == NEAT
    assert ugly.stat().st_mode & 0o777 == 0o640
    assert (link / "link.rego").is_symlink()
    assert sorted(os.listdir(folder)) == ["neat.rego", "sub", "ugly.rego"]
    assert run(["fmt", "--check", str(folder)]) == 0


def test_diff_is_a_patch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fmt", "--diff", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"--- {folder / 'ugly.rego'}\n+++ ")
    assert "-p:=1\n\\ No newline at end of file\n" in shown
    assert "+p := 1\n" in shown


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(UGLY))
    assert run(["fmt"]) == 0
    assert capsys.readouterr().out == NEAT
    monkeypatch.setattr("sys.stdin", io.StringIO("package a\nparam x:number:=1"))
    assert run(["fmt", "--stdin-name", "a.floe", "-"]) == 0
    assert capsys.readouterr().out == "package a\n\nparam x: number := 1\n"


def test_a_broken_file_is_told_and_the_others_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = folder / "broken.rego"
    broken.write_text("package a\np if {")
    assert run(["fmt", "-w", str(folder)]) == 1
    assert "rego_parse_error" in capsys.readouterr().err
    assert broken.read_text() == "package a\np if {"
    assert (folder / "ugly.rego").read_text() == NEAT


def test_line_ends_are_made_of_one_kind(folder: Path) -> None:
    (folder / "neat.rego").write_bytes(NEAT.replace("\n", "\r\n").encode())
    assert run(["fmt", "--check", str(folder / "neat.rego")]) == 1
    assert run(["fmt", "-w", str(folder / "neat.rego")]) == 0
    assert (folder / "neat.rego").read_bytes() == NEAT.encode()


def test_a_byte_order_mark_goes_and_the_line_ends_of_raw_strings_stay(folder: Path) -> None:
    (folder / "neat.rego").write_bytes(b"\xef\xbb\xbf" + NEAT.encode())
    (folder / "raw.rego").write_bytes(b"package a\r\n\r\np := `x\r\ny`\r\n")
    assert run(["fmt", "-w", str(folder / "neat.rego"), str(folder / "raw.rego")]) == 0
    assert (folder / "neat.rego").read_bytes() == NEAT.encode()
    assert (folder / "raw.rego").read_bytes() == b"package a\n\np := `x\r\ny`\n"


def test_a_file_that_cannot_be_written_is_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", refuse)
    assert run(["fmt", "-w", str(folder / "ugly.rego")]) == 3
    assert "FLC891" in capsys.readouterr().err
    assert (folder / "ugly.rego").read_text() == UGLY
    assert sorted(os.listdir(folder)) == ["neat.rego", "ugly.rego"]
