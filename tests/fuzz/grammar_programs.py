"""Programs as hypothesis makes them: of the grammar's shapes (most parse, many compile), and of broken text."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = ("x", "y", "z", "p", "q", "f", "input", "data", "_", "contains", "if", "some", "count", "set")
SCALARS = (
    "0",
    "1",
    "-2",
    "1.50",
    "1e3",
    '"a"',
    '"\\u00e9"',
    "`raw`",
    "true",
    "false",
    "null",
    '$"t{x}"',
    "$`{input.y} {[1]}`",
)
INFIX = ("==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "|", "=", ":=", "in", "and", "or")
IMPORTS = (
    "",
    "import rego.v1\n",
    "import rego.v2\n",
    "import future.keywords\n",
    "import data.q\n",
    "import input.x as y\n",
)

_POLICY = 'policy NAME {\n\tid A1\n\ttitle "t"\n\tseverity warn\n\tfor x in TERM\n\trequire BODY\n\tmessage "m"\n}'

names = st.sampled_from(NAMES)


def _terms() -> st.SearchStrategy[str]:
    base = st.one_of(st.sampled_from(SCALARS), names)

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            pairs.map(lambda p: f"{p[0]}[{p[1]}]"),
            st.tuples(inner, names).map(lambda p: f"{p[0]}.{p[1]}"),
            st.tuples(names, inner).map(lambda p: f"{p[0]}({p[1]})"),
            st.tuples(inner, st.sampled_from(INFIX), inner).map(" ".join),
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
            st.lists(inner, max_size=3).map(lambda items: "{" + ", ".join(items) + "}"),
            st.lists(pairs, max_size=2).map(lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items) + "}"),
            st.tuples(inner, inner).map(lambda p: f"[{p[0]} | {p[1]}]"),
            st.tuples(inner, names, inner).map(lambda p: "{" + f"{p[0]} | some {p[1]} in {p[2]}" + "}"),
            st.tuples(inner, inner, inner).map(lambda p: "{" + f"{p[0]}: {p[1]} | {p[2]}" + "}"),
            inner.map(lambda term: f"({term})"),
        )

    return st.recursive(base, grown, max_leaves=6)


terms = _terms()
literals = st.one_of(
    terms,
    terms.map(lambda term: f"not {term}"),
    st.tuples(names, terms).map(lambda p: f"{p[0]} := {p[1]}"),
    st.tuples(names, terms).map(lambda p: f"some {p[0]} in {p[1]}"),
    names.map(lambda name: f"some {name}"),
    st.tuples(names, terms, terms).map(lambda p: f"every {p[0]} in {p[1]} {{ {p[2]} }}"),
    st.tuples(terms, terms, terms).map(lambda p: f"{p[0]} with {p[1]} as {p[2]}"),
    terms.map(lambda term: f"not {{ {term} }}"),
)
bodies = st.lists(literals, min_size=1, max_size=4).map(lambda found: "{\n\t" + "\n\t".join(found) + "\n}")
rules = st.one_of(
    st.tuples(names, terms).map(lambda p: f"{p[0]} := {p[1]}"),
    st.tuples(names, bodies).map(lambda p: f"{p[0]} if {p[1]}"),
    st.tuples(names, terms, bodies).map(lambda p: f"{p[0]} contains {p[1]} if {p[2]}"),
    st.tuples(names, terms, terms, bodies).map(lambda p: f"{p[0]}[{p[1]}] := {p[2]} if {p[3]}"),
    st.tuples(names, names, terms, bodies).map(lambda p: f"{p[0]}({p[1]}) := {p[2]} if {p[3]}"),
    st.tuples(names, bodies, terms).map(lambda p: f"{p[0]} if {p[1]} else := {p[2]}"),
    st.tuples(names, terms).map(lambda p: f"default {p[0]} := {p[1]}"),
    st.tuples(names, terms, bodies).map(
        lambda p: _POLICY.replace("NAME", p[0]).replace("TERM", p[1]).replace("BODY", p[2])
    ),
)
modules = st.tuples(st.sampled_from(IMPORTS), st.lists(rules, min_size=1, max_size=4)).map(
    lambda p: f"package p\n{p[0]}" + "\n\n".join(p[1]) + "\n"
)

pieces = st.one_of(
    st.sampled_from(
        ("{", "}", "[", "]", "(", ")", "|", ":", ",", ";", "\n", '$"', "`", '"', "\\", "#", ".", " ", "\r\n")
    ),
    st.sampled_from(
        (*NAMES, *INFIX, *SCALARS, "package p\n", "default", "else", "every", "not", "with", "as", "policy", "require")
    ),
    st.text(max_size=3),
)
noise = st.lists(pieces, max_size=40).map("".join)


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A program with a stretch of it cut, doubled or replaced."""
    text = draw(modules)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    middle = draw(st.one_of(st.just(""), pieces, st.just(text[start:end] * 2)))
    return text[:start] + middle + text[end:]
