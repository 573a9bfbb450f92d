"""Rules about ``policy`` declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import is_constant, variables
from policy_lang.lint.registry import File, Finding, Project, file_rule, project_rule
from policy_lang.syntax import ast

_ID = re.compile(r"[A-Z][A-Z0-9]{0,5}[0-9]{3}\Z")


@file_rule("LNT060", "missing-why", Severity.NOTIFY, "a policy that does not say why")
def missing_why(file: File) -> Iterator[Finding]:
    """Policies without ``why``: people obey a rule sooner when they know its reason."""
    for policy in file.module.policies:
        if not policy.why.strip():
            yield Finding(policy.span.start(), f"policy {policy.name} does not say why", 'add `why "…"`')


@file_rule("LNT061", "policy-id", Severity.WARN, "a policy's id of another form")
def policy_id(file: File) -> Iterator[Finding]:
    """Ids other than capital letters and three digits."""
    for policy in file.module.policies:
        if not _ID.match(policy.id):
            message = f"the id {policy.id} is not a family's letters and three digits"
            yield Finding(policy.span.start(), message, "write one like NAM001")


@project_rule("LNT062", "duplicate-id", Severity.BLOCK, "two policies of one id")
def duplicate_id(project: Project) -> Iterator[Finding]:
    """Reports, exemptions and severities go by the id."""
    first: dict[str, ast.Policy] = {}
    for file in project.files:
        for policy in file.module.policies:
            other = first.setdefault(policy.id, policy)
            if other is not policy:
                place = f"{other.span.file}:{other.span.line}"
                yield Finding(
                    policy.span.start(), f"the id {policy.id} is taken by {other.name} at {place}", "take another"
                )


@file_rule("LNT063", "constant-message", Severity.WARN, "a message that does not name its subject")
def constant_message(file: File) -> Iterator[Finding]:
    """A message without a hole, in a policy with many subjects."""
    for policy in file.module.policies:
        loops = any(isinstance(clause, ast.For) for clause in policy.scope)
        parts = policy.message.parts if isinstance(policy.message, ast.Template) else ()
        constant = isinstance(policy.message, ast.String) or (bool(parts) and all(isinstance(p, str) for p in parts))
        if loops and constant:
            message = "the message is the same for every subject"
            yield Finding(policy.message.span, message, 'name it: `$"… {subject} …"`')


@file_rule("LNT064", "constant-at", Severity.BLOCK, "an `at` that has no place in a source")
def constant_at(file: File) -> Iterator[Finding]:
    """``at`` takes the value whose place is reported; a constant has none."""
    for policy in file.module.policies:
        if policy.at is not None and (is_constant(policy.at) or not any(variables(policy.at))):
            yield Finding(policy.at.span, "a constant has no place in a source", "name a value of the input")


@file_rule("LNT065", "negated-polarity", Severity.NOTIFY, "`forbid not`, `require not`")
def negated_polarity(file: File) -> Iterator[Finding]:
    """The other word says the same without the negation."""
    other = {"forbid": "require", "require": "forbid"}
    for policy in file.module.policies:
        first = policy.body[0]
        negated = isinstance(first, ast.NotBody) or (isinstance(first, ast.Expr) and first.negated)
        if len(policy.body) == 1 and negated:
            message = f"`{policy.polarity} not` is `{other[policy.polarity]}`"
            yield Finding(first.span, message, f"write `{other[policy.polarity]}` without the `not`")
