"""Diagnostics as one JSON document, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from policy_lang.diagnostics import Diagnostic
from policy_lang.source import Span


def render(diagnostics: Iterable[Diagnostic], extra: dict[str, object] | None = None) -> str:
    """``{"diagnostics": [...], …}`` with the fields of ``Diagnostic``; ``extra`` adds keys beside it."""
    found = [to_json(d) for d in sorted(diagnostics, key=Diagnostic.sort_key)]
    return json.dumps({**(extra or {}), "diagnostics": found}, indent=2, ensure_ascii=False)


def schema() -> dict[str, object]:
    """The JSON Schema of what ``render`` gives; commands may put keys of their own beside the findings."""
    made: dict[str, object] = json.loads(Path(__file__).with_name("report.schema.json").read_text(encoding="utf-8"))
    return made


def to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """One diagnostic; a missing span is null, empty texts are left out."""
    labels = [{"span": _span(label.span), "text": label.text, "primary": False} for label in diagnostic.related]
    if diagnostic.span is not None:
        labels.insert(0, {"span": _span(diagnostic.span), "text": diagnostic.label, "primary": True})
    value: dict[str, object] = {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "span": _span(diagnostic.span),
        "labels": labels,
        "path": list(diagnostic.path),
    }
    texts = {
        "title": diagnostic.title,
        "subject": diagnostic.subject,
        "why": diagnostic.why,
        "hint": diagnostic.hint,
        "docs": diagnostic.docs,
        "suppressed": diagnostic.suppressed,
    }
    value.update({name: text for name, text in texts.items() if text})
    if diagnostic.policy is not None:
        value["policy"] = _span(diagnostic.policy)
    if diagnostic.fixes:
        value["fix"] = [
            {"span": _span(f.span), "text": f.replacement, "title": f.title, "safe": f.safe} for f in diagnostic.fixes
        ]
    return value


def _span(span: Span | None) -> dict[str, object] | None:
    return None if span is None else dict(span._asdict())
