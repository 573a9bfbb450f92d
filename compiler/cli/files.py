"""Finding and reading the policy files that a command line names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source, whole_file

_POLICY_SUFFIXES = (".floe", ".rego")
_MAX_BYTES = 16 * 1024 * 1024
"""No policy file is that large; a data file given by mistake would only exhaust memory."""


def policy_files(paths: Iterable[str]) -> Outcome[tuple[Path, ...]]:
    """The files at ``paths`` (a file is taken as it is, a folder is searched), each once, sorted."""
    found: dict[Path, None] = {}
    missing = []
    for path in map(Path, paths):
        if path.is_dir():
            found.update(dict.fromkeys(sorted(_below(path))))
        elif path.exists():
            found[path] = None
        else:
            text = f"no such file or folder: {path}"
            missing.append(Diagnostic("FLC100", text, whole_file(str(path)), hint="check the path"))
    return Outcome(tuple(found), tuple(missing))


def read_sources(paths: Iterable[str]) -> Outcome[tuple[Source, ...]]:
    """The texts of ``policy_files(paths)``; what cannot be read is a diagnostic, the rest goes on."""
    files = policy_files(paths)
    sources, diagnostics = [], list(files.diagnostics)
    for path in files.value or ():
        read = read_source(path)
        diagnostics += read.diagnostics
        if read.value is not None:
            sources.append(read.value)
    return Outcome(tuple(sources), tuple(diagnostics))


def read_source(path: Path, *, newline: str | None = None) -> Outcome[Source]:
    """One file as UTF-8 text, without a byte-order mark; ``newline`` as for ``open`` ("" keeps line ends)."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            message = f"{path} has more than {_MAX_BYTES // 2**20} MiB: this is no policy file"
            hint = "name policy files, or the folder that holds them"
            return Outcome(None, (Diagnostic("FLC108", message, whole_file(str(path)), hint=hint),))
        return Outcome(Source(str(path), _text(path, newline)))
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start})"
        return Outcome(None, (Diagnostic("FLC108", message, whole_file(str(path)), hint="save the file as UTF-8"),))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        return Outcome(None, (Diagnostic("FLC100", message, whole_file(str(path)), hint="check the path"),))


def read_standard_input(name: str = "<stdin>") -> Outcome[Source]:
    """Standard input as UTF-8 text, without a byte-order mark."""
    try:
        return Outcome(Source(name, sys.stdin.read().removeprefix("\ufeff")))
    except UnicodeDecodeError as error:
        message = f"standard input is not UTF-8 text (byte {error.start})"
        return Outcome(None, (Diagnostic("FLC108", message, whole_file(name)),))


def _text(path: Path, newline: str | None) -> str:
    with path.open(encoding="utf-8-sig", newline=newline) as file:
        return file.read()


def _below(folder: Path) -> Iterator[Path]:
    """Policy files below a folder; links are not followed, so a ring of links ends."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        files = (Path(root, name) for name in names if name.endswith(_POLICY_SUFFIXES))
        yield from (file for file in files if not file.is_fifo())  # opening one waits for whoever writes into it
