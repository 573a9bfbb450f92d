"""Conditions that do not say what they seem to say."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.diagnostics import Severity
from policy_lang.lint.names import (
    bodies,
    called,
    compared,
    declared,
    dotted,
    is_constant,
    is_decision,
    iterates,
    literals,
    name_of,
    units,
    walks,
)
from policy_lang.lint.registry import File, Finding, Project, file_rule, project_rule
from policy_lang.runtime import support
from policy_lang.syntax import ast
from policy_lang.syntax.walk import walk

_FOR_ALL = ("all_", "every_", "each_", "only_", "no_", "none_")
_NUMBER = frozenset(
    ("count", "sum", "product", "abs", "ceil", "floor", "round", "to_number", "plus", "mul", "div", "rem")
)
_STRING = frozenset(
    ("upper", "lower", "sprintf", "concat", "trim", "trim_space", "trim_left", "trim_right", "trim_prefix")
) | {"trim_suffix", "replace", "format_int", "substring", "base64.encode", "json.marshal", "type_name"}
_ARRAY = frozenset(("split", "array.concat", "array.slice", "array.reverse", "sort", "numbers.range"))
_ALWAYS = (
    frozenset(("count", "abs", "ceil", "floor", "round", "lower"))
    | frozenset(("upper", "trim", "trim_left", "trim_prefix", "trim_right", "trim_space"))
    | frozenset(("trim_suffix", "concat", "sprintf", "replace", "split", "substring"))
    | frozenset(("indexof", "strings.reverse", "strings.count", "format_int", "sort", "array.concat"))
    | frozenset(("array.slice", "array.reverse", "array.flatten", "object.keys", "object.union", "object.remove"))
    | frozenset(("object.filter", "union", "intersection", "json.marshal", "base64.encode", "urlquery.encode"))
    | frozenset(("type_name", "regex.split", "regex.replace"))
)
"""Builtins that give a value, never `false`, for whatever they may be given."""
_ORDER = ("!=", "<", "<=", ">", ">=")


@file_rule("LNT012", "inequality-in-iteration", Severity.WARN, "`!=` against any member of a collection")
def inequality_in_iteration(file: File) -> Iterator[Finding]:
    """``xs[_] != "a"`` holds where one member differs, not where none is equal."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, "!=")
        if operands is not None and (walks(operands[0]) or walks(operands[1])):
            hint = "to say that none is equal, write `not x in xs`"
            yield Finding(literal.span, "`!=` holds as soon as one member differs", hint)


@file_rule("LNT013", "fail-open-inequality", Severity.WARN, "a denial that does not happen where a field is missing")
def fail_open_inequality(file: File) -> Iterator[Finding]:
    """``deny if input.x != "a"`` does not deny where ``input.x`` is missing."""
    if file.is_test or file.module.floe:
        return
    for rule in file.module.rules:
        if not is_decision(name_of(rule)):
            continue
        for literal in rule.body:
            operands = compared(literal, "!=")
            path = next((dotted(o) for o in operands[:2] if dotted(o).startswith("input.")), "") if operands else ""
            constant = operands is not None and any(map(is_constant, operands[:2]))
            if path and constant and not _mentioned(path, rule.body, literal):
                message = f"where {path} is missing, `!=` is undefined and {name_of(rule)} does not fire"
                yield Finding(literal.span, message, f"write `not {path} == …`")


def _mentioned(path: str, body: ast.Body, but: ast.Literal) -> bool:
    """Whether another literal asks for the same field, and so shows that its absence was thought of."""
    others = tuple(literal for literal in body if literal is not but)
    return any(dotted(node) == path for node in walk(others) if isinstance(node, ast.Ref))


@file_rule("LNT014", "some-for-every", Severity.WARN, "a rule about all members that one member decides")
def some_for_every(file: File) -> Iterator[Finding]:
    """A rule named ``all_…`` or ``no_…`` whose body holds for any one member."""
    for rule in file.module.rules:
        name = name_of(rule)
        boolean = rule.head.key is None and isinstance(rule.head.value, ast.Boolean | None) and not rule.head.ref.path
        if not boolean or not name.startswith(_FOR_ALL):
            continue
        first = next((literal for literal in rule.body if iterates(literal)), None)
        if first is not None:
            message = f"{name} holds as soon as one member does"
            yield Finding(first.span, message, "write `every x in xs { … }`, or `not` before a rule with `some`")


@file_rule("LNT015", "constant-condition", Severity.WARN, "a condition that is always the same")
def constant_condition(file: File) -> Iterator[Finding]:
    """Literals that do not depend on anything."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        if not isinstance(literal, ast.Expr) or literal.withs:
            continue
        operands = compared(literal, "==", "!=", "<", "<=", ">", ">=")
        constant = is_constant(literal.term) or (operands is not None and all(map(is_constant, operands[:2])))
        same = operands is not None and operands[0] == operands[1] and isinstance(operands[0], ast.Var | ast.Ref)
        if constant:
            yield Finding(literal.span, "this condition is always the same", "remove it, or ask what was meant")
        elif same and operands is not None and not walks(operands[0]):
            yield Finding(literal.span, "both sides are the same", "ask what was meant")


@file_rule("LNT016", "impossible-comparison", Severity.BLOCK, "a comparison of values of different types")
def impossible_comparison(file: File) -> Iterator[Finding]:
    """``count(xs) != "1"``: a number is never a string, so the answer does not depend on the values."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        operands = compared(literal, "==", *_ORDER)
        if operands is None:
            continue
        left, right = _kind(operands[0]), _kind(operands[1])
        if left and right and left != right:
            message = f"{_a(left)} is compared with {_a(right)}: the answer is always the same"
            yield Finding(literal.span, message, "convert one of them")


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ao" else f"a {kind}"


def _kind(term: ast.Term) -> str:
    """The type of a term where its form shows it."""
    match term:
        case ast.Null() | ast.Boolean() | ast.Number() | ast.Array() | ast.Object():
            return type(term).__name__.lower()
        case ast.String() | ast.Template():
            return "string"
        case ast.ArrayCompr():
            return "array"
        case ast.ObjectCompr():
            return "object"
        case ast.SetTerm() | ast.SetCompr():
            return "set"
        case ast.Call(operator=operator):
            name = dotted(operator)
            kinds = (("number", _NUMBER), ("string", _STRING), ("array", _ARRAY))
            return next((kind for kind, names in kinds if name in names), "set" if called(term, "set") else "")
    return ""


@file_rule("LNT017", "unreachable-else", Severity.BLOCK, "an `else` that is never tried")
def unreachable_else(file: File) -> Iterator[Finding]:
    """Branches after one that always holds."""
    for rule in file.module.rules:
        before = rule.body
        for branch in rule.elses:
            if all(isinstance(found, ast.Expr) and _is_true(found) for found in before):
                yield Finding(branch.span, "the branch before always holds, so this one is never tried", "remove it")
                break
            before = branch.body


def _is_true(literal: ast.Expr) -> bool:
    return literal.term == ast.Boolean(True, span=literal.span) and not literal.negated


@file_rule("LNT019", "in-looks-at-values", Severity.WARN, "`in` on an object, whose keys were meant")
def in_looks_at_values(file: File) -> Iterator[Finding]:
    """``"a" in {"a": 1}`` is false: ``in`` looks at an object's values."""
    objects = {
        name_of(rule): rule.head.value
        for rule in file.module.rules
        if isinstance(rule.head.value, ast.Object) and not rule.head.ref.path and not rule.body
    }
    params = {param.name: param.default for param in file.module.params if isinstance(param.default, ast.Object)}
    for node in (found for unit in units(file) for found in walk(unit)):
        if not (isinstance(node, ast.Call) and node.infix == "in" and len(node.args) == 2):
            continue
        wanted, place = node.args
        known = place if isinstance(place, ast.Object) else objects.get(dotted(place))
        known = known or params.get(dotted(place).removeprefix("params."))
        if isinstance(known, ast.Object) and isinstance(wanted, ast.String):
            keys, values = [k for k, _ in known.items], [v for _, v in known.items]
            if wanted in keys and wanted not in values:
                hint = "write `… in object.keys(…)`, or look the key up"
                yield Finding(node.span, f'"{wanted.value}" is a key, and `in` looks at the values', hint)


@file_rule("LNT024", "redundant-existence-check", Severity.NOTIFY, "a field asked for twice")
def redundant_existence_check(file: File) -> Iterator[Finding]:
    """``input.a`` before ``input.a.b == 1``, which is undefined without it anyway."""
    for body in (found for unit in units(file) for found in bodies(unit)):
        for index, literal in enumerate(body):
            if not isinstance(literal, ast.Expr) or literal.negated or literal.withs:
                continue
            path = dotted(literal.term) if isinstance(literal.term, ast.Ref) else ""
            later = body[index + 1 :]
            if path.startswith("input.") and any(_needs(path, found) for found in later):
                yield Finding(literal.span, f"a later condition needs {path} anyway", "remove this one")


def _needs(path: str, literal: ast.Literal) -> bool:
    """Whether a comparison fails where ``path`` is undefined."""
    operands = compared(literal, "==", *_ORDER)
    return operands is not None and any(dotted(o).startswith(f"{path}.") for o in operands[:2])


@file_rule("LNT025", "unused-value", Severity.WARN, "a call whose value nobody looks at")
def unused_value(file: File) -> Iterator[Finding]:
    """``lower(input.x)`` as a condition holds for any text: its value is neither compared nor given a name."""
    for literal in (found for unit in units(file) for found in literals(unit)):
        match literal:
            case ast.Expr(term=ast.Call(infix=None, args=args) as call, negated=False) if called(call, *_ALWAYS):
                name = dotted(call.operator)
                if len(args) == support.arity(name):
                    hint = "compare it, or give it a name with `:=`"
                    yield Finding(literal.span, f"{name} gives a value that is always true as a condition", hint)


@project_rule(
    "LNT026", "set-as-condition", Severity.WARN, "a condition that is a set, which is there even where it is empty"
)
def set_as_condition(project: Project) -> Iterator[Finding]:
    """``not deny`` never holds where ``deny contains …``, and ``deny`` always does: an empty set is not false."""
    for package, files in project.packages().items():
        rules = [rule for file in files for rule in file.module.rules if not rule.head.ref.path]
        sets = {name_of(rule) for rule in rules if rule.head.key is not None}
        sets -= {name_of(rule) for rule in rules if rule.head.key is None}
        for unit in (unit for file in files for unit in units(file)) if sets else ():
            hidden = {local.var.name for local in declared(unit)}
            for literal in literals(unit):
                if not isinstance(literal, ast.Expr) or literal.withs:
                    continue
                name = dotted(literal.term).removeprefix(f"data.{'.'.join(package)}.")
                if name in sets - hidden:
                    always, want = ("never", "== 0") if literal.negated else ("always", "> 0")
                    message = f"{name} is a set, which is there even where it is empty: this {always} holds"
                    yield Finding(literal.span, message, f"write `count({name}) {want}`")
