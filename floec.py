"""The facade: the one public import, and the target of the console scripts ``floec`` and ``floe``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn

__version__ = "0.1.0"
__all__ = ["__version__", "command", "main"]

_LASTING = frozenset(("repl", "run"))
"""Commands that may go on for hours."""


def main() -> int:
    """Run the command line and return its exit code (0 clean, 1 blocked, 2 usage, 3 environment)."""
    from compiler.cli.main import run

    argv = sys.argv[1:]
    if not _LASTING.intersection(argv[:1]):
        gc.disable()  # what is made stays until the end, and looking for garbage in it costs a tenth of the time
    return run(argv)


def command() -> NoReturn:
    """``main`` as a process. A check ends it at once: to take apart all that it made costs a tenth of the time."""
    from policy_lang import later

    if not _LASTING.intersection(sys.argv[1:2]):  # those run programs of others
        later.begin()
    code = main()
    if sys.argv[1:2] == ["check"]:
        with contextlib.suppress(BrokenPipeError):  # the reader went away
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # nor look through it
    sys.exit(code)


if __name__ == "__main__":
    command()
