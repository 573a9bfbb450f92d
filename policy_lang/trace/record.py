"""What a traced evaluation remembers: for each literal how often it was reached and held, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from policy_lang.diagnostics import Diagnostic, Severity
from policy_lang.source import Span
from policy_lang.syntax import ast

if TYPE_CHECKING:
    from policy_lang.analysis.resolve import ResolvedRule
    from policy_lang.runtime.support import Context, EvalError
    from policy_lang.trace.evaluate import Evaluator

SAMPLES = 2
"""How many failures of a literal are kept with their values; the rest are counted."""


class ExhaustedError(Exception):
    """A trace has looked at as many literals as it may: what it has seen until then stands."""


@dataclass(slots=True)
class Note:
    """A literal's or a branch's history.

    ``failures`` holds the values that its parts had, by their text; ``seconds`` is the time spent in it, what
    it called included.
    """

    span: Span
    literal: ast.Literal | None = None
    reached: int = 0
    held: int = 0
    solutions: int = 0
    seconds: float = 0.0
    failures: list[tuple[tuple[str, str], ...]] = field(default_factory=list)


@dataclass(slots=True)
class Recorder:
    """Notes by literal and by branch, in the order in which they were first met.

    ``budget`` is the number of literals that may still be looked at (None: any): a trace is slow, and values are
    looked at again to be shown, so the answer to one failed test could take longer than all tests.
    """

    values: bool = True
    budget: int | None = None
    literals: dict[int, Note] = field(default_factory=dict)
    branches: dict[tuple[int, int], Note] = field(default_factory=dict)
    kept: list[object] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    muted: bool = False

    def error(self, error: EvalError, span: Span) -> None:
        """Keeps the error of a builtin; the same one at the same place once."""
        found = Diagnostic(error.code, str(error), span, Severity.WARN)
        if not self.muted and found not in self.errors:
            self.errors.append(found)

    def enter(self, literal: ast.Literal) -> Note:
        """The note of a literal that is about to be evaluated.

        Raises:
            ExhaustedError: the budget is used up.
        """
        if self.budget is not None:
            if not self.budget:
                raise ExhaustedError
            self.budget -= 1
        if self.muted:
            return Note(literal.span)
        note = self.literals.get(id(literal))
        if note is None:
            note = self.literals[id(literal)] = Note(literal.span, literal)
            self.kept.append(literal)
        note.reached += 1
        return note

    def enter_branch(self, rule: ResolvedRule, index: int) -> Note:
        """The note of a rule's body (0) or of one of its ``else``."""
        if self.muted:
            return Note(rule.span)
        key = (id(rule), index)
        if key not in self.branches:
            self.branches[key] = Note(rule.span)
            self.kept.append(rule)
        self.branches[key].reached += 1
        return self.branches[key]

    def failed(self, note: Note, evaluator: Evaluator, env: dict[str, Any], context: Context) -> None:
        """Keeps the values with which a literal failed; looking at them is not itself recorded."""
        if self.muted or not self.values or note.literal is None or len(note.failures) >= SAMPLES:
            return
        from policy_lang.trace.values import observed

        self.muted = True
        try:
            found = observed(evaluator, note.literal, env, context)
            if found not in note.failures:
                note.failures.append(found)
        finally:
            self.muted = False
