"""How many findings of one policy are shown: nobody reads ten thousand of a kind, and to place them takes time."""

from __future__ import annotations

from collections.abc import Iterable

from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.records import NamedTuple

MOST_SHOWN = 50
"""As many of each policy are shown to somebody who has not asked for all."""


class More(NamedTuple):
    """So many findings of a policy beside those that are shown; ``severity`` is empty for exempted ones."""

    code: str
    severity: str
    findings: int


class Quota:
    """Lets the first findings of each policy through and counts the others; exempted ones have a count of their own."""

    def __init__(self, most: int | None) -> None:
        """``most`` findings of a policy are let through, all of them where it is None."""
        self._most = most
        self._seen: dict[tuple[str, str], int] = {}

    def admits(self, code: str, severity: Severity, exempted: bool) -> bool:
        """Whether one more of a policy's findings is let through; it is counted either way."""
        kind = (code, "" if exempted else severity.value)
        count = self._seen[kind] = self._seen.get(kind, 0) + 1
        return self._most is None or count <= self._most

    def more(self) -> tuple[More, ...]:
        """What was not let through."""
        most = self._most
        return () if most is None else tuple(More(*k, n - most) for k, n in sorted(self._seen.items()) if n > most)


def within(found: Iterable[Diagnostic], most: int | None) -> tuple[tuple[Diagnostic, ...], tuple[More, ...]]:
    """The findings in their order, of each policy only the first ``most``, and how many there are beside these."""
    quota = Quota(most)
    shown = [d for d in found if d.policy is None or quota.admits(d.code, d.severity, bool(d.suppressed))]
    return tuple(shown), quota.more()
