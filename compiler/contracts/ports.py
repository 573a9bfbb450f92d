"""Provider against consumer: does what a product offers meet what another needs of it.

Codes: FLC506 an SLA that is weaker than needed, FLC507 a port that does not exist, FLC508 a column that is not there or
of another kind, FLC509 a consumer without access.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.contracts.compare import LOWER_IS_STRICTER
from compiler.contracts.model import Contract, Promise, Table
from compiler.contracts.read import promise
from compiler.contracts.types import same_family
from compiler.documents.models import Document
from compiler.documents.shape import Keys
from policy_lang.diagnostics import Diagnostic, Label
from policy_lang.spell import did_you_mean


def check_provider(need: Contract, offer: Contract) -> tuple[Diagnostic, ...]:
    """What ``need`` (a consumer's contract) asks, and ``offer`` (the provider's) does not give."""
    return (*_slas(need, offer), *_columns(need, offer))


def check_ports(consumer: Document, providers: dict[str, Document]) -> tuple[Diagnostic, ...]:
    """The input ports of a product against the products that they name (``domain.product`` → document)."""
    return tuple(_ports(consumer, providers))


def _slas(need: Contract, offer: Contract) -> Iterator[Diagnostic]:
    for name, wanted in need.promises.items():
        if wanted.value is None:
            continue
        given = offer.promises.get(name)
        span = need.span(wanted.path)
        if given is None or given.value is None:
            text = f"`{name}` of {wanted.text} is needed, but `{offer.id}` promises none"
            yield Diagnostic("FLC506", text, span, related=(Label(offer.span(()), "the provider's contract"),))
            continue
        if _weaker(given, wanted):
            text = f"`{name}` of {wanted.text} is needed, but `{offer.id}` promises {given.text}"
            related = (Label(offer.span(given.path), "promised here"),)
            hint = "ask the provider for more, or need less"
            yield Diagnostic("FLC506", text, span, related=related, hint=hint)


def _weaker(given: Promise, wanted: Promise) -> bool:
    """Whether both are comparable, and less is given than wanted."""
    if given.value is None or wanted.value is None:
        return False
    return given.value > wanted.value if given.name in LOWER_IS_STRICTER else given.value < wanted.value


def _columns(need: Contract, offer: Contract) -> Iterator[Diagnostic]:
    for table in need.tables.values():
        there = _table_for(table, offer)
        if there is None:
            text = f"`{offer.id}` has no table `{table.name}`"
            hint = did_you_mean(table.name, offer.tables) or "it has: " + ", ".join(offer.tables)
            yield Diagnostic("FLC507", text, need.span(table.path), hint=hint)
            continue
        for column in table.columns.values():
            other = there.columns.get(column.name)
            span = need.span(column.path)
            related = (Label(offer.span(there.path), "the provider's table"),)
            if other is None:
                hint = did_you_mean(column.name, there.columns)
                text = f"`{there.name}` of `{offer.id}` has no column `{column.name}`"
                yield Diagnostic("FLC508", text, span, related=related, hint=hint)
                continue
            related = (Label(offer.span(other.path), "the provider's column"),)
            if not same_family(other.type or other.physical_type, column.type or column.physical_type):
                text = f"`{column.name}` is needed as {column.type}, but is {other.type or other.physical_type}"
                yield Diagnostic("FLC508", text, span, related=related)
            if column.required and not other.required:
                text = f"`{column.name}` is needed without nulls, but the provider does not promise that"
                yield Diagnostic("FLC508", text, span, related=related)


def _table_for(table: Table, offer: Contract) -> Table | None:
    """The table of that name; of a contract with one table, that one."""
    found = offer.tables.get(table.name)
    return found or (next(iter(offer.tables.values())) if len(offer.tables) == 1 else None)


def _ports(consumer: Document, providers: dict[str, Document]) -> Iterator[Diagnostic]:
    me = consumer.data["metadata"]
    for i, port in enumerate(consumer.data.get("input_ports", ())):
        ref = port.get("source", {}).get("ref")
        if ref is None:
            continue
        domain, product, wanted = (*ref.split("."), "")[:3]
        path: Keys = ("input_ports", i, "source", "ref")
        span, provider = consumer.span(path), providers.get(f"{domain}.{product}")
        if provider is None:
            hint = did_you_mean(f"{domain}.{product}", providers)
            yield Diagnostic("FLC507", f"no product `{domain}.{product}` is known", span, hint=hint, path=path)
            continue
        if not wanted:
            continue  # the whole product is meant
        outputs = {o["name"]: (j, o) for j, o in enumerate(provider.data.get("output_ports", ()))}
        if wanted not in outputs:
            hint = did_you_mean(wanted, outputs) or "its ports are: " + ", ".join(outputs)
            related = (Label(provider.span(("output_ports",)), "its output ports"),)
            yield Diagnostic(
                "FLC507",
                f"`{domain}.{product}` has no output port `{wanted}`",
                span,
                hint=hint,
                related=related,
                path=path,
            )
            continue
        j, output = outputs[wanted]
        yield from _port_sla(consumer, i, provider, j)
        access = output.get("access", {})
        granted = {g.get("domain") for g in access.get("grants", ()) if g.get("access", "read") != "none"}
        mine = me.get("domain")
        if access.get("default", "deny") == "deny" and mine is not None and mine != domain and mine not in granted:
            text = f"the domain `{mine}` has no access to `{ref}`"
            related = (Label(provider.span(("output_ports", j)), "the port grants it here" if granted else "the port"),)
            yield Diagnostic("FLC509", text, span, related=related, hint="ask the provider for a grant", path=path)


def _port_sla(consumer: Document, i: int, provider: Document, j: int) -> Iterator[Diagnostic]:
    port = consumer.data["input_ports"][i]
    needs: dict[Keys, tuple[str, object]] = {
        ("freshness_requirement",): ("freshness", port.get("freshness_requirement"))
    }
    needs |= {("sla", k): (k, v) for k, v in port.get("sla", {}).items() if not isinstance(v, dict)}
    offered = provider.data["output_ports"][j].get("sla", {})
    for keys, (name, value) in needs.items():
        if value is None:
            continue
        path: Keys = ("input_ports", i, *keys)
        wanted = promise(name, value, None, None, path)
        if name not in offered:
            text = f"{name} of {wanted.text} is needed, but the port promises none"
            related = (Label(provider.span(("output_ports", j)), "the port"),)
            yield Diagnostic("FLC506", text, consumer.span(path), related=related, path=path)
            continue
        there: Keys = ("output_ports", j, "sla", name)
        given = promise(name, offered[name], None, None, there)
        if _weaker(given, wanted):
            text = f"{name} of {wanted.text} is needed, but the port promises {given.text}"
            related = (Label(provider.span(there), "promised here"),)
            yield Diagnostic("FLC506", text, consumer.span(path), related=related, path=path)
