"""Checks of single values: names, versions, references, cron, time zones, durations, addresses.

Each check answers what is wrong, or an empty string; nothing is imported that a small document does not need.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from compiler.documents.shape import Keys, Log, Number, Shape, Text, kind_of
from policy_lang.patterns import Pattern

RESERVED_NAMES = frozenset({"default", "system", "floe", "admin", "root"})

_NAME = Pattern(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_IDENTIFIER = Pattern(r"[A-Za-z_][A-Za-z0-9_-]{0,126}\Z")
_SEMVER = Pattern(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
    r"(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?\Z",
    re.ASCII,
)
_EMAIL = Pattern(r"[^@\s,;<>\"']+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\Z")
_OCI = Pattern(
    r"oci://(?P<host>[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?)"
    r"(?P<path>(/[a-z0-9]+([._-]+[a-z0-9]+)*)+)(:(?P<tag>[^/@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)
_TAG = Pattern(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}\Z")
_RANGE = Pattern(
    r"(v?\d+(\.\d+){0,2}(\.\*){1,2}|\*|[\^~]v?\d+(\.\d+){0,2}|((>=|<=|>|<|=)\s*v?\d+(\.\d+){0,2}\s*,?\s*)+)\Z"
)
_ISO_DURATION = Pattern(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z"
)
_SHORT_DURATION = Pattern(
    r"(\d+(?:\.\d+)?)\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|months?|mo|years?|yrs?|y)\Z"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mo": 2_628_000, "y": 31_536_000}
"""Of each unit: a month is a twelfth of a year of 365 days. Whole seconds, so that 240m is 4h to the last digit."""
_SECRET_NAME = Pattern(r"[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?\Z")
_QUANTITY = Pattern(r"\d+(\.\d+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?\Z")

_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_CRON_NAMES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def name(value: str) -> str:
    """1 to 63 lower-case letters, digits and ``-``, a letter first."""
    return "" if _NAME.match(value) else "must be 1 to 63 lower-case letters, digits and `-`, beginning with a letter"


def manifest_name(value: str) -> str:
    """A name that is not reserved."""
    return f"`{value}` is reserved; choose another name" if value in RESERVED_NAMES else name(value)


def identifier(value: str) -> str:
    """A name of a port, a layer, a role: letters, digits, ``_`` and ``-``."""
    return "" if _IDENTIFIER.match(value) else "must be letters, digits, `_` and `-`, beginning with a letter"


def semver(value: str) -> str:
    """SemVer 2.0."""
    if _SEMVER.match(value):
        return ""
    hint = " (without the `v`)" if value[:1] == "v" and _SEMVER.match(value[1:]) else ""
    return f"`{value}` is not a semantic version such as 1.2.3{hint}"


def product_version(value: str) -> str:
    """SemVer 2.0, or only major and minor, as many products write it."""
    return "" if re.match(r"\d+\.\d+\Z", value, re.ASCII) else semver(value)


def email(value: str) -> str:
    """An e-mail address, roughly as RFC 5321 has it."""
    return "" if len(value) <= 254 and _EMAIL.match(value) else f"`{value}` is not an e-mail address"


def owner(value: str) -> str:
    """A team's name or an e-mail address: what has an ``@`` inside must be one."""
    return email(value) if "@" in value[1:] else ""


def timezone(value: str) -> str:
    """A time zone of the IANA database."""
    if value == "UTC":
        return ""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        from policy_lang.spell import did_you_mean

        near = did_you_mean(value, available_timezones())
        return f"`{value}` is not a time zone of the IANA database" + (f": {near}" if near else "")
    return ""


def file_path(value: str) -> str:
    """A path that a file system can hold: 255 bytes a name, 4,096 in all (Linux's limits), and no NUL."""
    if not value.strip():
        return "must not be empty"
    if "\0" in value:
        return "a path holds no NUL"
    encoded = value.encode("utf-8", "surrogatepass")
    if len(encoded) >= 4096 or max(map(len, encoded.split(b"/"))) > 255:
        return "is too long for a path: 255 bytes a name, 4,095 in all"
    return ""


def parent_reference(value: str) -> str:
    """A path, or ``oci://host/repository:tag`` with a tag, a version range or a digest."""
    if "://" not in value:
        return file_path(value)
    if value.startswith(("http://", "https://")):
        return "a reference into a registry begins with `oci://`"
    if not value.startswith("oci://"):
        return f"`{value.partition('://')[0]}://` is not known: write a path, or `oci://host/repository:tag`"
    found = _OCI.match(value)
    if found is None:
        return "must be `oci://host/repository:tag`, with the repository in lower case"
    tag = found["tag"]
    if tag is None and found["digest"] is None:
        return "names no version: add `:1.2.3`, a range such as `:1.2.*`, or a digest"
    if tag is not None and not (_TAG.match(tag) or _RANGE.match(tag)):
        return f"`{tag}` is neither a tag nor a version range"
    return ""


def secret_reference(value: str) -> str:
    """The name of a secret: never its value."""
    return "" if _SECRET_NAME.match(value) else "must be the name of a secret: lower-case letters, digits and `-`"


def quantity(value: str) -> str:
    """An amount as Kubernetes writes it: ``500m``, ``2Gi``."""
    return "" if _QUANTITY.match(value) else f"`{value}` is not an amount such as `500m` or `2Gi`"


def iso_date(value: str) -> str:
    """A day, YYYY-MM-DD; a time after ``T`` is allowed."""
    try:
        if not re.match(r"\d{4}-\d{2}-\d{2}([T ].*)?\Z", value, re.ASCII):
            raise ValueError
        date.fromisoformat(value[:10])
    except ValueError:
        return f"`{value}` is not a date such as 2026-01-31"
    return ""


def regular_expression(value: str) -> str:
    """A pattern that can be compiled."""
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is not a regular expression: {error}"
    return ""


def hours(value: object) -> Decimal | None:
    """A duration in hours: ``6h``, ``PT15M``, ``7d``, ``3 years``; a bare number counts as hours. None: not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value) if value >= 0 else None
    if not isinstance(value, str):
        return None
    if found := _ISO_DURATION.match(value):
        parts = zip(found.groups(), ("y", "mo", "w", "d", "h", "m", "s"), strict=True)
        return sum((Decimal(count or 0) * _SECONDS[unit] for count, unit in parts), Decimal(0)) / 3600
    if short := _SHORT_DURATION.match(value.strip().lower()):
        unit = "mo" if short[2].startswith("mo") else short[2][0]
        return Decimal(short[1]) * _SECONDS[unit] / 3600
    return None


def cron(value: str) -> str:
    """A cron expression of 5 fields, or a name such as ``@daily``; one that can never be due is refused too."""
    if value.startswith("@"):
        return "" if value in _CRON_NAMES else f"`{value}` is not one of {', '.join(sorted(_CRON_NAMES))}"
    parts = value.split()
    if len(parts) != 5:
        return f"a cron expression has 5 fields, this one has {len(parts)}"
    sets = []
    for part, (field, low, high, words) in zip(parts, _CRON_FIELDS, strict=True):
        numbers: set[int] = set()
        for item in part.split(","):
            problem = _cron_item(item, field, low, high, words, numbers)
            if problem:
                return problem
        sets.append(numbers)
    if parts[4] == "*" and not any(day <= _DAYS_IN_MONTH[month - 1] for day in sets[2] for month in sets[3]):
        return "is never due: no such day is in those months"
    return ""


def _cron_item(item: str, field: str, low: int, high: int, words: tuple[str, ...], numbers: set[int]) -> str:
    base, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= high):
        return f"`{item}` in the {field} has a wrong step"
    ends: list[int] = []
    for end in () if base in ("*", "?") and (base == "*" or field.startswith("day")) else base.split("-", 1):
        if end.lower() in words:
            ends.append(words.index(end.lower()) + low)
        elif end.isascii() and end.isdigit() and low <= int(end) <= high:
            ends.append(int(end))
        else:
            return f"`{item}` is not a {field} from {low} to {high}"
    if len(ends) == 2 and ends[0] > ends[1]:
        return f"`{item}` in the {field} is not a range: {ends[0]} comes after {ends[1]}"
    first, last = (ends[0], high if slash and len(ends) == 1 else ends[-1]) if ends else (low, high)
    numbers.update(range(first, last + 1, int(step) if slash else 1))
    return ""


class Duration(Shape):
    """``6h``, ``PT15M``, ``7d``; a number counts as hours. Stricter under ``stricter_up`` is longer."""

    __slots__ = ()
    kinds = (str, int, Decimal)
    what = "a duration such as `6h` or `PT15M`"

    def read(self, value: object, path: Keys, log: Log) -> object:
        if hours(value) is None:
            log.wrong(path, f"must be a duration such as `6h`, `7d` or `PT15M`, not {kind_of(value)}")
        return value

    def rank(self, value: object) -> object:
        return hours(value) or Decimal(0)


NAME = Text(name, pattern="^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")
MANIFEST_NAME = Text(manifest_name, pattern="^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")
IDENTIFIER = Text(identifier, pattern="^[A-Za-z_][A-Za-z0-9_-]{0,126}$")
SEMVER = Text(semver, pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")
PRODUCT_VERSION = Text(product_version, pattern=r"^\d+\.\d+(\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?$")
EMAIL = Text(email, pattern="^[^@\\s]+@[^@\\s]+$", form="email")
OWNER = Text(owner)
TIMEZONE = Text(timezone, shortest=1)
CRON = Text(cron, pattern=r"^\s*(@[a-z]+|\S+(\s+\S+){4})\s*$")
REFERENCE = Text(parent_reference, shortest=1)
SECRET_REFERENCE = Text(secret_reference, pattern="^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$")
QUANTITY = Text(quantity, pattern=r"^\d+(\.\d+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")
DATE = Text(iso_date, pattern=r"^\d{4}-\d{2}-\d{2}([T ].*)?$", form="date")
REGEX = Text(regular_expression, form="regex")
DURATION = Duration()
DURATION_PATTERN = r"^(P.+|\s*\d+(\.\d+)?\s*[A-Za-z]+\s*)$"
"""Roughly what ``hours`` takes, for the JSON Schemas."""
TEXT = Text()
FULL_TEXT = Text(shortest=1)
FILE_PATH = Text(file_path, shortest=1)
PERCENT = Number(0, 100, percent=True)
COUNT = Number(0, whole=True)
DAYS = Number(0)
