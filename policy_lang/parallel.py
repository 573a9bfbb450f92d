"""One run of policies in several processes: those that see nothing but their subject, on parts of the lists.

The processes are forks, so the input and the code are theirs without a copy; what comes back are the findings as
plain tuples. Each takes the next piece of work when it is done with one: first the policies that are not sliced
(``plan/slices.py``), on the whole input, then the parts. Where any piece ends in an error, or a process does not
answer, nothing of this counts, and all policies run in one process: the answer is always that of the plain run.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Severity
from policy_lang.policies import Edit, PolicyRun, PolicySet, Violation, by_place
from policy_lang.records import NamedTuple

if TYPE_CHECKING:
    from policy_lang.runtime.limits import Limits

LEAST_SUBJECTS = 2_000
"""Subjects below which starting a process takes longer than judging them."""
MOST_JOBS = 64
_PARTS_EACH = 3
"""Parts for each process, so that one that is late holds up no more than a part."""


class _Piece(NamedTuple):
    """Policies to run, and the part of each sliced list that they run on; None is the whole input."""

    without: frozenset[str]
    part: tuple[int, int] | None


class _Found(NamedTuple):
    """A piece's findings: id, message, hint, place, subject, fix; and the subjects by policy."""

    findings: list[tuple[str, str, str, tuple[str | int, ...], str, Edit | None]]
    subjects: list[tuple[str, int]]


def run_parallel(
    policies: PolicySet,
    ir: Any,
    params: Mapping[str, Mapping[str, Any]],
    severities: Mapping[str, Severity],
    limits: Limits | None,
    *,
    conforming: bool,
    jobs: int,
) -> PolicyRun | None:
    """As ``PolicySet.run`` in ``jobs`` processes; None where that is not possible, not worth while, or ends in an
    error: the plain run says which."""
    if jobs < 2 or not hasattr(os, "fork") or type(ir) is not dict:
        return None
    sliced = {one.policy: one.over for one in policies.slices() if one.over}
    lists = sorted({over for over in sliced.values() if type(ir.get(over)) is list})
    if not lists or sum(len(ir[over]) for over in lists) < LEAST_SUBJECTS:
        return None
    rest = frozenset({policy.id for policy in policies.policies} - sliced.keys())
    jobs = min(jobs, MOST_JOBS)
    parts = jobs * _PARTS_EACH
    pieces = [_Piece(rest, (number, parts)) for number in range(parts)]
    if rest:
        pieces.insert(0, _Piece(frozenset(sliced), None))
    for without in {piece.without for piece in pieces}:
        policies.compile(without)

    def judged(piece: _Piece) -> _Found | None:
        given, starts = ir, dict.fromkeys(lists, 0)
        if piece.part is not None:
            number, of = piece.part
            bounds = {over: (len(ir[over]) * number // of, len(ir[over]) * (number + 1) // of) for over in lists}
            given = {**ir, **{over: ir[over][low:high] for over, (low, high) in bounds.items()}}
            starts = {over: low for over, (low, _) in bounds.items()}
        ran = policies.run_part(given, params, limits, without=piece.without, conforming=conforming)
        if ran is None:
            return None
        findings = [
            (v.policy.id, v.message, v.hint, _moved(v.at, starts), v.subject, _moved_edit(v.fix, starts))
            for v in ran.violations
        ]
        return _Found(findings, list(ran.subjects))

    found = _shared_out(pieces, judged, jobs)
    return None if found is None else _joined(policies, severities, found)


def _moved(at: tuple[str | int, ...], starts: Mapping[str, int]) -> tuple[str | int, ...]:
    """A place in a part as a place in the whole."""
    if len(at) < 2 or type(at[1]) is not int:
        return at
    start = starts.get(str(at[0]), 0)
    return (at[0], at[1] + start, *at[2:]) if start else at


def _moved_edit(edit: Edit | None, starts: Mapping[str, int]) -> Edit | None:
    return None if edit is None else Edit(edit.action, _moved(edit.path, starts), edit.value)


def _joined(policies: PolicySet, severities: Mapping[str, Severity], found: list[_Found]) -> PolicyRun:
    known = {policy.id: policy for policy in policies.policies}
    counts = {f"{policy.package}.{policy.name}": 0 for policy in sorted(policies.policies, key=lambda p: p.package)}
    violations: list[Violation] = []
    for piece in found:
        for id_, message, hint, at, subject, fix in piece.findings:
            policy = known[id_]
            severity = severities.get(id_, policy.severity)
            violations.append(Violation(policy, severity, message, hint, at, subject, fix))
        for name, number in piece.subjects:
            counts[name] += number
    return PolicyRun(by_place(violations), tuple(counts.items()))


# --------------------------------------------------------------------------- processes


def _shared_out(pieces: list[_Piece], judged: Any, jobs: int) -> list[_Found] | None:
    """What ``judged`` answers to all pieces, done in so many processes; None where one has no answer."""
    queue, fill = os.pipe()
    os.write(fill, bytes(range(len(pieces))))
    os.close(fill)
    children = []
    with contextlib.suppress(OSError):  # no room for another process: those that there are do it all
        for _ in range(jobs - 1):
            children.append(_forked(pieces, judged, queue))
    mine = _taken(pieces, judged, queue)
    os.close(queue)
    answers = [mine, *(_answer(child, answer) for child, answer in children)]
    whole = [piece for answer in answers if answer is not None for piece in answer]
    return None if any(answer is None for answer in answers) or len(whole) != len(pieces) else whole


def _taken(pieces: list[_Piece], judged: Any, queue: int) -> list[_Found] | None:
    """The answers to the pieces that this process takes from the queue: a byte each, read by one process only."""
    found: list[_Found] = []
    while taken := os.read(queue, 1):
        answer = judged(pieces[taken[0]])
        if answer is None:
            return None
        found.append(answer)
    return found


def _forked(pieces: list[_Piece], judged: Any, queue: int) -> tuple[int, int]:
    """A process that takes pieces, and where to read its answer."""
    out, into = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(out)
        os.close(into)
        raise
    if child:
        os.close(into)
        return child, out
    status = 1
    try:
        os.close(out)
        answer = pickle.dumps(_taken(pieces, judged, queue), pickle.HIGHEST_PROTOCOL)
        with os.fdopen(into, "wb") as opened:
            opened.write(answer)
        status = 0
    finally:
        # The parent's handlers, buffers and temporary folders are not the child's to end.
        os._exit(status)


def _answer(child: int, out: int) -> list[_Found] | None:
    with os.fdopen(out, "rb") as opened:
        answer = opened.read()
    _, status = os.waitpid(child, 0)
    if status:
        return None
    found: list[_Found] | None = pickle.loads(answer)  # a process of our own has written it
    return found
