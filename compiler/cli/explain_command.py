"""``floec explain CODE``: what a diagnostic code or a policy means, and what mends it."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path

from compiler.cli.main import EXIT_OK, EXIT_USAGE

_ID = re.compile(r"^# ([A-Z]+\d+)\b", re.MULTILINE)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "code", metavar="CODE", nargs="?", help="FLC301, NAM001, LNT001, rego_parse_error …; none lists all"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from compiler.report.codes import explanations

    known = {**explanations(), **_lint_rules(), **policy_pages()}
    if options.code is None:
        for text in known.values():
            print(text.partition("\n")[0].removeprefix("# "))
        return EXIT_OK
    wanted = {code.lower(): code for code in known}.get(options.code.lower())
    if wanted is None:
        from policy_lang.spell import did_you_mean

        hint = did_you_mean(options.code, known)
        print(f"floec: nothing has the code {options.code}" + (f": {hint}" if hint else ""), file=sys.stderr)
        print("run `floec explain` for the list", file=sys.stderr)
        return EXIT_USAGE
    print(known[wanted].rstrip())
    return EXIT_OK


def _lint_rules() -> dict[str, str]:
    """Code → what the lint rule finds, and how it is left out."""
    from policy_lang.lint.registry import rules
    from policy_lang.lint.run import IGNORE_CODE, IGNORE_TITLE

    about = (
        f"# {IGNORE_CODE}: {IGNORE_TITLE[0].upper()}{IGNORE_TITLE[1:]}\n\nSeverity: warn. It names no rule, gives "
        f"no reason, or its rule finds nothing there. `# floec:ignore CODE REASON` covers its line, or the "
        f"next where it stands alone; `# floec:ignore-file CODE REASON` covers the file. It is "
        f"left out with `--disable {IGNORE_CODE}`.\n"
    )
    return {IGNORE_CODE: about} | {
        code: f"# {code}: {rule.title[0].upper()}{rule.title[1:]}\n\n"
        f"Severity: {rule.severity}. {inspect.getdoc(rule.check)}\n\n"
        f"It is left out with `--disable {code}`, or on one line with the comment `# floec:ignore {code} REASON`.\n"
        for code, rule in rules().items()
    }


def policy_pages() -> dict[str, str]:
    """Id → page of each policy of the standard library, by id."""
    from compiler.policies.bundles import STDLIB

    pages: dict[str, str] = {}
    for page in sorted(Path(STDLIB).glob("*/*.md")):
        text = page.read_text(encoding="utf-8")
        heading = _ID.match(text)
        if heading:
            pages[heading[1]] = text
    return dict(sorted(pages.items()))
