"""JSON's escapes as Go reads them: half of a surrogate pair is no character, and becomes U+FFFD."""

from __future__ import annotations

import re

from policy_lang.patterns import Pattern

# A whole pair, half of one (group 1), any other escape.
_ESCAPE = Pattern(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def without_halves(text: str) -> str:
    """``text`` (JSON, or a string of it) with U+FFFD for each escape that stands for half of a pair."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
