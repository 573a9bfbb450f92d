"""``floec eval QUERY -d FILE -i INPUT``: evaluate a Rego query, as ``opa eval`` does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from compiler.cli.files import read_source, read_sources
from compiler.cli.main import EXIT_BLOCKED, EXIT_OK
from compiler.cli.output import exit_code, show
from policy_lang.diagnostics import Diagnostic, Outcome, blocking
from policy_lang.source import Source, whole_file

_VALUE = "floec_value__"
_DATA_SUFFIXES = (".json", ".yaml", ".yml")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("query", metavar="QUERY", help="a Rego body, for example data.example.deny")
    parser.add_argument(
        "-d",
        "--data",
        action="append",
        default=[],
        metavar="PATH",
        help="policies (.rego, .floe) or data (.json, .yaml)",
    )
    parser.add_argument("-i", "--input", metavar="FILE", help="the input document; - reads standard input")
    parser.add_argument("--strict-builtin-errors", action="store_true", help="a builtin's error ends the evaluation")
    parser.add_argument("-f", "--format", choices=("json", "raw", "values"), default="json", help="form of the result")
    parser.add_argument("--fail", action="store_true", help="exit 1 where the query has no answer")
    parser.add_argument("--fail-defined", action="store_true", help="exit 1 where the query has an answer")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    diagnostics: list[Diagnostic] = []
    documents = [p for p in options.data if Path(p).suffix in _DATA_SUFFIXES]
    sources = read_sources([p for p in options.data if p not in documents])
    data = _base_document(documents)
    given = _input(options.input)
    for read in (sources, data, given):
        diagnostics += read.diagnostics
    if blocking(diagnostics):
        show(diagnostics, "text")
        return exit_code(diagnostics)

    from policy_lang.engine import compile_program

    program = compile_program(sources.value or ())
    diagnostics += program.diagnostics
    answers: tuple[dict[str, Any], ...] | None = None
    if program.value is not None and not blocking(diagnostics):
        extra = {} if options.input is None else {"input": given.value}
        outcome = program.value.eval_query(
            _capturing(options.query), data=data.value, strict_builtin_errors=options.strict_builtin_errors, **extra
        )
        diagnostics += outcome.diagnostics
        answers = outcome.value
    show(diagnostics, "text", texts={"<query>": options.query})
    if answers is None or blocking(diagnostics):
        return exit_code(diagnostics)
    print(_rendered(options.query, answers, options.format))
    failed = (options.fail and not answers) or (options.fail_defined and answers)
    return EXIT_BLOCKED if failed else EXIT_OK


def _capturing(query: str) -> str:
    """The query, changed so that the value of a lone expression is bound to a name."""
    from policy_lang.syntax import ast
    from policy_lang.syntax.parser import parse_query

    body = parse_query(Source("<query>", query)).value or ()
    only = body[0] if len(body) == 1 else None
    if not isinstance(only, ast.Expr) or only.negated:
        return query
    if isinstance(only.term, ast.Call) and only.term.infix in (":=", "="):
        return query
    return f"{_VALUE} = {query}"


def _rendered(query: str, answers: tuple[dict[str, Any], ...], form: str) -> str:
    from policy_lang.runtime.values import to_json

    rows: list[dict[str, Any]] = []
    shown: list[Any] = []
    for answer in answers:
        value = answer.get(_VALUE, True)
        bindings = {name: bound for name, bound in answer.items() if name != _VALUE}
        row: dict[str, Any] = {"expressions": [{"value": value, "text": query}]}
        if bindings:
            row["bindings"] = bindings
        rows.append(row)
        shown.append(value if _VALUE in answer else bindings or True)
    if form == "json":
        return to_json({"result": rows} if rows else {}, indent=2)
    if form == "raw" and len(shown) == 1 and isinstance(shown[0], str):
        return shown[0]
    return "\n".join(map(to_json, shown))


def _base_document(paths: list[str]) -> Outcome[dict[str, Any]]:
    """Data files merged into one document, top-level key by key; two files for one key conflict."""
    merged: dict[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for path in paths:
        read = _load(read_source(Path(path)))
        diagnostics += read.diagnostics
        if read.value is None:
            continue
        if not isinstance(read.value, dict):
            diagnostics.append(Diagnostic("FLC109", f"{path}: data is an object at its top", whole_file(path)))
            continue
        for key in merged.keys() & read.value.keys():
            diagnostics.append(
                Diagnostic("FLC109", f"{path}: `{key}` is set by another data file too", whole_file(path))
            )
        merged.update(read.value)
    return Outcome(merged, tuple(diagnostics))


def _input(path: str | None) -> Outcome[Any]:
    if path is None:
        return Outcome(None)
    if path == "-":
        return _load(Outcome(Source("<stdin>", sys.stdin.read())))
    return _load(read_source(Path(path)))


def _load(read: Outcome[Source]) -> Outcome[Any]:
    """The value of a JSON or YAML text."""
    source = read.value
    if source is None:
        return Outcome(None, read.diagnostics)
    if Path(source.file).suffix in (".yaml", ".yml"):
        from compiler.documents.yaml_loader import load_yaml

        loaded = load_yaml(source)
        return Outcome(loaded.value.value if loaded.value is not None else None, loaded.diagnostics)
    from policy_lang.runtime.values import from_json

    try:
        return Outcome(from_json(source.text))
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        column = getattr(error, "colno", 1)
        place = whole_file(source.file)._replace(line=line, col=column, end_line=line, end_col=column + 1)
        return Outcome(None, (Diagnostic("FLC109", f"{source.file} is not JSON: {error}", place),))
