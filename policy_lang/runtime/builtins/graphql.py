"""GraphQL: reading schemas and queries, and whether they are valid. Operands are texts, or the trees that the
reading builtins give."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from policy_lang.runtime.builtins.graphql_text import query_text, schema_text
from policy_lang.runtime.builtins.graphql_tree import query_tree, schema_tree
from policy_lang.runtime.builtins.registry import BuiltinError, builtin
from policy_lang.runtime.values import RegoSet

_OPERAND = "string|object"
_NOTHING: list[Any] = [False, {}, {}]


class _Invalid(Exception):
    """A text that cannot be read, or a schema that is not valid."""


def _document(operand: Any, text_of: Callable[[dict[str, Any]], str]) -> Any:
    from graphql import GraphQLError, parse
    from graphql.language import ast

    try:
        if type(operand) is RegoSet:
            raise _Invalid("a set is no GraphQL document")
        text = operand if type(operand) is str else text_of(operand)
        if not text.strip():
            return ast.DocumentNode(definitions=())
        return parse(text, **_options())
    except GraphQLError as error:
        raise _Invalid(error.message) from None
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _Invalid(f"this is no tree of a GraphQL document: {error!r}") from None


@functools.cache
def _options() -> dict[str, Any]:
    """Variables of fragments are read, empty selections are not; graphql-core 3.2 and 3.3 name that differently."""
    import inspect

    from graphql import parse

    wanted = {
        "allow_legacy_fragment_variables": True,
        "experimental_fragment_arguments": True,
        "allow_empty_selection_sets": False,
    }
    known = inspect.signature(parse).parameters
    return {name: value for name, value in wanted.items() if name in known}


def _query_document(operand: Any) -> Any:
    found = _document(operand, query_text)
    for node in found.definitions:
        if node.kind not in ("operation_definition", "fragment_definition"):
            raise _Invalid(f"Unexpected {node.kind.replace('_', ' ')} in a query")
    return found


def _schema_document(operand: Any) -> Any:
    found = _document(operand, schema_text)
    for node in found.definitions:
        if node.kind in ("operation_definition", "fragment_definition"):
            raise _Invalid(f"Unexpected {node.kind.replace('_', ' ')} in a schema")
    return found


def _schema(document: Any) -> Any:
    """The schema of a document. An extension of a type that is not defined defines it, and a schema may lack a
    query type, as in OPA.

    Raises:
        _Invalid: the schema is not valid.
    """
    from graphql import GraphQLError, build_ast_schema, validate_schema
    from graphql.language import ast
    from graphql.validation.validate import validate_sdl

    try:
        defined = {n.name.value for n in document.definitions if isinstance(n, ast.TypeDefinitionNode)}
        nodes: list[Any] = []
        for node in document.definitions:
            if isinstance(node, ast.ObjectTypeExtensionNode) and node.name.value not in defined:
                defined.add(node.name.value)
                fields = {key: getattr(node, key) for key in ("loc", "name", "directives", "interfaces", "fields")}
                nodes.append(ast.ObjectTypeDefinitionNode(**fields))
            else:
                nodes.append(node)
        document = ast.DocumentNode(definitions=tuple(nodes))
        if errors := validate_sdl(document):
            raise _Invalid(errors[0].message)
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except (GraphQLError, TypeError) as error:
        raise _Invalid(str(error)) from None
    errors = [error for error in validate_schema(schema) if "Query root type" not in error.message]
    if errors:
        raise _Invalid(errors[0].message)
    return schema


def _validate(query: Any, schema: Any) -> None:
    from graphql import validate

    if not query.definitions:
        return
    if schema.query_type is None:
        schema = _with_query(schema)
    if errors := validate(schema, query):
        raise _Invalid(errors[0].message)


def _with_query(schema: Any) -> Any:
    """graphql-core checks no query against a schema without a query type: give it one that has nothing."""
    from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, GraphQLString

    arguments = schema.to_kwargs()
    arguments["query"] = GraphQLObjectType("Query", {"_": GraphQLField(GraphQLString)})
    return GraphQLSchema(**{**arguments, "assume_valid": True})


def _failed(name: str, error: _Invalid) -> BuiltinError:
    return BuiltinError("eval_builtin_error", f"{name}: {error}")


@builtin("graphql.parse_query", "string")
def parse_query(query: str) -> dict[str, Any]:
    try:
        return query_tree(_query_document(query))
    except _Invalid as error:
        raise _failed("graphql.parse_query", error) from None


@builtin("graphql.parse_schema", "string")
def parse_schema(schema: str) -> dict[str, Any]:
    try:
        return schema_tree(_schema_document(schema))
    except _Invalid as error:
        raise _failed("graphql.parse_schema", error) from None


@builtin("graphql.parse", _OPERAND, _OPERAND)
def parse(query: Any, schema: Any) -> list[Any]:
    """Both trees, of a query that is valid against a schema."""
    try:
        return _both(query, schema)
    except _Invalid as error:
        raise _failed("graphql.parse", error) from None


def _both(query: Any, schema: Any) -> list[Any]:
    query_document, schema_document = _query_document(query), _schema_document(schema)
    _validate(query_document, _schema(schema_document))
    return [query_tree(query_document), schema_tree(schema_document)]


@builtin("graphql.parse_and_verify", "any", "any")
def parse_and_verify(query: Any, schema: Any) -> list[Any]:
    """``[true, query, schema]`` as trees, or ``[false, {}, {}]``."""
    try:
        return [True, *_both(query, schema)]
    except _Invalid:
        return _NOTHING


@builtin("graphql.is_valid", "any", "any")
def is_valid(query: Any, schema: Any) -> bool:
    try:
        _both(query, schema)
    except _Invalid:
        return False
    return True


@builtin("graphql.schema_is_valid", "any")
def schema_is_valid(schema: Any) -> bool:
    try:
        _schema(_schema_document(schema))
    except _Invalid:
        return False
    return True
