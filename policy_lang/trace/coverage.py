"""Which lines of policies were evaluated: of rules' heads and of literals, as a recorder noted them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from policy_lang.analysis.resolve import ResolvedRule
from policy_lang.syntax import ast
from policy_lang.trace.record import Recorder


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """Line numbers, from 1; a line counts as covered where anything on it was evaluated."""

    file: str
    covered: tuple[int, ...]
    missed: tuple[int, ...]


def percentage(files: Iterable[FileCoverage]) -> float:
    """Covered lines among all that could be, in percent; 100 where there are none."""
    counted = list(files)
    covered = sum(len(f.covered) for f in counted)
    every = covered + sum(len(f.missed) for f in counted)
    return 100.0 if not every else round(100 * covered / every, 2)


def coverage(recorder: Recorder, rules: Sequence[ResolvedRule]) -> tuple[FileCoverage, ...]:
    """The coverage of each file that holds one of ``rules``."""
    lines: dict[str, dict[int, bool]] = {}

    def mark(file: str, line: int, seen: bool) -> None:
        own = lines.setdefault(file, {})
        own[line] = own.get(line, False) or seen

    for rule in rules:
        for index, branch in enumerate(rule.branches):
            note = recorder.branches.get((id(rule), index))

            # A head is evaluated only where its body holds.
            mark(
                rule.span.file, branch.value.span.line if index else rule.span.line, note is not None and note.held > 0
            )
            for literal in _all_literals(branch.body):
                found = recorder.literals.get(id(literal))
                mark(literal.span.file, literal.span.line, found is not None and found.reached > 0)
    return tuple(
        FileCoverage(
            file,
            tuple(sorted(line for line, seen in own.items() if seen)),
            tuple(sorted(line for line, seen in own.items() if not seen)),
        )
        for file, own in sorted(lines.items())
    )


def _all_literals(body: ast.Body) -> Iterator[ast.Literal]:
    for literal in body:
        yield literal
        if isinstance(literal, ast.NotBody | ast.Every):
            yield from _all_literals(literal.body)


def ranges(lines: Sequence[int]) -> list[dict[str, dict[str, int]]]:
    """Neighbouring lines as ``{"start": {"row": …}, "end": {"row": …}}``."""
    found: list[list[int]] = []
    for line in lines:
        if found and found[-1][1] == line - 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return [{"start": {"row": first}, "end": {"row": last}} for first, last in found]


def merged(parts: Sequence[Sequence[FileCoverage]]) -> tuple[FileCoverage, ...]:
    """The coverage of several runs over the same rules: a line is covered where one run covered it."""
    covered: dict[str, set[int]] = {}
    missed: dict[str, set[int]] = {}
    for file in (file for part in parts for file in part):
        covered.setdefault(file.file, set()).update(file.covered)
        missed.setdefault(file.file, set()).update(file.missed)
    return tuple(
        FileCoverage(file, tuple(sorted(lines)), tuple(sorted(missed[file] - lines)))
        for file, lines in sorted(covered.items())
    )
