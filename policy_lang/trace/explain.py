"""Runs a query or document under the tracing evaluator."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from policy_lang.analysis.analyse import Checks, analyse, analyse_query
from policy_lang.analysis.resolve import ResolvedRule, Resolver
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.plan.lower import grouped
from policy_lang.runtime import session, support
from policy_lang.runtime.values import UNDEFINED
from policy_lang.source import Source, whole_file
from policy_lang.syntax import ast
from policy_lang.trace.evaluate import Evaluator, open_names
from policy_lang.trace.record import Recorder


@dataclass(slots=True)
class Traced:
    """Rules that can be evaluated under a recorder; made once for many queries."""

    rules: tuple[ResolvedRule, ...]
    counter: itertools.count[int]
    checks: Checks | None = None

    def query(
        self,
        text: str,
        recorder: Recorder,
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict: bool = False,
        known: dict[Any, Any] | None = None,
    ) -> Outcome[tuple[tuple[dict[str, Any], ...], ast.Body]]:
        """The bindings of each solution, as ``Program.eval_query`` gives them, and the query's literals.

        ``known`` keeps the documents between queries on the same input and data; those in it are not traced again.
        """
        from policy_lang.syntax.parser import parse_query

        parsed = parse_query(Source("<query>", text))
        if parsed.value is None or not parsed.ok:
            return Outcome(None, parsed.diagnostics)
        functions = {rule.path: len(rule.args) for rule in self.rules if rule.kind == "function"}
        resolver = Resolver((), {}, frozenset(functions), self.counter)
        analysed = analyse_query(resolver, parsed.value, functions, {rule.path for rule in self.rules}, self.checks)
        if analysed.value is None:
            return Outcome(None, analysed.diagnostics)
        body = analysed.value
        evaluator = Evaluator(grouped(list(self.rules)), recorder)
        context = support.Context(input, {} if data is None else data, strict)
        if known is not None:
            context.cache = known
        try:
            names = open_names(body)
            with session.opened():
                answers = [
                    {shown: env[name] for name, shown in names.items() if name in env}
                    for env in evaluator.body(body, {}, context)
                ]
        except DiagnosticError as failure:
            return Outcome(None, failure.diagnostics)
        except support.EvalError as failure:
            place = recorder.errors[-1].span if recorder.errors else None
            return Outcome(None, (Diagnostic(failure.code, str(failure), place or whole_file("<query>")),))
        except RecursionError:
            return Outcome(None, (Diagnostic("eval_limit_error", "too deep to trace", whole_file("<query>")),))
        return Outcome((tuple(answers), body))


def traced_sources(sources: Sequence[Source]) -> Outcome[Traced]:
    """The rules of policy files that are known to compile."""
    from policy_lang.analysis.desugar import desugar
    from policy_lang.syntax.parser import parse_module

    modules = []
    for source in sources:
        parsed = parse_module(source)
        made = desugar(parsed.value) if parsed.value is not None and parsed.ok else parsed
        if made.value is None:
            return Outcome(None, made.diagnostics)
        modules.append(made.value)
    return traced(modules)


def traced(modules: Sequence[ast.Module], checks: Checks | None = None) -> Outcome[Traced]:
    """The rules of desugared modules, resolved."""

    counter = itertools.count()
    analysed = analyse(modules, counter, checks)
    if analysed.value is None:
        return Outcome(None, analysed.diagnostics)
    return Outcome(Traced(tuple(analysed.value), counter, checks))
