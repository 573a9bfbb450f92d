"""What one evaluation has beside its input: its clock, its random numbers, and where ``print`` goes.

``time.now_ns`` is one moment through a whole evaluation, and ``rand.intn`` and ``uuid.rfc4122`` give the same
for the same arguments; the engine opens a session for each evaluation.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any


class Session:
    """``now_ns`` is nanoseconds since 1970; ``prints`` takes each line that a policy prints."""

    __slots__ = ("kept", "now_ns", "prints")

    def __init__(self, prints: Callable[[str], None] | None = None) -> None:
        self.now_ns, self.prints = time.time_ns(), prints
        self.kept: dict[Any, Any] = {}


_CURRENT: ContextVar[Session | None] = ContextVar("session", default=None)


def current() -> Session:
    """The session of the evaluation at hand; a fresh one where none was opened."""
    found = _CURRENT.get()
    if found is None:
        found = Session()
        _CURRENT.set(found)
    return found


@contextlib.contextmanager
def opened(now_ns: int | None = None, prints: Callable[[str], None] | None = None) -> Iterator[Session]:
    """A session for one evaluation; within another one, its clock and printer hold on where none are given."""
    outer = _CURRENT.get()
    made = Session(prints=prints if prints is not None or outer is None else outer.prints)
    if now_ns is not None:
        made.now_ns = now_ns
    elif outer is not None:
        made.now_ns = outer.now_ns
    token = _CURRENT.set(made)
    try:
        yield made
    finally:
        _CURRENT.reset(token)
