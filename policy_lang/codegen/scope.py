"""The globals of generated code: all that it can reach."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from policy_lang.runtime import support
from policy_lang.runtime.matching import MATCHED, SPACES, Memo, lower, matches
from policy_lang.runtime.values import UNDEFINED, RegoObject, RegoSet, compare, equal, freeze

_HELPERS = (
    "MISSING add add_at arithmetic build_index call closed descend document get is_member items look_up "
    "make_set member members mock_builtin mocked ordered ordered_values put_key room same text true "
    "values wrapped written_object "
)


def scope(
    builtins: Mapping[str, tuple[str, str]], constants: Mapping[str, Decimal], patterns: Mapping[str, int]
) -> dict[str, Any]:
    """A fresh namespace: helpers, ``builtins`` (name → global, defining module), constants, what remembers the
    matches of each pattern; no Python builtins. It is the namespace itself that late builtins are put into."""
    names: dict[str, Any] = {name: getattr(support, name) for name in _HELPERS.split()}
    names |= {
        "U": UNDEFINED,
        "RegoSet": RegoSet,
        "OBJECTS": (dict, RegoObject),
        "SCALARS": (str, int, bool, Decimal, type(None)),
        "SIZED": frozenset((str, list, dict, RegoObject, RegoSet)),
        "NO_GET": {}.get,
        "MATCHED": MATCHED,
        "Memo": Memo,
        "SPACES": SPACES,
        "NUMBERS": (int, Decimal),
        "compare": compare,
        "freeze": freeze,
        "lower": lower,
        "equal": equal,
        "__builtins__": {},
    }
    names |= {python.__name__: python for python in _PYTHON}
    for name, (given, home) in builtins.items():
        names[given] = support.wrapped(name) if home in sys.modules else _late(names, given, name, home)
    names |= {f"P{number}": matches(pattern) for pattern, number in patterns.items()}
    names.update(constants)
    return names


def _late(names: dict[str, Any], given: str, name: str, home: str) -> Callable[..., Any]:
    """A builtin whose module is imported with its first call, and takes this one's place then: programs of many
    policies name more builtins than a run calls."""

    def first(*args: Any) -> Any:
        importlib.import_module(home)
        names[given] = found = support.wrapped(name)
        return found(*args)

    return first


_PYTHON: Iterable[type | Any] = (bool, dict, enumerate, int, isinstance, len, list, max, min, str, type)
