"""The results of ``floec test`` as text for people, as JSON in the shape of ``opa test``, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from compiler.cli.stages import counted

if TYPE_CHECKING:
    from policy_lang.testing.results import SubCase, TestReport, TestResult

FORMATS = ("pretty", "json", "junit")


def rendered(report: TestReport, form: str, *, verbose: bool, coverage: bool) -> str:
    """The report in one of ``FORMATS``."""
    if form == "json":
        return _json(report, coverage)
    if form == "junit":
        return _junit(report)
    lines = [line for result in report.results for line in _result(result, verbose)]
    return "\n".join([*lines, _summary(report), *(_covered(report) if coverage else ())])


# --------------------------------------------------------------------------- for people


def _result(result: TestResult, verbose: bool) -> Iterator[str]:
    if result.status == "pass" and not verbose:
        return
    time = f" ({result.seconds * 1e3:.1f} ms)" if verbose else ""
    yield f"{result.status.upper():<5} {result.name}{time}" + (
        f" ({result.span.file}:{result.span.line})" if result.failed else ""
    )
    for case in result.cases:
        if verbose or not case.passed:
            yield f"      {'PASS' if case.passed else 'FAIL'} {' / '.join(case.keys)}"
    yield from (f"      {line}" for line in result.detail)
    if result.why:
        yield "      why:"
        yield from (f"        {line}" for line in result.why)
    if result.printed:
        yield "      printed:"
        yield from (f"        {line}" for line in result.printed)


def _summary(report: TestReport) -> str:
    from policy_lang.testing.results import Status

    counts = {status: report.count(status) for status in Status}
    shown = ", ".join(f"{count} {status}" for status, count in counts.items() if count or status == "pass")
    return f"{counted(len(report.results), 'test')}: {shown}"


def _covered(report: TestReport) -> Iterator[str]:
    from policy_lang.trace.coverage import percentage

    done = sum(policy.violated and policy.passed for policy in report.policies)
    policies = f", {done} of {len(report.policies)} policies both ways" if report.policies else ""
    yield f"coverage: {percentage(report.lines):g} % of lines{policies}"
    for file in report.lines:
        if file.missed:
            yield f"  {file.file}: {percentage((file,)):g} %, not covered: {_spans(file.missed)}"
    for policy in report.policies:
        if not policy.violated:
            yield f"  {policy.name}: no test makes it find a violation"
        if not policy.passed:
            yield f"  {policy.name}: no test has a subject that passes"


def _spans(lines: Sequence[int]) -> str:
    from policy_lang.trace.coverage import ranges

    pairs = [(found["start"]["row"], found["end"]["row"]) for found in ranges(lines)]
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)


# --------------------------------------------------------------------------- for programs


def _json(report: TestReport, coverage: bool) -> str:
    from policy_lang.runtime.values import to_json

    results = [_record(result) for result in report.results]
    return to_json({"results": results, "coverage": _coverage(report)} if coverage else results, indent=2)


def _record(result: TestResult) -> dict[str, Any]:
    record: dict[str, Any] = {
        "location": {"file": result.span.file, "row": result.span.line, "col": result.span.col},
        "package": f"data.{result.package}",
        "name": result.title,
        "duration": round(result.seconds * 1e9),
    }
    if result.status != "pass":
        record[str(result.status)] = True
    if result.cases:
        record["sub_results"] = _nested([(case.keys, case) for case in result.cases])
    if result.detail or result.why:
        record["output"] = [*result.detail, *result.why]
    if result.printed:
        record["printed"] = list(result.printed)
    return record


def _nested(cases: Iterable[tuple[tuple[str, ...], SubCase]]) -> dict[str, Any]:
    groups: dict[str, list[tuple[tuple[str, ...], SubCase]]] = {}
    for keys, case in cases:
        groups.setdefault(keys[0], []).append((keys[1:], case))
    made: dict[str, Any] = {}
    for name, group in groups.items():
        made[name] = {"name": name}
        if not all(case.passed for _, case in group):
            made[name]["fail"] = True
        if deeper := [(keys, case) for keys, case in group if keys]:
            made[name]["sub_results"] = _nested(deeper)
    return made


def _coverage(report: TestReport) -> dict[str, Any]:
    from policy_lang.runtime.values import from_python
    from policy_lang.trace.coverage import percentage, ranges

    return {
        "coverage": from_python(percentage(report.lines)),
        "files": {f.file: {"covered": ranges(f.covered), "not_covered": ranges(f.missed)} for f in report.lines},
        "policies": {p.name: {"violated": p.violated, "passed": p.passed} for p in report.policies},
    }


def _junit(report: TestReport) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', _totals("testsuites", report.results)]
    packages: dict[str, list[TestResult]] = {}
    for result in report.results:
        packages.setdefault(result.package, []).append(result)
    for package, results in packages.items():
        lines.append(_totals("testsuite", results, package))
        lines += [_testcase(result) for result in results]
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _totals(element: str, results: Sequence[TestResult], name: str = "floec test") -> str:
    counts = {word: sum(r.status == status for r in results) for word, status in _JUNIT.items()}
    shown = " ".join(f'{word}="{count}"' for word, count in counts.items())
    seconds = sum(result.seconds for result in results)
    return f'<{element} name={quoteattr(_xml(name))} tests="{len(results)}" {shown} time="{seconds:.3f}">'


_JUNIT = {"failures": "fail", "errors": "error", "skipped": "skip"}


def _testcase(result: TestResult) -> str:
    head = f"classname={quoteattr(_xml(result.package))} name={quoteattr(_xml(result.title))} "
    head += f'file={quoteattr(_xml(result.span.file))} line="{result.span.line}" time="{result.seconds:.3f}"'
    failed = [f"FAIL {' / '.join(case.keys)}" for case in result.cases if not case.passed]
    lines = [*failed, *result.detail, *result.why]
    text = escape(_xml("\n".join(lines)))
    message = quoteattr(_xml(lines[0] if lines else "failed"))
    inner = {
        "pass": "",
        "skip": "<skipped/>",
        "fail": f"<failure message={message}>{text}</failure>",
        "error": f"<error message={message}>{text}</error>",
    }[result.status]
    if result.printed:
        inner += f"<system-out>{escape(_xml(chr(10).join(result.printed)))}</system-out>"
    return f"<testcase {head}>{inner}</testcase>" if inner else f"<testcase {head}/>"


def _xml(text: str) -> str:
    """XML 1.0 has no form for most control characters, not even escaped: leave them out."""
    return "".join(c for c in text if c in "\t\n\r" or 0x20 <= ord(c) <= 0xFFFD)
