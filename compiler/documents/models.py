"""A YAML document to a checked document in canonical spelling.

Codes: FLC200 not a mapping or no known kind, FLC201 unknown key, FLC202 wrong value, FLC203 missing key,
FLC204 a credential in the text, FLC205 a thing that may not differ by environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from compiler.documents.yaml_loader import Keys, YamlDocument
from policy_lang.diagnostics import Diagnostic, Outcome, Severity
from policy_lang.source import Span
from policy_lang.spell import did_you_mean

KINDS = ("Manifest", "DataProduct", "DataContract")
_KIND_SPELLINGS = {"FloeSpec": "DataProduct", "EnterpriseManifest": "Manifest", "DomainManifest": "Manifest"}
_MANIFEST_MOVES: tuple[tuple[Keys, Keys], ...] = (
    (("scope",), ("metadata", "scope")),
    (("parent_manifest",), ("parent", "ref")),
    (("governance", "data_retention_days"), ("governance", "retention", "max_days")),
    (("governance", "default_ttl_hours"), ("governance", "retention", "default_ttl_hours")),
    (("data_contracts",), ("governance", "data_contracts")),
    (("governance", "quality_gates", "gold_layer"), ("governance", "quality_gates", "layers", "gold")),
)
_PRODUCT_MOVES: tuple[tuple[Keys, Keys], ...] = (
    (("platform", "manifest"), ("platform", "ref")),
    (("outputPorts",), ("output_ports",)),
    (("inputPorts",), ("input_ports",)),
    (("dependsOn",), ("depends_on",)),
)
_SECRET_KEY = re.compile(
    r"(^|_)(password|passwd|secret|api_?key|access_?key|private_?key|token|credentials?|connection_string)$", re.I
)
_SECRET_VALUE = re.compile(r"^(sk-|-----BEGIN |eyJ[A-Za-z0-9_-]{10,}|AKIA[0-9A-Z]{12,}|ghp_)|://[^/\s:@]+:[^/\s:@]+@")


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document: ``data`` is plain and canonical; ``moves`` maps canonical places to those written."""

    kind: str
    data: dict[str, Any]
    yaml: YamlDocument
    moves: dict[Keys, Keys]

    @property
    def file(self) -> str:
        return self.yaml.file

    @property
    def scope(self) -> str:
        """``enterprise``, ``domain`` or ``platform``."""
        return str(self.data.get("metadata", {}).get("scope") or "platform")

    def written(self, path: Keys) -> Keys:
        """The place in the file of a canonical path."""
        for cut in range(len(path), 0, -1):
            if path[:cut] in self.moves:
                return self.moves[path[:cut]] + path[cut:]
        return path

    def span(self, path: Keys) -> Span:
        return self.yaml.span(self.written(path))

    def key_span(self, path: Keys) -> Span:
        return self.yaml.key_span(self.written(path))


def validate_document(yaml_doc: YamlDocument) -> Outcome[Document]:
    """Check a document against its kind's model; every error is reported at its place."""
    raw = yaml_doc.value
    if not isinstance(raw, dict):
        return Outcome(None, (Diagnostic("FLC200", "the document is not a mapping", yaml_doc.span(())),))
    written_kind = raw.get("kind")
    kind = _KIND_SPELLINGS.get(written_kind, written_kind) if isinstance(written_kind, str) else None
    if kind not in KINDS:
        text = "`kind` is missing" if "kind" not in raw else f"unknown kind `{written_kind}`"
        hint = did_you_mean(str(written_kind), KINDS) or "one of " + ", ".join(KINDS)
        return Outcome(None, (Diagnostic("FLC200", text, yaml_doc.span(("kind",)), hint=hint),))
    data, moves = _canonical(raw, kind, str(written_kind))
    document = Document(kind, data, yaml_doc, moves)
    found = [*_model_errors(document), *_secrets(document)]
    return Outcome(document, tuple(found))


def model_of(kind: str) -> Any:
    """The pydantic model of a kind."""
    if kind == "Manifest":
        from compiler.documents.manifest import Manifest

        return Manifest
    if kind == "DataProduct":
        from compiler.documents.product import DataProduct

        return DataProduct
    from compiler.documents.contract import DataContract

    return DataContract


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _strip(v) for k, v in value.items() if not k.startswith("x-")}
    return [_strip(v) for v in value] if isinstance(value, list) else value


def _canonical(raw: dict[str, Any], kind: str, written: str) -> tuple[dict[str, Any], dict[Keys, Keys]]:
    data: dict[str, Any] = _strip(raw)
    moves: dict[Keys, Keys] = {}
    data["kind"] = kind
    table = _MANIFEST_MOVES if kind == "Manifest" else _PRODUCT_MOVES if kind == "DataProduct" else ()
    for old, new in table:
        _move(data, old, new, moves)
    metadata = data.get("metadata")
    if written in ("EnterpriseManifest", "DomainManifest") and isinstance(metadata, dict):
        metadata.setdefault("scope", written.removesuffix("Manifest").lower())
    if kind == "Manifest" and isinstance(data.get("plugins"), dict):
        data["plugins"] = {k: {"type": v} if isinstance(v, str) else v for k, v in data["plugins"].items()}
    if kind == "Manifest":
        _canonical_classes(data, moves)
    if kind == "DataProduct" and isinstance(data.get("transforms"), list):
        for i, item in enumerate(data["transforms"]):
            if isinstance(item, dict) and "dependsOn" in item and "depends_on" not in item:
                item["depends_on"] = item.pop("dependsOn")
                moves[("transforms", i, "depends_on")] = ("transforms", i, "dependsOn")
    return data, moves


def _canonical_classes(data: dict[str, Any], moves: dict[Keys, Keys]) -> None:
    """A category may stand beside ``levels`` (``pii: {…}``) and layers may call their namespace ``namespace``."""
    for name in ("pii", "phi", "financial", "identifier"):
        at: Keys = ("governance", "classification")
        _move(data, (*at, name), (*at, "categories", name), moves)
    layers = (
        (data.get("data_architecture") or {}).get("layers") if isinstance(data.get("data_architecture"), dict) else 0
    )
    for name in list(layers) if isinstance(layers, dict) else ():
        at = ("data_architecture", "layers", name)
        _move(data, (*at, "namespace"), (*at, "catalog_namespace"), moves)


def _move(data: dict[str, Any], old: Keys, new: Keys, moves: dict[Keys, Keys]) -> None:
    holder: Any = data
    for key in old[:-1]:
        holder = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or old[-1] not in holder:
        return
    target: Any = data
    for key in new[:-1]:
        target = target.setdefault(key, {}) if isinstance(target, dict) else None
    if isinstance(target, dict) and new[-1] not in target:
        target[new[-1]] = holder.pop(old[-1])
        moves[new] = old


def _model_errors(document: Document) -> list[Diagnostic]:
    from pydantic import ValidationError

    try:
        model_of(document.kind).model_validate(document.data)
    except ValidationError as error:
        found = [_diagnostic(document, e) for e in error.errors(include_url=False)]
        return list({(d.code, d.span, d.message): d for d in found}.values())
    return []


def _diagnostic(document: Document, error: Any) -> Diagnostic:
    path = _real_path(document.data, error["loc"])
    name = ".".join(str(p) for p in path)
    if path == ("environments",) and document.kind == "DataProduct":
        return Diagnostic(
            "FLC205",
            "a product has no `environments`: it compiles to the same artifact for all of them",
            document.key_span(path),
            hint="the platform's manifest chooses the compute once, for every environment",
            path=path,
        )
    if error["type"] == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), _known_keys(model_of(document.kind), path[:-1]))
        text = f"unknown key `{path[-1]}`" + (f" in `{'.'.join(map(str, path[:-1]))}`" if path[:-1] else "")
        return Diagnostic("FLC201", text, document.key_span(path), hint=hint or "own keys begin with `x-`", path=path)
    if error["type"] == "missing":
        return Diagnostic("FLC203", f"`{name}.{error['loc'][-1]}`".replace("`.", "`") + " is missing"
                          if path != tuple(error["loc"]) else f"`{name}` is missing",
                          document.key_span(path), path=path)  # fmt: skip
    text = str(error["msg"]).removeprefix("Value error, ")
    hint = "write it in quotes" if error["type"] == "string_type" else ""
    return Diagnostic("FLC202", f"`{name}`: {text}", document.span(path), hint=hint, path=path)


def _real_path(data: Any, loc: tuple[str | int, ...]) -> Keys:
    """The error's place without the names that pydantic adds for members of a union."""
    path: list[str | int] = []
    for i, part in enumerate(loc):
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if inside:
            data = data[part]
        elif not (i == len(loc) - 1 and isinstance(data, dict)):
            continue
        path.append(part)
    return tuple(path)


def _known_keys(model: Any, path: Keys) -> list[str]:
    """All keys that the model's JSON Schema knows at ``path``."""
    schema = model.model_json_schema()
    nodes = [schema]
    for part in path:
        nodes = [n for node in nodes for n in _step(schema, node, part)]
    return [k for node in nodes for n in _flat(schema, node) for k in n.get("properties", {})]


def _flat(schema: Any, node: Any) -> list[Any]:
    if "$ref" in node:
        return _flat(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[1]])
    return [node, *(m for n in node.get("anyOf", ()) for m in _flat(schema, n))]


def _step(schema: Any, node: Any, part: str | int) -> list[Any]:
    result = []
    for one in _flat(schema, node):
        candidates = (one.get("items"),) if isinstance(part, int) else (
            one.get("properties", {}).get(part), one.get("additionalProperties"))  # fmt: skip
        result += [c for c in candidates if isinstance(c, dict)]
    return result


def _secrets(document: Document) -> list[Diagnostic]:
    if document.kind == "DataContract":
        return []
    severity = Severity.BLOCK if document.kind == "DataProduct" else Severity.WARN
    found: list[Diagnostic] = []
    for path, span in document.yaml.value_spans.items():
        value = _at(document.yaml.value, path)
        if not isinstance(value, str) or not value or not path:
            continue
        named = bool(_SECRET_KEY.search(str(path[-1]))) and not value.startswith(("${", "{{"))
        if named or _SECRET_VALUE.search(value):
            text = f"`{'.'.join(map(str, path))}` holds what looks like a credential"
            hint = "name a secret with `connection_secret_ref` in the manifest instead"
            found.append(Diagnostic("FLC204", text, span, severity, hint=hint, path=path))
    return found


def _at(value: Any, path: Keys) -> Any:
    for part in path:
        if isinstance(value, list) and isinstance(part, int):
            value = value[part]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
