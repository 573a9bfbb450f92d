"""Encodings beside JSON, base64 and hexadecimal: URL queries and YAML."""

from __future__ import annotations

import functools
import re
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

from policy_lang.json_text import GO
from policy_lang.runtime.builtins.registry import BuiltinError, builtin, failure
from policy_lang.runtime.values import (
    RegoSet,
    Value,
    from_json,
    from_python,
    is_too_big,
    object_items,
    sorted_values,
    to_json,
)

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


@builtin("urlquery.encode", "string")
def url_encode(text: str) -> str:
    return quote_plus(text)


@builtin("urlquery.decode", "string")
def url_decode(text: str) -> str:
    return _unquoted("urlquery.decode", text)


def _unquoted(name: str, text: str) -> str:
    if bad := _BAD_ESCAPE.search(text):
        raise failure(name, f"invalid URL escape {to_json(bad.group())}")
    return unquote_to_bytes(text.replace("+", " ")).decode(errors=GO)


@builtin("urlquery.encode_object", "object")
def url_encode_object(value: dict[Any, Value]) -> str:
    """``k=v`` for each key in order; one for each element where the value is an array or a set."""
    pairs = []
    for key, item in sorted(object_items(value), key=lambda pair: str(pair[0])):
        items = sorted_values(item.values()) if type(item) is RegoSet else item if type(item) is list else [item]
        if type(key) is not str or not all(type(one) is str for one in items):
            raise BuiltinError("eval_type_error", "urlquery.encode_object: operand 1 must be object of strings")
        pairs += [f"{quote_plus(key)}={quote_plus(one)}" for one in items]
    return "&".join(pairs)


@builtin("urlquery.decode_object", "string")
def url_decode_object(text: str) -> dict[str, list[str]]:
    """Each key's values in the order they are written."""
    name = "urlquery.decode_object"
    found: dict[str, list[str]] = {}
    for pair in filter(None, text.split("&")):
        if ";" in pair:
            raise failure(name, "invalid semicolon separator in query")
        key, _, value = pair.partition("=")
        found.setdefault(_unquoted(name, key), []).append(_unquoted(name, value))
    return found


@functools.cache
def _loader() -> Any:
    """PyYAML's safe loader, but dates stay text and decimals keep their digits, as in JSON."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [rule for rule in rules if not rule[0].endswith(":timestamp")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def decimal(loader: Any, node: Any) -> Any:
        try:
            number = Decimal(node.value)
        except InvalidOperation:
            number = Decimal(repr(loader.construct_yaml_float(node)))
        if not number.is_finite() or is_too_big(number):
            raise yaml.constructor.ConstructorError(None, None, "not a number of finite size", node.start_mark)
        return number

    Loader.add_constructor("tag:yaml.org,2002:float", decimal)
    return Loader


_MOST_NODES = 1_000_000


def _check_size(root: Any) -> None:
    """Refuse what aliases make endless or huge: a few lines can stand for billions of nodes."""
    sizes: dict[int, int] = {}

    def size(node: Any) -> int:
        if id(node) in sizes:
            return sizes[id(node)]
        sizes[id(node)] = _MOST_NODES + 1  # what an alias to a part not yet closed would be
        below = node.value if isinstance(node.value, list) else []
        parts = [part for item in below for part in (item if type(item) is tuple else (item,))]
        sizes[id(node)] = 1 + sum(map(size, parts))
        return sizes[id(node)]

    if size(root) > _MOST_NODES:
        raise ValueError("document contains excessive aliasing")


def _yaml(name: str, text: str) -> Value:
    import yaml

    try:
        # All documents must be well formed; the first one counts.
        documents = list(yaml.compose_all(text, Loader=_loader()))
        if not documents:
            return None
        _check_size(documents[0])
        first = next(yaml.load_all(text, Loader=_loader()))
        return from_json(to_json(from_python(first)))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise failure(name, str(error).replace("\n", " ")) from None


@builtin("yaml.unmarshal", "string")
def yaml_unmarshal(text: str) -> Value:
    return _yaml("yaml.unmarshal", text)


@builtin("yaml.is_valid", "any")
def yaml_is_valid(text: Any) -> bool:
    if type(text) is not str:
        return False
    try:
        _yaml("yaml.is_valid", text)
    except BuiltinError:
        return False
    return True


@builtin("yaml.marshal", "any")
def yaml_marshal(value: Value) -> str:
    """Block style, keys sorted, sequences indented under their keys."""
    import json

    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

        def text(self, value: str) -> yaml.ScalarNode:
            """Lines as a block; in double quotes what would read as another type."""
            tag = "tag:yaml.org,2002:str"
            other = self.resolve(yaml.ScalarNode, value, (True, False)) != tag  # type: ignore[no-untyped-call]
            return self.represent_scalar(tag, value, style="|" if "\n" in value else '"' if other else None)

    Dumper.add_representer(str, Dumper.text)
    data = json.loads(to_json(value), parse_float=_short_number)
    text = str(yaml.dump(data, Dumper=Dumper, default_flow_style=False, allow_unicode=True, width=2**31))
    return text.removesuffix("...\n")


def _short_number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


_OPTIONS: dict[str, type] = {"pretty": bool, "indent": str, "prefix": str}


@builtin("json.marshal_with_options", "any", "object")
def marshal_with_options(value: Value, options: dict[Any, Value]) -> str:
    """JSON in lines where ``pretty`` is true, or not given while ``indent`` or ``prefix`` is."""
    for key, option in options.items():
        if key not in _OPTIONS:
            raise BuiltinError("eval_type_error", f"object contained unknown key {to_json(key)}")
        if type(option) is not _OPTIONS[key]:
            raise BuiltinError("eval_type_error", f"key {to_json(key)} has a value of a wrong type")
    pretty = options.get("pretty", bool(options))
    text = to_json(value, indent=1 if pretty else 0)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    if not pretty:
        return text
    indent, prefix = options.get("indent", "\t"), options.get("prefix", "")
    lines = [line.lstrip(" ") for line in text.split("\n")]
    levels = [len(line) - len(bare) for line, bare in zip(text.split("\n"), lines, strict=True)]
    return "\n".join(f"{prefix}{indent * level}{bare}" for level, bare in zip(levels, lines, strict=True))
