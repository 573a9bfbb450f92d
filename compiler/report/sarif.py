"""SARIF 2.1.0 (OASIS), for code scanning services."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from compiler.report.roots import Root, uri
from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span

_LEVEL = {Severity.BLOCK: "error", Severity.WARN: "warning", Severity.NOTIFY: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "ROOT"


def render(diagnostics: Iterable[Diagnostic], version: str, root: Root, titles: Mapping[str, str]) -> str:
    """One run with its rules and results; exempted findings carry a suppression.

    ``titles`` says what codes mean where their findings do not; files are relative to the root of the repository.
    """
    found = sorted(diagnostics, key=Diagnostic.sort_key)
    firsts: dict[str, Diagnostic] = {}
    for diagnostic in found:
        firsts.setdefault(diagnostic.code, diagnostic)
    codes = sorted(firsts)
    numbers = {code: number for number, code in enumerate(codes)}
    driver = {
        "name": "floec",
        "version": version,
        "rules": [_rule(firsts[code], titles.get(code, "")) for code in codes],
    }
    alike: Counter[str] = Counter()
    results = [_result(d, numbers[d.code], root, alike) for d in found]
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(first: Diagnostic, title: str) -> dict[str, object]:
    title = first.title or title or first.message
    rule: dict[str, object] = {"id": first.code, "shortDescription": {"text": title[0].upper() + title[1:]}}
    if first.why:
        rule["fullDescription"] = {"text": first.why}
    if first.policy is None or first.policy.file.startswith("stdlib/"):
        rule["help"] = {"text": f"`floec explain {first.code}` says what it means, and what mends it."}
    else:
        rule["help"] = {"text": f"The policy is declared at {first.policy.file}:{first.policy.line}."}
    if "://" in first.docs:
        rule["helpUri"] = first.docs
    rule["defaultConfiguration"] = {"level": _LEVEL[first.severity]}
    return rule


def _result(diagnostic: Diagnostic, rule_index: int, root: Root, alike: Counter[str]) -> dict[str, object]:
    text = diagnostic.message + (f"\n{diagnostic.hint}" if diagnostic.hint else "")
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule_index,
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": text},
        "partialFingerprints": {"floec/v1": _fingerprint(diagnostic, root, alike)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span, None, root)]
    if diagnostic.related:
        result["relatedLocations"] = [_location(r.span, r.text, root) for r in diagnostic.related]
    if diagnostic.suppressed:
        result["suppressions"] = [{"kind": "external", "justification": diagnostic.suppressed}]
    return result


def _location(span: Span, text: str | None, root: Root) -> dict[str, object]:
    region = {
        "startLine": span.line,
        "startColumn": span.col,
        "endLine": span.end_line,
        "endColumn": max(span.end_col, 1),
    }
    place: dict[str, Any] = {"uri": uri(span.file, root)}
    if root.inside(span.file) is not None:
        place["uriBaseId"] = _ROOT
    location: dict[str, object] = {"physicalLocation": {"artifactLocation": place, "region": region}}
    if text:
        location["message"] = {"text": text}
    return location


def _fingerprint(diagnostic: Diagnostic, root: Root, alike: Counter[str]) -> str:
    """Code, subject and file, but no line: a finding stays the same when lines above it move.

    Findings that are alike in all of these are told apart by their number in the file.
    """
    file = uri(diagnostic.span.file, root) if diagnostic.span else ""
    key = "\0".join((diagnostic.code, diagnostic.subject or diagnostic.message, file))
    alike[key] += 1
    if alike[key] > 1:
        key += f"\0{alike[key]}"
    return hashlib.sha256(key.encode(errors="backslashreplace")).hexdigest()[:32]
