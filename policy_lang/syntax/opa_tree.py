"""Modules as the JSON that OPA makes of its syntax tree: what ``rego.parse_module`` gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from policy_lang.diagnostics import DiagnosticError
from policy_lang.source import Source
from policy_lang.syntax import ast
from policy_lang.syntax.parser import parse_module

Node = dict[str, Any]


def module_tree(file: str, text: str) -> Node:
    """The tree of a Rego module.

    Raises:
        DiagnosticError: it does not parse.
    """
    parsed = parse_module(Source(file if file.endswith(".rego") else f"{file}.rego", text))
    if parsed.value is None:
        raise DiagnosticError(*parsed.diagnostics)
    return _Tree().module(parsed.value)


class _Tree:
    def __init__(self) -> None:
        self._wildcards = itertools.count()

    def module(self, module: ast.Module) -> Node:
        made: Node = {"package": {"path": [_node("var", "data"), *(_node("string", n) for n in module.package.path)]}}
        if module.imports:
            made["imports"] = [self._import(one) for one in module.imports]
        if module.rules:
            made["rules"] = [self._rule(one) for one in module.rules]
        return made

    def _import(self, imported: ast.Import) -> Node:
        alias = {"alias": imported.alias} if imported.alias else {}
        return {"path": self.term(imported.path), **alias}

    def _rule(self, rule: ast.Rule) -> Node:
        made: Node = {"head": self._head(rule.head), "body": self._body(rule.body)}
        if rule.default:
            made["default"] = True
        inner = made
        for other in rule.elses:
            head = {**self._head(rule.head), "assign": True}
            head["value"] = _node("boolean", True) if other.value is None else self.term(other.value)
            inner["else"] = {"head": head, "body": self._body(other.body)}
            inner = inner["else"]
        return made

    def _head(self, head: ast.Head) -> Node:
        made: Node = {"ref": [self.term(head.ref.head), *map(self.term, head.ref.path)]}
        if not head.ref.path and isinstance(head.ref.head, ast.Var):
            made["name"] = head.ref.head.name
        if head.args:
            made["args"] = [self.term(arg) for arg in head.args]
        if head.key is not None:
            made["key"] = self.term(head.key)
        else:
            made["value"] = _node("boolean", True) if head.value is None else self.term(head.value)
        return made | ({"assign": True} if head.assign == ":=" else {})

    def _body(self, body: ast.Body) -> list[Node]:
        if not body:
            return [{"generated": True, "index": 0, "terms": _node("boolean", True)}]
        return [{"index": index, **self._literal(literal)} for index, literal in enumerate(body)]

    def _literal(self, literal: ast.Literal) -> Node:
        made: Node
        match literal:
            case ast.Expr(term=ast.Call() as call):
                made = {"terms": [self._operator(call.operator), *map(self.term, call.args)]}
            case ast.Expr():
                made = {"terms": self.term(literal.term)}
            case ast.NotBody():
                made = {"terms": {"body": self._body(literal.body)}, "negated": True}
            case ast.SomeDecl():
                made = {"terms": {"symbols": [self.term(name) for name in literal.names]}}
            case ast.SomeIn():
                parts = (*((literal.key,) if literal.key is not None else ()), literal.value, literal.collection)
                member = ast.Ref(
                    ast.Var("internal", span=literal.span),
                    (ast.String(f"member_{len(parts)}", span=literal.span),),
                    span=literal.span,
                )
                made = {"terms": {"symbols": [self.term(ast.Call(member, parts, span=literal.span))]}}
            case ast.Every():
                key = None if literal.key is None else self.term(literal.key)
                made = {
                    "terms": {
                        "domain": self.term(literal.domain),
                        "key": key,
                        "value": self.term(literal.value),
                        "body": self._body(literal.body),
                    }
                }
        if isinstance(literal, ast.Expr) and literal.negated:
            made["negated"] = True
        if withs := getattr(literal, "withs", ()):
            made["with"] = [{"target": self._operator(one.target), "value": self.term(one.value)} for one in withs]
        return made

    def _operator(self, operator: ast.Var | ast.Ref) -> Node:
        return _node("ref", [_node("var", operator.name)]) if isinstance(operator, ast.Var) else self.term(operator)

    def term(self, term: ast.Term) -> Node:
        match term:
            case ast.Null():
                return _node("null", {})
            case ast.Boolean():
                return _node("boolean", term.value)
            case ast.Number():
                number = Decimal(term.text)
                return _node("number", int(term.text) if term.text.lstrip("-").isdigit() else number)
            case ast.String():
                return _node("string", term.value)
            case ast.Var(name="input" | "data"):
                return _node("ref", [_node("var", term.name)])
            case ast.Var():
                return _node("var", f"${next(self._wildcards)}" if term.name == "_" else term.name)
            case ast.Ref():
                head = _node("var", term.head.name) if isinstance(term.head, ast.Var) else self.term(term.head)
                return _node("ref", [head, *map(self.term, term.path)])
            case ast.Call():
                return _node("call", [self._operator(term.operator), *map(self.term, term.args)])
            case ast.Array():
                return _node("array", self._terms(term.items))
            case ast.SetTerm():
                return _node("set", self._terms(term.items))
            case ast.Object():
                return _node("object", [[self.term(key), self.term(value)] for key, value in term.items])
            case ast.ArrayCompr() | ast.SetCompr():
                kind = "arraycomprehension" if isinstance(term, ast.ArrayCompr) else "setcomprehension"
                return _node(kind, {"term": self.term(term.term), "body": self._body(term.body)})
            case ast.ObjectCompr():
                parts = {"key": self.term(term.key), "value": self.term(term.value), "body": self._body(term.body)}
                return _node("objectcomprehension", parts)
            case ast.Template():
                parts_of = [_node("string", p) if isinstance(p, str) else self.term(p) for p in term.parts]
                return _node("templatestring", {"parts": parts_of, "multi_line": term.raw})
            case ast.Logical():
                return _node(term.op, {"left": self._body(term.left), "right": self._body(term.right)})

    def _terms(self, terms: Sequence[ast.Term]) -> list[Node]:
        return [self.term(term) for term in terms]


def _node(kind: str, value: Any) -> Node:
    return {"type": kind, "value": value}
