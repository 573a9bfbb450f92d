"""The engine's public face: sources in, a program out, queries on it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_lang.analysis.recursion import check_recursion
from policy_lang.analysis.resolve import Resolver, resolve, rule_names
from policy_lang.codegen.generate import Generator, generate, query
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.runtime import support
from policy_lang.runtime.values import UNDEFINED, RegoObject
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """``strict`` is kept for what ``opa check --strict`` refuses."""


Bindings = dict[str, Any]


@dataclass(slots=True)
class Program:
    """Compiled rules; it keeps no state between evaluations."""

    generator: Generator
    functions: dict[str, Any]
    modules: tuple[ast.Module, ...]
    counter: itertools.count[int]

    @property
    def source(self) -> str:
        """The generated Python."""
        return "\n".join(self.generator.lines)

    def eval_query(
        self, text: str, *, input: Any = UNDEFINED, data: Any = None, strict_builtin_errors: bool = False
    ) -> Outcome[tuple[Bindings, ...]]:
        """The bindings of each solution; errors are diagnostics with OPA's codes."""
        from policy_lang.syntax.parser import parse_query

        place = Source("<query>", text)
        parsed = parse_query(place)
        if parsed.value is None or not parsed.ok:
            return Outcome(None, parsed.diagnostics)
        try:
            _, functions = rule_names(self.modules)
            resolver = Resolver((), {}, functions, self.counter)
            code, _ = query(self.generator, resolver.body(parsed.value))
            scope = dict(self.functions)
            exec(compile(code, "<query>", "exec"), scope)
            context = support.Context(input, {} if data is None else data, strict_builtin_errors)
            return Outcome(tuple(scope["query"](context)))
        except DiagnosticError as failure:
            return Outcome(None, failure.diagnostics)
        except support.EvalError as failure:
            return Outcome(None, (Diagnostic(failure.code, str(failure), whole_file("<query>")),))

    def eval_path(
        self, path: Sequence[str], *, input: Any = UNDEFINED, data: Any = None, strict_builtin_errors: bool = False
    ) -> Outcome[Any]:
        """The value of ``data.path``, UNDEFINED where it has none."""
        from policy_lang.runtime.values import to_json

        text = "result = data" + "".join(f"[{to_json(part)}]" for part in path)
        found = self.eval_query(text, input=input, data=data, strict_builtin_errors=strict_builtin_errors)
        if found.value is None:
            return Outcome(None, found.diagnostics)
        return Outcome(found.value[0]["result"] if found.value else UNDEFINED)


def compile_program(sources: Sequence[Source], options: CompileOptions | None = None) -> Outcome[Program]:
    """Parses and compiles; diagnostics carry OPA's codes (``rego_parse_error`` and so on)."""
    from policy_lang.syntax.parser import parse_module

    parsed = [_plain(parse_module(source)) for source in sources]
    diagnostics = tuple(d for outcome in parsed for d in outcome.diagnostics)
    modules = [outcome.value for outcome in parsed if outcome.value is not None and outcome.ok]
    if len(modules) < len(parsed):
        return Outcome(None, diagnostics)
    return compile_modules(modules, options)


def _plain(parsed: Outcome[ast.Module]) -> Outcome[ast.Module]:
    """The module with the policy layer's declarations made into rules."""
    from policy_lang.analysis.desugar import desugar

    if parsed.value is None or not parsed.ok or not (parsed.value.policies or parsed.value.params):
        return parsed
    return desugar(parsed.value)


def compile_modules(modules: Sequence[ast.Module], options: CompileOptions | None = None) -> Outcome[Program]:
    """Compiles modules that are parsed and desugared."""
    counter = itertools.count()
    try:
        made = generate(resolve(modules, counter))
        check_recursion(made.groups)
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)
    scope = _scope()
    exec(compile("\n".join(made.lines), "<policy>", "exec"), scope)
    return Outcome(Program(made, scope, tuple(modules), counter))


def _scope() -> dict[str, Any]:
    """All names that generated code may use."""
    names = "ONCE MISSING get items make_set make_object single document merge base mocked call text equal freeze"
    scope: dict[str, Any] = {name: getattr(support, name) for name in names.split()}
    allowed = {"bool": bool, "type": type, "len": len, "list": list}
    scalars = (str, int, bool, Decimal, type(None))
    return scope | {
        "U": UNDEFINED,
        "Decimal": Decimal,
        "SCALARS": scalars,
        "OBJECTS": (dict, RegoObject),
        "__builtins__": allowed,
    }
