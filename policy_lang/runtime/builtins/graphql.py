"""GraphQL: whether schemas, and queries against them, are valid. Operands are texts; OPA's syntax trees
as objects are not taken."""

from __future__ import annotations

from typing import Any

from policy_lang.runtime.builtins.registry import builtin


def _schema(text: str) -> Any:
    """The schema of a text, or None where it is not valid. An extension of a type that is not defined
    defines it, and a schema may lack a query type, as in OPA."""
    from graphql import GraphQLError, build_ast_schema, parse, validate_schema
    from graphql.language import ast
    from graphql.validation.validate import validate_sdl

    try:
        document = parse(text)
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
        if validate_sdl(document):
            return None
        schema = build_ast_schema(document, assume_valid_sdl=True)
    except (GraphQLError, TypeError):
        return None
    errors = [error for error in validate_schema(schema) if "Query root type" not in error.message]
    return None if errors else schema


@builtin("graphql.schema_is_valid", "string")
def schema_is_valid(schema: str) -> bool:
    return _schema(schema) is not None
