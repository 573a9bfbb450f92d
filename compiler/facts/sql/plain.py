"""Plain SQL parsed without a library: selects, joins, CTEs and unions of names, literals and widely known functions.

A small grammar that dialects agree on and that most models keep to: to import a parser of all SQL takes longer than to
judge what a commit changes. Anything else (quoted names, arrays, lambdas, hints, another function …) is None here and
left to that parser, which says the same of all that is read here (``tests/property/test_plain_sql.py``).
"""

from __future__ import annotations

from typing import Final

from compiler.facts.lineage.model import AGGREGATE, EXPRESSION, HASH
from compiler.structs import Struct
from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

DIALECTS = frozenset(("", "athena", "bigquery", "databricks", "duckdb", "postgres", "redshift", "snowflake", "spark",
                      "trino"))  # fmt: skip
"""sqlglot's names of those that the grammar was held against."""
MAX_DEPTH = 40
_TOKEN = Pattern(
    r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*(?![+!])(?:(?!/\*)[^*]|\*(?!/))*\*/)*+"
    r"(?:([A-Za-z_][A-Za-z0-9_]*)(?![\w'\"`$@#])|\"([A-Za-z_][A-Za-z0-9_ ]*)\"(?!\")"
    r"|('(?:[^'\\]|'')*')(?!')|((?:\d+(?:\.\d+)?|\.\d+)(?![\w.$@#'\"`]))"
    r"|(::|<>|!=|<=|>=|\|\||[(),.;=<>+*/%-])|(\Z))",
)
"""A word, a quoted name, a text, a number, a sign, the end. What is none of these ends the reading."""
QUOTED_ARE_TEXTS = frozenset(("bigquery", "databricks", "spark"))
_WORDS = """
    all alter and anti any apply array as asc asof between by case cluster collate connect connect_by_root create
    cross cube curdate current_catalog current_date current_datetime current_schema current_time current_timestamp
    current_user current_user_id desc describe distinct distribute drop else end escape except exists false fetch
    filter final for force format from full glob grant group having if ignore ilike in inner insert install
    intersect interval into is isnull join lateral left like limit localtime localtimestamp lock map match_condition
    match_recognize minus natural not notnull null nulls offset on only option or order outer over overlaps
    partition partitioned_by pivot positional prewhere qualify range recursive regexp respect returning revoke right
    rlike rollback rollup row rows sample select semi serdeproperties session_user set settings sort start
    straight_join stream struct summarize sysdate table tablesample then top true uncache undrop union unnest
    unpivot user using values variadic when where window with within xor
"""
RESERVED = frozenset(_WORDS.split())
"""Words that are no names: those of any dialect, and what would be read in another way in some place."""
TYPES = frozenset((
    "bigint", "bool", "boolean", "char", "date", "decimal", "double", "float", "int", "int64", "integer", "numeric",
    "real", "smallint", "string", "text", "timestamp", "tinyint", "varchar",
))  # fmt: skip
FUNCTIONS: dict[str, tuple[str, int, int]] = {
    **dict.fromkeys(("sum", "avg"), (AGGREGATE, 1, 1)),
    **dict.fromkeys(("min", "max", "lower", "upper", "trim", "ltrim", "rtrim", "abs", "floor", "ceil", "ceiling",
                     "length", "first_value", "last_value", "any_value", "initcap", "sqrt"), (EXPRESSION, 1, 1)),
    **dict.fromkeys(("coalesce", "greatest", "least", "concat"), (EXPRESSION, 2, 99)),
    **dict.fromkeys(("row_number", "rank", "dense_rank"), (EXPRESSION, 0, 0)),
    "round": (EXPRESSION, 1, 2), "lag": (EXPRESSION, 1, 3), "lead": (EXPRESSION, 1, 3),
    "replace": (EXPRESSION, 3, 3), "substring": (EXPRESSION, 3, 3), "date_trunc": (EXPRESSION, 2, 2),
    "md5": (HASH, 1, 1), "sha1": (HASH, 1, 1), "sha256": (HASH, 1, 1),
}  # fmt: skip
"""What a function makes of the values that it takes, and how many: as sqlglot and the default ``Breakers`` have it."""
_NO_FUNCTION = ("", 1, 0)
WINDOWED = frozenset(("row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "sum", "avg",
                       "min", "max", "count"))  # fmt: skip
NEEDS_WINDOW = frozenset(("row_number", "rank", "dense_rank", "lag", "lead"))
_COMPARISONS = frozenset(("=", "<>", "!=", "<", ">", "<=", ">="))


class Column(NamedTuple):
    """A column by its name and, where it is written, its relation's."""

    table: str
    name: str


class Value(NamedTuple):
    """What is made of other values; ``transform`` "" hands them on as they are. Conditions are made of none."""

    transform: str
    parts: tuple[Column | Value, ...] = ()


NOTHING: Final = Value(EXPRESSION)
"""A literal or a condition."""


class Item(NamedTuple):
    """What a select gives: ``value`` under ``name``, or a star (None) of the relation ``name`` ("" of all)."""

    value: Column | Value | None
    name: str


class Source(NamedTuple):
    """A relation by the parts of its name, or a query; ``alias`` may be empty for a name."""

    given: tuple[str, ...] | Query
    alias: str


class Select(NamedTuple):
    """Its columns, and the relations that it reads, in order."""

    items: tuple[Item, ...]
    sources: tuple[Source, ...]


class Query(NamedTuple):
    """Common table expressions, then one select, or several that are united by position."""

    ctes: tuple[tuple[str, Query], ...]
    selects: tuple[Select, ...]


def parse_plain(sql: str, dialect: str) -> Query | None:
    """The one query of a text; None where it is no plain one, or where the ``dialect`` is none of ``DIALECTS``."""
    tokens = _tokens(sql) if dialect in DIALECTS else None
    if tokens is None or (dialect in QUOTED_ARE_TEXTS and any(token.kind == "quoted" for token in tokens)):
        return None
    if dialect == "bigquery" and any(token.kind == "text" and "''" in token.text for token in tokens):
        return None  # two texts side by side
    reader = _Reader(tokens, dialect == "bigquery", dialect in ("bigquery", "redshift"))
    try:
        query = reader.query()
        reader.take(";")
        return query if not reader.now.kind else None
    except _NotPlainError:
        return None


class _NotPlainError(Exception):
    """What comes is not of the grammar."""


class _Token(NamedTuple):
    kind: str
    """``word``, ``quoted``, ``text``, ``number``, or the sign itself; empty at the end."""
    text: str
    word: str = ""
    """In lower case, of a word."""


def _is_name(token: _Token) -> bool:
    return token.kind == "quoted" or (token.kind == "word" and token.word not in RESERVED)


def _tokens(sql: str) -> list[_Token] | None:
    found: list[_Token] = []
    at = 0
    while (one := _TOKEN.match(sql, at)) is not None:
        word, quoted, text, number, sign, end = one.groups()
        if end is not None:
            return [*found, _Token("", "")]
        if word is not None:
            found.append(_Token("word", word, word.lower()))
        elif sign is not None:
            found.append(_Token(sign, sign))
        elif quoted is not None:
            found.append(_Token("quoted", quoted))
        else:
            found.append(_Token("text" if text is not None else "number", text or number))
        at = one.end()
    return None


class _Reader(Struct):
    """Recursive descent; each method raises ``_NotPlainError`` where its rule does not fit."""

    tokens: list[_Token]
    bigquery: bool
    nested: bool
    """Whether a name with a dot after ``join`` may be the values of a column."""
    at: int = 0
    depth: int = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> bool:
        """Go past what comes where it is one of these words or signs."""
        token = self.tokens[self.at]
        if token.kind in kinds or (token.word and token.word in kinds):
            self.at += 1
            return True
        return False

    def need(self, *kinds: str) -> None:
        for kind in kinds:
            if not self.take(kind):
                raise _NotPlainError

    def name(self) -> str:
        """A name that is no reserved word, as it is written."""
        token = self.now
        if not _is_name(token):
            raise _NotPlainError
        self.at += 1
        return token.text

    def alias(self) -> str:
        if self.take("as"):
            return self.name()
        return self.name() if _is_name(self.now) else ""

    def query(self) -> Query:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _NotPlainError
        ctes: list[tuple[str, Query]] = []
        if self.take("with"):
            while True:
                name = self.name()
                self.need("as", "(")
                ctes.append((name, self.query()))
                self.need(")")
                if not self.take(","):
                    break
        selects = [self.select()]
        while self.take("union"):
            if not self.take("all", "distinct") and self.bigquery:
                raise _NotPlainError  # it wants one of the two
            selects.append(self.select())
        if self.take("order"):
            self.need("by")
            self.ordered()
        if self.take("limit"):
            self.number()
            if self.take("offset"):
                self.number()
        self.depth -= 1
        return Query(tuple(ctes), tuple(selects))

    def number(self) -> None:
        if self.now.kind != "number":
            raise _NotPlainError
        self.at += 1

    def select(self) -> Select:
        self.need("select")
        self.take("distinct")
        items = [self.item()]
        while self.take(","):
            items.append(self.item())
        sources: list[Source] = []
        if self.take("from"):
            sources.append(self.source())
            while (source := self.joined()) is not None:
                sources.append(source)
            if self.take("where"):
                self.condition()
            if self.take("group"):
                self.need("by")
                self.listed()
            if self.take("having"):
                self.condition()
        return Select(tuple(items), tuple(sources))

    def item(self) -> Item:
        if self.take("*"):
            return Item(None, "")
        first, second, third = self.tokens[self.at : self.at + 3] if self.at + 3 <= len(self.tokens) else [self.now] * 3
        if _is_name(first) and second.kind == "." and third.kind == "*":
            table = self.name()
            self.at += 2
            return Item(None, table)
        value = self.comparison(logic=False)
        name = self.alias()
        if not name:
            if not isinstance(value, Column):
                raise _NotPlainError  # it is called as its SQL is written
            name = value.name
        return Item(value, name)

    def source(self, *, joined: bool = False) -> Source:
        if self.take("("):
            query = self.query()
            self.need(")")
            alias = self.alias()
            if not alias:
                raise _NotPlainError
            return Source(query, alias)
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) > 3 or self.now.kind == "(" or (joined and self.nested and len(parts) > 1):
            raise _NotPlainError
        alias = self.alias()
        if self.now.kind == "(":
            raise _NotPlainError
        return Source(tuple(parts), alias)

    def joined(self) -> Source | None:
        if self.take("cross"):
            self.need("join")
            return self.source(joined=True)
        if self.take("left", "right", "full"):
            self.take("outer")
            self.need("join")
        elif self.take("inner"):
            self.need("join")
        elif not self.take("join"):
            return None
        source = self.source(joined=True)
        if self.take("using"):
            self.need("(")
            self.name()
            while self.take(","):
                self.name()
            self.need(")")
        else:
            self.need("on")
            self.condition()
        return source

    def listed(self) -> tuple[Column | Value, ...]:
        values = [self.comparison(logic=False)]
        while self.take(","):
            values.append(self.comparison(logic=False))
        return tuple(values)

    def ordered(self) -> None:
        while True:
            self.comparison(logic=False)
            self.take("asc", "desc")
            if self.take("nulls") and not self.take("first", "last"):
                raise _NotPlainError
            if not self.take(","):
                return

    def condition(self) -> Value:
        self.deeper()
        while True:
            self.take("not")
            self.comparison(logic=True)
            if not self.take("and", "or"):
                self.depth -= 1
                return NOTHING

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _NotPlainError

    def comparison(self, *, logic: bool) -> Column | Value:
        """A value, or what compares values; with ``logic``, conditions may stand between its parentheses."""
        if logic and self.take("exists"):
            self.need("(")
            self.query()
            self.need(")")
            return NOTHING
        value = self.sum(logic=logic)
        if self.now.kind in _COMPARISONS:
            self.at += 1
            self.sum(logic=logic)
            return NOTHING
        if self.take("is"):
            self.take("not")
            self.need_one("null", "true", "false")
            return NOTHING
        negated = self.take("not")
        if self.take("in"):
            self.need("(")
            if self.now.word in ("select", "with"):
                self.query()
            else:
                self.listed()
            self.need(")")
        elif self.take("like", "ilike"):
            self.sum(logic=logic)
        elif self.take("between"):
            self.sum(logic=logic)
            self.need("and")
            self.sum(logic=logic)
        elif negated:
            raise _NotPlainError
        else:
            return value
        return NOTHING

    def need_one(self, *words: str) -> None:
        if not self.take(*words):
            raise _NotPlainError

    def sum(self, *, logic: bool) -> Column | Value:
        """Values with arithmetic and ``||`` between them: which operator binds stronger makes no difference here."""
        parts = [self.signed(logic=logic)]
        while self.take("+", "-", "*", "/", "%", "||"):
            parts.append(self.signed(logic=logic))
        return parts[0] if len(parts) == 1 else Value(EXPRESSION, tuple(parts))

    def signed(self, *, logic: bool) -> Column | Value:
        if self.take("-"):
            return Value(EXPRESSION, (self.cast_value(logic=logic),))
        return self.cast_value(logic=logic)

    def cast_value(self, *, logic: bool) -> Column | Value:
        value = self.value(logic=logic)
        while self.take("::"):
            self.type()
            value = Value(EXPRESSION, (value,))
        return value

    def type(self) -> None:
        if self.now.word not in TYPES:
            raise _NotPlainError
        sized = self.now.word in ("decimal", "numeric", "varchar", "char")
        self.at += 1
        if sized and self.take("("):
            self.number()
            if self.take(","):
                self.number()
            self.need(")")

    def value(self, *, logic: bool) -> Column | Value:
        token = self.now
        if token.kind in ("text", "number"):
            self.at += 1
            return NOTHING
        if self.take("("):
            self.deeper()
            value = self.condition() if logic else self.comparison(logic=False)
            self.need(")")
            self.depth -= 1
            return Value("", (value,))
        if self.take("null", "true", "false", "current_date", "current_timestamp"):
            return NOTHING
        if self.take("case"):
            return self.case(logic=logic)
        after = self.tokens[self.at + 1].kind if token.kind == "word" else ""
        if after == "(":
            return self.called()
        if after == "text":
            self.need_one("date", "timestamp")
            self.at += 1
            return NOTHING
        first = self.name()
        if not self.take("."):
            return Column("", first)
        column = Column(first, self.name())
        if self.now.kind in (".", "("):
            raise _NotPlainError
        return column

    def case(self, *, logic: bool) -> Value:
        self.deeper()
        if self.now.word != "when":
            self.comparison(logic=False)
        branches: list[Column | Value] = []
        while self.take("when"):
            self.condition()
            self.need("then")
            branches.append(self.comparison(logic=False))
        if not branches:
            raise _NotPlainError
        if self.take("else"):
            branches.append(self.comparison(logic=False))
        self.need("end")
        self.depth -= 1
        return Value(EXPRESSION, tuple(branches))

    def called(self) -> Value:
        self.deeper()
        name = self.now.word
        self.at += 2
        if name in ("cast", "try_cast"):
            value = self.comparison(logic=False)
            self.need("as")
            self.type()
            made = Value(EXPRESSION, (value,))
        elif name == "nullif":
            first, *rest = self.listed()
            if len(rest) != 1:
                raise _NotPlainError
            made = Value(EXPRESSION, (first,))
        elif name == "count":
            made = self.counted()
        else:
            transform, least, most = FUNCTIONS.get(name, _NO_FUNCTION)
            if name == "date_trunc" and (self.bigquery or self.now.kind != "text"):
                raise _NotPlainError  # the unit comes after the value, or is a value itself
            given = () if self.now.kind == ")" else self.listed()
            if not least <= len(given) <= most:
                raise _NotPlainError
            made = Value(transform, given)
        self.need(")")
        windowed = name in WINDOWED and self.take("over")
        if windowed:
            self.window()
        elif name in NEEDS_WINDOW:
            raise _NotPlainError
        self.depth -= 1
        return Value("", (made,)) if windowed else made

    def counted(self) -> Value:
        if self.take("*"):
            return NOTHING
        distinct = self.take("distinct")
        given = self.listed()
        if len(given) > 1 or (distinct and not isinstance(given[0], Column)):
            raise _NotPlainError
        return Value(AGGREGATE, given)

    def window(self) -> None:
        self.need("(")
        if self.take("partition"):
            self.need("by")
            self.listed()
        if self.take("order"):
            self.need("by")
            self.ordered()
        self.need(")")
