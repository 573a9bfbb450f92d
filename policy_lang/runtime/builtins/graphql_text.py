"""The objects of ``graphql_tree`` as GraphQL text again, so that policies can hand them back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

_STRINGS = (3, 4)
_VARIABLE, _LIST, _OBJECT = 0, 8, 9
_KEYWORDS = {
    "SCALAR": "scalar",
    "OBJECT": "type",
    "INTERFACE": "interface",
    "UNION": "union",
    "ENUM": "enum",
    "INPUT_OBJECT": "input",
}


def query_text(tree: dict[str, Any]) -> str:
    """A query. Raises KeyError, TypeError or AttributeError where the tree has another shape."""
    operations = [_operation(one) for one in tree.get("Operations", ())]
    return "\n".join([*operations, *(_fragment(one) for one in tree.get("Fragments", ()))])


def schema_text(tree: dict[str, Any]) -> str:
    """A schema. Raises KeyError, TypeError or AttributeError where the tree has another shape."""
    parts = [_schema(one, "schema") for one in tree.get("Schema", ())]
    parts += [_schema(one, "extend schema") for one in tree.get("SchemaExtension", ())]
    parts += [_directive_definition(one) for one in tree.get("Directives", ())]
    parts += [_definition(one, "") for one in tree.get("Definitions", ())]
    parts += [_definition(one, "extend ") for one in tree.get("Extensions", ())]
    return "\n".join(parts)


def _operation(node: dict[str, Any]) -> str:
    variables = _in_parentheses(map(_variable, node.get("VariableDefinitions", ())))
    head = f"{node['Operation']} {node.get('Name', '')}{variables}"
    return f"{head}{_directives(node)} {_selections(node)}"


def _fragment(node: dict[str, Any]) -> str:
    return f"fragment {node['Name']} on {node['TypeCondition']}{_directives(node)} {_selections(node)}"


def _variable(node: dict[str, Any]) -> str:
    return f"${node['Variable']}: {_type(node['Type'])}{_default(node)}{_directives(node)}"


def _selections(node: dict[str, Any]) -> str:
    inner = [_selection(one) for one in node.get("SelectionSet", ())]
    return "{ " + " ".join(inner) + " }" if inner else ""


def _selection(node: dict[str, Any]) -> str:
    if "Alias" in node:
        alias = f"{node['Alias']}: " if node["Alias"] != node["Name"] else ""
        arguments = _in_parentheses(map(_argument, node.get("Arguments", ())))
        return f"{alias}{node['Name']}{arguments}{_directives(node)} {_selections(node)}"
    if "Name" in node:
        return f"...{node['Name']}{_directives(node)}"
    on = f" on {node['TypeCondition']}" if node.get("TypeCondition") else ""
    return f"...{on}{_directives(node)} {_selections(node)}"


def _argument(node: dict[str, Any]) -> str:
    return f"{node['Name']}: {_value(node['Value'])}"


def _directives(node: dict[str, Any]) -> str:
    found = node.get("Directives", ())
    return "".join(f" @{one['Name']}{_in_parentheses(map(_argument, one.get('Arguments', ())))}" for one in found)


def _in_parentheses(parts: Iterable[str]) -> str:
    inner = ", ".join(parts)
    return f"({inner})" if inner else ""


def _type(node: dict[str, Any]) -> str:
    text = f"[{_type(node['Elem'])}]" if "Elem" in node else node["NamedType"]
    return text + ("!" if node.get("NonNull") else "")


def _value(node: dict[str, Any]) -> str:
    kind, raw = node["Kind"], node.get("Raw", "")
    if kind == _VARIABLE:
        return f"${raw}"
    if kind in _STRINGS:
        return json.dumps(raw)
    children = node.get("Children", ())
    if kind == _LIST:
        return f"[{', '.join(_value(one['Value']) for one in children)}]"
    if kind == _OBJECT:
        return "{" + ", ".join(f"{one['Name']}: {_value(one['Value'])}" for one in children) + "}"
    return str(raw)


def _default(node: dict[str, Any]) -> str:
    return f" = {_value(node['DefaultValue'])}" if "DefaultValue" in node else ""


def _text(node: dict[str, Any]) -> str:
    return json.dumps(node["Description"]) + " " if node.get("Description") else ""


def _schema(node: dict[str, Any], word: str) -> str:
    types = [f"{one['Operation']}: {one['Type']}" for one in node.get("OperationTypes", ())]
    return f"{_text(node)}{word}{_directives(node)}" + (" { " + " ".join(types) + " }" if types else "")


def _directive_definition(node: dict[str, Any]) -> str:
    arguments = _in_parentheses(map(_input, node.get("Arguments", ())))
    repeatable = " repeatable" if node.get("IsRepeatable") else ""
    return f"{_text(node)}directive @{node['Name']}{arguments}{repeatable} on {' | '.join(node['Locations'])}"


def _definition(node: dict[str, Any], word: str) -> str:
    interfaces = node.get("Interfaces", ())
    text = f"{_text(node)}{word}{_KEYWORDS[node['Kind']]} {node['Name']}"
    text += f" implements {' & '.join(interfaces)}" if interfaces else ""
    text += _directives(node)
    members = [(_input if node["Kind"] == "INPUT_OBJECT" else _field)(one) for one in node.get("Fields", ())]
    members += [f"{_text(one)}{one['Name']}{_directives(one)}" for one in node.get("EnumValues", ())]
    types = node.get("Types", ())
    return text + (f" = {' | '.join(types)}" if types else "") + (" { " + " ".join(members) + " }" if members else "")


def _field(node: dict[str, Any]) -> str:
    arguments = _in_parentheses(map(_input, node.get("Arguments", ())))
    return f"{_text(node)}{node['Name']}{arguments}: {_type(node['Type'])}{_directives(node)}"


def _input(node: dict[str, Any]) -> str:
    return f"{_text(node)}{node['Name']}: {_type(node['Type'])}{_default(node)}{_directives(node)}"
