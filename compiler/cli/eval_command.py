"""``floec eval QUERY -d PATH -i INPUT``: evaluate a Rego query, with the options and the output of ``opa eval``."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from compiler.cli.documents import Loaded, load, read_value
from compiler.cli.eval_output import FORMATS, rendered
from compiler.cli.eval_query import Answer, Query, captured
from compiler.cli.limits import limit_arguments, limits_of
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.source import Source, whole_file

if TYPE_CHECKING:
    from policy_lang.engine import CompileOptions


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("query", metavar="QUERY", help="a Rego body, for example data.example.deny")
    add(
        "-d",
        "--data",
        action="append",
        default=[],
        metavar="PATH",
        help="policies or data: a file, a folder, or PREFIX:PATH",
    )
    add("-b", "--bundle", action="append", default=[], metavar="PATH", help="an OPA bundle: a folder or a .tar.gz")
    add("-i", "--input", metavar="FILE", help="the input document; - reads standard input")
    add("-I", "--stdin-input", action="store_const", const="-", dest="input", help="read the input from standard input")
    add("-f", "--format", choices=FORMATS, default="json", help="form of the result (default: json)")
    add("--fail", action="store_true", help="exit 1 where the query has no answer")
    add("--fail-defined", action="store_true", help="exit 1 where the query has an answer")
    add("--strict-builtin-errors", action="store_true", help="a builtin's error ends the evaluation")
    add(
        "--show-builtin-errors", action="store_true", help="report the errors of builtins, which make a value undefined"
    )
    add(
        "--explain",
        nargs="?",
        const="fails",
        choices=("fails", "full"),
        help="say which literal of which rule failed, and with which values",
    )
    add("--profile", action="store_true", help="say where the time went, as the tracing evaluator measures it")
    add("--profile-limit", type=int, default=10, metavar="N", help="lines of the profile (default: 10)")
    add("--coverage", action="store_true", help="say which lines of the policies were evaluated")
    add(
        "-s", "--schema", metavar="FILE", help="JSON Schema of the input in .floe files; `ir` is that of the checked IR"
    )
    add("-S", "--strict", action="store_true", help="refuse what `opa check --strict` refuses")
    add("--capabilities", metavar="FILE", help="JSON in OPA's form: the builtins that policies may use")
    add("--metrics", action="store_true", help="say how long loading, compiling and evaluating took")
    limit_arguments(parser, "5m", "the evaluation")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from policy_lang.runtime.values import UNDEFINED

    clock = _Clock()
    loaded = load(options.data, options.bundle)
    given = read_value(options.input) if options.input is not None else Outcome(UNDEFINED)
    clock.lap("load")
    query = captured(options.query)
    settings = _settings(options)
    diagnostics = [*loaded.diagnostics, *given.diagnostics, *query.diagnostics, *settings.diagnostics]
    texts = {"<query>": options.query}
    if loaded.value is None or query.value is None or settings.value is None or blocking(diagnostics):
        show(diagnostics, "text", texts=texts)
        return exit_code(diagnostics)
    from policy_lang.runtime.limits import Limits, limited
    from policy_lang.runtime.support import EvalError

    answer, seen = "", None
    try:
        # Compiling, explaining and writing the answer take their time too; the evaluation within has limits of its own.
        with limited(Limits(seconds=options.timeout)):
            found = _evaluated(options, settings.value, loaded.value, query.value, given.value, clock)
            seen = _Seen(options, loaded.value, given.value)
            if found.value is not None:
                extra = {**({"metrics": clock.laps} if options.metrics else {}), **seen.reports}
                answer = rendered(query.value, found.value, options.format, extra)
    except EvalError as failure:
        found = Outcome(None, (Diagnostic(failure.code, str(failure), whole_file("<query>")),))
    diagnostics += query.value.placed((*found.diagnostics, *(seen.errors if seen else ())))
    show(diagnostics, "text", texts=texts)
    if found.value is None or blocking(diagnostics):
        return exit_code(diagnostics)
    print(answer)
    if seen is not None and seen.text:
        print(seen.text, file=sys.stderr)
    if options.metrics and options.format not in ("json", "discard"):
        print("\n".join(f"{name} {value}" for name, value in clock.laps.items()), file=sys.stderr)
    failed = (options.fail and not found.value) or (options.fail_defined and found.value)
    return EXIT_BLOCKED if failed else EXIT_OK


def _settings(options: argparse.Namespace) -> Outcome[CompileOptions]:
    from policy_lang.engine import CompileOptions

    schema: Outcome[Any] = Outcome(None)
    if options.schema == "ir":
        from compiler.ir.schema import ir_schema

        schema = Outcome(ir_schema())
    elif options.schema is not None:
        schema = read_value(options.schema)
    capabilities: Outcome[Any] = Outcome(None)
    if options.capabilities is not None:
        capabilities = read_value(options.capabilities)
    made = CompileOptions(schema.value, strict=options.strict, capabilities=capabilities.value, cache=True)
    return Outcome(made, (*schema.diagnostics, *capabilities.diagnostics))


def _evaluated(
    options: argparse.Namespace, settings: CompileOptions, loaded: Loaded, query: Query, given: Any, clock: _Clock
) -> Outcome[tuple[Answer, ...]]:
    from policy_lang.engine import compile_program
    from policy_lang.runtime import session

    program = compile_program(loaded.sources, settings)
    clock.lap("compile")
    if program.value is None or blocking(program.diagnostics):
        return Outcome(None, program.diagnostics)
    with session.opened(prints=lambda line: print(line, file=sys.stderr)):
        found = program.value.eval_query(
            query.text,
            input=given,
            data=loaded.data,
            strict_builtin_errors=options.strict_builtin_errors,
            limits=limits_of(options),
        )
    clock.lap("eval")
    diagnostics = (*program.diagnostics, *found.diagnostics)
    return Outcome(None if found.value is None else query.answers(found.value), diagnostics)


class _Seen:
    """What the tracing evaluator says, where an option asks for it."""

    def __init__(self, options: argparse.Namespace, loaded: Loaded, given: Any) -> None:
        self.errors: tuple[Diagnostic, ...] = ()
        self.reports: dict[str, Any] = {}
        self.text = ""
        if not (options.explain or options.profile or options.coverage or options.show_builtin_errors):
            return
        from policy_lang.trace.explain import traced_sources
        from policy_lang.trace.record import Recorder

        traced = traced_sources(loaded.sources)
        if traced.value is None:
            return  # the compiler has said why
        recorder = Recorder(values=bool(options.explain))
        done = traced.value.query(options.query, recorder, input=given, data=loaded.data)
        texts: list[str] = []
        if options.show_builtin_errors:
            self.errors = tuple(recorder.errors)
        if options.explain and done.value is not None:
            from policy_lang.trace.report import render

            sources = {source.file: source for source in (*loaded.sources, Source("<query>", options.query))}
            full = options.explain == "full"
            texts.append(render(recorder, traced.value.rules, sources, done.value[1], full=full))
        if options.profile:
            self.reports["profile"], text = _profile(recorder, options.profile_limit)
            texts.append(text)
        if options.coverage:
            self.reports["coverage"], text = _coverage(recorder, traced.value.rules)
            texts.append(text)
        self.text = "\n\n".join(
            filter(None, texts if options.format not in ("json", "discard") else texts[: bool(options.explain)])
        )


def _profile(recorder: Any, limit: int) -> tuple[list[dict[str, Any]], str]:
    from compiler.cli.eval_output import table
    from policy_lang.trace.profile import profile

    costs = profile(recorder, limit)
    rows = [
        (
            f"{cost.seconds * 1e3:.3f} ms",
            str(cost.evaluations),
            str(cost.solutions),
            f"{cost.span.file}:{cost.span.line}",
        )
        for cost in costs
    ]
    report = [
        {
            "total_time_ns": round(cost.seconds * 1e9),
            "num_eval": cost.evaluations,
            "num_redo": cost.solutions,
            "location": {"file": cost.span.file, "row": cost.span.line, "col": cost.span.col},
        }
        for cost in costs
    ]
    return report, table(("Time", "Evaluations", "Solutions", "Location"), rows)


def _coverage(recorder: Any, rules: Any) -> tuple[dict[str, Any], str]:
    from policy_lang.trace.coverage import coverage, percentage, ranges

    files = coverage(recorder, rules)
    report = {
        "files": {
            file.file: {
                "covered": ranges(file.covered),
                "not_covered": ranges(file.missed),
                "covered_lines": len(file.covered),
                "not_covered_lines": len(file.missed),
                "coverage": _number(percentage((file,))),
            }
            for file in files
        },
        "covered_lines": sum(len(file.covered) for file in files),
        "not_covered_lines": sum(len(file.missed) for file in files),
        "coverage": _number(percentage(files)),
    }
    lines = [
        f"{file.file}: {percentage((file,)):g} %"
        + (f", not covered: {', '.join(map(str, file.missed))}" if file.missed else "")
        for file in files
    ]
    return report, "\n".join([*lines, f"coverage: {percentage(files):g} %"])


def _number(value: float) -> Any:
    from policy_lang.runtime.values import from_python

    return from_python(value)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, int] = {}
        self._last = time.perf_counter_ns()

    def lap(self, name: str) -> None:
        now = time.perf_counter_ns()
        self.laps[f"timer_rego_{name}_ns"] = now - self._last
        self._last = now
