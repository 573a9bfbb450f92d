"""Runs the lint rules over sources. Files that do not parse are reported and left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.lint.ignores import Ignore, ignores
from policy_lang.lint.registry import File, Project, Rule, rules
from policy_lang.source import Source, Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax.parser import parse_module

IGNORE_CODE = "LNT000"
IGNORE_TITLE = "a comment that switches a rule off, and should not stand there"


def lint(sources: Iterable[Source], disabled: Collection[str] = ()) -> tuple[Diagnostic, ...]:
    """All findings, sorted by place.

    Findings that a comment covers carry its reason as ``suppressed``. ``LNT000`` is a comment that
    covers nothing, gives no reason, or names no rule.
    """
    files: list[File] = []
    found: list[Diagnostic] = []
    for source in sources:
        parsed = parse_module(source)
        found += parsed.diagnostics
        if parsed.value is not None:
            files.append(File(source, parsed.value))
    project = Project(tuple(files))
    for rule in rules().values():
        if rule.code not in disabled:
            found += [_diagnostic(rule, f.span, f.message, f.hint) for f in rule.check(project)]
    return tuple(sorted(_with_ignores(project, found, disabled), key=Diagnostic.sort_key))


def _diagnostic(rule: Rule, span: Span, message: str, hint: str) -> Diagnostic:
    return Diagnostic(rule.code, message, span, rule.severity, hint=hint, title=rule.title)


def _with_ignores(project: Project, found: Sequence[Diagnostic], disabled: Collection[str]) -> list[Diagnostic]:
    marked = list(found)
    for file in project.files:
        for ignore in ignores(file.source.text, file.module.comments):
            used = False
            for index, diagnostic in enumerate(marked):
                span = diagnostic.span
                if span is not None and span.file == file.source.file and ignore.covers(diagnostic.code, span):
                    used = True
                    marked[index] = diagnostic._replace(suppressed=ignore.reason or "no reason given")
            if IGNORE_CODE not in disabled:
                marked += _about(ignore, used, disabled)
    return marked


def _about(ignore: Ignore, used: bool, disabled: Collection[str]) -> list[Diagnostic]:
    """What is wrong with the comment itself."""
    if ignore.code not in rules():
        message = f"there is no lint rule {ignore.code}"
        hint = did_you_mean(ignore.code, rules())
    elif not ignore.reason:
        message, hint = f"{ignore.code} is switched off without a reason", "write the reason after the code"
    elif not used and ignore.code not in disabled:
        message, hint = f"{ignore.code} finds nothing here", "remove the comment"
    else:
        return []
    return [Diagnostic(IGNORE_CODE, message, ignore.span, Severity.WARN, hint=hint, title=IGNORE_TITLE)]
