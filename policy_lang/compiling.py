"""The compiler's part of the engine: modules to a plan, plans to code. A program from the cache imports this
only when it needs code that the cache does not have.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from policy_lang.analysis.analyse import Checks, analyse, analyse_query
from policy_lang.analysis.calls import further_builtins
from policy_lang.analysis.resolve import ResolvedRule, Resolver, rule_names
from policy_lang.analysis.safety import remembered
from policy_lang.codegen.loaded import TOGETHER, Generated, Variant
from policy_lang.codegen.module import function_names, generate
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.plan.lower import Signature, grouped, lower, lower_query
from policy_lang.plan.nodes import (
    Function,
    Path,
    Plan,
)
from policy_lang.plan.passes import optimise
from policy_lang.plan.together import together
from policy_lang.runtime.builtins.declarations import declared_too
from policy_lang.source import Source, Span, whole_file
from policy_lang.syntax import ast
from policy_lang.types import ANY, Type

if TYPE_CHECKING:
    from policy_lang.engine import CompileOptions
    from policy_lang.plan.sliced import Slice


@dataclass(frozen=True, slots=True)
class Front:
    """A program after its analysis: the plan that all code is made of."""

    plan: Plan
    rules: tuple[ResolvedRule, ...]
    modules: tuple[ast.Module, ...]
    counter: itertools.count[int]
    options: CompileOptions


@contextlib.contextmanager
def shallow(place: Span) -> Iterator[None]:
    """Compiles within what Python can nest.

    Raises:
        DiagnosticError: ``rego_compile_error`` where an expression is nested deeper.
    """
    try:
        yield
    except (RecursionError, SyntaxError, MemoryError):
        hint = "give parts of it names with `:=`"
        raise DiagnosticError(
            Diagnostic("rego_compile_error", "an expression is nested too deep", place, hint=hint)
        ) from None


def checks_of(options: CompileOptions) -> Checks:
    """What the analysis has to know of the options."""
    return Checks(strict=options.strict, capabilities=options.capabilities, input_schema=options.schema)


def parsed(sources: Sequence[Source], *, strict: bool = False) -> Outcome[tuple[ast.Module, ...]]:
    """The modules of sources, the policy layer's declarations made into rules."""
    from policy_lang.analysis.desugar import desugar
    from policy_lang.syntax.parser import parse_module

    found: list[ast.Module] = []
    diagnostics: list[Diagnostic] = []
    for source in sources:
        outcome = parse_module(source)
        if outcome.value is not None and outcome.ok and (outcome.value.policies or outcome.value.params):
            outcome = desugar(outcome.value, strict=strict)
        diagnostics += outcome.diagnostics
        if outcome.value is not None and outcome.ok:
            found.append(outcome.value)
    return Outcome(tuple(found) if len(found) == len(sources) else None, tuple(diagnostics))


def front(modules: Sequence[ast.Module], options: CompileOptions) -> Outcome[Front]:
    """Analyses and lowers modules that are parsed and desugared."""
    with remembered():
        return _front(modules, options)


def _front(modules: Sequence[ast.Module], options: CompileOptions) -> Outcome[Front]:
    counter = itertools.count()
    analysed = analyse(modules, counter, checks_of(options))
    if analysed.value is None:
        return Outcome(None, analysed.diagnostics)
    try:
        place = modules[0].span if modules else whole_file("<policy>")
        with shallow(place), declared_too(further_builtins(options.capabilities)):
            plan = lower(grouped(analysed.value), [module.package.path for module in modules])
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)
    made = Front(plan, tuple(analysed.value), tuple(modules), counter, options)
    return Outcome(made, analysed.diagnostics)


def rules_again(modules: Sequence[ast.Module], options: CompileOptions) -> tuple[ResolvedRule, ...]:
    """The rules of a program that has compiled before, without its checks and its plan.

    Raises:
        DiagnosticError: it does not compile now.
    """
    with remembered():
        analysed = analyse(modules, itertools.count(), replace(checks_of(options), known=True))
    if analysed.value is None:
        raise DiagnosticError(*analysed.diagnostics)
    return tuple(analysed.value)


# --------------------------------------------------------------------------- code


def variant(at: Front, mocked: frozenset[str], *, stepped: bool = False) -> Variant:
    """The code of all rules where a query's ``with`` replace ``mocked``."""
    return _code(replace(at.plan, mocked=at.plan.mocked | mocked), at.options, stepped=stepped)


def joint(
    at: Front,
    documents: Sequence[Path],
    counted: Sequence[Path],
    *,
    typed: bool,
    stepped: bool = False,
    without: frozenset[str] = frozenset(),
) -> Variant:
    """The code of ``Program.eval_together``; typed where there is a schema and no ``with`` replaces the input."""
    return _code(joint_plan(at, documents, counted, typed=typed, without=without), at.options, stepped=stepped)


def joint_plan(
    at: Front,
    documents: Sequence[Path],
    counted: Sequence[Path],
    *,
    typed: bool,
    without: frozenset[str] = frozenset(),
) -> Plan:
    """The plan of ``joint`` before its passes; ``without`` are the ids of policies that are left out."""
    of = input_type(at.options) if typed and "input" not in at.plan.mocked else ANY
    settings = settings_of(at.modules) if typed else {}
    return replace(together(at.plan, documents, counted, without), input_type=of, settings=settings)


def settings_of(modules: Iterable[ast.Module]) -> dict[Path, Type]:
    """The types of what a manifest can set, by its place below ``data``; ``PolicySet.run`` holds values to them."""
    from policy_lang.param_types import declared_type

    return {
        ("floec", "params", ".".join(module.package.path), param.name): declared_type(param.type)
        for module in modules
        for param in module.declared
    }


def input_type(options: CompileOptions) -> Type:
    """What the schema says of an input, as far as typed code relies on it."""
    schema = options.schema
    if schema is None:
        return ANY
    from policy_lang.codegen.conform import simple
    from policy_lang.types import from_schema

    return simple(from_schema(schema, completed=options.completed))


def _code(wanted: Plan, options: CompileOptions, *, stepped: bool) -> Variant:
    with shallow(wanted.functions[0].span if wanted.functions else whole_file("<policy>")):
        plan = optimise(wanted, options.without)
        module = generate(plan, function_names(plan), "policy", plan.functions, stepped=stepped)
    conform = None
    if plan.has_input:
        from policy_lang.codegen.conform import conform_code
        from policy_lang.plan.reads import reads

        conform = conform_code(plan.input_type, reads(wanted, [TOGETHER]))
    return Variant(module, plan.mocked, conform)


def policy_documents(plan: Plan) -> tuple[list[Path], list[Path]]:
    """The documents of violations and of subjects of the packages that have policies."""
    subjects = sorted(f.path for f in plan.functions if f.path[-2:-1] == ("subjects",))
    packages = {path[:-2] for path in subjects}
    violations = sorted(f.path for f in plan.functions if f.path[-1] == "violation" and f.path[:-1] in packages)
    return violations, [path for path in subjects if (*path[:-2], "violation") in violations]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that is lowered: its function, the names of its bindings, what its ``with`` replace."""

    function: Function
    shown: tuple[str, ...]
    mocked: frozenset[str]


def asked(text: str, kinds: Mapping[Path, tuple[str, int]], at: Front) -> Outcome[Asked]:
    """Parses, checks and lowers a query."""
    from policy_lang.syntax.parser import parse_query

    outcome = parse_query(Source("<query>", text))
    if outcome.value is None or not outcome.ok:
        return Outcome(None, outcome.diagnostics)
    known = {path: Signature(kind, arity) for path, (kind, arity) in kinds.items()}
    functions = {path: one.arity for path, one in known.items() if one.kind == "function"}
    resolver = Resolver((), {}, rule_names(at.modules)[1], at.counter)
    analysed = analyse_query(resolver, outcome.value, functions, known, checks_of(at.options))
    if analysed.value is None:
        return Outcome(None, analysed.diagnostics)
    try:
        with shallow(whole_file("<query>")), declared_too(further_builtins(at.options.capabilities)):
            return Outcome(Asked(*lower_query(known, analysed.value)))
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)


def query_module(
    one: Asked,
    program: Variant,
    kinds: Mapping[Path, tuple[str, int]],
    extents: frozenset[Path],
    *,
    stepped: bool,
) -> Generated:
    """A query's code, for loading beside a program's."""
    here = whole_file("<query>")
    known = tuple(Function(path, kind, (), (), span=here) for path, (kind, _) in kinds.items())
    with shallow(here):
        plan = optimise(Plan((*known, one.function), program.mocked, extents=extents), frozenset(("inline",)))
        return generate(plan, program.module.names, "query", plan.functions[-1:], stepped=stepped)


def kinds_of(plan: Plan) -> dict[Path, tuple[str, int]]:
    """The kind and the number of parameters of each rule's document or function."""
    return {function.path: (function.kind, len(function.params)) for function in plan.functions}


def reads_of(at: Front, roots: Iterable[Path] | None) -> frozenset[tuple[str, ...]]:
    """What evaluating the documents ``roots`` (None: all) can read of the input."""
    from policy_lang.plan.reads import reads

    return reads(at.plan, roots)


def slices_of(at: Front) -> tuple[Slice, ...]:
    """Which policies can be judged subject by subject."""
    from policy_lang.plan.slices import lists_of, slices

    return slices(at.plan, lists_of(at.options.schema))
