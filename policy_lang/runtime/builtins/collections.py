"""Aggregates, arrays, sets, objects, ranges, ``walk`` and graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from policy_lang.runtime import numbers
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, integer
from policy_lang.runtime.numbers import Number
from policy_lang.runtime.values import (
    UNDEFINED,
    RegoObject,
    RegoSet,
    Value,
    equal,
    freeze,
    object_items,
    sort_key,
    sorted_values,
    thaw,
    type_name,
)


def items_of(collection: Value) -> list[Value]:
    """The elements of an array (in its order) or of a set (in Rego's order)."""
    return sorted_values(collection.values()) if type(collection) is RegoSet else collection


builtin("count", "array|object|set|string")(len)
builtin("sort", "set|array")(lambda xs: sorted_values(items_of(xs)))
builtin("min", "set|array")(lambda xs: min(items_of(xs), key=sort_key) if xs else UNDEFINED)
builtin("max", "set|array")(lambda xs: max(items_of(xs), key=sort_key) if xs else UNDEFINED)
builtin("array.concat", "array", "array")(lambda a, b: a + b)
builtin("array.reverse", "array")(lambda a: a[::-1])
builtin("object.keys", "object")(lambda o: RegoSet.of(key for key, _ in object_items(o)))


def _numbers(name: str, collection: Value) -> list[Number]:
    found = items_of(collection)
    for item in found:
        if type_name(item) != "number":
            kind = type_name(collection)
            text = f"{name}: operand 1 must be {kind} of numbers but got {kind} containing {type_name(item)}"
            raise BuiltinError("eval_type_error", text)
    return found


@builtin("sum", "set|array")
def _sum(collection: Value) -> Number:
    return numbers.total(_numbers("sum", collection))


@builtin("product", "set|array")
def _product(collection: Value) -> Number:
    return numbers.product(_numbers("product", collection))


@builtin("array.slice", "array", "number", "number")
def _slice(array: list[Value], start: Number, stop: Number) -> list[Value]:
    first, last = integer("array.slice", 2, start), integer("array.slice", 3, stop)
    return array[max(first, 0) : max(last, 0)]


@builtin("array.flatten", "array")
def _flatten(array: list[Value]) -> list[Value]:
    found: list[Value] = []
    for item in array:
        found.extend(item if type(item) is list else [item])
    return found


def _sets(name: str, sets: RegoSet) -> list[RegoSet]:
    for item in sets.values():
        if type(item) is not RegoSet:
            text = f"{name}: operand 1 must be set of sets but got set containing {type_name(item)}"
            raise BuiltinError("eval_type_error", text)
    return list(sets.values())


@builtin("union", "set")
def _union(sets: RegoSet) -> RegoSet:
    return RegoSet(pair for item in _sets("union", sets) for pair in item.items())


@builtin("intersection", "set")
def _intersection(sets: RegoSet) -> RegoSet:
    members = _sets("intersection", sets)
    if not members:
        return RegoSet()
    return RegoSet((key, item) for key, item in members[0].items() if all(key in other for other in members))


def _like(pairs: Iterable[tuple[Any, Value]]) -> dict[Any, Value]:
    """An object of frozen keys."""
    made = dict(pairs)
    return made if all(type(key) is str for key in made) else RegoObject(made)


def _key_set(keys: Value) -> set[Any]:
    if isinstance(keys, dict):
        return set(keys)
    return {freeze(key) for key in keys}


@builtin("object.get", "object", "any", "any")
def _get(value: Value, key: Value, default: Value) -> Value:
    if type(key) is not list:
        return value.get(freeze(key), default)
    for step in key:
        found = look_up(value, step)
        if found is UNDEFINED:
            return default
        value = found
    return value


def look_up(value: Value, key: Value) -> Value:
    """The member of a collection at ``key``; UNDEFINED where it has none."""
    if isinstance(value, dict):
        return value.get(freeze(key), UNDEFINED)
    if type(value) is list and type_name(key) == "number":
        index = numbers.to_integer(key)
        if index is not None and 0 <= index < len(value):
            return value[index]
    return UNDEFINED


@builtin("object.filter", "object", "object|set|array")
def _filter(value: dict[Any, Value], keys: Value) -> dict[Any, Value]:
    kept = _key_set(keys)
    return _like((key, item) for key, item in value.items() if key in kept)


@builtin("object.remove", "object", "object|set|array")
def _remove(value: dict[Any, Value], keys: Value) -> dict[Any, Value]:
    dropped = _key_set(keys)
    return _like((key, item) for key, item in value.items() if key not in dropped)


@builtin("object.union", "object", "object")
def merge(left: dict[Any, Value], right: dict[Any, Value]) -> dict[Any, Value]:
    """Both objects' members, objects under one key merged in turn; the right one wins."""
    made = dict(left)
    for key, item in right.items():
        old = made.get(key)
        both = old is not None and type_name(old) == "object" and type_name(item) == "object"
        made[key] = merge(old or {}, item) if both else item
    return _like(made.items())


@builtin("object.union_n", "array")
def _union_n(objects: list[Value]) -> dict[Any, Value]:
    found: list[dict[Any, Value]] = []
    for item in objects:
        if type_name(item) != "object":
            text = f"object.union_n: operand 1 must be array of objects but got array containing {type_name(item)}"
            raise BuiltinError("eval_type_error", text)
        found.append(item)
    made: dict[Any, Value] = {}
    own: dict[int, dict[Any, Value]] = {}
    for item in found:
        _merge_into(made, item, own)
    return _settled(made, own)


def _merge_into(made: dict[Any, Value], item: dict[Any, Value], own: dict[int, dict[Any, Value]]) -> None:
    """``merge`` in place; ``own`` are the objects below that were made for it, by identity."""
    for key, new in item.items():
        old = made.get(key)
        if old is None or type_name(old) != "object" or type_name(new) != "object":
            made[key] = new
            continue
        if id(old) not in own:
            old = made[key] = dict(old)
            own[id(old)] = old
        _merge_into(old, new, own)


def _settled(made: dict[Any, Value], own: dict[int, dict[Any, Value]]) -> dict[Any, Value]:
    return _like((key, _settled(item, own) if id(item) in own else item) for key, item in made.items())


@builtin("object.subset", "array|object|set", "array|object|set")
def _subset(whole: Value, part: Value) -> bool:
    kinds = type_name(whole), type_name(part)
    if kinds == ("array", "set"):
        return set(part) <= {freeze(item) for item in whole}
    if kinds[0] != kinds[1]:
        text = "object.subset: both arguments object.subset must be of the same type or array and set"
        raise BuiltinError("eval_type_error", text)
    return _contained(whole, part)


def _contained(whole: Value, part: Value) -> bool:
    kind = type_name(part)
    if kind != type_name(whole) or kind not in ("object", "set", "array"):
        return equal(whole, part)
    if kind == "set":
        return part.keys() <= whole.keys()  # type: ignore[no-any-return]
    if kind == "object":
        return all(key in whole and _contained(whole[key], item) for key, item in part.items())
    starts = range(len(whole) - len(part) + 1)
    return any(equal(whole[start : start + len(part)], part) for start in starts)


@builtin("walk", "any")
def walk(value: Value) -> Iterator[list[Value]]:
    """Each ``[path, value]`` below a value, itself first."""
    pending: list[tuple[list[Value], Value]] = [([], value)]
    while pending:
        path, item = pending.pop()
        yield [path, item]
        children: list[tuple[Value, Value]] = []
        if type(item) is list:
            children = list(enumerate(item))
        elif isinstance(item, dict):
            children = sorted(((thaw(key), child) for key, child in item.items()), key=lambda pair: sort_key(pair[0]))
        pending.extend(([*path, key], child) for key, child in reversed(children))


@builtin("graph.reachable", "object", "array|set")
def _reachable(graph: dict[Any, Value], initial: Value) -> RegoSet:
    pending, found = list(items_of(initial)), RegoSet()
    while pending:
        node = pending.pop()
        frozen = freeze(node)
        if frozen in found or frozen not in graph:
            continue
        found[frozen] = node
        edges = graph[frozen]
        if type_name(edges) in ("array", "set"):
            pending.extend(items_of(edges))
    return found


@builtin("graph.reachable_paths", "object", "array|set")
def _reachable_paths(graph: dict[Any, Value], initial: Value) -> RegoSet:
    """Each way from a node of ``initial`` as far as it goes; it ends at a node without edges, before one that
    is not in the graph, and before one that it has passed."""
    found: list[list[Value]] = []
    pending: list[tuple[list[Value], frozenset[Any], Value]] = []
    for root in items_of(initial):
        if freeze(root) in graph:
            edges = _edges(graph, root)
            pending += [([root], frozenset([freeze(root)]), node) for node in edges]
            if not edges:
                found.append([root])
    while pending:
        path, passed, node = pending.pop()
        frozen = freeze(node)
        if frozen not in graph:
            found.append(path)
            continue
        further = [*path, node]
        edges = _edges(graph, node)
        if not edges:
            found.append(further)
        for edge in edges:
            if freeze(edge) in passed:
                found.append(further)
            else:
                pending.append((further, passed | {frozen}, edge))
    return RegoSet.of(found)


def _edges(graph: dict[Any, Value], node: Value) -> list[Value]:
    edges = graph[freeze(node)]
    return items_of(edges) if type_name(edges) in ("array", "set") else []
