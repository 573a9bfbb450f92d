"""``floec lock``: look up the parents in registries that a document refers to, and pin them in ``floe.lock``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compiler.cli.main import EXIT_ENVIRONMENT
from compiler.cli.output import add_format, exit_code, show
from policy_lang.diagnostics import Diagnostic, Severity, blocking
from policy_lang.source import whole_file


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="floe.yaml, manifest.yaml, or their folder"
    )
    parser.add_argument("--store", metavar="DIR", help="folder of OCI layouts (default: .floe/store here or above)")
    parser.add_argument("--key", metavar="FILE", action="append", default=[], help="public key that must have signed")
    parser.add_argument("--update", action="store_true", help="look ranges up again instead of keeping what is locked")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the lock is not up to date")
    add_format(parser)


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from compiler.tiers.references import LOCK_NAME, lock_text, write_lock
    from compiler.tiers.resolve import load_chain
    from emitters.oci.store import LayoutStore, find_store

    path = _document(Path(options.path))
    keys, unreadable = _keys(options.key)
    if path is None or unreadable:
        text, hint = f"no floe.yaml or manifest.yaml at {options.path}", "name a document, or the folder that holds it"
        missing = Diagnostic("FLC100", text, whole_file(options.path), hint=hint)
        show(unreadable or [missing], options.format)
        return exit_code(unreadable or [missing])
    store = LayoutStore(Path(options.store)) if options.store else find_store(path.parent)
    loaded = load_chain(
        path, registry=Severity.BLOCK, store=lambda: store, trusted_keys=keys, use_lock=not options.update
    )
    show(loaded.diagnostics, options.format, texts=loaded.value.texts() if loaded.value else None)
    if loaded.value is None or blocking(loaded.diagnostics):
        return exit_code(loaded.diagnostics)
    lock = path.parent / LOCK_NAME
    wanted = lock_text(loaded.value.locked)
    current = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    for reference, locked in sorted(loaded.value.locked.items()):
        print(f"{reference} -> {locked.tag or ''} {locked.digest}")
    if not loaded.value.locked:
        print(f"nothing to pin: {path} has no parent in a registry, nor has what is above it")
    if options.check:
        if wanted != current and loaded.value.locked:
            stale = Diagnostic("FLC413", f"{lock} is not up to date", whole_file(str(lock)), hint="run `floec lock`")
            show([stale], options.format)
            return exit_code([stale])
        return exit_code(loaded.diagnostics)
    if wanted != current and (loaded.value.locked or current):
        try:
            write_lock(lock, loaded.value.locked)
        except OSError as error:
            print(f"floec lock: cannot write {lock}: {error.strerror}", file=sys.stderr)
            return EXIT_ENVIRONMENT
    return exit_code(loaded.diagnostics)


def _document(path: Path) -> Path | None:
    if path.is_dir():
        return next((path / n for n in ("floe.yaml", "manifest.yaml") if (path / n).is_file()), None)
    return path if path.is_file() else None


def _keys(files: list[str]) -> tuple[list[bytes], list[Diagnostic]]:
    keys, problems = [], []
    for file in files:
        try:
            keys.append(Path(file).read_bytes())
        except OSError as error:
            text = f"cannot read the key {file}: {error.strerror}"
            problems.append(Diagnostic("FLC100", text, whole_file(file), hint="check the path"))
    return keys, problems
