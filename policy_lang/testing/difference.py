"""The violations that a case expects against those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from policy_lang.runtime.support import get
from policy_lang.runtime.values import to_json
from policy_lang.syntax import ast

Found = dict[str, Any]


def difference(
    case: ast.TestCase, terms: dict[str, Any], violations: Sequence[Found], subjects: int
) -> tuple[str, ...]:
    """Lines that say what differs; none where the case holds. `-` is missing, `+` is too much."""
    shown = tuple(f"+ found    {_shown(v)}" for v in violations)
    if case.outcome == "skip":
        return ((f"expected no subject, {subjects} checked",) if subjects else ()) + shown
    if not subjects and not violations:
        return ("no subject was checked",)
    if case.outcome == "pass":
        return ("expected no violation", *shown) if shown else ()
    wanted = [(terms.get(f"at_{n}"), terms.get(f"message_{n}")) for n in range(len(case.expects))]
    if not violations:
        return ("expected a violation, found none", *(f"- expected {_wanted(*w)}" for w in wanted))
    if not wanted:
        return ()
    partner = _paired(wanted, violations, terms["input"])
    if len(partner) == len(wanted) == len(violations):
        return ()
    missing = [f"- expected {_wanted(*w)}" for n, w in enumerate(wanted) if n not in partner.values()]
    surplus = [line for n, line in enumerate(shown) if n not in partner]
    met = [f"  met      {_shown(violations[n])}" for n in sorted(partner)]
    return (*met, *missing, *surplus)


def _paired(wanted: Sequence[tuple[Any, Any]], violations: Sequence[Found], given: Any) -> dict[int, int]:
    """As many violations as can be with an expectation of their own: violation → expectation."""
    partner: dict[int, int] = {}

    def place(expected: int, tried: set[int]) -> bool:
        for number, found in enumerate(violations):
            if number in tried or not _fits(wanted[expected], found, given):
                continue
            tried.add(number)
            if number not in partner or place(partner[number], tried):
                partner[number] = expected
                return True
        return False

    for expected in range(len(wanted)):
        place(expected, set())
    return partner


def _fits(expected: tuple[Any, Any], found: Found, given: Any) -> bool:
    at, message = expected
    return (at is None or _is_at(at, found, given)) and (message is None or str(message) in found["message"])


def _is_at(at: Any, found: Found, given: Any) -> bool:
    """``at`` is the path into the input, or the value at that path, or the name of the subject."""
    if at == found["at"] or at == found["subject"]:
        return True
    value = given
    for part in found["at"]:
        value = get(value, part)
    return bool(value == at or (isinstance(value, dict) and value.get("name") == at))


def _wanted(at: Any, message: Any) -> str:
    parts = [f"at {to_json(at)}"] if at is not None else []
    return " ".join([*parts, f"message {to_json(message)}"] if message is not None else parts)


def _shown(found: Found) -> str:
    return f"at {to_json(found['at'])} message {to_json(found['message'])}"
