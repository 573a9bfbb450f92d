"""Builtins that only a capabilities file declares: programs may call and mock them, as in OPA."""

import pytest

from policy_lang.engine import CompileOptions, compile_program
from policy_lang.source import Source

TEXT = """package p

image(ref) := acme.image(ref)

size := image("a").size

answer := x if acme.image("a", x)

mocked := x if x := size with acme.image as {"size": 3}

by_function := x if x := size with acme.image as fake

fake(ref) := {"size": 4} if ref == "a"
"""
DECLARED = {"type": "function", "args": [{"type": "string"}], "result": {"type": "any"}}


def options(decl: object = DECLARED) -> CompileOptions:
    names = ("acme.image", "eq", "assign", "equal")
    return CompileOptions(capabilities={"builtins": [{"name": name, "decl": decl} for name in names]})


def test_a_declared_builtin_is_mocked_and_else_has_no_answer() -> None:
    program = compile_program([Source("p.rego", TEXT)], options()).value
    assert program is not None
    assert program.eval_path(("p", "mocked")).value == 3
    assert program.eval_path(("p", "by_function")).value == 4
    for name in ("size", "answer"):
        (problem,) = program.eval_path(("p", name)).diagnostics
        assert (problem.code, problem.message) == ("eval_internal_error", "unsupported built-in: acme.image")


def test_it_is_undefined_where_nothing_declares_it() -> None:
    (problem, *_) = compile_program([Source("p.rego", TEXT)]).diagnostics
    assert problem.message == "undefined function acme.image"


def test_its_number_of_arguments_is_checked() -> None:
    (problem,) = compile_program([Source("p.rego", "package p\nx := acme.image()")], options()).diagnostics
    assert problem.message == "acme.image: arity mismatch"


@pytest.mark.parametrize("decl", [None, {"type": "string"}, {"type": "odd"}, 1])
def test_another_form_of_declaration_is_refused(decl: object) -> None:
    (problem,) = compile_program([Source("p.rego", TEXT)], options(decl)).diagnostics
    assert (problem.code, "acme.image" in problem.message) == ("floe_capability_error", True)
