"""Times as text in Go's layouts: ``time.format`` and ``time.parse_ns``.

A layout shows how the moment Mon Jan 2 15:04:05 MST 2006 would be written; the names of OPA's
constants (``RFC3339``, ``RFC822Z``, …) stand for layouts too.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from policy_lang.runtime.builtins.clock import in_range, moment_of, nanoseconds_of
from policy_lang.runtime.builtins.registry import builtin, failure

_NAMED = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
_TOKEN = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|01|02|03|04|05|06|15"
    r"|_2(?!006)|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)
_MONTHS = "|".join(calendar.month_name[1:])
_SHORT_MONTHS = "|".join(calendar.month_abbr[1:])
_READ = {
    "January": f"(?P<month_name>{_MONTHS})",
    "Jan": f"(?P<month_name>{_SHORT_MONTHS})",
    "Monday": f"(?:{'|'.join(calendar.day_name)})",
    "Mon": f"(?:{'|'.join(calendar.day_abbr)})",
    "MST": "(?P<zone>UTC|GMT)",
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short_year>\d\d)",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d\d?)",
    "02": r"(?P<day>\d\d)",
    "2": r"(?P<day>\d\d?)",
    "_2": r"(?P<day> ?\d\d?)",
    "15": r"(?P<hour>\d\d)",
    "03": r"(?P<half>\d\d)",
    "3": r"(?P<half>\d\d?)",
    "04": r"(?P<minute>\d\d)",
    "4": r"(?P<minute>\d\d?)",
    "05": r"(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?",
    "5": r"(?P<second>\d\d?)(?:[.,](?P<fraction>\d+))?",
    "PM": "(?P<noon>AM|PM)",
    "pm": "(?P<noon>am|pm)",
    "-07:00": r"(?P<zone>[+-]\d\d:\d\d)",
    "-0700": r"(?P<zone>[+-]\d{4})",
    "-07": r"(?P<zone>[+-]\d\d)",
    "Z07:00": r"(?P<zone>Z|[+-]\d\d:\d\d)",
    "Z0700": r"(?P<zone>Z|[+-]\d{4})",
}


def _offset(moment: datetime, colon: str) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}{colon}{rest:02}"


_SHOW: dict[str, Callable[[datetime], str]] = {
    "January": lambda t: calendar.month_name[t.month],
    "Jan": lambda t: calendar.month_abbr[t.month],
    "Monday": lambda t: calendar.day_name[t.weekday()],
    "Mon": lambda t: calendar.day_abbr[t.weekday()],
    "MST": lambda t: t.tzname() or "UTC",
    "2006": lambda t: f"{t.year:04}",
    "06": lambda t: f"{t.year % 100:02}",
    "01": lambda t: f"{t.month:02}",
    "1": lambda t: str(t.month),
    "02": lambda t: f"{t.day:02}",
    "2": lambda t: str(t.day),
    "_2": lambda t: f"{t.day:2}",
    "15": lambda t: f"{t.hour:02}",
    "03": lambda t: f"{t.hour % 12 or 12:02}",
    "3": lambda t: str(t.hour % 12 or 12),
    "04": lambda t: f"{t.minute:02}",
    "4": lambda t: str(t.minute),
    "05": lambda t: f"{t.second:02}",
    "5": lambda t: str(t.second),
    "PM": lambda t: "PM" if t.hour >= 12 else "AM",
    "pm": lambda t: "pm" if t.hour >= 12 else "am",
    "-07:00": lambda t: _offset(t, ":"),
    "-0700": lambda t: _offset(t, ""),
    "-07": lambda t: _offset(t, ":")[:3],
    "Z07:00": lambda t: _offset(t, ":") if t.utcoffset() else "Z",
    "Z0700": lambda t: _offset(t, "") if t.utcoffset() else "Z",
}


@builtin("time.format", "number|array")
def format_time(value: Any) -> str:
    """``ns``, ``[ns, zone]`` or ``[ns, zone, layout]`` as text; RFC 3339 with nanoseconds by default."""
    moment, fraction = moment_of("time.format", value)
    layout = value[2] if type(value) is list and len(value) > 2 and value[2] else "RFC3339Nano"

    def shown(match: re.Match[str]) -> str:
        token = match[0]
        if token in _SHOW:
            return _SHOW[token](moment)
        digits = f"{fraction:09}"[: len(token) - 1]
        if token[1] == "9":
            digits = digits.rstrip("0")
        return token[0] + digits if digits else ""

    return _TOKEN.sub(shown, _NAMED.get(layout, layout))


@builtin("time.parse_ns", "string", "string")
def parse_time(layout: str, text: str) -> int:
    """The moment that ``text`` tells in ``layout``; UTC where it names no zone."""
    name = "time.parse_ns"
    layout = _NAMED.get(layout, layout)
    pattern, position = "", 0
    for token in _TOKEN.finditer(layout):
        pattern += re.escape(layout[position : token.start()])
        pattern += _READ.get(token[0], "")
        position = token.end()
    try:
        match = re.fullmatch(pattern + re.escape(layout[position:]), text, re.ASCII)
        if match is None:
            raise ValueError("the text does not follow the layout")
        moment, fraction = _read(match.groupdict())
    except (ValueError, OverflowError, re.error) as error:
        raise failure(name, f'cannot parse "{text}" as "{layout}": {error}') from error
    return in_range(name, nanoseconds_of(moment, fraction))


def _read(found: dict[str, str | None]) -> tuple[datetime, int]:
    def number(field: str, default: int) -> int:
        return int(found.get(field) or default)

    year, short = number("year", 0), found.get("short_year")
    if short is not None:
        year = int(short) + (1900 if int(short) >= 69 else 2000)
    month, word = number("month", 1), found.get("month_name")
    if word is not None:
        month = [name[:3] for name in calendar.month_name].index(word[:3])
    hour = number("hour", 0)
    if found.get("half") is not None:
        hour = number("half", 0)
        noon = (found.get("noon") or "").upper()
        hour = hour % 12 + (12 if noon == "PM" else 0) if noon else hour
    moment = datetime(year, month, number("day", 1), hour, number("minute", 0), number("second", 0), tzinfo=UTC)
    zone = (found.get("zone") or "Z").replace(":", "")
    if zone[0] in "+-":
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:] or 0))
        moment = moment - shift if zone[0] == "+" else moment + shift
    return moment, int((found.get("fraction") or "0")[:9].ljust(9, "0"))
