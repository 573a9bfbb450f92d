"""A policy that runs away ends in a diagnostic with its place."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from policy_lang.diagnostics import Diagnostic
from policy_lang.engine import Program, compile_program
from policy_lang.policies import load_policies
from policy_lang.runtime.limits import Limits, check_output
from policy_lang.runtime.support import EvalError
from policy_lang.runtime.values import RegoObject, RegoSet, freeze, thaw
from policy_lang.source import Source

LOOPS = """package t

xs := numbers.range(1, 300)

fine := count([1 | some x in xs; x > 1])

slow := count([1 | some x in xs; some y in xs; some z in xs; some w in xs; x + y == z * w])

wide := [[x, y, z] | some x in xs; some y in xs; some z in xs]

called(x) := y if {
\ty := x + 1
\ty > 0
\tsome z in xs
\tz == y
}

calls := [called(x) | some x in xs]
"""


def program(text: str = LOOPS) -> Program:
    found = compile_program([Source("p.rego", text)])
    assert found.value is not None, found.diagnostics
    return found.value


def problem(name: str, limits: Limits, *, text: str = LOOPS, input: Any = None) -> Diagnostic:
    found = program(text).eval_path(("t", name), input=input, limits=limits)
    (only,) = found.diagnostics
    return only


def line(name: str) -> int:
    return next(n for n, text in enumerate(LOOPS.splitlines(), 1) if text.startswith(f"{name} :="))


def test_time_ends_an_evaluation_where_it_is() -> None:
    before = time.monotonic()
    found = problem("slow", Limits(seconds=0.2))
    assert time.monotonic() - before < 10
    assert found.code == "floe_limit_error"
    assert "0.2 s" in found.message
    assert found.span is not None
    assert (found.span.file, found.span.line) == ("p.rego", line("slow"))


def test_time_ends_an_evaluation_in_another_thread() -> None:
    found: list[Diagnostic] = []
    thread = threading.Thread(target=lambda: found.append(problem("slow", Limits(seconds=0.1))))
    thread.start()
    thread.join(30)
    assert [d.code for d in found] == ["floe_limit_error"]


def test_a_limit_of_time_leaves_no_thread_and_no_exception_behind() -> None:
    at = program()
    for _ in range(20):
        assert at.eval_path(("t", "fine"), limits=Limits(seconds=5.0)).value == 299
    time.sleep(0.05)
    assert threading.active_count() < 5


def test_steps_end_an_evaluation_where_it_is() -> None:
    found = problem("slow", Limits(steps=10_000))
    assert (found.code, found.span and found.span.line) == ("floe_limit_error", line("slow"))


def test_steps_that_suffice_change_nothing() -> None:
    at = program()
    assert at.eval_path(("t", "fine"), limits=Limits(steps=1_000)).value == 299
    assert at.eval_path(("t", "fine"), limits=Limits(steps=200)).value is None
    assert len(at.eval_path(("t", "calls"), limits=Limits(steps=10**6)).value) == 299


def test_queries_count_their_steps_too() -> None:
    at = program()
    assert at.eval_query("some x in data.t.xs; some y in data.t.xs", limits=Limits(steps=1_000)).value is None
    assert at.eval_query("x = count(data.t.xs)", limits=Limits(steps=1_000)).value == ({"x": 300},)


def test_steps_go_on_under_with() -> None:
    text = LOOPS + "\nunder := n if n := count([1 | some x in xs; slow == x with input as x])\n"
    assert problem("under", Limits(steps=20_000), text=text).code == "floe_limit_error"


def test_memory_ends_an_evaluation() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    found = problem("wide", Limits(memory=200_000_000, seconds=60))
    assert found.code == "floe_limit_error"
    assert "memory" in found.message
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_memory_may_not_suffice_for_the_thread_that_watches_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    found = problem("wide", Limits(memory=200_000_000, seconds=60))
    assert found.code == "floe_limit_error"
    assert "memory" in found.message


def test_an_answer_may_be_too_large() -> None:
    at = program()
    assert at.eval_path(("t", "xs"), limits=Limits(output=301)).ok
    (found,) = at.eval_path(("t", "xs"), limits=Limits(output=300)).diagnostics
    assert found.code == "floe_limit_error"


def counted(value: Any) -> int:
    """The values in an answer, as docs say it: all that is inside, and one more for each thousand characters."""
    if isinstance(value, str):
        return 1 + len(value) // 1000
    if isinstance(value, RegoObject):
        return 1 + sum(counted(thaw(key)) + counted(one) for key, one in value.items())
    if isinstance(value, dict):
        return 1 + sum(map(counted, value.values()))
    return 1 + sum(map(counted, value)) if isinstance(value, list | tuple) else 1


@pytest.mark.parametrize(
    "value",
    [
        1,
        "x" * 2999,
        [],
        [1, [2, "x" * 1000], {"a": None, "b": [True, "x" * 999]}],
        RegoSet.of([1, "two", ["three", 3]]),
        RegoObject({freeze([1, 2]): "x" * 5000, freeze(1): {"a": 1}}),
        ([["x" * 1001]], {"a": {"b": {"c": ["x" * 4000, 1]}}}),
    ],
)
def test_all_that_is_in_an_answer_counts(value: Any) -> None:
    size = counted(value)
    check_output(value, size)
    with pytest.raises(EvalError):
        check_output(value, size - 1)


def test_data_may_be_nested_too_deep() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    found = problem("p", Limits(), text="package t\np contains x if some x in input\n", input=[deep])
    assert found.code == "floe_limit_error"
    assert found.span is not None
    assert found.span.line == 2
    while deep:  # Python frees nested lists by recursion
        deep = deep.pop()


def test_policies_have_limits() -> None:
    text = """package t
policy endless {
\tid T1
\ttitle "Never done"
\tseverity block
\tfor x in input.xs
\trequire count([1 | some a in input.xs; some b in input.xs; some c in input.xs; a + b == c + x]) < 0
\tmessage "x"
}
"""
    policies = load_policies([Source("p.floe", text)]).value
    assert policies is not None
    ran = policies.run({"xs": list(range(300))}, limits=Limits(seconds=0.2))
    assert ran.value is None
    assert [d.code for d in ran.diagnostics] == ["floe_limit_error"]
    assert ran.diagnostics[0].span is not None
    assert ran.diagnostics[0].span.file == "p.floe"
