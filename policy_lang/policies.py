"""The policy layer's public face: load policies, run them on an input, get violations as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from policy_lang.collecting import uncollected
from policy_lang.diagnostics import Diagnostic, DiagnosticError, Label, Outcome, Severity, blocking
from policy_lang.records import NamedTuple
from policy_lang.source import Source, Span
from policy_lang.spell import did_you_mean

if TYPE_CHECKING:
    from policy_lang.compiling import Front
    from policy_lang.engine import CompileOptions, Program
    from policy_lang.plan.sliced import Slice
    from policy_lang.runtime.limits import Limits
    from policy_lang.syntax import ast


class ParamInfo(NamedTuple):
    """A parameter as declared; ``stricter`` is the side a child may move it to (None: free)."""

    name: str
    type: ast.TypeExpr
    stricter: str | None
    span: Span


class PolicyInfo(NamedTuple):
    """A policy's metadata; ``package`` is dotted, ``params`` are those of its package."""

    package: str
    name: str
    id: str
    title: str
    severity: Severity
    why: str
    docs: str
    tags: tuple[str, ...]
    params: tuple[ParamInfo, ...]
    span: Span


class Edit(NamedTuple):
    """What a policy's ``fix`` proposes: to ``set`` or ``add`` ``value``, or to ``remove`` what is there."""

    action: str
    path: tuple[str | int, ...]
    value: Any


class Violation(NamedTuple):
    """One finding of a policy; ``at`` is a path into the input. (There may be very many, so it is a tuple.)"""

    policy: PolicyInfo
    severity: Severity
    message: str
    hint: str
    at: tuple[str | int, ...]
    subject: str
    fix: Edit | None = None


class PolicyRun(NamedTuple):
    """The violations by place, and how many subjects each policy (by ``package.name``) checked."""

    violations: tuple[Violation, ...]
    subjects: tuple[tuple[str, int], ...]


class Declarations(NamedTuple):
    """What policy files declare; ``params`` are those of each package (dotted), of packages without policies too."""

    policies: tuple[PolicyInfo, ...]
    params: Mapping[str, tuple[ParamInfo, ...]]

    def check_params(self, params: Mapping[str, Mapping[str, Any]]) -> tuple[Diagnostic, ...]:
        """What is wrong with values from outside: names that nobody declared, values of a wrong type."""
        found: list[Diagnostic] = []
        for package, given in params.items():
            if package not in self.params:
                hint = did_you_mean(package, self.params)
                found.append(Diagnostic("floe_param_error", f"no package {package} has params", hint=hint))
                continue
            own = {param.name: param for param in self.params[package]}
            problems = (_param_problem(package, name, value, own) for name, value in given.items())
            found += [problem for problem in problems if problem is not None]
        return tuple(found)

    def check_severities(self, severities: Iterable[str]) -> tuple[Diagnostic, ...]:
        """The ids among ``severities`` that no policy has."""
        ids = {policy.id for policy in self.policies}
        return tuple(
            Diagnostic("floe_severity_error", f"no policy has the id {id}", hint=did_you_mean(id, ids))
            for id in severities
            if id not in ids
        )


class PolicySet(NamedTuple):
    """Compiled policies; ``params`` are those of each package (dotted), of packages without policies too."""

    program: Program
    policies: tuple[PolicyInfo, ...]
    params: Mapping[str, tuple[ParamInfo, ...]]
    known_reads: frozenset[tuple[str, ...]] | None = None
    known_slices: bytes | None = None
    digest: str = ""
    """What tells the set from every other; "" where it is not from the cache."""

    def prepared(self) -> PolicySet:
        """The set with all that a first run would compile."""
        self.compile()
        return self._replace(known_reads=self.reads())

    def compile(self, without: frozenset[str] = frozenset()) -> None:
        """Makes the code of ``run``, for all policies but those with the ids ``without``.

        Raises:
            DiagnosticError: an expression is nested too deep for Python.
        """
        documents, counted = self._documents(without)
        if without and self.digest:
            import hashlib

            name = hashlib.sha256("\n".join((self.digest, "without", *sorted(without))).encode()).hexdigest()
            self.program.keep_joint(name, documents, counted, without)
        else:
            self.program.joint(documents, counted, typed=True, without=without)

    def _documents(self, without: Collection[str] = ()) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        """The documents of violations, by package, and those of subjects, by policy in order of package."""
        counted = self._counted(without)
        packages = sorted({policy.package for policy in counted})
        return (
            [(*package.split("."), "violation") for package in packages],
            [(*policy.package.split("."), "subjects", policy.name) for policy in counted],
        )

    def _counted(self, without: Collection[str]) -> list[PolicyInfo]:
        return sorted((p for p in self.policies if p.id not in without), key=lambda policy: policy.package)

    def reads(self) -> frozenset[tuple[str, ...]]:
        """The paths into ``input`` that the policies can read: ``*`` for any index or key, and a path stands
        for all that is below it."""
        if self.known_reads is not None:
            return self.known_reads
        known = self.program.kinds.keys()
        packages = {tuple(policy.package.split(".")) for policy in self.policies}
        roots = {path for path in known if path[:-1] in packages and path[-1] == "violation"}
        return self.program.reads(roots | {p for p in known if p[:-2] in packages and p[-2] == "subjects"})

    def slices(self) -> tuple[Slice, ...]:
        """For each policy, by id, whether it can be judged subject by subject, and what it reads."""
        if self.known_slices is not None:
            from policy_lang import kept

            return kept.slices(self.known_slices)
        from policy_lang import compiling

        return compiling.slices_of(self.program.compiler())

    @property
    def declarations(self) -> Declarations:
        """What the compiled files declare."""
        return Declarations(self.policies, self.params)

    def run(
        self,
        ir: Any,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        severities: Mapping[str, Severity] | None = None,
        limits: Limits | None = None,
        *,
        conforming: bool = False,
        jobs: int = 1,
    ) -> Outcome[PolicyRun]:
        """Evaluates all policies on ``ir`` within ``limits`` (None: five minutes, 4 GiB, 20 million values).

        ``conforming``: all that policies can read of ``ir`` has the schema's types, so that nobody has to look.
        ``jobs``: in how many processes, each within ``limits``, where there are enough subjects (``parallel.py``).

        ``params`` is package (dotted) → name → value; ``severities`` is id → severity. A builtin's
        error ends the run with a diagnostic that blocks: a policy that could not be decided did not pass.
        So does a parameter that is of a wrong type, or that nobody declared.
        """
        problems = self.declarations.check_params(params or {})
        if problems:
            return Outcome(None, problems)
        with uncollected():
            if jobs > 1:
                from policy_lang.parallel import run_parallel

                found = run_parallel(self, ir, params or {}, severities or {}, limits, conforming=conforming, jobs=jobs)
                if found is not None:
                    return Outcome(found)
            return self._run(ir, params or {}, severities or {}, limits, conforming)

    def run_part(
        self,
        ir: Any,
        params: Mapping[str, Mapping[str, Any]],
        limits: Limits | None,
        *,
        without: frozenset[str],
        conforming: bool,
    ) -> PolicyRun | None:
        """What all policies but those with the ids ``without`` find, with the severities that they declare; None
        where that is an error."""
        return self._run(ir, params, {}, limits, conforming, without).value

    def _run(
        self,
        ir: Any,
        params: Mapping[str, Mapping[str, Any]],
        severities: Mapping[str, Severity],
        limits: Limits | None,
        conforming: bool,
        without: frozenset[str] = frozenset(),
    ) -> Outcome[PolicyRun]:
        from policy_lang.runtime.limits import DEFAULT

        data = {"floec": {"params": {package: dict(values) for package, values in params.items()}}}
        answer = self.program.eval_together(
            *self._documents(without),
            input=ir,
            data=data,
            strict_builtin_errors=True,
            limits=limits or DEFAULT,
            conforming=conforming,
            without=without,
        )
        if answer.value is None:
            return Outcome(None, answer.diagnostics)
        settled = {policy.id: (policy, severities.get(policy.id, policy.severity)) for policy in self.policies}
        violations = [_violation(value, settled) for found in answer.value[0] for value in found]
        names = [f"{policy.package}.{policy.name}" for policy in self._counted(without)]
        return Outcome(PolicyRun(by_place(violations), tuple(zip(names, answer.value[1], strict=True))))


def by_place(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The order in which a run finds."""
    found = tuple(violations)
    try:
        return tuple(sorted(found, key=_plain_place))
    except TypeError:  # an index and a name were at the same place of two paths
        return tuple(sorted(found, key=_place))


def declared(sources: Sequence[Source], options: CompileOptions | None = None) -> Outcome[Declarations]:
    """What the files declare, without compiling it; an id stands for one policy over all files."""
    if options is None or not options.cache:
        return _declared(sources).outcome
    from policy_lang import kept
    from policy_lang.codegen import cache

    key = cache.key("declarations", sources, options)
    found = cache.read(key)
    if found is not None:
        return Outcome(kept.declarations(found))
    made = _declared(sources).outcome
    if made.value is not None and not made.diagnostics:
        cache.write(key, kept.declarations_data(made.value))
    return made


def load_policies(
    sources: Sequence[Source],
    options: CompileOptions | None = None,
    off: Collection[str] = (),
    known: Declarations | None = None,
) -> Outcome[PolicySet]:
    """Parses, desugars and compiles policy files, without the policies whose ids are in ``off``; ``known`` is what
    they declare, where somebody has asked (``declared``)."""
    with uncollected():
        return _load(sources, options, off, known)


def _load(
    sources: Sequence[Source], options: CompileOptions | None, off: Collection[str], known: Declarations | None
) -> Outcome[PolicySet]:
    if options is None or not options.cache:
        return _loaded(sources, options, off)
    import marshal

    from policy_lang import kept
    from policy_lang.codegen import cache
    from policy_lang.engine import program_from_data

    key = cache.key(f"policies {sorted(off)}", sources, options)
    found = cache.read(key)
    if found is not None:
        data, declared, reads, slices = found
        program = program_from_data(data, options, lambda: _front(sources, options, off))
        if known is None:
            policies, params = kept.declarations(declared)
        else:
            policies, params = tuple(p for p in known.policies if p.id not in off), known.params
        return Outcome(PolicySet(program, policies, params, marshal.loads(reads), slices, key))
    made = _loaded(sources, options, off)
    if made.value is not None and not made.diagnostics:
        whole = made.value.prepared()
        parts = kept.slices_data(whole.reads(), whole.slices())
        cache.write(key, (whole.program.data(), kept.declarations_data(whole.declarations), *parts))
        return Outcome(whole._replace(known_slices=parts[1], digest=key))
    return made


class _Read(NamedTuple):
    """The files' modules as they stand and as plain Rego, and what they declare."""

    modules: tuple[ast.Module, ...]
    plain: tuple[ast.Module, ...]
    outcome: Outcome[Declarations]


def _declared(sources: Sequence[Source], off: Collection[str] = (), *, strict: bool = False) -> _Read:
    from dataclasses import replace

    from policy_lang.analysis.desugar import check_together, desugar
    from policy_lang.syntax.parser import parse_module

    found: list[Diagnostic] = []
    modules: list[ast.Module] = []
    plain: list[ast.Module] = []
    for source in sources:
        parsed = parse_module(source)
        found += parsed.diagnostics
        if parsed.value is None or not parsed.ok:
            continue
        kept = tuple(policy for policy in parsed.value.policies if policy.id not in off)
        made = desugar(replace(parsed.value, policies=kept), strict=strict)
        found += made.diagnostics
        if made.value is not None:
            modules.append(replace(parsed.value, policies=kept))
            plain.append(made.value)
    found += check_together(modules)
    params = _params(modules)
    policies = tuple(info for module in modules for info in _infos(module, params))
    declarations = None if blocking(found) else Declarations(policies, params)
    return _Read(tuple(modules), tuple(plain), Outcome(declarations, tuple(found)))


def _front(sources: Sequence[Source], options: CompileOptions, off: Collection[str]) -> Front:
    from policy_lang import compiling

    found = compiling.front(_declared(sources, off, strict=options.strict).plain, options)
    if found.value is None:
        raise DiagnosticError(*found.diagnostics)
    return found.value


def _loaded(sources: Sequence[Source], options: CompileOptions | None, off: Collection[str]) -> Outcome[PolicySet]:
    from policy_lang.engine import compile_modules

    read = _declared(sources, off, strict=options is not None and options.strict)
    made = read.outcome
    if made.value is None:
        return Outcome(None, made.diagnostics)
    compiled = compile_modules(read.plain, options, code=False)
    diagnostics = (*made.diagnostics, *compiled.diagnostics)
    if compiled.value is None:
        return Outcome(None, diagnostics)
    policies = PolicySet(compiled.value, made.value.policies, made.value.params)
    try:
        policies.compile()
    except DiagnosticError as failure:
        return Outcome(None, (*diagnostics, *failure.diagnostics))
    return Outcome(policies, diagnostics)


def _params(modules: Sequence[ast.Module]) -> dict[str, tuple[ParamInfo, ...]]:
    made: dict[str, tuple[ParamInfo, ...]] = {}
    for module in modules:
        own = tuple(ParamInfo(param.name, param.type, param.stricter, param.span) for param in module.params)
        package = ".".join(module.package.path)
        made[package] = made.get(package, ()) + own
    return made


def _infos(module: ast.Module, params: Mapping[str, tuple[ParamInfo, ...]]) -> list[PolicyInfo]:
    package = ".".join(module.package.path)
    own = params[package]
    return [
        PolicyInfo(package, p.name, p.id, p.title, Severity(p.severity), p.why, p.docs, p.tags, own, p.span)
        for p in module.policies
    ]


def _param_problem(package: str, name: str, value: Any, own: Mapping[str, ParamInfo]) -> Diagnostic | None:
    from policy_lang.params import setting_fits, type_text

    param = own.get(name)
    if param is None:
        text = f"package {package} has no param {name}"
        return Diagnostic("floe_param_error", text, hint=did_you_mean(name, own))
    if setting_fits(value, param.type):
        return None
    text = f"param {package}.{name} is of type {type_text(param.type)}; the value set for it is not"
    return Diagnostic("floe_param_type_error", text, related=(Label(param.span, "declared here"),))


def _violation(value: Mapping[str, Any], settled: Mapping[str, tuple[PolicyInfo, Severity]]) -> Violation:
    policy, severity = settled[value["id"]]
    edits = value.get("fix")
    fix = Edit(edits[0]["action"], _path(edits[0]["path"]), edits[0]["value"]) if edits else None
    return Violation(policy, severity, value["message"], value["hint"], _path(value["at"]), value["subject"], fix)


def _path(parts: list[Any]) -> tuple[str | int, ...]:
    """A path as far as it is made of names and indexes: a loop over a set has its members for keys."""
    if _OF_PATHS.issuperset(map(type, parts)):
        return tuple(parts)
    for number, part in enumerate(parts):
        if type(part) is not str and type(part) is not int:
            return tuple(parts[:number])
    return tuple(parts)


_OF_PATHS = frozenset((str, int))


def _plain_place(found: Violation) -> tuple[Any, ...]:
    """What violations are sorted by where no index has to be compared with a name."""
    return (found.at, found.policy.id, found.message)


def _place(found: Violation) -> tuple[Any, ...]:
    """What violations are sorted by: the place, where indexes come before names, then id and message."""
    return ([(0, part) if type(part) is int else (1, part) for part in found.at], found.policy.id, found.message)
