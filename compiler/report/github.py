"""GitHub workflow commands: one annotation a finding, shown at its line of the pull request."""

from __future__ import annotations

from collections.abc import Iterable

from policy_lang.diagnostics import Diagnostic, Severity

_COMMAND = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTIFY: "notice"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """A line a finding; exempted ones are left out."""
    found = sorted((d for d in diagnostics if not d.suppressed), key=Diagnostic.sort_key)
    return "\n".join(map(_annotation, found))


def _annotation(diagnostic: Diagnostic) -> str:
    properties = {"title": diagnostic.code}
    if span := diagnostic.span:
        properties = {
            "file": span.file,
            "line": str(span.line),
            "endLine": str(span.end_line),
            "col": str(span.col),
            **properties,
        }
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMAND[diagnostic.severity]} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
