"""The text of a manifest or product with other dialects' spellings in their canonical form; the rest as it was.

Keys are respelt where they stand (``dependsOn``, ``platform.manifest``), the kind gets its own name,
``parent_manifest`` becomes ``parent.ref``, and ``scope`` goes into ``metadata``. Comments and layout stay. What would
have to be laid out anew (``governance.data_retention_days``) is read as before, and stays as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from compiler.documents.models import KIND_SPELLINGS, Document, shape_of, validate_document
from compiler.documents.shape import Either, Keyed, Keys, Later, ListOf, MapOf, Record, Shape, Switchable
from compiler.documents.yaml_document import YamlDocument
from compiler.documents.yaml_loader import load_yaml
from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.source import Source, Span

_PARENTS = ("parent_manifest", "parent_ref", "parentManifest", "parentRef")
_SCOPES = {"EnterpriseManifest": "enterprise", "DomainManifest": "domain"}


class _Edit(NamedTuple):
    """``text`` instead of what stands from ``start`` to ``end`` (offsets in the text)."""

    start: int
    end: int
    text: str


def respell(source: Source) -> Outcome[str]:
    """The text in canonical spelling; no value where the document is refused. Contracts stay as they are."""
    loaded = load_yaml(source)
    checked = validate_document(loaded.value) if loaded.value is not None else None
    found = [*loaded.diagnostics, *(checked.diagnostics if checked is not None else ())]
    if checked is None or checked.value is None or blocking(found):
        return Outcome(None, tuple(d for d in found if blocking([d])))
    document = checked.value
    if document.kind == "DataContract":
        return Outcome(source.text)
    newline = "\r\n" if "\r\n" in source.text else "\n"
    edits = [e._replace(text=e.text.replace("\n", newline)) for e in (*_keys(document), *_heads(document))]
    text = _applied(source.text, edits)
    return Outcome(text) if _same(document, text) else Outcome(source.text, (_left(document),))


def _same(document: Document, text: str) -> bool:
    """Whether the new text says what the old one said."""
    loaded = load_yaml(Source(document.file, text))
    if loaded.value is None or blocking(loaded.diagnostics):
        return False
    again = validate_document(loaded.value)
    return again.value is not None and again.value.data == document.data


def _left(document: Document) -> Diagnostic:
    text = "the spellings of another dialect stay: they cannot be replaced one by one"
    return Diagnostic("FLC211", text, document.span(("kind",)), Severity.NOTIFY, hint="write them in block style")


def _applied(text: str, edits: list[_Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _keys(document: Document) -> Iterator[_Edit]:
    """Keys that another spelling of the same field holds, at their places."""
    yaml = document.yaml
    lines = _offsets(yaml)
    for path, name in _spelled(shape_of(document.kind), yaml.value, ()):
        span = yaml.key_spans.get(path)
        if span is not None:
            yield _Edit(*_reach(lines, span), name)


def _spelled(shape: Shape, value: Any, path: Keys) -> Iterator[tuple[Keys, str]]:
    """The places of keys as written, with the field's own name."""
    if isinstance(shape, Either):
        shape = next((s for s in shape.shapes if isinstance(value, s.kinds)), shape)
    if isinstance(shape, Later):
        shape = shape.get()
    if isinstance(shape, Switchable):
        shape = shape.record
    if isinstance(value, dict) and isinstance(shape, Record):
        for key, one in value.items():
            name = shape.field_named(key)
            if name is not None:
                if name != key:
                    yield (*path, key), name
                yield from _spelled(shape.fields[name].shape, one, (*path, key))
    elif isinstance(value, dict) and isinstance(shape, MapOf | Keyed):
        for key, one in value.items():
            yield from _spelled(shape.item if isinstance(shape, MapOf) else shape.record, one, (*path, key))
    elif isinstance(value, list) and isinstance(shape, ListOf | Keyed):
        for i, one in enumerate(value):
            yield from _spelled(shape.item if isinstance(shape, ListOf) else shape.record, one, (*path, i))


def _heads(document: Document) -> Iterator[_Edit]:
    """The kind, and what stands beside ``metadata`` instead of in it or in ``parent``."""
    yaml, lines = document.yaml, _offsets(document.yaml)
    raw = yaml.value
    kind = str(raw["kind"])
    if kind in KIND_SPELLINGS:
        yield _Edit(*_reach(lines, yaml.value_spans[("kind",)]), KIND_SPELLINGS[kind])
    if document.kind != "Manifest":
        return
    flow = yaml.source.text.lstrip().startswith("{")
    for key in _PARENTS:
        if key in raw and "parent" not in raw and not flow:
            yield _Edit(*_reach(lines, yaml.key_spans[(key,)]), "parent:\n  ref")
    scope = raw.get("scope", _SCOPES.get(kind))
    if scope is None or flow or "scope" in raw["metadata"]:
        return
    if "scope" in raw:
        line, (_, said) = yaml.key_spans[("scope",)].line, _reach(lines, yaml.value_spans[("scope",)])
        comment = yaml.source.text[said : lines[line]].strip()
        yield _Edit(lines[line - 1], lines[line], f"{comment}\n" if comment else "")
    yield _into_metadata(yaml, lines, scope)


def _into_metadata(yaml: YamlDocument, lines: list[int], scope: str) -> _Edit:
    """Behind the last thing that ``metadata`` holds."""
    keys = [span for path, span in yaml.key_spans.items() if len(path) == 2 and path[0] == "metadata"]
    held = [span for path, span in yaml.value_spans.items() if path[0:1] == ("metadata",) and len(path) > 1]
    last = max(span.end_line for span in held)
    if yaml.source.text[lines[yaml.key_spans[("metadata",)].line - 1] :].split(":", 1)[1].lstrip(" ")[:1] == "{":
        end = yaml.value_spans[("metadata",)]
        at = lines[end.end_line - 1] + end.end_col - 2
        return _Edit(at, at, f", scope: {scope}")
    newline = "" if lines[last] > 0 and yaml.source.text[: lines[last]].endswith("\n") else "\n"
    return _Edit(lines[last], lines[last], f"{newline}{' ' * (keys[0].col - 1)}scope: {scope}\n")


def _offsets(yaml: YamlDocument) -> list[int]:
    """Where each line begins, and the end of the text."""
    found = [0]
    for line in yaml.source.text.split("\n"):
        found.append(found[-1] + len(line) + 1)
    found[-1] -= 1  # nothing ends the last line
    return found


def _reach(lines: list[int], span: Span) -> tuple[int, int]:
    return lines[span.line - 1] + span.col - 1, lines[span.end_line - 1] + span.end_col - 1
