"""Builtins for globs, paths, units, versions and encodings; the expected answers are OPA's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from policy_lang.runtime.builtins import REGISTRY, BuiltinError
from policy_lang.runtime.values import RegoSet, equal

DOCUMENT = {"a": {"b": [1, 2, 3], "c": "d"}, "e": RegoSet.of(["x", "y"])}

ANSWERS: list[tuple[str, list[Any], Any]] = [
    ("glob.match", ["*.github.com", [], "api.github.com"], True),
    ("glob.match", ["*.github.com", [], "api.cdn.github.com"], False),
    ("glob.match", ["**.github.com", [], "api.cdn.github.com"], True),
    ("glob.match", ["*hub.com", None, "api.cdn.github.com"], True),
    ("glob.match", ["{cat,[bf]at,h[!o-p]t}", [], "hat"], True),
    ("glob.match", ["{cat,[bf]at,h[!o-p]t}", [], "hot"], False),
    ("glob.match", ["a?c", ["b"], "abc"], False),
    ("glob.match", ["", [], ""], True),
    ("glob.quote_meta", ["a*?\\[]{}!-,b"], "a\\*\\?\\\\\\[\\]\\{\\}!-,b"),
    ("json.filter", [DOCUMENT, ["a/b/0", "/a/c", ""]], {"a": {"b": [1], "c": "d"}}),
    ("json.filter", [DOCUMENT, ["a", "a/b", ["e", "x"]]], {"a": DOCUMENT["a"], "e": RegoSet.of(["x"])}),
    ("json.remove", [DOCUMENT, ["a/b/1", ["e", "y"]]], {"a": {"b": [1, 3], "c": "d"}, "e": RegoSet.of(["x"])}),
    ("json.remove", [DOCUMENT, ["a/b", "a"]], {"e": DOCUMENT["e"]}),
    ("json.patch", [[1, 2], [{"op": "add", "path": "/-", "value": 3}]], [1, 2, 3]),
    ("json.patch", [[1, 2], [{"op": "replace", "path": "0", "value": 3}]], [3, 2]),
    ("json.patch", [{"a~/": 1}, [{"op": "move", "from": "a~0~1", "path": ["b"]}]], {"b": 1}),
    ("json.patch", [{"a": [1]}, [{"op": "copy", "from": "a/0", "path": "a/1"}]], {"a": [1, 1]}),
    ("json.patch", [{"a": 1}, [{"op": "test", "path": "a", "value": 1}, {"op": "remove", "path": "a"}]], {}),
    ("json.patch", [{"a": {"b": 1}}, [{"op": "add", "path": "a/c", "value": 2}]], {"a": {"b": 1, "c": 2}}),
    ("json.patch", [RegoSet.of([[1]]), [{"op": "add", "path": [[1], 1], "value": 2}]], RegoSet.of([[1, 2]])),
    ("json.patch", [1, [{"op": "replace", "path": "", "value": 2}]], 2),
    ("units.parse", ["10Ki"], 10240),
    ("units.parse", ["5E"], 5 * 10**18),
    ("units.parse", ["200m"], Decimal("0.2")),
    ("units.parse", ["1.00000000005"], Decimal("1.0000000001")),
    ("units.parse", ["-3.5E2m"], Decimal("-0.35")),
    ("units.parse_bytes", ["3MiB"], 3 * 1024**2),
    ("units.parse_bytes", ["1.5kb"], 1500),
    ("semver.compare", ["1.2.3", "1.2.3-rc.1"], 1),
    ("semver.compare", ["1.10.0", "1.9.0"], 1),
    ("semver.compare", ["1.0.0-alpha.1", "1.0.0-alpha.beta"], -1),
    ("semver.compare", ["1.0.0+a", "1.0.0+b"], 0),
    ("semver.is_valid", ["1.2"], False),
    ("semver.is_valid", [12], False),
    ("strings.split_n", ["a.b.c", ".", 2], ["a", "b"]),
    ("strings.split_n", ["a.b.c", ".", -2], ["b", "c"]),
    ("urlquery.encode", ["a b~*/"], "a+b~%2A%2F"),
    ("urlquery.decode", ["a+b%2F"], "a b/"),
    ("urlquery.encode_object", [{"b": ["1", "2"], "a": "x y"}], "a=x+y&b=1&b=2"),
    ("urlquery.decode_object", ["a=1&b=&a=2"], {"a": ["1", "2"], "b": [""]}),
    (
        "yaml.unmarshal",
        ["a: 1.50\nb: 2026-01-02\nc: [yes, null]"],
        {"a": Decimal("1.5"), "b": "2026-01-02", "c": [True, None]},
    ),
    ("yaml.is_valid", ["a: [1"], False),
    ("yaml.is_valid", [1], False),
    ("yaml.marshal", [{"a": [1, {"b": 2}]}], "a:\n  - 1\n  - b: 2\n"),
    ("regex.template_match", ["urn:foo:{.*}", "urn:foo:bar:baz", "{", "}"], True),
    ("regex.template_match", ["a.{[0-9]{2}}", "ab12", "{", "}"], False),
    ("json.marshal_with_options", [{"a": [1]}, {"indent": "  "}], '{\n  "a": [\n    1\n  ]\n}'),
    ("json.marshal_with_options", [["<"], {"pretty": False, "indent": "x"}], '["\\u003c"]'),
    ("json.marshal_with_options", [[], {"prefix": "---"}], "---[]"),
    ("yaml.unmarshal", ["a: 1\n---\nb: 2\n"], {"a": 1}),
    ("yaml.unmarshal", [""], None),
    ("yaml.unmarshal", ["a: &x [1]\nb: *x"], {"a": [1], "b": [1]}),
    ("semver.compare", ["v1.2.3", "1.2.3"], 0),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), ANSWERS)
def test_more_answers(name: str, operands: list[Any], wanted: Any) -> None:
    assert equal(REGISTRY[name](*operands), wanted)


# Ten levels of ten aliases each: ten milliard nodes.
ALIASES = "\n".join(["l0: &l0 x", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 11))])

ERRORS: list[tuple[str, list[Any], str]] = [
    ("glob.match", ["[a", [], "a"], "eval_builtin_error"),
    ("glob.match", ["{a", [], "a"], "eval_builtin_error"),
    ("glob.match", ["a", ["ab"], "a"], "eval_type_error"),
    ("json.filter", [{}, [1]], "eval_type_error"),
    ("json.patch", [{}, [1]], "eval_builtin_error"),
    ("json.patch", [{}, [{"op": "remove", "path": "a"}]], "eval_builtin_error"),
    ("json.patch", [{}, [{"op": "remove", "path": ""}]], "eval_builtin_error"),
    ("json.patch", [{}, [{"op": "grow", "path": "a"}]], "eval_builtin_error"),
    ("json.patch", [{}, [{"path": "a"}]], "eval_builtin_error"),
    ("json.patch", [[1], [{"op": "replace", "path": "01", "value": 1}]], "eval_builtin_error"),
    ("json.patch", [[1], [{"op": "test", "path": "0", "value": 2}]], "eval_builtin_error"),
    ("json.patch", [1, [{"op": "add", "path": "0", "value": 2}]], "eval_builtin_error"),
    ("json.patch", [RegoSet.of([]), [{"op": "add", "path": "a", "value": "b"}]], "eval_builtin_error"),
    ("units.parse", ["G"], "eval_builtin_error"),
    ("units.parse", ["1 k"], "eval_builtin_error"),
    ("units.parse", ["1.2.3"], "eval_builtin_error"),
    ("units.parse", ["1e999999999"], "eval_builtin_error"),
    ("units.parse", ["1foo"], "eval_builtin_error"),
    ("units.parse_bytes", ["1foo"], "eval_builtin_error"),
    ("semver.compare", ["1.2", "1.2.3"], "eval_builtin_error"),
    ("strings.split_n", ["a", ".", Decimal("1.5")], "eval_type_error"),
    ("urlquery.decode", ["%zz"], "eval_builtin_error"),
    ("urlquery.decode_object", ["a;b"], "eval_builtin_error"),
    ("urlquery.encode_object", [{"a": 1}], "eval_type_error"),
    ("yaml.unmarshal", ["a: [1"], "eval_builtin_error"),
    ("yaml.unmarshal", ["a: .inf"], "eval_builtin_error"),
    ("regex.template_match", ["a{b", "ab", "{", "}"], "eval_builtin_error"),
    ("regex.template_match", ["a}b", "ab", "{", "}"], "eval_builtin_error"),
    ("regex.template_match", ["a{(}", "ab", "{", "}"], "eval_builtin_error"),
    ("regex.template_match", ["a", "a", "{{", "}"], "eval_builtin_error"),
    ("json.marshal_with_options", [1, {"colour": True}], "eval_type_error"),
    ("json.marshal_with_options", [1, {"pretty": 1}], "eval_type_error"),
    ("yaml.unmarshal", ["&a [*a]"], "eval_builtin_error"),
    ("yaml.unmarshal", [ALIASES], "eval_builtin_error"),
]


@pytest.mark.parametrize(("name", "operands", "code"), ERRORS)
def test_more_errors(name: str, operands: list[Any], code: str) -> None:
    with pytest.raises(BuiltinError) as caught:
        REGISTRY[name](*operands)
    assert caught.value.code == code


def test_yaml_round_trip() -> None:
    value = {"a": [1, {"b": "é"}], "c": None}
    assert REGISTRY["yaml.unmarshal"](REGISTRY["yaml.marshal"](value)) == value
