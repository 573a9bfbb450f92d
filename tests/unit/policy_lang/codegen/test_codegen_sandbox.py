"""Generated code reaches nothing but its arguments, whatever stands in a policy."""

from __future__ import annotations

import ast
import builtins
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_lang.codegen.names import local_name
from policy_lang.codegen.scope import scope
from policy_lang.engine import Program, compile_program
from policy_lang.runtime.values import to_json
from policy_lang.source import Source

ESCAPES = [
    *("'", '"', "'" * 3, '"' * 3, "\\", "\\'", "\n", "\r\n", "\u2028", "\x00", "#", "{}"),
    "' + __import__('os').system('touch /tmp/pwned') + '",
    '"); import os; os.abort(); ("',
    "{__import__('os')}",
    "%(x)s {0.__class__}",
    "\N{RIGHT-TO-LEFT OVERRIDE}x",
]
ATTRIBUTES = {
    *("append", "cache", "derive", "endswith", "get", "input", "isascii", "items", "join", "lower", "mocks"),
    *("replacement", "split", "startswith", "step", "values"),
}


def compiled(text: str) -> Program:
    found = compile_program([Source("p.rego", text)])
    assert found.value is not None, found.diagnostics
    return found.value


def value(text: str, input: Any = None) -> Any:
    found = compiled(text).eval_path(("t", "p"), input=input)
    assert found.ok, found.diagnostics
    return found.value


def check(program: Program) -> None:
    """The source is what the generator means it to be: no import, few attributes, no name with underscores."""
    for node in ast.walk(ast.parse(program.source)):
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.ClassDef | ast.Lambda)
        if isinstance(node, ast.Attribute):
            assert node.attr in ATTRIBUTES
        if isinstance(node, ast.Name):
            assert "__" not in node.id
            assert node.id.isascii()


@pytest.mark.parametrize("text", ESCAPES)
def test_a_string_stays_a_string(text: str) -> None:
    quoted = to_json(text)
    program = compiled(f"package t\np := [{quoted}, input[{quoted}], {{{quoted}: 1}}] if not input.{'x'} == {quoted}")
    check(program)
    assert program.eval_path(("t", "p"), input={text: "in"}).value == [text, "in", {text: 1}]


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=20))
@settings(max_examples=40, deadline=None)
def test_any_string_stays_itself(text: str) -> None:
    assert value(f"package t\np := x if {{ x := {to_json(text)}; x == input }}", text) == text


@pytest.mark.parametrize(
    "name",
    ["__class__", "__builtins__", "U", "C", "RegoSet", "get", "exec", "eval", "lambda", "self", "x1", "t1", "r0"],
)
def test_names_of_python_and_of_the_generator_are_plain_names(name: str) -> None:
    program = compiled(
        f"package t\n{name} := 1\nf_{name}(x) := x\np := [{name} | some {name} in [1, 2]]\n"
        f'q := data.t["{name}"]\nr := f_{name}(3)'
    )
    check(program)
    assert program.eval_path(("t", "p")).value == [1, 2]
    assert program.eval_path(("t", "q")).value == 1
    assert program.eval_path(("t", "r")).value == 3


@pytest.mark.parametrize("key", ["__class__", "__init__", "__dict__", "f_globals", "gi_frame", "mro", "__subclasses__"])
def test_attributes_are_keys(key: str) -> None:
    for text in (f'p := input["{key}"]', f'p := input[_]["{key}"]', f'p := count(input)["{key}"]'):
        found = compile_program([Source("p.rego", f"package t\n{text}")])
        if found.value is not None:
            assert not found.value.eval_path(("t", "p"), input=[1, {"a": "x"}]).value
    assert value(f'package t\np := input["{key}"]', {key: 7}) == 7


def test_no_builtin_of_python_is_there() -> None:
    names = scope({}, {}, {})
    assert names["__builtins__"] == {}
    harmless = {"bool", "dict", "enumerate", "int", "isinstance", "len", "list", "max", "min", "str", "type"}
    assert {name for name in names if hasattr(builtins, name)} <= harmless | {"__builtins__"}


@given(st.text(min_size=1, max_size=30), st.integers(0, 10**6))
def test_local_names_are_identifiers_that_no_global_has(name: str, number: int) -> None:
    made = local_name(f"{name}${number}")
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*_\d+", made)
    assert made not in scope({}, {}, {})


def test_numbers_of_any_size_and_form() -> None:
    assert value("package t\np := 123456789012345678901234567890") == 123456789012345678901234567890
    assert str(value("package t\np := 1.50")) == "1.50"
