"""``floec repl``: ask policies and documents questions, line by line."""

from __future__ import annotations

import argparse
import io
import sys
from typing import TYPE_CHECKING

from compiler.cli.main import EXIT_BLOCKED, EXIT_OK

if TYPE_CHECKING:
    from compiler.cli.repl_session import Session


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="policies and data to load first")
    parser.add_argument("-i", "--input", metavar="FILE", help="the input document")


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    import shlex

    from compiler.cli.repl_session import Session

    session = Session()
    first = []
    if options.paths:
        first.append(":load " + shlex.join(options.paths))
    if options.input is not None:
        first.append(f":input {options.input}")
    for line in first:
        said = session.feed(line)
        if said.startswith("error"):
            print(said, file=sys.stderr)
            return EXIT_BLOCKED
        print(said)
    return _talk(session)


def _talk(session: Session) -> int:
    from compiler.cli.repl_session import Quit

    terminal = sys.stdin.isatty()
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # one line that is no text ends no session
    if terminal:
        _line_editing()
        print("floec repl: :help lists the commands")
    while True:
        try:
            line = input(("... " if session.pending else "> ") if terminal else "")
            said = session.feed(line)
        except (EOFError, Quit):
            return EXIT_OK
        except KeyboardInterrupt:
            session.pending = ""
            print()
            continue
        except RecursionError:
            said = "this is nested too deep"
        if said:
            print(said, flush=True)


def _line_editing() -> None:
    """History and editing of the line, where Python has readline."""
    try:
        import readline
    except ImportError:
        return
    readline.set_history_length(1000)
