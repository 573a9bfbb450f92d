"""Two values of an IR compared: each difference as a clause, with the way it goes.

A value is compared with all that is in it, so that no difference is lost; what has no order of strictness is
``changed``. Entries of lists are compared by their names, lists of words without their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Entry = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """``direction`` is ``stricter``, ``weaker`` or ``changed``; ``text`` is a clause without a full stop.

    ``path`` is the place in the IR, with names for entries of lists; ``before`` and ``after`` are what stands there,
    None where nothing does.
    """

    direction: str
    text: str
    path: Path
    before: Any
    after: Any


class Rule(NamedTuple):
    """How a field's values are ordered: ``up`` and ``down`` are stricter where greater or less, ``more`` and ``fewer``
    where a list has more or less; ``""`` orders nothing. ``all_if_empty`` says that an empty list forbids nothing.
    """

    order: str = ""
    rank: Callable[[Any], Any] = lambda value: value
    all_if_empty: bool = False


Rules = Mapping[Path, Rule]
"""The rule of each path, with ``*`` for the name of an entry; an entry's own path says what it means that it comes."""

_FREE = Rule()
_KINDS = {
    "approved_plugins": "approved plugins for",
    "categories": "category",
    "columns": "column",
    "contracts": "contract",
    "destinations": "destination",
    "domains": "domain",
    "environments": "environment",
    "gates": "quality gate",
    "ingestion": "ingestion",
    "input_ports": "input port",
    "layers": "layer",
    "levels": "level",
    "namespaces": "namespace",
    "output_ports": "output port",
    "packages": "package",
    "plugins": "plugin for",
    "policies": "handling of",
    "registered_products": "registered product",
    "resource_presets": "resource preset",
    "roles": "role",
    "services": "service",
    "transforms": "transform",
}
"""What an entry of a list or mapping of this name is called."""


class Comparison(NamedTuple):
    """The rules of one part of the IR, and the patterns of fields that are told elsewhere or mean nothing here."""

    rules: Rules
    known: frozenset[Path]
    silent: frozenset[Path]
    where: str

    @classmethod
    def of(cls, rules: Rules, silent: frozenset[Path] = frozenset(), where: str = "") -> Comparison:
        """A comparison by ``rules``; what has a pattern in ``silent`` is left out.

        ``where`` ends what is said to have changed (`` of the contract orders``).
        """
        return cls(rules, frozenset(path[:cut] for path in rules for cut in range(1, len(path) + 1)), silent, where)

    def changes(self, path: Path, pattern: Path, before: Any, after: Any) -> Iterator[Change]:
        """What differs at ``path``, whose pattern is ``pattern``."""
        if before == after:
            return
        pair = (before, after)
        if any(isinstance(v, dict) for v in pair) and all(v is None or isinstance(v, dict) for v in pair):
            yield from self._records(path, pattern, before or {}, after or {})
        elif path[-1] == "grants" and all(isinstance(v, list) for v in pair):
            owner = path[: -2 if path[-2:-1] == ("access",) else -1]
            yield from grants(_phrase(owner), path, before, after)
        elif not self._alike(pattern) and (keyed := [_by_name(v) for v in pair]) and None not in keyed:
            yield from self._records(path, pattern, keyed[0] or {}, keyed[1] or {}, entries=True)
        else:
            yield from value(_phrase(path) + self.where, path, before, after, self.rules.get(pattern, _FREE))

    def _records(
        self, path: Path, pattern: Path, before: Entry, after: Entry, entries: bool = False
    ) -> Iterator[Change]:
        for key in dict.fromkeys([*before, *after]):
            here = (*pattern, key)
            free = here not in self.known
            below = (*pattern, "*") if free and (*pattern, "*") in self.known else here
            if below in self.silent:
                continue
            there = (*path, key)
            one, other = before.get(key), after.get(key)
            whole = isinstance(other if one is None else one, dict) and (key not in before or key not in after)
            if whole and (entries or below[-1] == "*") and path[-1] in _KINDS:
                yield self._whole(there, below, one, other)
            else:
                yield from self.changes(there, below, one, other)

    def _alike(self, pattern: Path) -> bool:
        """Whether a list's entries count by being there, and nothing is known of what is in them."""
        return bool(self.rules.get(pattern, _FREE).order) and (*pattern, "*") not in self.known

    def _whole(self, path: Path, pattern: Path, before: Any, after: Any) -> Change:
        """An entry that came or went."""
        rule = self.rules.get(pattern, _FREE)
        way = _FREE_WAY if not rule.order else "stricter" if (before is None) == (rule.order == "more") else "weaker"
        return Change(way, f"{_phrase(path)}{self.where} is {'new' if before is None else 'gone'}", path, before, after)


_FREE_WAY = "changed"


def value(what: str, path: Path, before: Any, after: Any, rule: Rule = _FREE) -> Iterator[Change]:
    """The change of one value; lists are told by what came and what went."""
    if before == after:
        return
    if isinstance(before, list) and isinstance(after, list):
        yield from _lists(what, path, before, after, rule)
        return
    yield Change(
        _way(rule, before, after), f"{what} changes from {shown(before)} to {shown(after)}", path, before, after
    )


def _lists(what: str, path: Path, before: list[Any], after: list[Any], rule: Rule) -> Iterator[Change]:
    came, went = ([v for v in one if v not in other] for one, other in ((after, before), (before, after)))
    parts = [f"{word} {', '.join(map(shown, found))}" for word, found in (("gains", came), ("loses", went)) if found]
    if not parts:
        return  # the same words in another order
    if rule.all_if_empty and not (before and after):
        way = "stricter" if after else "weaker"
    elif (came and went) or not rule.order:
        way = "changed"
    else:
        way = "stricter" if bool(came) == (rule.order == "more") else "weaker"
    yield Change(way, f"{what} {' and '.join(parts)}", path, before, after)


def _way(rule: Rule, before: Any, after: Any) -> str:
    """Nothing said is the loosest; for a list that only allows what it names, too."""
    if not rule.order:
        return "changed"
    if before is None or after is None:
        said = before if after is None else after
        # Off, or 0, is no more than nothing said; whether a thing is allowed is not known where nobody says.
        least = rule.rank(said) == 0 if rule.order == "up" else isinstance(said, bool)
        return "changed" if least else "weaker" if after is None else "stricter"
    one, other = rule.rank(before), rule.rank(after)
    if isinstance(before, list | dict) or one is None or other is None or one == other:
        return "changed"
    return "stricter" if (other > one) == (rule.order == "up") else "weaker"


def grants(what: str, path: Path, before: Sequence[Entry], after: Sequence[Entry]) -> Iterator[Change]:
    """Who may read or write: each role or domain that is let in, shut out, or may more or less than before."""
    old, new = ({(g.get("domain"), g.get("role")): g.get("access") for g in found} for found in (before, after))
    for grantee in dict.fromkeys([*old, *new]):
        one, other = old.get(grantee), new.get(grantee)
        who = "/".join(filter(None, grantee)) or "everybody"
        here = (*path, who)
        if one is None or other is None:
            opened = one is None
            text = f"{what} is {'open to' if opened else 'no longer open to'} {who} ({other or one})"
            yield Change("weaker" if opened else "stricter", text + (" now" if opened else ""), here, one, other)
        else:
            rule = Rule("down", {"none": 0, "read": 1, "read_write": 2}.get)
            yield from value(f"the access of {who} to {what}", here, one, other, rule)


def _by_name(found: Any) -> dict[str, Any] | None:
    """Entries by name, where each has one of its own; None where it is another kind of list."""
    if found is None or found == []:
        return {}
    if not isinstance(found, list) or not all(isinstance(e, dict) for e in found):
        return None
    names = [str(e.get("name") or e.get("path") or e.get("team") or e.get("email") or i) for i, e in enumerate(found)]
    return dict(zip(names, found, strict=True)) if len(set(names)) == len(names) else None


def _phrase(path: Path) -> str:
    """```retention_max_days` of the category pii``, or the path itself."""
    for at in range(len(path) - 1, 0, -1):
        kind = _KINDS.get(path[at - 1])
        if kind is not None:
            entry = f"the {kind} {path[at]}"
            return f"`{'.'.join(path[at + 1 :])}` of {entry}" if path[at + 1 :] else entry
    return f"`{'.'.join(path)}`"


def shown(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "nothing"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{k} {shown(v)}" for k, v in value.items() if v not in (None, [], {}, "")) + ")"
    return str(value) if value != "" else "nothing"
