"""Builtins by the answers and the errors that Rego specifies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from policy_lang.runtime.builtins import REGISTRY, BuiltinError
from policy_lang.runtime.values import UNDEFINED, RegoSet, equal

D = Decimal

ANSWERS: list[tuple[str, list[Any], Any]] = [
    ("plus", [D("0.1"), D("0.2")], D("0.3")),
    ("minus", [RegoSet.of([1, 2]), RegoSet.of([2])], RegoSet.of([1])),
    ("minus", [D("1.5"), D("0.5")], 1),
    ("mul", [D("1.5"), 2], 3),
    ("div", [1, 3], D("0.33333333333333333334")),
    ("div", [6, 3], 2),
    ("rem", [-7, 3], -1),
    ("round", [D("2.5")], 3),
    ("round", [D("-0.5")], -1),
    ("ceil", [D("1.1")], 2),
    ("equal", [1, True], False),
    ("lt", [[1], {}], True),
    ("internal.member_2", ["a", "abc"], False),
    ("internal.member_2", [1, {"a": 1}], True),
    ("internal.member_3", [0, "a", ["a"]], True),
    ("and", [RegoSet.of([1, 2]), RegoSet.of([2, 3])], RegoSet.of([2])),
    ("or", [RegoSet.of([1]), RegoSet.of([2])], RegoSet.of([1, 2])),
    ("to_number", ["1.5"], D("1.5")),
    ("is_array", [[]], True),
    ("is_set", [[]], False),
    ("count", ["äb"], 2),
    ("sum", [[1, D("0.5")]], D("1.5")),
    ("product", [[2, 3]], 6),
    ("max", [[9, 10]], 10),
    ("min", [RegoSet()], UNDEFINED),
    ("sort", [[10, 9, 100]], [9, 10, 100]),
    ("array.slice", [[1, 2, 3], -1, 2], [1, 2]),
    ("array.flatten", [[[1], 2]], [1, 2]),
    ("union", [RegoSet.of([RegoSet.of([1]), RegoSet.of([2])])], RegoSet.of([1, 2])),
    ("intersection", [RegoSet.of([RegoSet.of([1, 2]), RegoSet.of([2])])], RegoSet.of([2])),
    ("object.get", [{"a": {"b": 1}}, ["a", "b"], 0], 1),
    ("object.get", [{"a": [1]}, ["a", 1], 0], 0),
    ("object.filter", [{"a": 1, "b": 2}, ["a"]], {"a": 1}),
    ("object.remove", [{"a": 1, "b": 2}, RegoSet.of(["a"])], {"b": 2}),
    ("object.union", [{"a": {"x": 1}}, {"a": {"y": 2}}], {"a": {"x": 1, "y": 2}}),
    ("object.union_n", [[{"a": 1}, {"a": 2}]], {"a": 2}),
    ("object.subset", [{"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}], True),
    ("object.subset", [[1, 2, 3], [2, 3]], True),
    ("object.keys", [{"a": 1}], RegoSet.of(["a"])),
    ("numbers.range", [2, 0], [2, 1, 0]),
    ("numbers.range_step", [0, 5, 2], [0, 2, 4]),
    ("graph.reachable", [{"a": ["b"], "b": []}, ["a"]], RegoSet.of(["a", "b"])),
    ("json.marshal", [{"a": "<"}], '{"a":"\\u003c"}'),
    ("json.unmarshal", ["[1.10]"], [D("1.10")]),
    ("json.is_valid", ["{"], False),
    ("upper", ["ßa"], "ßA"),
    ("trim", ["xxaxy", "xy"], "a"),
    ("split", ["ab", ""], ["a", "b"]),
    ("concat", [",", RegoSet.of(["b", "a"])], "a,b"),
    ("strings.any_prefix_match", [["ab"], "a"], True),
    ("strings.any_suffix_match", ["ab", RegoSet.of(["a"])], False),
    ("indexof", ["abc", "c"], 2),
    ("substring", ["abc", 1, -1], "bc"),
    ("format_int", [255, 16], "ff"),
    ("regex.match", ["^a$", "a\n"], False),
    ("regex.is_valid", ["("], False),
    ("regex.find_n", ["a.", "abac", -1], ["ab", "ac"]),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), ANSWERS)
def test_answer(name: str, operands: list[Any], wanted: Any) -> None:
    found = REGISTRY[name](*operands)
    assert found is wanted or equal(found, wanted)


ERRORS: list[tuple[str, list[Any], str, str]] = [
    ("count", [None], "eval_type_error", "count: operand 1 must be one of {array, object, set, string} but got null"),
    ("div", [1, 0], "eval_builtin_error", "div: divide by zero"),
    ("rem", [1, 0], "eval_builtin_error", "rem: modulo by zero"),
    ("rem", [D("1.5"), 1], "eval_builtin_error", "rem: modulo on floating-point number"),
    ("minus", [1, RegoSet()], "eval_type_error", "minus: operand 2 must be number but got set"),
    ("array.concat", [[], {}], "eval_type_error", "array.concat: operand 2 must be array but got object"),
    ("substring", ["a", -1, 1], "eval_builtin_error", "substring: negative offset"),
]


@pytest.mark.parametrize(("name", "operands", "code", "message"), ERRORS)
def test_error(name: str, operands: list[Any], code: str, message: str) -> None:
    with pytest.raises(BuiltinError) as caught:
        REGISTRY[name](*operands)
    assert (caught.value.code, str(caught.value)) == (code, message)


def test_walk_gives_the_whole_first() -> None:
    assert list(REGISTRY["walk"]({"a": [1]})) == [[[], {"a": [1]}], [["a"], [1]], [["a", 0], 1]]
