"""Small policies that ask for more than there is: compiling ends, and evaluating ends in a value or at a limit."""

from __future__ import annotations

import pytest

from policy_lang.engine import compile_program
from policy_lang.runtime.limits import Limits
from policy_lang.source import Source

LIMITS = Limits(seconds=2, memory=512 << 20, output=1_000_000)
DOUBLED = "; ".join(f"x{i + 1} := [x{i}, x{i}]" for i in range(40))
GROWN = "; ".join(f"x{i + 1} := array.concat(x{i}, x{i})" for i in range(40))
SQUARED = "; ".join(f"x{i + 1} := x{i} * x{i}" for i in range(30))
ENDLESS = {
    "an answer of shared parts": f"p := x40 if {{ x0 := [1, 2]; {DOUBLED} }}",
    "a set of shared parts": f"p := {{x40}} if {{ x0 := [1, 2]; {DOUBLED} }}",
    "a text of shared parts": f"p := json.marshal(x40) if {{ x0 := [1, 2]; {DOUBLED} }}",
    "a walk over shared parts": f"p := count([1 | walk(x40)]) if {{ x0 := [1, 2]; {DOUBLED} }}",
    "doubled arrays": f"p := count(x40) if {{ x0 := [1, 2]; {GROWN} }}",
    "squared numbers": f"p := x30 if {{ x0 := 123456789012345678901234567890; {SQUARED} }}",
    "a range": "p := count(numbers.range(1, 1000000000))",
    "a network": 'p := count(net.cidr_expand("::/0"))',
    "nested loops": "p := count([1 | some a in r; some b in r; some c in r]) if r := numbers.range(1, 9999)",
    "a schema that is itself": 'p := json.match_schema({"a": 1}, {"$ref": "#"})',
}
ENDED = {
    "a shift": "p := bits.lsh(1, 1000000000)",
    "a width": 'p := sprintf("%1000000000d", [1])',
    "a schema in a file": 'p := json.match_schema({"a": 1}, {"$ref": "file:///etc/passwd"})',
    "a schema in the network": 'p := json.match_schema({"a": 1}, {"$ref": "http://127.0.0.1:1/x.json"})',
    "brackets in JSON": 'p := json.unmarshal(concat("", ["[" | some i in numbers.range(1, 100000)]))',
    "aliases in YAML": 'p := yaml.unmarshal("&a [*a]")',
    "repetitions": 'p := regex.match("((a{1,100}){1,100}){1,100}", "a")',
}


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_what_has_no_end_ends_at_a_limit(body: str) -> None:
    compiled = compile_program([Source("p.rego", f"package t\n\n{body}\n")])
    assert compiled.value is not None, compiled.diagnostics
    found = compiled.value.eval_path(("t", "p"), limits=LIMITS)
    assert [one.code for one in found.diagnostics] == ["floe_limit_error"]
    place = found.diagnostics[0].span
    assert place is not None
    assert body.startswith("p := x") or (place.file, place.line) == ("p.rego", 3)


@pytest.mark.parametrize("body", ENDED.values(), ids=ENDED)
def test_what_is_refused_is_an_error_of_its_builtin(body: str) -> None:
    compiled = compile_program([Source("p.rego", f"package t\n\n{body}\n")])
    assert compiled.value is not None, compiled.diagnostics
    found = compiled.value.eval_path(("t", "p"), limits=LIMITS, strict_builtin_errors=True)
    assert all(one.code in ("eval_builtin_error", "floe_limit_error") for one in found.diagnostics)
