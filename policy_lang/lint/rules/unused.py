"""Names that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import declared, occurrences, units
from policy_lang.lint.registry import File, Finding, Project, file_rule, project_rule
from policy_lang.syntax import ast
from policy_lang.syntax.walk import walk

_HINTS = {
    "key": "leave it out, or write `_`",
    "assign": "remove the assignment, or write its value alone if it must only be defined",
    "every": "use it in the body, or ask for the collection's emptiness",
}


@file_rule("LNT001", "unused-variable", Severity.WARN, "a variable that nothing uses")
def unused_variable(file: File) -> Iterator[Finding]:
    """``some``, ``:=``, ``every``, ``for`` and ``let`` that bind a name for nothing."""
    for unit in units(file):
        counts = occurrences(unit)
        for name in declared(unit):
            unused = counts[name.var.name] == 1 and not name.var.name.startswith("_")
            if unused and name.how != "argument":
                hint = _HINTS.get(name.how, "remove it, or write `_`")
                yield Finding(name.var.span, f"variable {name.var.name} is never used", hint)


@file_rule("LNT002", "unused-import", Severity.WARN, "an import that nothing uses")
def unused_import(file: File) -> Iterator[Finding]:
    """Imports whose name does not occur; keyword imports are another matter."""
    module = file.module
    used = occurrences((module.rules, module.policies, module.params, module.tests))
    for item in module.imports:
        head = item.path.head
        if isinstance(head, ast.Var) and head.name in ("rego", "future"):
            continue
        last = item.path.path[-1] if item.path.path else head
        name = item.alias or (last.value if isinstance(last, ast.String) else getattr(last, "name", ""))
        if name not in used:
            yield Finding(item.span, f"import {name} is never used", "remove it")


@file_rule("LNT003", "unused-argument", Severity.NOTIFY, "a function's argument that it does not use")
def unused_argument(file: File) -> Iterator[Finding]:
    """Arguments that the function's value does not depend on."""
    for rule in file.module.rules:
        if not rule.body and rule.head.value is None:
            continue
        counts = occurrences(rule)
        for name in declared(rule):
            if name.how == "argument" and counts[name.var.name] == 1 and not name.var.name.startswith("_"):
                yield Finding(name.var.span, f"argument {name.var.name} is never used", "write `_`")


@project_rule("LNT004", "unused-param", Severity.WARN, "a param that no policy reads")
def unused_param(project: Project) -> Iterator[Finding]:
    """Params that no rule or policy of their package reads."""
    for files in project.packages().values():
        used: set[str] = set()
        whole = False
        for file in files:
            for node in walk((file.module.rules, file.module.policies)):
                match node:
                    case ast.Ref(head=ast.Var(name="params"), path=(ast.String(value=name), *_)):
                        used.add(name)
                    case ast.Ref(head=ast.Var(name="params")):
                        whole = True
        for file in files:
            for param in () if whole else file.module.params:
                if param.name not in used:
                    yield Finding(
                        param.span, f"param {param.name} is never read", "read it as `params.…`, or remove it"
                    )
