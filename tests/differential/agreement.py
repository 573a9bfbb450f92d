"""What floec answers to a generated program, and whether it is what OPA answered."""

from __future__ import annotations

import json
from typing import Any

from opa_server import Answer
from random_programs import DATA, Program

from policy_lang.engine import compile_program
from policy_lang.runtime.values import UNDEFINED, equal, from_json, to_json
from policy_lang.source import Source


def ours(package: str, program: Program) -> Answer:
    """The value of ``data.<package>`` under floec; a crash is an error of its own."""
    try:
        return _ours(package, program)
    except Exception as failure:  # noqa: BLE001 - whatever a program makes floec do is what is looked for
        return Answer(errors=frozenset(("crash",)), text=f"{type(failure).__name__}: {failure}")


def _ours(package: str, program: Program) -> Answer:
    compiled = compile_program([Source("program.rego", program.text.replace("PACKAGE", package))])
    if compiled.value is None:
        return _refusal(compiled.diagnostics)
    given = from_json(json.dumps(program.input))
    data = from_json(json.dumps(DATA))
    found = compiled.value.eval_path(
        tuple(package.split(".")), input=given, data=data, strict_builtin_errors=program.strict
    )
    if found.value is None or not found.ok:
        return _refusal(found.diagnostics)
    return Answer(undefined=True) if found.value is UNDEFINED else Answer(from_json(to_json(found.value)))


def same(theirs: Answer, ours: Answer) -> bool:
    """Equal values, or errors with a code in common (which error is found first is nobody's promise)."""
    if theirs.errors or ours.errors:
        return bool(theirs.errors & ours.errors)
    return theirs.undefined == ours.undefined and equal(theirs.value, ours.value)


def _refusal(diagnostics: Any) -> Answer:
    text = "\n".join(f"{d.span.line if d.span else 0}: {d.code}: {d.message}" for d in diagnostics)
    return Answer(errors=frozenset(d.code for d in diagnostics), text=text)
