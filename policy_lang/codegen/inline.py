"""Builtins as Python operators, where types make sure that the meaning is the same.

Code made here reads a name twice at most where it is a plain name; it is total unless it says otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from policy_lang import types
from policy_lang.plan.nodes import (
    Atom,
    Const,
    Local,
)
from policy_lang.runtime.values import equal
from policy_lang.types import ArrayType, ObjectType, SetType, Type

Made = tuple[str, bool]
Show = Callable[[Atom], str]
Args = tuple[Atom, ...]

_COMPARISONS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_KINDS = {
    "is_string": "type({}) is str",
    "is_boolean": "type({}) is bool",
    "is_null": "{} is None",
    "is_array": "type({}) is list",
    "is_number": "type({}) in NUMBERS",
    "is_object": "type({}) in OBJECTS",
    "is_set": "type({}) is RegoSet",
}
_METHODS = {"startswith": "{0}.startswith({1})", "endswith": "{0}.endswith({1})", "contains": "({1} in {0})"}

BOOLEAN = frozenset(
    ("equal", "neq", "internal.member_2", "internal.member_3", "regex.match", "glob.match", *_COMPARISONS, *_KINDS)
) | frozenset(_METHODS)
"""Builtins that answer true or false or nothing."""


_EXACT = 2**63
"""Below this a quotient without rest is exact; above it is a float's, as all others are."""
NAMED = frozenset(("plus", "minus", "mul", "div", "min", "max", "lower"))
"""Builtins of which the code reads an operand more than once, so that it has to be a name."""


def inlined(name: str, args: Args, known: Sequence[Type], show: Show) -> Made | None:
    """Code for a builtin with these operands and types; None where it has to be called."""
    if name in ("equal", "neq"):
        return _equality(name == "equal", args, known, show), False
    if name in _COMPARISONS:
        return _comparison(_COMPARISONS[name], args, known, show), False
    if name in _KINDS:
        return "(" + _KINDS[name].format(show(args[0])) + ")", False
    if name == "internal.member_2":
        return _membership(args, known, show), False
    if name in _METHODS and all(t == types.STRING for t in known):
        return _METHODS[name].format(show(args[0]), show(args[1])), False
    maker = _MAKERS.get(name)
    return maker(args, known, show) if maker else None


def is_member(value: str, members: str, of: Type) -> str:
    """``in`` on what ``support.members`` made of a collection: an object that answers for any value."""
    if types.is_plain(of):
        return f"({value} in {members})"
    if value.isidentifier():
        return f"({value} in {members} if type({value}) is str else is_member({value}, {members}))"
    return f"is_member({value}, {members})"


def _equality(same: bool, args: Args, known: Sequence[Type], show: Show) -> str:
    if isinstance(args[0], Const) and isinstance(args[1], Const):
        return str(equal(args[0].value, args[1].value) == same)
    operator, identity = ("==", "is") if same else ("!=", "is not")
    for one, other, of in ((args[0], args[1], known[1]), (args[1], args[0], known[0])):
        if not isinstance(one, Const):
            continue
        if one.value is None or type(one.value) is bool:
            return f"({show(other)} {identity} {one.value})"
        if type(one.value) is str or of == types.NUMBER:
            return f"({show(other)} {operator} {show(one)})"
    if any(map(types.is_text, known)) or (known[0] == known[1] and known[0] in (types.NUMBER, types.BOOLEAN)):
        return f"({show(args[0])} {operator} {show(args[1])})"
    left, right = show(args[0]), show(args[1])
    prefix = "" if same else "not "
    if isinstance(args[0], Local) and left == args[0].name:
        return f"({left} {operator} {right} if type({left}) is str else {prefix}equal({left}, {right}))"
    return f"({prefix}equal({left}, {right}))"


def _comparison(operator: str, args: Args, known: Sequence[Type], show: Show) -> str:
    left, right = show(args[0]), show(args[1])
    if known[0] == known[1] and known[0] in (types.NUMBER, types.STRING):
        return f"({left} {operator} {right})"
    plain = [isinstance(a, Local) and code == a.name for a, code in zip(args, (left, right), strict=True)]
    slow = f"compare({left}, {right}) {operator} 0"
    if all(plain):
        return f"({left} {operator} {right} if type({left}) is int is type({right}) else {slow})"
    if plain[0] and isinstance(args[1], Const) and type(args[1].value) is int:
        return f"({left} {operator} {right} if type({left}) is int else {slow})"
    if plain[1] and isinstance(args[0], Const) and type(args[0].value) is int:
        return f"({left} {operator} {right} if type({right}) is int else {slow})"
    for mine, other, code in ((0, 1, right), (1, 0, left)):
        if known[mine] == types.NUMBER and plain[other]:
            return f"({left} {operator} {right} if type({code}) is int else {slow})"
    return f"({slow})"


def _membership(args: Args, known: Sequence[Type], show: Show) -> str:
    value, collection = show(args[0]), show(args[1])
    if types.is_text(known[0]):
        if isinstance(known[1], ArrayType | SetType):
            return f"({value} in {collection})"
        if isinstance(known[1], ObjectType):
            return f"({value} in {collection}.values())"
    return f"member({value}, {collection})"


def _count(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    if isinstance(known[0], ArrayType | SetType | ObjectType) or known[0] == types.STRING:
        return f"len({show(args[0])})", False
    return None


def _arithmetic(operator: str) -> Callable[[Args, Sequence[Type], Show], Made | None]:
    def make(args: Args, known: Sequence[Type], show: Show) -> Made | None:
        if any(isinstance(a, Const) and type(a.value) is not int for a in args):
            return None
        name = {"+": "plus", "-": "minus", "*": "mul"}[operator]
        left, right = show(args[0]), show(args[1])
        tests = [f"type({c}) is int" for a, c in zip(args, (left, right), strict=True) if isinstance(a, Local)]
        if any(isinstance(a, Local) and c != a.name for a, c in zip(args, (left, right), strict=True)) or not tests:
            return f"arithmetic(C, {name!r}, {left}, {right})", True
        fast = f"{left} {operator} {right}"
        return f"({fast} if {' and '.join(tests)} else arithmetic(C, {name!r}, {left}, {right}))", True

    return make


def _split(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    if known[0] == types.STRING and isinstance(args[1], Const) and args[1].value and type(args[1].value) is str:
        return f"{show(args[0])}.split({show(args[1])})", False
    return None


def _trim_space(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    return (f"{show(args[0])}.strip(SPACES)", False) if known[0] == types.STRING else None


def _lower(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    if known[0] != types.STRING:
        return None
    code = show(args[0])
    return (
        f"({code}.lower() if {code}.isascii() else lower({code}))" if code.isidentifier() else f"lower({code})"
    ), False


def _divide(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    left, right = show(args[0]), show(args[1])
    if not (left.isidentifier() and (right.isidentifier() or (isinstance(args[1], Const) and args[1].value))):
        return f"wrapped('div')(C, {left}, {right})", True
    test = f"type({left}) is int is type({right}) and {right} and not {left} % {right}"
    test += f" and -{_EXACT:#x} <= {left} < {_EXACT:#x}"
    return f"({left} // {right} if {test} else wrapped('div')(C, {left}, {right}))", True


def _extreme(name: str) -> Callable[[Args, Sequence[Type], Show], Made | None]:
    def make(args: Args, known: Sequence[Type], show: Show) -> Made | None:
        of = known[0]
        if not isinstance(of, ArrayType | SetType) or types.values(of) not in (types.NUMBER, types.STRING):
            return None
        code = show(args[0])
        members = f"{code}.values()" if isinstance(of, SetType) else code
        return (f"({name}({members}) if {code} else U)", True) if code.isidentifier() else None

    return make


def _concat(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    strings = isinstance(known[1], ArrayType) and types.values(known[1]) == types.STRING
    return (f"{show(args[0])}.join({show(args[1])})", False) if strings and known[0] == types.STRING else None


def _object_get(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    if known[1] != types.STRING:
        return None
    if isinstance(known[0], ObjectType):
        return f"{show(args[0])}.get({show(args[1])}, {show(args[2])})", False
    return None


def _array_concat(args: Args, known: Sequence[Type], show: Show) -> Made | None:
    if all(isinstance(t, ArrayType) for t in known):
        return f"({show(args[0])} + {show(args[1])})", False
    return None


_MAKERS: dict[str, Callable[[Args, Sequence[Type], Show], Made | None]] = {
    "count": _count,
    "plus": _arithmetic("+"),
    "minus": _arithmetic("-"),
    "mul": _arithmetic("*"),
    "split": _split,
    "lower": _lower,
    "trim_space": _trim_space,
    "div": _divide,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "concat": _concat,
    "object.get": _object_get,
    "array.concat": _array_concat,
}


# --------------------------------------------------------------------- operands of unknown types

_FAST = {
    "count": ("len({0})", "type({0}) in SIZED"),
    "lower": ("{0}.lower()", "type({0}) is str and {0}.isascii()"),
    "trim_space": ("{0}.strip(SPACES)", "type({0}) is str"),
    "split": ("{0}.split({1})", "type({0}) is str"),
    "startswith": ("{0}.startswith({1})", "type({0}) is str is type({1})"),
    "endswith": ("{0}.endswith({1})", "type({0}) is str is type({1})"),
    "contains": ("{1} in {0}", "type({0}) is str is type({1})"),
    "object.get": ("{0}.get({1}, {2})", "type({0}) is dict"),
}


def fast(name: str, args: Args, codes: Sequence[str], known: Sequence[Type], slow: str) -> str:
    """The builtin's call behind a test of its operands, which is done in place where they are as usual."""
    found = _FAST.get(name)
    if found is None or not all(
        isinstance(a, Const) or code.isidentifier() for a, code in zip(args, codes, strict=True)
    ):
        return slow
    if name in ("split", "object.get") and not (
        isinstance(args[1], Const) and type(args[1].value) is str and args[1].value
    ):
        return slow
    quick, test = found
    if " is type({1})" in test and isinstance(args[1], Const):
        if type(args[1].value) is not str:
            return slow
        test = "type({0}) is str"
    return f"({quick.format(*codes)} if {test.format(*codes)} else {slow})"


@functools.lru_cache(maxsize=256)
def is_pattern(text: str) -> bool:
    """Whether a text is a regular expression that RE2 takes."""
    from policy_lang.runtime.builtins.strings import regex_is_valid

    return regex_is_valid(text)
