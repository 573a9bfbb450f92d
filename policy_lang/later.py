"""Modules of libraries that are loaded where something is first asked of them, not where a library imports them.

For a process of our own only (``floec.command``): a module in ``sys.modules`` that is not loaded yet is nothing to
surprise another program with.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_PUT_OFF = ("ipaddress", "ntpath", "textwrap", "msgspec.inspect", "msgspec.msgpack", "msgspec.structs", "msgspec.toml",
            "msgspec.yaml")  # fmt: skip
"""What ``pathlib``, ``urllib.parse`` and ``msgspec`` import for few of those that import them."""
_TAKEN = {"urllib.parse": ("quote_from_bytes",), "msgspec._json_schema": ("schema", "schema_components")}
"""Modules from which ``pathlib`` and ``msgspec`` take these functions when they are imported."""
_OURS: list[bool] = []


class Later(ModuleType):
    """A module that is loaded, as itself, with the first look at what is in it."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # `from … import` asks whether it is a package
            raise AttributeError(name)
        _load(self)
        return getattr(self, name)


def _load(module: Later) -> None:
    import importlib.util

    name = module.__name__
    del sys.modules[name]
    try:
        spec = importlib.util.find_spec(name)
    finally:
        sys.modules[name] = module
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module.__spec__, module.__loader__, module.__package__ = spec, spec.loader, spec.parent
    module.__file__ = spec.origin
    object.__setattr__(module, "__class__", ModuleType)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        object.__setattr__(module, "__class__", Later)
        raise


def _stand_in(module: Later, name: str) -> Callable[..., Any]:
    """A function of a module that is not loaded: its call loads the module, and is that of the function itself."""

    def called(*args: Any, **named: Any) -> Any:
        if type(module) is Later:
            _load(module)
        return getattr(module, name)(*args, **named)

    return called


def put_off(name: str, *functions: str) -> None:
    """Load this module (no package, nothing that is not written in Python) not before something is asked of it.

    ``functions`` are taken out of it sooner than they are called, and say nothing of themselves until then. A package
    that it is in knows it where that is imported already, or imports it itself.
    """
    if name not in sys.modules:
        module = sys.modules[name] = Later(name)
        for function in functions:
            setattr(module, function, _stand_in(module, function))
        package, _, own = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], own, module)


def begin() -> None:
    """Say that this process is our own, and put off what is seldom needed."""
    import urllib  # noqa: F401 (an empty package, to know its module)

    _OURS.append(True)
    for name in _PUT_OFF:
        put_off(name)
    for name, functions in _TAKEN.items():
        put_off(name, *functions)


def ours() -> bool:
    """Whether this process is our own: nobody else's code asks libraries for what we leave out."""
    return bool(_OURS)
