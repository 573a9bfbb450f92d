"""Every field with an order, generated from the shapes so that none is forgotten: what weakens is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from compiler.documents.fields import FieldInfo, fields_of
from compiler.documents.manifest import MANIFEST
from compiler.documents.models import Document, validate_document
from compiler.documents.shape import Anything, Choice, Either, Flag, Keyed, ListOf, MapOf, Number, Record, Shape, Text
from compiler.documents.values import Duration
from compiler.documents.yaml_loader import load_yaml
from compiler.ir.diff import diff
from compiler.ir.schema import complete
from compiler.tiers.inherit import Resolved, inherit
from compiler.tiers.platform_ir import platform_ir
from policy_lang.diagnostics import Outcome
from policy_lang.source import Source

OWN = {"apiVersion", "kind", "metadata", "parent", "domain"}
FIELDS = [f for f in fields_of(MANIFEST) if f.path[0] not in OWN]
ORDERED = [f for f in FIELDS if f.order in ("stricter_up", "stricter_down", "extend", "intersect", "fixed")]


def manifest(scope: str, path: tuple[str, ...], value: Any) -> Document:
    data: dict[str, Any] = {
        "apiVersion": "floe.dev/v1",
        "kind": "Manifest",
        "metadata": {"name": scope, "version": "1.0.0", "scope": scope},
    }
    if scope == "domain":
        data["parent"] = {"ref": "../manifest.yaml"}
    if path[:2] == ("governance", "classification") and path[-1] == "level":
        data["governance"] = {"classification": {"levels": ["public", "secret"]}}
    at = data
    for key in path[:-1]:
        at = at.setdefault(word(key), {})
    at[word(path[-1])] = value
    loaded = load_yaml(Source(f"{scope}.yaml", yaml.safe_dump(data, sort_keys=False)))
    assert loaded.value is not None
    checked = validate_document(loaded.value)
    assert checked.value is not None
    assert not [d for d in checked.diagnostics if d.code not in ("FLC204", "FLC220")], checked.diagnostics
    return checked.value


def word(key: str) -> str:
    return {"*": "any"}.get(key, key)


def run(info: FieldInfo, above: Any, below: Any) -> Outcome[Resolved]:
    return inherit([manifest("enterprise", info.path, above), manifest("domain", info.path, below)])


def pair(info: FieldInfo) -> tuple[Any, Any]:
    """A weaker and a stronger value under ``stricter_up``; two different ones otherwise."""
    shape: Shape = info.shape
    if info.path[-1] == "level":
        return "public", "secret"
    if isinstance(shape, Choice):
        return shape.values[0], shape.values[-1]
    if isinstance(shape, Flag):
        return False, True
    if isinstance(shape, Number):
        return (0, 1) if shape.high == 1 else (10, 20)
    if isinstance(shape, Duration):
        return "1h", "2d"
    if isinstance(shape, ListOf):
        return [entry(shape.item, 1)], [entry(shape.item, 1), entry(shape.item, 2)]
    if isinstance(shape, Keyed):
        return [{shape.key: "a"}], [{shape.key: "a"}, {shape.key: "b"}]
    if isinstance(shape, MapOf):
        return {"a": entry(shape.item, 1)}, {"a": entry(shape.item, 1), "b": entry(shape.item, 2)}
    assert isinstance(shape, Text), (info.path, shape)
    return "a", "b"


def entry(shape: Shape, n: int) -> Any:
    if isinstance(shape, Record):
        return {k: entry(f.shape, n) for k, f in shape.fields.items() if f.required}
    if isinstance(shape, Number):
        return n
    if isinstance(shape, Either):
        return entry(shape.shapes[0], n)
    if isinstance(shape, MapOf | Anything):
        return {"a": n}
    if isinstance(shape, Text) and shape.form == "date":
        return f"2030-01-0{n}"
    return f"v{n}"


def resolved(info: FieldInfo, value: Any) -> Resolved:
    joined = inherit([manifest("enterprise", info.path, value)]).value
    assert joined is not None
    return joined


def name(info: FieldInfo) -> str:
    return ".".join(info.path)


def test_there_are_fields_of_every_order() -> None:
    assert {f.order for f in ORDERED} == {"stricter_up", "stricter_down", "extend", "intersect", "fixed"}
    assert len(ORDERED) >= 90
    assert len({f.path for f in ORDERED}) == len(ORDERED)


@pytest.mark.parametrize("info", [f for f in ORDERED if f.order != "extend"], ids=name)
def test_weakening_is_refused_with_both_lines(info: FieldInfo) -> None:
    weak, strong = pair(info)
    if info.order in ("stricter_down", "intersect"):
        weak, strong = strong, weak
    resolved = run(info, strong, weak)
    refused = [d for d in resolved.diagnostics if d.code in ("FLC301", "FLC302")]
    assert [d.code for d in refused] == ["FLC302" if info.order == "fixed" else "FLC301"], resolved.diagnostics
    (diagnostic,) = refused
    assert diagnostic.span is not None
    assert diagnostic.span.file == "domain.yaml"
    assert diagnostic.span.line > 6
    (label,) = diagnostic.related
    assert label.span.file == "enterprise.yaml"
    assert label.span.line > 6
    assert diagnostic.hint


@pytest.mark.parametrize("info", ORDERED, ids=name)
def test_strengthening_and_repeating_are_allowed(info: FieldInfo) -> None:
    weak, strong = pair(info)
    if info.order in ("stricter_down", "intersect"):
        weak, strong = strong, weak
    child = weak if info.order == "fixed" else strong
    for resolved in (run(info, weak, child), run(info, strong, strong)):
        assert [d for d in resolved.diagnostics if d.code in ("FLC301", "FLC302")] == []


@pytest.mark.parametrize("info", [f for f in ORDERED if f.order == "extend"], ids=name)
def test_what_a_list_has_stays(info: FieldInfo) -> None:
    weak, strong = pair(info)
    resolved = run(info, strong, weak).value
    assert resolved is not None
    at: Any = resolved.data
    for key in info.path:
        at = at[word(key)]
    assert len(at) == len(strong)


@pytest.mark.parametrize("info", [f for f in ORDERED if f.order != "extend"], ids=name)
def test_a_refused_value_does_not_come_into_force(info: FieldInfo) -> None:
    weak, strong = pair(info)
    if info.order in ("stricter_down", "intersect"):
        weak, strong = strong, weak
    refused, alone = run(info, strong, weak).value, inherit([manifest("enterprise", info.path, strong)]).value
    assert refused is not None
    assert alone is not None
    own = {"metadata", "parent"}
    assert {k: v for k, v in refused.data.items() if k not in own} == {
        k: v for k, v in alone.data.items() if k not in own
    }


ELSEWHERE = {"governance.data_contracts.standard", "policies", "pinned"}
"""One word only; settled into the IR's ``policies``; what inheritance itself obeys."""


def is_plain(info: FieldInfo) -> bool:
    """Whether ``pair`` knows two values: any value is carried as written, and amounts have a form of their own."""
    amount = info.path[-1].endswith(("_request", "_limit")) or info.path[-1] in ("storage", "size", "default_type")
    return not isinstance(info.shape, Anything) and not amount


@pytest.mark.parametrize("info", [f for f in FIELDS if is_plain(f) and name(f) not in ELSEWHERE], ids=name)
def test_what_a_manifest_says_reaches_the_ir(info: FieldInfo) -> None:
    one, other = (platform_ir(resolved(info, value)) for value in pair(info))
    assert one != other


@pytest.mark.parametrize("info", [f for f in FIELDS if is_plain(f) and name(f) not in ELSEWHERE], ids=name)
def test_ir_diff_says_what_a_manifest_changed_and_which_way(info: FieldInfo) -> None:
    one, other = (complete({"platform": platform_ir(resolved(info, value))}).value for value in pair(info))
    assert one is not None
    assert other is not None
    there, back = diff(one, other), diff(other, one)
    assert there
    assert len(there) == len(back)
    ways = [{"stricter": 1, "weaker": -1}.get(c.direction, 0) for c in there]
    assert [-way for way in ways] == [{"stricter": 1, "weaker": -1}.get(c.direction, 0) for c in back]
    wanted = {"stricter_up": 1, "extend": 1, "stricter_down": -1, "intersect": -1}.get(info.order, 0)
    if info.path[0] == "exemptions":
        wanted = -1  # what a child may add makes it weaker all the same
    assert set(ways) <= {wanted, 0}
    if wanted and name(info) not in ("registered_products", "artifacts.promotion.environments"):
        assert wanted in ways, [c.text for c in there]
