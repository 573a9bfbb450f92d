"""Queries of the plain grammar, written at random, and what a slip of the hand makes of one."""

from __future__ import annotations

import random
import re

from compiler.facts.sql import plain as plain_sql

_NAMES = ("a", "b", "c", "id", "email", "t", "u", "v", "name", "date", "user_id", "t2", "Amount", "year", "key", '"Q"')
_LITERALS = ("1", "2.5", "'x'", "'it''s'", "null", "true", "false", "current_date", "date '2020-01-01'")
_TYPES = (*sorted(plain_sql.TYPES), "decimal(10, 2)", "varchar(5)", "numeric(3)")
_FUNCTIONS = tuple(plain_sql.FUNCTIONS.items())
_SIGNS = ("(", ")", ",", ".", "*", "+", "-", "/", "%", "=", "<", ";", "||", "::", ">=", "<>")
_MORE = ("count", "cast", "nullif", "first", "last", "from", "select", "as")
_WORDS = (*sorted(plain_sql.RESERVED), *_NAMES, *plain_sql.FUNCTIONS, *_TYPES, *_LITERALS, *_SIGNS, *_MORE)
_PART = re.compile(r"\w+|'[^']*'|\"[^\"]*\"|::|\|\||[<>!]=|<>|\S")


class Writer:
    """Writes queries; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def one(self, *of: str) -> str:
        return self.random.choice(of)

    def several(self, write: str, most: int) -> list[str]:
        return [getattr(self, write)() for _ in range(self.random.randint(1, most))]

    def name(self) -> str:
        return self.one(*_NAMES)

    def column(self) -> str:
        return self.name() if self.chance(0.6) else f"{self.name()}.{self.name()}"

    def value(self, depth: int = 0) -> str:
        if depth > 3 or self.chance(0.4):
            return self.column()
        if self.chance(0.15):
            return self.one(*_LITERALS)
        below = depth + 1
        first, second = self.value(below), self.value(below)
        kind = self.random.randrange(10)
        if kind == 0:
            return f"({self.comparison(below)})"
        if kind == 1:
            return f"{first} {self.one('+', '-', '*', '/', '%', '||')} {second}"
        if kind == 2:
            return f"-{self.column()}"
        if kind == 3:
            return f"{self.column()}::{self.one(*_TYPES)}"
        if kind == 4:
            return f"{self.one('cast', 'try_cast')}({self.comparison(below)} as {self.one(*_TYPES)})"
        if kind == 5:
            otherwise = f" else {second}" if self.chance(0.6) else ""
            return f"case {first if self.chance(0.2) else ''} when {self.condition(below)} then {first}{otherwise} end"
        if kind == 6:
            return self.one("count(*)", f"count(distinct {self.column()})", f"count({first})") + self.window()
        if kind == 7:
            return f"nullif({first}, {second})"
        return self.called(below)

    def called(self, depth: int) -> str:
        name, (_, least, most) = self.random.choice(_FUNCTIONS)
        given = ", ".join(self.value(depth) for _ in range(self.random.randint(least, min(most, least + 2))))
        if name == "date_trunc":
            given = f"'month', {self.column()}"
        needed = name in plain_sql.NEEDS_WINDOW
        return f"{name}({given}){self.window(always=needed) if name in plain_sql.WINDOWED else ''}"

    def window(self, *, always: bool = False) -> str:
        if not always and self.chance(0.7):
            return ""
        parts = f"partition by {self.value(3)} " if always or self.chance(0.6) else ""
        return f" over ({parts}{f'order by {self.order()}' if always or self.chance(0.6) else ''})"

    def order(self) -> str:
        return f"{self.value(3)}{self.one('', ' asc', ' desc', ' desc nulls last')}"

    def comparison(self, depth: int = 0) -> str:
        first, second, negated = self.value(depth + 1), self.value(depth + 1), self.one("", "not ")
        if self.chance(0.8):
            return first
        return self.one(
            f"{first} {self.one('=', '<', '>', '<=', '>=', '<>', '!=')} {second}",
            f"{first} is {negated}{self.one('null', 'true', 'false')}",
            f"{first} {negated}in ({second}, {self.value(3)})",
            f"{first} {negated}{self.one('like', 'ilike')} {second}",
            f"{first} {negated}between {second} and {self.value(3)}",
            f"{first} {negated}in ({self.query(depth + 3)})",
        )

    def condition(self, depth: int = 0) -> str:
        parts = [self.one("", "not ") + self.comparison(depth) for _ in range(self.random.randint(1, 2))]
        if depth < 2 and self.chance(0.1):
            parts.append(f"({self.condition(depth + 1)})")
        if depth < 2 and self.chance(0.05):
            parts.append(f"exists ({self.query(depth + 3)})")
        return self.one(" and ", " or ").join(parts)

    def item(self) -> str:
        if self.chance(0.15):
            return self.one("*", f"{self.name()}.*")
        return self.column() if self.chance(0.4) else f"{self.comparison()} {self.one('as ', '')}{self.name()}"

    def source(self, depth: int) -> str:
        if depth < 3 and self.chance(0.15):
            return f"({self.query(depth + 1)}) {self.one('as ', '')}{self.name()}"
        name = ".".join(self.several("name", 1 if self.chance(0.7) else 3))
        return name + (f" {self.one('as ', '')}{self.name()}" if self.chance(0.6) else "")

    def select(self, depth: int) -> str:
        text = f"select {self.one('', '', 'distinct ')}{', '.join(self.several('item', 4))}"
        if self.chance(0.05):
            return text
        text += f" from {self.source(depth)}"
        while self.chance(0.35):
            kind = self.one("join", "left join", "inner join", "full outer join", "right join", "cross join")
            on = f" on {self.condition(2)}" if self.chance(0.8) else f" using ({self.name()})"
            text += f" {kind} {self.source(depth)}{'' if kind == 'cross join' else on}"
        text += f" where {self.condition(1)}" if self.chance(0.3) else ""
        text += f" group by {self.value(3)}, 1" if self.chance(0.2) else ""
        return text + (f" having {self.condition(2)}" if self.chance(0.1) else "")

    def query(self, depth: int = 0) -> str:
        if depth > 4:
            return "select a from t"
        text = ""
        if self.chance(0.3):
            text = f"with {self.name()} as ({self.query(depth + 1)}), {self.name()} as ({self.query(depth + 2)}) "
        text += self.select(depth)
        while self.chance(0.15):
            text += self.one(" union all ", " union ", " union distinct ") + self.select(depth)
        text += f" order by {self.order()}" if self.chance(0.1) else ""
        return text + (" limit 5" if self.chance(0.1) else "")

    def slip(self, text: str) -> str:
        """The text with a word or two lost, doubled, added or exchanged, or cut off somewhere."""
        parts = _PART.findall(text)
        if self.chance(0.2):
            return " ".join(parts[: self.random.randrange(len(parts))])
        for _ in range(self.random.randint(1, 2)):
            at, kind = self.random.randrange(len(parts)), self.random.randrange(4)
            added = {0: [], 1: [self.one(*_WORDS), parts[at]], 2: [self.one(*_WORDS)]}.get(kind, [parts[at], parts[at]])
            parts[at : at + 1] = added
            parts = parts or ["select"]
        return " ".join(parts)
