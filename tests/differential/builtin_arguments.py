# ruff: noqa: E501
"""Arguments for every builtin: of each declared type the edges of it, and for each argument one of every other type."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping

from policy_lang import types
from policy_lang.runtime.builtins.declarations import declaration, names
from policy_lang.types import Type

OUTSIDE = frozenset(
    ("http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122", "print", "trace")
)
"""What gives another answer each time, or none."""

NUMBERS = (
    "0", "1", "-1", "2", "3", "7", "8", "10", "16", "36", "37", "64", "-0.5", "0.5", "1.5", "2.5", "-2.5", "1.0", "1e3", "100",
    "1e21", "1.5e300", "1e-9", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551616", "123456789012345678901234567890",
    "0.1", "0.30000000000000004", "1257894000000000000", "1257894000.5", "-62135596800000000000", "5000000000",
)  # fmt: skip
STRINGS = (
    '""', '"a"', '"b"', '"ab"', '"abc"', '"aXbXc"', '" a "', '"é"', '"ß"', '"ǆ"', '"İ"', '"😀x"', '"e\\u0301"', '"\\u0000"', '"a\\nb\\t"',
    '"a/b/c"', '"/a/0"', '"a.b.c"', '"A"', '"ÀÉ"', '"1"', '"-1"', '"1.5"', '"0x10"', '"1_000"', '"1e3"', '" 1"', '"+1"', '"NaN"', '"Infinity"',
    '"1.2.3"', '"1.2.3-rc.1+b"', '"v1.2.3"', '"01.2.3"', '"10k"', '"10Ki"', '"1.5GB"', '"1 mb"', '"1kb"', '"5m"', '"10E"', '"1mi"',
    '"1h30m"', '"1.5s"', '"-2us"', '"1d"', '"2006-01-02"', '"2020-02-29T23:59:60Z"', '"2020-02-30T00:00:00Z"', '"2021-03-04T05:06:07.123456789+01:00"',
    '"15:04:05"', '"Mon, 02 Jan 2006 15:04:05 MST"', '"UTC"', '"America/New_York"', '"Nowhere/Land"', '"Local"',
    '"RFC3339"', '"RFC1123"', '"%d"', '"%s|%v|%q"', '"%5.2f%%"', '"%x %X %o %b %e %g"', '"%[2]d %[1]d"', '"%t%c%U"', '"%!"', '"%z %y"', '"%-8s|%08d|%+d"',
    '"YQ=="', '"YQ"', '"_-8"', '"+/8="', '"Y Q=="', '"YQ==\\n"', '"6162"', '"616"', '"zz"', '"%41%zz"', '"a+b%20c"', '"a=1&b=2&a=3"', '"a=%zz"', '"=x&y&&z="', '"a;b"',
    '"{\\"a\\": [1, 2.0, null]}"', '"[1,]"', '"{\\"a\\":1,\\"a\\":2}"', '"nul"', '"1 2"', '" null "', '"\\"\\\\ud800\\""', '"01"', '"-"', '"1E5"', '"\\ufeff1"',
    '"a: 1\\nb: [x, y]\\n"', '"a: &x 1\\nb: *x"', '"- 1\\n- yes\\n- 0o17\\n- 2001-01-01\\n- ~\\n- .inf"', '"a: b: c"', '"!!binary YQ=="', '"---\\n1\\n---\\n2"', '"{1: a, true: b}"', '"\\tx"', '"? [a]\\n: b"',
    '"192.168.0.0/16"', '"192.168.1.1"', '"192.168.1.1/24"', '"10.0.0.0/33"', '"fe80::1/64"', '"::1"', '"10.0.0.0/30"', '"1.2.3"', '"::ffff:1.2.3.4"', '"0.0.0.0/0"', '"010.0.0.1"',
    '"[a-z]+"', '"("', '"(a)(b)?"', '"a*"', '"(?i)A"', '"\\\\d{2,}"', '"a{,5}"', '"(?P<n>a)"', '"(?<n>a)"', '"[[:alpha:]]"', '"\\\\pL"', '"x*?"', '"(?=a)"', '"\\\\1"', '"$1-$0-${n}"', '"^$"', '"."', '"[^a]"', '"\\\\C"', '"a|b"', '"a++"',
    '"*"', '"**"', '"*.b"', '"{a,b}*"', '"[!a]"', '"?"', '"a.{b,*.c}"', '"[a-c"', '"\\\\*"', '"{a"',
    '"urn:{.*}:x"', '"urn:a:x"', '"{"', '"}"', '"<"',
    '"http://u:p@h.example:80/p/q;v?x=1&y#f"', '"://"', '"http://[::1"', '"mailto:a@b"', '"//h/p"', '"http://h/%zz"', '"HTTP://EX.com/a b"',
    '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"', '"not-a-uuid"', '"urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"', '"{6ba7b8109dad11d180b400c04fd430c8}"',
    '"{ a b(x: 1) { c } }"', '"type Query { a: String b(x: Int): C } type C { c: Int }"', '"query { nope }"', '"type"', '"type Query { a: Nope }"',
    '"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.LXb9hN8TJAuIHbGX6jR2vBMJwVh8n4JmAZeQ9IVbhdo"', '"a.b.c"', '"e30.e30."', '"..."',
    '"eyJhbGciOiJub25lIn0.eyJhIjoxfQ."', '"{{.a}}"', '"{{"', '"{{range .x}}{{.}},{{end}}"', '"{{.x.y.z}}"', '"{{len .a}}"', '"{{printf \\"%d\\" 1}}"',
    '"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----"', '"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----"', '"md5"', '"sha256"',
    '"package p\\n\\nq := 1"', '"package"',
)  # fmt: skip
OTHERS = {
    "null": ("null",),
    "boolean": ("true", "false"),
    "array": (
        "[]", "[1, 2, 3]", "[3, 1, 2, 1]", '["a", "b"]', '["b", "a", ""]', '[1, "a", null, true, [1], {"a": 1}, {1}]', "[[1, 2], [2, 3]]", "[[]]", "[null]",
        '[["a", "b"], ["c"]]', '["a/b", "c"]', '["/a", "/b/0"]', '["a", 1]', "[1.0, 1, 1.5]", "[true, false]", "[{1}, {2}]", '[{"a": 1}, {"b": 2}, {"a": {"c": 3}}]',
        '[{"op": "add", "path": "/a", "value": 1}]', '[{"op": "remove", "path": "/nope"}]', '[{"op": "test", "path": "/a", "value": 2}]', '[{"op": "move", "from": "/a", "path": "/b"}]', '[{"op": "nope", "path": "/a"}]', '[{"op": "add", "path": "a", "value": 1}]', '[{"path": "/a"}]',
        '["10.0.0.0/8", "10.1.2.3"]', '["10.0.0.0/25", "10.0.0.128/25"]', '["nope"]', '[["10.0.0.0/8", "x"]]', '[1257894000000000000, "America/New_York"]', '[1257894000000000000, "UTC", "2006-01-02"]', '[1257894000000000000, "UTC", "RFC1123"]', '[1257894000000000000, "Nowhere"]', '[1]', '["x", 1]', '[1e30, "UTC"]', '[9223372036854775807, "Local"]', "[1257894000000000000, \"\", \"\"]", '["%d", 1]', '["é", "😀"]', '[0, 0]', "[2, -1]", "[1e400]",
    ),
    "set": (
        "set()", "{1, 2, 3}", '{"a", "b"}', '{"a", 1, null}', "{set(), {1}}", "{{1, 2}, {2, 3}}", "{[1], [2]}", '{"10.0.0.0/8"}', '{["a", "b"], "c"}', '{"/a", "b/0"}', "{1.0, 1.5}", "{true, false}", "{{1}, [1]}",
        '{"10.0.0.0/24", "10.0.1.0/24", "::/64"}',
    ),
    "object": (
        "{}", '{"a": 1}', '{"a": 1, "b": 2}', '{"a": {"b": {"c": 1}}, "x": [1, {"y": 2}]}', '{1: 2, true: 3}', "{[1]: {1}}", '{"a": "b"}', '{"a": ["b"], "b": ["a", "c"], "c": []}', '{"a": {"b"}, "b": null}', '{"a": null}', '{"a": ["x", "y"], "b": "z"}', '{"a": {"x", "y"}}',
        '{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}', '{"type": "nope"}', '{"$ref": "#/definitions/x"}', '{"type": "array", "items": {"type": "number", "minimum": 2}, "uniqueItems": true}', '{"pattern": "(", "type": "string"}', '{"enum": [1, "a"]}', '{"type": ["string", "null"], "format": "date-time", "maxLength": 3}', '{"anyOf": [{"type": "number"}, {"required": ["zz"]}], "not": {"const": 1}}', '{"properties": 1}',
        '{"indent": "  "}', '{"prefix": ">", "pretty": true}', '{"pretty": "x"}', '{"nope": 1}', '{"secret": "secret"}', '{"secret": "secret", "alg": "HS256"}', '{"secret": "secret", "aud": "x"}', '{"cert": "nope"}', '{"secret": "secret", "time": 1}', '{"secret": 1}',
        '{"scheme": "https", "host": "h", "path": "/p"}', '{"x": [1, 2], "a": "q"}', '{"alg": "HS256"}', '{"alg": "none"}', '{"alg": "nope", "typ": "JWT"}', '{"kty": "oct", "k": "c2VjcmV0"}', '{"kty": "nope"}', '{"min_version": 1}', '{"a": "a", "b": ""}', '{"": "x"}', '{"method": "GET", "url": "https://h/p"}', '{"aws_access_key": "a", "aws_secret_access_key": "b", "aws_service": "s3", "aws_region": "r"}',
    ),
}  # fmt: skip


LARGE = frozenset(("bits.lsh", "net.cidr_expand", "numbers.range", "numbers.range_step"))
"""What gives as much as its arguments say, or more than there is memory: OPA takes for ever, or dies."""


def pool() -> dict[str, str]:
    """Every argument by its name (``string3``) as Rego text."""
    every: Mapping[str, tuple[str, ...]] = {"number": NUMBERS, "string": STRINGS, **OTHERS}
    return {f"{kind}{number}": text for kind, texts in every.items() for number, text in enumerate(texts)}


def _kinds(of: Type) -> set[str]:
    if isinstance(of, types.AnyType):
        return {"number", "string", "null", "boolean", "array", "set", "object"}
    found: set[str] = set()
    for one in types.options(of):
        match one:
            case types.Scalar():
                found.add(one.name)
            case types.ArrayType():
                found.add("array")
            case types.SetType():
                found.add("set")
            case types.ObjectType():
                found.add("object")
    return found


def _large(text: str) -> bool:
    """Whether it is a number far from 0, or a network of many addresses."""
    try:
        return abs(float(text)) > 2000
    except ValueError:
        return "/" in text and not text.endswith('/30"')


def calls(most: int, seed: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each builtin with at most ``most`` tuples of names of arguments: all where they are few, else a sample."""
    every = pool()
    by_kind: dict[str, list[str]] = {}
    for name in every:
        by_kind.setdefault(name.rstrip("0123456789"), []).append(name)
    for name in sorted(names() - OUTSIDE):
        declared = declaration(name)
        assert declared is not None
        if name.startswith("internal.") or declared.variadic is not None:
            continue
        chooser = random.Random(f"{name} {seed}")
        fitting = [[one for kind in sorted(_kinds(of)) for one in by_kind[kind]] for of in declared.args]
        if name in LARGE:
            fitting = [[one for one in column if not _large(every[one])] for column in fitting]
        total = 1
        for column in fitting:
            total *= len(column)
        if total <= most:
            made = list(itertools.product(*fitting))
        else:
            made = [tuple(chooser.choice(column) for column in fitting) for _ in range(most)]
        wrong = [
            (
                *(chooser.choice(column) for column in fitting[:at]),
                chooser.choice([one for one in others if name not in LARGE or not _large(every[one])] or others),
                *(chooser.choice(column) for column in fitting[at + 1 :]),
            )
            for at in range(len(fitting))
            for others in by_kind.values()
        ]
        yield from ((name, one) for one in dict.fromkeys((*made, *wrong)))
