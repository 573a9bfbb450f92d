"""A plan as a Python module: source, code object, and the places of its lines in the policies."""

from __future__ import annotations

from collections.abc import Mapping

from policy_lang.codegen.expressions import Expressions
from policy_lang.codegen.loaded import Generated
from policy_lang.codegen.python import Writer
from policy_lang.plan.nodes import Function, Path, Plan


def generate(
    plan: Plan, names: Mapping[Path, str], file: str, functions: tuple[Function, ...], *, counted: bool = False
) -> Generated:
    """The module with ``functions`` in it; ``names`` may hold further functions that are given on loading.
    ``counted`` code counts the turns of its loops."""
    from policy_lang.runtime import builtins

    expressions = Expressions(plan, names)
    writer = Writer(plan, dict(names), expressions, counted=counted)
    for function in functions:
        writer.function(function)
    source = "\n".join(writer.lines) + "\n"
    places = tuple((number, *span) for number, span in enumerate(writer.spans, 1) if span is not None)
    code = compile(source, file, "exec", dont_inherit=True)
    used = {name: (given, builtins.HOME[name]) for name, given in expressions.needed.items()}
    return Generated(file, source, code, dict(names), used, expressions.constants, expressions.patterns, places)


def function_names(plan: Plan) -> dict[Path, str]:
    """The Python name of each function of a program."""
    return {function.path: f"r{number}" for number, function in enumerate(plan.functions)}
