"""The tracing evaluator gives the answers of the engine: there is one meaning, not two."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.values import UNDEFINED, from_json, to_json
from policy_lang.source import Source
from policy_lang.trace.explain import traced_sources
from policy_lang.trace.record import Recorder

PROGRAM = """package p

default level := 1

level := input.level if input.level > 1

parts[name].sizes contains size if {
	some {"name": name, "size": size} in input.parts
}

by_name[part.name] := part.size if some part in input.parts

big(n) := "big" if { n > 3; n < 9 } else := "small" if { n > 1; n < 9 }

big("x") := "text"

pairs contains [a, b] if {
	[a, [b, "x"]] = [1, [input.level, c]]
	c = "x"
}

walked contains path if walk(input.parts, [path, 3])

mocked := x if x := level with input.level as 7

replaced := x if x := big(1) with big as twice

twice(n) := n * 2

none_small if every part in input.parts { not part.size < 1 }

said := $"{by_name.a} {input.none} {{1, 2}}"

odd if { not { some part in input.parts; part.size % 2 == 0 } }

compr := [{k: v | some k, v in by_name}, {x | some x in [3, 3]}, count([1 | input.none])]
"""
INPUT = from_json(
    '{"level": 2, "parts": [{"name": "a", "size": 3}, {"name": "b", "size": 5}, {"name": "b", "size": 5}]}'
)
QUERIES = (
    "data.p.level",
    "data.p.parts",
    "x := data.p.by_name[k]; k > x",
    "data.p.by_name[k] = x",
    'data.p.big([1, 2, 4, "x"][_]) = x',
    "data.p.pairs",
    "data.p.walked",
    "[data.p.mocked, data.p.replaced]",
    "data.p.none_small",
    "data.p.said",
    "data.p.odd",
    "data.p.compr",
    "data.p.nothing",
    "data",
    "1 / 0",
    'x := input.parts[_].name; not x == "a"',
)


@pytest.mark.parametrize("query", QUERIES)
def test_the_answers_are_those_of_the_engine(query: str) -> None:
    source = Source("p.rego", PROGRAM.replace("package p\n", "package p\n\nimport rego.v2\n"))
    program = compile_program([source]).value
    traced = traced_sources([source]).value
    assert program is not None
    assert traced is not None
    engine = program.eval_query(query, input=INPUT, data={"base": 1})
    recorder = Recorder()
    tracer = traced.query(query, recorder, input=INPUT, data={"base": 1})
    assert engine.value is not None, engine.diagnostics
    assert tracer.value is not None, tracer.diagnostics
    assert sorted(map(to_json, engine.value)) == sorted(map(to_json, tracer.value[0]))
    assert recorder.literals


def test_a_strict_error_has_the_place_of_the_call() -> None:
    source = Source("p.rego", "package p\n\nx := y if {\n\ty := 1 / input.zero\n}\n")
    traced = traced_sources([source]).value
    assert traced is not None
    outcome = traced.query("data.p.x", Recorder(), input={"zero": 0}, data={}, strict=True)
    (found,) = outcome.diagnostics
    assert found.code == "eval_builtin_error"
    assert found.span is not None
    assert found.span[:3] == ("p.rego", 4, 7)
    loose = Recorder()
    assert traced.query("x := data.p.x", loose, input=UNDEFINED, data={}).value is not None
    assert not loose.errors
