"""The facade: the one public import, and the target of the console scripts ``floec`` and ``floe``."""

from __future__ import annotations

import sys

__version__ = "0.1.0"
__all__ = ["__version__", "main"]


def main() -> int:
    """Run the command line and return its exit code (0 clean, 1 blocked, 2 usage, 3 environment)."""
    from compiler.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
