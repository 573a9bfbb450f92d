"""Terms in messages: what kind they are of, and their text."""

from __future__ import annotations

import json
import re

from policy_lang.syntax import ast

_KINDS = {
    ast.Number: "number",
    ast.String: "string",
    ast.Boolean: "boolean",
    ast.Null: "null",
    ast.Array: "array",
    ast.Object: "object",
    ast.SetTerm: "set",
    ast.Ref: "ref",
    ast.Var: "var",
    ast.Call: "call",
    ast.Template: "templatestring",
}


def kind_of(term: ast.Term) -> str:
    """What OPA calls a term of this kind."""
    return _KINDS.get(type(term), "comprehension")


def describe(term: ast.Term) -> str:
    """A reference as text, for messages: ``data.a.b[x]``."""
    match term:
        case ast.Var():
            return term.name.split("$")[0]
        case ast.Ref():
            return describe(term.head) + "".join(_step_text(part) for part in term.path)
        case ast.String():
            return json.dumps(term.value, ensure_ascii=False)
        case ast.Number():
            return term.text
        case ast.Boolean():
            return str(term.value).lower()
        case ast.Null():
            return "null"
        case ast.Call():
            return f"{describe(term.operator)}({', '.join(map(describe, term.args))})"
        case ast.Array():
            return f"[{', '.join(map(describe, term.items))}]"
        case ast.SetTerm():
            return "{" + ", ".join(map(describe, term.items)) + "}"
        case ast.Object():
            return "{" + ", ".join(f"{describe(k)}: {describe(v)}" for k, v in term.items) + "}"
        case _:
            return "…"


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _step_text(part: ast.Term) -> str:
    if isinstance(part, ast.String) and _NAME.fullmatch(part.value):
        return f".{part.value}"
    return f"[{describe(part)}]"
