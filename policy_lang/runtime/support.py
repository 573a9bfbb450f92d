"""What generated code calls: lookups, iteration, building of documents, contexts of ``with``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy_lang.runtime import builtins
from policy_lang.runtime.values import UNDEFINED, RegoObject, RegoSet, compare, equal, freeze, thaw

ONCE = (None,)
MISSING = object()


class EvalError(Exception):
    """Stops an evaluation; ``code`` is OPA's (``eval_conflict_error`` and so on)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Context:
    """What one evaluation sees. ``replaced`` holds the values that ``with`` put below ``data``."""

    input: Any
    data: Any
    strict: bool = False
    replaced: dict[tuple[str, ...], Any] = field(default_factory=dict)
    mocks: dict[str, Any] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)

    def derive(self, changes: Sequence[tuple[str, Any, Any]]) -> Context:
        """A context with fresh caches in which the given targets have other values."""
        made = Context(self.input, self.data, self.strict, dict(self.replaced), dict(self.mocks))
        for kind, path, value in changes:
            if kind == "mock":
                made.mocks[path] = value
            elif kind == "input":
                made.input = put(made.input, path, value)
            else:
                made.data = put(made.data, path, value)
                made.replaced[path] = value
        return made

    def replacement(self, path: tuple[str, ...]) -> Any:
        """The value that ``with`` gives a document, or MISSING."""
        for count in range(len(path) + 1):
            if path[:count] in self.replaced:
                value = self.replaced[path[:count]]
                for key in path[count:]:
                    value = get(value, key)
                return value
        return MISSING


def put(document: Any, path: Sequence[str], value: Any) -> Any:
    """A copy of a document with ``value`` at ``path``."""
    if not path:
        return value
    base = dict(document) if type(document) is dict else {}
    base[path[0]] = put(base.get(path[0]), path[1:], value)
    return base


def get(value: Any, key: Any) -> Any:
    """``value[key]``, UNDEFINED where there is none."""
    kind = type(value)
    if kind is dict:
        return value.get(key, UNDEFINED) if type(key) is str else UNDEFINED
    if kind is list:
        if type(key) is bool or key is None or isinstance(key, str | list | dict):
            return UNDEFINED
        return value[int(key)] if key == int(key) and 0 <= key < len(value) else UNDEFINED
    if kind is RegoSet or kind is RegoObject:
        return value.get(freeze(key), UNDEFINED)
    return UNDEFINED


def items(value: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values of a collection; a set's elements are their own keys."""
    kind = type(value)
    if kind is list:
        return iter(enumerate(value))
    if kind is dict:
        return iter(value.items())
    if kind is RegoSet:
        return ((v, v) for v in value.values())
    if kind is RegoObject:
        return ((thaw(k), v) for k, v in value.items())
    return iter(())


def make_set(values: Sequence[Any]) -> Any:
    """A set of the values."""
    made: Any = RegoSet()
    for value in values:
        made[freeze(value)] = value
    return made


def make_object(pairs: Sequence[tuple[Any, Any]]) -> Any:
    """An object of the pairs; two values for a key are a conflict."""
    made: dict[Any, Any] = {}
    plain = True
    for key, value in pairs:
        frozen = freeze(key)
        if frozen in made and not equal(made[frozen], value):
            raise EvalError("eval_conflict_error", "object keys must be unique")
        made[frozen] = value
        plain = plain and type(key) is str
    if plain:
        return made
    other: Any = RegoObject()
    other.update(made)
    return other


def single(values: Sequence[Any], what: str) -> Any:
    """The one value of a complete rule or function, UNDEFINED where there is none."""
    if not values:
        return UNDEFINED
    first = values[0]
    for value in values[1:]:
        if not equal(first, value):
            raise EvalError("eval_conflict_error", what + " must not produce multiple outputs")
    return first


class _Tree(dict[Any, Any]):
    """A partial object while it is collected: frozen key -> (key, subtree or value)."""


class _Members(list[Any]):
    """A partial set while it is collected."""


def document(entries: Sequence[tuple[bool, tuple[Any, ...], Any]]) -> Any:
    """The document of partial rules from (is a member, keys, value)."""
    root = _Tree()
    for member, keys, value in entries:
        node = root
        for key in keys[:-1]:
            slot = node.setdefault(freeze(key), (key, _Tree()))
            if not isinstance(slot[1], _Tree):
                raise EvalError("eval_conflict_error", "object keys must be unique")
            node = slot[1]
        frozen = freeze(keys[-1])
        if member:
            slot = node.setdefault(frozen, (keys[-1], _Members()))
            slot[1].append(value)
        elif frozen in node and not equal(node[frozen][1], value):
            raise EvalError("eval_conflict_error", "object keys must be unique")
        else:
            node[frozen] = (keys[-1], value)
    return _finish(root)


def _finish(node: Any) -> Any:
    if isinstance(node, _Members):
        return make_set(node)
    if isinstance(node, _Tree):
        return make_object([(key, _finish(value)) for key, value in node.values()])
    return node


def merge(base: Any, virtual: dict[str, Any]) -> Any:
    """A base document with the rules' values over it."""
    made = dict(base) if type(base) is dict else {}
    for key, value in virtual.items():
        if value is not UNDEFINED:
            made[key] = value
    return made


def _member(value: Any, collection: Any) -> bool:
    if type(collection) is RegoSet:
        return freeze(value) in collection
    return any(equal(value, item) for _, item in items(collection))


def _member_key(key: Any, value: Any, collection: Any) -> bool:
    found = get(collection, key)
    return found is not UNDEFINED and equal(found, value)


OPERATORS: dict[str, Callable[..., Any]] = {
    "equal": equal,
    "neq": lambda a, b: not equal(a, b),
    "lt": lambda a, b: compare(a, b) < 0,
    "lte": lambda a, b: compare(a, b) <= 0,
    "gt": lambda a, b: compare(a, b) > 0,
    "gte": lambda a, b: compare(a, b) >= 0,
    "internal.member_2": _member,
    "internal.member_3": _member_key,
}
ERRORS: tuple[type[Exception], ...] = tuple(
    found_error
    for home in (builtins, *(getattr(builtins, part, None) for part in ("contract", "registry")))
    if (found_error := getattr(home, "BuiltinError", None)) is not None
)


def builtin(name: str) -> Any:
    """The function of a builtin, None where there is none of that name."""
    found = OPERATORS.get(name)
    if found is None:
        entry = getattr(builtins, "REGISTRY", {}).get(name)
        found = getattr(entry, "function", entry)
    return found


def arity(name: str) -> int | None:
    """How many arguments a builtin takes."""
    if name in OPERATORS:
        return 3 if name.endswith("_3") else 2
    declared = getattr(getattr(builtins, "REGISTRY", {}).get(name), "arity", None)
    known: int | None = declared if declared is not None else getattr(builtins, "ARITY", {}).get(name)
    return known


def base(context: Context, path: tuple[str, ...]) -> Any:
    """The base document's value at a path."""
    value = context.data
    for key in path:
        value = get(value, key)
    return value


def mocked(context: Context, name: str, args: Sequence[Any]) -> Any:
    """The answer of a function that ``with`` replaced."""
    mock = context.mocks[name]
    if not callable(mock):
        return mock
    rest = {k: v for k, v in context.mocks.items() if k != name}
    inner = Context(context.input, context.data, context.strict, context.replaced, rest)
    return mock(inner, *args)


def call(context: Context, name: str, args: Sequence[Any]) -> Any:
    """Calls a builtin; its errors are undefined, or stop where the context is strict."""
    if name in context.mocks:
        return mocked(context, name, args)
    found = builtin(name)
    try:
        return found(*args)
    except ERRORS as failure:
        if context.strict:
            raise EvalError(getattr(failure, "code", "eval_builtin_error"), str(failure)) from failure
        return UNDEFINED


def text(value: Any) -> str:
    """A template's hole."""
    if value is UNDEFINED:
        return "<undefined>"
    if type(value) is str:
        return value
    from policy_lang.runtime.builtins.strings import rego_text

    return rego_text(value)
