"""Times: nanoseconds since 1970 (64 bits, signed), read and shown after Go's layouts."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure, integer, operand_error
from policy_lang.runtime.numbers import to_integer

_SECOND = 1_000_000_000
_MOMENT = "number|array"
_LOW, _HIGH = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6}
_UNITS |= {"s": _SECOND, "m": 60 * _SECOND, "h": 3600 * _SECOND}
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def in_range(name: str, nanoseconds: int) -> int:
    if not _LOW <= nanoseconds <= _HIGH:
        raise failure(name, "time outside of valid range")
    return nanoseconds


def nanoseconds_of(moment: datetime, fraction: int) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * _SECOND + fraction


@builtin("time.parse_rfc3339_ns", "string")
def parse_rfc3339(text: str) -> int:
    name = "time.parse_rfc3339_ns"
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise failure(name, f'cannot parse "{text}" as RFC 3339')
    *parts, fraction, sign, hours, minutes = match.groups()
    if hours is not None and (int(hours) > 24 or int(minutes) >= 60):
        raise failure(name, f'cannot parse "{text}": zone out of range')
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        year, month, day, hour, minute, second = map(int, parts)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise failure(name, f'cannot parse "{text}": {error}') from error
    whole = nanoseconds_of(moment, int((fraction or "0")[:9].ljust(9, "0")))
    shift = int(offset.total_seconds()) * _SECOND
    return in_range(name, whole + shift if sign == "-" else whole - shift)


@builtin("time.parse_duration_ns", "string")
def parse_duration(text: str) -> int:
    """A duration such as ``1h30m`` or ``-1.5s``."""
    name = "time.parse_duration_ns"
    sign, body = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if body == "0":
        return 0
    total, position = 0, 0
    while match := _DURATION_PART.match(body, position):
        total += int(Decimal(match[1]) * _UNITS[match[2]])
        position = match.end()
    if not body or position < len(body):
        raise failure(name, f'invalid duration "{text}"')
    return in_range(name, sign * total)


def moment_of(name: str, value: Any) -> tuple[datetime, int]:
    """``ns`` or ``[ns, zone, …]`` as a moment in that zone and the nanoseconds beyond its second.

    Raises:
        BuiltinError: it is neither; or the zone is unknown, or the number no whole one of 64 bits.
    """
    parts = value if type(value) is list else [value]
    if not parts:
        raise operand_error(name, 1, ("either number (ns) or [number (ns), string (tz)]",), value)
    if type(parts[0]) not in (int, Decimal):
        raise operand_error(name, 1, ("number",), parts[0])
    zone: tzinfo = UTC
    for place, part in enumerate(parts[1:3]):
        if type(part) is not str:
            raise operand_error(name, 1, ("string",), part)
        zone = zone if place else _zone(name, part)
    nanoseconds = to_integer(parts[0])
    if nanoseconds is None or not _LOW <= nanoseconds <= _HIGH:
        raise failure(name, "timestamp too big")
    seconds, fraction = divmod(nanoseconds, _SECOND)
    return (_EPOCH + timedelta(seconds=seconds)).astimezone(zone), fraction


def _zone(name: str, text: str) -> tzinfo:
    if text in ("", "UTC"):
        return UTC
    if text == "Local":
        return datetime.now().astimezone().tzinfo or UTC
    import zoneinfo  # few ask for another zone

    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise failure(name, f"unknown time zone {text}") from error


@builtin("time.date", _MOMENT)
def date(value: Any) -> list[int]:
    moment, _ = moment_of("time.date", value)
    return [moment.year, moment.month, moment.day]


@builtin("time.clock", _MOMENT)
def clock(value: Any) -> list[int]:
    moment, _ = moment_of("time.clock", value)
    return [moment.hour, moment.minute, moment.second]


@builtin("time.weekday", _MOMENT)
def weekday(value: Any) -> str:
    return calendar.day_name[moment_of("time.weekday", value)[0].weekday()]


@builtin("time.add_date", "number", "number", "number", "number")
def add_date(nanoseconds: Any, years: Any, months: Any, days: Any) -> int:
    """Calendar arithmetic in UTC; a day beyond its month runs on into the next, as in Go."""
    name = "time.add_date"
    moment, fraction = moment_of(name, nanoseconds)
    years, months, days = (integer(name, place, part) for place, part in enumerate((years, months, days), 2))
    year, month = divmod((moment.year + years) * 12 + moment.month - 1 + months, 12)
    try:
        first = moment.replace(year=year, month=month + 1, day=1)
        moved = first + timedelta(days=moment.day - 1 + days)
    except (ValueError, OverflowError) as error:
        raise failure(name, "time outside of valid range") from error
    return in_range(name, nanoseconds_of(moved, fraction))


@builtin("time.diff", _MOMENT, _MOMENT)
def diff(left: Any, right: Any) -> list[int]:
    """Years, months, days, hours, minutes and seconds between two moments, in the zone of the first; what is
    beyond whole seconds of either does not count."""
    (one, one_ns), (other, other_ns) = (moment_of("time.diff", value) for value in (left, right))
    other = other.astimezone(one.tzinfo)
    if (one.astimezone(UTC), one_ns) > (other.astimezone(UTC), other_ns):
        one, other = other, one
    second = other.second - one.second
    minute, hour = other.minute - one.minute, other.hour - one.hour
    day, month, year = other.day - one.day, other.month - one.month, other.year - one.year
    if second < 0:
        second, minute = second + 60, minute - 1
    if minute < 0:
        minute, hour = minute + 60, hour - 1
    if hour < 0:
        hour, day = hour + 24, day - 1
    if day < 0:
        day, month = day + calendar.monthrange(one.year, one.month)[1], month - 1
    if month < 0:
        month, year = month + 12, year - 1
    return [year, month, day, hour, minute, second]
