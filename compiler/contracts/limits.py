"""Limits on values, compared: enumerations, bounds, quality rules. Answers (rule, severity, direction, text)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from compiler.documents.odcs import BOUNDS

_Severity = Literal["major", "minor", "patch"]
_Direction = Literal["loosens", "tightens", "both", "undetermined"]
Part = tuple[str, _Severity, _Direction, str]

_UPPER = frozenset({"max_length", "maximum", "exclusive_maximum", "max_items", "mustBeLessThan", "mustBeLessOrEqualTo"})
_LOWER = frozenset(
    {"min_length", "minimum", "exclusive_minimum", "min_items", "mustBeGreaterThan", "mustBeGreaterOrEqualTo"}
)

_FLAWS = frozenset({"nullValues", "missingValues", "invalidValues", "duplicateValues"})
"""What these count is better the less there is of it: that none may be there is a bound from above."""
_MEASURED = ("type", "metric", "arguments", "query", "unit", "engine", "implementation")


def compare_enum(name: str, old: tuple[Any, ...] | None, new: tuple[Any, ...] | None) -> Iterator[Part]:
    """A value that readers do not know breaks them; one that no longer comes does not."""
    if old is None and new is None:
        return
    if old is None:
        yield "enum-added", "minor", "tightens", f"the values of `{name}` are now listed"
    elif new is None:
        yield "enum-removed", "major", "loosens", f"the values of `{name}` are no longer listed"
    else:
        more = [v for v in new if v not in old]
        fewer = [v for v in old if v not in new]
        if more:
            yield "enum-widened", "major", "loosens", f"`{name}` has new values: {_words(more)}"
        if fewer:
            yield "enum-narrowed", "minor", "tightens", f"`{name}` lost values: {_words(fewer)}"


def compare_options(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Part]:
    """Patterns and bounds of a column's values."""
    for option in sorted({*old, *new}):
        before, after = old.get(option), new.get(option)
        if before == after:
            continue
        text = f"{option.replace('_', ' ')} of `{name}` goes from {_word(before)} to {_word(after)}"
        if before is None:
            yield "limit-added", "minor", "tightens", text
        elif after is None:
            yield "limit-removed", "major", "loosens", text
        else:
            yield _moved("limit", option, before, after, text)


def compare_quality(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Iterator[Part]:
    """Quality rules by what they measure."""
    for key, rule in old.items():
        now = new.get(key)
        if now is None:
            yield "quality-removed", "major", "loosens", f"the quality rule `{key}` is gone"
            continue
        before, after = ({b: r[b] for b in BOUNDS if b in r} for r in (rule, now))
        if any(rule.get(part) != now.get(part) for part in _MEASURED):
            yield "quality-changed", "minor", "undetermined", f"the quality rule `{key}` measures something else"
            continue
        if before.keys() != after.keys():
            text = f"the quality rule `{key}` goes from {_bounds(before)} to {_bounds(after)}"
            yield "quality-changed", "minor", "undetermined", text
            continue
        for bound in before:
            if before[bound] != after[bound]:
                text = f"the quality rule `{key}` goes from {bound} {_word(before[bound])} to {_word(after[bound])}"
                counted = bound == "mustBe" and rule.get("metric") in _FLAWS
                option = "mustBeLessOrEqualTo" if counted else bound
                yield _moved("quality", option, before[bound], after[bound], text)
    for key in new:
        if key not in old:
            yield "quality-added", "minor", "tightens", f"the quality rule `{key}` is new"


def _moved(kind: str, option: str, before: Any, after: Any, text: str) -> Part:
    """A bound that moved: outwards it loosens."""
    was, now = (_span(v) if option == "mustBeBetween" else None for v in (before, after))
    if was is not None and now is not None:
        (low, high), (least, most) = was, now
        if least <= low and most >= high:
            return f"{kind}-loosened", "major", "loosens", text
        if least >= low and most <= high:
            return f"{kind}-tightened", "minor", "tightens", text
    one, other = _number(before), _number(after)
    if one is None or other is None or option not in _UPPER | _LOWER:
        return f"{kind}-changed", "minor", "undetermined", text
    if (other > one) == (option in _UPPER):
        return f"{kind}-loosened", "major", "loosens", text
    return f"{kind}-tightened", "minor", "tightens", text


def _number(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _span(value: Any) -> tuple[Decimal, Decimal] | None:
    """The two ends of a range; None where it is no range."""
    ends = [_number(v) for v in value] if isinstance(value, list) else []
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _word(value: Any) -> str:
    return "none" if value is None else str(value)


def _bounds(bounds: Mapping[str, Any]) -> str:
    return " and ".join(f"{bound} {value}" for bound, value in bounds.items()) or "no bound"


def _words(values: list[Any]) -> str:
    return ", ".join(map(str, values))
