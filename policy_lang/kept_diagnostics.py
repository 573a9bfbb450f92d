"""Diagnostics as the cache keeps them: plain values that ``marshal`` can write, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from policy_lang.diagnostics import Diagnostic, Fix, Label, Severity
from policy_lang.source import Span


def plain(d: Diagnostic) -> tuple[Any, ...]:
    """A finding as values that ``marshal`` can write."""
    related = tuple((tuple(label.span), label.text) for label in d.related)
    fixes = tuple((tuple(fix.span), fix.replacement, fix.title, fix.safe) for fix in d.fixes)
    spans = tuple(tuple(span) if span is not None else None for span in (d.span, d.policy))
    words = (d.label, d.why, d.hint, d.docs, d.subject, d.suppressed, d.title)
    return (d.code, d.message, spans, str(d.severity), related, fixes, tuple(d.path), words)


def diagnostic(given: Sequence[Any]) -> Diagnostic:
    """What ``plain`` was made of."""
    code, message, (span, policy), severity, related, fixes, path, words = given
    label, why, hint, docs, subject, suppressed, title = words
    return Diagnostic(
        code,
        message,
        Span(*span) if span is not None else None,
        Severity(severity),
        label,
        tuple(Label(Span(*at), text) for at, text in related),
        why,
        hint,
        docs,
        tuple(Fix(Span(*at), replacement, title, safe) for at, replacement, title, safe in fixes),
        Span(*policy) if policy is not None else None,
        tuple(path),
        subject,
        suppressed,
        title,
    )
