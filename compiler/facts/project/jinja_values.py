"""Values of Jinja expressions as far as they are constant: literals, ``var`` and ``env_var`` defaults, ``~``, loops.

Nothing is ever called or rendered: the syntax tree is read. An expression may have several possible values (the
variable of a loop over a literal list); where dbt alone can tell, the answer is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from compiler.facts.project.file_facts import UNKNOWN

MAX_VALUES = 64


Scope = Mapping[str, tuple[Any, ...]]


class DbtBlocks(Extension):
    """The tags that dbt adds to Jinja, parsed as macros whose names start with the tag."""

    tags = {"snapshot", "test", "data_test", "materialization", "docs"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """A ``Macro`` node called ``<tag> <name>`` with the block's body."""
        token = next(parser.stream)
        tag = token.value
        name = parser.parse_assign_target(name_only=True).name
        node = nodes.Macro(lineno=token.lineno)
        node.args, node.defaults = [], []
        if parser.stream.current.type == "lparen":
            parser.parse_signature(node)
        adapter = "default"
        while parser.stream.current.type != "block_end":
            if parser.stream.current.type == "eof":
                parser.fail(f"the tag `{tag}` does not end", token.lineno)
            if next(parser.stream).value == "adapter" and parser.stream.current.type == "assign":
                adapter = str(parser.stream.look().value)
        node.name = f"{tag} {name}" + (f"_{adapter}" if tag == "materialization" else "")
        node.body = parser.parse_statements((f"name:end{tag}",), drop_needle=True)
        return node


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Jinja with dbt's tags, never used to render."""
    return jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", DbtBlocks], autoescape=False)


@lru_cache(maxsize=256)
def parse_template(text: str) -> nodes.Template:
    """The syntax tree of a text; raises ``jinja2.TemplateSyntaxError``."""
    return environment().parse(text)


class Values:
    """Evaluates expressions with the variables of one package."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables

    def of(self, node: nodes.Node, scope: Scope) -> tuple[Any, ...]:
        """All possible values; ``(UNKNOWN,)`` where it is not constant."""
        kind = type(node)
        if kind is nodes.Const:
            return (node.value,)  # type: ignore[attr-defined]
        if kind is nodes.TemplateData:
            return (node.data,)  # type: ignore[attr-defined]
        if isinstance(node, nodes.Name):
            return scope.get(node.name, (UNKNOWN,))
        if isinstance(node, nodes.Call):
            return self._call(node, scope)
        if isinstance(node, nodes.CondExpr):
            return self._conditional(node, scope)
        if isinstance(node, nodes.Dict):
            return self._dict(node, scope)
        if isinstance(node, nodes.And | nodes.Or):
            return self._logic(node, scope)
        parts = _operands(node)
        if parts is None:
            return (UNKNOWN,)
        return self._combine(parts, scope, lambda values: _apply(node, values))

    def single(self, node: nodes.Node, scope: Scope) -> Any:
        """The one possible value, or UNKNOWN."""
        found = self.of(node, scope)
        return found[0] if len(found) == 1 else UNKNOWN

    def _combine(self, parts: Iterable[nodes.Node], scope: Scope, apply: Any) -> tuple[Any, ...]:
        choices = [self.of(part, scope) for part in parts]
        found: list[Any] = []
        for values in product(*choices):
            result = UNKNOWN if UNKNOWN in values else apply(list(values))
            if result not in found:
                found.append(result)
            if len(found) > MAX_VALUES:
                return (UNKNOWN,)
        return tuple(found)

    def _dict(self, node: nodes.Dict, scope: Scope) -> tuple[Any, ...]:
        pairs = [(self.single(p.key, scope), self.single(p.value, scope)) for p in node.items]
        if any(k is UNKNOWN or v is UNKNOWN or not isinstance(k, str) for k, v in pairs):
            return (UNKNOWN,)
        return (dict(pairs),)

    def _conditional(self, node: nodes.CondExpr, scope: Scope) -> tuple[Any, ...]:
        test = self.single(node.test, scope)
        if test is UNKNOWN:
            return (UNKNOWN,)
        if test:
            return self.of(node.expr1, scope)
        return (None,) if node.expr2 is None else self.of(node.expr2, scope)

    def _logic(self, node: nodes.And | nodes.Or, scope: Scope) -> tuple[Any, ...]:
        """``and`` and ``or``, decided also where one side alone decides."""
        left, right = self.single(node.left, scope), self.single(node.right, scope)
        deciding = isinstance(node, nodes.Or)
        for side in (left, right):
            if side is not UNKNOWN and bool(side) is deciding:
                return (side,)
        return (UNKNOWN,) if left is UNKNOWN else (right,)

    def _call(self, node: nodes.Call, scope: Scope) -> tuple[Any, ...]:
        if not isinstance(node.node, nodes.Name):
            return (UNKNOWN,)
        function = node.node.name
        if function == "is_incremental":
            return (False,)
        if function == "return" and len(node.args) == 1:
            return self.of(node.args[0], scope)
        if function not in ("var", "env_var") or not node.args:
            return (UNKNOWN,)
        name = self.single(node.args[0], scope)
        default = (
            node.args[1] if len(node.args) > 1 else next((k.value for k in node.kwargs if k.key == "default"), None)
        )
        if function == "var" and isinstance(name, str) and name in self.variables:
            value = self.variables[name]
            return (UNKNOWN,) if isinstance(value, str) and "{{" in value else (value,)
        return (UNKNOWN,) if default is None else self.of(default, scope)

    def text(self, text: str) -> Any:
        """A text of YAML with its Jinja evaluated (alone, it keeps its type); UNKNOWN where it is not constant."""
        try:
            body = parse_template(text).body
        except jinja2.TemplateError:
            return text
        except RecursionError:  # nested too deeply: what it says is not known
            return UNKNOWN
        pieces: list[Any] = []
        for part in body:
            if not isinstance(part, nodes.Output):
                return UNKNOWN
            pieces.extend(self.single(n, {"execute": (False,)}) for n in part.nodes)
        if any(p is UNKNOWN for p in pieces):
            return UNKNOWN
        return pieces[0] if len(pieces) == 1 else "".join(str(p) for p in pieces)


_BINARY = (nodes.Add, nodes.Sub)
_FILTERS = {"as_bool", "as_native", "as_text", "as_number", "lower", "upper", "trim", "string", "int", "list"}


def _operands(node: nodes.Node) -> list[nodes.Node] | None:
    """The subexpressions of those operators that are evaluated; None for the others."""
    if isinstance(node, nodes.List | nodes.Tuple):
        return list(node.items)
    if isinstance(node, nodes.Concat):
        return list(node.nodes)
    if isinstance(node, _BINARY):
        return [node.left, node.right]
    if isinstance(node, nodes.Not | nodes.Neg):
        return [node.node]
    if isinstance(node, nodes.Compare):
        return [node.expr, *(op.expr for op in node.ops)]
    if isinstance(node, nodes.Getattr):
        return [node.node]
    if isinstance(node, nodes.Getitem):
        return [node.node, node.arg]
    if isinstance(node, nodes.Filter) and node.name in _FILTERS and node.node is not None and not node.args:
        return [node.node]
    return None


def _apply(node: nodes.Node, values: list[Any]) -> Any:
    try:
        return _operate(node, values)
    except (TypeError, ValueError, KeyError, IndexError):
        return UNKNOWN


def _operate(node: nodes.Node, values: list[Any]) -> Any:
    if isinstance(node, nodes.List | nodes.Tuple):
        return values
    if isinstance(node, nodes.Concat):
        return "".join(str(v) for v in values)
    if isinstance(node, nodes.Compare):
        return _compare(node, values)
    if isinstance(node, nodes.Getattr):
        return values[0][node.attr] if isinstance(values[0], dict) else UNKNOWN
    if isinstance(node, nodes.Getitem):
        return values[0][values[1]]
    if isinstance(node, nodes.Filter):
        return _filter(node.name, values[0])
    if isinstance(node, nodes.Not):
        return not values[0]
    if isinstance(node, nodes.Neg):
        return -values[0]
    left, right = values
    return left + right if isinstance(node, nodes.Add) else left - right


def _compare(node: nodes.Compare, values: list[Any]) -> Any:
    if len(node.ops) != 1:
        return UNKNOWN
    left, right = values
    operators: dict[str, Callable[[], bool]] = {
        "eq": lambda: left == right,
        "ne": lambda: left != right,
        "gt": lambda: left > right,
        "gteq": lambda: left >= right,
        "lt": lambda: left < right,
        "lteq": lambda: left <= right,
        "in": lambda: left in right,
        "notin": lambda: left not in right,
    }
    return operators[node.ops[0].op]()


def _filter(name: str, value: Any) -> Any:
    if name in ("lower", "upper", "trim"):
        text = str(value)
        return text.strip() if name == "trim" else text.lower() if name == "lower" else text.upper()
    if name in ("as_text", "string"):
        return str(value)
    if name in ("as_number", "int"):
        return int(value)
    if name == "as_bool":
        return {"true": True, "false": False}.get(str(value).lower(), UNKNOWN)
    return list(value) if name == "list" else value
