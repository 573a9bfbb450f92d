"""Files of the cache: whole or not there, of nobody else, and not for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from policy_lang import private_files
from policy_lang.private_files import make_room, read_private, write_private


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "one.pack"
    assert read_private(file) == b""
    assert write_private(file, b"a", b"bc")
    assert read_private(file) == b"abc"
    assert read_private(file, most=2) == b""
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_may_write(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "one.pack"
    write_private(file, b"a")
    file.parent.chmod(mode)
    assert read_private(file) == b""
    assert not write_private(file, b"b")


def test_a_folder_that_is_a_link(tmp_path: Path) -> None:
    """Who may write above it could lead it to files of this user that somebody else has made up: a checkout."""
    checkout = tmp_path / "checkout"
    write_private(checkout / "one.pack", b"made up")
    (tmp_path / "cache").symlink_to(checkout)
    assert read_private(tmp_path / "cache" / "one.pack") == b""
    assert not write_private(tmp_path / "cache" / "one.pack", b"a")


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_what_is_no_file(what: str, tmp_path: Path) -> None:
    file = tmp_path / "cache" / "one.pack"
    write_private(file.with_name("other"), b"a")
    if what == "link":
        file.symlink_to("other")
    elif what == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    assert read_private(file) == b""


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cache" / "one.pack"
    write_private(file, b"before")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert not write_private(file, b"after")
    assert read_private(file) == b"before"
    assert list(file.parent.iterdir()) == [file]


def test_a_writer_that_is_killed_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "one.pack"
    write_private(file, b"before")
    code = (
        "import os, pathlib, signal, sys; from policy_lang import private_files\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "private_files.write_private(pathlib.Path(sys.argv[1]), b'after')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert read_private(file) == b"before"
    (left,) = (one for one in file.parent.iterdir() if one != file)
    make_room(file.parent, ".pack", 9)
    assert left.exists(), "its writer may still be at it"
    old = time.time() - 2 * private_files._LEFT_S
    os.utime(left, (old, old))
    make_room(file.parent, ".pack", 9)
    assert list(file.parent.iterdir()) == [file]


def test_the_oldest_of_too_many_go(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for i in range(5):
        write_private(folder / f"{i}.pack", b"a")
        os.utime(folder / f"{i}.pack", (i, i))
    write_private(folder / "other.kept", b"a")
    make_room(folder, ".pack", 3)
    assert sorted(one.name for one in folder.iterdir()) == ["2.pack", "3.pack", "4.pack", "other.kept"]
