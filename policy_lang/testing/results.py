"""The results of tests, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from policy_lang.source import Span
from policy_lang.trace.coverage import FileCoverage


class Status(StrEnum):
    """``error``: the test could not be decided, which counts as failed."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class SubCase:
    """One case of a rule with keys; ``keys`` is their text."""

    keys: tuple[str, ...]
    passed: bool


@dataclass(frozen=True, slots=True)
class TestResult:
    """One case or rule.

    ``package`` is written as after ``package``. ``detail`` says, line by line, how what was found differs from
    what was expected; ``why`` which literal failed, with its values; ``printed`` are the lines of
    its calls of ``print``.
    """

    __test__ = False

    package: str
    title: str
    status: Status
    span: Span
    detail: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    cases: tuple[SubCase, ...] = ()
    seconds: float = 0.0
    printed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The package and what is tested."""
        return f"{self.package}.{self.title}"

    @property
    def failed(self) -> bool:
        return self.status in (Status.FAIL, Status.ERROR)


@dataclass(frozen=True, slots=True)
class PolicyCoverage:
    """Whether a policy's tests made it find a violation, and made it pass a subject."""

    name: str
    violated: bool
    passed: bool


@dataclass(frozen=True, slots=True)
class TestReport:
    """The results in the order of the files; the coverage is empty where it was not asked for."""

    __test__ = False

    results: tuple[TestResult, ...]
    lines: tuple[FileCoverage, ...] = ()
    policies: tuple[PolicyCoverage, ...] = ()

    @property
    def ok(self) -> bool:
        """True where no test failed or ended in an error."""
        return not any(result.failed for result in self.results)

    def count(self, status: Status) -> int:
        """How many tests ended with ``status``."""
        return sum(result.status is status for result in self.results)
