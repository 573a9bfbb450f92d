"""Types that the documents' models share: names, versions, cron, time zones, percentages, closed objects."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

RESERVED_NAMES = frozenset({"default", "system", "floe", "admin", "root"})

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?\Z"
)
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Closed(BaseModel):
    """An object that refuses keys it does not know (keys with ``x-`` are taken out before)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _name(value: str) -> str:
    if not _NAME.match(value):
        raise ValueError("must be 1 to 63 lower-case letters, digits and `-`, beginning with a letter")
    return value


def _manifest_name(value: str) -> str:
    if value in RESERVED_NAMES:
        raise ValueError(f"`{value}` is reserved; choose another name")
    return _name(value)


def _semver(value: str) -> str:
    if not _SEMVER.match(value):
        raise ValueError("must be a semantic version such as 1.2.3")
    return value


def _product_version(value: str) -> str:
    if re.match(r"\d+\.\d+\Z", value):
        return value
    return _semver(value)


def _cron(value: str) -> str:
    parts = value.split()
    if len(parts) != 5:
        raise ValueError(f"a cron expression has 5 fields, this one has {len(parts)}")
    for part, (low, high), words in zip(parts, _CRON_RANGES, ((), (), (), _MONTHS, _DAYS), strict=True):
        for item in part.split(","):
            _cron_item(item, low, high, words)
    return value


def _cron_item(item: str, low: int, high: int, words: tuple[str, ...]) -> None:
    base, _, step = item.partition("/")
    if "/" in item and not (step.isascii() and step.isdigit() and int(step) > 0):
        raise ValueError(f"`{item}` in the cron expression has a wrong step")
    if base == "*":
        return
    numbers = []
    for end in base.split("-"):
        if end.lower() in words:
            numbers.append(words.index(end.lower()) + low)
        elif end.isascii() and end.isdigit() and low <= int(end) <= high:
            numbers.append(int(end))
        else:
            raise ValueError(f"`{item}` in the cron expression is not within {low} to {high}")
    if len(numbers) > 2 or (len(numbers) == 2 and numbers[0] > numbers[1]):
        raise ValueError(f"`{item}` in the cron expression is not a range")


def _timezone(value: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"`{value}` is not a time zone of the IANA database") from error
    return value


def _percent(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"\d+(\.\d+)?\s*%\Z", value):
        return Decimal(value.rstrip("% "))
    if isinstance(value, bool | str):
        raise ValueError("must be a number from 0 to 100")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


Name = Annotated[str, AfterValidator(_name)]
ManifestName = Annotated[str, AfterValidator(_manifest_name)]
SemVer = Annotated[str, AfterValidator(_semver)]
ProductVersion = Annotated[str, AfterValidator(_product_version)]
Cron = Annotated[str, AfterValidator(_cron)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Percent = Annotated[Decimal, BeforeValidator(_percent), Field(ge=0, le=100)]
Days = Annotated[Decimal, BeforeValidator(_whole), Field(ge=0)]
Object = dict[str, Any]
