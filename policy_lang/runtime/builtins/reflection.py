"""``rego.parse_module``: a module's syntax tree as a value."""

from __future__ import annotations

import importlib
from typing import Any

from policy_lang.diagnostics import DiagnosticError
from policy_lang.runtime.builtins.registry import builtin, failure
from policy_lang.runtime.values import from_python


@builtin("rego.parse_module", "string", "string")
def parse_module(file: str, text: str) -> Any:
    # By name: what generated code may touch must not depend on the compiler, but for this one builtin.
    tree = importlib.import_module("policy_lang.syntax.opa_tree")
    try:
        return from_python(tree.module_tree(file, text))
    except DiagnosticError as error:
        first = error.diagnostics[0]
        place = f"{first.span.file}:{first.span.line}: " if first.span is not None else ""
        raise failure("rego.parse_module", f"{place}{first.code}: {first.message}") from None
