"""Random Rego programs with inputs: mostly meaningful ones, with mistakes of all kinds mixed in.

The generator knows roughly of which type each expression is, so that most bodies have solutions; now and
then it takes any other type, a name that is missing, or a variable that is not bound.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TYPES = ("number", "string", "boolean", "array", "set", "object")
STRINGS = ("", "a", "b", "ab", "Ab c", "1", "x-y", "é", "a.b", "10")
NUMBERS = ("0", "1", "2", "3", "10", "-1", "0.5", "1.0", "1.50", "2.5", "1e3", "12345678901234567890", "-2.5")
DATA = {
    "table": {"a": 1, "b": 2, "ab": [1, 2]},
    "rows": [{"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "a", "v": 3}],
    "words": ["a", "b", "ab", "a"],
}
FIELDS: dict[str, str] = {
    "n": "number",
    "m": "number",
    "s": "string",
    "t": "string",
    "flag": "boolean",
    "ns": "array",
    "ss": "array",
    "mixed": "array",
    "o": "object",
    "rows": "array",
    "deep": "object",
    "none": "any",
    "missing": "any",
}
_CALLS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "number": (
        ("count", ("array",)),
        ("count", ("set",)),
        ("count", ("string",)),
        ("sum", ("numbers",)),
        ("max", ("numbers",)),
        ("min", ("array",)),
        ("abs", ("number",)),
        ("round", ("number",)),
        ("ceil", ("number",)),
        ("floor", ("number",)),
        ("to_number", ("string",)),
        ("indexof", ("string", "string")),
        ("product", ("numbers",)),
        ("bits.and", ("number", "number")),
        ("strings.count", ("string", "string")),
        ("count", ("object",)),
    ),
    "string": (
        ("concat", ("string", "strings")),
        ("lower", ("string",)),
        ("upper", ("string",)),
        ("sprintf", ("form", "args")),
        ("substring", ("string", "small", "small")),
        ("trim", ("string", "string")),
        ("type_name", ("any",)),
        ("replace", ("string", "string", "string")),
        ("json.marshal", ("any",)),
        ("format_int", ("number", "base")),
        ("base64.encode", ("string",)),
        ("strings.reverse", ("string",)),
        ("trim_space", ("string",)),
        ("trim_prefix", ("string", "string")),
        ("trim_suffix", ("string", "string")),
        ("trim_left", ("string", "string")),
        ("hex.encode", ("string",)),
        ("crypto.md5", ("string",)),
        ("urlquery.encode", ("string",)),
        ("regex.replace", ("string", "pattern", "string")),
        ("yaml.marshal", ("scalar",)),
    ),
    "boolean": (
        ("contains", ("string", "string")),
        ("startswith", ("string", "string")),
        ("endswith", ("string", "string")),
        ("is_string", ("any",)),
        ("is_number", ("any",)),
        ("is_array", ("any",)),
        ("is_null", ("any",)),
        ("is_set", ("any",)),
        ("is_object", ("any",)),
        ("is_boolean", ("any",)),
        ("regex.match", ("pattern", "string")),
        ("glob.match", ("glob", "delims", "string")),
        ("strings.any_prefix_match", ("strings", "strings")),
        ("json.is_valid", ("string",)),
        ("object.subset", ("object", "object")),
        ("regex.is_valid", ("string",)),
    ),
    "array": (
        ("split", ("string", "string")),
        ("sort", ("array",)),
        ("sort", ("set",)),
        ("array.concat", ("array", "array")),
        ("array.slice", ("array", "small", "small")),
        ("array.reverse", ("array",)),
        ("regex.split", ("pattern", "string")),
        ("numbers.range", ("small", "small")),
        ("regex.find_n", ("pattern", "string", "small")),
        ("indexof_n", ("string", "string")),
        ("array.flatten", ("array",)),
    ),
    "set": (
        ("object.keys", ("object",)),
        ("union", ("sets",)),
        ("intersection", ("sets",)),
        ("graph.reachable", ("graph", "strings")),
    ),
    "object": (
        ("object.union", ("object", "object")),
        ("object.remove", ("object", "strings")),
        ("object.filter", ("object", "strings")),
        ("json.unmarshal", ("json",)),
        ("json.filter", ("object", "strings")),
        ("json.remove", ("object", "strings")),
    ),
    "any": (
        ("object.get", ("object", "string", "any")),
        ("max", ("array",)),
        ("json.unmarshal", ("json",)),
        ("min", ("set",)),
        ("object.get", ("object", "strings", "any")),
    ),
}


@dataclass(frozen=True, slots=True)
class Program:
    """``text`` has the package ``PACKAGE`` still to be named; ``strict`` asks for strict builtin errors."""

    seed: int
    text: str
    input: Any
    strict: bool


@dataclass(slots=True)
class Writer:
    """Writes one program; ``scope`` is the variables bound so far, with their rough types."""

    random: random.Random
    v2: bool = False
    scope: list[tuple[str, str]] = field(default_factory=list)
    rules: list[tuple[str, str]] = field(default_factory=list)
    functions: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    number: int = 0

    # ------------------------------------------------------------- choices

    def one(self, options: Any) -> Any:
        return self.random.choice(options)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self) -> str:
        self.number += 1
        return f"x{self.number}"

    # ------------------------------------------------------------- terms

    def term(self, kind: str, depth: int) -> str:
        if self.chance(0.004):
            kind = self.one(TYPES)
        if self.chance(0.04) and kind in TYPES:
            # Of a type that only the input decides: no compiler can refuse it.
            return self.one(("input.mixed[_]", "input.mixed[0]", "input.none", "input.missing", "input.mixed[1]"))
        if kind == "any":
            kind = self.one((*TYPES, "any"))
        special = self.special(kind, depth)
        if special is not None:
            return special
        known = [name for name, bound in self.scope if bound in (kind, "any")]
        if known and self.chance(0.45):
            return self.one(known)
        if depth <= 0 or self.chance(0.15):
            return self.literal(kind)
        makers: list[Callable[[str, int], str]] = [self.reference, self.call, self.call, self.operation]
        if self.chance(0.3):
            makers.append(self.comprehension)
        if kind == "string" and self.chance(0.4):
            makers.append(self.template)
        return self.one(makers)(kind, depth - 1)

    def special(self, kind: str, depth: int) -> str | None:
        match kind:
            case "small":
                return self.one(("0", "1", "2", "-1", "3", "5", "input.n"))
            case "base":
                return self.one(("2", "8", "10", "16", "3"))
            case "form":
                return self.one(
                    ('"%v"', '"%d-%s"', '"%s"', '"%v %v"', '"%05.2f"', '"%x"', '"%%"', '"%q"', '"%5d|%-5s|"')
                )
            case "args":
                return "[" + ", ".join(self.term("any", depth - 1) for _ in range(self.random.randint(0, 2))) + "]"
            case "pattern":
                return self.one(('"a+"', '"^[a-z]+$"', '"(a)(b)?"', '""', '"[0-9]+"', '"("', '"\\\\s"', "input.s"))
            case "glob":
                return self.one(('"a*"', '"*.b"', '"**"', '"{a,b}"', '"[a-c]?"', '"x-*"'))
            case "delims":
                return self.one(("[]", '["."]', "null", '["-"]'))
            case "graph":
                return '{"a": ["b"], "b": ["a", "c"], "c": []}'
            case "json":
                return self.one(
                    (
                        '"{\\"a\\": 1.0}"',
                        '"[1, 2]"',
                        '"{"',
                        '"null"',
                        "json.marshal(input.o)",
                        '"{\\"a\\": {\\"b\\": 1}}"',
                    )
                )
            case "strings":
                items = ", ".join(self.term("string", depth - 1) for _ in range(self.random.randint(0, 3)))
                return self.one((f"[{items}]", f"{{{items}}}" if items else "set()", "input.ss", "data.words"))
            case "numbers":
                items = ", ".join(self.term("number", depth - 1) for _ in range(self.random.randint(0, 3)))
                return self.one((f"[{items}]", f"{{{items}}}" if items else "set()", "input.ns"))
            case "sets":
                return f"{{{self.term('set', depth - 1)}, {self.term('set', depth - 1)}}}"
            case "scalar":
                return self.term(self.one(("number", "string", "boolean")), depth)
        return None

    def literal(self, kind: str) -> str:
        match kind:
            case "number":
                return self.one(NUMBERS)
            case "string":
                return json.dumps(self.one(STRINGS), ensure_ascii=False)
            case "boolean":
                return self.one(("true", "false"))
            case "array":
                return "[" + ", ".join(self.scalar() for _ in range(self.random.randint(0, 3))) + "]"
            case "set":
                items = [self.scalar() for _ in range(self.random.randint(0, 3))]
                return "{" + ", ".join(items) + "}" if items else "set()"
            case "object":
                keys = [self.scalar() if self.chance(0.15) else json.dumps(self.one(STRINGS[1:5])) for _ in range(2)]
                return "{" + ", ".join(f"{key}: {self.scalar()}" for key in dict.fromkeys(keys)) + "}"
        return self.scalar()

    def scalar(self) -> str:
        return (
            "null" if self.chance(0.08) else self.literal(self.one(("number", "string", "boolean", "number", "string")))
        )

    def reference(self, kind: str, depth: int) -> str:
        roads: list[str] = [
            f"input.{name}" for name, found in FIELDS.items() if found in (kind, "any") or kind == "any"
        ]
        roads += [name for name, found in self.rules if found in (kind, "any")] * 3
        if kind in ("number", "any"):
            roads += [
                "input.o.a",
                "input.ns[0]",
                "input.ns[_]",
                "input.rows[_].v",
                f"input.ns[{self.index()}]",
                "data.rows[_].v",
            ]
            roads += ["data.table.a", "input.deep.a.b", "input.o[input.s]", f"input.rows[{self.index()}].v"]
        if kind in ("string", "any"):
            roads += ["input.ss[0]", "input.ss[_]", "input.rows[_].k", "data.words[_]", f"input.rows[{self.index()}].k"]
        if kind == "array":
            roads += ["input.deep.list", "data.rows", "input.rows[_].tags"]
        if kind == "any":
            roads += ["input.mixed[_]", f"input.mixed[{self.index()}]", "data.table[_]"]
        calls = [(name, args) for name, args, result in self.functions if result in (kind, "any")]
        if calls and (not roads or self.chance(0.4)):
            name, args = self.one(calls)
            return f"{name}({', '.join(self.term(arg, depth) for arg in args)})"
        return self.one(roads) if roads else self.literal(kind)

    def index(self) -> str:
        bound = [name for name, kind in self.scope if kind in ("number", "any")]
        return self.one(bound) if bound and self.chance(0.5) else self.one(("0", "1", "7", "_", "input.n"))

    def call(self, kind: str, depth: int) -> str:
        options = _CALLS.get(kind, ())
        if not options:
            return self.literal(kind)
        name, args = self.one(options)
        return f"{name}({', '.join(self.term(arg, depth) for arg in args)})"

    def operation(self, kind: str, depth: int) -> str:
        if kind == "number":
            return f"({self.term(kind, depth)} {self.one('+-*/%')} {self.term(kind, depth)})"
        if kind == "set":
            return f"({self.term(kind, depth)} {self.one('|&-')} {self.term(kind, depth)})"
        if kind == "boolean":
            return f"({self.comparison(depth)})"
        return self.reference(kind, depth)

    def comparison(self, depth: int) -> str:
        kind = self.one((*TYPES, "any", "number", "string"))
        sign = self.one(("==", "!=", "<", "<=", ">", ">="))
        if self.chance(0.2):
            return f"{self.term('any', depth)} in {self.collection(depth)}"
        return f"{self.term(kind, depth)} {sign} {self.term(kind if self.chance(0.97) else 'any', depth)}"

    def template(self, kind: str, depth: int) -> str:
        parts = [self.one(("a", " ", "\\{", "x: ")) + "{" + self.term("any", depth - 1) + "}" for _ in range(2)]
        return '$"' + "".join(parts) + '"'

    def comprehension(self, kind: str, depth: int) -> str:
        saved = list(self.scope)
        body = "; ".join(self.body(self.random.randint(1, 2), depth - 1))
        item = self.term(self.one(("any", "number", "string")), depth - 1)
        if kind == "object":
            key = self.term("string" if self.chance(0.8) else "any", depth - 1)
            made = f"{{{key}: {item} | {body}}}"
        elif kind == "set":
            made = f"{{{item} | {body}}}"
        elif kind == "array":
            made = f"[{item} | {body}]"
        elif kind == "number":
            made = self.one(
                (
                    f"count([{item} | {body}])",
                    f"count({{{item} | {body}}})",
                    f"sum([{self.term('number', 0)} | {body}])",
                )
            )
        else:
            made = self.reference(kind, depth)
        self.scope = saved
        return made

    def collection(self, depth: int) -> str:
        return self.term(self.one(("array", "array", "set", "object")), depth)

    # ------------------------------------------------------------- bodies

    def body(self, length: int, depth: int) -> list[str]:
        return [self.statement(depth) for _ in range(length)]

    def statement(self, depth: int) -> str:
        kinds = [
            "some",
            "some2",
            "assign",
            "assign",
            "compare",
            "compare",
            "not",
            "every",
            "unify",
            "iterate",
            "truth",
            "with",
        ]
        if depth <= 0:
            kinds = ["some", "assign", "compare", "truth", "iterate"]
        made: str = getattr(self, f"_{self.one(kinds)}")(depth - 1)
        return made

    def element(self, collection: str) -> str:
        if collection in ("input.ns", "numbers"):
            return "number"
        return "string" if collection in ("input.ss", "data.words") else "any"

    def _some(self, depth: int) -> str:
        collection = self.one(("input.ns", "input.ss", "input.rows", "input.mixed", self.collection(depth)))
        if collection == "input.rows" and self.chance(0.3):
            key, value = self.fresh(), self.fresh()
            self.scope += [(key, "string"), (value, "number")]
            return f'some {{"k": {key}, "v": {value}, "tags": _}} in {collection}'
        name = self.fresh()
        self.scope.append((name, self.element(collection)))
        return f"some {name} in {collection}"

    def _some2(self, depth: int) -> str:
        collection = self.one(("input.ns", "input.ss", "input.o", self.collection(depth)))
        key, value = self.fresh(), self.fresh()
        self.scope += [(key, "string" if collection == "input.o" else "any"), (value, self.element(collection))]
        return f"some {key}, {value} in {collection}"

    def _assign(self, depth: int) -> str:
        kind = self.one((*TYPES, "any", "number", "string"))
        value = self.term(kind, depth)
        name = self.fresh()
        self.scope.append((name, kind))
        return f"{name} := {value}"

    def _compare(self, depth: int) -> str:
        return self.comparison(depth)

    def _truth(self, depth: int) -> str:
        return self.term("boolean", depth + 1)

    def _not(self, depth: int) -> str:
        saved = list(self.scope)
        if self.v2 and self.chance(0.5):
            made = f"not {{ {'; '.join(self.body(self.random.randint(1, 2), depth))} }}"
        else:
            made = f"not {self.one((self._compare, self._truth))(depth)}"
        if self.chance(0.9):
            made = made.replace("[_]", "[0]")  # most often unsafe
        self.scope = saved
        return made

    def _every(self, depth: int) -> str:
        collection = self.collection(depth)
        saved = list(self.scope)
        value = self.fresh()
        names = [value] if self.chance(0.6) else [self.fresh(), value]
        self.scope += [(name, self.element(collection)) for name in names]
        used = [f"{name} != {self.term('any', 0)}" for name in names]
        body = "; ".join([*used, *self.body(self.random.randint(0, 2), depth)])
        self.scope = saved
        return f"every {', '.join(names)} in {collection} {{ {body} }}"

    def _unify(self, depth: int) -> str:
        first, second = self.fresh(), self.fresh()
        shape = self.random.randint(0, 3)
        left, right = self.term("number", depth), self.term("string", depth)
        self.scope += [(first, "number"), (second, "string")]
        if shape == 0:
            return f"[{first}, {second}] = [{left}, {right}]"
        if shape == 1:
            return f'{{"a": {first}, "b": {second}}} = {{"b": {right}, "a": {left}}}'
        if shape == 2:
            return f"[{first}, [{right}, {second}]] = [{left}, [{right}, {right}]]"
        return f"[{first}, {right}] = [{left}, {second}]"

    def _iterate(self, depth: int) -> str:
        name = self.fresh()
        road = self.one(
            ("input.ns[{}]", "input.ss[{}]", "input.rows[{}].v", "input.o[{}]", "data.rows[{}].k", "data.table[{}]")
        )
        self.scope.append((name, "string" if road in ("input.o[{}]", "data.table[{}]") else "number"))
        text = road.format(name)
        return f"{text} {self.one(('==', '>', '!='))} {self.term('number', depth)}" if self.chance(0.4) else text

    def _with(self, depth: int) -> str:
        target = self.one(("input.n", "input.o", "input.s", "input.none.deep", "data.table", "input.ns"))
        kind = FIELDS.get(target.removeprefix("input."), "object")
        base = self.comparison(depth) if self.chance(0.6) or not self.rules else self.one(self.rules)[0]
        if self.chance(0.5):
            name = self.fresh()
            base = f"{name} := {self.one(self.rules)[0] if self.rules else self.term('any', depth)}"
            made = f"{base} with {target} as {self.term(kind, depth)}"
            self.scope.append((name, "any"))
            return made
        return f"{base} with {target} as {self.term(kind, depth)}"

    # ------------------------------------------------------------- rules

    def rule(self) -> str:
        name = f"r{len(self.rules) + len(self.functions)}"
        self.scope = []
        shape = self.one(
            ("complete", "complete", "set", "set", "object", "function", "boolean", "else", "default", "nested")
        )
        kind = self.one((*TYPES, "any", "number", "string"))
        text: str = getattr(self, f"_rule_{shape}")(name, kind)
        return text

    def _lines(self, length: int | None = None) -> str:
        count = self.random.randint(1, 4) if length is None else length
        return "".join(f"\t{literal}\n" for literal in self.body(count, 2))

    def _rule_complete(self, name: str, kind: str) -> str:
        body = self._lines()
        text = f"{name} := {self.term(kind, 2)} if {{\n{body}}}\n"
        if self.chance(0.2):
            self.scope = []
            body = self._lines()
            text += f"\n{name} := {self.term(kind, 1)} if {{\n{body}}}\n"
        self.rules.append((name, kind))
        return text

    def _rule_default(self, name: str, kind: str) -> str:
        default = self.literal(kind)
        return f"default {name} := {default}\n\n" + self._rule_complete(name, kind)

    def _rule_boolean(self, name: str, kind: str) -> str:
        text = f"{name} if {{\n{self._lines()}}}\n"
        self.rules.append((name, "boolean"))
        return text

    def _rule_set(self, name: str, kind: str) -> str:
        text = ""
        for _ in range(self.one((1, 1, 2))):
            self.scope = []
            body = self._lines()
            text += f"{name} contains {self.term('any', 1)} if {{\n{body}}}\n\n"
        self.rules.append((name, "set"))
        return text

    def _rule_object(self, name: str, kind: str) -> str:
        body = self._lines()
        key = self.term("string" if self.chance(0.8) else "any", 0)
        text = f"{name}[{key}] := {self.term(kind, 1)} if {{\n{body}}}\n"
        self.rules.append((name, "object"))
        return text

    def _rule_nested(self, name: str, kind: str) -> str:
        body = self._lines()
        text = f"{name}.a[{self.term('string', 0)}].b := {self.term(kind, 1)} if {{\n{body}}}\n"
        if self.chance(0.5):
            self.scope = []
            body = self._lines(2)
            text += f"\n{name}.c contains {self.term(kind, 1)} if {{\n{body}}}\n"
        self.rules.append((name, "object"))
        return text

    def _rule_else(self, name: str, kind: str) -> str:
        body = self._lines(2)
        text = f"{name} := {self.term(kind, 1)} if {{\n{body}}} "
        for _ in range(self.one((1, 2))):
            self.scope = []
            body = self._lines(1)
            text += f"else := {self.term(kind, 1)} if {{\n{body}}} "
        self.rules.append((name, kind))
        return text.rstrip() + "\n"

    def _rule_function(self, name: str, kind: str) -> str:
        kinds = tuple(self.one((*TYPES, "any")) for _ in range(self.random.randint(1, 2)))
        text = ""
        for _ in range(self.one((1, 1, 2))):
            self.scope = []
            args = []
            for wanted in kinds:
                if self.chance(0.2):
                    args.append(self.literal(wanted) if wanted != "set" else "_")
                else:
                    args.append(self.fresh())
                    self.scope.append((args[-1], wanted))
            body = self._lines(self.random.randint(1, 2))
            text += f"{name}({', '.join(args)}) := {self.term(kind, 2)} if {{\n{body}}}\n\n"
        self.functions.append((name, kinds, kind))
        return text


def generate(seed: int) -> Program:
    """The program of a seed, always the same."""
    chooser = random.Random(seed)
    writer = Writer(chooser, v2=chooser.random() < 0.25)
    rules = [writer.rule() for _ in range(chooser.randint(2, 6))]
    head = "package PACKAGE\n\n" + ("import rego.v2\n\n" if writer.v2 else "")
    return Program(seed, head + "\n".join(rules), _input(chooser), chooser.random() < 0.15)


def _input(chooser: random.Random) -> Any:
    def number() -> Any:
        return chooser.choice((0, 1, 2, 3, 5, 10, -1, 0.5, 2.5))

    def text() -> str:
        return chooser.choice(STRINGS)

    def some(make: Callable[[], Any]) -> list[Any]:
        return [make() for _ in range(chooser.randint(0, 4))]

    def any_value() -> Any:
        return chooser.choice((number(), text(), None, True, False, [number()], {"a": number()}, []))

    made = {
        "n": number(),
        "m": number(),
        "s": text(),
        "t": text(),
        "flag": chooser.random() < 0.5,
        "ns": some(number),
        "ss": some(text),
        "mixed": some(any_value),
        "o": {text(): number() for _ in range(3)} | {"a": number()},
        "rows": some(lambda: {"k": text(), "v": number(), "tags": some(text)}),
        "deep": {"a": {"b": number()}, "list": some(any_value)},
        "none": None,
    }
    if chooser.random() < 0.2:
        made.pop(chooser.choice(sorted(made)))
    if chooser.random() < 0.1:
        made[chooser.choice(sorted(made))] = any_value()
    return made
