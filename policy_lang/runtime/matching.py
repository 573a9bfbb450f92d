"""Letters and regular expressions, for builtins and for generated code alike. RE2 is imported for patterns that need
it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from policy_lang.runtime.builtins.registry import failure
from policy_lang.runtime.plain_patterns import plain

SPACES = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go trims as space; Python's ``strip`` takes the separators U+001C to U+001F for spaces too."""


def lower(text: str) -> str:
    """Letter by letter, as Go does."""
    if text.isascii():
        return text.lower()
    return "".join(c.lower() if len(c.lower()) == 1 else c.lower()[0] for c in text)


@functools.lru_cache(maxsize=1024)
def pattern_of(name: str, text: str) -> Any:
    import re2

    try:
        options = re2.Options()
        options.log_errors = False
        return re2.compile(text, options)
    except re2.error as error:
        raise failure(name, f"error parsing regexp: {error}") from None


class Matches(dict[str, bool]):
    """Whether a pattern occurs in a text, by text: data has few different names, and a match costs more than
    a look-up. Forgets all when it gets large."""

    __slots__ = ("_match", "pattern")

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self.pattern = pattern
        self._match: Callable[[str], bool] | None = None

    def __missing__(self, text: str) -> bool:
        if self._match is None:
            self._match = _search(self.pattern)
        if len(self) >= MOST_TEXTS:
            self.clear()
        found = self[text] = self._match(text)
        return found


class Memo(dict[str, Any]):
    """What a function of a text has answered in one evaluation, by text. Forgets all when it gets large."""

    __slots__ = ("_context", "_function", "_given")

    def __init__(self, function: Callable[..., Any], context: Any, given: tuple[Any, ...]) -> None:
        super().__init__()
        self._function, self._context, self._given = function, context, given

    def __missing__(self, text: str) -> Any:
        if len(self) >= MOST_TEXTS:
            self.clear()
        found = self[text] = self._function(self._context, text, *self._given)
        return found


MOST_TEXTS = 8192


def _search(pattern: str) -> Callable[[str], bool]:
    if (without := plain(pattern)) is not None:
        return without
    import re2

    compiled: Any = pattern_of("regex.match", pattern)
    # The wrapper around RE2 spends five times what the match costs on positions that nobody asks for.
    inner: Any = getattr(compiled, "_regexp", None)
    anchor: Any = getattr(getattr(re2, "_Anchor", None), "UNANCHORED", None)
    if inner is None or anchor is None:
        return lambda text: compiled.search(text) is not None

    def search(text: str) -> bool:
        encoded = text.encode("utf-8", "surrogatepass")
        return bool(inner.Match(anchor, encoded, 0, len(encoded))[0][0] >= 0)

    return search


class _All(dict[str, Matches]):
    def __missing__(self, pattern: str) -> Matches:
        if len(self) >= 256:
            self.clear()
            MATCHED.clear()
        found = self[pattern] = Matches(pattern)
        return found


_MATCHES = _All()
MATCHED: dict[str, Matches] = {}
"""The patterns that have matched or not: they are valid, so generated code may look matches up in place."""


def matches(pattern: str) -> Matches:
    """What is known of a pattern; an invalid one raises BuiltinError where a text is asked for."""
    return _MATCHES[pattern]
