"""Syntax tree → Rego text that parses back to the same tree: for programs, not for people's files.

Whatever could be read in two ways is put in parentheses. Comments are not kept (the formatter keeps
them); bodies stand one literal a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

from policy_lang.source import Span
from policy_lang.syntax import ast

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def write_module(module: ast.Module) -> str:
    """A module of rules as text. Policies, params and tests must have been made into rules before."""
    floe = (ast.Import(_ref("rego", "v2", span=module.span), span=module.span),) if module.floe else ()
    imports = [*floe, *(i for i in module.imports if not (module.floe and _is_syntax(i)))]
    blocks = [f"package {package_path(module.package.path)}"]
    if imports:
        blocks.append("\n".join(map(_import, imports)))
    blocks += [_annotated(rule) for rule in module.rules]
    return "\n\n".join(blocks) + "\n"


def write_rule(rule: ast.Rule) -> str:
    """One rule."""
    head = rule.head
    text = _reference(head.ref)
    if head.args is not None:
        text += "(" + ", ".join(map(write_term, head.args)) + ")"
    if head.key is not None:
        text += " contains " + _member(head.key)
    if head.value is not None:
        text += f" {head.assign or ':='} {_operand(head.value)}"
    if rule.default:
        return "default " + text
    text += f" if {_block(rule.body, 0)}" if rule.body else ""
    for other in rule.elses:
        text += " else"
        text += "" if other.value is None else f" := {_operand(other.value)}"
        text += f" if {_block(other.body, 0)}" if other.body else ""
    return text


def _member(key: ast.Term) -> str:
    """A member of a partial set; a record stands one field a line."""
    if not isinstance(key, ast.Object) or len(key.items) < 3:
        return _operand(key)
    return "{\n" + "".join(f"\t{_operand(k)}: {_operand(v)},\n" for k, v in key.items) + "}"


def write_body(body: ast.Body) -> str:
    """Literals on one line."""
    return "; ".join(_literal(literal, None) for literal in body)


def write_literal(literal: ast.Literal) -> str:
    """One literal on one line."""
    return _literal(literal, None)


def write_term(term: ast.Term) -> str:
    """One term on one line."""
    match term:
        case ast.Null():
            return "null"
        case ast.Boolean():
            return "true" if term.value else "false"
        case ast.Number():
            return term.text
        case ast.String():
            return _quoted(term.value)
        case ast.Var():
            return term.name
        case ast.Ref():
            return _reference(term)
        case ast.Call():
            return _call(term)
        case ast.Logical():
            return f"{{ {write_body(term.left)} }} {term.op} {{ {write_body(term.right)} }}"
        case ast.Array():
            return "[" + ", ".join(map(_operand, term.items)) + "]"
        case ast.SetTerm():
            return "{" + ", ".join(map(_operand, term.items)) + "}" if term.items else "set()"
        case ast.Object():
            return "{" + ", ".join(f"{_operand(k)}: {_operand(v)}" for k, v in term.items) + "}"
        case ast.ArrayCompr():
            return f"[{_operand(term.term)} | {write_body(term.body)}]"
        case ast.SetCompr():
            return f"{{{_operand(term.term)} | {write_body(term.body)}}}"
        case ast.ObjectCompr():
            return f"{{{_operand(term.key)}: {_operand(term.value)} | {write_body(term.body)}}}"
        case ast.Template():
            return '$"' + "".join(map(_part, term.parts)) + '"'


def _part(part: str | ast.Term) -> str:
    if isinstance(part, str):
        return _quoted(part)[1:-1].replace("{", "\\{")
    return "{" + write_term(part) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _call(call: ast.Call) -> str:
    if call.infix == "in" and len(call.args) == 3:
        key, value, collection = map(_operand, call.args)
        return f"{key}, {value} in {collection}"
    if call.infix is not None:
        left, right = map(_operand, call.args)
        return f"{left} {call.infix} {right}"
    return f"{write_term(call.operator)}({', '.join(map(_operand, call.args))})"


def _operand(term: ast.Term) -> str:
    """A term inside another one: what binds in some way of its own stands in parentheses."""
    compound = isinstance(term, ast.Logical) or (isinstance(term, ast.Call) and term.infix is not None)
    return f"({write_term(term)})" if compound or _is_negative(term) else write_term(term)


def _is_negative(term: ast.Term) -> bool:
    return isinstance(term, ast.Number) and term.text.startswith("-")


def _reference(ref: ast.Ref) -> str:
    text = _operand(ref.head)
    for part in ref.path:
        if isinstance(part, ast.String) and _NAME.match(part.value):
            text += f".{part.value}"
        else:
            text += f"[{write_term(part)}]"
    return text


def _literal(literal: ast.Literal, level: int | None) -> str:
    """On one line where ``level`` is None, else with nested bodies indented below it."""
    match literal:
        case ast.SomeDecl():
            return "some " + ", ".join(name.name for name in literal.names)
        case ast.SomeIn():
            key = "" if literal.key is None else f"{_operand(literal.key)}, "
            text = f"some {key}{_operand(literal.value)} in {_operand(literal.collection)}"
        case ast.Every():
            key = "" if literal.key is None else f"{literal.key.name}, "
            text = f"every {key}{literal.value.name} in {_operand(literal.domain)} {_block(literal.body, level)}"
        case ast.NotBody():
            text = f"not {_block(literal.body, level)}"
        case ast.Expr():
            text = _statement(literal)
    return text + "".join(f" with {write_term(w.target)} as {_operand(w.value)}" for w in literal.withs)


def _statement(literal: ast.Expr) -> str:
    text = write_term(literal.term)
    if literal.negated:
        # `not {…}` would be a body, `not a and b` would negate a only.
        return f"not ({text})" if text.startswith("{") or isinstance(literal.term, ast.Logical) else f"not {text}"
    grouped = isinstance(literal.term, ast.Logical) and literal.term.grouped
    # A line that begins with `-` goes on from the one before.
    return f"({text})" if text.startswith("-") or grouped or (literal.withs and _has_logical(literal)) else text


def _has_logical(literal: ast.Expr) -> bool:
    return isinstance(literal.term, ast.Logical)


def _block(body: ast.Body, level: int | None) -> str:
    if level is None:
        return "{ " + write_body(body) + " }"
    pad = "\t" * (level + 1)
    return "{\n" + "".join(f"{pad}{_literal(literal, level + 1)}\n" for literal in body) + "\t" * level + "}"


def _annotated(rule: ast.Rule) -> str:
    return "".join(map(_annotation, rule.annotations)) + write_rule(rule)


def _annotation(found: ast.Annotations) -> str:
    lines = [f"# {name}: {json.dumps(value, ensure_ascii=False, sort_keys=True)}\n" for name, value in found.values]
    return "# METADATA\n" + "".join(lines)


def _import(imported: ast.Import) -> str:
    return f"import {_reference(imported.path)}" + (f" as {imported.alias}" if imported.alias else "")


def _is_syntax(imported: ast.Import) -> bool:
    """``import rego.v1`` and the like: they change the reading, and `rego.v2` says it all."""
    head = imported.path.head
    return isinstance(head, ast.Var) and head.name in ("rego", "future")


def package_path(names: Sequence[str]) -> str:
    """A package's name as it stands after ``package`` and ``data.``."""
    plain: Iterable[str] = (f".{n}" if _NAME.match(n) else f"[{_quoted(n)}]" for n in names[1:])
    return names[0] + "".join(plain)


def _ref(head: str, *path: str, span: Span) -> ast.Ref:
    return ast.Ref(ast.Var(head, span=span), tuple(ast.String(p, span=span) for p in path), span=span)
