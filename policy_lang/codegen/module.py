"""A plan as a Python module: source, code object, and the places of its lines in the policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import CodeType
from typing import Any

from policy_lang.codegen.expressions import Expressions
from policy_lang.codegen.python import Writer
from policy_lang.codegen.scope import scope
from policy_lang.plan.nodes import Function, Path, Plan
from policy_lang.source import Span


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated module. ``names`` are the functions by the path of their rule, ``lines`` the place of
    each line (from 1) in the policies where it has one."""

    file: str
    source: str
    code: CodeType
    names: Mapping[Path, str]
    builtins: Mapping[str, str]
    constants: Mapping[str, Decimal]
    patterns: Mapping[str, int]
    lines: Mapping[int, Span] = field(repr=False)

    def load(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Runs the module's definitions in a fresh namespace (with ``given`` in it); the namespace."""
        found = scope(self.builtins, self.constants, self.patterns) | dict(given)
        exec(self.code, found)
        return found


def generate(
    plan: Plan, names: Mapping[Path, str], file: str, functions: tuple[Function, ...], *, counted: bool = False
) -> Generated:
    """The module with ``functions`` in it; ``names`` may hold further functions that are given on loading."""
    expressions = Expressions(plan, names)
    writer = Writer(plan, dict(names), expressions, counted=counted)
    for function in functions:
        writer.function(function)
    source = "\n".join(writer.lines) + "\n"
    lines = {number: span for number, span in enumerate(writer.spans, 1) if span is not None}
    code = compile(source, file, "exec", dont_inherit=True)
    return Generated(file, source, code, names, expressions.needed, expressions.constants, expressions.patterns, lines)


def function_names(plan: Plan) -> dict[Path, str]:
    """The Python name of each function of a program."""
    return {function.path: f"r{number}" for number, function in enumerate(plan.functions)}
