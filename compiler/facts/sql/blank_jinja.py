"""SQL with its Jinja made blank in place: a text of the same length, so that what is found in it has its true place.

Nothing is rendered and Jinja is not imported. ``ref`` and ``source`` become names, other expressions become names of
which the reader is told (``holes``), and of the branches of a condition one stays. A loop's body stands once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_lang.patterns import Pattern
from policy_lang.records import NamedTuple

NAME = "J"
"""What an expression becomes: this letter, underscores to the end of the expression."""
_TAG = Pattern(r"\{\{|\{%|\{#")
_PART = Pattern(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[{}]|%\}", re.DOTALL)
_CALLEE = Pattern(r"\{\{[-+]?\s*([A-Za-z_][\w.]*)\s*(?=\(|[-+]?\}\}|\|)")
_STATEMENT = Pattern(r"\{%[-+]?\s*(\w+)\s*(.*?)\s*[-+]?%\}", re.DOTALL)
_BETWEEN = Pattern(r"\{\{[-+]?\s*(?:'[^']*'|\"[^\"]*\")\s+if\s+not\s+loop\.last\b.*", re.DOTALL)
"""What stands between the rounds of a loop, and not after the last one."""
_ASSIGNED = Pattern(r"[\w.,\s()]+?=")
_NOT_SPACE = Pattern(r"[^\n]")
_SILENT = frozenset(("config", "log", "print", "set_sql_header", "return", "docs", "exceptions.warn"))
_RELATIONS = frozenset(("ref", "source", "this", "builtins.ref", "builtins.source"))
_HIDDEN = frozenset(("macro", "test", "data_test", "materialization", "docs", "call", "filter", "block"))
_BLOCKS = _HIDDEN | {"snapshot"}
_OFF = frozenset(("execute", "not loop.last", "not loop.first", "false", "loop.index > 1"))
_ON = frozenset(("loop.last", "loop.first", "not execute", "true"))
_FIRST_RUN, _LATER_RUN = frozenset(("not is_incremental()",)), frozenset(("is_incremental()",))
_KEYWORD = Pattern(
    r"(?:\b|\A)(?:select|from|join|where|and|or|on|in|by|as|then|else|when|not|distinct|case|over|all)\Z", re.IGNORECASE
)
"""A word that cannot be the first half of a name."""
_AND, _OR = Pattern(r"\s+and\s+"), Pattern(r"\bor\b")


class Guess(NamedTuple):
    """How to take what only dbt knows: whether an unknown condition holds, whether an expression that has lines to
    itself is a name or nothing, whether other unknown expressions are numbers, and whether rows are only added."""

    holds: bool = True
    alone: bool = True
    number: bool = False
    incremental: bool = False


GUESSES = (
    Guess(),
    Guess(alone=False),
    Guess(holds=False),
    Guess(holds=False, alone=False),
    Guess(number=True),
    Guess(incremental=True),
)


class Hole(NamedTuple):
    """Where an expression that only dbt knows stood; ``alone`` in its lines, so that it may be anything."""

    start: int
    end: int
    alone: bool


class Blanked(NamedTuple):
    """``opaque``: there are tags that may stand for anything, so that nothing is certain after the first of them."""

    text: str
    holes: tuple[Hole, ...]
    opaque: int | None


def blanked(text: str, guess: Guess = GUESSES[0]) -> Blanked | None:
    """None where the blocks of the Jinja do not fit together, or quote Jinja."""
    if "{" not in text:
        return Blanked(text, (), None)
    blanking = _Blanking(text, guess)
    out = blanking.run()
    return None if out is None else Blanked("".join(out), tuple(blanking.holes), blanking.opaque)


class _Open:
    """A block that has begun; ``shown`` says whether what is around it stays, ``met`` that a branch was taken."""

    __slots__ = ("met", "shown", "word")

    def __init__(self, word: str, shown: bool, met: bool = False) -> None:
        self.word, self.shown, self.met = word, shown, met


class _Blanking:
    def __init__(self, text: str, guess: Guess) -> None:
        self.text, self.guess = text, guess
        self.holes: list[Hole] = []
        self.opaque: int | None = None
        self.open: list[_Open] = []
        self.shown = True

    def run(self) -> list[str] | None:
        out: list[str] = []
        text, at = self.text, 0
        for start, end in self._tags():
            if end < 0:
                return None
            literal = text[at:start]
            out.append(literal if self.shown else spaces(literal))
            tag = text[start:end]
            if tag[1] == "%":
                written = self._statement(tag, start)
                if written is None:
                    return None
                out.append(written)
            else:
                out.append(self._expression(tag, start, end) if tag[1] == "{" and self.shown else spaces(tag))
            at = end
        out.append(text[at:])
        return None if self.open else out

    def _tags(self) -> Iterator[tuple[int, int]]:
        at = 0
        while (found := _TAG.search(self.text, at)) is not None:
            at = _end(self.text, found.start())
            yield found.start(), at
            if at < 0:
                return

    def _expression(self, tag: str, start: int, end: int) -> str:
        called = _CALLEE.match(tag)
        name = called[1] if called else ""
        if name in _SILENT or _BETWEEN.match(tag):
            return spaces(tag)
        first, rest = (tag[:i], tag[i:]) if (i := tag.find("\n")) >= 0 else (tag, "")
        if name in _RELATIONS or name.startswith("this."):
            return (
                " " + NAME + "_" * (len(first) - 2) + spaces(rest)
            )  # the name itself may be quoted: it needs no space
        if tag.count("(") != tag.count(")"):  # in texts: parts of SQL that the macro joins
            self._opaque(start)
        alone = self._alone(start, end)
        space = " " if _KEYWORD.search(self.text, max(0, start - 12), start) else ""
        self.holes.append(Hole(start + len(space), end, alone))
        if alone and not self.guess.alone:
            return spaces(tag)
        if self.guess.number and not alone:
            return space + "1" + spaces(tag[1 + len(space) :])
        return space + NAME + "_" * (len(first) - 1 - len(space)) + spaces(rest)

    def _alone(self, start: int, end: int) -> bool:
        before = self.text.rfind("\n", 0, start) + 1
        after = self.text.find("\n", end)
        return not self.text[before:start].strip() and not self.text[end : after if after >= 0 else None].strip()

    def _statement(self, tag: str, start: int) -> str | None:
        found = _STATEMENT.match(tag)
        if found is None or found[1] == "raw":
            return None
        word, argument = found[1], found[2]
        if word in ("if", "elif", "else"):
            if not self._branch(word, argument):
                return None
        elif word == "for" or word in _BLOCKS:
            if word in ("call", "filter", "block"):
                self._opaque(start)
            self.open.append(_Open(word, self.shown))
            self.shown = self.shown and word not in _HIDDEN
        elif word == "set":
            if not _ASSIGNED.match(argument):
                self.open.append(_Open(word, self.shown))
                self.shown = False
        elif word.startswith("end"):
            if not self.open or self.open[-1].word != word[3:]:
                return None
            self.shown = self.open.pop().shown
            if word == "endsnapshot":
                return ";" + spaces(tag[1:])
        elif word != "do":
            self._opaque(start)
        return spaces(tag)

    def _branch(self, word: str, condition: str) -> bool:
        if word == "if":
            self.open.append(_Open("if", self.shown))
        if not self.open:
            return False
        block = self.open[-1]
        if block.word == "for":
            self.shown = False
            return word == "else"
        if block.word != "if":
            return False
        holds = True if word == "else" else self._holds(condition)
        self.shown = block.shown and holds and not block.met
        block.met = block.met or holds
        return True

    def _holds(self, condition: str) -> bool:
        said = condition.strip().lower()
        on, off = (_LATER_RUN, _FIRST_RUN) if self.guess.incremental else (_FIRST_RUN, _LATER_RUN)
        parts = [said] if _OR.search(said) else _AND.split(said)
        if any(part in _OFF or part in off for part in parts):
            return False
        return all(part in _ON or part in on for part in parts) or self.guess.holds

    def _opaque(self, start: int) -> None:
        if self.opaque is None:
            self.opaque = start


def spaces(text: str) -> str:
    """As long, and with the same lines."""
    return _NOT_SPACE.sub(" ", text)


def _end(text: str, start: int) -> int:
    """Where the tag that begins at ``start`` ends; -1 where it does not."""
    kind = text[start + 1]
    if kind == "#":
        end = text.find("#}", start + 2)
        return end + 2 if end >= 0 else -1
    depth = 0
    for found in _PART.finditer(text, start + 2):
        part = found[0]
        if part == "{":
            depth += 1
        elif part == "}":
            if depth:
                depth -= 1
            elif kind == "{" and text.startswith("}}", found.start()):
                return found.start() + 2
        elif part == "%}" and kind == "%" and not depth:
            return found.end()
    return -1
