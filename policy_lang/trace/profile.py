"""Where an evaluation spent its time, literal by literal, as the tracing evaluator measured it."""

from __future__ import annotations

from dataclasses import dataclass

from policy_lang.source import Span
from policy_lang.trace.record import Recorder


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of the literals that begin at one place; seconds include what they call."""

    span: Span
    seconds: float
    evaluations: int
    solutions: int


def profile(recorder: Recorder, limit: int) -> tuple[Cost, ...]:
    """The ``limit`` most expensive places, the most expensive first."""
    costs: dict[tuple[str, int], Cost] = {}
    for note in recorder.literals.values():
        key = (note.span.file, note.span.line)
        known = costs.get(key, Cost(note.span, 0.0, 0, 0))
        costs[key] = Cost(
            known.span,
            # On one line the outer literal's time holds the inner one's.
            max(known.seconds, note.seconds),
            known.evaluations + note.reached,
            known.solutions + note.solutions,
        )
    return tuple(sorted(costs.values(), key=lambda cost: (-cost.seconds, cost.span))[:limit])
