"""Calls and mocks: what is called exists, takes so many arguments, and may be used here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policy_lang.analysis.resolve import Path, ResolvedRule
from policy_lang.diagnostics import Diagnostic
from policy_lang.runtime.builtins.declarations import DEPRECATED, NETWORK, RELATIONS, declaration, names
from policy_lang.source import Span
from policy_lang.spell import did_you_mean
from policy_lang.syntax import ast
from policy_lang.syntax.describe import describe
from policy_lang.types import FunctionType, from_declaration

_NO_MOCK = frozenset(("eq", "rego.metadata.chain", "rego.metadata.rule"))
_VOID = frozenset(("print", "internal.print", "internal.test_case"))


@dataclass(frozen=True, slots=True)
class Calls:
    """Checks calls against the program's functions (path → number of arguments), its rules' paths, and the
    builtins that the capabilities allow (None: all but those of the network). ``plain`` takes in the rules
    without arguments that are called; None: they must not be."""

    functions: Mapping[Path, int]
    paths: frozenset[Path]
    allowed: frozenset[str] | None
    plain: list[Path] | None = None

    def check(self, rules: Iterable[ResolvedRule]) -> Iterator[Diagnostic]:
        for rule in rules:
            for branch in rule.branches:
                yield from self.body(branch.body)
                yield from self.node((branch.value, rule.keys))

    def body(self, body: ast.Body) -> Iterator[Diagnostic]:
        for literal in body:
            if isinstance(literal, ast.Expr) and isinstance(literal.term, ast.Call):
                yield from self.call(literal.term, statement=True)
                yield from self.node(literal.term.args)
            else:
                yield from self.node(literal)
                continue
            for changed in literal.withs:
                yield from self.mock(changed)

    def node(self, node: object) -> Iterator[Diagnostic]:
        match node:
            case ast.ArrayCompr() | ast.SetCompr():
                yield from self.body(node.body)
                yield from self.node(node.term)
            case ast.ObjectCompr():
                yield from self.body(node.body)
                yield from self.node((node.key, node.value))
            case ast.Logical():
                yield from self.body(node.left)
                yield from self.body(node.right)
            case ast.NotBody():
                yield from self.body(node.body)
                yield from self.node(node.withs)
            case ast.Every():
                yield from self.node((node.domain, node.withs))
                yield from self.body(node.body)
            case ast.Call():
                yield from self.call(node, statement=False)
                yield from self.node(node.args)
            case ast.Ref():
                yield from self.reference(node)
                yield from self.node((node.head, node.path))
            case ast.With():
                yield from self.mock(node)
            case tuple():
                for item in node:
                    yield from self.node(item)
            case _ if hasattr(node, "__dataclass_fields__") and not isinstance(node, Span):
                for name in node.__dataclass_fields__:
                    if name != "span":
                        yield from self.node(getattr(node, name))

    # ----------------------------------------------------------------- calls

    def call(self, call: ast.Call, *, statement: bool) -> Iterator[Diagnostic]:
        if isinstance(call.operator, ast.Ref):
            yield from self.own(call, statement=statement)
            return
        name = call.operator.name
        span = call.span if call.infix else call.operator.span
        declared = declaration(name)
        if name == "set" and not call.args:
            return
        if declared is None or (self.allowed is not None and name not in self.allowed):
            yield self.undefined(name, span)
        elif name in _VOID and not statement:
            yield Diagnostic("rego_type_error", f"{describe(call)} used as value", call.span)
        elif name in DEPRECATED:
            message = f"deprecated built-in function calls in expression: {name}"
            yield Diagnostic("rego_type_error", message, span)
        elif name in NETWORK and self.allowed is None:
            hint = "pass what it would fetch as input or data, or allow it with a capabilities file"
            message = f"{name} looks beyond the policy's input: floec refuses it"
            yield Diagnostic("floe_capability_error", message, span, hint=hint)
        elif declared.variadic is None and not _fits(len(declared.args), len(call.args), statement):
            yield Diagnostic("rego_type_error", f"{name}: arity mismatch", span, hint=_counts(declared.args, call))

    def own(self, call: ast.Call, *, statement: bool) -> Iterator[Diagnostic]:
        path = _path(call.operator)
        # A rule is a function without arguments to OPA; whether its value may be called, its type says (plain_calls).
        count = self.functions.get(path)
        if count is None and self.plain is not None and path in self.paths:
            count = 0
            self.plain.append(path)
        span = call.operator.span
        if count is None:
            yield self.undefined(describe(call.operator), span)
        elif not _fits(count, len(call.args), statement):
            given = len(call.args)
            message = f"function {describe(call.operator)} has arity {count}, got {given} argument{'s' * (given != 1)}"
            yield Diagnostic("rego_type_error", message, span)

    def undefined(self, name: str, span: Span) -> Diagnostic:
        known = [".".join(("data", *path)) for path in self.functions] if name.startswith("data.") else names()
        return Diagnostic("rego_type_error", f"undefined function {name}", span, hint=did_you_mean(name, known))

    def reference(self, ref: ast.Ref) -> Iterator[Diagnostic]:
        if not (isinstance(ref.head, ast.Var) and ref.head.name == "data"):
            return
        path = _path(ref)
        if any(path[:count] in self.functions for count in range(1, len(path) + 1)):
            message = f"function {describe(ref)} used as reference, not called"
            yield Diagnostic("rego_type_error", message, ref.span)

    # ----------------------------------------------------------------- with

    def mock(self, changed: ast.With) -> Iterator[Diagnostic]:
        target = changed.target
        head = target if isinstance(target, ast.Var) else target.head
        root = head.name if isinstance(head, ast.Var) else ""
        if root == "input":
            yield from self.node(changed.value)
            return
        taken: int | None
        if root == "data":
            path = _path(target)
            taken = self.functions.get(path)
            if any(path[:count] in self.paths for count in range(1, len(path))):
                message = "with keyword cannot partially replace virtual document(s)"
                yield Diagnostic("rego_compile_error", message, target.span)
                return
        else:
            wrong = self.not_mockable(root)
            if wrong:
                yield Diagnostic(*wrong, target.span)
                return
            declared = declaration(root)
            taken = len(declared.args) if declared is not None else None
        count = self.function_value(changed.value)
        if count is None:
            yield from self.node(changed.value)
        elif taken is not None and count not in (taken, 0):
            yield Diagnostic("rego_type_error", f"{describe(target)}: arity mismatch", changed.span)

    def not_mockable(self, name: str) -> tuple[str, str] | None:
        prefix = "with keyword replacing built-in function: "
        if declaration(name) is None:
            return ("rego_type_error", "with keyword target must reference existing input, data, or a function")
        if name.startswith("internal."):
            return ("rego_compile_error", f'{prefix}replacement of internal function "{name}" invalid')
        if name in _NO_MOCK:
            return ("rego_compile_error", f'{prefix}replacement of "{name}" invalid')
        if name in RELATIONS:
            return ("rego_compile_error", f"{prefix}target must not be a relation")
        if name in _VOID:
            return ("rego_compile_error", f"{prefix}target must not be a void function")
        return None

    def function_value(self, value: ast.Term) -> int | None:
        """How many arguments a mock takes where it is a function's name."""
        if isinstance(value, ast.Var) and "$" not in value.name and value.name not in ("input", "data"):
            declared = declaration(value.name)
            return None if declared is None else len(declared.args)
        return self.functions.get(_path(value)) if isinstance(value, ast.Ref) else None


def allowed_builtins(capabilities: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The builtins that a capabilities file of OPA's form lists; None where there is none.

    Raises:
        ValueError: it has another form.
    """
    if capabilities is None:
        return None
    listed = capabilities.get("builtins")
    if not isinstance(listed, Sequence) or not all(isinstance(one, Mapping) and "name" in one for one in listed):
        raise ValueError("capabilities: `builtins` is a list of objects with a name")
    return frozenset(str(one["name"]) for one in listed)


def further_builtins(capabilities: Mapping[str, Any] | None) -> dict[str, FunctionType]:
    """The types of the builtins that a capabilities file declares and floec does not have.

    Raises:
        ValueError: a declaration has another form than OPA's.
    """
    found: dict[str, FunctionType] = {}
    for name in allowed_builtins(capabilities) or ():
        if declaration(name) is None:
            found[name] = FunctionType((), None)
    for one in (capabilities or {}).get("builtins", ()):
        if one["name"] in found:
            found[one["name"]] = _function_type(one)
    return found


def _function_type(one: Mapping[str, Any]) -> FunctionType:
    try:
        made = from_declaration(one["decl"])
    except (KeyError, TypeError, AttributeError, ValueError):
        made = None
    if not isinstance(made, FunctionType):
        raise ValueError(f"capabilities: `decl` of {one['name']} is no function's type")
    return made


def _fits(wanted: int, given: int, statement: bool) -> bool:
    """A statement may have one operand more: what the answer is unified with."""
    return given == wanted or (statement and given == wanted + 1)


def _counts(wanted: Sequence[object], call: ast.Call) -> str:
    return f"it takes {len(wanted)}, and is given {len(call.args)}"


def _path(ref: ast.Term) -> Path:
    return tuple(p.value for p in ref.path if isinstance(p, ast.String)) if isinstance(ref, ast.Ref) else ()
