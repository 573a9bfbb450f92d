"""The syntax tree of Rego v1 and of the policy layer: immutable nodes with positions.

Spans do not take part in equality, so two trees are equal where their programs are. The same nodes
serve before and after analysis; ``policy_lang.analysis`` says what may still occur after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policy_lang.source import Span
from policy_lang.syntax.type_expr import TypeExpr as TypeExpr


def _span() -> Span:
    return field(compare=False, repr=False, kw_only=True)  # type: ignore[no-any-return]


# --------------------------------------------------------------------------- terms


@dataclass(frozen=True, slots=True)
class Null:
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Number:
    """``text`` is the literal as written, with its sign (``1.10``, ``-3``, ``1e3``)."""

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class String:
    """``value`` is decoded; ``raw`` says that it was written in back-quotes."""

    value: str
    raw: bool = field(default=False, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Var:
    """A name; ``_`` is a wildcard."""

    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Ref:
    """``head.path[0][path[1]]…``; ``.name`` and ``["name"]`` are the same String in ``path``.

    ``head`` is a Var, or any other term that may be referred into (a call, a collection, a
    comprehension, a parenthesised expression).
    """

    head: Term
    path: tuple[Term, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """``operator(args)``; ``operator`` is a Var or a Ref of a Var with String path.

    Infix forms are calls of OPA's builtin names (``plus``, ``equal``, ``internal.member_2``, and also
    ``eq`` for ``=`` and ``assign`` for ``:=``) with the symbol kept in ``infix`` for the formatter.
    """

    operator: Var | Ref
    args: tuple[Term, ...]
    infix: str | None = field(default=None, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Logical:
    """``left and right`` / ``left or right`` of ``import rego.v2`` and the future keywords.

    ``grouped`` says that it stood in parentheses, so that a ``not`` before it means the whole;
    ``braced`` that its left side is a body in braces, or a negation in parentheses.
    """

    op: str
    left: Body
    right: Body
    grouped: bool = field(default=False, compare=False)
    braced: bool = field(default=False, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Array:
    items: tuple[Term, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Object:
    items: tuple[tuple[Term, Term], ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetTerm:
    items: tuple[Term, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ArrayCompr:
    term: Term
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetCompr:
    term: Term
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ObjectCompr:
    key: Term
    value: Term
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Template:
    """``$"text {expr} text"``; parts are decoded text and terms in turn.

    A hole with ``with`` is ``[__hole | __hole := term with …][0]``, which means the same.
    """

    parts: tuple[str | Term, ...]
    raw: bool = field(default=False, compare=False)
    span: Span = _span()


Term = (
    Null
    | Boolean
    | Number
    | String
    | Var
    | Ref
    | Call
    | Logical
    | Array
    | Object
    | SetTerm
    | ArrayCompr
    | SetCompr
    | ObjectCompr
    | Template
)

# --------------------------------------------------------------------------- literals


@dataclass(frozen=True, slots=True)
class With:
    """``with target as value``; target is a Var or Ref (input, data, or a function's name)."""

    target: Var | Ref
    value: Term
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Expr:
    """``[not] term [with …]``: a term as a statement."""

    term: Term
    negated: bool = False
    withs: tuple[With, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class NotBody:
    """``not { body } [with …]`` of ``import rego.v2``: holds where the body has no solution.

    Without braces (``braced`` is False) the body is one expression, which binds nothing: all of its variables
    are those of the body around.
    """

    body: Body
    withs: tuple[With, ...] = ()
    braced: bool = field(default=True, kw_only=True)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SomeDecl:
    """``some x, y``."""

    names: tuple[Var, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class SomeIn:
    """``some [key,] value in collection [with …]``; key and value are patterns."""

    key: Term | None
    value: Term
    collection: Term
    withs: tuple[With, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Every:
    """``every [key,] value in domain { body } [with …]``."""

    key: Var | None
    value: Var
    domain: Term
    body: Body
    withs: tuple[With, ...] = ()
    span: Span = _span()


Literal = Expr | NotBody | SomeDecl | SomeIn | Every
Body = tuple[Literal, ...]

# --------------------------------------------------------------------------- rules and modules


@dataclass(frozen=True, slots=True)
class Annotations:
    """A ``# METADATA`` block: the decoded YAML mapping (plain Python values) and its scope."""

    values: tuple[tuple[str, object], ...]
    scope: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Head:
    """A rule's head.

    ``ref`` is the whole reference with a Var as its head (``p``, ``a.b[c].d``). ``args`` is None but
    for functions; ``key`` is the member of a partial set (``contains key``); ``value`` is None where
    none was written (which means true). ``assign`` is ``:=``, ``=`` or None.
    """

    ref: Ref
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term | None = None
    assign: str | None = field(default=None, compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Else:
    value: Term | None
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with its chain of ``else``; ``body`` is empty where none was written."""

    head: Head
    body: Body = ()
    elses: tuple[Else, ...] = ()
    default: bool = False
    annotations: tuple[Annotations, ...] = field(default=(), compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Import:
    """``import path [as alias]``; ``rego.v1``, ``rego.v2``, ``future.keywords…`` are imports too."""

    path: Ref
    alias: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Package:
    """``path`` is the names after ``package``, without ``data``."""

    path: tuple[str, ...]
    annotations: tuple[Annotations, ...] = field(default=(), compare=False)
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Comment:
    """``text`` begins with ``#``."""

    text: str
    span: Span = _span()


# --------------------------------------------------------------------------- the policy layer


@dataclass(frozen=True, slots=True)
class For:
    """``for [key,] value in collection``."""

    key: Var | None
    value: Term
    collection: Term
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class When:
    body: Body
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Let:
    """``let name := term``."""

    name: Var
    value: Term
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FixClause:
    """``fix set|add|remove path [value]``: an edit of the source YAML at a path below ``at``."""

    action: str
    path: Term
    value: Term | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Policy:
    """A ``policy`` declaration; ``scope`` holds ``for``, ``when`` and ``let`` in written order.

    ``polarity`` is ``require`` or ``forbid``; the text clauses ``message`` and ``hint`` are terms
    (strings or templates).
    """

    name: str
    id: str
    title: str
    severity: str
    scope: tuple[For | When | Let, ...]
    polarity: str
    body: Body
    message: Term
    why: str = ""
    docs: str = ""
    tags: tuple[str, ...] = ()
    hint: Term | None = None
    fix: FixClause | None = None
    at: Term | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Param:
    """``param name: type := default [stricter when order]``; order is higher, lower, larger, smaller,
    fixed or None."""

    name: str
    type: TypeExpr
    default: Term
    stricter: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expected violation of a ``fail`` case: where, and a part of its message."""

    at: Term | None
    message: Term | None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TestCase:
    """``pass|fail|skip "title" with input [given params.x := v]… [at … message …]…``."""

    outcome: str
    title: str
    input: Term
    given: tuple[tuple[str, Term], ...] = ()
    expects: tuple[Expectation, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class TestDecl:
    """``test policy_name { cases }``."""

    policy: str
    cases: tuple[TestCase, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Module:
    """One file. ``floe`` says that it is a ``.floe`` file (``rego.v2`` meaning throughout); ``declared`` are the
    params of a module in which they have become rules."""

    package: Package
    imports: tuple[Import, ...] = ()
    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...] = ()
    params: tuple[Param, ...] = ()
    tests: tuple[TestDecl, ...] = ()
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    floe: bool = False
    declared: tuple[Param, ...] = ()
    span: Span = _span()
