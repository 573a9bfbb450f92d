"""Laws of inheritance, over random manifests: associative, with an identity, and never weaker than an ancestor."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.documents.fields import FieldInfo, fields_of
from compiler.documents.manifest import MANIFEST
from compiler.documents.models import Document
from compiler.documents.shape import Choice, Flag, ListOf, Number, Text
from compiler.documents.values import Duration
from compiler.documents.yaml_document import YamlDocument
from compiler.tiers.inherit import inherit
from compiler.tiers.lattice import join
from policy_lang.source import Source

OWN = {"apiVersion", "kind", "metadata", "parent", "domain"}
PLAIN = (Choice, Flag, Number, Duration, ListOf)
FIELDS = [
    f for f in fields_of(MANIFEST)
    if f.path[0] not in OWN | {"pinned", "domains"} and isinstance(f.shape, PLAIN) and f.order != "override"
    and not (isinstance(f.shape, ListOf) and not isinstance(f.shape.item, Text))
    and "plugins" not in f.path and f.path[-1] != "may_depend_on"
]  # fmt: skip
numbers = st.integers(0, 100)
names = st.lists(st.sampled_from("abcd"), unique=True, max_size=4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "override": numbers,
    "fixed": numbers,
    "stricter_up": numbers,
    "stricter_down": numbers,
    "extend": names,
    "intersect": names,
}


@pytest.mark.parametrize("order", VALUES)
@given(data=st.data())
def test_joining_is_associative(order: str, data: st.DataObject) -> None:
    a, b, c = (data.draw(VALUES[order]) for _ in range(3))
    left = join(order, join(order, a, b)[0], c)[0]
    right = join(order, a, join(order, b, c)[0])[0]
    assert left == right


@pytest.mark.parametrize("order", VALUES)
@given(data=st.data())
def test_repeating_the_parent_changes_nothing_and_is_allowed(order: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[order])
    assert join(order, value, value) == (value, True)


def value_of(info: FieldInfo) -> st.SearchStrategy[Any]:
    shape = info.shape
    if isinstance(shape, Choice):
        return st.sampled_from(shape.values)
    if isinstance(shape, Flag):
        return st.booleans()
    if isinstance(shape, Duration):
        return st.sampled_from(["1h", "PT2H", "90m", "1d", 3])
    return names if isinstance(shape, ListOf) else st.integers(0, 100)


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for info in draw(st.lists(st.sampled_from(FIELDS), max_size=8)):
        at = data
        for key in info.path[:-1]:
            at = at.setdefault("any" if key == "*" else key, {})
        if isinstance(at, dict):
            at["any" if info.path[-1] == "*" else info.path[-1]] = draw(value_of(info))
    return data


def document(tier: str, data: dict[str, Any]) -> Document:
    return Document("Manifest", data, YamlDocument(Source(f"{tier}.yaml", ""), {}, {}, {}), {})


def joined(*tiers: dict[str, Any]) -> dict[str, Any]:
    resolved = inherit([document(str(i), data) for i, data in enumerate(tiers)]).value
    assert resolved is not None
    return resolved.data


def at(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        data = data.get("any" if key == "*" else key) if isinstance(data, dict) else None
    return data


@settings(max_examples=150, deadline=None)
@given(manifests(), manifests(), manifests())
def test_whole_manifests_join_associatively(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert joined(joined(a, b), c) == joined(a, joined(b, c)) == joined(a, b, c)


@settings(max_examples=100, deadline=None)
@given(manifests())
def test_an_empty_child_or_parent_changes_nothing(a: dict[str, Any]) -> None:
    assert joined(a, {}) == joined({}, a) == joined(a, a) == a


@settings(max_examples=200, deadline=None)
@given(manifests(), manifests(), manifests())
def test_the_result_is_never_weaker_than_any_ancestor(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    tiers = (a, b, c)
    result = joined(*tiers)
    for info in FIELDS:
        found = at(result, info.path)
        for tier in tiers:
            said = at(tier, info.path)
            if said is None or isinstance(said, dict):
                continue
            if isinstance(at(result, info.path[:-1]), list):
                continue  # a mapping below a list is refused: the list above it stays
            if info.order == "extend":
                assert set(said) <= set(found)
            elif info.order == "intersect":
                assert set(found) <= set(said)
            elif info.order == "stricter_up":
                assert info.shape.rank(found) >= info.shape.rank(said)
            elif info.order == "stricter_down":
                assert info.shape.rank(found) <= info.shape.rank(said)
