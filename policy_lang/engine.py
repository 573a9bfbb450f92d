"""The engine's public face: sources in, a program out, queries on it."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from policy_lang.codegen.module import Generated, function_names, generate
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.plan.nodes import Path, Plan
from policy_lang.plan.passes import optimise
from policy_lang.plan.together import TOGETHER, together
from policy_lang.runtime import session, support
from policy_lang.runtime.values import UNDEFINED
from policy_lang.source import Source, Span, whole_file
from policy_lang.types import ANY, Type

if TYPE_CHECKING:
    from policy_lang.analysis.analyse import Checks
    from policy_lang.syntax import ast


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """``input_schema`` is the JSON Schema that every ``input`` of a ``.floe`` file has (``completed``: such that
    all fields with a default are there); an input that does not conform is evaluated all the same, slower.
    ``strict`` refuses what ``opa check --strict`` does; ``capabilities`` (OPA's form) names the builtins there
    are, None: all but those of the network; ``without`` names passes that are not run."""

    input_schema: Mapping[str, Any] | None = None
    completed: bool = False
    strict: bool = False
    capabilities: Mapping[str, Any] | None = None
    without: frozenset[str] = frozenset()


Bindings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """The code of a program where ``with`` may replace what ``plan.mocked`` names."""

    plan: Plan
    module: Generated
    scope: Mapping[str, Any]
    conforms: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query: the variant that it runs on, its code, and the names of its bindings."""

    variant: Variant
    module: Generated
    scope: Mapping[str, Any]
    shown: tuple[str, ...]


@dataclass(slots=True)
class Program:
    """Compiled rules; it keeps nothing of one evaluation for the next."""

    plan: Plan
    modules: tuple[ast.Module, ...]
    counter: itertools.count[int]
    options: CompileOptions
    variants: dict[frozenset[str], Variant] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)
    joint: dict[tuple[tuple[Path, ...], tuple[Path, ...], bool], Variant] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The generated Python."""
        return self.variant(frozenset()).module.source

    def variant(self, mocked: frozenset[str]) -> Variant:
        """The program's code where a query's ``with`` replace ``mocked``."""
        found = self.variants.get(mocked)
        if found is None:
            wanted = Plan(self.plan.functions, self.plan.mocked | mocked)
            found = self.variants[mocked] = self._compiled(wanted)
        return found

    def query(self, text: str) -> Outcome[Query]:
        """Compiles a query; the last ones are kept."""
        from policy_lang.analysis.analyse import analyse_query
        from policy_lang.analysis.resolve import Resolver, rule_names
        from policy_lang.plan.lower import Signature, lower_query
        from policy_lang.syntax.parser import parse_query

        if text in self.queries:
            return Outcome(self.queries[text])
        parsed = parse_query(Source("<query>", text))
        if parsed.value is None or not parsed.ok:
            return Outcome(None, parsed.diagnostics)
        known = {f.path: Signature(f.kind, len(f.params)) for f in self.plan.functions}
        functions = {path: one.arity for path, one in known.items() if one.kind == "function"}
        resolver = Resolver((), {}, rule_names(self.modules)[1], self.counter)
        analysed = analyse_query(resolver, parsed.value, functions, known, _checks(self.options))
        if analysed.value is None:
            return Outcome(None, analysed.diagnostics)
        try:
            function, shown, mocked = lower_query(known, analysed.value)
        except DiagnosticError as failure:
            return Outcome(None, failure.diagnostics)
        variant = self.variant(mocked)
        module = generate(variant.plan, variant.module.names, "<query>", (function,))
        made = Query(variant, module, module.load({n: variant.scope[n] for n in variant.module.names.values()}), shown)
        if len(self.queries) >= 256:
            self.queries.clear()
        self.queries[text] = made
        return Outcome(made)

    def eval_query(
        self,
        text: str,
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
    ) -> Outcome[tuple[Bindings, ...]]:
        """The bindings of each solution; errors are diagnostics with OPA's codes. ``now_ns`` is what
        ``time.now_ns`` gives (None: the present)."""
        compiled = self.query(text)
        query = compiled.value
        if query is None:
            return Outcome(None, compiled.diagnostics)
        context = support.Context(input, {} if data is None else data, strict_builtin_errors)
        try:
            with session.opened(now_ns), _uncollected():
                found = query.scope["query"](context)
        except support.EvalError as failure:
            return Outcome(None, (_stopped(failure, (query.module, query.variant.module)),))
        return Outcome(tuple(dict(zip(query.shown, row, strict=True)) for row in found))

    def eval_path(
        self,
        path: Sequence[str],
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
    ) -> Outcome[Any]:
        """The value of ``data.path``, UNDEFINED where it has none."""
        variant = self.variant(frozenset())
        context = support.Context(input, {} if data is None else data, strict_builtin_errors)
        try:
            with session.opened(now_ns), _uncollected():
                return Outcome(_value(variant, context, tuple(path)))
        except support.EvalError as failure:
            return Outcome(None, (_stopped(failure, (variant.module,)),))

    def eval_together(
        self,
        documents: Sequence[Path],
        counted: Sequence[Path],
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
    ) -> Outcome[tuple[list[list[Any]], list[int]]]:
        """The members of each of ``documents`` and the number of members of each of ``counted``, all partial
        sets, in one evaluation that does once what they share."""
        variant = self.joint_variant(tuple(documents), tuple(counted), typed=True)
        if variant.conforms is not None and not variant.conforms(input):
            variant = self.joint_variant(tuple(documents), tuple(counted), typed=False)
        context = support.Context(input, {} if data is None else data, strict_builtin_errors)
        try:
            with session.opened(now_ns), _uncollected():
                found = variant.scope[variant.module.names[TOGETHER]](context)
        except support.EvalError as failure:
            return Outcome(None, (_stopped(failure, (variant.module,)),))
        return Outcome((found[: len(documents)], found[len(documents) :]))

    def joint_variant(self, documents: tuple[Path, ...], counted: tuple[Path, ...], *, typed: bool) -> Variant:
        """The code of ``eval_together``; typed where there is a schema and no ``with`` replaces the input."""
        key = (documents, counted, typed)
        found = self.joint.get(key)
        if found is None:
            of = self.input_type() if typed and "input" not in self.plan.mocked else ANY
            plan = replace(together(self.plan, documents, counted), input_type=of)
            found = self.joint[key] = self._compiled(plan)
        return found

    def input_type(self) -> Type:
        """What the schema says of an input, as far as typed code relies on it."""
        if self.options.input_schema is None:
            return ANY
        from policy_lang.codegen.conform import simple
        from policy_lang.types import from_schema

        return simple(from_schema(self.options.input_schema, completed=self.options.completed))

    def _compiled(self, wanted: Plan) -> Variant:
        plan = optimise(wanted, self.options.without)
        module = generate(plan, function_names(plan), "<policy>", plan.functions)
        conforms = None
        if plan.has_input:
            from policy_lang.codegen.conform import conform_function
            from policy_lang.plan.reads import reads

            conforms = conform_function(plan.input_type, reads(wanted))
        return Variant(plan, module, module.load({}), conforms)

    def reads(self, roots: Iterable[Path] | None = None) -> frozenset[tuple[str, ...]]:
        """The paths into ``input`` that evaluating the documents ``roots`` (None: all) can read, ``*`` for
        any key; a path stands for all that is below it."""
        from policy_lang.plan.reads import reads

        return reads(self.plan, roots)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: evaluation makes no cycles, and looking for some in a large input
    takes longer than the evaluation."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _value(variant: Variant, context: support.Context, path: Path) -> Any:
    """The document at a path: a rule's, what is in one, or base documents with rules over them."""
    names = variant.module.names
    for count in range(len(path), 0, -1):
        if path[:count] in names:
            if variant.plan.is_function(path[:count]):
                return UNDEFINED
            value = variant.scope[names[path[:count]]](context)
            for key in path[count:]:
                value = support.get(value, key)
            return value
    base = support.base(context, path)
    below = {p[len(path)] for p in names if p[: len(path)] == path and not variant.plan.is_function(p)}
    return support.merge(base, {n: _value(variant, context, (*path, n)) for n in sorted(below)}) if below else base


def _stopped(failure: support.EvalError, modules: Sequence[Generated]) -> Diagnostic:
    return Diagnostic(failure.code, str(failure), _place(failure, modules) or whole_file("<query>"))


def _place(failure: BaseException, modules: Sequence[Generated]) -> Span | None:
    """The innermost place in a policy that an exception passed."""
    known = {module.file: module.lines for module in modules}
    found = None
    trace = failure.__traceback__
    while trace is not None:
        lines = known.get(trace.tb_frame.f_code.co_filename)
        if lines is not None:
            found = lines.get(trace.tb_lineno, found)
        trace = trace.tb_next
    return found


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
    from policy_lang.analysis.analyse import analyse
    from policy_lang.plan.lower import grouped, lower

    options = options or CompileOptions()
    counter = itertools.count()
    analysed = analyse(modules, counter, _checks(options))
    if analysed.value is None:
        return Outcome(None, analysed.diagnostics)
    try:
        plan = lower(grouped(analysed.value))
    except DiagnosticError as failure:
        return Outcome(None, failure.diagnostics)
    program = Program(plan, tuple(modules), counter, options)
    program.variant(frozenset())
    return Outcome(program)


def _checks(options: CompileOptions) -> Checks:
    from policy_lang.analysis.analyse import Checks

    return Checks(options.strict, options.capabilities, options.input_schema)
