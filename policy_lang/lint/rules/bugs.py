"""What is almost certainly a mistake: names that hide others, arguments that do not fit, left-overs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import calls, declared, name_of, units
from policy_lang.lint.registry import File, Finding, Project, file_rule, project_rule
from policy_lang.runtime import support
from policy_lang.syntax import ast

DEPRECATED = {
    "any": "write `true in xs`, or a rule with `some`",
    "all": "write `every x in xs { x }`",
    "re_match": "write `regex.match`",
    "net.cidr_overlap": "write `net.cidr_contains`",
    "set_diff": "write `a - b`",
    "cast_array": "test with `is_array`",
    "cast_set": "test with `is_set`",
    "cast_string": "test with `is_string`",
    "cast_boolean": "test with `is_boolean`",
    "cast_null": "test with `is_null`",
    "cast_object": "test with `is_object`",
}
PATTERNS = {
    "regex.match": (0,),
    "regex.is_valid": (0,),
    "regex.split": (0,),
    "regex.find_n": (0,),
    "regex.replace": (1,),
    "regex.find_all_string_submatch_n": (0,),
    "regex.template_match": (0,),
    "regex.globs_match": (0, 1),
    "re_match": (0,),
}
"""Which arguments of a builtin are patterns."""

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+)?)?(?:\[(?P<index>\d+)\])?(?P<verb>.)", re.S
)


def _is_builtin(name: str) -> bool:
    return name in DEPRECATED or support.builtin(name) is not None


@file_rule("LNT010", "shadows-builtin", Severity.WARN, "a name that hides a builtin")
def shadows_builtin(file: File) -> Iterator[Finding]:
    """Rules, variables and import aliases named as a builtin."""
    seen = set()
    for rule in file.module.rules:
        name = name_of(rule)
        if _is_builtin(name) and name not in seen:
            seen.add(name)
            yield Finding(rule.head.ref.span, f"rule {name} hides the builtin {name}", "give it another name")
    for unit in units(file):
        for local in declared(unit):
            if _is_builtin(local.var.name):
                message = f"variable {local.var.name} hides the builtin {local.var.name}"
                yield Finding(local.var.span, message, "give it another name")
    for item in file.module.imports:
        if item.alias is not None and _is_builtin(item.alias):
            yield Finding(item.span, f"import {item.alias} hides the builtin {item.alias}", "give it another alias")


@project_rule("LNT011", "shadows-rule", Severity.WARN, "a variable that hides a rule or an import")
def shadows_rule(project: Project) -> Iterator[Finding]:
    """Local variables with the name of a rule of the package, or of an import."""
    for files in project.packages().values():
        rules = {name_of(rule) for file in files for rule in file.module.rules}
        for file in files:
            imports = {_import_name(item) for item in file.module.imports}
            for unit in units(file):
                for local in declared(unit):
                    name = local.var.name
                    if name in rules or name in imports:
                        what = "rule" if name in rules else "import"
                        yield Finding(
                            local.var.span, f"variable {name} hides the {what} {name}", "give it another name"
                        )


def _import_name(item: ast.Import) -> str:
    last = item.path.path[-1] if item.path.path else item.path.head
    return item.alias or (last.value if isinstance(last, ast.String) else "")


@project_rule("LNT018", "duplicate-rule", Severity.WARN, "the same rule twice")
def duplicate_rule(project: Project) -> Iterator[Finding]:
    """Rules of a package that say just what another one says."""
    for files in project.packages().values():
        first: dict[ast.Rule, ast.Rule] = {}
        for file in files:
            for rule in file.module.rules:
                other = first.setdefault(rule, rule)
                if other is not rule:
                    place = f"{other.span.file}:{other.span.line}"
                    yield Finding(rule.head.span, f"rule {name_of(rule)} is the same as at {place}", "remove one")


@file_rule("LNT020", "sprintf-arguments", Severity.BLOCK, "a format with more or fewer verbs than values")
def sprintf_arguments(file: File) -> Iterator[Finding]:
    """``sprintf`` with a constant format and a list of values whose numbers differ."""
    for call, name in calls((file.module.rules, file.module.policies)):
        match call.args:
            case (ast.String(value=text), ast.Array(items=items)) if name == "sprintf":
                wanted = _verbs(text)
                if wanted != len(items):
                    message = f"the format takes {wanted} values, and {len(items)} are given"
                    yield Finding(call.span, message, "give each verb its value, or use a template string")


def _verbs(text: str) -> int:
    """How many values a format takes."""
    count = highest = 0
    for match in _VERB.finditer(text):
        if match["verb"] == "%":
            continue
        if match["index"]:
            highest = max(highest, int(match["index"]))
            continue
        count += 1 + (match["width"] == "*") + (match["precision"] == "*")
    return max(count, highest)


@file_rule("LNT021", "deprecated-builtin", Severity.WARN, "a builtin that OPA is to remove")
def deprecated_builtin(file: File) -> Iterator[Finding]:
    """Calls of deprecated builtins, unless the file has a rule of that name."""
    own = {name_of(rule) for rule in file.module.rules}
    for call, name in calls((file.module.rules, file.module.policies)):
        if name in DEPRECATED and name not in own:
            yield Finding(call.span, f"the builtin {name} is deprecated", DEPRECATED[name])


@file_rule("LNT022", "non-raw-regex", Severity.NOTIFY, "a pattern with escapes in a string that has escapes itself")
def non_raw_regex(file: File) -> Iterator[Finding]:
    r"""Patterns such as ``"\\d+"``, which are easier to get right in back-quotes."""
    for call, name in calls((file.module.rules, file.module.policies)):
        for position in PATTERNS.get(name, ()):
            argument = call.args[position] if position < len(call.args) else None
            if isinstance(argument, ast.String) and _escapes(argument):
                yield Finding(argument.span, "a pattern with `\\` in quotes", f"write `{argument.value}`")


def _escapes(pattern: ast.String) -> bool:
    """Whether it has escapes, and would have none in back-quotes."""
    return not pattern.raw and "\\" in pattern.value and "`" not in pattern.value


@file_rule("LNT023", "print-left-in", Severity.WARN, "a `print` outside of tests")
def print_left_in(file: File) -> Iterator[Finding]:
    """Calls of ``print`` in policies."""
    if file.is_test:
        return
    for call, name in calls((file.module.rules, file.module.policies)):
        if name == "print":
            yield Finding(call.span, "`print` was left in", "remove it")
