"""Where the order of solutions shows, it is Rego's order of the keys, as in OPA."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.values import from_json, to_json
from policy_lang.source import Source

POLICY = """package p

members contains x if some x in ["z", "y", "x"]

keyed[k] := 1 if some k in ["z", "y"]

listed(o) := [k | some k, _ in o]

deep := [[a, b, c] |
	some a in {2, 1}
	some b, _ in {"n": 1, "m": 2}
	some c in {"w": {"v": 1, "u": 0}}.w
]
"""
INPUT = from_json('{"o": {"z": 1, "b": 2, "a": 3}, "s": ["q", "p"]}')


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ('[x | some x in {"b", "", "a"}]', '["","a","b"]'),
        ("[v | some _, v in input.o]", "[3,2,1]"),
        ("[k | some k, _ in input.o]", '["a","b","z"]'),
        ("[v | v := input.o[_]]", "[3,2,1]"),
        ("[v | input.o[k]; v := k]", '["a","b","z"]'),
        ("[x | some x in data.p.members]", '["x","y","z"]'),
        ("[k | data.p.keyed[k]]", '["y","z"]'),
        ("data.p.listed(input.o)", '["a","b","z"]'),
        ("[k | some k in object.keys(input.o)]", '["a","b","z"]'),
        ("[k | some k, _ in {[2]: 1, [1]: 1, 3: 1, null: 1}]", "[null,3,[1],[2]]"),
        ("[x | some x in input.s]", '["q","p"]'),
        ('[p | walk({"b": 1, "a": {3, 2}}, [p, _])]', '[[],["a"],["a",2],["a",3],["b"]]'),
        ('concat(",", [k | some k, _ in input.o])', '"a,b,z"'),
        (
            "data.p.deep",
            '[[1,"m",0],[1,"m",1],[1,"n",0],[1,"n",1],[2,"m",0],[2,"m",1],[2,"n",0],[2,"n",1]]',
        ),
    ],
)
def test_array_comprehensions_follow_the_order_of_keys(term: str, value: str) -> None:
    program = compile_program([Source("p.rego", POLICY)]).value
    assert program is not None
    found = program.eval_query(f"x = {term}", input=INPUT)
    assert found.value is not None, found.diagnostics
    assert [to_json(answer["x"]) for answer in found.value] == [value]


def test_answers_of_a_query_follow_the_order_of_keys() -> None:
    program = compile_program([]).value
    assert program is not None
    found = program.eval_query("input.o[k] = v", input=INPUT)
    assert found.value is not None
    assert [answer["k"] for answer in found.value] == ["a", "b", "z"]
