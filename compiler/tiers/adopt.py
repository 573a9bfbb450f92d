"""The last step of inheritance: what a product says must fit the platform that it is built on.

Codes: FLC301 the product weakens a guard rail, FLC307 a product that its domain has not approved, FLC308 a product of
another domain, FLC309 a compute that may not be chosen, FLC310 a repository that may not register products,
FLC311 a sink that is not approved, FLC312 an SLA below the platform's minimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from compiler.documents.governance import CLASS_ACTION, DATA_CONTRACTS, SLA_MINIMUMS
from compiler.documents.models import Document
from compiler.documents.shape import Field, Keys, Shape, dotted
from compiler.tiers.inherit import Resolved, Step, approved_computes
from compiler.tiers.lattice import join
from policy_lang.diagnostics import Diagnostic, Label, Outcome
from policy_lang.spell import did_you_mean

_GATES: Keys = ("governance", "quality_gates")


def adopt(resolved: Resolved, product: Document) -> Outcome[Resolved]:
    """Check ``product`` against its platform; the answer also tells what the product says about inherited fields."""
    found = [
        *_quality(resolved, product),
        *_class_policies(resolved, product),
        *_contracts(resolved, product),
        *_slas(resolved, product),
        *_identity(resolved, product),
        *_choices(resolved, product),
    ]
    refused = {d.path for d in found}
    steps = dict(resolved.steps)
    for path, above, value in _inherited(product):
        effect = "refused" if path in refused else "set"
        steps[above] = (*steps.get(above, ()), Step("product", product.file, product.span(path), value, effect))
    return Outcome(resolved._replace(steps=steps), tuple(found))


def _inherited(product: Document) -> Iterator[tuple[Keys, Keys, Any]]:
    """The product's fields that stand for fields of the manifest: where, which, and the value."""
    quality = product.data.get("quality", {})
    for key, field in (("minimum_coverage", "minimum_test_coverage"), ("required_tests", "required_tests")):
        if key in quality:
            yield ("quality", key), (*_GATES, field), quality[key]
    for name, policy in product.data.get("governance", {}).get("policies", {}).items():
        for environment, rule in policy.items():
            for key, value in rule.items():
                path: Keys = ("governance", "policies", name, environment, key)
                yield path, path, value


def _weaker(
    resolved: Resolved, product: Document, path: Keys, above: Keys, values: tuple[Any, Any], field: Field | Shape,
    order: str, code: str = "FLC301",
) -> list[Diagnostic]:  # fmt: skip
    """A diagnostic where the second of ``values`` (the product's) is weaker than the first (the platform's)."""
    shape = field.shape if isinstance(field, Field) else field
    parent, child = values
    if parent is None or child is None or join(order, parent, child, shape.rank)[1]:
        return []
    limit = "less" if order == "stricter_down" else "more"
    text = f"`{dotted(path)}` is {_words(child)}, weaker than the platform's {_words(parent)}"
    hint = f"give {_words(parent)} or {limit}, or leave it out" if order != "intersect" else "leave out what is new"
    return [Diagnostic(code, text, product.span(path), related=_label(resolved, above), hint=hint, path=path)]


def _label(resolved: Resolved, path: Keys, text: str = "the platform's is set here") -> tuple[Label, ...]:
    origin = resolved.origin(path)
    return (Label(origin.span, text),) if origin is not None else ()


def _quality(resolved: Resolved, product: Document) -> list[Diagnostic]:
    from compiler.documents.values import PERCENT

    parent = resolved.data.get("governance", {}).get("quality_gates", {}).get("minimum_test_coverage")
    child = product.data.get("quality", {}).get("minimum_coverage")
    above = (*_GATES, "minimum_test_coverage")
    return _weaker(resolved, product, ("quality", "minimum_coverage"), above, (parent, child), PERCENT, "stricter_up")


def _class_policies(resolved: Resolved, product: Document) -> list[Diagnostic]:
    found = []
    policies = resolved.data.get("governance", {}).get("policies", {})
    for name, policy in product.data.get("governance", {}).get("policies", {}).items():
        for environment, rule in policy.items():
            given = policies.get(name, {}).get(environment, {})
            for key, order in (("action", "stricter_up"), ("requires_role", "intersect")):
                path: Keys = ("governance", "policies", name, environment, key)
                values = (given.get(key), rule.get(key))
                found += _weaker(resolved, product, path, path, values, CLASS_ACTION, order)
    return found


def _contracts(resolved: Resolved, product: Document) -> list[Diagnostic]:
    path: Keys = ("governance", "data_contracts", "enforcement")
    field = DATA_CONTRACTS.fields["enforcement"]
    parent = resolved.data.get("governance", {}).get("data_contracts", {}).get("enforcement")
    child = product.data.get("governance", {}).get("data_contracts", {}).get("enforcement")
    return _weaker(resolved, product, path, path, (parent, child), field, field.order)


def _slas(resolved: Resolved, product: Document) -> list[Diagnostic]:
    found = []
    minimums = resolved.data.get("governance", {}).get("sla_minimums", {})
    for i, port in enumerate(product.data.get("output_ports", ())):
        sla = port.get("sla", {})
        promised: dict[tuple[str, ...], Any] = {(k,): sla.get(k) for k in ("freshness", "availability")}
        promised |= {("quality", k): v for k, v in sla.get("quality", {}).items()}
        for keys, value in promised.items():
            field = SLA_MINIMUMS.fields.get(keys[-1])
            if field is None:
                continue
            path: Keys = ("output_ports", i, "sla", *keys)
            above: Keys = ("governance", "sla_minimums", keys[-1])
            found += _weaker(
                resolved, product, path, above, (minimums.get(keys[-1]), value), field, field.order, "FLC312"
            )
    return found


def _identity(resolved: Resolved, product: Document) -> Iterator[Diagnostic]:
    metadata, data = product.data["metadata"], resolved.data
    approved = data.get("approved_products")
    if approved is not None and metadata["name"] not in approved:
        text = f"the product `{metadata['name']}` is not among the approved products"
        hint = did_you_mean(metadata["name"], approved) or "ask the owner of the manifest to approve it"
        related = _label(resolved, ("approved_products",), "approved here")
        path: Keys = ("metadata", "name")
        yield Diagnostic("FLC307", text, product.span(path), related=related, hint=hint, path=path)
    domain = (data.get("domain") or {}).get("name")
    if domain is not None and metadata.get("domain", domain) != domain:
        path = ("metadata", "domain")
        text = f"the product says domain `{metadata['domain']}`, but its manifest is that of `{domain}`"
        hint = "a product has exactly one domain"
        related = (Label(resolved.chain[-1].span(("domain", "name")), "the manifest's domain"),)
        yield Diagnostic(
            "FLC308", text, product.span(path), related=related, hint="a product has exactly one domain", path=path
        )
    globs = data.get("governance", {}).get("product_registration", {}).get("allowed_repositories")
    repository = metadata.get("repository")
    if globs is not None and repository is not None and not any(fnmatchcase(repository, g) for g in globs):
        path = ("metadata", "repository")
        text = f"products of `{repository}` may not be registered"
        hint = "allowed are: " + ", ".join(globs)
        related = _label(resolved, ("governance", "product_registration", "allowed_repositories"), "allowed here")
        yield Diagnostic(
            "FLC310", text, product.span(path), related=related, hint="allowed are: " + ", ".join(globs), path=path
        )


def _choices(resolved: Resolved, product: Document) -> Iterator[Diagnostic]:
    computes = approved_computes(resolved.data)
    for i, transform in enumerate(product.data.get("transforms", ())):
        compute = transform.get("compute")
        if compute is not None and computes and compute not in computes:
            path: Keys = ("transforms", i, "compute")
            text = f"the compute `{compute}` may not be chosen"
            hint = did_you_mean(compute, computes) or "choose among: " + ", ".join(dict.fromkeys(computes))
            related = _label(resolved, ("plugins", "compute"), "the platform's compute")
            yield Diagnostic("FLC309", text, product.span(path), related=related, hint=hint, path=path)
    sinks = resolved.data.get("approved_sinks")
    for i, destination in enumerate(product.data.get("destinations", ())):
        if sinks is not None and destination["sink_type"] not in sinks:
            path = ("destinations", i, "sink_type")
            text = f"the sink `{destination['sink_type']}` is not approved"
            hint = did_you_mean(destination["sink_type"], sinks) or "approved are: " + ", ".join(sinks)
            related = _label(resolved, ("approved_sinks",), "approved here")
            yield Diagnostic("FLC311", text, product.span(path), related=related, hint=hint, path=path)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
