"""JSON and YAML documents that a command line names: data, input, parameters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from compiler.cli.files import read_source
from policy_lang.diagnostics import Diagnostic, Outcome
from policy_lang.source import Source, whole_file

DATA_SUFFIXES = (".json", ".yaml", ".yml")


def read_value(path: str) -> Outcome[Any]:
    """The value of a file, of standard input for ``-``; FLC109 is a text that is no JSON."""
    if path == "-":
        return parse_value(Source("<stdin>", sys.stdin.read()))
    read = read_source(Path(path))
    return Outcome(None, read.diagnostics) if read.value is None else parse_value(read.value)


def parse_value(source: Source) -> Outcome[Any]:
    """The value of a JSON text, or of a YAML text where the name says so."""
    if Path(source.file).suffix in (".yaml", ".yml"):
        from compiler.documents.yaml_loader import load_yaml

        loaded = load_yaml(source)
        return Outcome(loaded.value.value if loaded.value is not None else None, loaded.diagnostics)
    from policy_lang.runtime.values import from_json

    try:
        return Outcome(from_json(source.text))
    except RecursionError:
        return Outcome(None, (Diagnostic("FLC109", f"{source.file} is nested too deep", whole_file(source.file)),))
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        column = getattr(error, "colno", 1)
        place = whole_file(source.file)._replace(line=line, col=column, end_line=line, end_col=column + 1)
        return Outcome(None, (Diagnostic("FLC109", f"{source.file} is not JSON: {error}", place),))
