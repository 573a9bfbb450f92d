"""The policy layer's public face: load policies, run them on an input, get violations as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity, blocking
from policy_lang.source import Source, Span
from policy_lang.spell import did_you_mean

if TYPE_CHECKING:
    from policy_lang.engine import Program
    from policy_lang.syntax import ast


@dataclass(frozen=True, slots=True)
class ParamInfo:
    """A parameter as declared; ``stricter`` is the side a child may move it to (None: free)."""

    name: str
    type: ast.TypeExpr
    stricter: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class PolicyInfo:
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


@dataclass(frozen=True, slots=True)
class Violation:
    """One finding of a policy; ``at`` is a path into the input."""

    policy: PolicyInfo
    severity: Severity
    message: str
    hint: str
    at: tuple[str | int, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """The violations by place, and how many subjects each policy (by ``package.name``) checked."""

    violations: tuple[Violation, ...]
    subjects: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Compiled policies."""

    program: Program
    policies: tuple[PolicyInfo, ...]

    def reads(self) -> frozenset[tuple[str, ...]]:
        """The paths into ``input`` that the policies can read: ``*`` for any index or key, and a path stands
        for all that is below it."""
        known = {function.path for function in self.program.plan.functions}
        packages = {tuple(policy.package.split(".")) for policy in self.policies}
        roots = {path for path in known if path[:-1] in packages and path[-1] == "violation"}
        return self.program.reads(roots | {p for p in known if p[:-2] in packages and p[-2] == "subjects"})

    def check_settings(
        self, params: Mapping[str, Mapping[str, Any]], severities: Mapping[str, Severity]
    ) -> tuple[Diagnostic, ...]:
        """What is wrong with values from outside: names that nobody declared, values of a wrong type."""
        declared = {(p.package, param.name): param for p in self.policies for param in p.params}
        packages = {policy.package for policy in self.policies}
        found: list[Diagnostic] = []
        for package, given in params.items():
            if package not in packages:
                hint = did_you_mean(package, packages)
                found.append(Diagnostic("floe_param_error", f"no package {package} has policies", hint=hint))
                continue
            own = {name: param for (home, name), param in declared.items() if home == package}
            found += [
                problem for name, value in given.items() if (problem := _param_problem(package, name, value, own))
            ]
        ids = {policy.id for policy in self.policies}
        for id in severities.keys() - ids:
            found.append(Diagnostic("floe_severity_error", f"no policy has the id {id}", hint=did_you_mean(id, ids)))
        return tuple(found)

    def run(
        self,
        ir: Any,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        severities: Mapping[str, Severity] | None = None,
    ) -> Outcome[PolicyRun]:
        """Evaluates all policies on ``ir``.

        ``params`` is package (dotted) → name → value; ``severities`` is id → severity. A builtin's
        error ends the run with a diagnostic that blocks: a policy that could not be decided did not pass.
        """
        data = {"floec": {"params": {package: dict(values) for package, values in (params or {}).items()}}}
        violations: list[Violation] = []
        subjects: list[tuple[str, int]] = []
        for package in sorted({policy.package for policy in self.policies}):
            answers = []
            for rule in ("violation", "subjects"):
                path = (*package.split("."), rule)
                answer = self.program.eval_path(path, input=ir, data=data, strict_builtin_errors=True)
                if answer.value is None or not answer.ok:
                    return Outcome(None, answer.diagnostics)
                answers.append(answer.value)
            known = {policy.id: policy for policy in self.policies if policy.package == package}
            violations += [_violation(value, known, severities or {}) for value in answers[0].values()]
            subjects += [(f"{package}.{policy.name}", len(answers[1][policy.name])) for policy in known.values()]
        ordered = sorted(violations, key=lambda found: (list(map(_place, found.at)), found.policy.id, found.message))
        return Outcome(PolicyRun(tuple(ordered), tuple(subjects)))


def load_policies(sources: Sequence[Source]) -> Outcome[PolicySet]:
    """Parses, desugars and compiles policy files; an id stands for one policy over all files."""
    from policy_lang.analysis.desugar import desugar
    from policy_lang.engine import compile_modules
    from policy_lang.syntax.parser import parse_module

    found: list[Diagnostic] = []
    plain: list[ast.Module] = []
    policies: list[PolicyInfo] = []
    for source in sources:
        parsed = parse_module(source)
        found += parsed.diagnostics
        if parsed.value is None or not parsed.ok:
            continue
        made = desugar(parsed.value)
        found += made.diagnostics
        if made.value is not None:
            plain.append(made.value)
            policies += _infos(parsed.value)
    found += _repeated_ids(policies)
    if blocking(found):
        return Outcome(None, tuple(found))
    compiled = compile_modules(plain)
    if compiled.value is None:
        return Outcome(None, (*found, *compiled.diagnostics))
    return Outcome(PolicySet(compiled.value, tuple(policies)), (*found, *compiled.diagnostics))


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


def _infos(module: ast.Module) -> list[PolicyInfo]:
    params = tuple(ParamInfo(param.name, param.type, param.stricter, param.span) for param in module.params)
    package = ".".join(module.package.path)
    return [
        PolicyInfo(package, p.name, p.id, p.title, Severity(p.severity), p.why, p.docs, p.tags, params, p.span)
        for p in module.policies
    ]


def _repeated_ids(policies: Sequence[PolicyInfo]) -> list[Diagnostic]:
    seen: set[str] = set()
    found: list[Diagnostic] = []
    for policy in policies:
        if policy.id in seen:
            found.append(Diagnostic("floe_duplicate_error", f"policy id {policy.id} is declared twice", policy.span))
        seen.add(policy.id)
    return found


def _violation(
    value: Mapping[str, Any], known: Mapping[str, PolicyInfo], severities: Mapping[str, Severity]
) -> Violation:
    policy = known[value["id"]]
    severity = severities.get(policy.id, policy.severity)
    return Violation(policy, severity, value["message"], value["hint"], tuple(value["at"]), value["subject"])


def _place(part: str | int) -> tuple[int, int, str]:
    return (0, part, "") if isinstance(part, int) else (1, 0, part)
