"""JUnit XML, for CI servers that show test results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from policy_lang.diagnostics import Diagnostic, Severity

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """A suite with one case a finding; what blocks is a failure, the rest is its case's output."""
    found = sorted(diagnostics, key=Diagnostic.sort_key)
    failures = sum(d.severity is Severity.BLOCK and not d.suppressed for d in found)
    skipped = sum(bool(d.suppressed) for d in found)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites><testsuite name="floec" tests="{len(found)}" failures="{failures}" errors="0"'
        f' skipped="{skipped}">',
        *map(_case, found),
        "</testsuite></testsuites>",
    ]
    return "\n".join(lines)


def _case(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = f"{span.file}:{span.line}:{span.col}" if span else ""
    name = quoteattr(_xml(f"{diagnostic.code} {diagnostic.subject or diagnostic.message}"))
    file = f" file={quoteattr(_xml(span.file))} line={quoteattr(str(span.line))}" if span else ""
    text = escape(_xml("\n".join(part for part in (place, diagnostic.message, diagnostic.hint) if part)))
    if diagnostic.suppressed:
        inner = f"<skipped message={quoteattr(_xml(diagnostic.suppressed))}/>"
    elif diagnostic.severity is Severity.BLOCK:
        inner = f"<failure message={quoteattr(_xml(diagnostic.message))}>{text}</failure>"
    else:
        inner = f"<system-out>{text}</system-out>"
    return f'<testcase classname="floec" name={name}{file}>{inner}</testcase>'


def _xml(text: str) -> str:
    """XML 1.0 has no form for most control characters, nor for surrogates, not even escaped: leave them out."""
    return _NO_XML.sub("", text)
