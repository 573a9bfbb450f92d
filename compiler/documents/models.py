"""A YAML document to a checked document in canonical spelling.

Codes: FLC200 not a mapping or no known kind, FLC201 unknown key, FLC202 wrong value, FLC203 missing key,
FLC204 a credential, FLC205 a thing that may not differ by environment, FLC206 connection details in a product,
FLC207 a key in two spellings, FLC208 fields that contradict each other, FLC209 a name that is given twice,
FLC220 to FLC223 plugins (``compiler.documents.plugins``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.documents.shape import Keys, Log, Problem, Record, dotted, snake_case, written
from compiler.documents.yaml_document import YamlDocument
from policy_lang.diagnostics import Diagnostic, Outcome, Severity, blocking
from policy_lang.records import NamedTuple
from policy_lang.source import Span
from policy_lang.spell import did_you_mean

KINDS = ("Manifest", "DataProduct", "DataContract")
KIND_SPELLINGS = {
    "FloeSpec": "DataProduct",
    "EnterpriseManifest": "Manifest",
    "DomainManifest": "Manifest",
    "PlatformManifest": "Manifest",
}
_MANIFEST_MOVES: tuple[tuple[Keys, Keys], ...] = (
    (("scope",), ("metadata", "scope")),
    (("parent_manifest",), ("parent", "ref")),
    (("parent_ref",), ("parent", "ref")),
    (("governance", "data_retention_days"), ("governance", "retention", "min_days")),
    (("governance", "default_ttl_hours"), ("governance", "retention", "default_ttl_hours")),
    (("governance", "slas"), ("governance", "sla_minimums")),
    (("data_contracts",), ("governance", "data_contracts")),
    (("data_architecture", "naming_enforcement"), ("data_architecture", "naming", "enforcement")),
    *(
        (("governance", "naming", old), ("data_architecture", "naming", new))
        for old, new in (
            ("enforcement", "enforcement"),
            ("case", "case"),
            ("custom_patterns", "custom_patterns"),
            ("custom_pattern", "custom_patterns"),
        )
    ),
    (("plugins", "dbt_runtime"), ("plugins", "dbt")),
    (("plugins", "data_quality"), ("plugins", "quality")),
)
_CLASSES = ("pii", "phi", "financial", "identifier", "pci", "restricted", "confidential")
_GATES = ("governance", "quality_gates")
MOVED_KEYS: dict[str, tuple[tuple[Keys, Keys], ...]] = {
    "Manifest": (
        *_MANIFEST_MOVES,
        *((("governance", "classification", c), ("governance", "classification", "categories", "*")) for c in _CLASSES),
        *(((*_GATES, f"{layer}_layer"), (*_GATES, "layers", "*")) for layer in ("gold", "silver", "bronze")),
        ((*_GATES, "layer_thresholds", "*"), (*_GATES, "layers", "*", "minimum_coverage")),
        (("governance", "naming", "pattern"), ("data_architecture", "naming", "pattern")),
        (("plugins", "dbt_runtime_config"), ("plugins", "*", "config")),
    )
}
"""Keys of other dialects, and what the canonical form has instead (``*``: an entry of a mapping)."""
_HOMES = {
    "naming": "write it as `data_architecture.naming`, once",
    "policy_overrides": "write them as `exemptions` of the manifest: each with a policy, a reason and an expiry",
    "compute": "the platform's manifest chooses the compute; a transform may name one of the approved",
    "plugins": "the platform's manifest chooses the plugins",
    "custom_rules": "write the rule as a policy (.floe) and name its folder under `policies`",
}
"""What older dialects have, and where it stands now."""
_ENVIRONMENTS = (
    "a product has no `environments`: it compiles to the same artifact for all of them",
    "the platform's manifest chooses the compute once, for every environment",
)


class Document(NamedTuple):
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
        """``enterprise``, ``domain`` or ``platform``; ``product`` for a data product."""
        if self.kind == "DataProduct":
            return "product"
        return str(self.data.get("metadata", {}).get("scope") or "platform")

    def written(self, path: Keys) -> Keys:
        """The place in the file of a canonical path."""
        return written(self.moves, path)

    def span(self, path: Keys) -> Span:
        return self.yaml.span(self.written(path))

    def key_span(self, path: Keys) -> Span:
        return self.yaml.key_span(self.written(path))


def validate_document(yaml_doc: YamlDocument) -> Outcome[Document]:
    """Check a document against its kind's shape; every error is reported at its place."""
    from compiler.documents.secrets import find_secrets

    raw = yaml_doc.value
    if not isinstance(raw, dict):
        text = "the document is empty" if raw is None else "the document is not a mapping"
        return Outcome(
            None, (Diagnostic("FLC200", text, yaml_doc.span(()), hint="begin with `apiVersion` and `kind`"),)
        )
    if (other := _other_format(raw)) is not None:
        path, text, hint = other
        return Outcome(None, (Diagnostic("FLC200", text, yaml_doc.span(path), hint=hint),))
    written_kind = raw.get("kind")
    kind = KIND_SPELLINGS.get(written_kind, written_kind) if isinstance(written_kind, str) else None
    if kind not in KINDS:
        text = "`kind` is missing" if "kind" not in raw else f"unknown kind `{written_kind}`"
        hint = did_you_mean(str(written_kind), KINDS) or "one of " + ", ".join(KINDS)
        return Outcome(None, (Diagnostic("FLC200", text, yaml_doc.span(("kind",)), hint=hint),))
    moved, moves = _moved(raw, kind, str(written_kind))
    log = Log(moves)
    data = shape_of(kind).read(moved, (), log)
    document = Document(kind, data, yaml_doc, moves)
    found = [diagnostic(document, problem) for problem in log.problems]
    if not blocking(found):  # values of wrong types have no meaning that could be checked further
        found += [diagnostic(document, problem) for problem in _contradictions(document)]
    if kind == "Manifest" and ("plugins" in data or "approved_plugins" in data):
        from compiler.documents.plugins.check import check_plugins

        found += check_plugins(document)
    return Outcome(document, (*found, *find_secrets(yaml_doc, kind)))


def _other_format(raw: dict[str, Any]) -> tuple[Keys, str, str] | None:
    """The place, the text and the hint for a document of a format that came before ODCS 3."""
    if "dataContractSpecification" in raw and "kind" not in raw:
        text = "this is a contract of the Data Contract Specification (datacontract.com), which ODCS has replaced"
        return (
            ("dataContractSpecification",),
            text,
            "convert it to ODCS 3: datacontract-cli does so until the end of 2026 (`datacontract export odcs FILE`)",
        )
    version = raw.get("apiVersion")
    if raw.get("kind") == "DataContract" and isinstance(version, str) and version.removeprefix("v")[:2] in ("1.", "2."):
        hint = "rewrite it as v3.1.0: `uuid` is `id`, `dataset` is `schema`, and its columns are `properties`"
        return ("apiVersion",), f"ODCS {version} is not read: version 3 of the standard has another form", hint
    return None


def canonical_place(path: Keys) -> Keys:
    """The place in the canonical form of a manifest's field that stands elsewhere in another dialect."""
    for old, new in _MANIFEST_MOVES:
        if path[: len(old)] == old:
            return new + path[len(old) :]
    if path[:2] == ("governance", "classification") and path[2:3] and path[2] in _CLASSES:
        return (*path[:2], "categories", *path[2:])
    if path[:2] == ("governance", "quality_gates") and str(path[2:3] and path[2]).endswith("_layer"):
        return (*path[:2], "layers", str(path[2]).removesuffix("_layer"), *path[3:])
    return path


def shape_of(kind: str) -> Record:
    """The shape of a kind."""
    if kind == "Manifest":
        from compiler.documents.manifest import MANIFEST

        return MANIFEST
    if kind == "DataProduct":
        from compiler.documents.product import PRODUCT

        return PRODUCT
    from compiler.documents.contract import CONTRACT

    return CONTRACT


def _moved(raw: dict[str, Any], kind: str, written_kind: str) -> tuple[dict[str, Any], dict[Keys, Keys]]:
    """A copy of ``raw`` with what stands elsewhere in another dialect in its canonical place."""
    data = {**raw, "kind": kind}
    moves: dict[Keys, Keys] = {}
    if kind == "Manifest":
        for old, new in _MANIFEST_MOVES:
            _move(data, old, new, moves)
        _move_layers_and_classes(data, moves)
        _move_pattern(data, moves)
        _dbt_runtime(data, moves)
        if written_kind in ("EnterpriseManifest", "DomainManifest") and isinstance(data.get("metadata"), dict):
            data["metadata"] = {"scope": written_kind.removesuffix("Manifest").lower(), **data["metadata"]}
            moves.setdefault(("metadata", "scope"), ("kind",))
    return data, moves


def _move_layers_and_classes(data: dict[str, Any], moves: dict[Keys, Keys]) -> None:
    """``quality_gates.gold_layer`` is ``layers.gold``, and a category may stand beside ``levels``."""
    gates: Keys = ("governance", "quality_gates")
    for key in list(_at(data, gates) or ()):
        name = snake_case(key)
        if name.endswith("_layer"):
            _move(data, (*gates, name), (*gates, "layers", name.removesuffix("_layer")), moves)
    thresholds: Keys = (*gates, "layer_thresholds")
    for layer in list(_at(data, thresholds) or ()):
        _move(data, (*thresholds, layer), (*gates, "layers", layer, "minimum_coverage"), moves)
        if not _at(data, thresholds):
            holder = _at(data, gates) or {}  # a copy of what was read, since something was moved
            holder.pop(str(_spelled(holder, "layer_thresholds")))
    classes: Keys = ("governance", "classification")
    for key in _CLASSES:
        _move(data, (*classes, key), (*classes, "categories", key), moves)


def _move_pattern(data: dict[str, Any], moves: dict[Keys, Keys]) -> None:
    """``governance.naming.pattern`` is the name of a layout of layers, or a regular expression for names."""
    from compiler.documents.manifest import LAYOUTS

    naming: Keys = ("governance", "naming")
    said = (_at(data, naming) or {}).get("pattern")
    layout = isinstance(said, str) and (said in LAYOUTS.values or said in LAYOUTS.spellings)
    here = ("data_architecture", "pattern") if layout else ("data_architecture", "naming", "pattern")
    _move(data, (*naming, "pattern"), here, moves)
    if _at(data, naming) == {}:
        (_at(data, ("governance",)) or {}).pop("naming")  # a copy of what was read, since something was moved


def _dbt_runtime(data: dict[str, Any], moves: dict[Keys, Keys]) -> None:
    """``dbt_runtime: local`` with ``dbt_runtime_config`` beside it is ``dbt: {type: core, config}``."""
    plugins = data.get("plugins")
    if not isinstance(plugins, dict):
        return
    runtime = plugins.get("dbt")
    if isinstance(runtime, str):
        data["plugins"] = plugins = {**plugins, "dbt": {"type": "core" if runtime == "local" else runtime}}
        moves[("plugins", "dbt", "type")] = moves.get(("plugins", "dbt"), ("plugins", "dbt"))
    _move(data, ("plugins", "dbt_runtime_config"), ("plugins", "dbt", "config"), moves)


def _at(data: Any, path: Keys) -> dict[str, Any] | None:
    for key in path:
        data = data.get(_spelled(data, key)) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


def _spelled(holder: dict[str, Any], key: str | int) -> str | int:
    """The key under which ``key`` stands in a mapping: its camelCase spelling, where that is written."""
    return key if key in holder else next((k for k in holder if k != k.lower() and snake_case(k) == key), key)


def _spelling(data: Any, path: Keys) -> Keys:
    """A path as it is written."""
    found: list[str | int] = []
    for key in path:
        found.append(_spelled(data, key) if isinstance(data, dict) else key)
        data = data.get(found[-1]) if isinstance(data, dict) else None
    return tuple(found)


def _move(data: dict[str, Any], old: Keys, new: Keys, moves: dict[Keys, Keys]) -> None:
    holder, old = _at(data, old[:-1]), _spelling(data, old)
    if holder is None or old[-1] not in holder:
        return
    target: Any = data
    for canonical in new[:-1]:  # the way to the target is copied: `data` shares its parts with the text as read
        key = _spelled(target, canonical)
        child = target.get(key)
        if child is not None and not isinstance(child, dict):
            return
        target[key] = dict(child or {})
        target = target[key]
    if _spelled(target, new[-1]) in target:
        return
    copied: Any = data
    for key in old[:-1]:
        copied[key] = dict(copied[key])
        copied = copied[key]
    value = copied.pop(old[-1])
    _at(data, new[:-1])[new[-1]] = value  # type: ignore[index]
    moves[new] = old


def diagnostic(document: Document, problem: Problem, moves: dict[Keys, Keys] | None = None) -> Diagnostic:
    """A problem at its place; ``moves`` are those of a part that was read on its own."""
    path = problem.path
    at = written(document.moves if moves is None else moves, path)
    on_key = problem.on_key or problem.code == "FLC203"
    span = document.yaml.key_span(at) if on_key else document.yaml.span(at)
    if problem.code == "FLC201" and path == ("environments",) and document.kind == "DataProduct":
        return Diagnostic("FLC205", _ENVIRONMENTS[0], span, hint=_ENVIRONMENTS[1], path=path)
    hint = _HOMES.get(str(path[-1]), problem.hint) if problem.code == "FLC201" else problem.hint
    severity = Severity.BLOCK if problem.block else Severity.WARN
    return Diagnostic(problem.code, problem.message, span, severity=severity, hint=hint, path=path)


def _contradictions(document: Document) -> Iterator[Problem]:
    """What each field allows, but the fields together do not."""
    if document.kind == "Manifest":
        yield from _manifest_contradictions(document.data)
    elif document.kind == "DataProduct":
        yield from _product_contradictions(document.data)
    else:
        yield from _contract_contradictions(document.data)


def _contract_contradictions(data: dict[str, Any]) -> Iterator[Problem]:
    from compiler.documents.odcs_demands import demands

    if "metadata" not in data:
        if "id" not in data and "name" not in data:
            yield Problem("FLC203", ("id",), "`id` or `name` is missing")
        if "version" not in data:
            yield Problem("FLC203", ("version",), "`version` is missing")
    yield from demands(data)


def _manifest_contradictions(data: dict[str, Any]) -> Iterator[Problem]:
    scope = data["metadata"].get("scope")
    if scope == "domain" and "parent" not in data:
        yield Problem("FLC203", ("parent",), "`parent` is missing: a domain inherits from an enterprise's manifest")
    if scope != "domain" and "parent" in data:
        text = f"only a manifest of scope `domain` has a parent; this one has {f'scope `{scope}`' if scope else 'none'}"
        yield Problem("FLC208", ("parent",), text, "write `scope: domain` under `metadata`", on_key=True)
    retention = data.get("governance", {}).get("retention", {})
    low, high = retention.get("min_days"), retention.get("max_days")
    if low is not None and high is not None and low > high:
        path: Keys = ("governance", "retention", "max_days")
        yield Problem("FLC208", path, f"data must be kept for {low} days, but deleted after {high}")
    for category, plugin in data.get("plugins", {}).items():
        approved = [a["name"] for a in plugin.get("approved", ())]
        for key in ("type", "default"):
            if approved and plugin.get(key, approved[0]) not in approved:
                text = f"`{plugin[key]}` is not among the approved: {', '.join(approved)}"
                yield Problem("FLC208", ("plugins", category, key), text, did_you_mean(plugin[key], approved))


def _product_contradictions(data: dict[str, Any]) -> Iterator[Problem]:
    for field in ("transforms", "ingestion", "input_ports", "output_ports", "destinations"):
        first: dict[str, int] = {}
        for i, item in enumerate(data.get(field, ())):
            name = item.get("name")
            if name is not None and first.setdefault(name, i) != i:
                text = f"`{name}` is already the name of `{dotted((field, first[name]))}`"
                yield Problem("FLC209", (field, i, "name"), text, "give each its own name")
    if "ref" in data.get("platform", {}) and "domain" in data:
        text = "the product names a domain and a platform: what it inherits would depend on which of them is meant"
        yield Problem("FLC208", ("platform", "ref"), text, "leave one out: a domain's manifest names its own parent")
    for i, port in enumerate(data.get("input_ports", ())):
        source = port.get("source", {})
        if source.get("type") == "data_product" and "ref" not in source:
            path: Keys = ("input_ports", i, "source", "ref")
            yield Problem("FLC203", path, f"`{dotted(path)}` is missing", "write `domain.product.port`")
    for i, transform in enumerate(data.get("transforms", ())):
        if transform.get("name") is not None and transform["name"] in transform.get("depends_on", ()):
            yield Problem("FLC208", ("transforms", i, "depends_on"), f"`{transform['name']}` depends on itself")
    for i, port in enumerate(data.get("output_ports", ())):
        for j, grant in enumerate(port.get("access", {}).get("grants", ())):
            if ("domain" in grant) == ("role" in grant):
                path = ("output_ports", i, "access", "grants", j)
                yield Problem("FLC208", path, "a grant is to a `domain` or to a `role`: exactly one of them")
