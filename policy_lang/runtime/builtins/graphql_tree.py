"""GraphQL documents as the objects that OPA gives policies (the shape of its Go parser's tree, without
positions, comments, and what is empty)."""

from __future__ import annotations

from typing import Any

_VALUE_KINDS = {
    "variable": 0,
    "int_value": 1,
    "float_value": 2,
    "string_value": 3,
    "boolean_value": 5,
    "null_value": 6,
    "enum_value": 7,
    "list_value": 8,
    "object_value": 9,
}
_BLOCK = 4
_DEFINITION_KINDS = {
    "scalar_type": "SCALAR",
    "object_type": "OBJECT",
    "interface_type": "INTERFACE",
    "union_type": "UNION",
    "enum_type": "ENUM",
    "input_object_type": "INPUT_OBJECT",
}


def query_tree(document: Any) -> dict[str, Any]:
    """A query document of graphql-core."""
    operations = [_operation(node) for node in document.definitions if node.kind == "operation_definition"]
    fragments = [_fragment(node) for node in document.definitions if node.kind == "fragment_definition"]
    found: dict[str, Any] = _pruned({"Operations": operations, "Fragments": fragments})
    return found


def schema_tree(document: Any) -> dict[str, Any]:
    """A schema document of graphql-core."""
    found: dict[str, list[Any]] = {
        "Schema": [],
        "SchemaExtension": [],
        "Directives": [],
        "Definitions": [],
        "Extensions": [],
    }
    for node in document.definitions:
        if node.kind == "schema_definition":
            found["Schema"].append(_schema(node))
        elif node.kind == "schema_extension":
            found["SchemaExtension"].append(_schema(node))
        elif node.kind == "directive_definition":
            found["Directives"].append(_directive_definition(node))
        else:
            what = "Extensions" if node.kind.endswith("_extension") else "Definitions"
            found[what].append(_definition(node))
    pruned: dict[str, Any] = _pruned(found)
    return pruned


def _pruned(value: Any) -> Any:
    """Without nulls and empty collections."""
    if isinstance(value, dict):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None and item not in ([], {})}
    return [_pruned(item) for item in value] if isinstance(value, list) else value


def _name(node: Any) -> str:
    return node.name.value if node.name is not None else ""


def _text(node: Any) -> str:
    return node.description.value if getattr(node, "description", None) is not None else ""


def _operation(node: Any) -> dict[str, Any]:
    return {
        "Name": _name(node),
        "Operation": node.operation.value,
        "VariableDefinitions": [_variable(one) for one in node.variable_definitions or ()],
        "Directives": _directives(node),
        "SelectionSet": _selections(node.selection_set),
    }


def _fragment(node: Any) -> dict[str, Any]:
    return {
        "Name": _name(node),
        "VariableDefinition": [_variable(one) for one in getattr(node, "variable_definitions", None) or ()],
        "TypeCondition": node.type_condition.name.value,
        "Directives": _directives(node),
        "SelectionSet": _selections(node.selection_set),
    }


def _variable(node: Any) -> dict[str, Any]:
    return {
        "Variable": node.variable.name.value,
        "Type": _type(node.type),
        "DefaultValue": None if node.default_value is None else _value(node.default_value),
        "Directives": _directives(node),
        "Used": False,
    }


def _selections(selected: Any) -> list[dict[str, Any]]:
    return [_selection(node) for node in selected.selections] if selected is not None else []


def _selection(node: Any) -> dict[str, Any]:
    if node.kind == "fragment_spread":
        return {"Name": _name(node), "Directives": _directives(node)}
    if node.kind == "inline_fragment":
        return {
            "TypeCondition": node.type_condition.name.value if node.type_condition is not None else "",
            "Directives": _directives(node),
            "SelectionSet": _selections(node.selection_set),
        }
    return {
        "Alias": node.alias.value if node.alias is not None else _name(node),
        "Name": _name(node),
        "Arguments": _arguments(node),
        "Directives": _directives(node),
        "SelectionSet": _selections(node.selection_set),
    }


def _arguments(node: Any) -> list[dict[str, Any]]:
    return [{"Name": _name(one), "Value": _value(one.value)} for one in node.arguments or ()]


def _directives(node: Any) -> list[dict[str, Any]]:
    return [{"Name": _name(one), "Arguments": _arguments(one), "Location": ""} for one in node.directives or ()]


def _type(node: Any) -> dict[str, Any]:
    if node.kind == "non_null_type":
        return {**_type(node.type), "NonNull": True}
    if node.kind == "list_type":
        return {"NamedType": "", "Elem": _type(node.type), "NonNull": False}
    return {"NamedType": _name(node), "NonNull": False}


def _value(node: Any) -> dict[str, Any]:
    kind = _BLOCK if node.kind == "string_value" and node.block else _VALUE_KINDS[node.kind]
    found: dict[str, Any] = {"Kind": kind, "Raw": "", "ExpectedTypeHasDefault": False}
    if node.kind == "variable":
        found["Raw"] = _name(node)
    elif node.kind == "list_value":
        found["Children"] = [{"Name": "", "Value": _value(one)} for one in node.values]
    elif node.kind == "object_value":
        found["Children"] = [{"Name": _name(one), "Value": _value(one.value)} for one in node.fields]
    elif node.kind == "null_value":
        found["Raw"] = "null"
    else:
        found["Raw"] = str(node.value).lower() if node.kind == "boolean_value" else node.value
    return found


# --------------------------------------------------------------------------- schemas


def _schema(node: Any) -> dict[str, Any]:
    types = [{"Operation": one.operation.value, "Type": one.type.name.value} for one in node.operation_types or ()]
    return {"Description": _text(node), "Directives": _directives(node), "OperationTypes": types}


def _directive_definition(node: Any) -> dict[str, Any]:
    return {
        "Description": _text(node),
        "Name": _name(node),
        "Arguments": [_input(one) for one in node.arguments or ()],
        "Locations": [one.value for one in node.locations],
        "IsRepeatable": node.repeatable,
    }


def _definition(node: Any) -> dict[str, Any]:
    kind = node.kind.removesuffix("_definition").removesuffix("_extension")
    inputs = kind == "input_object_type"
    values = [
        {"Description": _text(one), "Name": _name(one), "Directives": _directives(one)}
        for one in getattr(node, "values", None) or ()
    ]
    return {
        "Kind": _DEFINITION_KINDS[kind],
        "Description": _text(node),
        "Name": _name(node),
        "Directives": _directives(node),
        "Interfaces": [_name(one) for one in getattr(node, "interfaces", None) or ()],
        "Fields": [(_input if inputs else _field)(one) for one in getattr(node, "fields", None) or ()],
        "Types": [_name(one) for one in getattr(node, "types", None) or ()],
        "EnumValues": values,
        "BuiltIn": False,
    }


def _field(node: Any) -> dict[str, Any]:
    return {
        "Description": _text(node),
        "Name": _name(node),
        "Arguments": [_input(one) for one in node.arguments or ()],
        "Type": _type(node.type),
        "Directives": _directives(node),
    }


def _input(node: Any) -> dict[str, Any]:
    return {
        "Description": _text(node),
        "Name": _name(node),
        "DefaultValue": None if node.default_value is None else _value(node.default_value),
        "Type": _type(node.type),
        "Directives": _directives(node),
    }
