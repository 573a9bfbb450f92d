"""``{{ doc('name') }}`` in descriptions."""

from __future__ import annotations

from collections.abc import Mapping

import jinja2
from jinja2 import nodes

from compiler.facts.project.jinja_values import parse_template


def render_docs(text: str, docs: Mapping[str, str], package: str) -> str:
    """``text`` with each ``doc`` call replaced; as written where it is anything else or names no block.

    ``docs`` holds the blocks of all packages by ``package.name``.
    """
    try:
        body = parse_template(text).body
    except (jinja2.TemplateError, RecursionError):
        return text
    pieces: list[str] = []
    for part in body:
        found_nodes: list[nodes.Node] = list(part.nodes) if isinstance(part, nodes.Output) else [part]
        for node in found_nodes:
            found = _text(node, docs, package)
            if found is None:
                return text
            pieces.append(found)
    return "".join(pieces)


def _text(node: nodes.Node, docs: Mapping[str, str], package: str) -> str | None:
    if isinstance(node, nodes.TemplateData):
        return node.data
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name) or node.node.name != "doc":
        return None
    arguments = [a.value for a in node.args if isinstance(a, nodes.Const)]
    if len(arguments) == 2:
        return docs.get(f"{arguments[0]}.{arguments[1]}")
    if len(arguments) != 1:
        return None
    own = docs.get(f"{package}.{arguments[0]}")
    return own if own is not None else next((v for k, v in docs.items() if k.endswith(f".{arguments[0]}")), None)
