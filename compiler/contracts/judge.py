"""What a new version of a contract may say, given the old one: the version that is due, and who breaks.

Codes: FLC501 the declared version rises too little, FLC502 it does not rise or goes back, FLC503 a breaking change,
FLC504 another change, FLC505 a consumer that breaks, FLC518 versions that are no versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compiler.contracts.compare import Change, compare, due
from compiler.contracts.compare import Severity as Bump
from compiler.contracts.model import Contract, Party
from compiler.structs import Struct
from compiler.tiers.versions import Version, parse_version
from policy_lang.diagnostics import Diagnostic, Label, Severity

_SHOWN = 5
"""Changes that are shown beside a version that rises too little."""


class Judgement(Struct, frozen=True):
    """The changes, the bump that is due (None: nothing changed), the least version, and all that is to be said."""

    changes: tuple[Change, ...]
    bump: Bump | None
    due_version: str | None
    diagnostics: tuple[Diagnostic, ...]


def judge(
    old: Contract, new: Contract, *, consumers: Sequence[Party] = (), levels: Mapping[str, int] | None = None
) -> Judgement:
    """Compare two versions; ``consumers`` are known beside those that the contracts name."""
    changes = compare(old, new, levels)
    bump = due(changes)
    version = parse_version(old.version)
    least = next_version(version, bump) if version is not None and bump is not None else None
    gravest = tuple(c for c in changes if c.severity == bump)[:_SHOWN]
    found = list(_versions(old, new, bump, least, tuple(_place(old, new, c) for c in gravest)))
    enough = not found
    found += [_change(old, new, change, enough) for change in changes]
    for party in broken_consumers(changes, [*old.consumers, *consumers]):
        where = f"`{party.domain}.{party.product}`"
        reads = f" (it reads {', '.join(party.columns)})" if party.columns else ""
        text = f"the consumer {where} breaks{reads}"
        ahead = f"{old.notice} " if old.notice else ""
        hint = f"tell its owner {ahead}before the new version is published, and keep the old one until it has moved"
        severity = Severity.WARN if enough else Severity.BLOCK
        found.append(
            Diagnostic(
                "FLC505", text, new.span(()), severity, hint=hint, subject=f"consumer {party.domain}.{party.product}"
            )
        )
    return Judgement(changes, bump, str(least) if least is not None else None, tuple(found))


def next_version(version: Version, bump: Bump) -> Version:
    """The least version after ``version`` for a bump. Below 1.0.0 a breaking change asks for a new minor version."""
    if bump == "major" and version.major > 0:
        return Version(version.major + 1, 0, 0)
    if bump in ("major", "minor") and not (version.major == 0 and bump == "minor"):
        return Version(version.major, version.minor + 1, 0)
    return Version(version.major, version.minor, version.patch + 1)


def broken_consumers(changes: Sequence[Change], consumers: Sequence[Party]) -> list[Party]:
    """Consumers that read what broke; one whose columns are not known is counted among them.

    A consumer names its columns alone or behind their table (``orders.id``), in any case; who reads a column reads
    what is in it.
    """
    breaking = [c for c in changes if c.breaking and c.direction != "tightens"]
    broken = {name.lower() for c in breaking if c.column is not None for name in _names(c.table or "", c.column)}
    whole = any(c.column is None for c in breaking)
    found = [p for p in consumers if breaking and (whole or not p.columns or broken & {*map(str.lower, p.columns)})]
    return list(dict.fromkeys(found))


def _names(table: str, column: str) -> Iterator[str]:
    """What a consumer may call a column, or one that holds it."""
    parts = column.split(".")
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        yield from (name, f"{table}.{name}")


def _place(old: Contract, new: Contract, change: Change) -> Label:
    """Where a change stands: in the new document if it is there, else in the old one."""
    span = new.span(change.new) if change.new is not None else old.span(change.old or ())
    return Label(span, change.text)


def _versions(
    old: Contract, new: Contract, bump: Bump | None, least: Version | None, causes: tuple[Label, ...]
) -> list[Diagnostic]:
    path = ("version",) if new.document is None or "version" in new.document.data else ("metadata", "version")
    span, related = new.span(path), (Label(old.span(path), "the old version"),)
    before, after = parse_version(old.version), parse_version(new.version)
    if before is None or after is None:
        wrong = old.version if before is None else new.version
        text = f"`{wrong}` is no version that could be compared"
        return [Diagnostic("FLC518", text, span, hint="write 1.2.3")]
    core = Version(after.major, after.minor, after.patch)
    if bump is not None and after == before:
        text = f"the contract changed, but is still {new.version}"
        return [Diagnostic("FLC502", text, span, hint=f"write {least}", related=(*related, *causes))]
    if after < before:
        text = f"the version goes back from {old.version} to {new.version}"
        return [Diagnostic("FLC502", text, span, hint=f"write {least or old.version} or more", related=related)]
    if least is not None and core < least:
        text = f"the changes ask for {least} (a {bump} change), but the version is {new.version}"
        return [
            Diagnostic(
                "FLC501", text, span, hint=f"write {least}, or take back what is {bump}", related=(*related, *causes)
            )
        ]
    return []


def _change(old: Contract, new: Contract, change: Change, enough: bool) -> Diagnostic:
    """One change at its place: in the new document where it stands there, else in the old one."""
    code = "FLC503" if change.breaking else "FLC504"
    severity = Severity.NOTIFY if not change.breaking else Severity.WARN if enough else Severity.BLOCK
    span = _place(old, new, change).span
    related = (Label(old.span(change.old), "was here"),) if change.old is not None and change.new is not None else ()
    subject = ".".join(p for p in (change.table, change.column) if p)
    why = f"{change.rule}: a {change.severity} change, which {change.direction} the contract"
    if change.direction in ("both", "undetermined"):
        why = f"{change.rule}: a {change.severity} change"
    about = f"column {subject}" if change.column else f"table {subject}" if change.table else ""
    path = change.new or change.old or ()
    return Diagnostic(code, change.text, span, severity, related=related, why=why, path=path, subject=about)
