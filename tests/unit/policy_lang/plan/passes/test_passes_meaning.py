"""Every pass keeps the meaning of a program: it may be left out, and all others may, with the same answers."""

from __future__ import annotations

from typing import Any

import pytest

from policy_lang import compiling
from policy_lang.engine import CompileOptions, compile_program
from policy_lang.plan.passes import PASSES, optimise
from policy_lang.plan.verify import problems
from policy_lang.runtime.values import UNDEFINED, to_json
from policy_lang.source import Source

PROGRAM = """package t

cfg := input.config

valid(m) if m.owner in cfg.owners

label(m) := sprintf("%s/%s", [m.layer, m.name])

pick(x) := "big" if x > 2 else := "small" if x > 1

by_layer[m.layer] contains m.name if some m in input.models

first := {n: m.layer | some m in input.models; n := m.name}

deny contains {"id": "A", "name": m.name} if {
	some m in input.models
	not valid(m)
}

deny contains {"id": "B", "name": label(m), "column": c} if {
	some m in input.models
	some c in m.columns
	c in cfg.forbidden
}

deny contains {"id": "C", "name": m.name, "other": first[d]} if {
	some m in input.models
	some d in m.uses
	cfg.rank[first[d]] > cfg.rank[m.layer]
}

deny contains {"id": "D", "name": m.name} if {
	some m in input.models
	count({c | some c in m.columns} & {f | some f in cfg.forbidden}) == 0
	not m.meta.ok
}

deny contains {"id": "E", "name": m.name, "twin": n.name} if {
	some m in input.models
	some n in input.models
	m.owner == n.owner
	m.name < n.name
}

deny contains {"id": "F", "name": m.name, "rank": object.get(cfg.rank, m.layer, "none")} if {
	some i, m in input.models
	i > 0
	every c in m.columns { c != "x" }
}

# Several clauses and branches, each with loops and what can be moved out of them, of other types.
several(m) := "listed" if {
	some c in m.columns
	c in cfg.forbidden
} else := [o | some o in cfg.owners; some c in m.columns; o != c] if m.owner

several(m) := count(m) if {
	some r in cfg.rank
	m == [r, cfg.rank]
}

kinds := [several(m) | some m in input.models]

chosen := x if {
	some x in cfg.rank
	x > 1
} else := {k: v | some k, v in cfg.rank; some o in cfg.owners; k != o} if {
	some m in input.models
	m.layer == cfg.owners
} else := [v | some m in input.models; some v in cfg.owners; v != m.name]

sizes contains pick(count(m.columns)) if some m in input.models

deep[m.layer][m.name] := count(m.columns) if some m in input.models

mocked := n if n := count(deny) with input.config.owners as ["ann", "bob", "eve"]
"""

MODELS: list[Any] = [
    {"name": "a", "layer": "raw", "owner": "ann", "columns": ["x", "y"], "uses": ["b"], "meta": {"ok": True}},
    {"name": "b", "layer": "top", "owner": "bob", "columns": ["z"], "uses": ["a", "nobody"], "meta": {}},
    {"name": "c", "layer": "odd", "columns": [], "uses": []},
    {"name": "d", "layer": "raw", "owner": "ann", "columns": ["z", "z", "y"], "uses": ["b", 7, True]},
    {"name": "e", "layer": 3, "owner": ["ann"], "columns": {"k": "x"}, "uses": None, "meta": [1]},
    {"name": "f", "layer": True, "owner": ["ann"], "columns": "text"},
    "not a model",
    7,
    None,
    [],
]
CONFIG = {"owners": ["ann", "eve"], "forbidden": ["x"], "rank": {"raw": 1, "top": 2}}
INPUTS: list[Any] = [
    {"config": CONFIG, "models": MODELS},
    {"config": CONFIG, "models": {"k": MODELS[0], "l": MODELS[1]}},
    {"config": {"owners": "ann", "forbidden": {"a": "x"}, "rank": [1, 2]}, "models": MODELS},
    {"models": MODELS},
    {"config": CONFIG, "models": []},
    {"config": CONFIG},
    {},
    [],
    "text",
]


def answers(without: frozenset[str]) -> list[str]:
    compiled = compile_program([Source("p.rego", PROGRAM)], CompileOptions(without=without))
    program = compiled.value
    assert program is not None, compiled.diagnostics
    found = []
    for given in INPUTS:
        for name in ("deny", "by_layer", "first", "sizes", "deep", "mocked", "kinds", "chosen"):
            value = program.eval_path(("t", name), input=given)
            found.append(to_json(value.value) if value.ok and value.value is not None else str(value.diagnostics))
    return found


@pytest.fixture(scope="module")
def plain() -> list[str]:
    return answers(frozenset(PASSES))


@pytest.mark.parametrize("left_out", [None, *PASSES])
def test_a_pass_may_be_left_out(left_out: str | None, plain: list[str]) -> None:
    assert answers(frozenset([left_out] if left_out else [])) == plain


@pytest.mark.parametrize("only", list(PASSES))
def test_a_pass_may_run_alone(only: str, plain: list[str]) -> None:
    assert answers(frozenset(PASSES) - {only}) == plain


@pytest.mark.parametrize("through", range(len(PASSES) + 1))
def test_every_pass_leaves_a_plan(through: int) -> None:
    parsed = compiling.parsed([Source("p.rego", PROGRAM)]).value
    assert parsed is not None
    front = compiling.front(parsed, CompileOptions()).value
    assert front is not None
    left_out = frozenset(list(PASSES)[through:])
    assert problems(optimise(front.plan, left_out)) == []


def test_the_program_has_something_to_say(plain: list[str]) -> None:
    assert sum('"id"' in text for text in plain) >= 4


LITERALS = """package t

p contains [m.name, found] if {
	some m in input.models
	found := [of.name | some of in [m, {"name": null}, {"name": "x"}, 1, [2], null]; is_string(of.name)]
}

q contains m.name if {
	some m in input.models
	not bad(m)
	[i | some i, x in ["raw", m.layer]; x == m.layer][0] == 0
}

bad(m) if {
	some word in ["x", m.owner, 3]
	word in m.columns
}

r contains [m.name, concat(" ", array.concat(["a"], array.concat([m.name], [y | some y in [m.layer, "z"]])))] if {
	some m in input.models
	every c in [m.name, "b"] { c != "d" }
}

s contains {k: v | some x in [["a", m.name], ["b", 2]]; [k, v] = x} if some m in input.models

u contains {"a": m.name, "n": [x | some x in [x | some x in [m, 1]; x != m]]} if some m in input.models

w contains [m.name, $"{[x | some x in [m.layer, "y"]]} of {m.owner}"] if some m in input.models
"""


@pytest.mark.parametrize("left_out", ["unroll", "fold", "share", "hoist"])
def test_loops_over_what_stands_in_the_policy_may_be_unrolled(left_out: str) -> None:
    found = []
    for without in (frozenset(), frozenset([left_out]), frozenset(PASSES)):
        program = compile_program([Source("p.rego", LITERALS)], CompileOptions(without=without)).value
        assert program is not None
        values = [program.eval_path(("t", name), input=given).value for name in "pqrsuw" for given in INPUTS]
        found.append([to_json(value) for value in values])
    assert found[0] == found[1] == found[2]
    assert '"x"' in found[0][0]


TEXTS = """package t

rank(x) := 1 if x == "a"

rank(x) := 2 if x == "b"

rank("c") := 3

rank(x) := 3 if { x == "c"; count(x) == 1 }

rank("d") := 4

rank(x) := 5 if is_number(x)

small(x) if "a" == x

small(x) if x == "b"

small("c")

small(x) if x == "d"

small(7)

chosen := "A" if input.models[0].name == "a"

chosen := "B" if input.models[0].name == "b"

chosen := "C" if input.models[0].name == "c"

chosen := "D" if input.models[0].name == "d"

p contains [m.name, rank(m.name)] if some m in input.models

p contains [m.name, "small"] if { some m in input.models; small(m.name) }

p contains [m.layer, "low"] if { some m in input.models; not small(m.layer) }

q contains ["raw", m.name] if { some m in input.models; m.layer == "raw"; m.owner }

q contains ["top", m.name] if { some m in input.models; m.layer == "top" }

q contains ["odd", m.name, c] if { some m in input.models; m.layer == "odd"; some c in ["x", "y"] }

q contains ["raw again", m.name] if { some m in input.models; m.layer == "raw" }

q contains ["none", m.name] if { some m in input.models; m.layer == "none" }

q contains ["any", m.name] if { some m in input.models; m.layer != "raw" }

conflict(x) := 1 if x == "a"

conflict(x) := 2 if x in ["a", "b"]

conflict(x) := 3 if x == "b"

conflict(x) := 4 if x == "c"

conflict(x) := 5 if x == "d"

r contains conflict(m.name) if some m in input.models
"""


@pytest.mark.parametrize("left_out", ["index", "fuse", "inline", "share", "hoist"])
def test_rules_that_ask_for_texts_may_be_looked_up(left_out: str) -> None:
    found = []
    for without in (frozenset(), frozenset([left_out]), frozenset(PASSES)):
        program = compile_program([Source("p.rego", TEXTS)], CompileOptions(without=without)).value
        assert program is not None
        assert ("SWITCH" in program.source) is ("index" not in without)
        answers = [
            program.eval_path(("t", name), input=given) for name in ("p", "q", "r", "chosen") for given in INPUTS
        ]
        shown = [str(a.diagnostics[0].code) if not a.ok else a.value for a in answers]
        found.append([repr(one) if one is UNDEFINED else to_json(one) for one in shown])
    assert found[0] == found[1] == found[2]
    assert to_json("eval_conflict_error") in found[0]


QUESTIONS = """package t

a contains m.name if { some m in input.models; count([c | some c in m.columns; c == "x"]) > 0 }

b contains m.name if { some m in input.models; count({c | some c in m.columns; c != "x"}) == 0 }

c contains m.name if { some m in input.models; 0 < count([1 | some c in m.columns; c != m.name]) }

d contains m.name if { some m in input.models; 1 > count([c | some c in m.uses]) }

e contains m.name if { some m in input.models; count([c | some c in m.uses; some k in m.columns; c != k]) != 0 }

f contains m.name if { some m in input.models; count([c | some c in m.columns]) > 1 }

g contains [m.name, n] if { some m in input.models; n := count([c | some c in m.columns; c == "y"]); n > 0 }

h contains m.name if { some m in input.models; not count([c | some c in m.columns]) <= 0 }

i contains m.name if { some m in input.models; count([c | some c in m.columns; startswith(c, "x")]) >= 1 }
"""


@pytest.mark.parametrize("left_out", ["early", "aggregate", "hoist", "inline"])
def test_where_some_member_is_asked_for_the_first_may_do(left_out: str) -> None:
    found = []
    for without in (frozenset(), frozenset([left_out]), frozenset(PASSES)):
        program = compile_program([Source("p.rego", QUESTIONS)], CompileOptions(without=without)).value
        assert program is not None
        answers = [program.eval_path(("t", name), input=given).value for name in "abcdefghi" for given in INPUTS]
        found.append([to_json(answer) for answer in answers])
    assert found[0] == found[1] == found[2]


def test_an_error_in_a_later_member_is_found() -> None:
    program = compile_program([Source("p.rego", QUESTIONS)]).value
    assert program is not None
    given = {"models": [{"name": "a", "columns": ["x", 1]}]}
    assert (
        program.eval_path(("t", "i"), input=given, strict_builtin_errors=True).diagnostics[0].code == "eval_type_error"
    )
    assert "break" in program.source
