"""Laws of the values: freezing keeps equality, the order is total, JSON comes back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy_lang.runtime import values as v

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=1, min_value=-9, max_value=9),
    st.text(alphabet="ab1", max_size=2),
)
rego = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(v.RegoSet.of),
        st.lists(st.tuples(inner, inner), max_size=3).map(v.make_object),
    ),
    max_leaves=6,
)
plain_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@given(rego, rego)
def test_freezing_keeps_equality(left: v.Value, right: v.Value) -> None:
    assert v.equal(left, right) == (v.freeze(left) == v.freeze(right))
    if v.equal(left, right):
        assert hash(v.freeze(left)) == hash(v.freeze(right))


@given(rego)
def test_thawing_undoes_freezing(value: v.Value) -> None:
    assert v.equal(v.thaw(v.freeze(value)), value)


@given(rego, rego, rego)
def test_the_order_is_total(a: v.Value, b: v.Value, c: v.Value) -> None:
    assert (v.compare(a, b) == 0) == v.equal(a, b)
    assert (v.compare(a, b) > 0) == (v.compare(b, a) < 0)
    if v.compare(a, b) <= 0 and v.compare(b, c) <= 0:
        assert v.compare(a, c) <= 0


@given(st.lists(rego))
def test_a_set_holds_equal_elements_once(elements: list[v.Value]) -> None:
    made = v.RegoSet.of(elements)
    assert all(v.freeze(e) in made for e in elements)
    assert sum(any(v.equal(e, f) for f in elements) for e in made.values()) == len(made)


@given(plain_json)
def test_json_comes_back(value: Any) -> None:
    assert v.equal(v.from_json(v.to_json(value)), v.from_python(value))
    assert json.loads(v.to_json(value, indent=2)) == value


def test_true_is_not_one_but_one_is_one_point_nought() -> None:
    assert len(v.RegoSet.of([True, 1, Decimal("1.0"), "1"])) == 3
    assert not v.equal([True], [1])
    assert v.equal({"a": 1}, {"a": Decimal("1.0")})


def test_types_stand_in_regos_order() -> None:
    ordered: list[v.Value] = [None, False, True, -1, 2, "a", [], [1], {}, {"a": 1}, v.RegoSet(), v.RegoSet.of([1])]
    assert v.sorted_values(reversed(ordered)) == ordered
    names = ["null", "boolean", "boolean", "number", "number", "string", "array", "array", "object", "object"]
    assert list(map(v.type_name, ordered)) == [*names, "set", "set"]


def test_numbers_keep_the_digits_as_written() -> None:
    assert v.to_json(v.from_json('[1.10, 3.0, 123456789012345678901234567890, "x"]')) == (
        '[1.10,3.0,123456789012345678901234567890,"x"]'
    )


def test_json_of_what_json_lacks() -> None:
    value = v.make_object([([1], v.RegoSet.of(["b", "a"])), ("k", None)])
    assert v.to_json(value) == '{"[1]":["a","b"],"k":null}'
    assert next(iter(v.object_items(value)))[0] == [1]
    assert list(v.object_items({"a": 1})) == [("a", 1)]


def test_python_values_are_taken_over() -> None:
    taken = v.from_python({"t": (1, 2.5, 3.0), "s": {True}})
    assert taken["t"] == [1, Decimal("2.5"), 3]
    assert type(taken["s"]) is v.RegoSet
