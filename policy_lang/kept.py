"""What the cache keeps of policies beside their code: plain values that ``marshal`` can write, and back.

``marshal`` is what a start can afford: it reads tables as fast as code, and knows no classes that had to be imported.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from typing import Any

from policy_lang.diagnostics import Severity
from policy_lang.plan.sliced import Slice
from policy_lang.policies import Declarations, ParamInfo, PolicyInfo
from policy_lang.source import Span
from policy_lang.syntax.type_expr import TypeExpr

Paths = frozenset[tuple[str, ...]]


def declarations_data(found: Declarations) -> bytes:
    """What policy files declare."""
    params = [
        (package, [(p.name, _type_data(p.type), p.stricter, tuple(p.span)) for p in own])
        for package, own in found.params.items()
    ]
    policies = [
        (p.package, p.name, p.id, p.title, str(p.severity), p.why, p.docs, p.tags, tuple(p.span))
        for p in found.policies
    ]
    return marshal.dumps((policies, params))


def declarations(data: bytes) -> Declarations:
    """What ``declarations_data`` was made of."""
    policies, given = marshal.loads(data)
    params = {
        package: tuple(ParamInfo(name, _type(of), stricter, Span(*span)) for name, of, stricter, span in own)
        for package, own in given
    }
    infos = tuple(
        PolicyInfo(package, name, id_, title, Severity(severity), why, docs, tags, params[package], Span(*span))
        for package, name, id_, title, severity, why, docs, tags, span in policies
    )
    return Declarations(infos, params)


def slices_data(reads: Paths, slices: Iterable[Slice]) -> tuple[bytes, bytes]:
    """What policies read, and their slices: two parts, because few runs look at the second."""
    plain = [(s.policy, s.over, s.why, s.reads, tuple(s.span)) for s in slices]
    return marshal.dumps(reads), marshal.dumps(plain)


def slices(data: bytes) -> tuple[Slice, ...]:
    """The second part of ``slices_data``."""
    return tuple(Slice(policy, over, why, reads, Span(*span)) for policy, over, why, reads, span in marshal.loads(data))


def _type_data(of: TypeExpr) -> tuple[Any, ...]:
    return (of.name, [_type_data(arg) for arg in of.args], tuple(of.span))


def _type(data: tuple[Any, ...]) -> TypeExpr:
    name, args, span = data
    return TypeExpr(name, tuple(map(_type, args)), span=Span(*span))
