"""What generated code calls: lookups, iteration, building of documents, contexts of ``with``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any

from policy_lang.runtime import builtins
from policy_lang.runtime.builtins.registry import ARITY, BARE, TABLE, BuiltinError
from policy_lang.runtime.values import UNDEFINED, RegoObject, RegoSet, equal, freeze, sort_key, sorted_values, thaw

MISSING = object()


class EvalError(Exception):
    """Stops an evaluation; ``code`` is OPA's (``eval_conflict_error`` and so on)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Context:
    """What one evaluation sees. ``replaced`` holds the values that ``with`` put below ``data``; ``left`` are the
    steps that are left, shared with the contexts made of this one (None where nobody counts)."""

    __slots__ = ("cache", "data", "input", "left", "mocks", "replaced", "strict")

    def __init__(
        self,
        input: Any,
        data: Any,
        strict: bool = False,
        replaced: dict[tuple[str, ...], Any] | None = None,
        mocks: dict[str, Any] | None = None,
        left: list[int] | None = None,
    ) -> None:
        self.input, self.data, self.strict, self.left = input, data, strict, left
        self.replaced = {} if replaced is None else replaced
        self.mocks = {} if mocks is None else mocks
        self.cache: dict[Any, Any] = {}

    def step(self) -> None:
        """One more turn of a loop, or call of a function, in code that counts."""
        if self.left is not None:
            self.left[0] -= 1
            if self.left[0] < 0:
                raise EvalError("floe_limit_error", "the policy takes more steps than it may")

    def in_strictness(self) -> Context:
        """The same, where a builtin's error ends the evaluation; with a cache of its own."""
        return Context(self.input, self.data, True, self.replaced, self.mocks, self.left)

    def derive(self, changes: Sequence[tuple[str, Any, Any]]) -> Context:
        """A context with fresh caches in which the given targets have other values."""
        made = Context(self.input, self.data, self.strict, dict(self.replaced), dict(self.mocks), left=self.left)
        for kind, path, value in changes:
            if kind == "mock":
                made.mocks[path] = value
            elif kind == "input":
                made.input = put(made.input, path, value)
            else:
                made.data = put(made.data, path, value)
                made.replaced[path] = value
        return made

    def replacement(self, path: tuple[str, ...], whole: Callable[[Context], Any], number: int) -> Any:
        """The value of a document of which ``with`` may replace all or a part."""
        value = MISSING
        for place, given in self.replaced.items():
            if place == path[: len(place)]:
                value = given
                for key in path[len(place) :]:
                    value = get(value, key)
            elif path == place[: len(path)]:
                value = put(whole(self) if value is MISSING else value, place[len(path) :], given)
        if value is MISSING:
            value = whole(self)
        self.cache[number] = value
        return value

    def failed(self, failure: Exception) -> Any:
        """What a builtin's error is: undefined, or the end of the evaluation where the context is strict."""
        if self.strict:
            raise EvalError(getattr(failure, "code", "eval_builtin_error"), str(failure)) from failure
        return UNDEFINED


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
        if type(key) is not int and type(key) is not Decimal:
            return UNDEFINED
        return value[int(key)] if key == int(key) and 0 <= key < len(value) else UNDEFINED
    if (kind is RegoSet or kind is RegoObject) and key is not UNDEFINED:
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


def ordered(value: Any) -> Iterable[tuple[Any, Any]]:
    """Keys and values of a collection in Rego's order of the keys, for what shows the order."""
    kind = type(value)
    if kind is list:
        return enumerate(value)
    if kind is dict:
        return sorted(value.items(), key=itemgetter(0))
    if kind is RegoSet:
        return [(v, v) for v in sorted_values(value.values())]
    return sorted(items(value), key=lambda pair: sort_key(pair[0]))


def ordered_values(value: Any) -> Iterable[Any]:
    """The values of a collection in Rego's order of their keys."""
    if type(value) is list:
        return value
    return [item for _, item in ordered(value)]


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


def written_object(pairs: Sequence[tuple[Any, Any]]) -> Any:
    """The object of pairs that are written out in the program; of two with one key the last one counts."""
    return closed({freeze(key): value for key, value in pairs})


def put_key(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Adds to an object under construction (frozen keys); two values for a key are a conflict."""
    frozen = freeze(key)
    if frozen in made and not equal(made[frozen], value):
        raise EvalError("eval_conflict_error", "object keys must be unique")
    made[frozen] = value


def closed(made: dict[Any, Any]) -> Any:
    """The object of frozen keys."""
    return made if all(type(key) is str for key in made) else RegoObject(made)


def add(made: RegoSet, value: Any) -> None:
    """Adds to a set under construction."""
    made.setdefault(value if type(value) is str else freeze(value), value)


def add_at(made: dict[Any, Any], key: Any, value: Any) -> None:
    """Adds to the set at a key of an object under construction (frozen keys)."""
    frozen = key if type(key) is str else freeze(key)
    found = made.get(frozen)
    if found is None:
        found = made[frozen] = RegoSet()
    found.setdefault(value if type(value) is str else freeze(value), value)


def room(made: dict[Any, Any], key: str) -> RegoSet:
    """A set of its own at a key of an object under construction."""
    found = made[key] = RegoSet()
    return found


def same(first: Any, value: Any, what: str) -> Any:
    """The one value of a complete rule or function that has given ``first`` (or nothing) and ``value``."""
    if first is not UNDEFINED and not equal(first, value):
        raise EvalError("eval_conflict_error", what + " must not produce multiple outputs")
    return value


def true(value: Any) -> bool:
    """Whether a statement of this value holds."""
    return value is not UNDEFINED and value is not False


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


def values(value: Any) -> Iterable[Any]:
    """The values of a collection; none where it is none."""
    kind = type(value)
    if kind is list:
        return value  # type: ignore[no-any-return]
    return value.values() if kind is dict or kind is RegoSet or kind is RegoObject else ()


def member(value: Any, collection: Any) -> bool:
    """``value in collection``."""
    kind = type(collection)
    if kind is RegoSet:
        return freeze(value) in collection
    found = collection if kind is list else values(collection)
    return value in found if type(value) is str else any(equal(value, item) for item in found)


def builtin(name: str) -> Any:
    """The function of a builtin, None where there is none of that name."""
    return builtins.REGISTRY.get(name)


def arity(name: str) -> int | None:
    """How many arguments a builtin takes."""
    return builtins.ARITY.get(name)


def base(context: Context, path: Sequence[Any]) -> Any:
    """The base document's value at a path."""
    value = context.data
    for key in path:
        # Paths of documents are texts: `data.xs[2]` of an object is what it has at "2".
        value = get(value, str(key) if type(key) is int and type(value) is dict else key)
    return value


def descend(context: Context, keys: tuple[Any, ...], shape: dict[str, Any]) -> Any:
    """What is at ``keys`` below ``data``: documents (functions in ``shape``, which is nested as they are), base
    documents, or both merged. Evaluates no rule beside the way."""
    node: Any = shape
    for index, key in enumerate(keys):
        if type(node) is not dict:
            value = node(context)
            for rest in keys[index:]:
                value = get(value, rest)
            return value
        if type(key) is not str or key not in node:
            return base(context, keys)
        node = node[key]
    return _extent(context, keys, node) if type(node) is dict else node(context)


def _extent(context: Context, path: tuple[Any, ...], node: dict[str, Any]) -> Any:
    """Base documents and rules below a path; where both have a value, the base document's."""
    trees = {name: child for name, child in node.items() if type(child) is dict}
    values = {name: child(context) for name, child in node.items() if name not in trees}
    made = merge(base(context, path), values)
    for name, child in trees.items():
        made[name] = _extent(context, (*path, name), child)
    return made


def merge(base: Any, virtual: dict[str, Any]) -> dict[str, Any]:
    """A base document and the values of rules beside it."""
    made = dict(base) if type(base) is dict else {}
    for name, value in virtual.items():
        if value is UNDEFINED:
            continue
        if name not in made:
            made[name] = value
        elif type(value) is dict and type(made[name]) is dict and made[name] is not value:
            made[name] = {**value, **made[name]}
    return made


def mocked(context: Context, name: str, args: Sequence[Any]) -> Any:
    """The answer of a function that ``with`` replaced."""
    mock = context.mocks[name]
    if not callable(mock):
        return mock
    rest = {k: v for k, v in context.mocks.items() if k != name}
    inner = Context(context.input, context.data, context.strict, context.replaced, rest, left=context.left)
    return mock(inner, *args)


def call(context: Context, name: str, args: Sequence[Any]) -> Any:
    """Calls a builtin that ``with`` may have replaced."""
    if name in context.mocks:
        return mocked(context, name, args)
    if name not in builtins.REGISTRY:
        raise EvalError("eval_internal_error", f"unsupported built-in: {name}")
    return wrapped(name)(context, *args)


def mock_builtin(name: str) -> Callable[..., Any]:
    """A builtin as what replaces a function."""
    return lambda context, *args: call(context, name, args)


_NO_TYPES: frozenset[type] = frozenset()


@functools.lru_cache(maxsize=512)
def wrapped(name: str) -> Callable[..., Any]:
    """A builtin that takes the context first and whose errors are undefined, or stop where that is strict."""
    function = TABLE.get(name) or builtins.REGISTRY[name]
    # Operands of right types go to the function itself: a call less for each of hundreds of thousands.
    bare, kinds = BARE.get(name, (function, ()))
    first, second = (*kinds, _NO_TYPES, _NO_TYPES)[:2]

    def one(context: Context, value: Any) -> Any:
        try:
            return bare(value) if type(value) in first else function(value)
        except BuiltinError as failure:
            return context.failed(failure)

    def two(context: Context, left: Any, right: Any) -> Any:
        try:
            return bare(left, right) if type(left) in first and type(right) in second else function(left, right)
        except BuiltinError as failure:
            return context.failed(failure)

    def many(context: Context, *args: Any) -> Any:
        try:
            return function(*args)
        except BuiltinError as failure:
            return context.failed(failure)

    def pairs(context: Context, value: Any) -> Any:
        return list(function(value))

    if name == "walk":
        return pairs
    arities: dict[int, Callable[..., Any]] = {1: one, 2: two}
    return arities.get(ARITY[name], many)


def arithmetic(context: Context, name: str, left: Any, right: Any) -> Any:
    """plus, minus or mul of any operands."""
    return wrapped(name)(context, left, right)


def text(value: Any) -> str:
    """A template's hole."""
    if value is UNDEFINED:
        return "<undefined>"
    if type(value) is str:
        return value
    from policy_lang.runtime.builtins.strings import rego_text

    return rego_text(value)


# --------------------------------------------------------------------- what the optimiser prepares


def members(collection: Any) -> frozenset[Any]:
    """The frozen forms of a collection's values; none where it is none."""
    return frozenset(map(freeze, values(collection)))


def is_member(value: Any, prepared: frozenset[Any]) -> bool:
    """``in`` on prepared members."""
    return freeze(value) in prepared


def build_index(collection: Any, path: Sequence[Any]) -> dict[Any, list[tuple[Any, Any]]]:
    """Keys and values of a collection's members by the frozen value at ``path`` below each."""
    made: dict[Any, list[tuple[Any, Any]]] = {}
    for key, value in ordered(collection):
        found = value
        for part in path:
            found = get(found, part)
        if found is not UNDEFINED:
            made.setdefault(freeze(found), []).append((key, value))
    return made


def look_up(index: dict[Any, list[tuple[Any, Any]]], key: Any) -> Sequence[tuple[Any, Any]]:
    """The members that an index has under a value."""
    return index.get(key if type(key) is str else freeze(key), ())
