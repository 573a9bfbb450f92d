"""What the grammar lets through and OPA's parser does not: imports, default rules, `else`, names, numbers."""

from __future__ import annotations

from collections.abc import Iterator

from policy_lang.diagnostics import Diagnostic
from policy_lang.source import Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.syntax.describe import kind_of

FUTURE = ("and", "contains", "every", "if", "in", "not", "or")
_LARGEST_BITS = 100_000  # OPA keeps numbers of at most this binary exponent
_BITS_A_DIGIT = 3.321928094887362
_CLOSED = (ast.ArrayCompr, ast.SetCompr, ast.ObjectCompr, ast.Template)


def check_module(module: ast.Module) -> tuple[Diagnostic, ...]:
    """The findings, all with the code ``rego_parse_error``."""
    found: list[Diagnostic] = []
    for imported in module.imports:
        found += _import(imported)
    for rule in module.rules:
        found += _default(rule) if rule.default else _else(rule)
    return tuple(found)


def number_is_too_big(text: str) -> bool:
    """Whether a number's binary exponent is beyond what OPA keeps."""
    if len(text) < 30 and "e" not in text and "E" not in text:
        return False
    mantissa, _, exponent = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return False
    if len(exponent) > 7:
        return True
    adjusted = int(exponent or "0") - len(fraction) + len(digits)
    return abs(adjusted) * _BITS_A_DIGIT > _LARGEST_BITS + _BITS_A_DIGIT


def _error(message: str, span: Span, hint: str = "") -> Diagnostic:
    return Diagnostic("rego_parse_error", message, span, hint=hint)


# --------------------------------------------------------------------------- imports


def _import(imported: ast.Import) -> Iterator[Diagnostic]:
    head = imported.path.head
    parts = imported.path.path
    if not isinstance(head, ast.Var):
        yield _error("an import names a place below `data` or `input`", head.span)
        return
    for part in parts:
        if not isinstance(part, ast.String):
            yield _error(f"unexpected {kind_of(part)}: an import's path is made of names", part.span)
            return
    names = [part.value for part in parts if isinstance(part, ast.String)]
    if head.name in ("future", "rego"):
        yield from _language_import(imported, head.name, names)
    elif head.name not in ("data", "input"):
        message = f"unexpected import path, must begin with one of: data, future, input, rego, got: {head.name}"
        yield _error(message, head.span, did_you_mean(head.name, ("data", "input", "future", "rego")))
    elif imported.alias in ("data", "input"):
        yield _error(f"an import must not be named {imported.alias}", imported.span)


def _language_import(imported: ast.Import, root: str, names: list[str]) -> Iterator[Diagnostic]:
    span = imported.path.span
    if root == "rego" and names not in (["v1"], ["v2"]):
        shown = ".".join(["rego", *names])
        yield _error(f"invalid import `{shown}`, must be one of: `rego.v1`, `rego.v2`", span)
    elif root == "future" and names[:1] != ["keywords"]:
        yield _error("invalid import, must be `future.keywords`", span)
    elif root == "future" and len(names) > 1 and (len(names) > 2 or names[1] not in FUTURE):
        hint = did_you_mean(names[-1], FUTURE)
        yield _error(f"unexpected keyword, must be one of {', '.join(FUTURE)}", span, hint)
    elif imported.alias is not None:
        yield _error(f"`{root}` imports cannot be aliased", imported.span)


# --------------------------------------------------------------------------- rules


def _default(rule: ast.Rule) -> Iterator[Diagnostic]:
    head = rule.head
    if head.key is not None:
        yield _error("illegal default rule (must have a value)", rule.span)
        return
    names: set[str] = set()
    for arg in head.args or ():
        if not isinstance(arg, ast.Var):
            yield _error(f"illegal default rule (arguments cannot contain {kind_of(arg)})", arg.span)
        elif arg.name != "_" and arg.name in names:
            yield _error(f"illegal default rule (arguments cannot be repeated {arg.name})", arg.span)
        else:
            names.add(arg.name)
    for term in _open_terms(head.value):
        if isinstance(term, (ast.Var, ast.Ref, ast.Call, ast.Logical)) and not _is_empty_set(term):
            hint = "a default value is made of constants and comprehensions"
            yield _error(f"illegal default rule (value cannot contain {kind_of(term)})", term.span, hint)
            return


def _is_empty_set(term: ast.Term) -> bool:
    return isinstance(term, ast.Call) and term.operator == ast.Var("set", span=term.span) and not term.args


def _open_terms(term: ast.Term | None) -> Iterator[ast.Term]:
    """A term and those in it, closures left out."""
    if term is None or isinstance(term, _CLOSED):
        return
    yield term
    if isinstance(term, (ast.Array, ast.SetTerm)):
        for item in term.items:
            yield from _open_terms(item)
    elif isinstance(term, ast.Object):
        for key, value in term.items:
            yield from _open_terms(key)
            yield from _open_terms(value)


def _else(rule: ast.Rule) -> Iterator[Diagnostic]:
    head = rule.head
    if rule.elses and head.key is not None:
        yield _error("`else` cannot be used on multi-value rules", rule.elses[0].span)
    elif rule.elses and any(map(_holds_variable, head.ref.path)):
        yield _error("`else` cannot be used on rules with variables in their head", rule.elses[0].span)


def _holds_variable(term: ast.Term) -> bool:
    return any(isinstance(one, (ast.Var, ast.Ref, ast.Call)) for one in _open_terms(term))
