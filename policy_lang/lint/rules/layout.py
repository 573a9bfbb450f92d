"""How a file looks and where it stands; what ``floec fmt`` decides is not repeated here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import declared, is_decision, name_of, units
from policy_lang.lint.registry import File, Finding, file_rule
from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.tokens import tokenize

MAX_LINE = 120
_TEXTS = {"STRING", "RAW", "TEMPLATE", "TEMPLATE_RAW"}
_SNAKE = re.compile(r"_*[a-z][a-z0-9_]*\Z|_+\Z")
_TODO = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


@file_rule("LNT040", "line-length", Severity.NOTIFY, f"a line of more than {MAX_LINE} characters")
def line_length(file: File) -> Iterator[Finding]:
    """Long lines; those of tests hold data, and neither a long text nor a line without a space can be broken."""
    if file.is_test:
        return
    unbreakable = {text.line for text in _long_texts(file)}
    for number, line in enumerate(file.source.text.split("\n"), start=1):
        if len(line) > MAX_LINE and number not in unbreakable and " " in line.strip().lstrip("#").strip():
            span = Span(file.source.file, number, MAX_LINE + 1, number, len(line) + 1)
            yield Finding(span, f"the line has {len(line)} characters", f"break it before {MAX_LINE}")


def _long_texts(file: File) -> Iterator[Span]:
    """Strings that reach over the limit, and are themselves the greater part of a line."""
    for token in tokenize(file.source).tokens:
        span = token.span
        if token.type in _TEXTS and span.end_col > MAX_LINE + 1 and span.end_col - span.col > MAX_LINE // 2:
            yield span


@file_rule("LNT041", "todo-comment", Severity.NOTIFY, "a comment about work to be done")
def todo_comment(file: File) -> Iterator[Finding]:
    """``TODO``, ``FIXME``, ``XXX`` and ``HACK``."""
    for comment in file.module.comments:
        if match := _TODO.search(comment.text):
            yield Finding(comment.span, f"{match[1]} in a comment", "do it, or open an issue")


@file_rule("LNT042", "name-case", Severity.NOTIFY, "a name that is not in snake case")
def name_case(file: File) -> Iterator[Finding]:
    """Rules, variables, policies and params not written as ``snake_case``."""
    for rule in file.module.rules:
        if not _SNAKE.match(name_of(rule)):
            yield Finding(rule.head.ref.head.span, f"{name_of(rule)} is not in snake case")
    for unit in units(file):
        for local in declared(unit):
            if not _SNAKE.match(local.var.name):
                yield Finding(local.var.span, f"{local.var.name} is not in snake case")
    named = [(p.name, p.span) for p in file.module.policies] + [(p.name, p.span) for p in file.module.params]
    for name, span in named:
        if not _SNAKE.match(name):
            yield Finding(span.start(), f"{name} is not in snake case")


@file_rule("LNT043", "package-folder", Severity.NOTIFY, "a package in a folder of another name")
def package_folder(file: File) -> Iterator[Finding]:
    """The folder bears one of the package's names; without a folder in the path there is nothing to say."""
    folder = PurePath(file.source.file).parent.name.replace("-", "_").replace(".", "_").removesuffix("_test")
    names = [name.replace("-", "_").removesuffix("_test") for name in file.module.package.path]
    if folder and folder not in names:
        message = f"package {'.'.join(file.module.package.path)} stands in the folder {folder}"
        yield Finding(file.module.package.span, message, "name the folder after the package, or the package after it")


@file_rule("LNT044", "missing-metadata", Severity.NOTIFY, "a decision without metadata")
def missing_metadata(file: File) -> Iterator[Finding]:
    """``deny``, ``violation`` and ``warn`` rules of ``.rego`` files without a METADATA comment."""
    if file.module.floe or file.is_test:
        return
    comments = {c.span.line: c.text for c in file.module.comments if c.span.col == 1}
    if _described(comments, file.module.package.span.line):
        return
    first: dict[str, ast.Rule] = {}
    described = set()
    for rule in file.module.rules:
        name = name_of(rule)
        if is_decision(name) and not rule.default:
            first.setdefault(name, rule)
            if _described(comments, rule.span.line):
                described.add(name)
    for name, rule in first.items():
        if name not in described:
            yield Finding(rule.head.ref.span, f"{name} has no metadata", "write `# METADATA` and `# title: …` above it")


def _described(comments: dict[int, str], line: int) -> bool:
    """Whether the comments directly above a line hold a METADATA block."""
    line -= 1
    while line in comments:
        if comments[line].lstrip("#").strip().startswith("METADATA"):
            return True
        line -= 1
    return False
