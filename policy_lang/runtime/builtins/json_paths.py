"""Parts of documents by path: json.filter, json.remove and json.patch (RFC 6902, with sets)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.values import RegoSet, Value, equal, freeze, make_object, object_items, thaw

Path = list[Value]
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


def _path(name: str, position: int, path: Value) -> Path:
    """The keys of a path: an array of them, or a JSON pointer (RFC 6901), its first slash optional."""
    if type(path) is list:
        return path
    if type(path) is not str:
        raise BuiltinError("eval_type_error", f"{name}: operand {position} must have paths of strings or arrays")
    parts = path.lstrip("/").split("/") if path else []
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _tree(name: str, paths: Any) -> dict[Any, Any]:
    """Nested tables of frozen keys; None where a path ends. A shorter path takes the longer ones in."""
    root: dict[Any, Any] = {}
    for given in paths if type(paths) is list else paths.values():
        path = _path(name, 2, given)
        if not path:
            continue
        node: dict[Any, Any] | None = root
        for key in path[:-1]:
            if node is None:
                break
            node = node.setdefault(freeze(key), {})
        if node is not None:
            node[freeze(path[-1])] = None
    return root


def _children(value: Value) -> list[tuple[Any, Value, Value]]:
    """Each child as its frozen key in a tree of paths, its key, itself."""
    if type(value) is list:
        return [(str(index), index, item) for index, item in enumerate(value)]
    if type(value) is RegoSet:
        return [(key, item, item) for key, item in value.items()]
    return [(freeze(key), key, item) for key, item in object_items(value)]


def _like(value: Value, pairs: list[tuple[Value, Value]]) -> Value:
    """A collection of the same kind with other children."""
    if type(value) is list:
        return [item for _, item in pairs]
    return RegoSet.of(item for _, item in pairs) if type(value) is RegoSet else make_object(pairs)


def _is_leaf(value: Value) -> bool:
    return not isinstance(value, (list, dict))


def _kept(value: Value, tree: dict[Any, Any] | None) -> Value:
    if tree is None or _is_leaf(value):
        return value
    return _like(value, [(key, _kept(item, tree[name])) for name, key, item in _children(value) if name in tree])


def _without(value: Value, tree: dict[Any, Any]) -> Value:
    if _is_leaf(value):
        return value
    pairs = []
    for name, key, item in _children(value):
        below = tree.get(name, {})
        if below is not None:
            pairs.append((key, _without(item, below) if below else item))
    return _like(value, pairs)


@builtin("json.filter", "object", "array|set")
def json_filter(document: Value, paths: Any) -> Value:
    """The document with nothing but what the paths lead to."""
    return _kept(document, _tree("json.filter", paths))


@builtin("json.remove", "object", "array|set")
def json_remove(document: Value, paths: Any) -> Value:
    """The document without what the paths lead to."""
    return _without(document, _tree("json.remove", paths))


# --------------------------------------------------------------------- json.patch


def _missing(key: Value) -> BuiltinError:
    return failure("json.patch", f"no such path: {key!r}")


def _index(array: list[Value], key: Value, end: int) -> int:
    """The position a key names; ``end`` is the first one that is too far."""
    if type(key) is str and _INDEX.fullmatch(key):
        key = int(key)
    if type(key) is not int or not 0 <= key < end:
        raise _missing(key)
    return key


def _child(value: Value, key: Value) -> Value:
    if type(value) is list:
        return value[_index(value, key, len(value))]
    frozen = freeze(key)
    if not isinstance(value, dict) or frozen not in value:
        raise _missing(key)
    return value[frozen]


def _look(value: Value, path: Path) -> Value:
    for key in path:
        value = _child(value, key)
    return value


def _edited(value: Value, path: Path, change: Callable[[Value, Value], Value]) -> Value:
    """The document after ``change(parent, key)`` at the end of a path; what is not on the path is shared."""
    if len(path) == 1:
        return change(value, path[0])
    below = _edited(_child(value, path[0]), path[1:], change)
    if type(value) is RegoSet:
        return RegoSet.of([*_removed(value, path[0]).values(), below])
    if type(value) is list:
        at = _index(value, path[0], len(value))
        return [*value[:at], below, *value[at + 1 :]]
    return type(value)({**value, freeze(path[0]): below})


def _removed(parent: Value, key: Value) -> Value:
    _child(parent, key)
    if type(parent) is list:
        at = _index(parent, key, len(parent))
        return [*parent[:at], *parent[at + 1 :]]
    gone = freeze(key)
    if type(parent) is RegoSet:
        return RegoSet((name, item) for name, item in parent.items() if name != gone)
    return make_object((thaw(name), item) for name, item in parent.items() if name != gone)


def _added(parent: Value, key: Value, value: Value) -> Value:
    if type(parent) is list:
        at = len(parent) if key == "-" else _index(parent, key, len(parent) + 1)
        return [*parent[:at], value, *parent[at:]]
    if type(parent) is RegoSet:
        if not equal(key, value):
            raise failure("json.patch", "the last key of a path into a set must be the value")
        return RegoSet.of([*parent.values(), value])
    if not isinstance(parent, dict):
        raise _missing(key)
    return make_object([*object_items(parent), (key, value)])


def _add(document: Value, path: Path, value: Value) -> Value:
    return _edited(document, path, lambda parent, key: _added(parent, key, value)) if path else value


def _remove(document: Value, path: Path) -> Value:
    if not path:
        raise failure("json.patch", "the whole document cannot be removed")
    return _edited(document, path, _removed)


def _patched(document: Value, patch: Value) -> Value:
    if not isinstance(patch, dict) or type(patch) is RegoSet:
        raise failure("json.patch", "must be an array of JSON-Patch objects, but at least one element is not an object")
    operation = _field(patch, "op")
    path = _path("json.patch", 2, _field(patch, "path"))
    if operation == "add":
        return _add(document, path, _field(patch, "value"))
    if operation == "remove":
        return _remove(document, path)
    if operation == "replace":
        value = _field(patch, "value")
        return _add(_remove(document, path), path, value) if path else value
    if operation == "test":
        if not equal(_look(document, path), _field(patch, "value")):
            raise failure("json.patch", "value from document does not equal the patch's")
        return document
    if operation not in ("move", "copy"):
        raise failure("json.patch", f"unrecognized op {operation!r}")
    source = _path("json.patch", 2, _field(patch, "from"))
    value = _look(document, source)
    return _add(_remove(document, source) if operation == "move" and source else document, path, value)


def _field(patch: dict[Any, Value], name: str) -> Value:
    if name not in patch:
        raise failure("json.patch", f"missing '{name}' attribute")
    return patch[name]


@builtin("json.patch", "any", "array")
def json_patch(document: Value, patches: list[Value]) -> Value:
    """The document after all operations, in order; the first one that fails fails the whole."""
    for patch in patches:
        document = _patched(document, patch)
    return document
