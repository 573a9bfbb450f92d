"""Raw SQL of a model with its Jinja made away with, as far as that is possible without dbt.

``ref`` and ``source`` become names that the caller can find again, loops over literal lists are unrolled, conditions
that are not constant count as not met, the project's own macros are written out, and any other call becomes a function
of SQL with the call's arguments, so that columns named in a macro's arguments still flow through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import jinja2
from jinja2 import nodes

from compiler.facts.lineage.macros import written_out
from compiler.facts.lineage.names import REF, SOURCE, THIS, relation_name
from compiler.facts.project.file_facts import UNKNOWN
from compiler.facts.project.jinja_values import Scope, Values, parse_template

_COLUMN = re.compile(r"[A-Za-z_][\w.]*\Z|\"[^\"]+\"\Z")
_SILENT = {"config", "log", "set_sql_header", "print", "return", "docs"}
_STAR = {"star", "get_filtered_columns_in_relation"}
MAX_ROUNDS = 1000
MAX_DEPTH = 8
_TYPE = re.compile(r"(^|_)type(_|\Z)")


def render(raw_code: str, variables: Mapping[str, Any], macros: Mapping[str, str], *, lone_calls: bool) -> str | None:
    """SQL that a parser may understand; None where the Jinja itself cannot be parsed.

    ``macros`` holds the texts of those that are written out, by name. With ``lone_calls`` false, a call that has a line
    to itself becomes nothing: it may stand for a clause, or for a whole CTE.
    """
    try:
        template = parse_template(raw_code)
        renderer = _Renderer(Values(variables), macros, lone_calls)
        renderer.body(template.body, {"execute": (False,)})
    except (jinja2.TemplateSyntaxError, RecursionError):
        return None
    return "".join(renderer.out)


class _Renderer:
    def __init__(self, values: Values, macros: Mapping[str, str], lone_calls: bool) -> None:
        self.values = values
        self.macros = macros
        self.lone_calls = lone_calls
        self.out: list[str] = []
        self.rounds = 0
        self.depth = 0

    def body(self, statements: Iterable[nodes.Node], scope: Scope) -> dict[str, tuple[Any, ...]]:
        local = dict(scope)
        for node in statements:
            if isinstance(node, nodes.Output):
                for index, part in enumerate(node.nodes):
                    if isinstance(part, nodes.TemplateData):
                        self.out.append(part.data)
                    elif self.lone_calls or not self._alone(part, node.nodes[index + 1 :]):
                        self.out.append(self.expression(part, local))
            elif isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
                value = self.values.single(node.node, local)
                local[node.target.name] = (list(value) if isinstance(value, list) else value,)
            elif isinstance(node, nodes.AssignBlock) and isinstance(node.target, nodes.Name):
                local[node.target.name] = (self._apart(node.body, local),)
            elif isinstance(node, nodes.ExprStmt):
                self._appended(node.node, local)
            elif isinstance(node, nodes.If):
                local.update(self._if(node, local))
            elif isinstance(node, nodes.For):
                self._for(node, local)
            elif isinstance(node, nodes.Macro) and node.name.startswith("snapshot "):
                self.body(node.body, local)
        return local

    def _apart(self, statements: Iterable[nodes.Node], scope: Scope) -> str:
        """The text of statements that stand for a value, not where they are written."""
        outer, self.out = self.out, []
        self.body(statements, scope)
        text, self.out = "".join(self.out), outer
        return text

    def _appended(self, node: nodes.Node, scope: Scope) -> None:
        """``do list.append(value)``: all scopes that know the list see it, as in Jinja."""
        if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and len(node.args) == 1):
            return
        held = self.values.single(node.node.node, scope)
        if node.node.attr == "append" and isinstance(held, list):
            value = self.values.single(node.args[0], scope)
            held.append(self.expression(node.args[0], scope) if value is UNKNOWN else value)

    def _alone(self, part: nodes.Node, rest: list[nodes.Expr]) -> bool:
        """True for a call of a macro, not of ``ref`` or ``source``, with nothing else in its line."""
        if not isinstance(part, nodes.Call) or (
            isinstance(part.node, nodes.Name) and part.node.name in ("ref", "source")
        ):
            return False
        before = next((t for t in reversed(self.out) if t), "\n").rpartition("\n")[2]
        after = rest[0].data.partition("\n")[0] if rest and isinstance(rest[0], nodes.TemplateData) else ""
        return not before.strip() and not after.strip()

    def _if(self, node: nodes.If, scope: Scope) -> dict[str, tuple[Any, ...]]:
        for branch in [node, *node.elif_]:
            test = self.values.single(branch.test, scope)
            if test is not UNKNOWN and test:
                return self.body(branch.body, scope)
        if node.else_ or len(node.elif_):
            return self.body(node.else_, scope)
        return dict(scope)

    def _for(self, node: nodes.For, scope: Scope) -> None:
        items = self.values.single(node.iter, scope)
        known = list(items) if isinstance(items, list | tuple | dict) else [UNKNOWN]
        for index, item in enumerate(known):
            self.rounds += 1
            if self.rounds > MAX_ROUNDS:
                return
            loop = {"last": index == len(known) - 1, "first": index == 0, "index": index + 1, "index0": index}
            inner = {**scope, "loop": (loop,)}
            if isinstance(node.target, nodes.Name):
                inner[node.target.name] = (item,)
            elif isinstance(node.target, nodes.Tuple) and isinstance(item, list | tuple):
                inner.update(
                    {t.name: (v,) for t, v in zip(node.target.items, item, strict=False) if isinstance(t, nodes.Name)}
                )
            self.body(node.body, inner)

    def expression(self, node: nodes.Node, scope: Scope) -> str:
        if isinstance(node, nodes.Filter) and node.name == "join" and node.node is not None:
            joined = self.values.single(node.node, scope)
            between = self.values.single(node.args[0], scope) if node.args else ""
            if isinstance(joined, list | tuple) and isinstance(between, str):
                return between.join("null" if part is UNKNOWN else str(part) for part in joined)
        value = self.values.single(node, scope)
        if value is not UNKNOWN:
            return "" if value is None else str(value)
        if isinstance(node, nodes.Filter) and node.node is not None:
            return self.expression(node.node, scope)
        if isinstance(node, nodes.CondExpr):
            return self.expression(node.expr2, scope) if node.expr2 is not None else ""
        if isinstance(node, nodes.Call):
            return self._call(node, scope)
        if isinstance(node, nodes.Name) and node.name == "this":
            return THIS
        return "null"

    def _call(self, call: nodes.Call, scope: Scope) -> str:
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        if isinstance(call.node, nodes.Getattr):
            name = call.node.attr
        arguments = [self.values.single(a, scope) for a in call.args]
        texts = [a for a in arguments if isinstance(a, str)]
        if name == "ref" and texts and len(texts) == len(arguments):
            version = next((self.values.single(k.value, scope) for k in call.kwargs if k.key in ("v", "version")), None)
            package = texts[0] if len(texts) == 2 else ""
            return relation_name(REF, texts[-1], package, "" if version in (None, UNKNOWN) else str(version))
        if name == "source" and len(texts) == 2:
            return relation_name(SOURCE, *texts)
        if name in _SILENT:
            return ""
        if name in _STAR:
            return "*"
        if name in self.macros and self.depth < MAX_DEPTH:
            return self._expanded(name, call, scope)
        known = {k.key: self._texts(k.value, scope) for k in call.kwargs}
        written = written_out(name, [self._texts(a, scope) for a in call.args], known)
        if written is not None:
            return written
        if _TYPE.search(name):
            return "varchar"
        found = [t for a in [*call.args, *(k.value for k in call.kwargs)] for t in self._arguments(a, scope)]
        return f"{name or 'jinja'}({', '.join(found)})"

    def _expanded(self, name: str, call: nodes.Call, scope: Scope) -> str:
        """The text of a macro with its arguments in their places."""
        macro = next((m for m in parse_template(self.macros[name]).body if isinstance(m, nodes.Macro)), None)
        if macro is None:
            return ""
        given = dict(zip((a.name for a in macro.args), call.args, strict=False)) | {k.key: k.value for k in call.kwargs}
        inner: dict[str, tuple[Any, ...]] = {"execute": (False,)}
        if macro.defaults:
            for argument, default in zip(macro.args[-len(macro.defaults) :], macro.defaults, strict=True):
                inner[argument.name] = (self.values.single(default, {}),)
        for key, node in given.items():
            value = self.values.single(node, scope)
            inner[key] = (self.expression(node, scope) if value is UNKNOWN else value,)
        self.depth += 1
        text = self._apart(macro.body, inner)
        self.depth -= 1
        return text.strip()

    def _texts(self, node: nodes.Node, scope: Scope) -> list[str]:
        """The SQL of an argument, of each item where it is a list."""
        if isinstance(node, nodes.List | nodes.Tuple):
            return [self.expression(item, scope) for item in node.items]
        value = self.values.single(node, scope)
        if value is UNKNOWN:
            return [self.expression(node, scope)]
        return [str(item) for item in (value if isinstance(value, list) else [value]) if item is not None]

    def _arguments(self, node: nodes.Node, scope: Scope) -> list[str]:
        value = self.values.single(node, scope)
        items = value if isinstance(value, list) else [value]
        found = []
        for item in items:
            if isinstance(item, str):
                found.append(item if _COLUMN.match(item) else "'" + item.replace("'", "''") + "'")
            elif item is UNKNOWN:
                found.append(self.expression(node, scope))
            elif item is not None:
                found.append(str(item))
        return found
