"""Join the manifests of a chain, the topmost first, by one lattice over the fields of the manifest's shape.

Codes: FLC301 a child weakens, FLC302 a child changes what is fixed or pinned, FLC303 a plugin that is not approved,
FLC304 a domain that its enterprise does not list, FLC306 what an enterprise asks of one of its domains is not met,
FLC313 a category of a level that does not exist, FLC315 a layer that depends on one that does not exist.
Where a child weakens, the parent's value stays in force.

The order ``plugins`` joins whole parts: a child that names a plugin's ``type`` replaces the plugin with its
configuration, one that leaves it out adjusts the configuration. Severities and parameters of policies join where
the policies are known (``compiler.policies.settings``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from compiler.documents.governance import LEVEL_NAME, SWITCH
from compiler.documents.manifest import MANIFEST
from compiler.documents.models import Document
from compiler.documents.shape import (
    Anything,
    Either,
    Field,
    Keyed,
    Keys,
    MapOf,
    Record,
    Shape,
    Switchable,
    dotted,
)
from compiler.tiers.lattice import join
from policy_lang.diagnostics import Diagnostic, Label, Outcome
from policy_lang.records import NamedTuple
from policy_lang.source import Span
from policy_lang.spell import did_you_mean

OWN = frozenset({"metadata", "parent", "domain", "kind", "apiVersion"})
"""What a manifest says about itself: nothing below it inherits that."""
_LEVELS: Keys = ("governance", "classification", "levels")


class Origin(NamedTuple):
    """Where a value comes from."""

    file: str
    span: Span
    tier: str


class Step(NamedTuple):
    """What one tier said about a field, and what became of it: ``set``, ``kept``, ``joined`` or ``refused``."""

    tier: str
    file: str
    span: Span
    value: Any
    effect: str


class Resolved(NamedTuple):
    """The joined manifest: plain data, the origin of each value, and the chain (the topmost first)."""

    data: dict[str, Any]
    origins: dict[Keys, Origin]
    chain: tuple[Document, ...]
    steps: Mapping[Keys, tuple[Step, ...]] = MappingProxyType({})

    def origin(self, path: Keys) -> Origin | None:
        """The origin of the value at ``path``, or of the nearest part around it that has one."""
        for cut in range(len(path), 0, -1):
            if path[:cut] in self.origins:
                return self.origins[path[:cut]]
        return None


def inherit(chain: Sequence[Document]) -> Outcome[Resolved]:
    """Join ``chain``; every weakening is reported at the child's line, with the parent's beside it."""
    data: dict[str, Any] = {}
    log = _Log()
    for document in chain:
        child = {k: v for k, v in document.data.items() if k not in OWN}
        data = _Join(document, log, data).record(MANIFEST, data, child, ())
    own = {k: v for k, v in chain[-1].data.items() if k in OWN} if chain else {}
    steps = {path: tuple(found) for path, found in log.steps.items()}
    resolved = Resolved({**data, **own}, log.origins, tuple(chain), steps)
    return Outcome(
        resolved,
        (
            *log.found,
            *_approvals(resolved),
            *_domain_rules(resolved),
            *_levels(resolved),
            *_layers(resolved),
            *_configurations(resolved),
        ),
    )


class _Log:
    """What a run of joins leaves behind."""

    def __init__(self) -> None:
        self.origins: dict[Keys, Origin] = {}
        self.steps: dict[Keys, list[Step]] = {}
        self.found: list[Diagnostic] = []


class _Join:
    """The join of one child with all that is above it."""

    def __init__(self, child: Document, log: _Log, above: dict[str, Any]) -> None:
        self.child, self.log = child, log
        self.pinned = [tuple(p.split(".")) for p in above.get("pinned", ())]
        self.levels = list(above.get("governance", {}).get("classification", {}).get("levels", {}))

    def record(self, record: Record, parent: dict[str, Any], child: dict[str, Any], path: Keys) -> dict[str, Any]:
        """Field by field; levels come before the categories that name them."""
        result = dict(parent)
        for key in sorted(child, key=lambda k: k != "levels"):
            fld = record.fields.get(key) or Field(record.rest or Anything())
            result[key] = self.value(fld.shape, fld.order, parent.get(key), child[key], (*path, key))
        return result

    def value(self, shape: Shape, order: str, parent: Any, child: Any, path: Keys) -> Any:
        if self._is_pinned(path, parent):
            return self._leaf(shape, "fixed", parent, child, path)
        if parent is None:
            self._set(child, path)
            return child
        if isinstance(shape, Either):
            shape = next((s for s in shape.shapes if isinstance(parent, s.kinds) and isinstance(child, s.kinds)), shape)
        if isinstance(shape, Switchable):
            shape = shape.record
        if not (isinstance(parent, dict) and isinstance(child, dict)) or order == "fixed":
            return self._leaf(shape, order, parent, child, path)
        if isinstance(shape, Record):
            return self.record(shape, parent, child, path)
        return self._mapping(shape, order, parent, child, path)

    def _mapping(self, shape: Shape, order: str, parent: dict[str, Any], child: dict[str, Any], path: Keys) -> Any:
        item: Shape = Anything()
        item_order = "override"
        if isinstance(shape, MapOf):
            item, item_order = shape.item, shape.order
        elif isinstance(shape, Keyed):
            item = shape.record.fields[shape.value].shape if shape.value else shape.record
            item_order = shape.order
            if shape.ranked:
                self._same_ranks(parent, child, path)
        result = dict(parent) if order != "intersect" else {k: v for k, v in parent.items() if k in child}
        for key, value in child.items():
            here = (*path, key)
            if order == "intersect" and key not in parent:
                self._refuse("intersect", list(parent), key, here, value)
            elif order == "plugins" and key in parent and "type" in value and not self._is_pinned(here, parent[key]):
                self._forget(here)
                self._set(value, here)
                result[key] = value
            else:
                result[key] = self.value(item, item_order, parent.get(key), value, here)
        if path == _LEVELS:
            self.levels = list(result)
        return result

    def _leaf(self, shape: Shape, order: str, parent: Any, child: Any, path: Keys) -> Any:
        if order not in ("fixed", "extend", "intersect", "stricter_up", "stricter_down"):
            order = "override"
        rank = self.levels.index if shape is LEVEL_NAME else shape.rank
        try:
            joined, allowed = join(order, parent, child, rank)
        except (TypeError, ValueError):  # a level that does not exist has no rank
            joined, allowed = parent, shape is LEVEL_NAME
        if not allowed:
            self._refuse(order, parent, child, path, child)
            return parent if order != "intersect" else joined
        effect = "kept" if joined == parent else "set" if joined == child else "joined"
        self._step(path, child, effect)
        if joined != parent:
            self._origins(joined, path)
        return joined

    def _is_pinned(self, path: Keys, parent: Any) -> bool:
        return parent is not None and any(path[: len(pin)] == pin for pin in self.pinned)

    def _same_ranks(self, parent: dict[str, Any], child: dict[str, Any], path: Keys) -> None:
        """Entries that both have stand in one order, and new ones come after the parent's."""
        repeated = [k for k in child if k in parent]
        wanted = [k for k in parent if k in child]
        first_new = next((i for i, k in enumerate(child) if k not in parent), len(child))
        late = [k for i, k in enumerate(child) if i > first_new and k in parent]
        if repeated == wanted and not late:
            return
        key = late[0] if late else next(a for a, b in zip(repeated, wanted, strict=True) if a != b)
        text = f"`{dotted(path)}` changes the order of its parent's entries"
        hint = "list the parent's in their order (" + ", ".join(parent) + "), then new ones"
        self._report("FLC301", (*path, key), text, hint, path)

    def _set(self, value: Any, path: Keys) -> None:
        """All of ``value`` is new here."""
        self._origins(value, path)
        self._steps(value, path)

    def _origins(self, value: Any, path: Keys) -> None:
        self.log.origins[path] = Origin(self.child.file, self.child.span(path), self.child.scope)
        if isinstance(value, dict):
            for key, one in value.items():
                self._origins(one, (*path, key))

    def _steps(self, value: Any, path: Keys) -> None:
        if isinstance(value, dict) and value:
            for key, one in value.items():
                self._steps(one, (*path, key))
        else:
            self._step(path, value, "set")

    def _step(self, path: Keys, value: Any, effect: str) -> None:
        step = Step(self.child.scope, self.child.file, self.child.span(path), value, effect)
        self.log.steps.setdefault(path, []).append(step)

    def _forget(self, path: Keys) -> None:
        """A part that is replaced as a whole leaves no origins behind; what was said about it is still told."""
        for known in [p for p in self.log.origins if p[: len(path)] == path]:
            del self.log.origins[known]

    def _refuse(self, order: str, parent: Any, child: Any, path: Keys, value: Any) -> None:
        self._step(path, value, "refused")
        above = _words(parent)
        weakens = f"weakens it from {above} to {_words(child)}"
        stricter = ("something stricter",) * 2 if isinstance(parent, bool | str) else ("more", "less")
        text, hint = {
            "stricter_up": (weakens, f"give {above} or {stricter[0]}, or leave it out"),
            "stricter_down": (weakens, f"give {above} or {stricter[1]}, or leave it out"),
            "extend": ("is written in another form than the parent's", "write it as the parent does"),
            "intersect": (
                "allows what the parent does not: " + _words(_more(parent, child)),
                "choose among the parent's: " + above,
            ),
            "fixed": (f"changes what the parent fixes to {above}", "leave it out"),
        }[order]
        self._report("FLC302" if order == "fixed" else "FLC301", path, f"`{dotted(path)}` {text}", hint, path)

    def _report(self, code: str, path: Keys, message: str, hint: str, above_path: Keys) -> None:
        above = next((self.log.origins[above_path[:n]] for n in range(len(above_path), 0, -1)
                      if above_path[:n] in self.log.origins), None)  # fmt: skip
        related = (Label(above.span, f"set by the {above.tier} manifest here"),) if above is not None else ()
        self.log.found.append(Diagnostic(code, message, self.child.span(path), related=related, hint=hint, path=path))


def approved_computes(data: dict[str, Any]) -> list[str]:
    """The computes among which a product may choose; [] where the manifest names none at all."""
    compute = data.get("plugins", {}).get("compute", {})
    named = [a["name"] for a in compute.get("approved", ())]
    if not named and compute.get("type"):
        return [compute["type"]]
    return named or list(data.get("approved_plugins", {}).get("compute", ()))


def _approvals(resolved: Resolved) -> list[Diagnostic]:
    """FLC303 for each plugin in force that is not approved for its category."""
    found = []
    approved = resolved.data.get("approved_plugins", {})
    for category, plugin in resolved.data.get("plugins", {}).items():
        if category not in approved:
            continue
        from compiler.documents.plugins.known import plain_name

        named: list[tuple[Keys, Any]] = [(("type",), plugin.get("type")), (("default",), plugin.get("default"))]
        named += [(("approved", i, "name"), a["name"]) for i, a in enumerate(plugin.get("approved", ()))]
        allowed = {plain_name(category, name) for name in approved[category]}
        for keys, name in named:
            if name is None or plain_name(category, name) in allowed:
                continue
            path: Keys = ("plugins", category, *keys)
            text = f"`{name}` is not approved as {category.replace('_', ' ')}"
            hint = did_you_mean(name, approved[category]) or "approved are: " + _words(approved[category])
            found.append(
                _conflict(resolved, "FLC303", path, text, hint, ("approved_plugins", category), "approved here")
            )
    return found


def _configurations(resolved: Resolved) -> list[Diagnostic]:
    """Configurations that adjust a plugin whose type an ancestor chose, by that plugin's schema."""
    found: list[Diagnostic] = []
    for document in resolved.chain[1:]:
        for category, plugin in document.data.get("plugins", {}).items():
            name = resolved.data["plugins"][category].get("type")
            if "type" not in plugin and plugin.get("config") and name is not None:
                from compiler.documents.plugins.check import check_inherited

                found += check_inherited(document, category, name, plugin["config"])
    return found


def _domain_rules(resolved: Resolved) -> list[Diagnostic]:
    """What an enterprise says about the domain that the last manifest is."""
    data, domain = resolved.data, resolved.data.get("domain")
    listed = data.get("domains")
    if not domain or not listed or not resolved.chain or resolved.chain[-1].scope != "domain":
        return []
    name = domain["name"]
    if name not in listed:
        hint = did_you_mean(name, listed) or "ask the platform team to list it"
        text = f"the enterprise does not list the domain `{name}`"
        return [_conflict(resolved, "FLC304", ("domain", "name"), text, hint, ("domains",), "its domains")]
    extra, found = listed[name].get("extra_policies", {}), []
    needed: Keys = ("domains", name, "extra_policies")
    computes = extra.get("compute_approved")
    compute = data.get("plugins", {}).get("compute", {}).get("type")
    if computes is not None and compute is not None and compute not in computes:
        text = f"the domain `{name}` may not use the compute `{compute}`"
        hint = "choose among: " + _words(computes)
        path: Keys = ("plugins", "compute", "type")
        other: Keys = (*needed, "compute_approved")
        found.append(_conflict(resolved, "FLC306", path, text, hint, other, "asked of this domain here"))
    audit = extra.get("audit_logging")
    field_path: Keys = ("governance", "audit_logging")
    rank = SWITCH.rank
    if audit is not None and rank(data.get("governance", {}).get("audit_logging")) < rank(audit):
        text = f"the domain `{name}` needs `governance.audit_logging: {audit}`"
        found.append(_conflict(resolved, "FLC306", field_path, text, f"write `audit_logging: {audit}`",
                               (*needed, "audit_logging"), "asked of this domain here"))  # fmt: skip
    return found


def _levels(resolved: Resolved) -> list[Diagnostic]:
    """FLC313 for each category whose level no manifest lists."""
    classes = resolved.data.get("governance", {}).get("classification", {})
    levels = classes.get("levels") or dict.fromkeys(("public", "internal", "confidential", "restricted"))
    found = []
    for name, category in classes.get("categories", {}).items():
        level = category.get("level")
        if level is not None and level not in levels:
            path: Keys = ("governance", "classification", "categories", name, "level")
            hint = did_you_mean(level, levels) or "levels are: " + ", ".join(levels)
            found.append(_conflict(resolved, "FLC313", path, f"`{level}` is no level", hint, _LEVELS, "the levels"))
    return found


def _layers(resolved: Resolved) -> list[Diagnostic]:
    """FLC315 for each layer in ``may_depend_on`` that no manifest has."""
    layers = resolved.data.get("data_architecture", {}).get("layers", {})
    found = []
    for name, layer in layers.items():
        for other in layer.get("may_depend_on", ()):
            if other not in layers:
                path: Keys = ("data_architecture", "layers", name, "may_depend_on")
                hint = did_you_mean(other, layers) or "layers are: " + ", ".join(layers)
                place: Keys = ("data_architecture", "layers")
                found.append(_conflict(resolved, "FLC315", path, f"`{other}` is no layer", hint, place, "the layers"))
    return found


def _conflict(resolved: Resolved, code: str, path: Keys, text: str, hint: str, other: Keys, label: str) -> Diagnostic:
    here, there = resolved.origin(path), resolved.origin(other)
    span = here.span if here is not None else resolved.chain[-1].span(path)
    related = (Label(there.span, label),) if there is not None else ()
    return Diagnostic(code, text, span, related=related, hint=hint, path=path)


def _more(parent: Any, child: Any) -> Any:
    return [v for v in child if v not in parent] if isinstance(child, list) and isinstance(parent, list) else child


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) if value else "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)
