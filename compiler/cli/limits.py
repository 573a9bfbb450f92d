"""``--timeout`` and ``--memory``: how much one evaluation may take."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy_lang.runtime.limits import Limits

_DURATION = re.compile(r"(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?\Z")
_SIZE = re.compile(r"(\d+)([kMG]?)\Z")
_UNITS = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def limit_arguments(parser: argparse.ArgumentParser, timeout: str, what: str) -> None:
    """Declare both options; ``timeout`` is the default time, ``what`` says what is ended."""
    parser.add_argument(
        "--timeout",
        type=_duration,
        default=_duration(timeout),
        metavar="TIME",
        help=f"end {what} after a time such as 500ms, 2s or 1m (default: {timeout})",
    )
    parser.add_argument(
        "--memory",
        type=_size,
        default=_size("4G"),
        metavar="SIZE",
        help=f"end {what} when it takes more memory, such as 500M or 2G, than this (default: 4G)",
    )


def limits_of(options: argparse.Namespace) -> Limits:
    """The limits of one evaluation that the options ask for."""
    from policy_lang.runtime.limits import DEFAULT

    return DEFAULT._replace(seconds=options.timeout, memory=options.memory)


def _duration(text: str) -> float:
    match = _DURATION.match(text)
    seconds = 0.0
    if match is not None:
        minutes, whole, milliseconds = (float(part or 0) for part in match.groups())
        seconds = minutes * 60 + whole + milliseconds / 1000
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 500ms, 2s or 1m30s")
    return seconds


def _size(text: str) -> int:
    match = _SIZE.match(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 500M or 2G")
    return int(match[1]) * _UNITS[match[2]]
