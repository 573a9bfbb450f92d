"""Text as Go reads it: half of a surrogate pair, and a byte that is no UTF-8, is no character and becomes U+FFFD."""

from __future__ import annotations

import codecs
import re

from policy_lang.patterns import Pattern

# A whole pair, half of one (group 1), any other escape.
_ESCAPE = Pattern(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


GO = "floec.go"
"""The error handler of ``bytes.decode`` that reads broken UTF-8 as Go does: U+FFFD for each byte."""


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(GO, _replaced)


def without_halves(text: str) -> str:
    """``text`` (JSON, or a string of it) with U+FFFD for each escape that stands for half of a pair."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
