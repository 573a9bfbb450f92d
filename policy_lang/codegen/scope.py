"""The globals of generated code: all that it can reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from policy_lang.runtime import support
from policy_lang.runtime.builtins.strings import lower
from policy_lang.runtime.values import UNDEFINED, RegoObject, RegoSet, compare, equal

_HELPERS = (
    "MISSING add add_at arithmetic base call closed document get is_member items look_up build_index make_object make_set member members merge mock_builtin "
    "mocked put_key same text true values"
)


def scope(builtins: Mapping[str, str], constants: Mapping[str, Decimal]) -> dict[str, Any]:
    """A fresh namespace: helpers, the builtins of ``builtins`` (name → global), constants, no Python builtins."""
    names: dict[str, Any] = {name: getattr(support, name) for name in _HELPERS.split()}
    names |= {
        "U": UNDEFINED,
        "RegoSet": RegoSet,
        "OBJECTS": (dict, RegoObject),
        "SCALARS": (str, int, bool, Decimal, type(None)),
        "NUMBERS": (int, Decimal),
        "compare": compare,
        "lower": lower,
        "equal": equal,
        "__builtins__": {},
    }
    names |= {python.__name__: python for python in _PYTHON}
    names |= {given: support.wrapped(name) for name, given in builtins.items()}
    return names | dict(constants)


_PYTHON: Iterable[type | Any] = (bool, dict, enumerate, int, isinstance, len, list, str, type)
