"""The facade: the one public import, and the target of the console scripts ``floec`` and ``floe``."""

from __future__ import annotations

import gc
import sys

__version__ = "0.1.0"
__all__ = ["__version__", "main"]

_LASTING = frozenset(("repl", "run"))
"""Commands that may go on for hours."""


def main() -> int:
    """Run the command line and return its exit code (0 clean, 1 blocked, 2 usage, 3 environment)."""
    from compiler.cli.main import run

    argv = sys.argv[1:]
    if not _LASTING.intersection(argv[:1]):
        gc.disable()  # what is made stays until the end, and looking for garbage in it costs a tenth of the time
    code = run(argv)
    gc.freeze()  # nor is it looked through at the exit
    return code


if __name__ == "__main__":
    sys.exit(main())
