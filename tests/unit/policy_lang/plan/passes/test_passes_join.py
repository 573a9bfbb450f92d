"""Hash joins: the plan has them where they may be, and they keep Rego's equality."""

from __future__ import annotations

import time
from typing import Any

import pytest

from policy_lang.engine import CompileOptions, Program, compile_program
from policy_lang.runtime.values import to_json
from policy_lang.source import Source

HEAD = "package t\n"
TWINS = (
    "p contains [m.name, n.name] if {\n\tsome m in input.ms\n\tsome n in input.ms\n\tm.k == n.k\n\tm.name < n.name\n}\n"
)


def program(text: str, without: frozenset[str] = frozenset()) -> Program:
    found = compile_program([Source("p.rego", HEAD + text)], CompileOptions(without=without))
    assert found.value is not None, found.diagnostics
    return found.value


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        (TWINS, True),
        ("p := [n | some m in input.ms; n := count([1 | some o in input.ms; o.k == m.k])]", True),
        (
            "p contains m.name if { some m in input.ms; not known(m) }\n"
            "known(m) if { some o in input.os; o.id == m.k }",
            True,
        ),
        ("p contains m.name if { some m in input.ms; some i; input.os[i].id == m.k }", True),
        ("p contains o.id if { some o in input.os; o.id == 1 }", False),
        ("p contains [m, c] if { some m in input.ms; some c in m.cs; c.k == m.k }", False),
        ("p contains [m, o] if { some m in input.ms; some o in input.os; o.a == o.b }", False),
        ("p contains [m, o] if { some m in input.ms; some o in input.os; o.a != m.a }", False),
    ],
)
def test_where_there_is_a_join(text: str, joined: bool) -> None:
    assert ("build_index(" in program(text).source) is joined


VALUES: list[Any] = [1, True, "1", None, [1], {"a": 1}, 1, "x", False, 0, [], {}]


@pytest.mark.parametrize(
    "text",
    [
        TWINS,
        "p := [n | some m in input.ms; n := count([1 | some o in input.ms; o.k == m.k])]",
        "p := [[i, j] | some i, m in input.ms; some j, n in input.ms; n.k == m.k]",
        "p := [[m.name, j] | some m in input.ms; some j, n in input.os; n.k == m.k; n.ok]",
        "p := {m.name | some m in input.ms; not some_twin(m)}\nsome_twin(m) if { some n in input.os; n.k == m.k }",
    ],
)
def test_the_answers_are_those_of_loops(text: str) -> None:
    members = [{"name": f"n{i}", "k": k} for i, k in enumerate(VALUES)] + [{"name": "none"}, 7, None]
    others = {f"o{i}": {"k": k, "ok": i % 2 == 0} for i, k in enumerate(reversed(VALUES))}
    for given in (
        {"ms": members, "os": others},
        {"ms": [], "os": {}},
        {"ms": members},
        {"ms": {"a": members[0]}, "os": 1},
    ):
        answers = []
        for without in (frozenset(), frozenset(["join"])):
            found = program(text, without).eval_path(("t", "p"), input=given)
            assert found.ok
            answers.append(to_json(found.value))
        assert answers[0] == answers[1]


def test_a_join_is_not_quadratic() -> None:
    at = program(TWINS)

    def cost(n: int) -> float:
        given = {"ms": [{"name": f"n{i}", "k": i // 2} for i in range(n)]}
        before = time.process_time()
        assert len(at.eval_path(("t", "p"), input=given).value) == n // 2
        return time.process_time() - before

    cost(1000)
    assert cost(16_000) < 60 * max(cost(1_000), 0.001)
