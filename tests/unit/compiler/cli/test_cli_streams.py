"""What goes through pipes is UTF-8 in any locale, and what is no text is said to be none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
ASCII = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
TEXT = 'package p\n\n# é 日本\nallow := "日本é" if input.x == "é"\n'


def floec(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "import floec, sys; sys.exit(floec.main())", *arguments]
    return subprocess.run(command, input=given, env=ASCII, capture_output=True, check=False, timeout=120)


def test_the_formatter_writes_utf8_in_an_ascii_locale(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(TEXT, encoding="utf-8")
    assert floec("fmt", str(tmp_path / "p.rego")).stdout.decode() == TEXT
    assert floec("fmt", given=TEXT.encode()).stdout.decode() == TEXT
    assert floec("fmt", given=b"\xef\xbb\xbf" + TEXT.encode()).stdout.decode() == TEXT


@pytest.mark.parametrize("arguments", [("fmt",), ("eval", "-I", "input")])
def test_standard_input_that_is_no_text_is_refused(arguments: tuple[str, ...]) -> None:
    done = floec(*arguments, given=b'"\xff"')
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"FLC108" in done.stderr
    assert b"standard input is not UTF-8 text (byte 1)" in done.stderr


def test_a_session_goes_on_after_a_line_that_is_no_text() -> None:
    done = floec("repl", given=b"\xff\n1 + 1\n")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, b"2")
