"""Limits of one evaluation: time, steps, memory, size of the answer. A policy that goes beyond one ends in an
``EvalError`` that is raised where it was, so that its place is known.

Time is watched by a thread that raises in the evaluating one, and memory by the operating system (where it
can): neither costs anything in the loops. Steps are counted, in code of its own that is made only for that.
"""

from __future__ import annotations

import _thread
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from policy_lang.records import NamedTuple
from policy_lang.runtime.support import EvalError
from policy_lang.runtime.values import RegoObject, RegoSet, thaw

CODE = "floe_limit_error"


class Limits(NamedTuple):
    """``seconds`` of real time; ``steps``, turns of loops and calls of functions; ``memory``, bytes beyond what
    the process had; ``output``, values in the answer, all that is inside counted, and a value more for each
    thousand characters of a string. None: no limit."""

    seconds: float | None = None
    steps: int | None = None
    memory: int | None = None
    output: int | None = None


NONE = Limits()
DEFAULT = Limits(seconds=300.0, memory=4 << 30, output=20_000_000)
"""What a command gives an evaluation where its options say nothing else."""
_NESTED = frozenset((list, tuple, dict, RegoSet, RegoObject))
_LETTERS = 1000
"""As many characters of a string count as one value more."""


class TimeUp(BaseException):
    """Raised in the evaluating thread; no builtin takes it for a failure of its own."""


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """What is inside ends with an EvalError where it goes beyond its time, the memory, or Python's own depth."""
    try:
        with _memory(limits.memory), _time(limits.seconds):
            yield
    except TimeUp as late:
        text = f"the policy takes longer than {limits.seconds:g} s"
        raise EvalError(CODE, text).with_traceback(late.__traceback__) from None
    except MemoryError as full:
        raise EvalError(CODE, "the policy takes more memory than it may").with_traceback(full.__traceback__) from None
    except ValueError as wrong:
        if not str(wrong).startswith("Exceeds the limit ("):
            raise
        text = "a number has too many digits to be read or written"
        raise EvalError(CODE, text).with_traceback(wrong.__traceback__) from None
    except RecursionError as deep:
        text = "the data, or what a policy makes of it, is nested too deep"
        raise EvalError(CODE, text).with_traceback(deep.__traceback__) from None


@contextmanager
def _time(seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    # Of ``threading`` only what it is made of is needed: to import it takes longer than most evaluations.
    lock, ended, here = _thread.allocate_lock(), _thread.allocate_lock(), _thread.get_ident()
    done = False
    ended.acquire()

    def stop() -> None:
        if ended.acquire(timeout=seconds):
            return
        import ctypes

        with lock:
            if not done:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(here), ctypes.py_object(TimeUp))

    try:
        _thread.start_new_thread(stop, ())
    except RuntimeError as none_left:  # its stack does not fit into the memory that the evaluation may have
        raise MemoryError("no room for the thread that watches the time") from none_left
    try:
        yield
    finally:
        with lock:
            done = True
        ended.release()


@contextmanager
def _memory(amount: int | None) -> Iterator[None]:
    """Lowers the limit of the process's address space meanwhile, where the system has one."""
    if amount is None:
        yield
        return
    try:
        import resource

        with open("/proc/self/statm", "rb") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + amount
    if soft != resource.RLIM_INFINITY:
        wanted = min(wanted, soft)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def check_output(value: Any, most: int | None) -> None:
    """Raises EvalError where an answer holds more values than it may."""
    if most is None:
        return
    left, pending = most, [[value]]
    while pending:
        one: Any = pending.pop()
        if type(one) is RegoObject:
            one = [*map(thaw, one), *one.values()]
        elif type(one) is dict or type(one) is RegoSet:
            one = one.values()
        left -= len(one)
        if left < 0:
            raise EvalError(CODE, f"the answer has more than {most} values")
        for member in one:
            kind = type(member)
            if kind is str:
                if len(member) >= _LETTERS:
                    left -= len(member) // _LETTERS
            elif kind in _NESTED:
                pending.append(member)
    if left < 0:
        raise EvalError(CODE, f"the answer has more than {most} values")
