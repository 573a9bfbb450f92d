"""``msgspec.Struct``, with msgspec imported in a third of the time.

msgspec takes ``get_type_hints`` from ``typing_extensions`` where there is that, else from ``typing``; from Python 3.11
on the two say the same. To import ``typing_extensions`` (and ``inspect`` for it) takes as long as msgspec itself. So
does ``uuid`` (and ``platform`` for it), of which msgspec wants the class that it writes as text: in a process of our
own nothing is of that class.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

from policy_lang.later import ours


class _NoUuid(ModuleType):
    """``uuid`` without what makes one; what msgspec may ask for with its next version comes from the real one."""

    UUID = type("UUID", (), {})
    SafeUUID = SimpleNamespace(unknown=None)

    def __getattr__(self, name: str) -> Any:
        known = sys.modules.pop("uuid")
        try:
            return getattr(importlib.import_module("uuid"), name)
        finally:
            sys.modules["uuid"] = known


def _unneeded() -> dict[str, ModuleType | None]:
    """What stands for modules while msgspec is imported; None is one that cannot be imported."""
    others: dict[str, ModuleType | None] = {"typing_extensions": None}
    if ours():
        others["uuid"] = _NoUuid("uuid")
    return {} if "msgspec" in sys.modules else {name: it for name, it in others.items() if name not in sys.modules}


_meanwhile = _unneeded()
cast("dict[str, ModuleType | None]", sys.modules).update(_meanwhile)
try:
    from msgspec import Struct as Struct
    from msgspec import field as field
finally:
    for _name in _meanwhile:
        del sys.modules[_name]
