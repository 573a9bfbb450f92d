"""The table of lint rules. Each family of rules is a module below ``rules`` and registers its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import MappingProxyType

from policy_lang.diagnostics import Severity
from policy_lang.source import Source, Span
from policy_lang.syntax import ast

_FAMILIES = ("bugs", "logic", "idioms", "layout", "performance", "policies", "tests", "unused")


@dataclass(frozen=True, slots=True)
class File:
    """One parsed source file."""

    source: Source
    module: ast.Module

    @property
    def is_test(self) -> bool:
        """True for a file of tests, by its name or its package's."""
        stem = self.source.file.rsplit(".", 1)[0]
        return stem.endswith("_test") or self.module.package.path[-1].endswith("_test")


@dataclass(frozen=True, slots=True)
class Project:
    """All files of one run."""

    files: tuple[File, ...]

    def packages(self) -> dict[tuple[str, ...], list[File]]:
        """The files by package."""
        found: dict[tuple[str, ...], list[File]] = {}
        for file in self.files:
            found.setdefault(file.module.package.path, []).append(file)
        return found


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: where, and what is wrong with the names."""

    span: Span
    message: str
    hint: str = ""


Check = Callable[[Project], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """``name`` is the heading of its section in docs/lint.md; ``title`` says what is wrong in general."""

    code: str
    name: str
    severity: Severity
    title: str
    check: Check = field(repr=False)


_TABLE: dict[str, Rule] = {}


def file_rule(
    code: str, name: str, severity: Severity, title: str
) -> Callable[[Callable[[File], Iterable[Finding]]], Check]:
    """Register a rule that looks at one file at a time."""

    def register(check: Callable[[File], Iterable[Finding]]) -> Check:
        @wraps(check)  # its docstring is what `floec explain` says
        def whole(project: Project) -> Iterable[Finding]:
            for file in project.files:
                yield from check(file)

        return project_rule(code, name, severity, title)(whole)

    return register


def project_rule(code: str, name: str, severity: Severity, title: str) -> Callable[[Check], Check]:
    """Register a rule that looks at all files together."""

    def register(check: Check) -> Check:
        assert code not in _TABLE, code
        _TABLE[code] = Rule(code, name, severity, title, check)
        return check

    return register


def rules() -> Mapping[str, Rule]:
    """All rules by code, in the order of their codes."""
    for family in _FAMILIES:
        importlib.import_module(f"policy_lang.lint.rules.{family}")
    return MappingProxyType(dict(sorted(_TABLE.items())))
