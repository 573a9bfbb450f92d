"""Diagnostics as values: every stage returns them, only the renderers in ``compiler.report`` show them.

Codes: ``FLCnnn`` for the compiler's stages (1 read, 2 schema, 3 inheritance, 4 references and graph,
5 contracts, 6 artifacts, 7 deployment, 8 run), ``rego_…_error`` for what OPA also reports (the same
code as OPA's), ``floe_…_error`` for the policy layer, ``eval_…_error`` at evaluation, and a policy's
own id (``NAM001``) for its violations.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from policy_lang.records import NamedTuple
from policy_lang.source import Span

T = TypeVar("T")


class Severity(StrEnum):
    """``block`` makes the command exit non-zero; ``warn`` and ``notify`` do not."""

    BLOCK = "block"
    WARN = "warn"
    NOTIFY = "notify"

    @property
    def rank(self) -> int:
        """The order of strictness: notify < warn < block."""
        return _RANK[self.value]


_RANK = {"notify": 0, "warn": 1, "block": 2}


class Label(NamedTuple):
    """A secondary place that took part (the parent's line, the tag that is the cause), with a note."""

    span: Span
    text: str


class Fix(NamedTuple):
    """One machine-applicable replacement of the text at ``span``."""

    span: Span
    replacement: str
    title: str
    safe: bool = True


class Diagnostic(NamedTuple):
    """One finding.

    ``span`` may be missing only where nothing was read (a wrong command line). ``label`` is the text at
    the caret; ``path`` is the place in the document or in the IR (keys and indexes); ``policy`` is the
    place in the policy that found it; ``subject`` names what it is about (``model orders``), and
    exemptions match it.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.BLOCK
    label: str = ""
    related: tuple[Label, ...] = ()
    why: str = ""
    hint: str = ""
    docs: str = ""
    fixes: tuple[Fix, ...] = ()
    policy: Span | None = None
    path: tuple[str | int, ...] = ()
    subject: str = ""
    suppressed: str = ""
    """The reason of the exemption that covers this finding; empty where none does."""
    title: str = ""
    """What all findings of the code have in common, where a policy or a lint rule says so."""

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """File, then place, then code: the order of every report."""
        if self.span is None:
            return ("", 0, 0, self.code, self.message)
        return (self.span.file, self.span.line, self.span.col, self.code, self.message)


class Outcome(NamedTuple, Generic[T]):
    """What a stage returns: a value, or None where it could not be made, and all that was found.

    A value with blocking diagnostics is partial: later stages may look at it to report more, but
    nothing may be emitted from it.
    """

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """True where there is a value and nothing blocks."""
        return self.value is not None and not blocking(self.diagnostics)


class DiagnosticError(Exception):
    """Carries diagnostics out of a deep recursion; the stage's entry function turns it into an Outcome."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics


def blocking(diagnostics: Iterable[Diagnostic]) -> bool:
    """True where one of them is of severity ``block`` and not suppressed by an exemption."""
    return any(d.severity is Severity.BLOCK and not d.suppressed for d in diagnostics)
