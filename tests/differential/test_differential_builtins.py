"""Every builtin over the edges of its arguments answers as a real OPA does, or fails where it fails.

The words of errors are compared for what floec itself says (wrong operands), not for what libraries say.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from builtin_arguments import calls, pool
from opa_server import BINARY, MISSING, Opa, running

from policy_lang.analysis.calls import DEPRECATED
from policy_lang.engine import Program, compile_program
from policy_lang.runtime.limits import Limits
from policy_lang.runtime.values import UNDEFINED, equal, from_json, to_json
from policy_lang.source import Source

DIFFERENT = {
    "crypto.x509.parse_rsa_private_key": "OPA gives null for bytes that hold no key, we fail",
    "format_int": "OPA loses the last bits of a float above 2**64",
    "graphql.schema_is_valid": "OPA takes no set for a schema; ours reads any operand that is no text as a tree",
    "json.verify_schema": "the words for a schema that is none",
    "net.cidr_contains_matches": "OPA takes a first operand of any type for an empty collection",
    "net.cidr_merge": "OPA 1.22.2 loses IPv4 networks beside IPv6 ones",
    "strings.render_template": "OPA reads an object whose keys are no strings as broken JSON",
    "time.add_date": "OPA's years wrap around",
    "yaml.marshal": "OPA's YAML takes what only looks like a date for text",
    "yaml.unmarshal": "OPA takes no null for a key",
}
NO_CALLS = frozenset(("eq", "assign"))
"""Operators of statements."""
PANICS = frozenset(("io.jwt.decode_verify",))
"""OPA's handler dies of an object whose keys are no strings."""
FEW = 12

pytestmark = [pytest.mark.opa, pytest.mark.slow, pytest.mark.skipif(not BINARY.is_file(), reason=MISSING)]
POOL = "package pool\n\nargument := {\n" + ",\n".join(f'  "{name}": {text}' for name, text in pool().items()) + "\n}\n"
Said = tuple[str, Any]


@pytest.fixture(scope="module")
def opa() -> Iterator[Opa]:
    with running({}) as server:
        assert server.request("PUT", "/v1/policies/pool", POOL)[0] == 200
        yield server


def policy(name: str, count: int) -> str:
    args = ", ".join(f"data.pool.argument[input.a[{place}]]" for place in range(count))
    return f"package t\n\nr := {name}({args})\n"


def theirs(opa: Opa, args: tuple[str, ...]) -> Said:
    body = json.dumps({"input": {"a": args}})
    status, said = opa.request("POST", "/v1/data/t/r?strict-builtin-errors=true", body)
    if status == 200:
        return ("value", said["result"]) if "result" in said else ("undefined", None)
    return ("error", said["errors"][0]["code"])


def ours(program: Program, args: tuple[str, ...]) -> Said:
    limits = Limits(seconds=20)
    found = program.eval_path(("t", "r"), input={"a": list(args)}, strict_builtin_errors=True, limits=limits)
    if found.diagnostics:
        return "error", found.diagnostics[0].code
    return ("undefined", None) if found.value is UNDEFINED else ("value", from_json(to_json(found.value)))


def agree(left: Said, right: Said) -> bool:
    if left[0] != right[0]:
        return False
    if left[0] == "error":
        # Of two wrong operands either may be found first.
        return left[1] == right[1] or {left[1], right[1]} <= {"eval_type_error", "eval_builtin_error"}
    return left[0] == "undefined" or bool(equal(left[1], right[1]))


def test_builtins_answer_as_opa_does(opa: Opa) -> None:
    texts, wrong, seen = pool(), {}, 0
    for name, group in itertools.groupby(calls(FEW, 1), key=lambda one: one[0]):
        if name in DEPRECATED | NO_CALLS | PANICS:
            continue
        tuples = [args for _, args in group]
        text = policy(name, len(tuples[0]))
        assert opa.request("PUT", "/v1/policies/t", text)[0] == 200, name
        program = compile_program([Source("p.rego", text), Source("pool.rego", POOL)]).value
        assert program is not None, name
        for args in tuples:
            seen += 1
            want, have = theirs(opa, args), ours(program, args)
            if name not in DIFFERENT and not agree(want, have):
                wrong[f"{name}({', '.join(texts[one] for one in args)})"] = (want, have)
    assert seen > 3000
    assert not wrong, "\n".join(f"{call}: OPA {want}, floec {have}" for call, (want, have) in wrong.items())
