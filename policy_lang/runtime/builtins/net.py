"""Networks in CIDR notation: what contains, meets, or makes up what."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from policy_lang.runtime.builtins.registry import builtin, failure
from policy_lang.runtime.values import RegoSet, object_items

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _cidr(name: str, text: str) -> Network:
    """A network with its prefix length in digits; bits beyond the prefix are dropped."""
    prefix = text.partition("/")[2]
    if not (prefix.isascii() and prefix.isdigit()):
        raise failure(name, f"invalid CIDR address: {text}")
    return _network(name, text)


def _network(name: str, text: str) -> Network:
    """A network; an address alone is the network of its own."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise failure(name, f"invalid CIDR address: {text}") from error


def _within(inner: Network, outer: Network) -> bool:
    if inner.version != outer.version or inner.prefixlen < outer.prefixlen:
        return False
    return inner.network_address in outer


@builtin("net.cidr_contains", "string", "string")
def cidr_contains(cidr: str, cidr_or_ip: str) -> bool:
    name = "net.cidr_contains"
    return _within(_network(name, cidr_or_ip), _cidr(name, cidr))


@builtin("net.cidr_intersects", "string", "string")
def cidr_intersects(left: str, right: str) -> bool:
    one, other = (_cidr("net.cidr_intersects", text) for text in (left, right))
    return _within(one, other) or _within(other, one)


@builtin("net.cidr_is_valid", "any")
def cidr_is_valid(cidr: Any) -> bool:
    if type(cidr) is not str:
        return False
    prefix = cidr.partition("/")[2]
    if not (prefix.isascii() and prefix.isdigit()):
        return False
    try:
        ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return True


@builtin("net.cidr_expand", "string")
def cidr_expand(cidr: str) -> RegoSet:
    """Every address of the network, the first and the last included."""
    return RegoSet.of(str(address) for address in _cidr("net.cidr_expand", cidr))


_COLLECTIONS = "string|array|set|object"


@builtin("net.cidr_contains_matches", _COLLECTIONS, _COLLECTIONS)
def cidr_contains_matches(cidrs: Any, cidrs_or_ips: Any) -> RegoSet:
    """The pairs of keys ``[of a network, of what it contains]``. A string stands for itself, arrays and
    objects give their indices and keys, sets their elements."""
    name = "net.cidr_contains_matches"
    outer = [(key, _cidr(name, text)) for key, text in _keyed(name, 1, cidrs)]
    inner = [(key, _network(name, text)) for key, text in _keyed(name, 2, cidrs_or_ips)]
    return RegoSet.of([left, right] for left, wide in outer for right, narrow in inner if _within(narrow, wide))


def _keyed(name: str, position: int, value: Any) -> Iterator[tuple[Any, str]]:
    if type(value) is str:
        pairs: Any = [(value, value)]
    elif type(value) is list:
        pairs = enumerate(value)
    elif type(value) is RegoSet:
        pairs = ((element, element) for element in value.values())
    else:
        pairs = object_items(value)
    for key, item in pairs:
        text = item[0] if type(item) is list and item else item
        if type(text) is not str:
            raise failure(name, f"operand {position}: element must be string or non-empty array")
        yield key, text


@builtin("net.cidr_merge", "array|set")
def cidr_merge(networks: Any) -> RegoSet:
    """The fewest networks that cover the same addresses."""
    found = networks if type(networks) is list else list(networks.values())
    parsed = [_merged_item(item) for item in found]
    v4 = ipaddress.collapse_addresses(n for n in parsed if isinstance(n, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(n for n in parsed if isinstance(n, ipaddress.IPv6Network))
    return RegoSet.of([*map(str, v4), *map(str, v6)])


def _merged_item(item: Any) -> Network:
    """A network; an IPv4 address alone stands for its class's network, as in OPA (Go's default mask)."""
    name = "net.cidr_merge"
    if type(item) is not str:
        raise failure(name, "operand 1 must be array or set of strings")
    if "/" in item:
        return _cidr(name, item)
    network = _network(name, item)
    if network.version == 6:
        raise failure(name, "IPv6 invalid: needs prefix length")
    first = network.network_address.packed[0]
    if first >= 224:
        raise failure(name, f"IPv4 address without a default mask: {item}")
    return _cidr(name, f"{item}/{8 if first < 128 else 16 if first < 192 else 24}")
