"""GitHub workflow commands: one annotation a finding, shown at its line of the pull request."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.report.roots import Root
from policy_lang.diagnostics import Diagnostic, Severity

_COMMAND = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTIFY: "notice"}


def render(diagnostics: Iterable[Diagnostic], root: Root) -> str:
    """A line a finding, with files relative to the root of the repository; exempted ones are left out."""
    found = sorted((d for d in diagnostics if not d.suppressed), key=Diagnostic.sort_key)
    return "\n".join(_annotation(diagnostic, root) for diagnostic in found)


def _annotation(diagnostic: Diagnostic, root: Root) -> str:
    properties = {"title": f"{diagnostic.code}: {diagnostic.title}" if diagnostic.title else diagnostic.code}
    if span := diagnostic.span:
        properties = {
            "file": root.inside(span.file) or span.file,
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
