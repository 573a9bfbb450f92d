"""Laws of inheritance: the join of one field is associative, keeps what is repeated, and never weakens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.documents.models import validate_document
from compiler.documents.yaml_loader import load_yaml
from compiler.inherit import inherit, join
from policy_lang.source import Source

numbers = st.integers(0, 100)
names = st.lists(st.sampled_from("abcd"), unique=True, max_size=4)
VALUES = {
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
    assert _same(order, left, right)


@pytest.mark.parametrize("order", VALUES)
@given(data=st.data())
def test_repeating_the_parent_changes_nothing_and_is_allowed(order: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[order])
    assert join(order, value, value) == (value, True)


@given(numbers, numbers)
def test_the_result_is_never_weaker(parent: int, child: int) -> None:
    assert join("stricter_up", parent, child) == (max(parent, child), child >= parent)
    assert join("stricter_down", parent, child) == (min(parent, child), child <= parent)
    assert join("fixed", parent, child) == (parent, parent == child)


@given(names, names)
def test_lists_only_grow_or_only_shrink(parent: list[str], child: list[str]) -> None:
    assert set(parent) <= set(join("extend", parent, child)[0])
    assert set(join("intersect", parent, child)[0]) <= set(parent)


def _same(order: str, left: Any, right: Any) -> bool:
    return set(left) == set(right) if order in ("extend", "intersect") else left == right


def _manifest(name: str, scope: str, coverage: int | None) -> Any:
    lines = ["apiVersion: floe.dev/v1", "kind: Manifest", f"metadata: {{name: {name}, version: 1.0.0, owner: t@x.y}}"]
    lines.append(f"scope: {scope}")
    if scope == "domain":
        lines.append("parent: {ref: ../manifest.yaml}")
    if coverage is not None:
        lines.append(f"governance: {{quality_gates: {{minimum_test_coverage: {coverage}}}}}")
    loaded = load_yaml(Source(f"{name}.yaml", "\n".join(lines) + "\n"))
    assert loaded.value is not None
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert not checked.diagnostics
    return checked.value


@given(st.one_of(st.none(), numbers), st.one_of(st.none(), numbers))
def test_whole_manifests_are_never_weaker_than_an_ancestor(above: int | None, below: int | None) -> None:
    resolved = inherit([_manifest("top", "enterprise", above), _manifest("child", "domain", below)])
    assert resolved.value is not None
    found = resolved.value.data.get("governance", {}).get("quality_gates", {}).get("minimum_test_coverage")
    given_values = [v for v in (above, below) if v is not None]
    assert found == (max(given_values) if given_values else None)
    weakened = above is not None and below is not None and below < above
    assert [d.code for d in resolved.diagnostics] == (["FLC301"] if weakened else [])
    if weakened:
        (diagnostic,) = resolved.diagnostics
        assert diagnostic.span is not None
        assert Path(diagnostic.span.file).name == "child.yaml"
        assert diagnostic.related[0].span.file == "top.yaml"
