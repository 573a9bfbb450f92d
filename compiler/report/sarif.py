"""SARIF 2.1.0 (OASIS), for code scanning services."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import PurePath

from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span

_LEVEL = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTIFY: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """One run with its rules and results; exempted findings carry a suppression."""
    found = sorted(diagnostics, key=Diagnostic.sort_key)
    codes = sorted({d.code for d in found})
    rules = []
    for code in codes:
        first = next(d for d in found if d.code == code)
        rule: dict[str, object] = {"id": code, "shortDescription": {"text": first.why or first.message}}
        if first.docs:
            rule["helpUri"] = first.docs
        rules.append(rule)
    driver = {
        "name": "floec",
        "version": version,
        "informationUri": "https://floec.dev",
        "rules": rules,
    }
    results = [_result(d, codes.index(d.code)) for d in found]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(diagnostic: Diagnostic, rule_index: int) -> dict[str, object]:
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule_index,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": text},
        "partialFingerprints": {"floec/v1": _fingerprint(diagnostic)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span, None)]
    if diagnostic.related:
        result["relatedLocations"] = [_location(r.span, r.text) for r in diagnostic.related]
    if diagnostic.suppressed:
        result["suppressions"] = [{"kind": "external", "justification": diagnostic.suppressed}]
    return result


def _location(span: Span, text: str | None) -> dict[str, object]:
    region = {
        "startLine": span.line,
        "startColumn": span.col,
        "endLine": span.end_line,
        "endColumn": max(span.end_col, 1),
    }
    location: dict[str, object] = {
        "physicalLocation": {"artifactLocation": {"uri": PurePath(span.file).as_posix()}, "region": region}
    }
    if text:
        location["message"] = {"text": text}
    return location


def _fingerprint(diagnostic: Diagnostic) -> str:
    """Code, subject and file, but no line: a finding stays the same when lines above it move."""
    file = diagnostic.span.file if diagnostic.span else ""
    key = "\0".join((diagnostic.code, diagnostic.subject or diagnostic.message, file))
    return hashlib.sha256(key.encode()).hexdigest()[:32]
