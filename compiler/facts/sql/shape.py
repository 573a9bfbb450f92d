"""A look at the shape of SQL, token by token: where it seems that no parser could understand it.

It costs a tenth of a millisecond a model and loads nothing, so that only SQL that looks odd has to be parsed: one in
twenty files of public projects, and nine of ten where a word, comma or bracket is missing, misspelt or too much. Any
dialect may pass; a word that is a keyword in some place and a name in others is taken for either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

_TOKEN = Pattern(
    r"""
    (?:\s+|--[^\n]*|/\*.*?\*/|//[^\n]*)*+
    (?:(?P<text>[A-Za-z]{0,2}'(?:[^'\\]|''|\\[^'])*'(?!'))
    |(?P<quoted>"(?:[^"\\]|"")*"(?!")|`[^`]*`)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w))
    |(?P<word>[^\W\d][\w$]*|\d+[A-Za-z_]\w*)
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<comma>,)
    |(?P<dot>\.)
    |(?P<end>;)
    |(?P<cast>::)
    |(?P<operator>[-+/%<>=!|&^~:?@]+)
    |(?P<star>\*+)
    |(?P<nothing>\Z)
    |(?P<odd>.))
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASSES = {
    "free": """left right inner outer cross full natural lateral semi anti asof any some array asc desc nulls first
        last rows range groups unbounded preceding following current row interval date timestamp timestamptz
        timestamp_ntz datetime time zone at with without recursive materialized partition window exclude replace
        rename escape limit offset fetch next only top tablesample sample pivot unpivot for values table temporary if
        null true false unnest flatten global final prewhere settings cluster distribute sort connect start prior
        double precision varying collate div mod rollup cube grouping sets ordinality binary unique unknown matching
        replacing safe cast try_cast separator both leading trailing struct map percent repeatable bernoulli system
        positional strict insert into update delete set create merge drop view function returns begin declare call use
        exec describe show explain version system_time before keep by_name overlaps corresponding glob
        match_recognize apply lambda overwrite character match_condition error default input output constraint
        ordinal safe_offset""",
    "select": "select", "from": "from", "clause": "where having qualify", "sorted": "group order", "by": "by",
    "set": "union except intersect minus", "case": "case", "when": "when then else", "finish": "end",
    "infix": "and or like ilike rlike regexp between is similar", "not": "not", "in": "in exists", "as": "as",
    "on": "on using", "distinct": "distinct all", "join": "join", "over": "over within filter ignore respect",
    "unit": "day hour minute second week month quarter year days hours minutes seconds weeks months years",
}  # fmt: skip
_CLASS = {word: name for name, words in _CLASSES.items() for word in words.split()}
_OF_KIND = {"text": "name", "number": "name", "quoted": "name", "open": "(", "close": ")", "comma": ",", "dot": ".",
            "end": ";", "cast": "::", "operator": "operator", "star": "*"}  # fmt: skip
_WANTS = frozenset((".", "select", "from", "clause", "infix", "by", "not", "as", ",", "operator", "(", "when", "case",
                    "join", "set", "distinct", "in", "::"))  # fmt: skip
"""After these, something must come."""
_NEVER_FIRST = frozenset((".", ",", "from", "clause", "sorted", "set", "finish", "infix", "join", "when", "on", "as",
                          "::"))  # fmt: skip
"""These must have something before them."""
_ALLOWED = frozenset(
    (("(", "sorted"), ("case", "when"), ("distinct", "set"), ("distinct", "on"), ("distinct", "sorted"),
     ("set", "distinct"), ("not", "infix"), ("infix", "infix"))
)  # fmt: skip
_VALUES = frozenset(("name", "alias", ")", "finish", "all"))
_NO_OPERATOR = _WANTS - {"::", ".", "by", "not", "case", "distinct"}
_SIGNS = Pattern(r"[-+~@:!?]+")
_AFTER_ALIAS = frozenset(("as", "operator", "infix", ".", "::", "case", "select", "distinct", "not", "in", "over"))
_AFTER_STAR = frozenset((",", "from", ")", "set", "free", ";", "clause", "sorted", "as", "*"))
_BEGINS = frozenset(("select", "free", "from", "("))
_WITH_FROM = frozenset(("extract", "trim", "substring", "overlay", "position", "ltrim", "rtrim", "btrim", "substr",
                        "date_part"))  # fmt: skip
_WITH_TYPES = frozenset(("cast", "try_cast", "safe_cast", "convert", "xmltable", "json_table", "struct", "row", "array",
                         "map", "table", "columns"))  # fmt: skip
_PAIRS = {")": "(", "]": "[", "}": "{"}
_BY = frozenset(("group", "order", "partition", "cluster", "distribute", "sort", "connect", "union", "all", "start"))
_RANKS = {"select": 1, "from": 2, "where": 3, "group": 4, "having": 5, "qualify": 6, "order": 7}
_COMBINED = 9
_JOINS = frozenset(("left", "right", "inner", "cross", "full"))

ODD = "is not expected here"
UNCLOSED = "is never closed"
DOUBLED = "follows another comma"
UNFINISHED = "is the end, and something is missing after it"
CLOSES_NOTHING = "closes nothing"


class Oddity(NamedTuple):
    """Where SQL looks odd, and what is said of the ``length`` characters there; ``ODD`` is a mere suspicion."""

    offset: int
    length: int
    reason: str = ODD


class _Level:
    """What is between two brackets, or in the whole query: how far its clauses have come."""

    __slots__ = ("bracket", "cases", "function", "in_on", "offset", "rank", "select", "vague")

    def __init__(self, bracket: str, offset: int, function: str) -> None:
        self.bracket, self.offset, self.function = bracket, offset, function
        self.select = self.vague = self.in_on = False
        self.rank = 0
        self.cases: list[int] = []


def oddity(text: str, holes: Collection[int] = ()) -> Oddity | None:
    """What looks odd first; at ``holes`` (offsets) anything may stand."""
    return _Look(text).run(frozenset(holes))


class _Look:
    def __init__(self, text: str) -> None:
        self.text = text
        self.levels: list[_Level] = []
        self.level = _Level("", 0, "")
        self.before = ""
        """The class of the last token; empty at the start."""
        self.word, self.kind = "", ""
        self.first = ""
        self.last = (0, 0)
        """Offset and length of the last token."""

    def run(self, holes: frozenset[int]) -> Oddity | None:
        for found in _TOKEN.finditer(self.text):
            kind = found.lastgroup or ""
            at = found.start(kind)
            if kind == "nothing":
                break
            if at in holes:
                self.before, self.word, self.kind, self.level.vague = "hole", "", kind, True
                continue
            self.last = (at, len(found[kind]))
            odd = self._token(kind, found[kind].lower() if kind == "word" else found[kind], at)
            if odd is not None:
                return odd
        return self._finished()

    def _token(self, kind: str, word: str, at: int) -> Oddity | None:
        if kind == "odd":
            return Oddity(at, 1, UNCLOSED if word in "'\"`" else ODD)
        name = _OF_KIND.get(kind) or self._class(word)
        if not self.first and kind == "word":
            self.first = word
        if name == "(":
            return self._opened(word, at)
        if name == ")":
            return self._closed(word, at)
        rule = _RULES.get(name)
        if self._misplaced(name, word) or (rule is not None and (name := rule(self, name, word, at)) == ""):
            return Oddity(at, len(word), DOUBLED if word == self.before == "," else ODD)
        self.before, self.word, self.kind = name, word if kind == "word" else "", kind
        return None

    def _class(self, word: str) -> str:
        if self.before == ".":
            return "name"
        name = _CLASS.get(word, "name")
        if name == "unit":
            return "free" if self.kind in ("number", "text") or self.before == "hole" else "name"
        return "free" if name == "sorted" and self.word in ("within", "any") else name

    def _misplaced(self, name: str, word: str) -> bool:
        """What may not stand beside what came before, whatever is around it."""
        before = self.before
        if name in _NEVER_FIRST and before in _WANTS and (before, name) not in _ALLOWED:
            within = name == "," and before == "(" and self.level.bracket == "["
            where = before == "(" and word == "where"
            if not (within or where or (before == "distinct" and name == "from" and self.level.rank != 1)):
                return True
        elif (before, name) == ("infix", "infix") and (word in ("and", "or") or self.word in ("and", "or")):
            return True
        if not before:
            return name not in _BEGINS
        if before == "all":
            return name not in _AFTER_STAR
        if before == "sorted":
            return name not in ("by", "hole")
        if before == "set":
            return name not in (*_BEGINS, "distinct", "name")
        if before == "alias" and name in _AFTER_ALIAS:
            return not (self.level.function in _WITH_TYPES or (name == "." and self.level.rank == 2))
        return self.word == "with" and before == "free" and name not in ("name", "free")

    def _opened(self, word: str, at: int) -> Oddity | None:
        if word == "(":
            typed = self.level.rank == 2 or self.level.function in _WITH_TYPES or not self.level.select
            if self.before == ")" or (self.before == "alias" and not typed):
                return Oddity(at, 1)
        self.levels.append(self.level)
        self.level = _Level(word, at, self.word if self.before in ("name", "free", "alias") else "")
        self.before, self.word, self.kind = "(", "", "open"
        return None

    def _closed(self, word: str, at: int) -> Oddity | None:
        if not self.levels:
            return Oddity(at, 1, CLOSES_NOTHING)
        if _PAIRS[word] != self.level.bracket:
            return Oddity(at, 1, f"closes a `{self.level.bracket}`")
        if self.level.cases:
            return Oddity(self.level.cases[-1], 4, "has no `end`")
        typed = self.kind == "operator" and self.level.function in _WITH_TYPES  # cast(a as array<int>)
        if self.before in _WANTS and self.before != "(" and not typed:
            return Oddity(at, 1)
        self.level = self.levels.pop()
        self.before, self.word, self.kind = ")", "", "close"
        return None

    def _finished(self) -> Oddity | None:
        if self.levels:
            return Oddity(self.level.offset, 1, UNCLOSED)
        level = self.level
        if level.cases:
            return Oddity(level.cases[-1], 4, "has no `end`")
        only_tables = self.first == "with" and not level.select and not level.vague and level.rank == 0
        if self.before in _WANTS - {"distinct"} or self.before == "sorted" or (only_tables and self.before == ")"):
            return Oddity(*self.last, UNFINISHED)
        return None

    # One rule a class of words: the class that it turns out to be of, empty where it cannot stand here.

    def _name(self, name: str, word: str, at: int) -> str:
        before, level = self.before, self.level
        if before == "as":
            return "alias"
        if before not in _VALUES:
            return name
        query = level.select or not self.levels
        if before == "alias" or word[0].isdigit() or word[0] == "." or before == "all" or not query:
            return ""
        return "" if level.cases or level.in_on or 3 <= level.rank < _COMBINED else "alias"

    def _operator(self, name: str, word: str, at: int) -> str:
        return "" if self.before in _NO_OPERATOR and not _SIGNS.fullmatch(word) else name

    def _star(self, name: str, word: str, at: int) -> str:
        if self.before in ("select", ",", "(", ".", "distinct", "hole", ""):
            return "all"
        return "" if self.before in _WANTS else "operator"

    def _by(self, name: str, word: str, at: int) -> str:
        return name if self.word in _BY or self.before == "hole" else ""

    def _select(self, name: str, word: str, at: int) -> str:
        level = self.level
        odd = self.before in (*_VALUES, ",", "infix", "operator", "from", "clause") and self.before != ")"
        if odd or (level.select and level.rank < _COMBINED):
            return ""
        level.select, level.rank, level.in_on = True, 1, False
        return name

    def _from(self, name: str, word: str, at: int) -> str:
        level = self.level
        if self.before == "distinct" or level.vague:
            return name
        alone = not level.select and level.function not in _WITH_FROM and self.before not in ("(", "", "set", ")")
        if level.cases or alone or (level.select and level.rank >= 2):
            return ""
        level.rank = 2
        return name

    def _clause(self, name: str, word: str, at: int) -> str:
        level, rank = self.level, _RANKS[word]
        first = word in ("where", "group", "having", "qualify")
        if level.cases or (
            first and not level.vague and rank <= level.rank and not (name == "sorted" and level.rank == _COMBINED)
        ):
            return ""
        if level.rank or (level.vague and name == "clause"):
            level.rank = max(level.rank, rank)
        level.in_on = False
        return name

    def _set(self, name: str, word: str, at: int) -> str:
        if word != "except" or self.before != "all":
            self.level.rank, self.level.in_on = _COMBINED, False
        return name

    def _join(self, name: str, word: str, at: int) -> str:
        self.level.in_on = False
        return "" if self.level.rank >= _RANKS["where"] and not self.level.vague else name

    def _on(self, name: str, word: str, at: int) -> str:
        level = self.level
        if word == "on" and level.rank == 2:
            level.in_on = True
        elif level.select and level.rank == 1 and self.before != "distinct" and not level.vague:
            return ""
        return name

    def _case(self, name: str, word: str, at: int) -> str:
        self.level.cases.append(at)
        return "" if self.before in ("name", "alias", ")") else name

    def _when(self, name: str, word: str, at: int) -> str:
        return name if self.level.cases else ""

    def _finish(self, name: str, word: str, at: int) -> str:
        if not self.level.cases:
            return ""
        self.level.cases.pop()
        return name

    def _distinct(self, name: str, word: str, at: int) -> str:
        odd = self.before in ("name", "alias", ",", "operator", "distinct", ")", "from", "as")
        return "" if word == "distinct" and odd else name

    def _over(self, name: str, word: str, at: int) -> str:
        called = word == "filter" and self.before in _WANTS
        fits = self.before in (")", "free", "hole") or self.word == "nulls" or called
        return "free" if fits else ""

    def _free(self, name: str, word: str, at: int) -> str:
        if word in _JOINS:
            self.level.in_on = False
        here = self.level.cases and self.before in ("name", ")")
        return "" if here and (word in _JOINS or word in ("limit", "window", "values", "table")) else name

    def _end(self, name: str, word: str, at: int) -> str:
        if self.levels or self.before in _WANTS:
            return ""
        self.level, self.first = _Level("", at, ""), ""
        self.word, self.kind = "", ""
        return name


_RULES: dict[str, Callable[[_Look, str, str, int], str]] = {
    "name": _Look._name,
    "operator": _Look._operator, "*": _Look._star, "by": _Look._by, "select": _Look._select, "from": _Look._from,
    "clause": _Look._clause, "sorted": _Look._clause, "set": _Look._set, "join": _Look._join, "on": _Look._on,
    "case": _Look._case, "when": _Look._when, "finish": _Look._finish, "distinct": _Look._distinct,
    "over": _Look._over, "free": _Look._free, ";": _Look._end,
}  # fmt: skip
