"""Comparison, membership, and the operators that work on numbers and on sets."""

from __future__ import annotations

from typing import Any

from policy_lang.runtime.builtins.numbers import arithmetic
from policy_lang.runtime.builtins.registry import builtin
from policy_lang.runtime.values import RegoObject, RegoSet, compare, equal, freeze


@builtin("equal", "any", "any")
def equals(left: Any, right: Any) -> bool:
    return equal(left, right)


@builtin("neq", "any", "any")
def differs(left: Any, right: Any) -> bool:
    return not equal(left, right)


@builtin("lt", "any", "any")
def less(left: Any, right: Any) -> bool:
    return compare(left, right) < 0


@builtin("lte", "any", "any")
def less_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right) <= 0


@builtin("gt", "any", "any")
def greater(left: Any, right: Any) -> bool:
    return compare(left, right) > 0


@builtin("gte", "any", "any")
def greater_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right) >= 0


@builtin("internal.member_2", "any", "any")
def member(value: Any, collection: Any) -> bool:
    """``value in collection``; false where the collection is none."""
    kind = type(collection)
    if kind is list:
        return any(equal(value, item) for item in collection)
    if kind is RegoSet:
        return freeze(value) in collection
    if kind is dict or kind is RegoObject:
        return any(equal(value, item) for item in collection.values())
    return False


@builtin("internal.member_3", "any", "any", "any")
def member_at(key: Any, value: Any, collection: Any) -> bool:
    """``key, value in collection``; false where the collection is none."""
    kind = type(collection)
    if kind is list:
        integral = type(key) is not bool and compare(key, 0) >= 0 and compare(key, len(collection)) < 0
        return integral and key == int(key) and equal(collection[int(key)], value)
    if kind is RegoSet:
        return equal(key, value) and freeze(key) in collection
    if kind is dict or kind is RegoObject:
        frozen = freeze(key)
        return frozen in collection and equal(collection[frozen], value)
    return False


@builtin("minus", "number|set", "number|set")
def minus(left: Any, right: Any) -> Any:
    if type(left) is RegoSet and type(right) is RegoSet:
        return RegoSet((key, item) for key, item in left.items() if key not in right)
    return arithmetic("minus", left, right)


@builtin("and", "set", "set")
def intersection(left: RegoSet, right: RegoSet) -> RegoSet:
    return RegoSet((key, item) for key, item in left.items() if key in right)


@builtin("or", "set", "set")
def union(left: RegoSet, right: RegoSet) -> RegoSet:
    made = RegoSet(left)
    made.update((key, item) for key, item in right.items() if key not in left)
    return made
