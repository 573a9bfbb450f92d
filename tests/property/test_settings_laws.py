"""Laws of what tiers may set: nothing in force is ever weaker than what a tier above has in force."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from compiler.ir.schema import complete, ir_schema
from compiler.policies.bundles import Bundle
from compiler.policies.settings import _severity, is_stricter
from policy_lang.diagnostics import Severity
from policy_lang.policies import ParamInfo, PolicyInfo
from policy_lang.source import whole_file
from policy_lang.syntax import ast

HERE = whole_file("p.floe")
WORDS = st.sampled_from([None, "off", "notify", "warn", "block"])
TIERS = ("enterprise", "domain", "platform")


def policy(severity: Severity, tags: tuple[str, ...] = ()) -> PolicyInfo:
    return PolicyInfo("acme", "p", "OWN001", "Title", severity, "", "", tags, (), HERE)


def bundles(words: list[str | None], each: int = 1) -> list[Bundle]:
    """``each`` bundles a tier, the topmost first, each with what it says of the policy's severity."""
    made = []
    for tier, word in zip((t for t in TIERS for _ in range(each)), words, strict=False):
        severity = {} if word is None else {"OWN001": word}
        document: Any = SimpleNamespace(data={"policies": [{"severity": severity}]}, span=lambda _: HERE)
        made.append(Bundle("own", tier, ("p.floe",), document))
    return made


@given(st.sampled_from(list(Severity)), st.lists(WORDS, min_size=1, max_size=6), st.booleans())
def test_a_tier_below_never_lowers_a_severity(severity: Severity, words: list[str | None], security: bool) -> None:
    one = policy(severity, ("security",) if security else ())
    ranks = [_severity(one, bundles(words[:count]), [])[0] for count in range(1, min(len(words), 3) + 1)]
    assert ranks == sorted(ranks)
    of_tiers = [_severity(one, bundles(words[:count], 2), [])[0] for count in range(2, len(words) + 1, 2)]
    assert of_tiers == sorted(of_tiers), "however often a tier says something"
    if security:
        assert min(ranks) >= Severity.NOTIFY.rank


@given(st.sampled_from(list(Severity)), st.lists(WORDS, min_size=1, max_size=3))
def test_each_refusal_is_reported_and_only_refusals(severity: Severity, words: list[str | None]) -> None:
    found: list[Any] = []
    rank, _ = _severity(policy(severity), bundles(words), found)
    last = next((w for w in reversed(words) if w is not None), None)
    wanted = severity.rank if last is None else -1 if last == "off" else Severity(last).rank
    if not found:
        assert rank == wanted
    assert all(d.code == "FLC320" for d in found)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=2) | st.integers().map(Decimal)
LISTS = st.lists(st.sampled_from("abc"))
OBJECTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 1))


def param(side: str | None) -> ParamInfo:
    return ParamInfo("x", ast.TypeExpr("any", (), span=HERE), side, HERE)


@given(st.sampled_from(["higher", "lower"]), NUMBERS, NUMBERS, NUMBERS)
def test_stricter_numbers_are_an_order(side: str, a: Decimal, b: Decimal, c: Decimal) -> None:
    _is_an_order(param(side), a, b, c)
    assert is_stricter(param(side), a, b) or is_stricter(param(side), b, a)


@given(st.sampled_from(["larger", "smaller"]), st.tuples(LISTS, LISTS, LISTS) | st.tuples(OBJECTS, OBJECTS, OBJECTS))
def test_stricter_collections_are_an_order(side: str, values: tuple[Any, Any, Any]) -> None:
    _is_an_order(param(side), *values)


@given(NUMBERS, NUMBERS)
def test_what_is_fixed_only_equals_itself_and_what_is_free_goes_anywhere(a: Decimal, b: Decimal) -> None:
    assert is_stricter(param("fixed"), a, b) is (a == b)
    assert is_stricter(param(None), a, b)


def _is_an_order(one: ParamInfo, a: Any, b: Any, c: Any) -> None:
    assert is_stricter(one, a, a)
    if is_stricter(one, a, b) and is_stricter(one, b, c):
        assert is_stricter(one, a, c)


SECTIONS = sorted(name for name, field in ir_schema()["properties"].items() if field.get("type") == "array")


@given(st.dictionaries(st.sampled_from(SECTIONS), st.lists(st.just({}), max_size=2)))
def test_completing_twice_is_completing_once(part: dict[str, Any]) -> None:
    once = complete(part)
    assert once.diagnostics == ()
    assert complete(once.value).value == once.value
