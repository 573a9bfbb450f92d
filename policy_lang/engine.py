"""The engine's public face: sources in, a program out, queries on it."""

from __future__ import annotations

import marshal
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from policy_lang.codegen.loaded import TOGETHER, Generated, Path, Variant, variant_from_data
from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Outcome
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple
from policy_lang.runtime import session, support
from policy_lang.runtime.limits import CODE as LIMIT
from policy_lang.runtime.limits import NONE as NO_LIMITS
from policy_lang.runtime.limits import Limits, TimeUp, check_output, limited
from policy_lang.runtime.values import UNDEFINED
from policy_lang.source import Source, Span, whole_file

if TYPE_CHECKING:
    from types import TracebackType

    from policy_lang.compiling import Front
    from policy_lang.syntax import ast


class Deferred(NamedTuple):
    """A schema that is made where something is compiled; ``identity`` tells it from others."""

    identity: str
    make: Callable[[], Mapping[str, Any]]


class CompileOptions(NamedTuple):
    """``input_schema`` is the JSON Schema that every ``input`` of a ``.floe`` file has (``completed``: such that
    all fields with a default are there); an input that does not conform is evaluated all the same, slower.
    ``strict`` refuses what ``opa check --strict`` does; ``capabilities`` (OPA's form) names the builtins there
    are, None: all but those of the network; ``without`` names passes that are not run; ``cache`` keeps compiled
    programs in the user's cache folder."""

    input_schema: Mapping[str, Any] | Deferred | None = None
    strict: bool = False
    capabilities: Mapping[str, Any] | None = None
    without: frozenset[str] = frozenset()
    completed: bool = False
    cache: bool = False

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The schema of the input itself."""
        return self.input_schema.make() if isinstance(self.input_schema, Deferred) else self.input_schema

    @property
    def schema_identity(self) -> Mapping[str, Any] | str | None:
        """What tells the schema from others."""
        return self.input_schema.identity if isinstance(self.input_schema, Deferred) else self.input_schema


RUN_ONCE = frozenset(("inline", "unroll", "share", "aggregate", "fuse", "types", "fold", "tally"))
"""The passes to leave out of code that runs once on little: they make it faster by a factor and take longer than that.
Those that stay (``hoist``, ``join``, ``index`` …) spare loops in loops, which no size of input makes up for."""
Bindings = dict[str, Any]
_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError, ValueError)
"""What only a mistake in generated code or in a builtin raises: the run fails, at the policy's line."""
Kinds = Mapping[Path, tuple[str, int]]
_PLAIN_QUERY = Pattern(r"(?:(?!(?:input|data|true|false|null|_) )([a-z_]\w*) = )?data((?:\.[A-Za-z_]\w*)+)", re.ASCII)
"""A document, or a name for one: what is evaluated without the compiler."""


class Query(NamedTuple):
    """A compiled query: its code, that of the program that it runs on, and the names of its bindings."""

    module: Generated
    program: Generated
    scope: Mapping[str, Any]
    shown: tuple[str, ...]


class Program:
    """Compiled rules; it keeps nothing of one evaluation for the next.

    ``kinds`` are the kind and the number of parameters of each document and function by its path, ``extents``
    the paths that are objects even where no rule has a value;
    ``compiler`` gives what further code is made of (it parses where the program came from the cache).
    """

    __slots__ = ("compiler", "extents", "kept", "kinds", "options", "queries", "variants")

    def __init__(
        self,
        kinds: Kinds,
        extents: frozenset[Path],
        compiler: Callable[[], Front],
        options: CompileOptions,
        kept: dict[Any, bytes] | None = None,
    ) -> None:
        self.kinds, self.extents, self.compiler, self.options = kinds, extents, compiler, options
        self.kept = {} if kept is None else kept
        self.variants: dict[Any, Variant] = {}
        self.queries: dict[tuple[str, bool], Query] = {}

    @property
    def source(self) -> str:
        """The generated Python."""
        return self.variant(frozenset()).module.source

    def variant(self, mocked: frozenset[str], *, stepped: bool = False) -> Variant:
        """The program's code where a query's ``with`` replace ``mocked``; ``stepped`` code counts its steps."""

        def make(front: Front) -> Variant:
            from policy_lang import compiling

            return compiling.variant(front, mocked, stepped=stepped)

        return self._code(("mocked", *sorted(mocked), stepped), make)

    def _code(self, key: Any, make: Callable[[Front], Variant]) -> Variant:
        """The code under a key: what is loaded, what the cache kept, or what ``make`` compiles."""
        found = self.variants.get(key)
        if found is None:
            kept = self.kept.get(key)
            with uncollected():
                found = make(self.compiler()) if kept is None else variant_from_data(marshal.loads(kept))
            self.variants[key] = found
        return found

    def joint(
        self,
        documents: Sequence[Path],
        counted: Sequence[Path],
        *,
        typed: bool,
        stepped: bool = False,
        without: frozenset[str] = frozenset(),
    ) -> Variant:
        """The code of ``eval_together``."""

        def make(front: Front) -> Variant:
            from policy_lang import compiling

            return compiling.joint(front, documents, counted, typed=typed, stepped=stepped, without=without)

        return self._code(("joint", tuple(documents), tuple(counted), typed, stepped, *sorted(without)), make)

    def keep_joint(
        self, name: str, documents: Sequence[Path], counted: Sequence[Path], without: frozenset[str]
    ) -> None:
        """Makes the typed code of ``eval_together`` where the user's cache does not have it under ``name``, and
        keeps it there."""
        from policy_lang.codegen import cache

        key = ("joint", tuple(documents), tuple(counted), True, False, *sorted(without))
        if key in self.variants or key in self.kept:
            return
        found = cache.read(name)
        if found is None:
            made = self.joint(documents, counted, typed=True, without=without)
            cache.write(name, marshal.dumps(made.data()))
        else:
            self.kept[key] = found

    def query(self, text: str, *, stepped: bool = False) -> Outcome[Query]:
        """Compiles a query; the last ones are kept."""
        if (text, stepped) in self.queries:
            return Outcome(self.queries[text, stepped])
        from policy_lang import compiling

        asked = compiling.asked(text, self.kinds, self.compiler())
        if asked.value is None:
            return Outcome(None, asked.diagnostics)
        program = self.variant(asked.value.mocked, stepped=stepped)
        try:
            module = compiling.query_module(asked.value, program, self.kinds, self.extents, stepped=stepped)
        except DiagnosticError as failure:
            return Outcome(None, failure.diagnostics)
        names = program.module.names.values()
        made = Query(module, program.module, module.load({n: program.scope[n] for n in names}), asked.value.shown)
        if len(self.queries) >= 256:
            self.queries.clear()
        self.queries[text, stepped] = made
        return Outcome(made)

    def eval_query(
        self,
        text: str,
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
        limits: Limits = NO_LIMITS,
    ) -> Outcome[tuple[Bindings, ...]]:
        """The bindings of each solution; errors are diagnostics with OPA's codes. ``now_ns`` is what
        ``time.now_ns`` gives (None: the present)."""
        given: dict[str, Any] = {"input": input, "data": data, "now_ns": now_ns, "limits": limits}
        given["strict_builtin_errors"] = strict_builtin_errors
        plain = _PLAIN_QUERY.fullmatch(text)
        if plain is not None and not self._reserved(path := tuple(plain[2][1:].split("."))):
            return _bindings(plain[1], self.eval_path(path, **given))
        compiled = self.query(text, stepped=limits.steps is not None)
        query = compiled.value
        if query is None:
            return Outcome(None, compiled.diagnostics)
        found = self._run((query.module, query.program), query.scope["query"], **given)
        if found.value is None:
            return Outcome(None, found.diagnostics)
        return Outcome(tuple(dict(zip(query.shown, row, strict=True)) for row in found.value))

    def _reserved(self, path: Path) -> bool:
        """Whether only the compiler can say what is wrong with a path (that of a function)."""
        return any(path[:n] in self.kinds and self.kinds[path[:n]][0] == "function" for n in range(1, len(path) + 1))

    def eval_path(
        self,
        path: Sequence[str],
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
        limits: Limits = NO_LIMITS,
    ) -> Outcome[Any]:
        """The value of ``data.path``, UNDEFINED where it has none."""
        variant = self.variant(frozenset(), stepped=limits.steps is not None)
        given: dict[str, Any] = {"input": input, "data": data, "now_ns": now_ns, "limits": limits}
        given["strict_builtin_errors"] = strict_builtin_errors
        return self._run((variant.module,), lambda context: self._value(variant, context, tuple(path)), **given)

    def eval_together(
        self,
        documents: Sequence[Path],
        counted: Sequence[Path],
        *,
        input: Any = UNDEFINED,
        data: Any = None,
        strict_builtin_errors: bool = False,
        now_ns: int | None = None,
        limits: Limits = NO_LIMITS,
        conforming: bool = False,
        without: frozenset[str] = frozenset(),
    ) -> Outcome[tuple[list[list[Any]], list[int]]]:
        """The members of each of ``documents`` and the number of members of each of ``counted``, all partial
        sets, in one evaluation that does once what they share. Parameters that ``data`` sets are of the types that
        they are declared with; ``conforming``: the input is of the schema's shape, whoever made it holds that.
        ``without`` are the ids of policies whose violations are left out."""
        stepped = limits.steps is not None
        variant = self.joint(documents, counted, typed=True, stepped=stepped, without=without)
        if not conforming and not variant.conforms(input):
            variant = self.joint(documents, counted, typed=False, stepped=stepped, without=without)
        given: dict[str, Any] = {"input": input, "data": data, "now_ns": now_ns, "limits": limits}
        given["strict_builtin_errors"] = strict_builtin_errors
        found = self._run((variant.module,), variant.scope[variant.module.names[TOGETHER]], **given)
        if found.value is None:
            return Outcome(None, found.diagnostics)
        return Outcome((found.value[: len(documents)], found.value[len(documents) :]))

    def _run(
        self,
        modules: Sequence[Generated],
        function: Callable[[support.Context], Any],
        *,
        input: Any,
        data: Any,
        strict_builtin_errors: bool,
        now_ns: int | None,
        limits: Limits,
    ) -> Outcome[Any]:
        base = {} if data is None else data
        try:
            with session.opened(now_ns), uncollected(), limited(limits):
                left = None if limits.steps is None else [limits.steps]
                found = function(support.Context(input, base, strict_builtin_errors, left=left))
                check_output(found, limits.output)
                return Outcome(found)
        except support.EvalError as failure:
            place = _place(failure, modules) or whole_file("<query>")
            return Outcome(None, (Diagnostic(failure.code, str(failure), place),))
        except TimeUp as late:
            # It can strike while another exception leaves ``limited``, between the lines that would catch it.
            place = _place(late, modules) or whole_file("<query>")
            return Outcome(None, (Diagnostic(LIMIT, f"the policy takes longer than {limits.seconds:g} s", place),))
        except _BUGS as failure:
            place = _place(failure, modules) or whole_file("<query>")
            text = f"floec has a bug here: {type(failure).__name__}: {failure}"
            hint = "please report it with the policy; `floec dump` shows the generated code"
            return Outcome(None, (Diagnostic("eval_internal_error", text, place, hint=hint),))

    def _value(self, variant: Variant, context: support.Context, path: Path) -> Any:
        """The document at a path: a rule's, what is in one, or base documents with rules over them."""
        if variant.tree is None:
            variant.tree = self._tree(variant)
        return support.descend(context, path, variant.tree)

    def _tree(self, variant: Variant) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for place in self.extents:
            at = tree
            for part in place:
                at = at.setdefault(part, {})
        for place, (kind, _) in self.kinds.items():
            if kind != "function":
                at = tree
                for part in place[:-1]:
                    at = at.setdefault(part, {})
                at[place[-1]] = variant.scope[variant.module.names[place]]
        return tree

    def reads(self, roots: Iterable[Path] | None = None) -> frozenset[tuple[str, ...]]:
        """The paths into ``input`` that evaluating the documents ``roots`` (None: all) can read, ``*`` for
        any key; a path stands for all that is below it."""
        from policy_lang import compiling

        return compiling.reads_of(self.compiler(), roots)

    def data(self) -> tuple[Any, ...]:
        """The program as values that ``marshal`` can write."""
        parts = [(key, marshal.dumps(one.data())) for key, one in self.variants.items()]
        return (dict(self.kinds), tuple(sorted(self.extents)), parts)


def program_from_data(data: tuple[Any, ...], options: CompileOptions, compiler: Callable[[], Front]) -> Program:
    """The program that ``Program.data`` was made of."""
    kinds, extents, variants = data
    return Program(kinds, frozenset(extents), compiler, options, kept=dict(variants))


def _bindings(name: str | None, found: Outcome[Any]) -> Outcome[tuple[Bindings, ...]]:
    """The answer of a query that is one document, or ``name`` for it."""
    if found.diagnostics:
        return Outcome(None, found.diagnostics)
    if found.value is UNDEFINED or (name is None and found.value is False):
        return Outcome(())
    return Outcome(({} if name is None else {name: found.value},))


def _place(failure: BaseException, modules: Sequence[Generated]) -> Span | None:
    """The innermost place in a policy that an exception passed."""
    known = {module.file: module for module in modules}
    found = None
    trace = failure.__traceback__
    while trace is not None:
        module = known.get(trace.tb_frame.f_code.co_filename)
        if module is not None:
            # A line without a place of its own (one that builds an answer) belongs to the last one that has it.
            found = module.place(_line(trace), trace.tb_frame.f_code.co_firstlineno) or found
        trace = trace.tb_next
    return found


def _line(trace: TracebackType) -> int:
    """The line at which a frame stood; that of the instruction before where Python gives this one none."""
    known = cast("int | None", trace.tb_lineno)
    if known is not None:
        return known
    before = [line for start, _, line in trace.tb_frame.f_code.co_lines() if start <= trace.tb_lasti and line]
    return before[-1] if before else 0


def compile_program(sources: Sequence[Source], options: CompileOptions | None = None) -> Outcome[Program]:
    """Parses and compiles; diagnostics carry OPA's codes (``rego_parse_error`` and so on)."""
    options = options or CompileOptions()
    return kept_or_made(
        "program", sources, options, lambda: _compiled(sources, options), lambda: front_of(sources, options)
    )


def kept_or_made(
    kind: str,
    sources: Sequence[Source],
    options: CompileOptions,
    make: Callable[[], Outcome[Program]],
    front: Callable[[], Front],
) -> Outcome[Program]:
    """The program of this kind from the user's cache, where the options allow it and it is there; else made and kept.

    ``front`` gives what only explanations ask for, and is kept nowhere.
    """
    if not options.cache:
        return make()
    from policy_lang.codegen import cache

    key = cache.key(kind, sources, options)
    kept = cache.read(key)
    if kept is not None:
        return Outcome(program_from_data(kept, options, front))
    made = make()
    if made.value is not None and not made.diagnostics:
        cache.write(key, made.value.data())
    return made


def _compiled(sources: Sequence[Source], options: CompileOptions) -> Outcome[Program]:
    from policy_lang import compiling

    parsed = compiling.parsed(sources, strict=options.strict)
    if parsed.value is None:
        return Outcome(None, parsed.diagnostics)
    made = compile_modules(parsed.value, options)
    return Outcome(made.value, (*parsed.diagnostics, *made.diagnostics))


def compile_modules(
    modules: Sequence[ast.Module], options: CompileOptions | None = None, *, code: bool = True
) -> Outcome[Program]:
    """Compiles modules that are parsed and desugared; without ``code`` only what has to be known of them before code
    is made for some purpose."""
    from policy_lang import compiling

    options = options or CompileOptions()
    with uncollected():
        found = compiling.front(modules, options)
    front = found.value
    if front is None:
        return Outcome(None, found.diagnostics)
    program = Program(compiling.kinds_of(front.plan), front.plan.extents, lambda: front, options)
    try:
        if code:
            program.variant(frozenset())
    except DiagnosticError as failure:
        return Outcome(None, (*found.diagnostics, *failure.diagnostics))
    return Outcome(program, found.diagnostics)


def front_of(sources: Sequence[Source], options: CompileOptions) -> Front:
    """What a cached program's code was made of, from sources that compiled before.

    Raises:
        DiagnosticError: they do not compile now.
    """
    from policy_lang import compiling

    parsed = compiling.parsed(sources, strict=options.strict)
    if parsed.value is None:
        raise DiagnosticError(*parsed.diagnostics)
    return front_of_modules(parsed.value, options)


def front_of_modules(modules: Sequence[ast.Module], options: CompileOptions) -> Front:
    """As ``front_of``, from modules that are parsed and desugared.

    Raises:
        DiagnosticError: they do not compile now.
    """
    from policy_lang import compiling

    with uncollected():
        found = compiling.front(modules, options)
    if found.value is None:
        raise DiagnosticError(*found.diagnostics)
    return found.value
