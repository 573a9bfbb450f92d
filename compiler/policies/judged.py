"""Policies on an IR of which little has changed since they last ran: the answer of running them on all of it.

What they found is kept with the entries that they found it on. Of an IR that is made of the same base
(``Origin.base``) only the entries that were touched then or since can differ; those that do are judged alone, as they
were and as they are, by the policies that see nothing but their subject (``policy_lang.plan.slices``), and the
findings exchanged. Any other policy keeps its findings where nothing that it reads is different; where something is,
all policies run on all of the IR. So they do where the platform, the product, a parameter, a policy or the day has
changed.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compiler.facts.kept.packing import decoded, encoded, read_packed, read_parts, write_packed, write_parts
from compiler.ir import facts_model
from compiler.ir.compared import same, seen_alike
from policy_lang.diagnostics import Outcome, Severity
from policy_lang.digests import digest_of, name_of
from policy_lang.policies import Edit, PolicyRun, PolicySet, Violation, by_place
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from compiler.ir.facts_model import Facts

MOST_CHANGED = 300
LISTS = tuple(name for name in facts_model.LISTS if name != "groups")
"""The lists of the IR whose entries have a ``unique_id``; the rest of it is the frame."""
_FLOWS = ("models", "seeds", "snapshots", "sources")
_FOUND, _ENTRIES = b"floec-found-3\n", b"floec-entries-3\n"
_PARTS = 256

_Entry = dict[str, Any]
_Path = tuple[str | int, ...]
_Changed = dict[str, tuple[_Entry | None, _Entry | None]]
"""``unique_id`` → the entry as it was and as it is; None where there is none."""


class Judge(NamedTuple):
    """How policies are run on a document: with which settings, where the last run is kept (None: nowhere), and in how
    many processes they run where all of it is judged."""

    policies: PolicySet
    params: Mapping[str, Mapping[str, Any]]
    severities: Mapping[str, Severity]
    document: str
    folder: Path | None
    jobs: int = 1
    day: str = ""
    """A policy may ask for the time: what was found on another day counts no more, as with verdicts."""
    conforming: bool = False
    """Whether the IR's types are known to be right (``PolicySet.run``)."""
    whole: bool = False
    """Whether facts of one base are always the same, so that nobody asks for their entries again."""

    def run(self, ir: dict[str, Any], facts: Facts | None) -> Outcome[PolicyRun]:
        """As ``PolicySet.run``; ``ir`` is made of ``facts``."""
        if self.folder is None or facts is None or not facts.origin.base or not self.policies.digest:
            return self._all(ir)
        lists = _lists_read(self.policies)
        places = {name: {entry["unique_id"]: i for i, entry in enumerate(ir[name])} for name in lists}
        if any(len(at) != len(ir[name]) for name, at in places.items()):
            return self._all(ir)
        severities = {id_: str(severity) for id_, severity in self.severities.items()}
        given = (facts.origin.base, self.policies.digest, dict(self.params), severities, self.day)
        settings = repr(given).encode("utf-8", "surrogatepass")  # `encoded` differs for equal values that share parts
        store = _Store(self.folder / "facts" / name_of(self.document), settings)
        last = store.recall()
        flows = _flows(ir)
        exchange = _Exchange(self, last, ir, places, flows, facts.origin.touched) if last is not None else None
        compared = exchange is not None and exchange.compared(store)
        found = exchange.run() if exchange is not None and compared else None
        ran = Outcome(found) if found is not None else self._all(ir)
        if ran.value is None:
            return ran
        if last is None or exchange is None or not compared or not exchange.framed():
            entries = None if self.whole else {name: ir[name] for name in lists}
            store.keep(_last(ir, places, flows, facts.origin.touched, ran.value, {}), entries)
        elif exchange.changed:
            over = last.over | exchange.over()
            store.keep(_last(ir, places, flows, facts.origin.touched, ran.value, over, last))
        return ran

    def _all(self, ir: dict[str, Any]) -> Outcome[PolicyRun]:
        return self.policies.run(ir, self.params, self.severities, conforming=self.conforming, jobs=self.jobs)

    def alone(self, frame: dict[str, Any], lists: Mapping[str, list[_Entry]]) -> PolicyRun | None:
        """What is found where these entries are all that there is; None where that cannot be told."""
        return self.policies.run({**frame, **{name: [] for name in LISTS}, **lists}, self.params, self.severities).value


def _lists_read(policies: PolicySet) -> list[str]:
    """The lists that a policy reads; what stands in the others is nothing to any."""
    slices = policies.slices()
    read = {path[0] if path else "*" for one in slices for path in one.reads} | {one.over for one in slices}
    return [name for name in LISTS if name in read or "*" in read]


class _Last(NamedTuple):
    """A run that was kept: what it found, and what tells whether its IR is another one now.

    ``token`` names the store of entries that it is kept beside: another process may have written another one since.
    """

    token: bytes
    touched: frozenset[str]
    frame: bytes
    written: bytes
    """A digest of the frame's text: two of one text are the same, two that are the same may be of another text."""
    counts: dict[str, int]
    flows: dict[str, bytes]
    """Node → what flows into its columns: that can differ where the node was not touched."""
    found: bytes
    subjects: tuple[tuple[str, int], ...]
    over: dict[str, bytes]
    """Entries that are not as the store of entries has them; empty for what is gone."""


class _Store:
    """The last run and the entries of its IR, in two files: the second is written for whole runs only."""

    def __init__(self, path: Path, settings: bytes) -> None:
        self._found = path.with_suffix(".found")
        self._entries = path.with_suffix(".entries")
        self._settings = settings

    def recall(self) -> _Last | None:
        kept = read_packed(self._found, _FOUND)
        return _Last(*kept[1:]) if kept is not None and kept[0] == self._settings else None

    def keep(self, last: _Last, lists: Mapping[str, list[_Entry]] | None = None) -> None:
        if lists is not None:
            last = last._replace(token=os.urandom(12))
            parts: list[dict[str, bytes]] = [{} for _ in range(_PARTS)]
            for name, entries in lists.items():
                for entry in entries:
                    parts[_part(entry["unique_id"])][entry["unique_id"]] = encoded((name, entry))
            write_parts(self._entries, _ENTRIES, last.token, [*map(encoded, parts)])
        write_packed(self._found, _FOUND, (self._settings, *last))

    def entries(self, names: Collection[str], last: _Last) -> dict[str, tuple[str, _Entry]] | None:
        """``unique_id`` → (list, entry) of those that there were; None where the cache has dropped them."""
        wanted = {name: _part(name) for name in names if name not in last.over}
        kept = read_parts(self._entries, _ENTRIES, last.token, wanted.values())
        if kept is None:
            return None
        parts: dict[int, dict[str, bytes]] = {number: decoded(data) for number, data in kept.items()}
        found: dict[str, tuple[str, _Entry]] = {}
        for name in names:
            data = last.over[name] if name in last.over else parts[wanted[name]].get(name, b"")
            if data:
                found[name] = decoded(data)
        return found


class _Exchange:
    """The findings of a run, with those on entries that changed since exchanged."""

    def __init__(
        self,
        judge: Judge,
        last: _Last,
        ir: dict[str, Any],
        places: Mapping[str, Mapping[str, int]],
        flows: dict[str, bytes],
        touched: frozenset[str],
    ) -> None:
        self.judge = judge
        self.last = last
        self.ir = ir
        self.places = places
        self.flows = flows
        self.candidates = last.touched | touched
        self.changed: dict[str, _Changed] = {}
        self._framed: bool | None = None

    def framed(self) -> bool:
        """Whether all but the lists is as it was; else entries that nobody touched can differ, too."""
        if self._framed is None:
            frame = _frame(self.ir)
            alike = self.last.written == _written(frame)  # to decode what is the same is not worth it
            self._framed = alike or same(decoded(self.last.frame), frame)
        return self._framed

    def run(self) -> PolicyRun | None:
        if not self.framed():
            return None
        frame = _frame(self.ir)
        before = [_Plain(*one) for one in decoded(self.last.found)]
        if not self.changed:
            return self._answer(before, self.last.subjects)
        slices = self.judge.policies.slices()
        sliced = {one.policy: one.over for one in slices if one.over in LISTS}
        others = {path for one in slices if one.policy not in sliced for path in one.reads}
        if any(self._seen(path) for path in others):
            return None
        was, now = self._lists(0), self._lists(1)
        then, since = self.judge.alone(frame, was), self.judge.alone(frame, now)
        if then is None or since is None:
            return None
        gone = {_named(v, was) for v in then.violations if v.policy.id in sliced}
        come = [_named(v, now) for v in since.violations if v.policy.id in sliced]
        kept = [v for v in before if not self._of_changed(v, sliced)]
        if gone != {v for v in before if self._of_changed(v, sliced)}:
            return None
        return self._answer((*kept, *come), self._counted(then, since, sliced))

    def _answer(self, plain: Iterable[_Plain], subjects: tuple[tuple[str, int], ...]) -> PolicyRun | None:
        found = self._placed(plain)
        return None if found is None else PolicyRun(by_place(found), subjects)

    def compared(self, store: _Store) -> bool:
        """Find what changed; False where that cannot be told, or is too much."""
        flows = self.flows
        moved = {id_ for id_ in flows.keys() | self.last.flows.keys() if flows.get(id_) != self.last.flows.get(id_)}
        candidates = self.candidates | moved
        if len(candidates) > MOST_CHANGED:
            return False
        old = store.entries(candidates, self.last) if candidates else {}
        if old is None:
            return False
        new = {
            id_: (name, self.ir[name][at[id_]]) for name, at in self.places.items() for id_ in candidates & at.keys()
        }
        for id_ in candidates:
            (was_in, was), (now_in, now) = old.get(id_, ("", None)), new.get(id_, ("", None))
            if was_in != now_in or not same(was, now):
                if was is not None:
                    self.changed.setdefault(was_in, {})[id_] = (was, now if was_in == now_in else None)
                if now is not None:
                    self.changed.setdefault(now_in, {})[id_] = (was if was_in == now_in else None, now)
        for name in self.places:
            entries = self.changed.get(name, {}).values()
            more = sum(1 for was, _ in entries if was is None) - sum(1 for _, now in entries if now is None)
            if self.last.counts[name] + more != len(self.places[name]):
                return False
        return True

    def _seen(self, path: tuple[str, ...]) -> bool:
        """Whether what stands at ``path`` into the IR is different, or goes through other entries."""
        for name, entries in self.changed.items():
            if path and path[0] not in (name, "*"):
                continue
            for was, now in entries.values():
                if was is None or now is None or not seen_alike(was, now, path[2:]):
                    return True
        return False

    def _lists(self, side: int) -> dict[str, list[_Entry]]:
        """The changed entries alone, as they were (0) or as they are (1)."""
        found: dict[str, list[_Entry]] = {}
        for name, entries in self.changed.items():
            found[name] = [one[side] for _, one in sorted(entries.items()) if one[side] is not None]  # type: ignore[misc]
        return found

    def _of_changed(self, found: _Plain, sliced: Mapping[str, str]) -> bool:
        return found.policy in sliced and found.at[1] in self.changed.get(sliced[found.policy], {})

    def _placed(self, found: Iterable[_Plain]) -> list[Violation] | None:
        """Violations at their places in the IR as it is; None where something is at an entry that is gone."""
        known = {policy.id: policy for policy in self.judge.policies.policies}
        made: list[Violation] = []
        for one in found:
            at = _index(one.at, self.places)
            path = _index(one.fix[1], self.places) if one.fix is not None else ()
            if at is None or path is None:
                return None
            policy = known[one.policy]
            severity = self.judge.severities.get(policy.id, policy.severity)
            fix = Edit(one.fix[0], path, decoded(one.fix[2])) if one.fix is not None else None
            made.append(Violation(policy, severity, one.message, one.hint, at, one.subject, fix))
        return made

    def _counted(self, then: PolicyRun, since: PolicyRun, sliced: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
        own = {f"{p.package}.{p.name}" for p in self.judge.policies.policies if p.id in sliced}
        was, now = dict(then.subjects), dict(since.subjects)
        return tuple((n, count + now[n] - was[n] if n in own else count) for n, count in self.last.subjects)

    def over(self) -> dict[str, bytes]:
        """The changed entries as they are."""
        found: dict[str, bytes] = {}
        for name, entries in self.changed.items():
            for id_, (_, now) in entries.items():
                if now is not None:
                    found[id_] = encoded((name, now))
                else:
                    found.setdefault(id_, b"")
        return found


class _Plain(NamedTuple):
    """A violation with the ``unique_id`` of an entry in the place of its index."""

    policy: str
    message: str
    hint: str
    at: _Path
    subject: str
    fix: tuple[str, _Path, bytes] | None


def _last(
    ir: dict[str, Any],
    places: Mapping[str, Mapping[str, int]],
    flows: dict[str, bytes],
    touched: frozenset[str],
    ran: PolicyRun,
    over: dict[str, bytes],
    before: _Last | None = None,
) -> _Last:
    entries = {name: ir[name] for name in LISTS}
    found = [tuple(_named(v, entries)) for v in ran.violations]
    counts = {name: len(at) for name, at in places.items()}
    if before is None:
        frame = _frame(ir)
        before = _Last(b"", touched, encoded(frame), _written(frame), counts, flows, b"", (), over)
    return before._replace(
        touched=touched, counts=counts, flows=flows, found=encoded(found), subjects=ran.subjects, over=over
    )


def _named(violation: Violation, lists: Mapping[str, list[_Entry]]) -> _Plain:
    def name(path: _Path) -> _Path:
        if len(path) > 1 and path[0] in lists and isinstance(path[1], int):
            return (path[0], lists[str(path[0])][path[1]]["unique_id"], *path[2:])
        return path

    fix = violation.fix
    plain = None if fix is None else (fix.action, name(fix.path), encoded(fix.value))
    return _Plain(
        violation.policy.id, violation.message, violation.hint, name(violation.at), violation.subject, plain
    )  # fmt: skip


def _index(path: _Path, places: Mapping[str, Mapping[str, int]]) -> _Path | None:
    if len(path) > 1 and path[0] in LISTS and isinstance(path[1], str):
        at = places.get(str(path[0]), {}).get(path[1])
        return None if at is None else (path[0], at, *path[2:])
    return path


def _frame(ir: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in ir.items() if key not in LISTS}


def _written(frame: dict[str, Any]) -> bytes:
    return digest_of(repr(frame).encode("utf-8", "surrogatepass")).digest()


def _flows(ir: dict[str, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in _FLOWS:
        for entry in ir[name]:
            flowing = [(c["name"], c["inherited"]) for c in entry.get("columns", ()) if c.get("inherited")]
            if flowing:
                found[entry["unique_id"]] = digest_of(repr(flowing).encode("utf-8", "surrogatepass")).digest()
    return found


def _part(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) % _PARTS
