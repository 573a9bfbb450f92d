"""The front end's second half: modules to resolved and checked rules, in the order of OPA's stages.

A stage that finds something ends the analysis, as in OPA: later stages would report what follows from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policy_lang import types
from policy_lang.analysis.calls import Calls, allowed_builtins, further_builtins
from policy_lang.analysis.conflicts import check_conflicts
from policy_lang.analysis.heads import heads_in_bodies
from policy_lang.analysis.hoist import closures, hoist_references
from policy_lang.analysis.imports import check_imports, unused_imports
from policy_lang.analysis.plain_calls import plain_calls
from policy_lang.analysis.recursion import check_recursion
from policy_lang.analysis.resolve import Path, Resolved, ResolvedRule, Resolver, resolve_all
from policy_lang.analysis.safety import check_body, check_safety
from policy_lang.analysis.types import Checker, TypedRule
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.runtime.builtins.declarations import declared_too
from policy_lang.source import whole_file
from policy_lang.syntax import ast


@dataclass(frozen=True, slots=True)
class Checks:
    """What to check beside what OPA always checks: ``strict`` as ``opa check --strict``; ``capabilities``, a
    mapping in OPA's form, names the builtins there are; ``input_schema`` is the JSON Schema of ``input`` in
    ``.floe`` files. ``known``: the program has passed before, and what is asked for are its rules."""

    strict: bool = False
    capabilities: Mapping[str, Any] | None = None
    input_schema: Mapping[str, Any] | None = None
    known: bool = False


def analyse(
    modules: Sequence[ast.Module], counter: itertools.count[int], checks: Checks | None = None
) -> Outcome[list[ResolvedRule]]:
    """All rules of the program, resolved and checked; the diagnostics carry OPA's codes."""
    checks = checks or Checks()
    try:
        with declared_too(_further(checks)):
            return _analyse(modules, counter, checks)
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)
    except RecursionError:
        message = "the program is nested too deep"
        return Outcome(None, (Diagnostic("rego_compile_error", message, modules[0].span if modules else None),))


def _analyse(
    modules: Sequence[ast.Module], counter: itertools.count[int], checks: Checks
) -> Outcome[list[ResolvedRule]]:
    allowed = _allowed(checks)
    input_type = _input_type(checks)
    resolved = resolve_all(modules, counter, strict=checks.strict)
    found = [*(one for module in modules for one in check_imports(module)), *resolved.found]
    if checks.strict:
        found += unused_imports(modules, resolved.used)
    if found:
        return Outcome(None, _sorted(found))
    rules = [rule for rule, _, _ in resolved.rules]
    calls = _calls(rules, allowed)
    names = check_conflicts(rules, modules), calls.check(rules)
    if diagnostics := next(filter(None, map(tuple, names)), ()):
        return Outcome(None, _sorted(diagnostics))
    rules, called = plain_calls(rules, calls.functions) if calls.plain else (rules, ())
    fresh = _fresh(counter)
    rules = [heads_in_bodies(rule, calls.functions, fresh) for rule in rules]
    stages: tuple[Callable[[], Iterable[Diagnostic]], ...] = (
        lambda: check_safety(rules),
        lambda: check_recursion(rules),
        lambda: Checker(_typed(rules, resolved), input_type, called).check(),
    )
    for stage in () if checks.known else stages:
        diagnostics = tuple(stage())
        if diagnostics:
            return Outcome(None, _sorted(diagnostics))
    return Outcome([_hoisted(rule, fresh) for rule in rules])


def analyse_query(
    resolver: Resolver,
    body: ast.Body,
    functions: Mapping[Path, int],
    paths: Iterable[Path],
    checks: Checks | None = None,
) -> Outcome[ast.Body]:
    """A query's body resolved and checked against a program: its functions (path → number of arguments) and
    the paths of its rules."""
    checks = checks or Checks()
    try:
        with declared_too(_further(checks)):
            made = resolver.body(body)
            found: list[Diagnostic] = list(resolver.found)
            calls = Calls(functions, frozenset(paths), _allowed(checks))
            for stage in (lambda: calls.body(made), lambda: check_body(made)):
                found = found or list(stage())
        if found:
            return Outcome(None, _sorted(found))
        return Outcome(hoist_references(made, resolver.fresh))
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)
    except RecursionError:
        message = "the query is nested too deep"
        return Outcome(None, (Diagnostic("rego_compile_error", message, whole_file("<query>")),))


def _calls(rules: Sequence[ResolvedRule], allowed: frozenset[str] | None) -> Calls:
    functions: dict[Path, int] = {rule.path: len(rule.args) for rule in rules if rule.kind == "function"}
    return Calls(functions, frozenset(rule.path for rule in rules), allowed, plain=[])


def _allowed(checks: Checks) -> frozenset[str] | None:
    try:
        return allowed_builtins(checks.capabilities)
    except ValueError as error:
        raise DiagnosticError(Diagnostic("floe_capability_error", str(error))) from None


def _further(checks: Checks) -> dict[str, types.FunctionType]:
    try:
        return further_builtins(checks.capabilities)
    except ValueError as error:
        raise DiagnosticError(Diagnostic("floe_capability_error", str(error))) from None


def _input_type(checks: Checks) -> types.Type:
    if checks.input_schema is None:
        return types.ANY
    try:
        return types.from_schema(checks.input_schema, completed=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise DiagnosticError(Diagnostic("floe_schema_error", f"the input's schema: {error}")) from None


def _typed(rules: Sequence[ResolvedRule], resolved: Resolved) -> list[TypedRule]:
    modules = (module for _, _, module in resolved.rules)
    return [TypedRule(rule, at.package.path, at.floe) for rule, at in zip(rules, modules, strict=True)]


def _sorted(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(found, key=Diagnostic.sort_key))


def _fresh(counter: itertools.count[int]) -> Any:
    return lambda name: f"{name}${next(counter)}"


def _hoisted(rule: ResolvedRule, fresh: Any) -> ResolvedRule:
    branches = tuple(
        replace(branch, value=closures(branch.value, fresh), body=hoist_references(branch.body, fresh))
        for branch in rule.branches
    )
    return replace(rule, branches=branches)
