"""A traceback through generated code shows its lines, so that a bug in it can be read off."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from policy_lang.engine import Program, compile_program
from policy_lang.runtime import support
from policy_lang.source import Source

TEXT = "package t\n\np contains x if {\n\tsome x in input.xs\n\tx != input.y\n}\n"


class Broken(dict[str, Any]):
    def get(self, *_args: Any) -> Any:
        raise ZeroDivisionError("on purpose")


def program() -> Program:
    found = compile_program([Source("p.rego", TEXT)])
    assert found.value is not None
    return found.value


def test_the_lines_of_generated_code_are_in_tracebacks() -> None:
    at = program().variant(frozenset())
    with pytest.raises(ZeroDivisionError) as failed:
        at.scope["r0"](support.Context(Broken(), {}))
    shown = "".join(traceback.format_exception(failed.value))
    assert at.module.file in shown
    assert "x = C.cache[0] = whole_r0(C)" in shown


def test_modules_have_names_of_their_own() -> None:
    other = compile_program([Source("p.rego", TEXT + "q := 1\n")]).value
    assert other is not None
    assert other.variant(frozenset()).module.file != program().variant(frozenset()).module.file


def test_a_bug_is_placed_in_the_policy() -> None:
    found = program().eval_path(("t", "p"), input=Broken())
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "eval_internal_error"
    assert diagnostic.span is not None
    assert (diagnostic.span.file, diagnostic.span.line) == ("p.rego", 4)
