"""Run the policies in force on the IR, and give each violation its place, its cause and its exemption.

Codes: FLC305 an exemption that covers nothing, FLC324 an exemption from a policy that is not in force or may not
be exempted from; a violation has the id of its policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Protocol

from compiler.documents.models import Document
from compiler.policies.bundles import named
from compiler.policies.fixes import proposed
from compiler.policies.quota import More, Quota
from compiler.policies.settings import SECURITY, InForce
from policy_lang.diagnostics import Diagnostic, Label, Outcome, Severity
from policy_lang.policies import PolicyRun, PolicySet, Violation
from policy_lang.records import NamedTuple
from policy_lang.source import Span
from policy_lang.spell import did_you_mean

Path = tuple[str | int, ...]


class Places(Protocol):
    """What finds the file and line of a path into the IR (``compiler.ir.provenance.Locator``)."""

    def locate(self, path: Path) -> Span: ...


class Exemption(NamedTuple):
    """``subject`` is a glob over what a violation is about; ``expires`` is the last day on which it holds."""

    policy: str
    subject: str
    reason: str
    expires: str
    span: Span


class Checked(NamedTuple):
    """How many subjects each policy in force had, by its id, and how many violations were only counted.

    ``more`` are those beyond the quota; ``rest`` finds their places after all.
    """

    subjects: dict[str, int]
    left_out: int = 0
    more: tuple[More, ...] = ()
    rest: Callable[[], tuple[Diagnostic, ...]] = tuple

    @property
    def idle(self) -> tuple[str, ...]:
        """The policies that found nothing to check: they have not passed, they did not apply."""
        return tuple(sorted(id_ for id_, count in self.subjects.items() if not count))


class _Origins:
    """Where the nodes that classifications come from stand in an IR; looked up once for all findings."""

    def __init__(self, ir: dict[str, Any]) -> None:
        self.ir = ir

    @cached_property
    def _nodes(self) -> dict[str, tuple[str, int]]:
        sections = ("models", "seeds", "snapshots", "sources")
        return {node["unique_id"]: (section, i) for section in sections for i, node in enumerate(self.ir[section])}

    def column(self, unique_id: str, name: str) -> Path | None:
        """The path of a node's column."""
        if unique_id not in self._nodes:
            return None
        section, i = self._nodes[unique_id]
        columns = enumerate(self.ir[section][i]["columns"])
        return next(((section, i, "columns", j) for j, column in columns if column["name"] == name), None)


def exemptions_of(manifests: Iterable[Document]) -> tuple[Exemption, ...]:
    """The exemptions that the manifests of a chain give."""
    found = []
    for document in manifests:
        for i, item in enumerate(document.data.get("exemptions", ())):
            span = document.span(("exemptions", i))
            found.append(Exemption(item["policy"], item["subject"], item["reason"], item["expires"][:10], span))
    return tuple(found)


def check(
    ir: dict[str, Any],
    policies: PolicySet,
    in_force: InForce,
    exemptions: Sequence[Exemption],
    places: Places,
    today: date,
    about: Callable[[Path], bool] | None = None,
    most: int | None = None,
    run: Callable[[], Outcome[PolicyRun]] | None = None,
    jobs: int = 1,
) -> Outcome[Checked]:
    """Evaluate the policies; a policy that cannot be decided is a diagnostic that blocks.

    Violations at paths that are not ``about`` what is asked for are counted only, and so are those of one policy after
    the first ``most``: to place one means to read its file. ``run`` gives what the policies find, where that is told in
    another way than by running them all; else they run in so many processes as there are ``jobs``, at most.
    """
    if run is None:
        given = (ir, in_force.params, in_force.severities)
        ran = policies.run(*given, conforming=is_typed(ir), jobs=jobs)
    else:
        ran = run()
    if ran.value is None:
        return Outcome(None, ran.diagnostics)
    found = list(_refused(exemptions, in_force))
    open_to_all = {policy.id for policy in in_force.policies.policies if SECURITY not in policy.tags}
    live = [e for e in exemptions if e.expires >= today.isoformat() and e.policy in open_to_all]
    used: set[int] = set()
    origins = _Origins(ir)
    left_out = 0
    quota = Quota(most)
    rest: list[tuple[Violation, str]] = []
    for violation in ran.value.violations:
        reason = _exempted(violation, ir, live, used) if live else ""
        if about is not None and not about(violation.at):
            left_out += 1
        elif quota.admits(violation.policy.id, in_force.severities[violation.policy.id], bool(reason)):
            found.append(_diagnostic(violation, origins, in_force, reason, places))
        else:
            rest.append((violation, reason))
    for exemption in live:
        if id(exemption) not in used:
            text = f"the exemption from {exemption.policy} covers nothing that {exemption.subject!r} matches"
            found.append(Diagnostic("FLC305", text, exemption.span, Severity.WARN, hint="take it out"))
    counts = dict(ran.value.subjects)
    subjects = {policy.id: counts.get(f"{policy.package}.{policy.name}", 0) for policy in policies.policies}

    def others() -> tuple[Diagnostic, ...]:
        return tuple(_diagnostic(violation, origins, in_force, reason, places) for violation, reason in rest)

    return Outcome(Checked(subjects, left_out, quota.more(), others), tuple(found))


def is_typed(ir: dict[str, Any]) -> bool:
    """Whether every value is of the IR's types by how it was made: dbt's manifest is decoded by type, and documents
    were checked. Facts from files, and contracts, hold what somebody wrote in YAML."""
    project = ir.get("project")
    return project is not None and project["source"] == "manifest" and not ir["contracts"]


def _refused(exemptions: Iterable[Exemption], in_force: InForce) -> Iterable[Diagnostic]:
    policies = {policy.id: policy for policy in in_force.policies.policies}
    for exemption in exemptions:
        policy = policies.get(exemption.policy)
        if policy is None:
            text = f"there is no policy {exemption.policy} in force to be exempted from"
            hint = did_you_mean(exemption.policy, policies)
            yield Diagnostic("FLC324", text, exemption.span, Severity.WARN, hint=hint)
        elif SECURITY in policy.tags:
            text = f"{policy.id} is a security policy: nothing is exempted from it"
            related = (Label(named(policy.span), "declared here"),)
            yield Diagnostic("FLC324", text, exemption.span, related=related, hint="mend the cause")


def _exempted(violation: Violation, ir: dict[str, Any], exemptions: Sequence[Exemption], used: set[int]) -> str:
    """The reason why a violation is exempted, empty where it is not; notes in ``used`` what covers it."""
    own = [e for e in exemptions if e.policy == violation.policy.id]
    names = _names(violation, ir) if own else []
    reason = ""
    for exemption in own:
        if any(fnmatchcase(name, exemption.subject) for name in names):
            reason = exemption.reason
            used.add(id(exemption))
    return reason


def _diagnostic(violation: Violation, origins: _Origins, in_force: InForce, reason: str, places: Places) -> Diagnostic:
    policy = violation.policy
    ir = origins.ir
    return Diagnostic(
        policy.id,
        violation.message,
        places.locate(violation.at),
        in_force.severities[policy.id],
        related=tuple(_related(violation, origins, in_force, places)),
        why=policy.why,
        hint=violation.hint,
        docs=policy.docs,
        fixes=proposed(violation.fix, ir, places.locate(violation.fix.path)) if violation.fix is not None else (),
        policy=named(policy.span),
        path=violation.at,
        subject=violation.subject,
        suppressed=reason,
        title=policy.title,
    )


def _names(violation: Violation, ir: dict[str, Any]) -> list[str]:
    """What an exemption may call the subject: as the report names it, or the node's name, id or path."""
    names = [violation.subject]
    at = violation.at
    entry = ir.get(str(at[0])) if at else None
    if isinstance(entry, list) and len(at) > 1 and isinstance(at[1], int) and at[1] < len(entry):
        node = entry[at[1]]
        names += [str(node[key]) for key in ("name", "unique_id", "path") if node.get(key)]
        if at[2:3] == ("columns",) and len(at) > 3 and isinstance(at[3], int):
            names.append(f"{node['name']}.{node['columns'][at[3]]['name']}")
    return names


def _related(violation: Violation, origins: _Origins, in_force: InForce, places: Places) -> Iterable[Label]:
    """The origin of an inherited classification, and the line that set the policy's severity."""
    at = violation.at
    if at[2:3] == ("columns",) and len(at) > 3 and isinstance(at[1], int) and isinstance(at[3], int):
        inherited = origins.ir[str(at[0])][at[1]]["columns"][at[3]].get("inherited")
        if inherited and inherited["path"]:
            origin = inherited["path"][0]
            path = origins.column(origin["node"], origin["column"])
            if path is not None:
                yield Label(places.locate(path), f"{inherited['classification']} comes from here")
    by = in_force.set_by.get(violation.policy.id)
    if by is not None and by.span is not None:
        yield Label(by.span, f"the {by.tier} manifest sets its severity here")
