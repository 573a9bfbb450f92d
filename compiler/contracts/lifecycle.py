"""A contract's life: draft, active, deprecated, sunset, retired, and the dates between.

Codes: FLC510 a deprecation that says too little, FLC511 a step back in life, FLC512 a status that the day contradicts,
FLC513 too short a notice, FLC514 a contract in use that is at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from compiler.contracts.model import Contract
from policy_lang.diagnostics import Diagnostic, Label, Severity

ORDER = ("proposed", "draft", "active", "deprecated", "sunset", "retired")
MINIMUM_DAYS = 30
"""Days between the announcement of an end and the last day."""
SUNSET_DAYS = 7
"""Days that a contract is in sunset before it may be retired."""


def check_lifecycle(contract: Contract, today: date) -> tuple[Diagnostic, ...]:
    """What is wrong with a contract's status and dates on a given day."""
    return tuple(_lifecycle(contract, today))


def status_on(contract: Contract, today: date) -> str:
    """The status that the dates give: a deprecated contract is in sunset after its last day, then retired."""
    last = _day(contract.deprecation.sunset_date) if contract.deprecation is not None else None
    if last is None or contract.status in ("retired", "proposed", "draft"):
        return contract.status
    if today <= last:
        return "deprecated" if contract.status == "active" else contract.status
    return "sunset" if (today - last).days <= SUNSET_DAYS else "retired"


def check_step(old: Contract, new: Contract) -> tuple[Diagnostic, ...]:
    """FLC511 where a new version of the same contract steps back: what was retired stays so."""
    before, after = ORDER.index(old.status), ORDER.index(new.status)
    if after >= before or before < ORDER.index("deprecated") or old.version != new.version:
        return ()
    text = f"the contract goes back from {old.status} to {new.status}"
    related = (Label(old.span(("status",)), f"{old.status} here"),)
    hint = "publish a new version instead"
    return (Diagnostic("FLC511", text, new.span(("status",)), hint=hint, related=related),)


def check_in_use(contract: Contract, today: date) -> tuple[Diagnostic, ...]:
    """FLC514 for each consumer of a contract that is ending: it blocks once the contract is retired."""
    status = status_on(contract, today)
    if status not in ("deprecated", "sunset", "retired"):
        return ()
    end = contract.deprecation
    replacement = f"move to {end.replacement}" if end is not None and end.replacement else "find a replacement"
    severity = {"deprecated": Severity.NOTIFY, "sunset": Severity.WARN, "retired": Severity.BLOCK}[status]
    span = contract.span(("consumer",))
    return tuple(
        Diagnostic(
            "FLC514",
            f"`{p.domain}.{p.product}` uses `{contract.id}`, which is {status}",
            span,
            severity,
            hint=replacement,
            subject=f"consumer {p.domain}.{p.product}",
        )
        for p in contract.consumers
    )


def _lifecycle(contract: Contract, today: date) -> Iterator[Diagnostic]:
    end, status = contract.deprecation, contract.status
    if status in ("deprecated", "sunset") and end is None:
        text = f"the contract is {status}, but nothing says until when and what replaces it"
        hint = "add `deprecation` with `sunset_date` and `replacement`"
        yield Diagnostic("FLC510", text, contract.span(("status",)), Severity.WARN, hint=hint)
    if end is None:
        return
    if not end.replacement and not end.reason:
        text = "the deprecation names neither a replacement nor a reason"
        yield Diagnostic("FLC510", text, contract.span(("deprecation",)), Severity.WARN, hint="add `replacement`")
    announced, last = _day(end.announced), _day(end.sunset_date)
    if last is None:
        if status in ("deprecated", "sunset"):
            hint = "add `sunset_date: YYYY-MM-DD`"
            yield Diagnostic(
                "FLC510", "the deprecation names no last day", contract.span(("deprecation",)), Severity.WARN, hint=hint
            )
        return
    span = contract.span(("deprecation", "sunset_date"))
    if announced is not None and (last - announced).days < MINIMUM_DAYS:
        text = f"the end is announced {(last - announced).days} days ahead; at least {MINIMUM_DAYS} are needed"
        related = (Label(contract.span(("deprecation", "announced")), "announced here"),)
        yield Diagnostic("FLC513", text, span, related=related, hint="choose a later `sunset_date`")
    due = status_on(contract, today)
    if ORDER.index(due) > ORDER.index(status):
        text = f"on {today.isoformat()} the contract is {due}, but its status says {status}"
        label = f"the last day was {end.sunset_date}" if today > last else "it ends here"
        hint, related = f"write `status: {due}`", (Label(span, label),)
        yield Diagnostic("FLC512", text, contract.span(("status",)), hint=hint, related=related)
    elif status == "retired" and today <= last:
        text = f"the contract is retired, but promised until {end.sunset_date}"
        yield Diagnostic("FLC512", text, contract.span(("status",)), hint="write `status: deprecated`",
                         related=(Label(span, "promised until here"),))  # fmt: skip


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
