"""The key that a compiled artifact is signed with: one that the user names, or this user's own, made once.

The user's own key stands in ``$XDG_CONFIG_HOME/floec/signing.key`` (``~/.config`` where that is not set), readable for
the user only, with the public key beside it. Codes: FLC100 a key that cannot be read, FLC894 one that cannot be made.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from compiler.emit import SigningKey
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import whole_file

_MOST_BYTES = 64 * 1024
"""A key in PEM has a few hundred bytes: whatever has more is something else, perhaps without an end."""


def read_key(path: Path) -> bytes:
    """What stands in a file of a key, cut off where no key is that long. Raises OSError."""
    with open(path, "rb") as file:
        return file.read(_MOST_BYTES)


def signing_key(named: Path | None) -> Outcome[SigningKey]:
    """The key at ``named``, or the user's own."""
    if named is not None:
        try:
            return Outcome(SigningKey(read_key(named), named, None))
        except OSError as error:
            text = f"cannot read the signing key: {error.strerror}"
            return Outcome(None, (Diagnostic("FLC100", text, whole_file(str(named)), hint="check the path"),))
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "floec"
    private, public = folder / "signing.key", folder / "signing.pub"
    try:
        fresh = not private.exists()
        if fresh:
            _make(folder, private, public)
        return Outcome(SigningKey(private.read_bytes(), private, public, fresh))
    except OSError as error:
        text = f"cannot make a signing key in {folder}: {error.strerror}"
        hint = "give one with --key FILE, or set `artifacts: {signing: {enforcement: off}}` in the manifest"
        return Outcome(None, (Diagnostic("FLC894", text, hint=hint),))


def _make(folder: Path, private: Path, public: Path) -> None:
    """A new pair. Whoever links first wins, so that two commands at once sign with one key."""
    from emitters.oci.signature import generate_key, public_key_of

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made, _ = generate_key()
    descriptor, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
        try:
            os.link(name, private)
        except FileExistsError:
            made = private.read_bytes()
    finally:
        os.unlink(name)
    public.write_bytes(public_key_of(made) or b"")
