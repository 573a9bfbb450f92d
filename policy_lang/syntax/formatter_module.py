"""How a module is laid out: its package, imports, and the order in which statements are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policy_lang.source import Span
from policy_lang.syntax import ast
from policy_lang.syntax.formatter_declarations import DeclarationWriter
from policy_lang.syntax.formatter_places import Place
from policy_lang.syntax.formatter_rules import needs_ref
from policy_lang.syntax.formatter_terms import LOGICAL, RESERVED, go_quoted
from policy_lang.syntax.walk import walk

Statement = ast.Import | ast.Rule | ast.Policy | ast.Param | ast.TestDecl
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class ModuleWriter(DeclarationWriter):
    """Writes a whole module."""

    def write_module(self, module: ast.Module) -> None:
        """The module, and the comments after its last statement."""
        paths = {import_path(i) for i in module.imports}
        self.not_is_body = module.floe or bool(paths & {"rego.v2", "future.keywords", "future.keywords.not"})
        self.reserved = RESERVED | _later_words(module, paths)
        self.heads_as_refs = any(map(needs_ref, module.rules))
        self._package(module.package)
        runs = _runs(module)
        for index, run in enumerate(runs):
            match run[0]:
                case ast.Import():
                    self._imports([s for s in run if isinstance(s, ast.Import)])
                case ast.Rule():
                    self.write_rules([s for s in run if isinstance(s, ast.Rule)])
                case declaration:
                    self.write_declaration(declaration, runs[index + 1][0] if index + 1 < len(runs) else None)
        rest = self.take_before(len(self.places.text) + 2)
        for comment in rest:
            self.write_line(comment.text.rstrip())

    def _package(self, package: ast.Package) -> None:
        self.insert_comments(Place(package.span.line, 0, 0))
        self.start_line()
        start, end = self.places.bounds(package.span)
        written = re.sub(r"\s", "", self.places.text[start:end])
        self.write("package " + package.path[0])
        for name in package.path[1:]:
            quoted = not _NAME.match(name) or (name in self.reserved and f'["{name}"]' in written)
            self.write(f"[{go_quoted(name)}]" if quoted else f".{name}")
        self.blank_line()

    def _imports(self, imports: Sequence[ast.Import]) -> None:
        """Sorted within each group of lines that follow each other."""
        comments = self.take_comments_of(frozenset(i.span.line for i in imports))
        for group in _groups(imports):
            self.insert_comments(Place(group[0].span.line, 0, 0))
            for item in sorted(group, key=_order):
                self.start_line()
                self.write(f"import {self._import_path(item)}")
                self.write(f" as {item.alias}" if item.alias is not None else "")
                comment = comments.pop(item.span.line, None)
                self.write(f" {comment.text.rstrip()}" if comment is not None else "")
                self.end_line()
            self.blank_line()

    def _import_path(self, item: ast.Import) -> str:
        path = import_path(item)
        if path.startswith("future."):
            return path
        steps = (self.step(p) for p in item.path.path if isinstance(p, ast.String))
        return path.partition(".")[0] + "".join(steps)


def _later_words(module: ast.Module, paths: set[str]) -> frozenset[str]:
    """Which of ``and`` and ``or`` are keywords."""
    if module.floe or "rego.v2" in paths:
        return LOGICAL
    return LOGICAL & {path.removeprefix("future.keywords.") for path in paths}


def import_path(item: ast.Import) -> str:
    """``rego.v1``, ``data.lib.names``: the path with dots."""
    head = item.path.head
    names = [p.value for p in item.path.path if isinstance(p, ast.String)]
    return ".".join([head.name if isinstance(head, ast.Var) else "", *names])


def arranged_imports(module: ast.Module) -> tuple[ast.Import, ...]:
    """The imports without those that others make redundant.

    ``rego.v2`` covers all other keyword imports. ``rego.v1`` covers the future keywords but ``not``,
    ``and`` and ``or``, which stay where they are used, each by its own name.
    """
    paths = {import_path(i) for i in module.imports}
    if module.floe or not paths & {"rego.v1", "rego.v2"}:
        return module.imports
    redundant = ("future", "rego.v1") if "rego.v2" in paths else ("future",)
    kept = [i for i in module.imports if not import_path(i).startswith(redundant)]
    if "rego.v2" not in paths:
        row = max(i.span.line for i in kept if import_path(i) == "rego.v1")
        for offset, word in enumerate(_later_keywords(module, paths), start=1):
            kept.append(_keyword_import(word, module.package.span, row + offset))
    return tuple(kept)


def _later_keywords(module: ast.Module, paths: set[str]) -> list[str]:
    bodies = bool(paths & {"future.keywords", "future.keywords.not"})
    used = set()
    for node in walk((module.rules, module.policies)):
        match node:
            case ast.Logical(op=op):
                used.add(op)
            case ast.NotBody():
                used.add("not")
            case ast.Expr(negated=True, term=term) if bodies or isinstance(term, ast.Logical):
                used.add("not")
    return sorted(used)


def _keyword_import(word: str, near: Span, row: int) -> ast.Import:
    span = near._replace(line=row, col=1, end_line=row, end_col=1)
    path = tuple(ast.String(part, span=span) for part in ("keywords", word))
    return ast.Import(ast.Ref(ast.Var("future", span=span), path, span=span), span=span)


def _runs(module: ast.Module) -> list[list[Statement]]:
    """The statements by place; imports that follow each other are together, and rules are."""
    statements: list[Statement] = [
        *arranged_imports(module),
        *module.rules,
        *module.policies,
        *module.params,
        *module.tests,
    ]
    runs: list[list[Statement]] = []
    for statement in sorted(statements, key=lambda s: (s.span.line, s.span.col)):
        joins = isinstance(statement, ast.Import | ast.Rule) and runs and type(runs[-1][0]) is type(statement)
        if joins:
            runs[-1].append(statement)
        else:
            runs.append([statement])
    return runs


def _groups(imports: Sequence[ast.Import]) -> list[list[ast.Import]]:
    groups: list[list[ast.Import]] = []
    for item in imports:
        if groups and item.span.line - groups[-1][-1].span.line <= 1:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _order(item: ast.Import) -> tuple[list[str], str]:
    return import_path(item).split("."), item.alias or ""
