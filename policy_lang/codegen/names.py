"""Names of generated code: letters of ASCII only, so that no name of a policy means anything to Python.

Locals end in ``_`` and a number, temporaries are ``t`` and contexts ``C`` with a number, rules' functions
``r`` with a number; no global that generated code is given has such a name.
"""

from __future__ import annotations

import re

_FOREIGN = re.compile(r"[^A-Za-z0-9]")


def local_name(resolved: str) -> str:
    """The Python name of a resolved variable, ``name$number``; the number keeps it unique."""
    name, _, number = resolved.rpartition("$")
    letters = _FOREIGN.sub("", name)[:40]
    return f"{letters if letters[:1].isalpha() else 'v' + letters}_{number}"
