"""A plan as a Python module: source, code object, and the places of its lines in the policies."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping
from typing import Any

from policy_lang.codegen.expressions import Expressions
from policy_lang.codegen.loaded import TOGETHER, Generated
from policy_lang.codegen.python import Writer
from policy_lang.plan.nodes import (
    Function,
    Path,
    Plan,
)


def generate(
    plan: Plan, names: Mapping[Path, str], file: str, functions: tuple[Function, ...], *, stepped: bool = False
) -> Generated:
    """The module with ``functions`` in it, called ``file`` and a number. ``names`` may hold further functions that are
    given on loading; ``stepped`` code counts the turns of its loops and the calls of its functions."""
    from policy_lang.runtime import builtins

    expressions = Expressions(plan, names)
    writer = Writer(plan, dict(names), expressions, stepped=stepped)
    for function in functions:
        writer.function(function)
    if expressions.shaped:
        writer.put(f"SHAPE = {shape(plan, names)}")
    for table, cases in expressions.tables.items():
        writer.put(f"{table} = {cases!r}")
    source = "\n".join(writer.lines) + "\n"
    file = f"{file}-{zlib.crc32(source.encode('utf-8', 'surrogatepass')):08x}"
    places = tuple((number, *span) for number, span in enumerate(writer.spans, 1) if span is not None)
    with warnings.catch_warnings():
        # Comparisons of constants are written like all others; Python would warn the user of them.
        warnings.simplefilter("ignore", SyntaxWarning)
        code = compile(source, file, "exec", dont_inherit=True)
    used = {name: (given, builtins.HOME[name]) for name, given in expressions.needed.items()}
    return Generated(file, source, code, dict(names), used, expressions.constants, expressions.patterns, places)


def shape(plan: Plan, names: Mapping[Path, str]) -> str:
    """The tree of all documents, as nested dicts of their functions; packages without any are empty dicts."""
    tree: dict[str, Any] = {}
    for path in sorted(plan.extents):
        at = tree
        for part in path:
            at = at.setdefault(part, {})
    for path, name in sorted(names.items()):
        if plan.is_function(path) or path == TOGETHER:
            continue
        at = tree
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = name
    return _literal(tree)


def _literal(node: Any) -> str:
    if isinstance(node, str):
        return node
    return "{" + ", ".join(f"{name!r}: {_literal(inner)}" for name, inner in node.items()) + "}"


def function_names(plan: Plan) -> dict[Path, str]:
    """The Python name of each function of a program."""
    return {function.path: f"r{number}" for number, function in enumerate(plan.functions)}
