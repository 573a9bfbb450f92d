"""Imports that hide one another, and in strict mode those that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_lang.analysis.resolve import import_path
from policy_lang.diagnostics import Diagnostic, Label
from policy_lang.syntax import ast


def check_imports(module: ast.Module) -> Iterable[Diagnostic]:
    """``rego_compile_error`` for each import under a name that an earlier one has."""
    seen: dict[str, ast.Import] = {}
    for imported in module.imports:
        name = imported_name(imported)
        if name is None:
            continue
        if name in seen:
            first = seen[name]
            hint = f"give it another name: `import {_text(imported)} as …`"
            related = (Label(first.span, "the first import"),)
            message = f"import must not shadow import {_shown(first)}"
            yield Diagnostic("rego_compile_error", message, imported.span, hint=hint, related=related)
        seen.setdefault(name, imported)


def unused_imports(modules: Sequence[ast.Module], used: Sequence[frozenset[str]]) -> Iterable[Diagnostic]:
    """``rego_compile_error`` for each import that its module never refers to."""
    for module, names in zip(modules, used, strict=True):
        for imported in module.imports:
            name = imported_name(imported)
            if name is not None and name not in names:
                message = f"import {_shown(imported)} unused"
                yield Diagnostic("rego_compile_error", message, imported.span, hint="remove it")


def imported_name(imported: ast.Import) -> str | None:
    """The name that an import brings in; None for ``rego.v1``, ``future.keywords`` and the like."""
    path = import_path(imported)
    return None if path[0] not in ("data", "input") else imported.alias or path[-1]


def _text(imported: ast.Import) -> str:
    return ".".join(import_path(imported))


def _shown(imported: ast.Import) -> str:
    return _text(imported) + (f" as {imported.alias}" if imported.alias else "")
