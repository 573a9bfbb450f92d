"""Modules of libraries that are loaded where something is first asked of them, not where a library imports them.

For a process of our own only (``floec.command``): a module in ``sys.modules`` that is not loaded yet is nothing to
surprise another program with.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_PUT_OFF = ("ipaddress", "textwrap", "msgspec.inspect", "msgspec.toml", "msgspec.yaml")
"""What ``urllib.parse`` and ``msgspec`` import for few of those that import them: 4 ms."""
_OURS: list[bool] = []


class Later(ModuleType):
    """A module that is loaded, as itself, with the first look at what is in it."""

    def __getattr__(self, name: str) -> Any:
        import importlib.util

        del sys.modules[self.__name__]
        try:
            spec = importlib.util.find_spec(self.__name__)
        finally:
            sys.modules[self.__name__] = self
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No module named {self.__name__!r}", name=self.__name__)
        self.__spec__, self.__loader__, self.__package__ = spec, spec.loader, spec.parent
        self.__file__ = spec.origin
        object.__setattr__(self, "__class__", ModuleType)
        try:
            spec.loader.exec_module(self)
        except BaseException:
            object.__setattr__(self, "__class__", Later)
            raise
        return getattr(self, name)


def put_off(*names: str) -> None:
    """Load these modules (none of them a package) not before something is asked of them."""
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = Later(name)


def begin() -> None:
    """Say that this process is our own, and put off what is seldom needed."""
    _OURS.append(True)
    put_off(*_PUT_OFF)


def ours() -> bool:
    """Whether this process is our own: nobody else's code asks libraries for what we leave out."""
    return bool(_OURS)
