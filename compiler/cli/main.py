"""The command ``floec``: finds the command's module, imports only that, and returns the exit code.

Exit codes: 0 clean or only warnings, 1 blocked by a violation or an invalid document, 2 wrong usage,
3 the environment failed (a missing tool, a folder that cannot be written).
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import argparse

COMMANDS: dict[str, str] = {
    "check": "judge documents and their dbt project by the policies in force; write nothing",
    "compile": "check, then write an OCI layout, a dbt overlay and Kubernetes manifests",
    "run": "compile, then run the seeds, models and tests with dbt on DuckDB",
    "explain": "say what a diagnostic code or a policy means, and what mends it",
    "explain-value": "say which tier set a value, at which line, and which of them holds",
    "ir": "print the checked IR, or say what changed for governance between two",
    "schema": "print the JSON Schema of a document or of the IR",
    "contract": "compare, generate and check data contracts",
    "eval": "evaluate a Rego query",
    "dump": "print what the engine makes of policies, stage by stage",
    "export": "write policies as plain Rego that a stock OPA runs",
    "fmt": "lay out policy files",
    "lock": "pin the parents that a document refers to, in floe.lock",
    "lint": "find what is legal in policies, and most likely not meant",
    "verify": "check every digest of an OCI layout, and its signature",
    "repl": "ask policies questions, line by line",
    "test": "run the tests of policies",
}

EXIT_OK, EXIT_BLOCKED, EXIT_USAGE, EXIT_ENVIRONMENT = 0, 1, 2, 3


def run(argv: Sequence[str]) -> int:
    """Run one command. ``argv`` is without the program's name."""
    _set_up_streams()
    try:
        return _dispatch(list(argv))
    except SystemExit as leave:  # argparse ends this way, after it has printed why
        return leave.code if isinstance(leave.code, int) else EXIT_USAGE
    except BrokenPipeError:
        # The reader (head, less) went away; nothing more can be said, and it is not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        print("floec: interrupted", file=sys.stderr)
        return 130
    except OSError as error:  # what no command foresees: a full disk below the output, a path that is too long
        where = f": {error.filename}" if error.filename else ""
        print(f"floec: {error.strerror or type(error).__name__}{where}", file=sys.stderr)
        return EXIT_ENVIRONMENT
    except Exception:  # noqa: BLE001 (an error of our own: shown whole, and not to be taken for a violation)
        import traceback

        traceback.print_exc()
        print("floec: this is an error in floec itself; please report it with the lines above", file=sys.stderr)
        return EXIT_ENVIRONMENT


def _set_up_streams() -> None:
    """Streams that were closed are empty.

    Files and pipes hold UTF-8 in any locale, as policies and JSON do, unless Python was told otherwise; what an
    encoding cannot show is written as an escape.
    """
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 (for as long as the process lasts)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdin, io.TextIOWrapper) and not sys.stdin.isatty():
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name need be no UTF-8, either
        encoding = None if sys.stdout.isatty() or "PYTHONIOENCODING" in os.environ else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
        return EXIT_OK if argv else EXIT_USAGE
    if argv[0] in ("-V", "--version", "version"):
        from floec import __version__

        print(f"floec {__version__}")
        return EXIT_OK
    name = argv[0]
    if name not in COMMANDS:
        from policy_lang.spell import did_you_mean

        hint = did_you_mean(name, COMMANDS)
        print(f"floec: unknown command `{name}`" + (f": {hint}" if hint else ""), file=sys.stderr)
        print("run `floec --help` for the list", file=sys.stderr)
        return EXIT_USAGE
    module = importlib.import_module(f"compiler.cli.{name.replace('-', '_')}_command")
    plain, given = getattr(module, "plain", None), argv[1:]
    options = plain(given) if plain is not None else None
    if options is None:
        parser = _parser(name)
        module.arguments(parser)
        options = parser.parse_args(given)
    code: int = module.execute(options)
    return code


def _parser(name: str) -> argparse.ArgumentParser:
    """Made only where a command's ``plain`` does not know what is given: to import and build one takes as long as to
    judge a small product."""
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(EXIT_USAGE, f"floec: {message}\n")

    def formatter(prog: str) -> argparse.HelpFormatter:
        return argparse.HelpFormatter(prog, width=_columns() - 2)

    return Parser(prog=f"floec {name}", description=COMMANDS[name], formatter_class=formatter)


def _columns() -> int:
    """The terminal's width; argparse itself would ask ``shutil``, which takes longer to import than all the rest."""
    try:
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size().columns or 80
    except (AttributeError, OSError, ValueError):  # no terminal, or no number
        return 80


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [
        "usage: floec COMMAND [ARG ...]",
        "",
        "A policy-as-code compiler for data platforms.",
        "",
        "commands:",
        *(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()),
        "",
        "`floec COMMAND --help` explains one. Exit codes: 0 clean, 1 blocked, 2 usage, 3 environment.",
    ]
    return "\n".join(lines)
